package bindings

import "crypto/sha256"

// What a window holds at most. Beyond it changes are committed before the end
// of the reading, and a late duplicate is undone instead of taken back.
const (
	windowRows  = 5000
	windowBytes = 16 << 20 // of row values; the proposals are of about the same size
)

// A window holds the changes of a reading that are not yet in a plan.
type window struct {
	rows  map[string]*heldRow
	order []string // keys as they came; one that is not in rows was dropped
	bytes int
}

type heldRow struct {
	change    RowChange
	store     bool // change is to be stored
	proposals []Proposal
	reads     []RowReads
	position  string
}

func newWindow() window { return window{rows: map[string]*heldRow{}} }

// put holds row in the place of what it held for the key.
func (w *window) put(key string, row *heldRow) {
	if _, again := w.rows[key]; !again {
		w.order = append(w.order, key)
	}
	w.rows[key] = row
	w.bytes += len(row.change.Values)
}

func (w *window) drop(key string) { delete(w.rows, key) }

func (w *window) full() bool { return len(w.rows) >= windowRows || w.bytes >= windowBytes }

// A keyHash stands for a key in memory. 16 bytes of SHA-256 do not collide,
// neither by chance nor by the hand of whoever writes the source.
type keyHash [16]byte

func hashKey(key string) keyHash {
	sum := sha256.Sum256([]byte(key))
	return keyHash(sum[:16])
}

// A mark is what a reading remembers of a key.
type mark struct {
	row     uint32 // counted from 1
	gone    bool   // the source says it is deleted
	written bool   // its change is in a plan already
	doubled bool
}
