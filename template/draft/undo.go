package draft

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Undo takes back the last step of author that still stands, by a new step: his
// next undo takes back the one before. What others changed since stays; when they
// changed the same, the error is a *ConflictError.
func (k *Desk) Undo(ctx context.Context, name, author string) (Done, error) {
	var done Done
	err := k.again(func() error {
		d, err := k.Ledger.Draft(ctx, name)
		if err != nil {
			return err
		}
		steps, err := k.Ledger.DraftSteps(ctx, name, 0)
		if err != nil {
			return err
		}
		last, since := standing(steps, author)
		if last == nil {
			return problem.New(problem.Conflict, "there is no step of %q to take back in the draft of %q", author, name).WithSlug(NothingToUndo)
		}
		done = Done{Step: Step{Kind: Undoes, Ops: last.Inverse, Undoes: last.Revision, Author: author}}
		if met := k.overlap(*last, since); len(met) > 0 {
			return &ConflictError{met}
		}
		return k.apply(ctx, d, &done)
	})
	return done, err
}

// standing is the last edit of author that was not taken back, and the steps
// since that stand. It is nil when a step that replaced the document came after.
func standing(steps []Step, author string) (last *Step, since []Step) {
	gone := map[int64]bool{}
	for _, s := range steps {
		if s.Kind == Undoes {
			gone[s.Undoes], gone[s.Revision] = true, true
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		switch {
		case replaces(s):
			return nil, nil
		case gone[s.Revision] || s.Kind != Edits:
			continue
		case s.Author == author:
			return &steps[i], since
		}
		since = append(since, s)
	}
	return nil, nil
}

// overlap is what the steps since touched of what last did, the newest first.
func (k *Desk) overlap(last Step, since []Step) (met []Conflict) {
	for _, s := range since {
		for _, name := range k.ConflictsFunc(last.Touched, s.Touched) {
			if slices.ContainsFunc(met, func(c Conflict) bool { return c.Touched == name }) {
				continue
			}
			met = append(met, Conflict{Touched: name, Yours: first(last.Inverse), Theirs: first(s.Ops), By: s})
		}
	}
	return met
}
