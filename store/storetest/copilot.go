package storetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// copilotRun is a run of the template card, begun n minutes after start.
func copilotRun(id string, n int) copilot.Run {
	return copilot.Run{
		ID: id, Template: "card", Message: "Make a dark-mode variant \u00e9 \x00 \xff", Author: "ada", Model: "rules", Status: copilot.Running,
		Layers: []string{"title"}, Plan: []copilot.Item{{Text: "Tokens", State: copilot.Todo}}, Steps: []copilot.Step{}, Candidates: []copilot.Candidate{},
		Variants: []copilot.Variant{}, Findings: []copilot.Finding{}, Base: 1, Revision: 1, CreatedAt: start.Add(time.Duration(n) * time.Minute),
	}
}

// copilotRuns are the runs of a ledger in which the template card is.
func copilotRuns(t *testing.T, s *store.Store) store.CopilotRuns {
	t.Helper()
	got(s.PublishTemplate(t.Context(), card("one")))(t)
	return s.CopilotRuns()
}

// ended is r, ended with a status n minutes after start.
func ended(r copilot.Run, status string, n int) copilot.Run {
	at := start.Add(time.Duration(n) * time.Minute)
	r.Status, r.EndedAt = status, &at
	return r
}

func happened(kind, data string) copilot.Event {
	return copilot.Event{Kind: kind, Data: json.RawMessage(data)}
}

func idsOf(runs []copilot.Run) string {
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

var copilots = map[string]func(*testing.T, Open){
	"RunOfTheCopilotIsKeptOverARestart": func(t *testing.T, open Open) {
		s := open(t)
		l := copilotRuns(t, s)
		r := copilotRun("run_a", 0)
		must(t, l.AddRun(t.Context(), r))
		r.Steps = []copilot.Step{{Number: 1, Title: "Tokens", State: copilot.Pending, Revision: 2, Ops: []json.RawMessage{json.RawMessage(`{"op":"set_token","name":"a"}`)}, At: start}}
		r.Spent = copilot.Spent{Calls: 3, Usage: model.Usage{In: 100, Out: 20}, Cost: 0.25}
		must(t, l.SaveRun(t.Context(), r, happened(copilot.EventPlan, `{"items":["<b>","\u0000"]}`), happened(copilot.EventStep, `{"number":1}`)))
		must(t, l.PutPicture(t.Context(), "run_a", "1-after", "image/webp", []byte("\x00\xffpixels")))
		must(t, s.Close())
		l = newStore(t, open).CopilotRuns()
		r.Message = "Make a dark-mode variant \u00e9 \x00 \ufffd" // no JSON has other bytes
		if diff := cmp.Diff(r, got(l.Run(t.Context(), "run_a"))(t)); diff != "" {
			t.Errorf("the run (-saved +read):\n%s", diff)
		}
		events := got(l.RunEvents(t.Context(), "run_a", 0, 100))(t)
		want := []copilot.Event{{Seq: 1, Kind: copilot.EventPlan, Data: json.RawMessage(`{"items":["<b>","\u0000"]}`)}, {Seq: 2, Kind: copilot.EventStep, Data: json.RawMessage(`{"number":1}`)}}
		if diff := cmp.Diff(want, events, cmpopts.IgnoreFields(copilot.Event{}, "At")); diff != "" || events[0].At.IsZero() {
			t.Errorf("the events (-saved +read):\n%s", diff)
		}
		media, data, err := l.Picture(t.Context(), "run_a", "1-after")
		if err != nil || media != "image/webp" || !bytes.Equal(data, []byte("\x00\xffpixels")) {
			t.Errorf("the picture is %s %q, %v", media, data, err)
		}
		if left := got(l.OpenRuns(t.Context()))(t); idsOf(left) != "run_a" {
			t.Errorf("open are %s", idsOf(left))
		}
	},

	"TemplateHasOneOpenRunOfTheCopilot": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		var kept atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				err := l.AddRun(t.Context(), copilotRun(fmt.Sprintf("run_%d", i), i))
				switch {
				case err == nil:
					kept.Add(1)
				case kind(err) != copilot.Busy || problem.CodeOf(err) != problem.Conflict:
					t.Errorf("a second one: %v", err)
				}
			})
		}
		wg.Wait()
		first := got(l.OpenRuns(t.Context()))(t)
		if kept.Load() != 1 || len(first) != 1 {
			t.Fatalf("%d were kept, open are %s", kept.Load(), idsOf(first))
		}
		if err := l.AddRun(t.Context(), copilotRun("run_x", 9)); err == nil || !strings.Contains(err.Error(), first[0].ID) {
			t.Errorf("the refusal does not name the run %s: %v", first[0].ID, err)
		}
		must(t, l.SaveRun(t.Context(), ended(first[0], copilot.Review, 10)))
		must(t, l.AddRun(t.Context(), copilotRun("run_x", 11)))
		other := copilotRun("run_y", 12)
		other.Template = "none"
		if err := l.AddRun(t.Context(), other); kind(err) != "template_not_found" {
			t.Errorf("a run of no template: %v", err)
		}
	},

	"EndedRunOfTheCopilotIsNotOpenAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		r := copilotRun("run_a", 0)
		if err := l.SaveRun(t.Context(), r); kind(err) != copilot.NotFound {
			t.Errorf("saved what was not added: %v", err)
		}
		must(t, l.AddRun(t.Context(), r))
		must(t, l.SaveRun(t.Context(), ended(r, copilot.Cancelled, 1), happened(copilot.EventEnd, `{}`)))
		if err := l.SaveRun(t.Context(), r, happened(copilot.EventText, `{}`)); kind(err) != copilot.NotOpen || problem.CodeOf(err) != problem.Conflict {
			t.Errorf("opened again: %v", err)
		}
		must(t, l.SaveRun(t.Context(), ended(r, copilot.Accepted, 1), happened(copilot.EventStep, `{}`)))
		if events := got(l.RunEvents(t.Context(), "run_a", 1, 9))(t); len(events) != 1 || events[0].Seq != 2 || events[0].Kind != copilot.EventStep {
			t.Errorf("behind the end are %+v", events)
		}
		if r := got(l.Run(t.Context(), "run_a"))(t); r.Status != copilot.Accepted {
			t.Errorf("it is %s", r.Status)
		}
	},

	"EventsOfARunAreNumberedWithoutGaps": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		r := copilotRun("run_a", 0)
		must(t, l.AddRun(t.Context(), r))
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				must(t, l.SaveRun(t.Context(), r, happened(copilot.EventTool, fmt.Sprint(i)), happened(copilot.EventTool, fmt.Sprint(i))))
			})
		}
		wg.Wait()
		var seen int64
		for after := int64(0); ; { // in pages, as a stream that breaks off reads them
			page := got(l.RunEvents(t.Context(), "run_a", after, 5))(t)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				seen++
				if e.Seq != seen {
					t.Errorf("event %d has the number %d", seen, e.Seq)
				}
				after = e.Seq
			}
		}
		if seen != 12 {
			t.Errorf("%d events were kept", seen)
		}
	},

	"RunsOfTheCopilotAreListedNewestFirstInPages": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		story := card("one")
		story.Name = "story"
		got(s.PublishTemplate(t.Context(), story))(t)
		for i, id := range []string{"run_c", "run_a", "run_b", "run_d", "run_e"} {
			r := copilotRun(id, i/2) // two of the same moment each
			if id == "run_b" {
				r.Template = "story"
			}
			must(t, l.AddRun(t.Context(), r))
			must(t, l.SaveRun(t.Context(), ended(r, copilot.Review, i)))
		}
		for _, c := range []struct {
			template, before string
			limit            int
			want             string
		}{
			{"", "", 9, "run_e run_d run_b run_c run_a"},
			{"", "", 2, "run_e run_d"},
			{"", "run_d", 2, "run_b run_c"},
			{"", "run_a", 2, ""},
			{"", "run_forgotten", 2, ""},
			{"card", "", 9, "run_e run_d run_c run_a"},
			{"card", "run_b", 9, "run_c run_a"},
			{"none", "", 9, ""},
		} {
			if ids := idsOf(got(l.Runs(t.Context(), c.template, c.before, c.limit))(t)); ids != c.want {
				t.Errorf("of %q behind %q: %s, want %s", c.template, c.before, ids, c.want)
			}
		}
		if _, err := l.Run(t.Context(), "run_forgotten"); kind(err) != copilot.NotFound || problem.CodeOf(err) != problem.NotFound {
			t.Errorf("no run: %v", err)
		}
		counts := got(l.Counts(t.Context()))(t)
		if diff := cmp.Diff([]store.CopilotCount{{Status: copilot.Review, Model: "rules", Runs: 5}}, counts); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	},

	"PictureOfARunNeverChanges": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		if err := l.PutPicture(t.Context(), "run_a", "1", "image/png", []byte("x")); kind(err) != copilot.NotFound {
			t.Errorf("a picture of no run: %v", err)
		}
		must(t, l.AddRun(t.Context(), copilotRun("run_a", 0)))
		must(t, l.PutPicture(t.Context(), "run_a", "1", "image/png", []byte("first")))
		must(t, l.PutPicture(t.Context(), "run_a", "1", "image/png", []byte("second")))
		if _, data, err := l.Picture(t.Context(), "run_a", "1"); err != nil || string(data) != "first" {
			t.Errorf("the picture is %q, %v", data, err)
		}
		if _, _, err := l.Picture(t.Context(), "run_a", "2"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("no picture: %v", err)
		}
	},

	"OldRunsOfTheCopilotAreForgottenWhole": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		for i := range 45 { // more than one page of a sweep
			r := copilotRun(fmt.Sprintf("run_%02d", i), i)
			must(t, l.AddRun(t.Context(), r))
			must(t, l.PutPicture(t.Context(), r.ID, "1", "image/png", []byte("x")))
			must(t, l.SaveRun(t.Context(), ended(r, copilot.Review, i), happened(copilot.EventEnd, `{}`)))
		}
		open45 := copilotRun("run_45", -99) // old, and at work
		must(t, l.AddRun(t.Context(), open45))
		if n := got(l.SweepRuns(t.Context(), start.Add(43*time.Minute)))(t); n != 43 {
			t.Errorf("%d were forgotten", n)
		}
		if ids := idsOf(got(l.Runs(t.Context(), "", "", 99))(t)); ids != "run_44 run_43 run_45" {
			t.Errorf("left are %s", ids)
		}
		for id, left := range map[string]int{"run_00": 0, "run_42": 0, "run_43": 1} {
			if events := got(l.RunEvents(t.Context(), id, 0, 9))(t); len(events) != left {
				t.Errorf("%s has %d events left", id, len(events))
			}
			if _, _, err := l.Picture(t.Context(), id, "1"); (err == nil) != (left == 1) {
				t.Errorf("the picture of %s: %v", id, err)
			}
		}
	},

	"DeletedTemplateTakesTheRunsOfTheCopilot": func(t *testing.T, open Open) {
		s := newStore(t, open)
		l := copilotRuns(t, s)
		r := copilotRun("run_a", 0)
		must(t, l.AddRun(t.Context(), r))
		must(t, l.PutPicture(t.Context(), r.ID, "1", "image/png", []byte("x")))
		nothing := func() error { return nil }
		if err := s.DeleteTemplate(t.Context(), "card", nothing); kind(err) != "in_use" || !strings.Contains(err.Error(), "run_a") {
			t.Errorf("deleted under the copilot: %v", err)
		}
		must(t, l.SaveRun(t.Context(), ended(r, copilot.Review, 1), happened(copilot.EventEnd, `{}`)))
		must(t, s.DeleteTemplate(t.Context(), "card", nothing))
		if _, err := l.Run(t.Context(), r.ID); kind(err) != copilot.NotFound {
			t.Errorf("its run: %v", err)
		}
		if events := got(l.RunEvents(t.Context(), r.ID, 0, 9))(t); len(events) > 0 {
			t.Errorf("its events: %+v", events)
		}
		if _, _, err := l.Picture(t.Context(), r.ID, "1"); err == nil {
			t.Error("its picture is left")
		}
	},
}
