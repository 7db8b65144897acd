package draft

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// tries is how often a step is begun anew because somebody else's came first.
const tries = 8

// A Desk is where drafts are worked on.
type Desk struct {
	Ledger Ledger

	// ApplyFunc applies operations, all of them or none. What is wrong with one is
	// a problem with its place ("ops[2].id").
	ApplyFunc func(src []byte, ops []json.RawMessage) (Result, error)
	// ConflictsFunc says which touched names of one list meet the other's.
	ConflictsFunc func(a, b []string) []string
	// CheckFunc says what keeps a document from being a version.
	CheckFunc func(name string, src []byte, assets map[string]string) error
	// HasFileFunc says why the bytes of a digest cannot be had; nil where they can.
	HasFileFunc func(ctx context.Context, digest string) error
	// DiffFunc says by which operations one document becomes another, to the byte.
	DiffFunc func(before, after []byte) ([]json.RawMessage, error)
}

// An Edit is what somebody wants done to a draft that he saw at a revision.
type Edit struct {
	Name     string
	Revision int64
	Ops      []json.RawMessage
	Author   string
	DryRun   bool // take no step, only say what would come of it
}

// A Done is a step that was taken.
type Done struct {
	Draft   Draft
	Before  Draft // as it was when the step was taken
	Step    Step
	Rebased bool   // the draft had moved on
	Between []Step // by which it had
}

// Edit applies operations to a draft. Operations that were meant for an older
// revision are applied on the newest one when nothing that they touch was
// touched since; else the error is a *ConflictError. A draft that could not be a
// version is refused with its problems. After an error nothing has changed.
func (k *Desk) Edit(ctx context.Context, e Edit) (Done, error) {
	var done Done
	err := k.again(func() error {
		d, err := k.Ledger.Draft(ctx, e.Name)
		if err != nil {
			return err
		}
		done = Done{}
		if d.Revision != e.Revision {
			if done.Between, err = k.between(ctx, d, e.Revision); err != nil {
				return err
			}
			done.Rebased = true
			if err := k.meets(d, done.Between, e.Ops); err != nil {
				return err
			}
		}
		done.Step = Step{Kind: Edits, Ops: e.Ops, Author: e.Author}
		if e.DryRun {
			return k.would(ctx, d, &done)
		}
		return k.apply(ctx, d, &done)
	})
	return done, err
}

// Rewrite makes the draft another document, by the operations that this amounts
// to. It is for whoever saw the draft as it stands: another revision is a problem
// Conflict with the slug StaleRevision, because a text can't be put on another.
func (k *Desk) Rewrite(ctx context.Context, name string, revision int64, source []byte, author string) (Done, error) {
	d, err := k.Ledger.Draft(ctx, name)
	if err != nil {
		return Done{}, err
	}
	if d.Revision != revision {
		return Done{}, problem.New(problem.Conflict, "the draft of %q has revision %d, not %d", name, d.Revision, revision).
			WithSlug(StaleRevision).WithHint("read the draft again, and make the change there")
	}
	if err := k.CheckFunc(name, source, d.Assets); err != nil { // first, as the places are in that text
		return Done{}, err
	}
	done := Done{Draft: d, Before: d, Step: Step{Kind: Edits, Author: author, Revision: d.Revision, At: d.UpdatedAt}}
	if string(source) == string(d.Source) {
		return done, nil
	}
	if done.Step.Ops, err = k.DiffFunc(d.Source, source); err != nil {
		return Done{}, err
	}
	err = k.apply(ctx, d, &done)
	return done, err
}

// again does what may find that somebody else came first.
func (k *Desk) again(do func() error) error {
	var err error
	for range tries {
		if err = do(); !isProblem(err, StaleRevision) {
			return err
		}
	}
	return err
}

// apply takes the step of done on d.
func (k *Desk) apply(ctx context.Context, d Draft, done *Done) error {
	source, files, err := k.try(ctx, d, done)
	if err != nil {
		return err
	}
	return k.append(ctx, d, done, source, files)
}

// would says what d would be after the step of done. Its revision stays what it is.
func (k *Desk) would(ctx context.Context, d Draft, done *Done) error {
	source, files, err := k.try(ctx, d, done)
	if err != nil {
		return err
	}
	done.Before, done.Draft = d, d
	done.Draft.Source, done.Draft.Assets, done.Draft.Open = source, files, true
	done.Step.Revision, done.Step.At = d.Revision, d.UpdatedAt
	return nil
}

// try is what d becomes by the step of done, of which it says what it touches.
func (k *Desk) try(ctx context.Context, d Draft, done *Done) (source []byte, files map[string]string, err error) {
	made, files, err := k.run(d.Source, d.Assets, done.Step.Ops)
	if err != nil {
		return nil, nil, err
	}
	for _, digest := range newFiles(d.Assets, files) {
		if err := k.HasFileFunc(ctx, digest); err != nil {
			return nil, nil, problem.New(problem.Invalid, "the bytes of the file %s are not here any more: %w", digest[:12], err).
				WithSlug(FileGone).WithHint("upload the file again")
		}
	}
	if err := k.CheckFunc(d.Name, made.Source, files); err != nil {
		return nil, nil, err
	}
	done.Step.Inverse, done.Step.Touched = made.Inverse, made.Touched
	return made.Source, files, nil
}

func (k *Desk) append(ctx context.Context, d Draft, done *Done, source []byte, assets map[string]string) error {
	done.Before = d
	var err error
	if done.Draft, err = k.Ledger.AppendDraft(ctx, d.Name, d.Revision, done.Step, source, assets); err != nil {
		return err
	}
	done.Step.Revision, done.Step.At = done.Draft.Revision, done.Draft.UpdatedAt
	return nil
}

// Restore makes the draft what a version was. A draft that is that already is
// left as it is.
func (k *Desk) Restore(ctx context.Context, name string, number int64, author string) (Done, error) {
	v, err := k.Ledger.Template(ctx, name, number)
	if err != nil {
		return Done{}, err
	}
	if err := k.CheckFunc(name, v.Source, v.Assets); err != nil {
		return Done{}, err // what was good enough for an older pictifyd
	}
	var done Done
	err = k.again(func() error {
		d, err := k.Ledger.Draft(ctx, name)
		if err != nil {
			return err
		}
		if string(d.Source) == string(v.Source) && maps.Equal(d.Assets, v.Assets) {
			done = Done{Draft: d}
			return nil
		}
		done = Done{Step: Step{Kind: Restores, Touched: []string{Everything}, Author: author}}
		return k.append(ctx, d, &done, v.Source, v.Assets)
	})
	return done, err
}

// between are the steps from revision to d's.
func (k *Desk) between(ctx context.Context, d Draft, revision int64) ([]Step, error) {
	if revision > d.Revision {
		return nil, problem.New(problem.Conflict, "the draft of %q has revision %d, there is no %d", d.Name, d.Revision, revision).
			WithSlug(RevisionGone).WithHint("read the draft again")
	}
	steps, err := k.Ledger.DraftSteps(ctx, d.Name, revision)
	if err != nil {
		return nil, err
	}
	for len(steps) > 0 && steps[len(steps)-1].Revision > d.Revision { // taken since d was read
		steps = steps[:len(steps)-1]
	}
	if int64(len(steps)) != d.Revision-revision {
		return nil, problem.New(problem.Conflict, "revision %d of the draft of %q is too old to go on from; it has %d now", revision, d.Name, d.Revision).
			WithSlug(RevisionGone).WithHint("read the draft again, and make the change there")
	}
	return steps, nil
}
