package copilot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func (f *flight) setPlan(ctx context.Context, a struct{ Items []string }) (any, error) {
	if len(f.hand.ops) > 0 {
		return nil, problem.New(problem.Conflict, "there are edits that are no step yet").WithHint("call finish_step first")
	}
	var plan []Item
	for _, item := range f.run.Plan { // what was done stays
		if item.State == Done {
			plan = append(plan, item)
		}
	}
	for i, text := range a.Items {
		if text = strings.Join(strings.Fields(text), " "); text == "" {
			return nil, problem.New(problem.Invalid, "a line of the plan is empty").At(fmt.Sprintf("items[%d]", i))
		}
		plan = append(plan, Item{Text: text, State: Todo})
	}
	f.mu.Lock()
	f.run.Plan = plan
	f.mu.Unlock()
	f.mark(Done, 0) // begins the first
	events := []Event{event(EventPlan, map[string]any{"items": f.run.Plan}), f.stepStart()}
	return done{OK: true, Say: "do: " + f.currentItem()}, f.save(ctx, events...)
}

func (f *flight) stepStart() Event {
	return event(EventStepStart, map[string]any{"step": len(f.run.Steps) + 1, "title": f.currentItem()})
}

func (f *flight) endStep(ctx context.Context, a struct{ Title string }) (any, error) {
	end, err := f.finishStep(ctx, a.Title)
	if err != nil {
		return nil, err
	}
	if end.Taken && f.more() {
		return end, f.save(ctx, f.stepStart())
	}
	return end, nil
}

// more reports whether the plan has more.
func (f *flight) more() bool {
	for _, item := range f.run.Plan {
		if item.State == Doing || item.State == Todo {
			return true
		}
	}
	return false
}

func (f *flight) finish(ctx context.Context, a struct{ Summary string }) (any, error) {
	if len(f.hand.ops) > 0 || f.hand.options > 0 {
		end, err := f.finishStep(ctx, "")
		if err != nil || !end.Taken {
			return end, err
		}
	}
	f.mu.Lock()
	f.run.Summary = bounded(strings.TrimSpace(a.Summary), 1000)
	f.mu.Unlock()
	f.finished = true
	return done{OK: true}, nil
}

// askUser waits for a person. The run's clock stands meanwhile.
func (f *flight) askUser(ctx context.Context, a struct {
	Question string
	Choices  []string
},
) (any, error) {
	f.mu.Lock()
	q := &Question{ID: fmt.Sprintf("q%d", f.run.Spent.Calls), Text: a.Question, Choices: list(a.Choices)}
	f.run.Question, f.run.Status = q, Waiting
	f.mu.Unlock()
	if err := f.save(ctx, event(EventAsk, q), event(EventRun, f.run)); err != nil {
		return nil, err
	}
	f.pause()
	patience := time.AfterFunc(answerWait, func() { f.cancel(errNoAnswer) })
	defer patience.Stop()
	var answer string
	select {
	case answer = <-f.answers:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.start(f.left)
	f.mu.Lock()
	f.run.Question, f.run.Status = nil, Running
	f.mu.Unlock()
	return map[string]any{"answer": answer}, f.save(ctx, event(EventRun, f.run))
}
