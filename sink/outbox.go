package sink

import (
	"encoding/json"
	"time"
)

// The states of a delivery in the outbox.
const (
	Waiting    = "waiting"
	Claimed    = "claimed" // it is on its way
	Delivered  = "delivered"
	Dead       = "dead"       // given up: a person has to replay or discard it
	Superseded = "superseded" // something newer was told instead
	Discarded  = "discarded"  // a dead letter that a person gave up
)

// A Record is a delivery as the outbox has it.
type Record struct {
	ID, Sink   string
	Binding    string // "" of a job
	Job        string // "" of a binding
	Key        string // canonical of a binding's row, as sent of a job's; "" of an event about all of it
	Generation int64
	Event      string
	State      string
	Attempts   int64  // all that there were
	Error      string // of the last one that failed
	Cause      string // of a dead one: what it shares with others

	CreatedAt, DueAt, EndedAt time.Time

	Receipt *Receipt // the last answer; nil before the first attempt
	Discard *Discard // of a discarded one

	// Of one that is looked at by itself: what it tells, as far as that is kept, and
	// how it went. A list has none of it.
	Row     json.RawMessage // the values of the row
	Fault   json.RawMessage // of an event about a row of a job that failed
	Data    json.RawMessage // of an event about a binding as a whole
	Outputs []Output        // without URLs
	Tries   []Try           // by number; also those before it was replayed
	Spent   int64           // attempts before it was last replayed: they count no more towards its end
}

// A Discard is why a dead letter was given up.
type Discard struct {
	Reason string
	By     string
	At     time.Time
}

// A Try is one attempt at a delivery.
type Try struct {
	Number  int64 // counts from 1
	At      time.Time
	Took    time.Duration
	Receipt Receipt
	Error   string // "" when it arrived
}

// A Selection chooses deliveries by all that it says. Its zero value takes all.
type Selection struct {
	IDs     []string
	Sink    string
	Binding string
	Job     string
	Key     string
	State   string
	Event   string
	Cause   string
	Since   time.Time // it ended then or later, or has not ended and came then or later
	Seen    *Seen     // nil: all are
}

// Seen is what somebody may see who may not see all: the deliveries of some
// bindings, and of the jobs of some templates. Of those to subscriptions they are
// the ones to some, by id.
type Seen struct {
	Bindings      []string
	Templates     []string
	Subscriptions []string
}

// A Place is where a page of deliveries ended.
type Place struct {
	At time.Time
	ID string
}

// A Group is the dead letters of one sink that died of the same error.
type Group struct {
	Cause     string
	Sink      string // batch and batch_rows are the webhooks of jobs, subscriptions all of those
	Events    []string
	Error     string // of one of them
	Count     int64
	FirstSeen time.Time
	LastSeen  time.Time
	IDs       []string // a few, the newest first
}

// Retold is how many deliveries are told again.
type Retold struct {
	Told    int64
	Waiting int64 // not these: something newer is being made, waits, or is a dead letter
	Gone    int64 // nor these: nothing is left that could be told
}

// A Backlog is what is left of a sink's deliveries.
type Backlog struct {
	Waiting int64 // also those on their way
	Dead    int64 // dead letters
}
