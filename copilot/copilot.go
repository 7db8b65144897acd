package copilot

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// Options are what a Copilot works with.
type Options struct {
	Ledger Ledger
	Desk   Desk
	Camera look.Camera
	Models []model.Provider // by their Info().Name; the first is the default
	Budget Budget

	// RowsFunc is rows to try a template with: the hardest are chosen from them.
	RowsFunc func(ctx context.Context, template, from string) ([]map[string]any, error)
	// FontsFunc are the families that the machine has.
	FontsFunc func(ctx context.Context) ([]string, error)
	// CrashFunc is called between durable steps; nil: nothing is.
	CrashFunc func(point string)

	Log *slog.Logger
}

// A Copilot works on runs. Safe for use by several goroutines.
type Copilot struct {
	o    Options
	base context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	flights map[string]*flight // runs that are open in this process
	review  sync.Mutex         // one person's word at a time

	working sync.WaitGroup
}

// New is a Copilot. Close ends it.
func New(o Options) *Copilot {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CrashFunc == nil {
		o.CrashFunc = func(string) {}
	}
	c := &Copilot{o: o, flights: map[string]*flight{}}
	c.base, c.stop = context.WithCancel(context.Background())
	return c
}

var errClosing = problem.New(problem.Overloaded, "pictifyd is ending").WithHint("ask again when it runs")

// Close ends the runs that are open, as cancelled with the reason, and waits for
// them.
func (c *Copilot) Close(ctx context.Context) error {
	c.stop()
	done := make(chan struct{})
	go func() {
		c.working.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Models says which models there are, the default one first.
func (c *Copilot) Models() []model.Info {
	infos := make([]model.Info, len(c.o.Models))
	for i, m := range c.o.Models {
		infos[i] = m.Info()
	}
	return infos
}

// Budget is what runs may use up which ask for nothing.
func (c *Copilot) Budget() Budget { return c.o.Budget }

func (c *Copilot) model(name string) (model.Provider, error) {
	if len(c.o.Models) == 0 {
		return nil, problem.New(problem.NotFound, "no model is configured").WithSlug(NoModel).At("model").WithHint("see copilot.models in pictifyd.yaml")
	}
	if name == "" {
		return c.o.Models[0], nil
	}
	names := make([]string, len(c.o.Models))
	for i, m := range c.o.Models {
		if names[i] = m.Info().Name; names[i] == name {
			return m, nil
		}
	}
	return nil, problem.New(problem.NotFound, "there is no model %q", name).WithSlug(NoModel).At("model").WithHint("there are: %s", strings.Join(names, ", "))
}

// Start begins a run, and returns at once.
func (c *Copilot) Start(ctx context.Context, o Order) (Run, error) {
	if err := o.validate(); err != nil {
		return Run{}, err
	}
	provider, err := c.model(o.Model)
	if err != nil {
		return Run{}, err
	}
	d, err := c.o.Desk.Draft(ctx, o.Template)
	if err != nil {
		return Run{}, err
	}
	r := Run{
		ID: "run_" + strings.ToLower(rand.Text()), Template: o.Template, Message: strings.TrimSpace(o.Message), Author: o.Author,
		Model: provider.Info().Name, Prompt: promptHash, Size: o.Size, Theme: o.Theme, Layers: list(o.Layers), Status: Running,
		Plan: []Item{}, Steps: []Step{}, Candidates: []Candidate{}, Variants: []Variant{}, Findings: []Finding{},
		Base: d.Base, Revision: d.Revision, Budget: o.Budget.within(c.o.Budget), CreatedAt: time.Now().UTC(),
	}
	f := &flight{copilot: c, provider: provider, run: r, from: o.From, answers: make(chan string, 1), doc: docOf(d), at: d.Revision}
	if err := f.look(); err != nil { // of the order: a size that there is none of
		return Run{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base.Err() != nil {
		return Run{}, errClosing
	}
	if err := c.o.Ledger.AddRun(ctx, r); err != nil {
		return Run{}, err
	}
	working, cancel := context.WithCancelCause(c.base)
	f.cancel = cancel
	c.flights[r.ID] = f
	c.working.Go(func() {
		f.work(working)
		cancel(nil)
		c.mu.Lock()
		delete(c.flights, r.ID)
		c.mu.Unlock()
	})
	return r, nil
}

func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return slices.Clone(all)
}

var errCancelled = errors.New("cancelled")

// Cancel ends an open run. What it took as steps stays to be reviewed.
func (c *Copilot) Cancel(ctx context.Context, id string) (Run, error) {
	f := c.flight(id)
	if f == nil {
		return c.ended(ctx, id)
	}
	f.cancel(errCancelled)
	select {
	case <-f.landed():
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
	return c.o.Ledger.Run(ctx, id)
}

// Answer answers the question of a run that waits.
func (c *Copilot) Answer(ctx context.Context, id, question, answer string) (Run, error) {
	f := c.flight(id)
	if f == nil {
		return c.ended(ctx, id)
	}
	if answer = strings.TrimSpace(answer); answer == "" || len(answer) > maxMessage {
		return Run{}, problem.New(problem.Invalid, "an answer has 1 to %d bytes", maxMessage).At("answer")
	}
	if err := f.answer(question, answer); err != nil {
		return Run{}, err
	}
	return c.o.Ledger.Run(ctx, id)
}

func (c *Copilot) flight(id string) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flights[id]
}

// ended is the problem of a run that is not open here.
func (c *Copilot) ended(ctx context.Context, id string) (Run, error) {
	r, err := c.o.Ledger.Run(ctx, id)
	if err != nil {
		return r, err
	}
	return r, problem.New(problem.Conflict, "the run %s has ended (%s)", id, r.Status).WithSlug(NotOpen).WithHint("start another one")
}

// Recover ends the runs that a process left which is not there any more, with the
// steps that they took.
func (c *Copilot) Recover(ctx context.Context) error {
	left, err := c.o.Ledger.OpenRuns(ctx)
	if err != nil {
		return fmt.Errorf("look for runs that were left: %w", err)
	}
	for _, r := range left {
		if err := c.adopt(ctx, &r); err != nil {
			return fmt.Errorf("look at the draft of the run %s: %w", r.ID, err)
		}
		r.Question = nil
		p := problem.New(problem.Overloaded, "pictifyd ended in the middle of it").WithSlug(Interrupted).
			WithHint("look at the steps that it took, and start another run")
		if err := c.o.Ledger.SaveRun(ctx, r, r.end(Failed, "", p)...); err != nil {
			return fmt.Errorf("end the run %s: %w", r.ID, err)
		}
	}
	return nil
}

// adopt adds the steps that the draft has of a run, and that were not noted before
// the process ended.
func (c *Copilot) adopt(ctx context.Context, r *Run) error {
	steps, err := c.o.Desk.DraftSteps(ctx, r.Template, r.Revision)
	if problem.CodeOf(err) == problem.NotFound && err != nil { // the template is gone
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range steps {
		known := slices.ContainsFunc(r.Steps, func(k Step) bool { return k.Revision == s.Revision })
		if s.Author != author(r.ID) || s.Kind != draft.Edits || known {
			continue
		}
		taken := Step{Number: len(r.Steps) + 1, Title: "A step that was taken as pictifyd ended", State: Pending, Revision: s.Revision, Ops: s.Ops,
			Notes: []string{}, Changed: []string{}, Findings: []Finding{}, At: s.At}
		for _, item := range r.Plan {
			if item.State == Doing {
				taken.Title = item.Text
			}
		}
		for i := range r.Candidates {
			if c := &r.Candidates[i]; c.Picked == 0 && sameOps(c.Ops, s.Ops) {
				taken.Title, taken.After, taken.State, c.Picked = c.Title, c.Picture, Kept, taken.Number
			}
		}
		r.Steps = append(r.Steps, taken)
	}
	return nil
}

// sameOps reports whether two lists of operations say the same, however a database
// wrote them.
func sameOps(a, b []json.RawMessage) bool {
	return slices.EqualFunc(a, b, func(x, y json.RawMessage) bool {
		var one, two any
		return json.Unmarshal(x, &one) == nil && json.Unmarshal(y, &two) == nil && reflect.DeepEqual(one, two)
	})
}

// end is the events of a run's end, which it notes.
func (r *Run) end(status, summary string, why *problem.Error) []Event {
	now := time.Now().UTC()
	r.Status, r.EndedAt = status, &now
	if summary != "" {
		r.Summary = summary
	}
	if why != nil {
		r.Problem = &Problem{Code: why.Kind(), Message: why.Message, Hint: why.Hint}
	}
	for i := range r.Plan {
		if r.Plan[i].State == Doing || r.Plan[i].State == Todo {
			r.Plan[i].State = Skipped
		}
	}
	return []Event{
		event(EventPlan, map[string]any{"items": r.Plan}),
		event(EventUsage, r.Spent),
		event(EventEnd, struct {
			Status  string   `json:"status"`
			Summary string   `json:"summary,omitempty"`
			Problem *Problem `json:"problem,omitempty"`
		}{r.Status, r.Summary, r.Problem}),
	}
}

func event(kind string, data any) Event {
	raw, err := json.Marshal(data)
	if err != nil { // of our own types, of strings, numbers and raw JSON that was read before
		raw, _ = json.Marshal(map[string]string{"error": err.Error()})
	}
	return Event{Kind: kind, Data: raw}
}
