package edit

import (
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// undoes applies operations one by one, each of which may be refused, and then
// all that were done at once.
func undoes(t *rapid.T, src string, draw func() Op) {
	var done []Op
	current := src
	for range rapid.IntRange(1, 6).Draw(t, "ops") {
		op := draw()
		got, err := Apply([]byte(current), []Op{op})
		if err != nil {
			if p := first(err); p.Code == problem.Internal {
				t.Fatalf("%+v on\n%s\n%v", op, current, err)
			}
			continue
		}
		mustUndo(t, current, got)
		check(t, current, string(got.Source))
		if string(got.Source) != current && len(got.Touched) == 0 {
			t.Fatalf("%+v touched nothing", op)
		}
		done, current = append(done, op), string(got.Source)
	}
	all, err := Apply([]byte(src), done)
	if err != nil || string(all.Source) != current {
		t.Fatalf("all at once: %v\n%s\nwant\n%s", err, all.Source, current)
	}
	mustUndo(t, src, all)
}

// check holds what every result must be.
func check(t *rapid.T, before, after string) {
	d := markup.Parse([]byte(after))
	if d.Print() != after || d.Unfinished >= 0 {
		t.Fatalf("does not parse:\n%s", after)
	}
	if id := newTwin(ids(markup.Parse([]byte(before)).Node), ids(d.Node)); id != "" {
		t.Fatalf("%q stands there twice:\n%s", id, after)
	}
}

func TestEveryOperationOnEveryDocumentIsUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{T: t}
		src := g.document()
		undoes(t, src, g.op)
	})
}

func TestEveryOperationOnTheTemplatesOfThisRepositoryIsUndone(t *testing.T) {
	files, err := templates()
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{T: t}
		src, err := os.ReadFile(g.pick(files...))
		if err != nil {
			t.Fatal(err)
		}
		names := family(markup.Parse(src).Node)
		undoes(t, string(src), func() Op {
			op := g.op()
			if op.ID != "" {
				op.ID = g.pick(names...)
			}
			return op
		})
	})
}
