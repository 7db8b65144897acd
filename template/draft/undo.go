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

// UndoStep takes back the one step that led to a revision, by a new step of author.
// What came since stays; where it changed the same, the error is a *ConflictError.
// A step that was taken back already is a problem Conflict with the slug
// AlreadyUndone, one whose document was replaced since with StepReplaced, and one
// that is not known, or no edit, a problem NotFound with NoSuchStep.
func (k *Desk) UndoStep(ctx context.Context, name string, revision int64, author string) (Done, error) {
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
		step, since, err := stepAt(steps, name, revision)
		if err != nil {
			return err
		}
		done = Done{Step: Step{Kind: Undoes, Ops: step.Inverse, Undoes: revision, Author: author}}
		if met := k.overlap(step, since); len(met) > 0 {
			return &ConflictError{met}
		}
		return k.apply(ctx, d, &done)
	})
	return done, err
}

// stepAt is the edit that led to a revision and still stands, and the steps since
// that stand, the newest first.
func stepAt(steps []Step, name string, revision int64) (step Step, since []Step, err error) {
	at := slices.IndexFunc(steps, func(s Step) bool { return s.Revision == revision && s.Kind == Edits })
	if at < 0 {
		return step, nil, problem.New(problem.NotFound, "no edit led to revision %d of the draft of %q, or it is not known any more", revision, name).
			WithSlug(NoSuchStep).WithHint("read the steps of the draft")
	}
	gone := map[int64]bool{}
	for _, s := range steps[at+1:] {
		if replaces(s) {
			return step, nil, problem.New(problem.Conflict, "the whole document %q was replaced in revision %d, after the step of revision %d", name, s.Revision, revision).
				WithSlug(StepReplaced).WithHint("nothing of the step is left to take back")
		}
		if s.Kind == Undoes {
			gone[s.Undoes], gone[s.Revision] = true, true
		}
	}
	if gone[revision] {
		return step, nil, problem.New(problem.Conflict, "the step of revision %d of the draft of %q was taken back already", revision, name).WithSlug(AlreadyUndone)
	}
	for _, s := range slices.Backward(steps[at+1:]) {
		if s.Kind == Edits && !gone[s.Revision] {
			since = append(since, s)
		}
	}
	return steps[at], since, nil
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
