package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

func TestPipelineIsFollowedStageByStage(t *testing.T) {
	w := newWorld()
	w.stored["shop"] = []bindings.StoredRow{{Key: "SKU-1", Values: []byte(`{"sku":"SKU-1"}`)}}
	v := mustAnswer[pipelineView](t, get("/bindings/cards/pipeline").to(t, mustServer(t, open(), w)), http.StatusOK)
	var names []string
	for _, s := range v.Stages {
		names = append(names, s.Name)
	}
	if len(names) != 5 || names[0] != stageSource || names[1] != stageFetch || names[2] != stageMap || names[3] != stageRender || names[4] != stageDeliver {
		t.Errorf("the stages are %v", names)
	}
	if v.Payload.Total != 3 || len(v.Payload.Rows) != 1 || string(v.Payload.Rows[0]) != `{"sku":"SKU-1"}` || v.Backfill == nil || v.Backfill.State != "reading" {
		t.Errorf("the payload is %+v, the backfill %+v", v.Payload, v.Backfill)
	}
	mustProblem(t, get("/bindings/none/pipeline").to(t, mustServer(t, open(), w)), http.StatusNotFound, slugBindingNotFound)
}

// What is wrong stands at one stage only, with its next step.
func TestFaultStandsAtItsStage(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	well := func() pipeline {
		return pipeline{
			now: now, path: "/bindings/cards", binding: Binding{Name: "cards", Source: "shop", Sinks: []string{"hook"}},
			status:   bindings.Status{Live: 100, Ready: 100},
			fresh:    connectors.Freshness{Complete: true, BegunAt: now.Add(-2 * time.Second), EndedAt: now.Add(-time.Second), ConfirmedAt: now.Add(-time.Second), Expected: time.Minute},
			load:     Load{Pace: Pace{Count: 4, Span: time.Minute, P50: 25 * time.Millisecond}, Chrome: &ChromeLoad{Size: 2}},
			sinks:    []Connection{{Name: "hook", Flow: &Flow{State: "well"}}},
			told:     &sink.Record{CreatedAt: now.Add(-3 * time.Second), EndedAt: now.Add(-time.Second)},
			flowFunc: func(c Connection) *flowView { return viewOfFlow(c.Flow) },
		}
	}
	for name, c := range map[string]struct {
		stage, level, link string
		wrong              func(p *pipeline)
	}{
		"nothing":                    {"", "", "", func(*pipeline) {}},
		"three failed readings":      {stageSource, "error", "/sources/shop", func(p *pipeline) { p.fresh.Failures, p.fresh.Error = 3, "503" }},
		"a source that says nothing": {stageSource, "error", "/sources/shop", func(p *pipeline) { p.fresh.ConfirmedAt = now.Add(-time.Hour) }},
		"an incomplete reading":      {stageFetch, "warn", "/bindings/cards/changes", func(p *pipeline) { p.fresh.Complete, p.fresh.Reason = false, "page 3 is missing" }},
		"rows that are kept out":     {stageFetch, "warn", "/bindings/cards/rows?show=kept", func(p *pipeline) { p.fresh.Quarantined = 2 }},
		"a binding that is broken": {stageMap, "error", "/bindings/cards/config", func(p *pipeline) {
			p.binding.Error = problem.New(problem.Invalid, "there is no template").WithHint("make one")
		}},
		"a guard that holds":    {stageMap, "warn", "/bindings/cards/guard", func(p *pipeline) { p.status.HeldChanges, p.status.HeldReason = 80, "too many" }},
		"images that failed":    {stageRender, "warn", "/bindings/cards/rows?show=failed", func(p *pipeline) { p.status.Failed = 1 }},
		"no Chrome":             {stageRender, "error", "/system", func(p *pipeline) { p.load.Chrome.Failed, p.load.Chrome.Error = 2, "no sandbox" }},
		"a sink that fails":     {stageDeliver, "warn", "/deliveries?sink=hook", func(p *pipeline) { p.sinks[0].Flow = &Flow{State: "failing", Failures: 4} }},
		"a sink that is off":    {stageDeliver, "error", "/sinks/hook", func(p *pipeline) { p.sinks[0].Flow = &Flow{State: "disabled", Reason: "410 gone"} }},
		"a sink with the dead":  {stageDeliver, "warn", "/dead-letters?sink=hook", func(p *pipeline) { p.sinks[0].Flow.Left.Dead = 1 }},
		"a sink that is paused": {stageDeliver, "paused", "/sinks/hook", func(p *pipeline) { p.sinks[0].Flow.State = "paused" }},
	} {
		p := well()
		c.wrong(&p)
		for _, s := range []stageView{p.ofSource(), p.ofFetch(), p.ofMap(), p.ofRender(), p.ofDeliver()} {
			if s.Name != c.stage {
				if s.Level != "ok" || s.Cause != "" {
					t.Errorf("%s: %s is %+v", name, s.Name, s)
				}
				continue
			}
			if s.Level != c.level || s.Link != c.link || s.Cause == "" || s.Next == "" {
				t.Errorf("%s: it is %+v, want %s with a cause, a next step and %s", name, s, c.level, c.link)
			}
		}
	}
	p := well()
	for stage, want := range map[*float64]float64{p.ofSource().LatencyMs: 1000, p.ofFetch().LatencyMs: 1000, p.ofRender().LatencyMs: 25, p.ofDeliver().LatencyMs: 2000} {
		if stage == nil || *stage != want {
			t.Errorf("a latency is %v, want %v", stage, want)
		}
	}
}

func TestBackfillIsOfManyImages(t *testing.T) {
	p := pipeline{status: bindings.Status{Live: 400, Ready: 396, Waiting: 4}}
	if b := p.backfill(); b != nil {
		t.Errorf("four changed rows are a backfill: %+v", b)
	}
	p.status.Waiting = 100
	if b := p.backfill(); b == nil || b.State != "drawing" || b.Done != 300 || *b.Total != 400 || *b.Share != 0.75 {
		t.Errorf("a hundred of four hundred are %+v", b)
	}
	p.stream = &StreamState{Phase: "snapshot", Rows: 50}
	if b := p.backfill(); b == nil || b.State != "reading" || b.Done != 50 || b.Total != nil || b.Share != nil {
		t.Errorf("a snapshot is %+v", b)
	}
}
