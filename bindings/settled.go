package bindings

import "encoding/hex"

// A Settled is what the ledger holds of the rows of a source before a reading, in
// 32 bytes each, so that a row that is as it was needs no look into the ledger. It
// may be used only where every binding of the reading was planned over all of
// these rows.
type Settled struct {
	rows map[keyHash]settledRow
	met  int // rows that the reading has seen
}

// A settledRow is the first half of a row's digest, which does not collide either.
type settledRow struct {
	digest [16]byte
	open   bool // something about it waits for the end of a reading
}

// NewSettled makes room for so many rows.
func NewSettled(rows int) *Settled {
	return &Settled{rows: make(map[keyHash]settledRow, rows)}
}

// Add notes a row that is neither gone nor missing, by its canonical key and the
// digest of its values.
func (s *Settled) Add(key, digest string) {
	var row settledRow
	if n, err := hex.Decode(row.digest[:], []byte(digest)[:min(len(digest), 2*len(row.digest))]); err != nil || n < len(row.digest) {
		row.open = true // whatever it is, it is compared in the ledger
	}
	s.rows[hashKey(key)] = row
}

// Open notes that a proposal for the row of that key is open.
func (s *Settled) Open(key string) {
	h := hashKey(key)
	if row, ok := s.rows[h]; ok {
		row.open = true
		s.rows[h] = row
	}
}

// has reports whether the row stands there with the very values, and nothing is open.
func (s *Settled) has(h keyHash, digest [16]byte) bool {
	row, ok := s.rows[h]
	return ok && !row.open && row.digest == digest
}

// meet notes that the reading has the row of that key.
func (s *Settled) meet(h keyHash) {
	if _, ok := s.rows[h]; ok {
		s.met++
	}
}

// whole reports whether the reading has all of the rows.
func (s *Settled) whole() bool { return s.met == len(s.rows) }
