package draft_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/drafttest"
)

func TestUndoStepTakesBackExactlyThatStep(t *testing.T) {
	k, l := newDesk()
	mustEdit(t, k, edit(1, "run", "title=Hi"))
	mustEdit(t, k, edit(2, "run", "price=8"))
	published := mustEdit(t, k, edit(3, "ada", "note=old"))
	l.Add(template.Version{Name: "card", Source: published.Draft.Source})
	l.Close("card", draft.Publishes) // which leaves the document as it is
	done, err := k.UndoStep(t.Context(), "card", 2, "run")
	if err != nil || done.Step.Kind != draft.Undoes || done.Step.Undoes != 2 || done.Step.Revision != 6 {
		t.Fatalf("taken back by %+v, %v", done.Step, err)
	}
	mustStand(t, k, 6, `<h1 id="title">Hello</h1><p id="price">8</p><p id="note">old</p>`)
}

func TestUndoStepOverALaterChangeOfTheSameIsRefused(t *testing.T) {
	k, _ := newDesk()
	mustEdit(t, k, edit(1, "run", "title=Hi"))
	mustEdit(t, k, edit(2, "run", "title=Ho"))
	_, err := k.UndoStep(t.Context(), "card", 2, "run")
	var conflict *draft.ConflictError
	if !errors.As(err, &conflict) || len(conflict.Conflicts) != 1 || conflict.Conflicts[0].By.Revision != 3 || slug(err) != draft.EditConflict {
		t.Fatalf("got %v, want a conflict with revision 3", err)
	}
	mustStand(t, k, 3, `<h1 id="title">Ho</h1><p id="price">5</p><p id="note">new</p>`)
	for _, revision := range []int64{3, 2} { // the newest first goes
		if _, err := k.UndoStep(t.Context(), "card", revision, "run"); err != nil {
			t.Fatal(err)
		}
	}
	mustStand(t, k, 5, card)
}

func TestUndoStepOfWhatCannotBeTakenBackIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		since func(k *draft.Desk, l *drafttest.Ledger) error
		take  int64
		want  string
		code  problem.Code
	}{
		"a step that was taken back": {func(k *draft.Desk, _ *drafttest.Ledger) error {
			_, err := k.UndoStep(t.Context(), "card", 2, "run")
			return err
		}, 2, draft.AlreadyUndone, problem.Conflict},
		"a step that an undo took back": {func(k *draft.Desk, _ *drafttest.Ledger) error {
			_, err := k.Undo(t.Context(), "card", "run")
			return err
		}, 2, draft.AlreadyUndone, problem.Conflict},
		"an undo": {func(k *draft.Desk, _ *drafttest.Ledger) error {
			_, err := k.UndoStep(t.Context(), "card", 2, "run")
			return err
		}, 3, draft.NoSuchStep, problem.NotFound},
		"a step of a discarded draft": {func(_ *draft.Desk, l *drafttest.Ledger) error {
			l.Close("card", draft.Discards)
			return nil
		}, 2, draft.StepReplaced, problem.Conflict},
		"a step that never was": {func(*draft.Desk, *drafttest.Ledger) error { return nil }, 9, draft.NoSuchStep, problem.NotFound},
	} {
		k, l := newDesk()
		mustEdit(t, k, edit(1, "run", "title=Hi"))
		if err := c.since(k, l); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before, _ := k.Ledger.Draft(t.Context(), "card")
		if _, err := k.UndoStep(t.Context(), "card", c.take, "run"); slug(err) != c.want || problem.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		mustStand(t, k, before.Revision, string(before.Source))
	}
}

func TestUndoStepThatLosesARaceIsTakenOnTheNewest(t *testing.T) {
	k, l := newDesk()
	mustEdit(t, k, edit(1, "run", "title=Hi"))
	k.Ledger = &racing{l, 2}
	if _, err := k.UndoStep(t.Context(), "card", 2, "run"); err != nil {
		t.Fatal(err)
	}
	mustStand(t, k, 5, `<h1 id="title">Hello</h1><p id="price">5</p><p id="note">x</p>`)
}

// Property: steps on different elements can be taken back in any order, and then
// the bytes are the version's.
func TestStepsAreTakenBackInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, _ := newDesk()
		ids := rapid.Permutation([]string{"title", "price", "note"}).Draw(rt, "elements")
		for i, id := range ids {
			mustEdit(t, k, edit(int64(i+1), "run", id+"="+rapid.StringMatching(`[a-z]{0,4}`).Draw(rt, "text")))
		}
		for _, revision := range rapid.Permutation([]int64{2, 3, 4}).Draw(rt, "order") {
			if _, err := k.UndoStep(t.Context(), "card", revision, "run"); err != nil {
				rt.Fatal(err)
			}
		}
		if d, _ := k.Ledger.Draft(t.Context(), "card"); string(d.Source) != card {
			rt.Fatalf("what is left is %s", d.Source)
		}
	})
}
