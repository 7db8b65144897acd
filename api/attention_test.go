package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

func TestHealthIsOneSentence(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	binding := func(name string, st bindings.Status, source connectors.Health, broken error) (bindingView, connectors.Health) {
		b, st2 := Binding{Name: name, Source: "shop", Error: broken}, st
		v := viewOfBinding(b, st)
		h := st.Health(source, broken, now)
		v.Freshness = &bindingFreshness{State: h.State, Cause: h.Cause}
		return v, st2.Health(connectors.Health{State: connectors.StateOK}, broken, now)
	}
	of := func(st bindings.Status, source connectors.Health, broken error) outlook {
		o := outlook{now: now, own: map[string]connectors.Health{}, sources: map[string]connectors.Health{"shop": source}}
		v, own := binding("cards", st, source, broken)
		o.bindings, o.own["cards"] = []bindingView{v}, own
		return o
	}
	with := func(o outlook, change func(*outlook)) outlook { change(&o); return o }
	ok := connectors.Health{State: connectors.StateOK}
	well := of(bindings.Status{Ready: 3}, ok, nil)
	paused := of(bindings.Status{Paused: true}, connectors.Health{State: connectors.StatePaused, Cause: "x", Next: "y"}, nil)
	down := of(bindings.Status{}, connectors.Health{State: connectors.StateError, Cause: "3 readings in a row failed: 503", Next: "test it"}, nil)
	flow := func(state string, dead int64) Connection {
		return Connection{Kind: kindSink, Name: "hook", Flow: &Flow{State: state, Reason: "it is gone", Failures: 5, FailingSince: now, Left: sink.Backlog{Waiting: 2, Dead: dead}}}
	}
	job := func(status batch.Status, failed int64, ago time.Duration) []jobView {
		at := now.Add(-ago)
		return []jobView{{Standing: batch.Standing{JobID: "batch_1", Status: status, TotalItems: 10, Completed: 10 - failed, Failed: failed, CompletedAt: &at}, Moves: []batch.Move{batch.MoveRetry}}}
	}
	for name, c := range map[string]struct {
		o        outlook
		level    string
		sentence string
		subjects string // of what wants a person, in order
	}{
		"nothing is configured": {outlook{now: now}, "ok", "nothing is configured yet", ""},
		"all is well":           {well, "ok", "All is well: 1 binding is current, nothing waits", ""},
		"images wait":           {with(well, func(o *outlook) { o.load = Load{Waiting: 120, Pace: Pace{Count: 60, Span: time.Minute}} }), "ok", "120 images to draw, about 2 minutes left", ""},
		"and nobody knows":      {with(well, func(o *outlook) { o.load = Load{Waiting: 1} }), "ok", "nothing", ""},
		"all is paused":         {paused, "paused", "1 binding is paused", "binding cards"},
		"a source is down":      {down, "error", "source shop: 3 readings in a row failed: 503", "source shop"},
		"a source is late":      {of(bindings.Status{}, connectors.Health{State: connectors.StateWarn, Cause: "late", Next: "read it"}, nil), "warn", "source shop: late", "source shop"},
		"a binding is broken":   {of(bindings.Status{}, ok, problem.New(problem.Invalid, "there is no template")), "error", "binding cards: there is no template", "binding cards"},
		"the guard holds":       {of(bindings.Status{HeldChanges: 9, HeldReason: "too many"}, ok, nil), "warn", "the guard holds 9 changes", "binding cards"},
		"images failed":         {of(bindings.Status{Failed: 2}, ok, nil), "warn", "2 images could not be made", "binding cards"},
		"a source and its binding": {of(bindings.Status{Failed: 2}, connectors.Health{State: connectors.StateError, Cause: "503", Next: "test"}, nil),
			"error", "2 things need attention, first source shop: 503", "source shop, binding cards"},
		"a sink is disabled":  {with(well, func(o *outlook) { o.sinks = []Connection{flow("disabled", 0)} }), "error", "it is disabled: it is gone", "sink hook"},
		"a sink is failing":   {with(well, func(o *outlook) { o.sinks = []Connection{flow("failing", 0)} }), "warn", "5 tries in a row failed", "sink hook"},
		"a sink rests":        {with(well, func(o *outlook) { o.sinks = []Connection{flow("resting", 3)} }), "warn", "2 deliveries wait", "sink hook"},
		"a sink is paused":    {with(well, func(o *outlook) { o.sinks = []Connection{flow("paused", 0)} }), "ok", "All is well", "sink hook"},
		"dead letters":        {with(well, func(o *outlook) { o.sinks = []Connection{flow("well", 4)} }), "warn", "4 dead letters", "sink hook"},
		"a sink is well":      {with(well, func(o *outlook) { o.sinks = []Connection{flow("well", 0)} }), "ok", "All is well", ""},
		"a sink is broken":    {with(well, func(o *outlook) { o.sinks = []Connection{{Name: "hook", Error: errors.New("no url")}} }), "error", "no url", "sink hook"},
		"a job failed":        {with(well, func(o *outlook) { o.jobs = job(batch.Failed, 10, time.Hour) }), "warn", "10 of 10 rows failed", "job batch_1"},
		"a job failed partly": {with(well, func(o *outlook) { o.jobs = job(batch.Partial, 1, time.Hour) }), "warn", "1 of 10 rows failed", "job batch_1"},
		"a job failed wholly": {with(well, func(o *outlook) { o.jobs = job(batch.Failed, 0, time.Hour) }), "warn", "as a whole", "job batch_1"},
		"long ago":            {with(well, func(o *outlook) { o.jobs = job(batch.Failed, 10, 25*time.Hour) }), "ok", "All is well", ""},
		"a job is paused":     {with(well, func(o *outlook) { o.jobs = job(batch.Paused, 0, 0) }), "ok", "All is well", "job batch_1"},
		"Chrome did not start": {with(well, func(o *outlook) { o.load.Chrome = &ChromeLoad{Size: 2, Failed: 1, Error: "exit 1"} }), "warn", "1 of 2 did not start: exit 1",
			"system chrome"},
		"the disk is full": {with(well, func(o *outlook) {
			o.load.Disk.Low = problem.New(problem.Surroundings, "only 1 MB is free").WithHint("make room")
			o.ready = o.load.Disk.Low
		}), "error", "only 1 MB is free", "system disk"},
		"it is not ready":    {with(well, func(o *outlook) { o.ready = errors.New("secret inside") }), "error", "something inside pictifyd went wrong", "system ready"},
		"the worst is first": {with(down, func(o *outlook) { o.jobs, o.sinks = job(batch.Partial, 1, 0), []Connection{flow("paused", 0)} }), "error", "2 things need attention, first source shop", "source shop, job batch_1, sink hook"},
	} {
		t.Run(name, func(t *testing.T) {
			health, all := judge(c.o)
			if name == "and nobody knows" {
				c.sentence = "1 image to draw"
			}
			if health.Level != c.level || !strings.Contains(health.Sentence, c.sentence) {
				t.Errorf("the health is %+v, want %s with %q", health, c.level, c.sentence)
			}
			var subjects []string
			for _, a := range all {
				subjects = append(subjects, a.Subject.Kind+" "+a.Subject.Name)
				if a.ID == "" || a.Level == "" || a.Level == "ok" || a.Title == "" || a.Cause == "" || a.Next == "" || !strings.HasPrefix(a.Link, "/") {
					t.Errorf("%+v lacks something: every matter has a cause, a next step and a link", a)
				}
				if a.Action != nil && (a.Action.Label == "" || a.Action.Method != http.MethodPost || !strings.HasPrefix(a.Action.Path, "/")) {
					t.Errorf("the action %+v can't be asked for", a.Action)
				}
			}
			if got := strings.Join(subjects, ", "); got != c.subjects {
				t.Errorf("%q want a person, want %q", got, c.subjects)
			}
		})
	}
}

// What attention names as its next request must be one that there is.
func TestActionsOfAttentionAreRoutes(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	now := time.Now()
	o := outlook{now: now, own: map[string]connectors.Health{}, sources: map[string]connectors.Health{"shop": {State: "error", Cause: "x", Next: "y"}}}
	for name, st := range map[string]bindings.Status{"a": {Paused: true}, "b": {HeldChanges: 1}} {
		v := viewOfBinding(Binding{Name: name, Source: "shop"}, st)
		o.bindings, o.own[name] = append(o.bindings, v), st.Health(connectors.Health{State: "ok"}, nil, now)
	}
	for _, state := range []string{"disabled", "paused", "failing"} {
		o.sinks = append(o.sinks, Connection{Name: state, Flow: &Flow{State: state}})
	}
	o.sinks = append(o.sinks, Connection{Name: "dead", Flow: &Flow{State: "well", Left: sink.Backlog{Dead: 1}}})
	o.jobs = []jobView{
		{Standing: batch.Standing{JobID: "j1", Status: batch.Paused}},
		{Standing: batch.Standing{JobID: "j2", Status: batch.Partial, Failed: 1, CompletedAt: &now}, Moves: []batch.Move{batch.MoveRetry}},
	}
	_, all := judge(o)
	seen := 0
	for _, a := range all {
		if a.Action == nil {
			continue
		}
		seen++
		r, err := http.NewRequestWithContext(t.Context(), a.Action.Method, a.Action.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, pattern := s.mux.Handler(r); pattern == "" || pattern == "/" {
			t.Errorf("%s: there is no route %s %s", a.ID, a.Action.Method, a.Action.Path)
		}
	}
	if seen != 9 {
		t.Errorf("%d matters have an action, want 9", seen)
	}
}

func TestOverviewCountsWhatThereIs(t *testing.T) {
	w := newWorld()
	w.load = Load{
		Waiting: 90, Drawing: 10, Failed: 3, DeadLetters: 2, DeliveriesWaiting: 5, Pace: Pace{Count: 50, Span: 30 * time.Second, P50: 40 * time.Millisecond, P95: 90 * time.Millisecond},
		Chrome: &ChromeLoad{Used: 1, Size: 2}, Disk: DiskLoad{Free: 1e9, Bytes: 5e6, MeasuredAt: time.UnixMilli(1)},
	}
	s := mustServer(t, open(), w)
	o := mustAnswer[overview](t, get("/overview").to(t, s), http.StatusOK)
	if o.At.IsZero() || time.Since(o.At) > time.Minute {
		t.Errorf("it was judged at %s", o.At)
	}
	tiles := o.Tiles
	if q := tiles.Queue; q.Depth != 100 || q.ETASeconds == nil || *q.ETASeconds != 60 {
		t.Errorf("the queue is %+v, want 100 images in a minute", q)
	}
	if tiles.RendersPerMinute != 100 || tiles.P50Ms == nil || *tiles.P50Ms != 40 || *tiles.P95Ms != 90 || tiles.Failures24h != 3 || tiles.DeadLetters != 2 || tiles.Chrome.Used != 1 || *tiles.Disk.FreeBytes != 1e9 {
		t.Errorf("the tiles are %+v", tiles)
	}
	sum := 0
	for _, n := range tiles.Bindings {
		sum += n
	}
	if sum != len(o.Bindings) || len(tiles.Bindings) != 4 {
		t.Errorf("of %d bindings the tiles count %v", len(o.Bindings), tiles.Bindings)
	}
}

func TestAttentionIsBounded(t *testing.T) {
	w := newWorld()
	w.configured = nil
	for i := range 80 {
		name := fmt.Sprintf("b%02d", i)
		w.configured = append(w.configured, Binding{Name: name, Source: "shop", Template: testTemplate, Error: problem.New(problem.Invalid, "broken")})
	}
	o := mustAnswer[overview](t, get("/overview").to(t, mustServer(t, open(), w)), http.StatusOK)
	if len(o.Attention) != maxAttention || o.AttentionMore < 80-maxAttention || !strings.Contains(o.Health.Sentence, " things need attention, first ") {
		t.Errorf("%d are told and %d more: %s", len(o.Attention), o.AttentionMore, o.Health.Sentence)
	}
}
