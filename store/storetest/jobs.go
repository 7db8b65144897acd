package storetest

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// hook is the sink of the completion webhook of a job.
func hook(job string) string { return "job:" + job }

var jobs = map[string]func(*testing.T, Open){
	"ThousandRowsAreCountedExactly": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1000)
		planJob(t, s, "j1", func(i int64) string {
			switch {
			case i < 5:
				return "" // the row is at fault
			case i < 15:
				return "same"
			}
			return fmt.Sprint(i)
		})
		j := got(s.Job(t.Context(), "j1"))(t)
		if j.Planned != 1000 || j.Failed != 5 || j.Deduped != 9 || j.Status != batch.Processing {
			t.Errorf("planned job is %+v", j)
		}
		if drawn := draw(t, s); len(drawn) != 986 {
			t.Errorf("%d pictures were drawn, want 986", len(drawn))
		}
		j = got(s.Job(t.Context(), "j1"))(t)
		if j.Succeeded != 995 || j.Failed != 5 || j.Status != batch.Partial || j.CompletedAt.IsZero() || j.StartedAt.IsZero() {
			t.Errorf("ended job is %+v", j)
		}
		sent := deliver(t, s, hook("j1"), nil)
		if len(sent) != 1 || sent[0].Event != "batch.completed" || sent[0].Owner.Job() != "j1" || sent[0].Key != "" || sent[0].Generation != 1 {
			t.Errorf("told was %+v, want the completion once", sent)
		}
	},

	"ResultsComeByIndex": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 25)
		planJob(t, s, "j1", func(i int64) string {
			if i%5 == 0 {
				return ""
			}
			return fmt.Sprint(i)
		})
		draw(t, s)
		var all []batch.Result
		for after := int64(-1); ; {
			page := got(s.Results(t.Context(), "j1", after, 10, ""))(t)
			if len(page) == 0 {
				break
			}
			all = append(all, page...)
			after = page[len(page)-1].Index
		}
		if len(all) != 25 {
			t.Fatalf("%d results, want 25", len(all))
		}
		for i, r := range all {
			good := i%5 != 0
			if r.Index != int64(i) || r.Key != fmt.Sprint(i) || !r.Done || (r.Error == nil) != good || (len(r.Pictures) == 1) != good {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		want := batch.Picture{Output: "card", Hash: "hash of fp-card-1", Ext: "png", Format: "png", Width: 4, Height: 3}
		if diff := cmp.Diff(want, all[1].Pictures[0]); diff != "" {
			t.Errorf("picture (-want +got):\n%s", diff)
		}
		if failed := got(s.Results(t.Context(), "j1", -1, 100, "failed"))(t); len(failed) != 5 || failed[1].Index != 5 || failed[1].Error.Code != "missing_variable" {
			t.Errorf("failed are %+v", failed)
		}
		if good := got(s.Results(t.Context(), "j1", 20, 100, "completed"))(t); len(good) != 4 || good[0].Index != 21 {
			t.Errorf("completed are %+v", good)
		}
	},

	"ErrorOfAnOutputIsTheRowsError": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		planJob(t, s, "j1", func(int64) string { return "x" })
		c := claim(t, s, 1, 1)[0]
		if c.Owner != bindings.JobOwner("j1") {
			t.Errorf("the render is owned by %q", c.Owner)
		}
		bad := &bindings.Problem{Code: "asset_fetch_failed", Field: "variables.photo", Message: "no such host"}
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Problem: bad}}, true))
		r := got(s.Results(t.Context(), "j1", -1, 1, ""))(t)[0]
		want := &batch.RowError{Code: "asset_fetch_failed", Field: "variables.photo", Message: "no such host", Retryable: true}
		if diff := cmp.Diff(want, r.Error); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if j := got(s.Job(t.Context(), "j1"))(t); j.Status != batch.Failed {
			t.Errorf("job is %+v", j)
		}
	},

	"RowsAreGivenAsTheyWereSent": func(t *testing.T, open Open) {
		s := newStore(t, open)
		large := `{"z":"` + strings.Repeat("x", 1<<20-20) + `","a":1.50}`
		var want []batch.Row
		for i := range int64(30) {
			r := batch.Row{Index: i, Key: fmt.Sprint(i), Values: []byte(large)}
			if i%10 == 3 {
				r = batch.Row{Index: i, Key: fmt.Sprint(i), Error: &batch.RowError{Code: "bad_row", Message: "a list"}}
			}
			want = append(want, r)
		}
		must(t, s.StageRows(t.Context(), "j1", want))
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, Total: 30}))
		var all []batch.Row
		for after, pages := int64(-1), 0; ; pages++ {
			page := got(s.Sent(t.Context(), "j1", after, 20))(t)
			if len(page) == 0 {
				if pages < 3 {
					t.Errorf("%d MB came in %d pages", len(large)*27>>20, pages)
				}
				break
			}
			all, after = append(all, page...), page[len(page)-1].Index
		}
		if !reflect.DeepEqual(want, all) {
			t.Errorf("%d rows came, and are not those that were sent", len(all))
		}
		if page := got(s.Sent(t.Context(), "j1", 10, 2))(t); len(page) != 2 || page[0].Index != 11 {
			t.Errorf("behind 10 come %d rows", len(page))
		}
		if page := got(s.Sent(t.Context(), "no\x00ne", -1, 2))(t); len(page) != 0 {
			t.Errorf("a job that is not there has %d rows", len(page))
		}
	},

	"RowsThatHaveNotEndedAreListedToo": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 3)
		if r := got(s.Results(t.Context(), "j1", -1, 10, ""))(t); len(r) != 3 || r[0].Done || r[2].Key != "2" {
			t.Errorf("results are %+v", r)
		}
	},

	"JobKeepsWhatItWasAcceptedWith": func(t *testing.T, open Open) {
		s := newStore(t, open)
		want := acceptJob(t, s, "j1", 2)
		if diff := cmp.Diff(want, got(s.Job(t.Context(), "j1"))(t)); diff != "" {
			t.Errorf("job (-want +got):\n%s", diff)
		}
		rows := got(s.UnplannedRows(t.Context(), "j1", 10))(t)
		if len(rows) != 2 || string(rows[1].Values) != `{"title":"row 1"}` || rows[1].Error != nil {
			t.Errorf("rows are %+v", rows)
		}
	},

	"UnreadableRowKeepsItsError": func(t *testing.T, open Open) {
		s := newStore(t, open)
		want := batch.Row{Index: 0, Key: "0", Error: &batch.RowError{Code: "bad_json", Message: "line 1"}}
		must(t, s.StageRows(t.Context(), "j1", []batch.Row{want}))
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, Total: 1}))
		if diff := cmp.Diff([]batch.Row{want}, got(s.UnplannedRows(t.Context(), "j1", 10))(t)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	},

	"PageOfAJobPlannedTwiceCountsOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 2)
		for range 2 { // the first time the process died before it was told
			p := wantsOutputs(bindings.JobOwner("j1"), "0", "card=x")
			bad := bindings.Proposal{Owner: bindings.JobOwner("j1"), Key: "1", Index: 1, Digest: "!", Problem: &bindings.Problem{Code: "missing_variable"}}
			must(t, s.PlanRows(t.Context(), hand(1), "j1", []bindings.Proposal{p, bad}, 2, true))
		}
		draw(t, s)
		if j := got(s.Job(t.Context(), "j1"))(t); j.Succeeded != 1 || j.Failed != 1 || j.Status != batch.Partial {
			t.Errorf("job is %+v", j)
		}
	},

	"JobWhoseEveryPictureIsThereEndsAtOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "same"))
		draw(t, s)
		acceptJob(t, s, "j1", 3)
		planJob(t, s, "j1", func(int64) string { return "same" })
		if j := got(s.Job(t.Context(), "j1"))(t); j.Status != batch.Completed || j.Deduped != 3 || j.Succeeded != 3 {
			t.Errorf("job is %+v", j)
		}
		if sent := deliver(t, s, hook("j1"), nil); len(sent) != 1 {
			t.Errorf("told was %+v", sent)
		}
	},

	"JobWithoutRowsEnds": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 0)
		planJob(t, s, "j1", nil)
		if j := got(s.Job(t.Context(), "j1"))(t); j.Status != batch.Completed || !j.StartedAt.IsZero() {
			t.Errorf("job is %+v", j)
		}
	},

	"JobWithoutHookTellsNobody": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1}))
		must(t, s.PlanRows(t.Context(), hand(1), "j1", nil, 0, true))
		if c := got(s.Counters(t.Context()))(t); c.DeliveriesWaiting != 0 || c.JobsOpen != 0 {
			t.Errorf("counters are %+v", c)
		}
	},

	"IdempotencyKeyBelongsToOneJob": func(t *testing.T, open Open) {
		s := newStore(t, open)
		want := acceptJob(t, s, "j1", 1)
		second := want
		second.ID = "j2"
		if err := s.AcceptJob(t.Context(), second); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("the same key again gave %v, want a conflict", err)
		}
		j, ok, err := s.FindJob(t.Context(), want.IdempotencyKey)
		must(t, err)
		if !ok || j.ID != "j1" {
			t.Errorf("found was %v %q", ok, j.ID)
		}
		if _, ok, err := s.FindJob(t.Context(), ""); ok || err != nil {
			t.Errorf("without a key found was %v, %v", ok, err)
		}
		for _, id := range []string{"j3", "j4"} { // no key is no conflict
			must(t, s.AcceptJob(t.Context(), batch.Job{ID: id, Template: "card", Version: 1}))
		}
	},

	"StagedRowsOfNoJobAreSwept": func(t *testing.T, open Open) {
		s := open(t)
		must(t, s.StageRows(t.Context(), "cut short", []batch.Row{{Index: 0, Key: "0"}}))
		acceptJob(t, s, "j1", 1)
		must(t, s.Close())
		s = newStore(t, open)
		if r := got(s.Results(t.Context(), "cut short", -1, 10, ""))(t); len(r) != 0 {
			t.Errorf("left of a job that never was is %+v", r)
		}
		if r := got(s.Results(t.Context(), "j1", -1, 10, ""))(t); len(r) != 1 {
			t.Errorf("left of a job that was accepted is %+v", r)
		}
	},

	"DiscardedRowsAreGone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.StageRows(t.Context(), "refused", []batch.Row{{Index: 0, Key: "0"}}))
		must(t, s.DiscardRows(t.Context(), "refused"))
		acceptJob(t, s, "j1", 1)
		must(t, s.DiscardRows(t.Context(), "j1"))
		if r := got(s.Results(t.Context(), "refused", -1, 10, ""))(t); len(r) != 0 {
			t.Errorf("left of the refused job is %+v", r)
		}
		if r := got(s.Results(t.Context(), "j1", -1, 10, ""))(t); len(r) != 1 {
			t.Error("the rows of an accepted job were discarded")
		}
	},

	"NewestJobsComeFirst": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for i := range 3 {
			must(t, s.AcceptJob(t.Context(), batch.Job{ID: fmt.Sprint(i), Template: "card", Version: 1, CreatedAt: start.Add(time.Duration(i) * time.Second)}))
		}
		if all := got(s.Jobs(t.Context(), 2))(t); len(all) != 2 || all[0].ID != "2" || all[1].ID != "1" {
			t.Errorf("jobs are %+v", all)
		}
		if _, err := s.Job(t.Context(), "none"); kind(err) != "job_not_found" {
			t.Errorf("a job that is not there is %v", err)
		}
	},
}

var mapped = map[string]func(*testing.T, Open){
	"JobKeepsItsMapping": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.StageRows(t.Context(), "batch_map", []batch.Row{{Index: 0, Key: "0", Values: []byte(`{"name":"Ada"}`)}}))
		want := map[string]string{"title": `$env["First Name"] | upper`}
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "batch_map", Template: "card", Version: 1, Mapping: want, Status: batch.Pending, Total: 1, CreatedAt: start}))
		if j := got(s.Job(t.Context(), "batch_map"))(t); !maps.Equal(j.Mapping, want) {
			t.Errorf("the mapping is %v, want %v", j.Mapping, want)
		}
	},
	"JobKeepsItsExperiment": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.StageRows(t.Context(), "batch_exp", []batch.Row{{Index: 0, Key: "0", Values: []byte(`{"name":"Ada"}`)}}))
		want := &batch.Test{Experiment: bindings.Experiment{Slug: "spring", Unit: "customer"}, ID: "exp_1", Versions: map[string]int64{"badge": 2}}
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "batch_exp", Template: "card", Version: 1, Test: want, Status: batch.Pending, Total: 1, CreatedAt: start}))
		if diff := cmp.Diff(want, got(s.Job(t.Context(), "batch_exp"))(t).Test); diff != "" {
			t.Errorf("the experiment (-want +got):\n%s", diff)
		}
	},
}
