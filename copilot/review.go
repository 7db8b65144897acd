package copilot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// word has one person's word on a run taken at a time, when the copilot has ended
// its work on it.
func (c *Copilot) word(ctx context.Context, id string, do func(r *Run) ([]Event, error)) (Run, error) {
	c.review.Lock()
	defer c.review.Unlock()
	r, err := c.o.Ledger.Run(ctx, id)
	if err != nil {
		return r, err
	}
	if r.Open() {
		return r, problem.New(problem.Conflict, "the copilot is still at work on the run %s", id).WithSlug(NotEnded).WithHint("cancel it, or wait for its end")
	}
	// What was picked as a process died is in the draft, and not in the run.
	known := len(r.Steps)
	if err := c.adopt(ctx, &r); err != nil {
		return r, fmt.Errorf("look at the draft of the run %s: %w", id, err)
	}
	events, failed := do(&r)
	if len(r.Steps) > known && len(events) == 0 {
		events = []Event{event(EventRun, r)}
	}
	if len(events) > 0 { // also of a part
		if err := c.o.Ledger.SaveRun(context.WithoutCancel(ctx), r, events...); err != nil {
			return r, errors.Join(failed, fmt.Errorf("keep the run %s: %w", id, err))
		}
	}
	return r, failed
}

func (r *Run) step(number int) (*Step, error) {
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Number == number })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "the run %s has no step %d: it took %d", r.ID, number, len(r.Steps)).WithSlug(NoStep).At("step")
	}
	return &r.Steps[i], nil
}

// Accept accepts all steps that wait for it, and with them the run.
func (c *Copilot) Accept(ctx context.Context, id string) (Run, error) {
	return c.word(ctx, id, func(r *Run) ([]Event, error) {
		var events []Event
		for i := range r.Steps {
			if r.Steps[i].State == Pending {
				r.Steps[i].State = Kept
				events = append(events, event(EventStep, r.Steps[i]))
			}
		}
		return append(events, r.settle(Accepted)...), nil
	})
}

// settle gives a run that is reviewed its last state.
func (r *Run) settle(status string) []Event {
	if r.Status == status {
		return nil
	}
	r.Status = status
	return []Event{event(EventRun, *r)}
}

// AcceptStep accepts one step.
func (c *Copilot) AcceptStep(ctx context.Context, id string, number int) (Run, error) {
	return c.word(ctx, id, func(r *Run) ([]Event, error) {
		s, err := r.step(number)
		if err != nil {
			return nil, err
		}
		switch s.State {
		case Kept:
			return nil, nil
		case Rejected:
			return nil, problem.New(problem.Conflict, "step %d was taken back", number).WithSlug(NoStep).WithHint("start another run for it")
		}
		s.State = Kept
		return append([]Event{event(EventStep, *s)}, r.reviewed()...), nil
	})
}

// reviewed settles a run of which nothing waits any more.
func (r *Run) reviewed() []Event {
	kept := false
	for _, s := range r.Steps {
		if s.State == Pending {
			return nil
		}
		kept = kept || s.State == Kept
	}
	if kept {
		return r.settle(Accepted)
	}
	return r.settle(Discarded)
}

// RejectStep takes one step back, whether it was accepted or not. Where a later step
// stands on it, the error is a *draft.ConflictError.
func (c *Copilot) RejectStep(ctx context.Context, id string, number int) (Run, error) {
	return c.word(ctx, id, func(r *Run) ([]Event, error) {
		s, err := r.step(number)
		if err != nil || s.State == Rejected {
			return nil, err
		}
		events, err := c.takeBack(ctx, r, s)
		return append(events, r.reviewed()...), err
	})
}

// takeBack undoes a step in the draft.
func (c *Copilot) takeBack(ctx context.Context, r *Run, s *Step) ([]Event, error) {
	if _, err := c.o.Desk.UndoStep(ctx, r.Template, s.Revision, author(r.ID)); err != nil && !undone(err) {
		return nil, fmt.Errorf("take back step %d: %w", s.Number, err)
	}
	c.o.CrashFunc("copilot.undone")
	s.State = Rejected
	for i := range r.Candidates {
		if r.Candidates[i].Picked == s.Number {
			r.Candidates[i].Picked = 0
		}
	}
	return []Event{event(EventStep, *s)}, nil
}

// undone reports whether a step was taken back already: by this person before the
// process ended, or by another one in the editor.
func undone(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Slug == draft.AlreadyUndone
}

// Discard takes all steps back that stand, the last one first.
func (c *Copilot) Discard(ctx context.Context, id string) (Run, error) {
	return c.word(ctx, id, func(r *Run) ([]Event, error) {
		var events []Event
		for i := len(r.Steps) - 1; i >= 0; i-- {
			if r.Steps[i].State == Rejected {
				continue
			}
			more, err := c.takeBack(ctx, r, &r.Steps[i])
			events = append(events, more...)
			if err != nil {
				return events, err
			}
		}
		return append(events, r.settle(Discarded)...), nil
	})
}

// Pick makes a candidate a step, in place of the one that was picked before.
func (c *Copilot) Pick(ctx context.Context, id, name string) (Run, error) {
	return c.word(ctx, id, func(r *Run) ([]Event, error) {
		i := slices.IndexFunc(r.Candidates, func(x Candidate) bool { return x.Name == name })
		if i < 0 {
			return nil, problem.New(problem.NotFound, "the run %s has no candidate %q", id, bounded(name, 80)).WithSlug(NoStep).At("name")
		}
		if r.Candidates[i].Picked != 0 {
			return nil, nil
		}
		var events []Event
		for _, other := range r.Candidates {
			if other.Picked == 0 {
				continue
			}
			s, err := r.step(other.Picked)
			if err != nil {
				return events, err
			}
			more, err := c.takeBack(ctx, r, s)
			if events = append(events, more...); err != nil {
				return events, err
			}
		}
		more, err := c.pick(ctx, r, &r.Candidates[i])
		return append(events, more...), err
	})
}

func (c *Copilot) pick(ctx context.Context, r *Run, picked *Candidate) ([]Event, error) {
	d, err := c.o.Desk.Draft(ctx, r.Template)
	if err != nil {
		return nil, err
	}
	done, err := c.o.Desk.Edit(ctx, draft.Edit{Name: r.Template, Revision: d.Revision, Ops: picked.Ops, Author: author(r.ID)})
	if err != nil {
		return nil, fmt.Errorf("take the candidate %q: %w", picked.Name, err)
	}
	c.o.CrashFunc("copilot.picked")
	s := Step{
		Number: len(r.Steps) + 1, Title: picked.Title, State: Kept, Revision: done.Draft.Revision, Ops: slices.Clone(picked.Ops), Notes: []string{},
		Changed: list(done.Step.Touched), Diff: bounded(draft.Unified("before", "after", string(done.Before.Source), string(done.Draft.Source)), 64<<10),
		Size: r.Size, Theme: r.Theme, After: picked.Picture, Findings: []Finding{}, At: time.Now().UTC(),
	}
	picked.Picked = s.Number
	r.Steps = append(r.Steps, s)
	events := []Event{event(EventStep, s), event(EventCandidates, map[string]any{"candidates": r.Candidates})}
	if settled := r.reviewed(); len(settled) > 0 {
		return append(events, settled...), nil
	}
	return append(events, event(EventRun, *r)), nil
}
