package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A snapshot says which transactions a statement sees: what pg_current_snapshot()
// gives.
type snapshot struct {
	min, max uint64   // all before min are seen, and none from max on
	running  []uint64 // of those between, that are not seen; sorted
}

func parseSnapshot(text string) (m snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return m, fmt.Errorf("%q is no snapshot", text)
	}
	if m.min, err = strconv.ParseUint(parts[0], 10, 64); err != nil {
		return m, err
	}
	if m.max, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return m, err
	}
	for id := range strings.SplitSeq(parts[2], ",") {
		if id == "" {
			continue
		}
		running, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return m, err
		}
		m.running = append(m.running, running)
	}
	slices.Sort(m.running)
	return m, nil
}

// full is a transaction's number with the digits that the stream leaves out: the one
// that is nearest to what runs now.
func (m *snapshot) full(xid uint32) uint64 {
	const wrap = 1 << 32
	id := m.max&^(wrap-1) | uint64(xid)
	switch {
	case id > m.max && id-m.max > wrap/2 && id >= wrap:
		return id - wrap
	case id < m.max && m.max-id > wrap/2:
		return id + wrap
	}
	return id
}

// sees reports whether a statement of this snapshot sees what a transaction did that
// the stream told of.
func (m *snapshot) sees(xid uint32) bool {
	id := m.full(xid)
	if id < m.min {
		return true
	}
	if id >= m.max {
		return false
	}
	_, running := slices.BinarySearch(m.running, id)
	return !running
}
