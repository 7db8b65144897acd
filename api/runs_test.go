package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
)

func TestWhoAsksForARunIsToldItsJob(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, c := range []struct{ path, body, asked, status string }{
		{"/bindings/cards/refresh", ``, "cards refresh ", "refreshing"},
		{"/bindings/cards/run", ``, "cards run ", "running"},
		{"/bindings/cards/run", `{"at":"2026-10-01"}`, "cards run 2026-10-01", "running"},
	} {
		out := post(c.path, c.body).to(t, s)
		var got runAccepted
		if err := json.Unmarshal(out.Body.Bytes(), &got); err != nil || out.Code != 202 {
			t.Fatalf("%s: status %d, %v", c.path, out.Code, err)
		}
		if w.asked[len(w.asked)-1] != c.asked || got.Status != c.status || got.Binding != "cards" || got.Source != "shop" || got.JobID != "run_1" ||
			!strings.HasSuffix(got.StatusURL, "/jobs/run_1") || !strings.HasSuffix(got.EventsURL, "/jobs/run_1/events") || got.ScheduledFor.IsZero() {
			t.Errorf("%s %s: asked for %q, answered %+v", c.path, c.body, w.asked, got)
		}
	}
	mustProblem(t, post("/bindings/cards/run", `{"at":"tomorrow"}`).to(t, s), 422, "out_of_range")
	mustProblem(t, post("/bindings/cards/run", `{"when":"2026-10-01"}`).to(t, s), 400, "malformed_body")
	mustProblem(t, post("/bindings/crads/run", ``).to(t, s), 404, "binding_not_found")
}

func TestBindingShowsItsRuns(t *testing.T) {
	w := newWorld()
	at := time.Date(2026, 10, 1, 4, 0, 0, 0, time.UTC)
	w.runs = map[string]RunState{"cards": {Next: at.AddDate(0, 1, 0), Last: &batch.Job{
		ID: "run_1", Status: batch.Failed, Stop: &batch.Stop{Status: batch.Failed, Message: "the source is away"},
		Origin: &batch.Run{Binding: "cards", Cause: batch.BySchedule, For: at},
	}}}
	s := mustServer(t, open(), w)
	var got struct{ Binding bindingView }
	if err := json.Unmarshal(get("/bindings/cards").to(t, s).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	last := got.Binding.LastRun
	if got.Binding.NextRunAt == nil || !got.Binding.NextRunAt.Equal(at.AddDate(0, 1, 0)) {
		t.Errorf("next run at %v", got.Binding.NextRunAt)
	}
	if last == nil || *last != (lastRun{ScheduledFor: at, JobID: "run_1", Status: batch.Failed, Error: "the source is away"}) {
		t.Errorf("last run is %+v", last)
	}
}

func TestJobsAreListedByKindAndBinding(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	mustProblem(t, get("/jobs?kind=dream").to(t, s), 422, "out_of_range")
	if out := get("/jobs?kind=run&binding=cards").to(t, s); out.Code != 200 {
		t.Errorf("status %d", out.Code)
	}
}
