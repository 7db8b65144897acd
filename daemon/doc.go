// Package daemon carries values between the rooms, and decides the order in
// which they start and stop. It knows no SQL, no pixels, no paths of HTTP and no
// names of columns.
//
// A row's way through it: watch asks for polls, poll carries a reading's batches
// from the connector through bindings into the store, draw turns claimed renders
// into pictures, deliver hands finished ones to sinks. Each is the work of a turn
// that the store's queue gives; what is not ended there comes back.
package daemon
