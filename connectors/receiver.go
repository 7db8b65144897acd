package connectors

import "net/http"

// A Receiver is a source whose rows are sent to it, each call with some of them.
type Receiver interface {
	// Receive reads one call. It refuses by the headers alone what it can, looks
	// into a body only when it knows who sent it, and never returns a part of one.
	// Its errors are problems: Unauthorized, without a word on why, where the
	// sender is not who it should be; TooLarge, Unsupported or Invalid where the
	// call cannot be read, so that sending it again is in vain.
	Receive(r *http.Request) (Message, error)
}

// A Message is what one call brings: rows that are new, changed or deleted. It
// says nothing about other rows.
type Message struct {
	// ID is the same whenever the same message is sent. Empty is a sender that
	// does not name its messages.
	ID     string
	Rows   []Row
	Faults []Fault
	// Wakes says that the source is to be read again that Told.Rereads names.
	Wakes bool
}

// A Told configuration is of a source that is a Receiver. It is Passive as well.
type Told interface {
	// HookPath is the one segment behind /hooks/ of the address that is called. No
	// two sources have the same.
	HookPath() string
	// Rereads names the source that a call has read again; "" where the rows are
	// in the call.
	Rereads() string
	// Unguarded says that anybody's call is taken.
	Unguarded() bool
}
