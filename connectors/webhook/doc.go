// Package webhook is the source whose rows are sent to it: POST /hooks/PATH.
//
// A call is judged in four steps, each of which ends it: its headers (is it from
// who it should be, as far as they tell, is it of a form that is read, is it small
// enough), its body as it was sent (the signature is over these bytes, before
// anything is unpacked or parsed), its form, its rows. A row that is wrong in
// itself is a fault and the others are taken; whatever else is wrong takes nothing.
//
// It keeps no memory: whether a message came before, and whether a row is older
// than what is stored, others know. Who may call and is not told apart here, such
// as by the network, is not this room's matter either.
package webhook
