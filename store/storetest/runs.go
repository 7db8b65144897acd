package storetest

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// month is a moment that runs of the suite are for.
func month(n int) time.Time { return start.AddDate(0, n, 0) }

func askFor(at time.Time) store.RunAsk {
	return store.RunAsk{Binding: "cards", Source: source, Template: "card", Outputs: []batch.Output{{Name: "card"}}, Cause: batch.ByAsking, For: at}
}

// beginRuns takes the runs that are next, as a turn of its own.
func beginRuns(tb testing.TB, s *store.Store) []batch.Job {
	tb.Helper()
	runs, _, _, err := s.BeginRuns(tb.Context(), store.Turn{ID: 5, Source: source})
	must(tb, err)
	return runs
}

// acceptRun reads a run of n rows.
func acceptRun(tb testing.TB, s *store.Store, id string, n int) {
	tb.Helper()
	must(tb, s.StageRows(tb.Context(), id, rowsOfRun(n)))
	must(tb, s.AcceptRuns(tb.Context(), []store.ReadRun{{Job: id, Version: 1, Outputs: []batch.Output{{Name: "card"}}, Staged: int64(n), Rows: int64(n)}}))
}

func rowsOfRun(n int) (rows []batch.Row) {
	for i := range n {
		rows = append(rows, batch.Row{Index: int64(i), Key: fmt.Sprint(i), Values: []byte(`{}`)})
	}
	return rows
}

// afterThisMoment returns when the ledger's clock, which counts milliseconds, shows
// another time.
func afterThisMoment() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
		runtime.Gosched()
	}
}

var runs = map[string]func(*testing.T, Open){
	"RunIsReadForPlannedDrawnAndTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetRunSinks(map[string][]string{"cards": {"hook"}})
		read(t, s, reading{seq: 1, rows: map[string]string{"0": "0", "1": "1"}, promote: true})
		draw(t, s)
		afterThisMoment()
		j := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		if j.Status != batch.Pending || !j.Unread() || j.Origin.Binding != "cards" || !j.Origin.For.Equal(month(1)) || j.Origin.Cause != batch.ByAsking {
			t.Fatalf("the run is %+v, %+v", j, j.Origin)
		}
		asked := time.Now().Truncate(time.Millisecond)
		begun := beginRuns(t, s)
		if st := times(t, s); st.BegunAt.Before(asked) {
			t.Errorf("the reading for it began at %s, want %s or later", st.BegunAt, asked)
		}
		if len(begun) != 1 || begun[0].ID != j.ID {
			t.Fatalf("to be read for are %+v", begun)
		}
		acceptRun(t, s, j.ID, 3)
		if more := beginRuns(t, s); len(more) != 0 {
			t.Errorf("it is read for again: %+v", more)
		}
		planJob(t, s, j.ID, func(i int64) string { return fmt.Sprint(i) })
		draw(t, s)
		j = got(s.Job(t.Context(), j.ID))(t)
		if j.Status != batch.Completed || j.Total != 3 || j.Deduped != 2 || j.Version != 1 || j.Origin.Rows != 3 {
			t.Errorf("the ended run is %+v, %+v", j, j.Origin)
		}
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || sent[0].Event != sink.RunCompleted || sent[0].Owner.Job() != j.ID {
			t.Errorf("told was %+v, want the end of the run once", sent)
		}
		last := got(s.LastRuns(t.Context(), []string{"cards", "others"}))(t)
		if len(last) != 1 || last["cards"].ID != j.ID {
			t.Errorf("the last runs are %+v", last)
		}
		if at := got(s.Clock(t.Context(), "cards"))(t); !at.Equal(month(1)) {
			t.Errorf("the clock shows %v", at)
		}
	},

	"RefreshIsToldToNobody": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetRunSinks(map[string][]string{"cards": {"hook"}})
		ask := askFor(month(1))
		ask.Cause = batch.ByRefresh
		j := got(s.AskRun(t.Context(), ask))(t)
		beginRuns(t, s)
		acceptRun(t, s, j.ID, 0)
		planJob(t, s, j.ID, func(int64) string { return "" })
		if j = got(s.Job(t.Context(), j.ID))(t); j.Status != batch.Completed {
			t.Errorf("a run without rows is %s", j.Status)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("told was %+v", sent)
		}
	},

	"RunThatDiedWhileItWasReadIsReadAgain": func(t *testing.T, open Open) {
		s := open(t)
		j := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		beginRuns(t, s)
		must(t, s.StageRows(t.Context(), j.ID, rowsOfRun(5)))
		must(t, s.Close())
		s = newStore(t, open)
		if begun := beginRuns(t, s); len(begun) != 1 || begun[0].ID != j.ID {
			t.Fatalf("to be read for are %+v", begun)
		}
		acceptRun(t, s, j.ID, 3) // the same indexes: what was staged before is gone
		if rows := got(s.UnplannedRows(t.Context(), j.ID, 10))(t); len(rows) != 3 {
			t.Errorf("it has %d rows", len(rows))
		}
	},

	"SameRunIsAskedForOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		first := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		if again := got(s.AskRun(t.Context(), askFor(month(1))))(t); again.ID != first.ID {
			t.Error("the same moment is another run")
		}
		if other := got(s.AskRun(t.Context(), askFor(month(2))))(t); other.ID == first.ID {
			t.Error("another moment is the same run")
		}
		whenever := askFor(month(3))
		whenever.Whenever, whenever.Cause = true, batch.ByRefresh
		refresh := got(s.AskRun(t.Context(), whenever))(t)
		whenever.For = month(4)
		if again := got(s.AskRun(t.Context(), whenever))(t); again.ID != refresh.ID {
			t.Error("a refresh that has not begun is not the same")
		}
		for len(beginRuns(t, s)) > 0 {
			for _, id := range []string{first.ID, refresh.ID} {
				must(t, s.AcceptRuns(t.Context(), []store.ReadRun{{Job: id, Failed: "away", Code: batch.SourceFailed}}))
			}
			must(t, s.FailRunsOf(t.Context(), source, "gone"))
		}
		if again := got(s.AskRun(t.Context(), askFor(month(1))))(t); again.ID == first.ID {
			t.Error("a run that has ended is not run again")
		}
	},

	"FailedRunEndsWithItsReason": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetRunSinks(map[string][]string{"cards": {"hook"}})
		j := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		beginRuns(t, s)
		must(t, s.StageRows(t.Context(), j.ID, rowsOfRun(2)))
		must(t, s.AcceptRuns(t.Context(), []store.ReadRun{{Job: j.ID, Failed: "the source is away", Code: batch.SourceFailed}}))
		j = got(s.Job(t.Context(), j.ID))(t)
		if j.Status != batch.Failed || j.Stop == nil || j.Stop.Message != "the source is away" || j.Stop.Code != batch.SourceFailed || j.Total != 0 {
			t.Errorf("the run is %+v, %+v", j, j.Stop)
		}
		if left := got(s.Sent(t.Context(), j.ID, -1, 10))(t); len(left) != 0 {
			t.Errorf("%d rows are left", len(left))
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 {
			t.Errorf("told was %+v", sent)
		}
	},

	"RunThatIsCancelledWhileItIsReadStaysSo": func(t *testing.T, open Open) {
		s := newStore(t, open)
		j := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		beginRuns(t, s)
		got(s.CancelJob(t.Context(), j.ID))(t)
		acceptRun(t, s, j.ID, 3)
		j = got(s.Job(t.Context(), j.ID))(t)
		if j.Status != batch.Cancelled || j.Total != 0 || len(got(s.Sent(t.Context(), j.ID, -1, 10))(t)) != 0 {
			t.Errorf("the run is %+v", j)
		}
	},

	"RunThatIsPutOffWaits": func(t *testing.T, open Open) {
		s := newStore(t, open)
		j := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		beginRuns(t, s)
		must(t, s.PutOffRuns(t.Context(), []string{j.ID}, "429", time.Hour))
		if begun := beginRuns(t, s); len(begun) != 0 {
			t.Errorf("it is read for at once: %+v", begun)
		}
		if j = got(s.Job(t.Context(), j.ID))(t); j.Origin.Tries != 1 || j.Origin.Note != "429" || j.Origin.Phase != batch.RunWaiting {
			t.Errorf("the run is %+v", j.Origin)
		}
	},

	"ScheduleFiresOnceAndQueuesInOrder": func(t *testing.T, open Open) {
		s := open(t)
		const rule = "0 6 1 * * UTC"
		if last := got(s.ScheduledUntil(t.Context(), source, rule, month(0)))(t); !last.Equal(month(0)) {
			t.Fatalf("a new schedule is done up to %v", last)
		}
		fire := func(n int, queue bool) store.Fired {
			return got(s.Fire(t.Context(), store.Firing{Source: source, Rule: rule, Pass: month(n), Queue: queue, Runs: []store.RunAsk{askFor(month(n))}}))(t)
		}
		if f := fire(1, false); f.Runs != 1 {
			t.Errorf("fired %+v", f)
		}
		must(t, s.Close())
		s = newStore(t, open)
		if f := fire(1, false); f.Runs != 0 || f.Skipped {
			t.Errorf("after a restart the same time gave %+v", f)
		}
		if f := fire(2, false); f.Runs != 0 || !f.Skipped {
			t.Errorf("while one goes on, the next gave %+v", f)
		}
		if f := fire(3, true); f.Runs != 1 || f.Skipped {
			t.Errorf("one that queues gave %+v", f)
		}
		if last := got(s.ScheduledUntil(t.Context(), source, rule, month(9)))(t); !last.Equal(month(3)) {
			t.Errorf("the schedule is done up to %v", last)
		}
		begun := beginRuns(t, s)
		if len(begun) != 1 || !begun[0].Origin.For.Equal(month(1)) || begun[0].Origin.Cause != batch.BySchedule {
			t.Fatalf("first to be read for is %+v", begun)
		}
		acceptRun(t, s, begun[0].ID, 1)
		if more := beginRuns(t, s); len(more) != 0 {
			t.Errorf("the next is read for while the first is drawn: %+v", more)
		}
		planJob(t, s, begun[0].ID, func(int64) string { return "" })
		if more := beginRuns(t, s); len(more) != 1 || !more[0].Origin.For.Equal(month(3)) {
			t.Errorf("then comes %+v", more)
		}
		if last := got(s.ScheduledUntil(t.Context(), source, "@daily UTC", month(9)))(t); !last.Equal(month(9)) {
			t.Errorf("another schedule is done up to %v", last)
		}
		if f := fire(10, true); f.Runs != 0 {
			t.Errorf("a schedule that was changed meanwhile gave %+v", f)
		}
	},

	"RowsThatNeedAnotherPictureAreToldApart": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1", "c": "1"}, promote: true})
		draw(t, s)
		afterThisMoment()
		since := time.Now()
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "b": "2", "c": "1"}, promote: true})
		redrawn := got(s.Redrawn(t.Context(), "cards", []string{"a", "b", "c"}, since))(t)
		if len(redrawn) != 1 || !redrawn["b"] {
			t.Errorf("redrawn are %v", redrawn)
		}
	},

	"RunsAndBatchesAreListedApart": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		run := got(s.AskRun(t.Context(), askFor(month(1))))(t)
		for filter, want := range map[batch.JobFilter]string{{Kind: batch.KindBatch}: "j1", {Kind: batch.KindRun}: run.ID, {Binding: "cards"}: run.ID} {
			found := got(s.FindJobs(t.Context(), filter, 10))(t)
			if len(found) != 1 || found[0].ID != want {
				t.Errorf("%+v finds %+v", filter, found)
			}
		}
		if none := got(s.FindJobs(t.Context(), batch.JobFilter{Binding: "others"}, 10))(t); len(none) != 0 {
			t.Errorf("another binding has %+v", none)
		}
	},

	"HeldChangesOfAReadingAreCounted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}, judge: func(string, bindings.Counts) bindings.Verdict {
			return bindings.Verdict{HoldChanges: true, Reason: "too many"}
		}})
		held, reason, err := s.HeldBy(t.Context(), "cards", source+"#2")
		if err != nil || held != 1 || reason != "too many" {
			t.Errorf("held are %d, %q, %v", held, reason, err)
		}
		if held, _, err := s.HeldBy(t.Context(), "cards", "another"); err != nil || held != 0 {
			t.Errorf("of another reading %d are held, %v", held, err)
		}
	},
}
