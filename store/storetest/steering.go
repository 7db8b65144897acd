package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// number is a text of a job's own for each row.
func number(i int64) string { return fmt.Sprint(i) }

// drawSome finishes n of the waiting renders, or fails them with code.
func drawSome(tb testing.TB, s *store.Store, n int, code string) {
	tb.Helper()
	var done []store.Rendered
	for _, c := range claim(tb, s, 700, n) {
		r := picture(c)
		if code != "" {
			r = store.Rendered{Fingerprint: c.Fingerprint, Problem: &bindings.Problem{Code: code, Message: "not now"}}
		}
		done = append(done, r)
	}
	if len(done) != n {
		tb.Fatalf("%d renders could be claimed, want %d", len(done), n)
	}
	must(tb, s.FinishRenders(tb.Context(), hand(700), done, true))
}

// retryPlan plans the failed rows of a job again, in pages, and then the rows
// that were never planned.
func retryPlan(tb testing.TB, s *store.Store, id string, text func(index int64) string) {
	tb.Helper()
	const page = 2
	for end := false; !end; {
		rows := got(s.RetriedRows(tb.Context(), id, page))(tb)
		var proposals []bindings.Proposal
		for _, r := range rows {
			p := wantsOutputs(bindings.JobOwner(id), r.Key, "card="+text(r.Index))
			p.Index, p.Priority = r.Index, bindings.PriorityBatch
			proposals = append(proposals, p)
		}
		end = len(rows) < page
		must(tb, s.RetryRows(tb.Context(), id, proposals, end))
	}
	planJobFrom(tb, s, id, text)
}

// planJobFrom plans what is left of a job.
func planJobFrom(tb testing.TB, s *store.Store, id string, text func(index int64) string) {
	tb.Helper()
	rows := got(s.UnplannedRows(tb.Context(), id, 1000))(tb)
	must(tb, planPage(tb, s, id, rows, text, true))
}

func planPage(tb testing.TB, s *store.Store, id string, rows []batch.Row, text func(index int64) string, end bool) error {
	tb.Helper()
	planned := got(s.Job(tb.Context(), id))(tb).Planned
	var proposals []bindings.Proposal
	for _, r := range rows {
		p := wantsOutputs(bindings.JobOwner(id), r.Key, "card="+text(r.Index))
		p.Index, p.Priority = r.Index, bindings.PriorityBatch
		proposals = append(proposals, p)
		planned = r.Index + 1
	}
	return s.PlanRows(tb.Context(), hand(3000), id, proposals, planned, end)
}

// codes are how the rows of a job ended: "ok", a code, or "" for one that has not.
func codes(tb testing.TB, s *store.Store, id string) (all []string) {
	tb.Helper()
	for _, r := range got(s.Results(tb.Context(), id, -1, 1000, ""))(tb) {
		switch {
		case !r.Done:
			all = append(all, "")
		case r.Error != nil:
			all = append(all, r.Error.Code)
		default:
			all = append(all, "ok")
		}
	}
	return all
}

// wantJob checks status and counts of a job.
func wantJob(tb testing.TB, s *store.Store, id string, status batch.Status, succeeded, failed int64) {
	tb.Helper()
	j := got(s.Job(tb.Context(), id))(tb)
	if j.Status != status || j.Succeeded != succeeded || j.Failed != failed || j.Status.Ended() != !j.CompletedAt.IsZero() {
		tb.Errorf("job is %s with %d and %d failed, want %s with %d and %d: %+v", j.Status, j.Succeeded, j.Failed, status, succeeded, failed, j)
	}
}

var steering = map[string]func(*testing.T, Open){
	"CancelKeepsWhatIsFinishedAndEndsTheRest": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 10)
		must(t, planPage(t, s, "j1", got(s.UnplannedRows(t.Context(), "j1", 7))(t), number, false))
		drawSome(t, s, 2, "")
		drawSome(t, s, 1, "asset_fetch_failed")
		if j := got(s.CancelJob(t.Context(), "j1"))(t); j.Status != batch.Cancelled {
			t.Errorf("cancelled is %+v", j)
		}
		wantJob(t, s, "j1", batch.Cancelled, 2, 8)
		if got := codes(t, s, "j1"); strings.Join(got, " ") != "ok ok asset_fetch_failed"+strings.Repeat(" cancelled", 7) {
			t.Errorf("rows ended as %q", got)
		}
		var failed []int64
		for after := int64(-1); ; {
			page := got(s.Results(t.Context(), "j1", after, 3, "failed"))(t)
			for _, r := range page {
				failed, after = append(failed, r.Index), r.Index
				if r.Error == nil || !r.Error.Retryable {
					t.Errorf("row %d: %+v", r.Index, r)
				}
			}
			if len(page) < 3 {
				break
			}
		}
		if !slices.Equal(failed, []int64{2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("failed are %v", failed)
		}
		if c := got(s.Counters(t.Context()))(t); c.RendersWaiting != 0 || c.ItemsWaiting != 0 || c.JobsOpen != 0 {
			t.Errorf("left is %+v", c)
		}
		if sent := deliver(t, s, hook("j1"), nil); len(sent) != 1 || sent[0].Generation != 1 {
			t.Errorf("told was %+v", sent)
		}
	},

	"CancelDropsNothingThatOthersWant": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, id := range []string{"j1", "j2"} {
			acceptJob(t, s, id, 3)
			planJob(t, s, id, number)
		}
		replan(t, s, wants("a", "0"))
		got(s.CancelJob(t.Context(), "j1"))(t)
		if drawn := draw(t, s); len(drawn) != 3 {
			t.Errorf("drawn was %q, want the three pictures of j2", drawn)
		}
		wantJob(t, s, "j1", batch.Cancelled, 0, 3)
		wantJob(t, s, "j2", batch.Completed, 3, 0)
		if i := image(t, s, "a"); i.Hash != "hash of fp-card-0" {
			t.Errorf("the binding shows %+v", i)
		}
	},

	"PictureInHandOfACancelledJobIsKeptAndNotCounted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 3)
		planJob(t, s, "j1", number)
		in := claim(t, s, 1, 1)
		got(s.CancelJob(t.Context(), "j1"))(t)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(in[0])}, true))
		wantJob(t, s, "j1", batch.Cancelled, 0, 3)
		acceptJob(t, s, "j2", 1)
		planJob(t, s, "j2", number)
		wantJob(t, s, "j2", batch.Completed, 1, 0)
	},

	"PausedJobRests": func(t *testing.T, open Open) {
		s := open(t)
		acceptJob(t, s, "j1", 6)
		must(t, planPage(t, s, "j1", got(s.UnplannedRows(t.Context(), "j1", 4))(t), number, false))
		in := claim(t, s, 1, 1)
		if j := got(s.PauseJob(t.Context(), "j1"))(t); j.Status != batch.Paused || j.PausedAt.IsZero() {
			t.Errorf("paused is %+v", j)
		}
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(in[0])}, true))
		if err := planPage(t, s, "j1", got(s.UnplannedRows(t.Context(), "j1", 4))(t), number, true); !errors.Is(err, store.ErrSteered) {
			t.Errorf("planning a paused job says %v", err)
		}
		must(t, s.Close())
		s = newStore(t, open)
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("drawn was %q while the job is paused", drawn)
		}
		wantJob(t, s, "j1", batch.Paused, 1, 0)
		got(s.ResumeJob(t.Context(), "j1"))(t)
		wantJob(t, s, "j1", batch.Processing, 1, 0)
		planJobFrom(t, s, "j1", number)
		if drawn := draw(t, s); len(drawn) != 5 {
			t.Errorf("drawn was %q, want the other five", drawn)
		}
		wantJob(t, s, "j1", batch.Completed, 6, 0)
	},

	"PausedJobHoldsBackNobodyElse": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 4)
		planJob(t, s, "j1", number)
		replan(t, s, wants("a", "0")) // wanted by the binding before the pause
		in := claim(t, s, 1, 1)
		if in[0].Fingerprint != "fp-card-0" {
			t.Fatalf("claimed was %+v", in)
		}
		got(s.PauseJob(t.Context(), "j1"))(t)
		must(t, s.FinishRenders(t.Context(), hand(1), nil, true)) // put back unfinished
		replan(t, s, wants("b", "1"))                             // and by another one after it
		if drawn := draw(t, s); len(drawn) != 2 {
			t.Errorf("drawn was %q, want what the binding shows", drawn)
		}
		wantJob(t, s, "j1", batch.Paused, 2, 0)
		got(s.ResumeJob(t.Context(), "j1"))(t)
		draw(t, s)
		wantJob(t, s, "j1", batch.Completed, 4, 0)
	},

	"JobsThatArePausedShareAndAreResumedAlone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, id := range []string{"j1", "j2", "j3"} {
			acceptJob(t, s, id, 3)
			planJob(t, s, id, number)
			got(s.PauseJob(t.Context(), id))(t)
		}
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("drawn was %q while all are paused", drawn)
		}
		got(s.CancelJob(t.Context(), "j1"))(t)
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("drawn was %q while those that are left are paused", drawn)
		}
		got(s.ResumeJob(t.Context(), "j3"))(t)
		if drawn := draw(t, s); len(drawn) != 3 {
			t.Errorf("drawn was %q, want the pictures of the one that was resumed", drawn)
		}
		wantJob(t, s, "j1", batch.Cancelled, 0, 3)
		wantJob(t, s, "j2", batch.Completed, 3, 0) // they are the same
		wantJob(t, s, "j3", batch.Completed, 3, 0)
	},

	"RenderThatIsPutBackRestsWithItsJob": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", number)
		in := claim(t, s, 1, 2)
		got(s.PauseJob(t.Context(), "j1"))(t)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: in[0].Fingerprint, Retry: errors.New("busy")}}, true))
		waitMilli(t, s)
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("drawn was %q while the job is paused", drawn)
		}
		got(s.ResumeJob(t.Context(), "j1"))(t)
		draw(t, s)
		wantJob(t, s, "j1", batch.Completed, 2, 0)
	},

	"RetryTakesTheFailedRowsOnly": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 8)
		planJob(t, s, "j1", func(i int64) string {
			if i == 1 {
				return "" // the row is at fault
			}
			return number(i)
		})
		drawSome(t, s, 3, "")
		drawSome(t, s, 4, "asset_fetch_failed")
		wantJob(t, s, "j1", batch.Partial, 3, 5)
		first := deliver(t, s, hook("j1"), nil)
		j := got(s.RetryJob(t.Context(), "j1"))(t)
		if j.Run != 2 || j.Retrying != 5 || j.Before != 3 || j.StartedAt.IsZero() {
			t.Errorf("retried is %+v", j)
		}
		wantJob(t, s, "j1", batch.Processing, 3, 5)
		retryPlan(t, s, "j1", number)
		wantJob(t, s, "j1", batch.Processing, 3, 0)
		if drawn := draw(t, s); len(drawn) != 5 {
			t.Errorf("drawn was %q, want the failed rows", drawn)
		}
		wantJob(t, s, "j1", batch.Completed, 8, 0)
		second := deliver(t, s, hook("j1"), nil)
		if len(first) != 1 || len(second) != 1 || first[0].ID == second[0].ID || second[0].Generation != 2 {
			t.Errorf("told was %+v and %+v, want two ends with ids of their own", first, second)
		}
	},

	"RetryThatFailsAgainCountsOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 5)
		planJob(t, s, "j1", func(int64) string { return "same" })
		for run := int64(2); run < 5; run++ {
			drawSome(t, s, 1, "asset_fetch_failed")
			wantJob(t, s, "j1", batch.Failed, 0, 5)
			if j := got(s.RetryJob(t.Context(), "j1"))(t); j.Run != run {
				t.Errorf("run is %d, want %d", j.Run, run)
			}
			retryPlan(t, s, "j1", func(int64) string { return "same" })
		}
		draw(t, s)
		wantJob(t, s, "j1", batch.Completed, 5, 0)
	},

	"RetryOfACancelledJobGoesOnWhereItWas": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 9)
		must(t, planPage(t, s, "j1", got(s.UnplannedRows(t.Context(), "j1", 5))(t), number, false))
		drawSome(t, s, 2, "")
		got(s.CancelJob(t.Context(), "j1"))(t)
		j := got(s.RetryJob(t.Context(), "j1"))(t)
		if j.Stop != nil || j.Failed != 3 {
			t.Errorf("retried is %+v", j)
		}
		retryPlan(t, s, "j1", number)
		if drawn := draw(t, s); len(drawn) != 7 {
			t.Errorf("drawn was %q", drawn)
		}
		wantJob(t, s, "j1", batch.Completed, 9, 0)
	},

	"RetryKeepsTheOutputThatIsThere": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		p := wantsOutputs(bindings.JobOwner("j1"), "0", "card=x", "story=x")
		must(t, s.PlanRows(t.Context(), hand(1), "j1", []bindings.Proposal{p}, 1, true))
		for _, c := range append(claim(t, s, 1, 1), claim(t, s, 2, 1)...) {
			r := picture(c)
			if c.Spec.Size == "story" {
				r = store.Rendered{Fingerprint: c.Fingerprint, Problem: &bindings.Problem{Code: "render_failed"}}
			}
			must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{r}, false))
			must(t, s.FinishRenders(t.Context(), hand(2), []store.Rendered{r}, false))
		}
		wantJob(t, s, "j1", batch.Failed, 0, 1)
		got(s.RetryJob(t.Context(), "j1"))(t)
		must(t, s.RetryRows(t.Context(), "j1", []bindings.Proposal{p}, true))
		must(t, s.PlanRows(t.Context(), hand(1), "j1", nil, 1, true))
		if drawn := draw(t, s); !slices.Equal(drawn, []string{"fp-story-x"}) {
			t.Errorf("drawn was %q, want the one that failed", drawn)
		}
		if r := got(s.Results(t.Context(), "j1", -1, 1, ""))(t)[0]; len(r.Pictures) != 2 || r.Error != nil {
			t.Errorf("row is %+v", r)
		}
	},

	"RowWhoseKeyCanBeReadNowIsOneRow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		bad := bindings.Refused(bindings.JobOwner("j1"), "#0", bindings.Problem{Code: "template_broken"})
		must(t, s.PlanRows(t.Context(), hand(1), "j1", []bindings.Proposal{bad}, 1, true))
		got(s.RetryJob(t.Context(), "j1"))(t)
		must(t, s.RetryRows(t.Context(), "j1", []bindings.Proposal{wantsOutputs(bindings.JobOwner("j1"), "Ada", "card=x")}, true))
		must(t, s.PlanRows(t.Context(), hand(1), "j1", nil, 1, true))
		draw(t, s)
		wantJob(t, s, "j1", batch.Completed, 1, 0)
		if all := got(s.Results(t.Context(), "j1", -1, 10, ""))(t); len(all) != 1 || all[0].Key != "Ada" {
			t.Errorf("rows are %+v", all)
		}
	},

	"TooManyErrorsStopTheJob": func(t *testing.T, open Open) {
		s := newStore(t, open)
		rows := make([]batch.Row, 10)
		for i := range rows {
			rows[i] = batch.Row{Index: int64(i), Key: fmt.Sprint(i), Values: []byte(`{}`)}
		}
		must(t, s.StageRows(t.Context(), "j1", rows))
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, Total: 10, MaxErrors: 2, WebhookURL: "https://example.com"}))
		planJob(t, s, "j1", number)
		drawSome(t, s, 2, "asset_fetch_failed")
		must(t, s.SteerJob(t.Context(), "j1"))
		wantJob(t, s, "j1", batch.Processing, 0, 2)
		drawSome(t, s, 1, "")
		drawSome(t, s, 1, "asset_fetch_failed")
		must(t, s.SteerJob(t.Context(), "j1"))
		wantJob(t, s, "j1", batch.Failed, 1, 9)
		r := got(s.Results(t.Context(), "j1", 8, 1, ""))(t)[0]
		if r.Error == nil || r.Error.Code != batch.RowCancelled || !strings.Contains(r.Error.Message, "more than 2 rows failed") {
			t.Errorf("the last row is %+v", r.Error)
		}
		if sent := deliver(t, s, hook("j1"), nil); len(sent) != 1 {
			t.Errorf("told was %+v", sent)
		}
		// The errors of the run before do not stop the next one.
		got(s.RetryJob(t.Context(), "j1"))(t)
		retryPlan(t, s, "j1", number)
		draw(t, s)
		wantJob(t, s, "j1", batch.Completed, 10, 0)
	},

	"TooManyBadRowsStopThePlanning": func(t *testing.T, open Open) {
		s := newStore(t, open)
		rows := make([]batch.Row, 6)
		for i := range rows {
			rows[i] = batch.Row{Index: int64(i), Key: fmt.Sprint(i), Values: []byte(`{}`)}
		}
		must(t, s.StageRows(t.Context(), "j1", rows))
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, Total: 6, MaxErrors: 1}))
		bad := func(i int64) bindings.Proposal {
			return bindings.Proposal{Owner: bindings.JobOwner("j1"), Key: fmt.Sprint(i), Index: i, Digest: "!", Problem: &bindings.Problem{Code: "missing_variable"}}
		}
		must(t, s.PlanRows(t.Context(), hand(1), "j1", []bindings.Proposal{bad(0), bad(1)}, 2, false))
		if err := s.PlanRows(t.Context(), hand(1), "j1", []bindings.Proposal{bad(2)}, 3, false); !errors.Is(err, store.ErrSteered) {
			t.Errorf("planning on says %v", err)
		}
		must(t, s.SteerJob(t.Context(), "j1"))
		wantJob(t, s, "j1", batch.Failed, 0, 6)
		if got := codes(t, s, "j1"); strings.Join(got, " ") != "missing_variable missing_variable cancelled cancelled cancelled cancelled" {
			t.Errorf("rows ended as %q", got)
		}
	},

	"PausesDoNotCountAsTime": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", number)
		drawSome(t, s, 1, "")
		got(s.PauseJob(t.Context(), "j1"))(t)
		waitMilli(t, s)
		waitMilli(t, s)
		if j := got(s.ResumeJob(t.Context(), "j1"))(t); j.Idle < time.Millisecond || !j.PausedAt.IsZero() {
			t.Errorf("resumed is %+v", j)
		}
	},

	"WrongMovesAreConflictsThatSayWhatIsAllowed": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		moves := map[string]func() error{
			"cancel": func() error { _, err := s.CancelJob(t.Context(), "j1"); return err },
			"pause":  func() error { _, err := s.PauseJob(t.Context(), "j1"); return err },
			"resume": func() error { _, err := s.ResumeJob(t.Context(), "j1"); return err },
			"retry":  func() error { _, err := s.RetryJob(t.Context(), "j1"); return err },
		}
		refuses := func(hint string, names ...string) {
			t.Helper()
			for _, name := range names {
				var p *problem.Error
				if err := moves[name](); !errors.As(err, &p) || p.Code != problem.Conflict || !strings.Contains(p.Hint, hint) {
					t.Errorf("%s says %v, want a conflict and %q", name, err, hint)
				}
			}
		}
		refuses("pause and cancel", "resume", "retry")
		must(t, moves["pause"]())
		refuses("resume and cancel", "pause", "retry")
		must(t, moves["cancel"]())
		refuses("retry", "pause", "resume", "cancel")
		must(t, moves["retry"]())
		planJobFrom(t, s, "j1", number)
		draw(t, s)
		refuses("nothing more", "pause", "resume", "cancel", "retry")
		if _, err := s.CancelJob(t.Context(), "none"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("cancelling no job says %v", err)
		}
	},
}
