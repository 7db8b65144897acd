package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// tellingJob is a job of n rows whose webhook is sent these events. Every fifth
// row is at fault.
func tellingJob(tb testing.TB, s *store.Store, id string, n int, events ...string) {
	tb.Helper()
	var rows []batch.Row
	for i := range int64(n) {
		rows = append(rows, batch.Row{Index: i, Key: fmt.Sprint(i), Values: []byte(`{}`)})
	}
	must(tb, s.StageRows(tb.Context(), id, rows))
	must(tb, s.AcceptJob(tb.Context(), batch.Job{ID: id, Template: "card", Version: 1, Total: int64(n), WebhookURL: "https://example.com/hook", WebhookEvents: events}))
	planJob(tb, s, id, func(i int64) string {
		if i%5 == 0 {
			return ""
		}
		return fmt.Sprint(i)
	})
	draw(tb, s)
}

var rowEvents = map[string]func(*testing.T, Open){
	"EachRowIsToldToWhoWantsToKnow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellingJob(t, s, "j1", 10, sink.RenderCompleted, sink.RenderFailed)
		byIndex := map[int64]store.DeliveryClaim{}
		for _, c := range deliver(t, s, "rows:j1", nil) {
			byIndex[c.Index] = c
		}
		if len(byIndex) != 10 {
			t.Fatalf("told was of %d rows, want 10", len(byIndex))
		}
		if c := byIndex[5]; c.Event != sink.RenderFailed || c.Key != "5" || !cmp.Equal(c.Fault, &batch.RowError{Code: "missing_variable", Message: "the title is missing"}) || len(c.Outputs) != 0 {
			t.Errorf("of a row at fault was told %+v", c)
		}
		want := []sink.Output{{Name: "card", Hash: "hash of fp-card-7", Format: "png", Ext: "png", Width: 4, Height: 3}}
		if c := byIndex[7]; c.Event != sink.RenderCompleted || c.Owner != bindings.JobOwner("j1") || c.Fault != nil || !cmp.Equal(c.Outputs, want) {
			t.Errorf("of a good row was told %+v", c)
		}
		if end := deliver(t, s, hook("j1"), nil); len(end) != 0 {
			t.Errorf("of the end, which nobody wants to hear of, was told %+v", end)
		}
		if c := got(s.Counters(t.Context()))(t); c.DeliveriesWaiting != 0 {
			t.Errorf("counters are %+v", c)
		}
	},

	"OnlyWhatIsWantedIsTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellingJob(t, s, "j1", 10, sink.RenderFailed, sink.BatchCompleted)
		tellingJob(t, s, "j2", 10)
		if told := deliver(t, s, "rows:j1", nil); len(told) != 2 {
			t.Errorf("told was of %d rows, want the two that failed", len(told))
		}
		if told := deliver(t, s, "rows:j2", nil); len(told) != 0 {
			t.Errorf("told was of %d rows of a job that did not ask", len(told))
		}
		for _, id := range []string{"j1", "j2"} {
			if end := deliver(t, s, hook(id), nil); len(end) != 1 || end[0].Event != sink.BatchCompleted {
				t.Errorf("of the end of %s was told %+v", id, end)
			}
		}
	},

	"JobIsKeptUntilItsRowsWereToldOf": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellingJob(t, s, "j1", 10, sink.RenderCompleted, sink.BatchCompleted)
		deliver(t, s, hook("j1"), nil)
		soon := time.Now().Add(time.Hour)
		if n := got(s.ExpireJobs(t.Context(), soon))(t); n != 0 {
			t.Error("a job is gone of whose rows nobody was told")
		}
		deliver(t, s, "rows:j1", nil)
		if n := got(s.ExpireJobs(t.Context(), soon))(t); n != 1 {
			t.Errorf("%d jobs are gone, want 1", n)
		}
	},

	"RowsThatNobodyTakesAreGivenUpTogether": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellingJob(t, s, "j1", 80, sink.RenderCompleted)
		turn := store.Turn{ID: 7, Sink: "rows:j1"}
		claims := got(s.ClaimDeliveries(t.Context(), turn, 10))(t)
		var done []store.Delivered
		for _, c := range claims {
			done = append(done, store.Delivered{ID: c.ID, Err: errors.New("no answer"), Retry: time.Hour})
		}
		must(t, s.FinishDeliveries(t.Context(), turn, done, true))
		if dropped := got(s.GiveUpRowEvents(t.Context(), "rows:j1"))(t); dropped != 64 {
			t.Errorf("%d were given up, want 64", dropped)
		}
		if dropped := got(s.GiveUpRowEvents(t.Context(), hook("j1")))(t); dropped != 0 {
			t.Error("the end of a job was given up")
		}
		mustCount(t, s, store.DeliveryCount{Sink: "batch_rows", Planned: 64, Dead: 64})
	},
}
