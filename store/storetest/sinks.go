package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// mustCount checks all that is counted of deliveries, and that it adds up.
func mustCount(tb testing.TB, s *store.Store, want ...store.DeliveryCount) {
	tb.Helper()
	counts := got(s.DeliveryCounts(tb.Context()))(tb)
	if diff := cmp.Diff(want, counts); diff != "" {
		tb.Errorf("counts (-want +got):\n%s", diff)
	}
	mustAddUp(tb, counts)
}

func mustAddUp(tb testing.TB, counts []store.DeliveryCount) {
	tb.Helper()
	for _, c := range counts {
		if c.Planned != c.Delivered+c.Waiting+c.Dead+c.Superseded {
			tb.Errorf("%+v does not add up", c)
		}
	}
}

// tellMany leaves n deliveries to hook waiting.
func tellMany(tb testing.TB, s *store.Store, n int) {
	tb.Helper()
	hear(s)
	var all []bindings.Proposal
	for i := range n {
		all = append(all, wants(fmt.Sprintf("k%03d", i), fmt.Sprint(i)))
	}
	replan(tb, s, all...)
	draw(tb, s)
}

// impatient is a policy under which two failures make a sink rest for an hour.
var impatient = store.SinkPolicy{Failures: 2, Rest: retry.Backoff{Base: time.Hour, Max: 2 * time.Hour}, Longest: time.Hour}

// brief is one whose rests are over soon.
var brief = store.SinkPolicy{Failures: 2, Rest: retry.Backoff{Base: 2 * time.Millisecond, Max: 2 * time.Millisecond}, Longest: time.Hour}

var toHook = store.Turn{ID: 3000, Sink: "hook"}

// round is one round of a turn on hook: what it holds ends with err.
func round(tb testing.TB, s *store.Store, claims []store.DeliveryClaim, policy store.SinkPolicy, room int, end func(d *store.Delivered)) store.Rounded {
	tb.Helper()
	r := store.Round{Room: room, Policy: policy}
	for _, c := range claims {
		d := store.Delivered{ID: c.ID, At: time.Now(), Retry: time.Hour}
		if end != nil {
			end(&d)
		}
		r.Done = append(r.Done, d)
	}
	return got(s.DeliverRound(tb.Context(), toHook, r))(tb)
}

// afterRest is what is taken on when the rest of hook is over.
func afterRest(tb testing.TB, s *store.Store, policy store.SinkPolicy) (claims []store.DeliveryClaim) {
	tb.Helper()
	until(tb, s, "the end of the rest", func() bool {
		claims = round(tb, s, nil, policy, 5, nil).Claims
		return len(claims) > 0
	})
	return claims
}

func down(d *store.Delivered) { d.Err = errDown }

var sinks = map[string]func(*testing.T, Open){
	"PausedSinkWaitsUntilItIsResumed": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3)
		must(t, s.PauseSink(t.Context(), "hook"))
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("while it is paused %+v was sent", sent)
		}
		if is := got(s.SinkState(t.Context(), "hook"))(t); is.Is() != store.SinkPaused {
			t.Errorf("the sink is %+v", is)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "hook", Planned: 3, Waiting: 3})
		must(t, s.ResumeSink(t.Context(), "hook"))
		if sent := deliver(t, s, "hook", nil); len(sent) != 3 || sent[0].Attempt != 1 {
			t.Errorf("then %+v was sent", sent)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "hook", Planned: 3, Delivered: 3})
	},

	"PauseOutlivesWhatIsOnItsWay": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3)
		claims := round(t, s, nil, impatient, 2, nil).Claims
		must(t, s.PauseSink(t.Context(), "hook"))
		if r := round(t, s, claims, impatient, 2, nil); !r.Idle || len(r.Claims) != 0 || r.Now.Is() != store.SinkPaused {
			t.Errorf("the round went %+v", r)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "hook", Planned: 3, Delivered: 2, Waiting: 1})
	},

	"SinkThatFailsRests": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 9)
		claims := round(t, s, nil, impatient, 4, nil).Claims
		r := round(t, s, claims[:1], impatient, 0, down)
		if r.Idle || r.Now.Is() != store.SinkFailing || r.Now.Failures != 1 {
			t.Errorf("after one failure it is %+v", r)
		}
		r = round(t, s, claims[1:3], impatient, 4, down)
		if wait := time.Until(r.Now.RestUntil); !r.Idle || r.Now.Is() != store.SinkResting || wait < 25*time.Minute || wait > time.Hour || len(r.Claims) != 0 {
			t.Errorf("after three failures it is %+v", r)
		}
		rest := r.Now.RestUntil
		if r = round(t, s, claims[3:], impatient, 0, down); !r.Now.RestUntil.Equal(rest) || r.Now.Failures != 4 {
			t.Errorf("what was on its way made it %+v", r.Now)
		}
		if got := got(s.SinkState(t.Context(), "hook"))(t); !cmp.Equal(got, r.Now) {
			t.Errorf("kept is %+v, want %+v", got, r.Now)
		}
		must(t, s.ResumeSink(t.Context(), "hook"))
		sent := deliver(t, s, "hook", nil)
		tries := map[int]int{}
		for _, c := range sent {
			tries[c.Attempt]++
		}
		if want := map[int]int{1: 5, 2: 4}; !cmp.Equal(tries, want) {
			t.Errorf("resumed, the tries are %v, want %v: what was not tried keeps its tries", tries, want)
		}
	},

	"AfterItsRestOneTries": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 9)
		claims := round(t, s, nil, brief, 3, nil).Claims
		round(t, s, claims, brief, 0, down)
		probe := afterRest(t, s, brief)
		if len(probe) != 1 {
			t.Fatalf("after the rest %d try, want 1", len(probe))
		}
		if more := round(t, s, nil, brief, 5, nil).Claims; len(more) != 0 {
			t.Fatalf("while it tries %d others do", len(more))
		}
		r := round(t, s, probe, brief, 9, nil)
		if len(r.Claims) != 8 || r.Now.Is() != store.SinkWell || r.Now.ArrivedAt.IsZero() {
			t.Errorf("after it arrived %d are taken on, want all 8; it is %+v", len(r.Claims), r.Now)
		}
	},

	"RestGrows": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 30)
		growing := store.SinkPolicy{Failures: 1, Rest: retry.Backoff{Base: 2 * time.Millisecond, Max: time.Hour}}
		var last time.Duration
		for n := range 6 {
			claims := afterRest(t, s, growing)
			began := time.Now()
			r := round(t, s, claims, growing, 0, down)
			last = r.Now.RestUntil.Sub(began)
			if r.Now.Rests != int64(n+1) {
				t.Fatalf("it is %+v, want %d rests", r.Now, n+1)
			}
		}
		if last < 25*time.Millisecond { // half of 2 ms · 2^5, and a little of the clock
			t.Errorf("the sixth rest is %s", last)
		}
	},

	"SinkThatAsksToWaitRests": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3)
		claims := round(t, s, nil, impatient, 1, nil).Claims
		r := round(t, s, claims, impatient, 5, func(d *store.Delivered) { d.Err, d.Asked = errDown, 20*time.Minute })
		if wait := time.Until(r.Now.RestUntil); !r.Idle || wait < 19*time.Minute || wait > 20*time.Minute {
			t.Errorf("it is %+v", r.Now)
		}
		must(t, s.ResumeSink(t.Context(), "hook"))
		claims = round(t, s, nil, impatient, 1, nil).Claims
		r = round(t, s, claims, impatient, 5, func(d *store.Delivered) { d.Err, d.Asked = errDown, 20*time.Hour })
		if wait := time.Until(r.Now.RestUntil); wait > time.Hour {
			t.Errorf("it may rest %s", wait)
		}
	},

	"FaultsOfRowsAreNotTheSinks": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 9)
		claims := round(t, s, nil, impatient, 5, nil).Claims
		r := round(t, s, claims, impatient, 9, func(d *store.Delivered) { d.Err, d.Dead, d.OfRow = errDown, true, true })
		if r.Idle || len(r.Claims) != 4 || r.Now.Is() != store.SinkWell {
			t.Errorf("after five rows at fault it is %+v, and %d are taken on", r.Now, len(r.Claims))
		}
	},

	"SinkThatIsGoneIsDisabled": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3)
		claims := round(t, s, nil, impatient, 1, nil).Claims
		r := round(t, s, claims, impatient, 5, func(d *store.Delivered) { d.Err, d.Dead, d.Gone = errDown, true, true })
		if !r.Idle || r.Now.Is() != store.SinkDisabled || r.Now.Reason != errDown.Error() || r.Was.Is() != store.SinkWell {
			t.Errorf("the round went %+v", r)
		}
		replan(t, s, wants("new", "new")) // it goes on being planned for
		draw(t, s)
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("while it is disabled %+v was sent", sent)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "hook", Planned: 4, Waiting: 3, Dead: 1})
		if all := got(s.SinkStates(t.Context()))(t); len(all) != 1 || all[0].Is() != store.SinkDisabled {
			t.Errorf("the states are %+v", all)
		}
		must(t, s.ResumeSink(t.Context(), "hook"))
		if sent := deliver(t, s, "hook", nil); len(sent) != 3 {
			t.Errorf("resumed, %+v was sent", sent)
		}
	},

	"SinkOfWhichNothingArrivesIsDisabled": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3)
		patient := store.SinkPolicy{Failures: 100, Patience: 5 * time.Millisecond}
		claims := round(t, s, nil, patient, 2, nil).Claims
		if r := round(t, s, claims[:1], patient, 0, down); r.Now.Is() != store.SinkFailing {
			t.Fatalf("it is %+v", r.Now)
		}
		since := time.Now()
		until(t, s, "its patience ends", func() bool { return time.Since(since) > 10*time.Millisecond })
		r := round(t, s, claims[1:], patient, 5, down)
		if r.Now.Is() != store.SinkDisabled || r.Now.Reason == "" || len(r.Claims) != 0 {
			t.Errorf("it is %+v", r.Now)
		}
	},

	"ArrivalLetsGoWhatFailedWithTheSink": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 4)
		claims := round(t, s, nil, brief, 3, nil).Claims
		round(t, s, claims, brief, 0, down) // each waits an hour
		r := round(t, s, afterRest(t, s, brief), brief, 5, nil)
		if len(r.Claims) != 3 || r.Claims[0].Attempt != 2 {
			t.Errorf("taken on are %+v, want the three that failed", r.Claims)
		}
	},

	"ChangedSinkRestsNoMore": func(t *testing.T, open Open) {
		s := newStore(t, open)
		configure := func(digest string) store.Configured {
			return got(s.ConfigureSinks(t.Context(), map[string]string{"hook": digest}))(t)
		}
		configure("one")
		tellMany(t, s, 3)
		if r := round(t, s, round(t, s, nil, impatient, 2, nil).Claims, impatient, 2, down); r.Now.Is() != store.SinkResting {
			t.Fatalf("the sink is %+v", r.Now)
		}
		configure("one")
		if is := got(s.SinkState(t.Context(), "hook"))(t); is.Is() != store.SinkResting {
			t.Errorf("as it was the sink is %+v", is)
		}
		configure("two")
		if is := got(s.SinkState(t.Context(), "hook"))(t); is.Is() != store.SinkWell {
			t.Errorf("configured otherwise it is %+v", is)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 3 {
			t.Errorf("told was %+v, want all three", sent)
		}
	},

	"ChangedSinkStaysDisabledAndSaysSo": func(t *testing.T, open Open) {
		s := newStore(t, open)
		configure := func(digest string) store.Configured {
			return got(s.ConfigureSinks(t.Context(), map[string]string{"hook": digest}))(t)
		}
		configure("one")
		tellMany(t, s, 3)
		round(t, s, round(t, s, nil, impatient, 1, nil).Claims, impatient, 1, func(d *store.Delivered) { d.Err, d.Dead, d.Gone = errDown, true, true })
		for _, digest := range []string{"two", "three"} {
			if done := configure(digest); !slices.Equal(done.Disabled, []string{"hook"}) {
				t.Errorf("%s: disabled and changed are %v", digest, done.Disabled)
			}
		}
		is := got(s.SinkState(t.Context(), "hook"))(t)
		if is.Is() != store.SinkDisabled || !strings.HasPrefix(is.Reason, errDown.Error()) || strings.Count(is.Reason, "otherwise") != 1 {
			t.Errorf("the sink is %+v", is)
		}
		if done := configure("three"); len(done.Disabled) > 0 {
			t.Errorf("it is as it was, and changed are %v", done.Disabled)
		}
	},

	"SinkThatIsConfiguredNoMoreLosesNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3) // of a ledger in which nothing is known of the sink
		for range 2 {
			if done := got(s.ConfigureSinks(t.Context(), map[string]string{"other": "one"}))(t); !slices.Equal(done.Absent, []string{"hook"}) {
				t.Errorf("absent are %v", done.Absent)
			}
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("a sink that there is not was told %+v", sent)
		}
		is := got(s.SinkState(t.Context(), "hook"))(t)
		if held := got(s.HeldDeliveries(t.Context()))(t); held != 3 || is.Is() != store.SinkAbsent {
			t.Errorf("%d are held, and the sink is %+v", held, is)
		}
		if n := got(s.GiveUpAbsent(t.Context(), is.AbsentSince.Add(-time.Millisecond)))(t); n != 0 {
			t.Errorf("%d were given up before their time", n)
		}
		if n := got(s.GiveUpAbsent(t.Context(), is.AbsentSince))(t); n != 3 {
			t.Errorf("%d were given up, want 3", n)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "hook", Planned: 3, Dead: 3})
		groups := got(s.DeadLetters(t.Context(), sink.Selection{}, 10))(t)
		if len(groups) != 1 || groups[0].Count != 3 || !strings.Contains(groups[0].Error, "no longer configured") {
			t.Errorf("dead letters are %+v", groups)
		}
		got(s.ConfigureSinks(t.Context(), map[string]string{"hook": "one", "other": "one"}))(t)
		if n := got(s.Replay(t.Context(), sink.Selection{Sink: "hook"}))(t); n != 3 {
			t.Errorf("%d were replayed, want 3", n)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 3 || sent[0].Attempt != 1 {
			t.Errorf("when the sink is back told was %+v", sent)
		}
	},

	"RestThatBeganUnderAWrongClockIsOver": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellMany(t, s, 3)
		years := store.SinkPolicy{Failures: 1, Rest: retry.Backoff{Base: 9000 * time.Hour, Max: 9000 * time.Hour}, Longest: time.Hour}
		if r := round(t, s, round(t, s, nil, years, 1, nil).Claims, years, 1, down); r.Idle || len(r.Claims) != 1 || r.Now.Is() != store.SinkResting {
			t.Errorf("the round went %+v, want one that tries", r)
		}
	},

	"JobsSinkLeavesNothingBehind": func(t *testing.T, open Open) {
		s := newStore(t, open)
		tellingJob(t, s, "j1", 10, sink.RenderCompleted, sink.BatchCompleted)
		turn := store.Turn{ID: 7, Sink: hook("j1")}
		claims := got(s.ClaimDeliveries(t.Context(), turn, 10))(t)
		must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{{ID: claims[0].ID, Err: errDown, Retry: 0}}, true))
		if is := got(s.SinkState(t.Context(), hook("j1")))(t); is.Failures != 1 {
			t.Errorf("the sink is %+v", is)
		}
		if all := got(s.SinkStates(t.Context()))(t); len(all) != 0 {
			t.Errorf("the states are %+v", all)
		}
		waitMilli(t, s)
		deliver(t, s, "rows:j1", nil)
		got(s.DeleteJob(t.Context(), "j1"))(t)
		got(s.EmptyJobs(t.Context()))(t)
		if is := got(s.SinkState(t.Context(), hook("j1")))(t); !cmp.Equal(is, store.SinkState{Sink: hook("j1")}) {
			t.Errorf("of the sink of a job that is no more is known %+v", is)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "batch", Planned: 1, Superseded: 1}, store.DeliveryCount{Sink: "batch_rows", Planned: 8, Delivered: 8})
	},
}
