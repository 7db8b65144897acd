package copilot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

const (
	hardRows   = 6                // that each step is tried with
	answerWait = 30 * time.Minute // for a person
	nudges     = 2                // replies without a call, before the run ends
	repeats    = 2                // of the same refused call
	saveLimit  = 10 * time.Second // for what must be kept when a run was cut off

	endWait, mostEndWait = time.Second, time.Minute // between two tries to keep its end
)

// A flight is a run at work. Its goroutine alone changes it.
type flight struct {
	copilot  *Copilot
	provider model.Provider
	from     string // where the rows come from
	cancel   context.CancelCauseFunc
	answers  chan string
	done     chan struct{}

	mu  sync.Mutex // of run, which others read
	run Run

	form  *template.Template // of doc
	rows  []check.Row
	first look.Doc // as it was before the run
	clean look.Doc // as the draft has it
	at    int64    // the draft's revision
	doc   look.Doc // with what is in hand
	hand  hand

	talk     []model.Message
	looks    []model.Image  // pictures for the model's next turn
	refused  map[string]int // calls that were, by what they were
	added    int            // layers
	finished bool
	clock    *time.Timer
	left     time.Duration // on the clock, while it stands
	since    time.Time
}

func docOf(d draft.Draft) look.Doc { return look.Doc{Name: d.Name, Source: d.Source, Assets: d.Assets} }

func (f *flight) landed() <-chan struct{} { return f.done }

// look reads the document in hand, and what the order says of it.
func (f *flight) look() error {
	f.done, f.refused = make(chan struct{}), map[string]int{}
	f.first, f.clean = f.doc, f.doc
	if err := f.parse(); err != nil {
		return err
	}
	if _, err := f.form.Page(template.View{Size: f.run.Size, Theme: f.run.Theme}); err != nil {
		return err
	}
	return nil
}

func (f *flight) parse() error {
	form, err := template.Parse(f.doc.Name, f.doc.Source, f.doc.Assets)
	if err != nil {
		return fmt.Errorf("template %q: %w", f.doc.Name, err)
	}
	f.form = form
	return nil
}

// work is the whole run.
func (f *flight) work(ctx context.Context) {
	defer close(f.done)
	f.start(time.Duration(f.run.Budget.Seconds) * time.Second)
	err := f.fly(ctx)
	f.pause()
	f.run.Spent.Seconds = f.spentTime().Seconds()
	status, why := Review, (*problem.Error)(nil)
	if err != nil {
		status, why = f.cause(ctx, err)
		f.drop()
	}
	f.end(f.run.end(status, "", why))
}

// fly has the model work until it has finished. A fault of ours in one run is none of
// the others'.
func (f *flight) fly(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = problem.New(problem.Internal, "the copilot broke down: %v\n%s", p, debug.Stack())
		}
	}()
	err = f.begin(ctx)
	for err == nil && !f.finished {
		err = f.turn(ctx)
	}
	return err
}

// end keeps the end of the run, and tries until it is kept: its template would have an
// open run for ever. When pictifyd ends, the next start does it.
func (f *flight) end(events []Event) {
	ctx := f.copilot.base
	for wait := endWait; ; wait = min(2*wait, mostEndWait) {
		err := f.save(ctx, events...)
		if code := problem.CodeOf(err); err == nil || code == problem.NotFound || code == problem.Conflict { // it is gone, or ended by somebody else
			return
		}
		f.copilot.o.Log.Error("the end of a copilot's run could not be kept", slog.String("run", f.run.ID), slog.Any("err", err))
		rest := time.NewTimer(wait)
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
			return
		}
	}
}

// cause is the state in which the run ends, and why.
func (f *flight) cause(ctx context.Context, err error) (string, *problem.Error) {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCancelled):
		return Cancelled, nil
	case errors.Is(cause, errNoTime):
		return Failed, overBudget("%d seconds", f.run.Budget.Seconds)
	case errors.Is(cause, errNoAnswer):
		return Cancelled, problem.New(problem.Timeout, "nobody answered for %s", answerWait).WithSlug("copilot_no_answer").WithHint("start another run")
	case ctx.Err() != nil:
		return Cancelled, problem.New(problem.Overloaded, "pictifyd ended in the middle of it").WithSlug(Interrupted).WithHint("start another run when it is there again")
	}
	p := *problem.All(err)[0]
	if p.Code == problem.Internal {
		f.copilot.o.Log.Error("a copilot's run failed", slog.String("run", f.run.ID), slog.Any("err", err))
		p.Message, p.Hint = "something went wrong in pictifyd itself", "see the log for the run "+f.run.ID
	}
	if p.Hint == "" {
		p.Hint = "look at the steps that it took, and start another run"
	}
	return Failed, &p
}

func overBudget(format string, args ...any) *problem.Error {
	return problem.New(problem.TooLarge, "the run used up its budget of "+format, args...).WithSlug(OutOfBudget).
		WithHint("look at the steps that it took; another run goes on from there, or give it more: copilot.budget in pictifyd.yaml")
}

var (
	errNoTime   = errors.New("no time is left")
	errNoAnswer = errors.New("no answer")
)

// start has the clock run; pause has it stand while a person is waited for.
func (f *flight) start(left time.Duration) {
	f.left, f.since = left, time.Now()
	if left > 0 {
		f.clock = time.AfterFunc(left, func() { f.cancel(errNoTime) })
	}
}

func (f *flight) pause() {
	if f.clock != nil {
		f.clock.Stop()
	}
	f.left -= time.Since(f.since)
}

func (f *flight) spentTime() time.Duration {
	return time.Duration(f.run.Budget.Seconds)*time.Second - f.left
}

// save keeps the run with what happened, also when ctx has ended.
func (f *flight) save(ctx context.Context, events ...Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	f.mu.Lock()
	r := f.run
	f.mu.Unlock()
	if err := f.copilot.o.Ledger.SaveRun(ctx, r, events...); err != nil {
		return fmt.Errorf("keep the run %s: %w", r.ID, err)
	}
	return nil
}

// begin gathers what the model is told first.
func (f *flight) begin(ctx context.Context) error {
	if err := f.save(ctx, event(EventRun, f.run)); err != nil {
		return err
	}
	var rows []map[string]any
	if f.copilot.o.RowsFunc != nil {
		var err error
		if rows, err = f.copilot.o.RowsFunc(ctx, f.run.Template, f.from); err != nil {
			return fmt.Errorf("rows to try template %q with: %w", f.run.Template, err)
		}
	}
	f.rows = check.Hardest(f.form, rows, hardRows)
	first, err := f.context()
	if err != nil {
		return err
	}
	f.talk = []model.Message{{Role: model.User, Text: first}}
	return nil
}

// turn is one reply of the model, and what it wants done.
func (f *flight) turn(ctx context.Context) error {
	b, spent := f.run.Budget, &f.run.Spent
	switch {
	case spent.Usage.In+spent.Usage.Out >= b.Tokens:
		return overBudget("%d tokens", b.Tokens)
	case spent.Turns >= 2*b.Calls:
		return overBudget("%d calls", b.Calls)
	}
	reply, err := f.provider.Complete(ctx, model.Request{System: system, Messages: f.talk, Tools: tools, MustCall: true}, nil)
	spent.Turns++
	spent.Usage = spent.Usage.Add(reply.Usage)
	spent.Cost = f.provider.Info().Price.Cost(spent.Usage)
	if err != nil {
		return fmt.Errorf("the model %q: %w", f.run.Model, err)
	}
	events := []Event{event(EventUsage, *spent)}
	if reply.Text != "" {
		events = append(events, event(EventText, map[string]string{"text": bounded(reply.Text, maxMessage)}))
	}
	if err := f.save(ctx, events...); err != nil {
		return err
	}
	if reply.Stop == model.Refused {
		return problem.New(problem.Unsupported, "the model does not want to do this: %s", bounded(reply.Text, 300)).WithSlug(Refusal).
			WithHint("say it in other words, or take another model")
	}
	f.talk = append(f.talk, model.Message{Role: model.Assistant, Text: reply.Text, Calls: reply.Calls})
	if len(reply.Calls) == 0 {
		return f.nudge(reply)
	}
	for _, call := range reply.Calls {
		if f.finished {
			break
		}
		result, err := f.do(ctx, call)
		if err != nil {
			return err
		}
		f.talk = append(f.talk, result)
	}
	if len(f.looks) > 0 && !f.provider.Info().Can.ImagesInToolResult {
		f.talk = append(f.talk, model.Message{Role: model.User, Text: "These are the pictures of render_preview, in their order.", Images: f.looks})
	}
	f.looks = nil
	return nil
}

// nudge tells a model that called nothing how to go on.
func (f *flight) nudge(reply model.Reply) error {
	f.refused[""]++
	if f.refused[""] > nudges {
		return problem.New(problem.Upstream, "the model %q says something, and does nothing: %s", f.run.Model, bounded(reply.Text, 300)).WithSlug(Stuck).
			WithHint("take a model that calls tools, or say in more words what should change")
	}
	f.talk = append(f.talk, model.Message{Role: model.User, Text: "Nothing was changed by that. Call a tool; call finish when there is nothing left to do."})
	return nil
}

// do has one call done, and says what the model is told of it.
func (f *flight) do(ctx context.Context, call model.Call) (model.Message, error) {
	if f.run.Spent.Calls >= f.run.Budget.Calls {
		return model.Message{}, overBudget("%d calls", f.run.Budget.Calls)
	}
	f.run.Spent.Calls++
	before := len(f.looks)
	result, err := f.call(ctx, call)
	if err != nil && (ctx.Err() != nil || ends(err)) {
		return model.Message{}, err
	}
	note := struct {
		Step      int             `json:"step"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Error     string          `json:"error,omitempty"`
	}{len(f.run.Steps) + 1, bounded(call.Name, 80), told(call.Arguments), ""}
	m := model.Message{Role: model.ToolRole, CallID: call.ID}
	if err != nil {
		m.Failed, m.Text = true, said(err)
		note.Error = m.Text
	} else {
		text, err := json.Marshal(result)
		if err != nil {
			return m, fmt.Errorf("the result of %s: %w", call.Name, err)
		}
		m.Text = string(text)
		if f.provider.Info().Can.ImagesInToolResult {
			m.Images = slices.Clone(f.looks[before:])
		}
	}
	if err := f.save(ctx, event(EventTool, note)); err != nil {
		return m, err
	}
	if m.Failed {
		return m, f.again(call)
	}
	return m, nil
}

// again ends a run whose model calls the same over and over, and is refused.
func (f *flight) again(call model.Call) error {
	key := call.Name + string(call.Arguments)
	f.refused[key]++
	if f.refused[key] > repeats {
		return problem.New(problem.Upstream, "the model %q calls %s with the same arguments again and again, which is refused", f.run.Model, bounded(call.Name, 80)).
			WithSlug(Stuck).WithHint("look at the steps that it took; say in more words what should change, or take another model")
	}
	return nil
}

// ends reports whether an error is not the model's to mend.
func ends(err error) bool {
	if p := problem.All(err)[0]; p.Slug == OutOfBudget {
		return true
	}
	switch problem.CodeOf(err) {
	case problem.Internal, problem.Surroundings, problem.Overloaded, problem.Timeout:
		return true
	}
	return false
}

// said is an error in words for a model: what, where, and what to do.
func said(err error) string {
	all := problem.All(err)
	text := ""
	for i, p := range all[:min(len(all), 5)] {
		if i > 0 {
			text += "\n"
		}
		text += p.Error()
	}
	return bounded(text, 2000)
}

func bounded(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}

// told is what an event keeps of arguments: all, where they are JSON and not large.
func told(raw json.RawMessage) json.RawMessage {
	if len(raw) <= 4<<10 && json.Valid(raw) {
		return raw
	}
	text, _ := json.Marshal(bounded(string(raw), 1000)) // of a string
	return text
}

// answer is a person's word on the question of the run.
func (f *flight) answer(question, answer string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run.Question == nil || f.run.Question.ID != question {
		return problem.New(problem.Conflict, "the run %s waits for no answer to %q", f.run.ID, bounded(question, 80)).WithSlug(NoStep).WithHint("read the run again")
	}
	select {
	case f.answers <- answer:
		return nil
	default:
		return problem.New(problem.Conflict, "the question was answered already").WithSlug(NoStep).WithHint("read the run again")
	}
}
