package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
)

// A cell that can't be read is told in its place: of a row that came before and came
// again behind it, each state follows the one before.
func TestFaultsStandBetweenTheRowsOfAPart(t *testing.T) {
	w := &walk{key: []string{"id"}, columns: []column{{name: "id", kind: asText}, {name: "doc", kind: asJSON}}, named: "rows"}
	cells := func(id, doc string) [][]byte { return [][]byte{[]byte(id), []byte(doc)} }
	var p part
	p.element(w, cells("a", "1"))
	p.element(w, cells("a", "{"))
	p.element(w, cells("b", "1"))
	p.element(w, cells("c", "{"))
	p.element(w, cells("c", "2"))

	first := p.take(extent{rows: 1, faults: 1})
	if diff := cmp.Diff([]int{1}, behind(first.wrong)); diff != "" {
		t.Errorf("of the first part (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1}, behind(p.wrong)); diff != "" {
		t.Errorf("of the rest (-want +got):\n%s", diff)
	}

	// b is gone by now, and what was read again of c can't be read either.
	rows, faults := without(map[int]bool{0: true}, p.list, append(p.wrong, connectors.Fault{Position: "late", Behind: 0}))
	if len(rows) != 1 || rows[0].Key[0] != "c" {
		t.Errorf("left are %v", rows)
	}
	if len(faults) != 2 || faults[0].Behind != 0 || faults[1].Behind != 0 || faults[0].Position == faults[1].Position {
		t.Errorf("the faults are %v", faults)
	}
}

func behind(faults []connectors.Fault) (list []int) {
	for _, f := range faults {
		list = append(list, f.Behind)
	}
	return list
}
