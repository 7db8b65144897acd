package edit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPlainOperationsOnEveryDocumentAreUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{T: t}
		src := g.document()
		undoes(t, src, func() Op {
			return rapid.Custom(func(t *rapid.T) Op { return (&gen{T: t}).op() }).
				Filter(func(op Op) bool {
					return op.Op == "set_box" || op.Op == "set_style" || op.Op == "set_size_override" || op.Op == "ensure_id"
				}).
				Draw(t, "op")
		})
	})
}

// many is a document of n layers; every other has an id.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		if i%2 == 0 {
			fmt.Fprintf(&b, "  <div id=\"l%d\" style=\"left: %dpx; right: 3px\"></div>\n", i, i)
		} else {
			fmt.Fprintf(&b, "  <div style='top:%dpx;;left:2px'></div>\n", i)
		}
	}
	return strings.Replace(card, "</section>", b.String()+"</section>", 1)
}

func TestADragOfManyLayersReadsTheDocumentOnce(t *testing.T) {
	src := []byte(many(20))
	d, p := newEditor(src)
	if p != nil {
		t.Fatal(p)
	}
	first := elementIndex(d.doc.Find("l0"))
	path := pathOf(d.doc.Find("card"))
	for name, size := range map[string]string{"in all sizes": "", "in one size": "story"} {
		var ops []Op
		for i := range 20 {
			id, left := fmt.Sprintf("l%d", i), float64(i*7)
			if i%2 == 1 {
				ops = append(ops, Op{Op: "ensure_id", Path: fmt.Sprintf("%s/%d", path, first+i), ID: id})
			}
			ops = append(ops, Op{Op: "set_box", ID: id, Size: size, Box: map[string]*float64{"left": &left, "top": &left}})
		}
		got, ok := applyTogether(src, ops)
		if !ok {
			t.Errorf("%s: each is read by itself", name)
			continue
		}
		want, touched := string(src), []string{}
		for _, op := range ops {
			one, err := Apply([]byte(want), []Op{op})
			if err != nil {
				t.Fatal(name, err)
			}
			want, touched = string(one.Source), append(touched, one.Touched...)
		}
		if diff := cmp.Diff(want, string(got.Source)); diff != "" {
			t.Errorf("%s (-one by one +together):\n%s", name, diff)
		}
		slices.Sort(touched)
		if diff := cmp.Diff(slices.Compact(touched), got.Touched); diff != "" {
			t.Errorf("%s touches (-one by one +together):\n%s", name, diff)
		}
		if _, ok := applyTogether(got.Source, got.Inverse); !ok {
			t.Errorf("%s: what undoes it is read one by one", name)
		}
		mustUndo(t, string(src), got)
	}
}

func TestAMistakeAmongManyOperationsIsNamed(t *testing.T) {
	ops := []Op{{Op: "set_style", ID: "title", Property: "left", Value: text("1px")}, {Op: "set_style", ID: "nobody", Property: "left", Value: text("1px")}}
	_, err := Apply([]byte(card), ops)
	if err == nil || first(err).Path != "ops[1].id" {
		t.Errorf("error %v", err)
	}
}
