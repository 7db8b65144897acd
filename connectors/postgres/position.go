package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	polling "github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
)

// A position is what the cursor of a stream holds.
type position struct {
	Identity []byte `json:"identity,omitempty"` // of the slot's keeper
	// LSN is the end of the last transaction all of which is committed.
	LSN lsn `json:"lsn"`
	// Inside says that of the next transaction a part is committed too.
	Inside *inside `json:"inside,omitempty"`
	// Schema is a digest of the columns and files of the table under which its rows
	// were read.
	Schema   string   `json:"schema,omitempty"`
	Backfill backfill `json:"backfill"`
}

// inside is how far a transaction was committed of which only a part is.
type inside struct {
	Commit lsn `json:"commit"` // which transaction
	UpTo   lsn `json:"upto"`   // the last record of it
}

// A backfill is the reading of all rows as they stand, in the order of their key.
type backfill struct {
	Generation int       `json:"generation"`
	After      []string  `json:"after,omitempty"` // the key of the last row, as text
	Rows       int64     `json:"rows"`
	Started    time.Time `json:"started,omitzero"`
	Done       bool      `json:"done,omitempty"`
}

// lsn is a place of the log that is written as PostgreSQL does.
type lsn replication.LSN

func (l lsn) MarshalText() ([]byte, error) { return []byte(replication.LSN(l).String()), nil }

func (l *lsn) UnmarshalText(text []byte) error {
	parsed, err := replication.ParseLSN(string(text))
	*l = lsn(parsed)
	return err
}

// open reads a cursor. What it says of the slot holds under any configuration of the
// source; what it says of rows only under the one that it was made under, else all
// of them are to be read.
func (f *follower) open(from connectors.Cursor) position {
	var p position
	if f.binding.Open(from, &p) {
		return p
	}
	p = position{}
	if json.Unmarshal(polling.State(from), &p) != nil {
		return position{}
	}
	return position{Identity: p.Identity, LSN: p.LSN, Inside: p.Inside, Backfill: backfill{Generation: p.Backfill.Generation}}
}

// seal is the cursor of p.
func (f *follower) seal(p *position) (connectors.Cursor, error) {
	cursor, err := f.binding.Seal(p)
	if err != nil {
		return nil, fmt.Errorf("write position of the stream: %w", err)
	}
	return cursor, nil
}
