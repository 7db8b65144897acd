package draft

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Conflict is one thing that two people changed.
type Conflict struct {
	Touched string // a node's id, "size:story", "token:accent", …; Everything
	Yours   json.RawMessage
	Theirs  json.RawMessage // nil when the whole document was replaced
	By      Step            // theirs
}

// A ConflictError says what somebody else changed meanwhile. It is a problem
// Conflict with the slug EditConflict.
type ConflictError struct{ Conflicts []Conflict }

func (e *ConflictError) Error() string { return e.Unwrap().Error() }

// Unwrap is the problem.
func (e *ConflictError) Unwrap() error {
	first := e.Conflicts[0]
	who := first.By.Author
	if who == "" {
		who = "somebody else"
	}
	what := fmt.Sprintf("changed %q", first.Touched)
	if first.Touched == Everything {
		what = "replaced the whole document"
	}
	return problem.New(problem.Conflict, "%s %s meanwhile, in revision %d", who, what, first.By.Revision).
		WithSlug(EditConflict).WithHint("read the draft again, and decide which of both it shall be")
}

func isProblem(err error, slug string) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Slug == slug
}

// meets is a *ConflictError when ops touch what the steps between did. They are
// tried on the document that they were meant for.
func (k *Desk) meets(d Draft, between []Step, ops []json.RawMessage) error {
	if i := slices.IndexFunc(between, replaces); i >= 0 {
		return &ConflictError{[]Conflict{{Touched: Everything, Yours: first(ops), By: between[i]}}}
	}
	before := d.Source
	for _, s := range slices.Backward(between) {
		if len(s.Inverse) == 0 {
			continue
		}
		r, _, err := k.run(before, nil, s.Inverse)
		if err != nil {
			return fmt.Errorf("go back before revision %d of the draft of %q: %w", s.Revision, d.Name, problem.New(problem.Internal, "%w", err))
		}
		before = r.Source
	}
	yours, _, err := k.run(before, nil, ops)
	if err != nil {
		return err
	}
	var met []Conflict
	src := before
	for _, s := range between {
		for _, name := range k.ConflictsFunc(yours.Touched, s.Touched) {
			met = append(met, Conflict{Touched: name, Yours: k.toucher(before, ops, name), Theirs: k.toucher(src, s.Ops, name), By: s})
		}
		if len(s.Ops) == 0 {
			continue
		}
		r, _, err := k.run(src, nil, s.Ops)
		if err != nil {
			return fmt.Errorf("go over revision %d of the draft of %q: %w", s.Revision, d.Name, problem.New(problem.Internal, "%w", err))
		}
		src = r.Source
	}
	if len(met) > 0 {
		return &ConflictError{met}
	}
	return nil
}

func replaces(s Step) bool { return slices.Contains(s.Touched, Everything) }

// toucher is the last of ops that touches name or what it lies in: its value is
// the one that stands.
func (k *Desk) toucher(src []byte, ops []json.RawMessage, name string) json.RawMessage {
	found := first(ops)
	for _, op := range ops {
		r, _, err := k.run(src, nil, []json.RawMessage{op})
		if err != nil {
			return found // it stands only together with the others
		}
		if len(k.ConflictsFunc([]string{name}, r.Touched)) > 0 {
			found = op
		}
		src = r.Source
	}
	return found
}

func first(ops []json.RawMessage) json.RawMessage {
	if len(ops) == 0 {
		return nil
	}
	return ops[0]
}
