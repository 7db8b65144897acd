package edit

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzDecodedOperationsAreWrittenAndReadAgain(f *testing.F) {
	for _, src := range []string{
		`[{"op":"set_style","id":"a","property":"left","value":null}]`, `[{"op":"set_var","name":"a","var":{"type":"text"}}]`,
		`[{"op":"add_node","index":0,"node":{"tag":"p","children":[{"tag":"b"}]}}]`, `[{"op":"set_var","name":"a","var":null}]`, `[null]`, `{}`,
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		ops, err := Decode(src)
		if err != nil {
			return
		}
		raw, err := json.Marshal(ops)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		written, err := json.Marshal(again)
		if diff := cmp.Diff(string(raw), string(written)); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		_, _ = Apply([]byte(card), ops) // must not panic, whatever they say
	})
}
