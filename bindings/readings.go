package bindings

import "time"

// What became of a row in a reading.
const (
	RowAdded   = "added"
	RowChanged = "changed"
	RowRemoved = "removed"
)

// A PastReading is what a reading of a source was, as it is remembered.
type PastReading struct {
	ID      int64 // counts up
	BeganAt time.Time
	EndedAt time.Time // zero: it has not ended
	Rows    int64     // that it had
	Added   int64
	Changed int64
	Removed int64 // rows that it did not have any more, or that the source said are gone
	Faults  int64 // rows that were kept out

	Complete bool
	Reason   string // why it was not
	Error    string // why it failed
	Held     map[string]PastHeld
}

// A PastHeld is what the guard held of a binding when a reading had ended.
type PastHeld struct {
	Changes  int64  `json:"changes"`
	Removals int64  `json:"removals"`
	Reason   string `json:"reason"`
}

// RowChanges are the rows that the last reading changed which changed any.
type RowChanges struct {
	Reading int64     // 0: none has since they are noted
	EndedAt time.Time // zero: it has not ended
	Before  time.Time // the end of the reading that changed some before it; zero: none is known
	Rows    []PastRow // by key
	More    int64     // that are not among Rows
}

// A PastRow is a row with its values before and after a reading, canonical.
type PastRow struct {
	Key    string
	Change string // RowAdded, RowChanged, RowRemoved
	Before []byte // nil of a row that was added
	After  []byte // nil of a row that was removed
}
