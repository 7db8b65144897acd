package replication

import "testing"

// Whatever a server sends is an event or an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte("R\x00\x00\x00\x01public\x00rows\x00d\x00\x01\x01id\x00\x00\x00\x00\x17\xff\xff\xff\xff"))
	f.Add([]byte("I\x00\x00\x00\x01N\x00\x01t\x00\x00\x00\x017"))
	f.Add([]byte("U\x00\x00\x00\x01K\x00\x01t\x00\x00\x00\x017N\x00\x01u"))
	f.Add([]byte("D\x00\x00\x00\x01O\x00\x01n"))
	f.Add([]byte("T\x00\x00\x00\x01\x00\x00\x00\x00\x01"))
	f.Add([]byte("M\x01\x00\x00\x00\x00\x00\x00\x00\x01p\x00\x00\x00\x00\x02ab"))
	f.Add([]byte("B\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x07"))
	f.Add([]byte("C\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, message []byte) {
		p := parser{relations: map[uint32]*Relation{1: {ID: 1, Columns: []Column{{Name: "id", Key: true}}}}}
		e, err := p.parse(message, 1)
		if err != nil || e.Relation == nil || e.Kind == Described {
			return
		}
		for _, row := range [][]Value{e.New, e.Old} {
			if row != nil && len(row) != len(e.Relation.Columns) {
				t.Errorf("%d values for %d columns", len(row), len(e.Relation.Columns))
			}
		}
	})
}
