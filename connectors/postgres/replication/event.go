package replication

import (
	"time"

	"github.com/jackc/pglogrepl"
)

// An LSN is a place in the server's log.
type LSN = pglogrepl.LSN

// ParseLSN reads what LSN.String writes.
func ParseLSN(text string) (LSN, error) { return pglogrepl.ParseLSN(text) }

// A Kind is what an event tells of.
type Kind byte

// The kinds of events, as the protocol names them.
const (
	Begin     Kind = 'B'
	Commit    Kind = 'C'
	Described Kind = 'R'
	Insert    Kind = 'I'
	Update    Kind = 'U'
	Delete    Kind = 'D'
	Truncate  Kind = 'T'
	Message   Kind = 'M'
)

// An Event is a message of the plugin. What it refers to is valid until the next
// call of Next.
type Event struct {
	Kind Kind
	// LSN is the record that the event was made of; several may be of one record.
	// It is 0 for a relation's description.
	LSN LSN

	XID    uint32    // of Begin
	Commit LSN       // of Begin and Commit: the record of the commit
	End    LSN       // of Commit: where the next transaction may begin
	At     time.Time // of Begin and Commit: when it was committed, by the server's clock

	Relation *Relation // of a change and a description; nil for one that was never described
	Others   []uint32  // of Truncate: the tables that were emptied
	New      []Value   // of Insert and Update, by the relation's columns
	Old      []Value   // of Update, where it says how the row was, and of Delete
	// OldKey says that Old holds the columns of the replica identity, and no others.
	OldKey bool

	Transactional bool // of Message
	Prefix        string
	Content       []byte
}

// A Relation is a table as it was when the changes were made that follow.
type Relation struct {
	ID       uint32
	Schema   string
	Table    string
	Identity byte // 'd' the primary key, 'f' all columns, 'i' an index, 'n' nothing
	Columns  []Column
}

// A Column is one of a relation.
type Column struct {
	Name   string
	Type   uint32
	Typmod int32
	Key    bool // it is part of the replica identity
}

// A Value is what a column of a row holds.
type Value struct {
	// Kind is 't' for a text, 'n' for null, 'u' for a value that the change left
	// alone and that the server did not look up.
	Kind byte
	Text []byte // nil unless Kind is 't'
}

// The kinds of values.
const (
	Null      byte = 'n'
	Unchanged byte = 'u'
	Text      byte = 't'
)
