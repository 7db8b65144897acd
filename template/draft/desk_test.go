package draft_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/drafttest"
)

const card = `<h1 id="title">Hello</h1><p id="price">5</p><p id="note">new</p>`

// newDesk has the template card in one version. Documents with the word BROKEN
// cannot be versions.
func newDesk() (*draft.Desk, *drafttest.Ledger) {
	l := &drafttest.Ledger{}
	l.Add(template.Version{Name: "card", Source: []byte(card)})
	return &draft.Desk{
		Ledger: l, ApplyFunc: drafttest.Apply, ConflictsFunc: drafttest.Conflicts,
		CheckFunc: func(_ string, src []byte, _ map[string]string) error {
			if strings.Contains(string(src), "BROKEN") {
				return problem.New(problem.Invalid, "it is broken").WithSlug("bad_expression")
			}
			return nil
		},
	}, l
}

// edit is a step of ID=TEXT by author, meant for a revision.
func edit(revision int64, author string, texts ...string) draft.Edit {
	e := draft.Edit{Name: "card", Revision: revision, Author: author}
	for _, t := range texts {
		id, text, _ := strings.Cut(t, "=")
		e.Ops = append(e.Ops, drafttest.SetText(id, text))
	}
	return e
}

func mustEdit(t *testing.T, k *draft.Desk, e draft.Edit) draft.Done {
	t.Helper()
	done, err := k.Edit(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func slug(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Kind()
	}
	return ""
}

// mustStand checks the source of the draft.
func mustStand(t *testing.T, k *draft.Desk, revision int64, want string) {
	t.Helper()
	d, err := k.Ledger.Draft(t.Context(), "card")
	if err != nil {
		t.Fatal(err)
	}
	if string(d.Source) != want || d.Revision != revision {
		t.Errorf("revision %d is %s, want %d: %s", d.Revision, d.Source, revision, want)
	}
}

func TestEditsOfOtherElementsAreRebased(t *testing.T) {
	k, _ := newDesk()
	mustEdit(t, k, edit(1, "ada", "title=Hi"))
	done := mustEdit(t, k, edit(1, "bob", "price=6", "price=7"))
	if !done.Rebased || len(done.Between) != 1 || done.Between[0].Author != "ada" {
		t.Errorf("rebased %v over %+v, want over ada's step", done.Rebased, done.Between)
	}
	mustStand(t, k, 3, `<h1 id="title">Hi</h1><p id="price">7</p><p id="note">new</p>`)
	if again := mustEdit(t, k, edit(3, "bob", "price=8")); again.Rebased || len(again.Between) != 0 {
		t.Errorf("an edit of the newest revision was rebased over %+v", again.Between)
	}
}

func TestEditsOfTheSameElementAreRefusedWithBothValues(t *testing.T) {
	k, _ := newDesk()
	mustEdit(t, k, edit(1, "ada", "note=x", "title=Hi"))
	mustEdit(t, k, edit(2, "ada", "price=9"))
	_, err := k.Edit(t.Context(), edit(1, "bob", "note=y", "title=Hey", "title=Ho"))
	var conflict *draft.ConflictError
	if !errors.As(err, &conflict) || slug(err) != draft.EditConflict || problem.CodeOf(err) != problem.Conflict {
		t.Fatalf("got %v, want a conflict", err)
	}
	var got [][3]string
	for _, c := range conflict.Conflicts {
		got = append(got, [3]string{c.Touched, string(c.Yours), string(c.Theirs)})
	}
	want := [][3]string{
		{"note", string(drafttest.SetText("note", "y")), string(drafttest.SetText("note", "x"))},
		{"title", string(drafttest.SetText("title", "Ho")), string(drafttest.SetText("title", "Hi"))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	if by := conflict.Conflicts[0].By; by.Author != "ada" || by.Revision != 2 {
		t.Errorf("by %+v, want ada's revision 2", by)
	}
	mustStand(t, k, 3, `<h1 id="title">Hi</h1><p id="price">9</p><p id="note">x</p>`)
}

func TestRefusedEditChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		edit draft.Edit
		want string
	}{
		"an unknown element":         {edit(1, "ada", "title=Hi", "nobody=x"), "invalid"},
		"a draft that is no version": {edit(1, "ada", "title=BROKEN"), "bad_expression"},
		"a revision of the future":   {edit(7, "ada", "title=Hi"), draft.RevisionGone},
		"a template that is not":     {draft.Edit{Name: "none", Revision: 1}, "template_not_found"},
	} {
		k, _ := newDesk()
		if _, err := k.Edit(t.Context(), c.edit); slug(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		mustStand(t, k, 1, card)
	}
}

func TestDocumentThatWasReplacedMeetsEveryEdit(t *testing.T) {
	for _, kind := range []draft.Kind{draft.Discards, draft.Arrives} {
		k, l := newDesk()
		mustEdit(t, k, edit(1, "ada", "title=Hi"))
		l.Close("card", kind)
		_, err := k.Edit(t.Context(), edit(2, "ada", "price=8"))
		var conflict *draft.ConflictError
		if !errors.As(err, &conflict) || conflict.Conflicts[0].Touched != draft.Everything {
			t.Errorf("after %s: got %v, want a conflict over everything", kind, err)
		}
	}
}

func TestEditsGoOnOverAPublication(t *testing.T) {
	k, l := newDesk()
	done := mustEdit(t, k, edit(1, "ada", "title=Hi"))
	l.Add(template.Version{Name: "card", Source: done.Draft.Source})
	l.Close("card", draft.Publishes)
	mustEdit(t, k, edit(2, "bob", "price=8"))
	mustStand(t, k, 4, `<h1 id="title">Hi</h1><p id="price">8</p><p id="note">new</p>`)
}

func TestUndoTakesBackOnesOwnLastSteps(t *testing.T) {
	k, _ := newDesk()
	mustEdit(t, k, edit(1, "ada", "title=Hi", "title=Ho"))
	mustEdit(t, k, edit(2, "ada", "title=Hey"))
	mustEdit(t, k, edit(3, "bob", "price=8"))
	for i, want := range []string{"Ho", "Hello"} {
		done, err := k.Undo(t.Context(), "card", "ada")
		if err != nil {
			t.Fatal(err)
		}
		if done.Step.Kind != draft.Undoes || done.Step.Undoes != int64(3-i) {
			t.Errorf("undo %d took back revision %d", i, done.Step.Undoes)
		}
		mustStand(t, k, int64(5+i), `<h1 id="title">`+want+`</h1><p id="price">8</p><p id="note">new</p>`)
	}
	if _, err := k.Undo(t.Context(), "card", "ada"); slug(err) != draft.NothingToUndo {
		t.Errorf("a third undo: %v", err)
	}
	// A new edit is what an undo takes back next.
	mustEdit(t, k, edit(6, "ada", "note=old"))
	if done, err := k.Undo(t.Context(), "card", "ada"); err != nil || done.Step.Undoes != 7 {
		t.Errorf("undo of the new edit: %+v, %v", done.Step, err)
	}
}

func TestUndoOverSomebodyElsesChangeIsRefused(t *testing.T) {
	k, _ := newDesk()
	mustEdit(t, k, edit(1, "ada", "title=Hi"))
	mustEdit(t, k, edit(2, "bob", "title=Ho"))
	_, err := k.Undo(t.Context(), "card", "ada")
	var conflict *draft.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	if c := conflict.Conflicts[0]; c.Touched != "title" || string(c.Yours) != string(drafttest.SetText("title", "Hello")) ||
		string(c.Theirs) != string(drafttest.SetText("title", "Ho")) {
		t.Errorf("conflict %+v", c)
	}
	// Once bob has taken his back, ada's can go.
	if _, err := k.Undo(t.Context(), "card", "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Undo(t.Context(), "card", "ada"); err != nil {
		t.Fatal(err)
	}
	mustStand(t, k, 5, card)
}

func TestRestoreMakesTheDraftAVersion(t *testing.T) {
	k, l := newDesk()
	l.Add(template.Version{Name: "card", Source: []byte("<p id=\"a\">second</p>"), Assets: map[string]string{"assets/a.png": "aa"}})
	done, err := k.Restore(t.Context(), "card", 1, "ada")
	if err != nil || done.Step.Kind != draft.Restores {
		t.Fatalf("restored by %+v, %v", done.Step, err)
	}
	mustStand(t, k, 3, card)
	if len(done.Draft.Assets) != 0 || done.Draft.Base != 2 {
		t.Errorf("the restored draft is %+v", done.Draft)
	}
	if again, err := k.Restore(t.Context(), "card", 1, "ada"); err != nil || again.Draft.Revision != 3 {
		t.Errorf("restored again: revision %d, %v", again.Draft.Revision, err)
	}
	if _, err := k.Undo(t.Context(), "card", "ada"); slug(err) != draft.NothingToUndo {
		t.Errorf("a restored document was taken back: %v", err)
	}
}

// A racing ledger has somebody else's step taken before each append, n times.
type racing struct {
	*drafttest.Ledger
	n int
}

func (r *racing) AppendDraft(ctx context.Context, name string, ifRevision int64, s draft.Step, source []byte, assets map[string]string) (draft.Draft, error) {
	if r.n--; r.n >= 0 {
		d, _ := r.Ledger.Draft(ctx, name)
		op := drafttest.SetText("note", strings.Repeat("x", r.n+1))
		made, _ := drafttest.Apply(d.Source, []json.RawMessage{op})
		step := draft.Step{Kind: draft.Edits, Ops: []json.RawMessage{op}, Inverse: made.Inverse, Touched: made.Touched}
		if _, err := r.Ledger.AppendDraft(ctx, name, d.Revision, step, made.Source, nil); err != nil {
			return d, err
		}
	}
	return r.Ledger.AppendDraft(ctx, name, ifRevision, s, source, assets)
}

func TestEditThatLosesARaceIsRebased(t *testing.T) {
	k, l := newDesk()
	k.Ledger = &racing{l, 3}
	done := mustEdit(t, k, edit(1, "ada", "title=Hi"))
	if len(done.Between) != 3 {
		t.Errorf("rebased over %d steps, want 3", len(done.Between))
	}
	mustStand(t, k, 5, `<h1 id="title">Hi</h1><p id="price">5</p><p id="note">x</p>`)
}

// Property: taking back all steps, by whoever took them, gives the bytes of the version.
func TestEveryStepCanBeTakenBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, _ := newDesk()
		taken := map[string]int{}
		for range rapid.IntRange(0, 12).Draw(rt, "steps") {
			d, _ := k.Ledger.Draft(t.Context(), "card")
			author := rapid.SampledFrom([]string{"ada", "bob"}).Draw(rt, "author")
			// Each has his own elements, so that nobody is in the other's way.
			id := map[string][]string{"ada": {"title", "note"}, "bob": {"price", "price"}}[author][rapid.IntRange(0, 1).Draw(rt, "element")]
			e := edit(d.Revision-int64(rapid.IntRange(0, 1).Draw(rt, "lag")), author, id+"="+rapid.StringMatching(`[a-z]{0,4}`).Draw(rt, "text"))
			if e.Revision < 1 {
				e.Revision = 1
			}
			if _, err := k.Edit(t.Context(), e); err == nil {
				taken[author]++
			} else if slug(err) != draft.EditConflict {
				rt.Fatal(err)
			}
		}
		for author, n := range taken {
			for range n {
				if _, err := k.Undo(t.Context(), "card", author); err != nil {
					rt.Fatal(err)
				}
			}
		}
		if d, _ := k.Ledger.Draft(t.Context(), "card"); string(d.Source) != card {
			rt.Fatalf("what is left is %s", d.Source)
		}
	})
}

func TestDryRunSaysWhatAnEditWouldDoAndTakesNoStep(t *testing.T) {
	k, l := newDesk()
	mustEdit(t, k, edit(1, "Ada", "title=Hi"))
	before, err := l.Draft(t.Context(), "card")
	if err != nil {
		t.Fatal(err)
	}
	e := edit(1, "Bob", "price=6")
	e.DryRun = true
	done := mustEdit(t, k, e)
	if !done.Rebased || done.Draft.Revision != before.Revision || !strings.Contains(string(done.Draft.Source), ">Hi<") || !strings.Contains(string(done.Draft.Source), ">6<") {
		t.Errorf("it would be revision %d, rebased %v: %s", done.Draft.Revision, done.Rebased, done.Draft.Source)
	}
	for _, wrong := range []draft.Edit{edit(2, "Bob", "price=BROKEN"), edit(2, "Bob", "nothing=x"), edit(1, "Bob", "title=Ho")} {
		wrong.DryRun = true
		if _, err := k.Edit(t.Context(), wrong); err == nil {
			t.Errorf("%s would go well", wrong.Ops)
		}
	}
	after, err := l.Draft(t.Context(), "card")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}
