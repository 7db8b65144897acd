package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// tryAll makes one try at each due delivery of a sink, which ends with err, and
// is the last one where dead is said.
func tryAll(tb testing.TB, s *store.Store, name string, err error, dead bool) []store.DeliveryClaim {
	tb.Helper()
	turn := store.Turn{ID: 2100, Sink: name}
	claims := got(s.ClaimDeliveries(tb.Context(), turn, 50))(tb)
	var done []store.Delivered
	for _, c := range claims {
		done = append(done, store.Delivered{ID: c.ID, At: start.Add(time.Duration(c.Attempt) * time.Minute), Took: 7 * time.Millisecond, Err: err, Dead: dead,
			Receipt: sink.Receipt{Status: 503 - int(flagOf(err == nil))*303, Body: fmt.Sprintf("answer %d", c.Attempt), Header: map[string]string{"Retry-After": "7"}}})
	}
	must(tb, s.FinishDeliveries(tb.Context(), turn, done, true))
	return claims
}

func flagOf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// rows reads and draws rows, each showing its key and text.
func tellRows(tb testing.TB, s *store.Store, seq int64, text string, keys ...string) {
	tb.Helper()
	rows := map[string]string{}
	for _, key := range keys {
		rows[key] = text + " " + key
	}
	read(tb, s, reading{seq: seq, rows: rows, promote: true})
	draw(tb, s)
}

func listed(tb testing.TB, s *store.Store, f sink.Selection) (keys []string) {
	tb.Helper()
	for _, r := range got(s.Deliveries(tb.Context(), f, sink.Place{}, 100))(tb) {
		keys = append(keys, r.Key)
	}
	slices.Sort(keys)
	return keys
}

func slugOf(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Kind()
	}
	return fmt.Sprint(err)
}

func noRow(key string) error {
	return problem.New(problem.Upstream, "table %q has no row %q", "products", key).WithSlug("target_missing")
}

var letters = map[string]func(*testing.T, Open){
	"DeliveriesAreFound": func(t *testing.T, open Open) {
		s := newStore(t, open)
		events := []string{"render.completed", "image.removed"}
		s.SetSinks(map[string][]string{"cards": {"hook", "other"}}, map[string][]string{"hook": events, "other": {"render.completed"}})
		tellRows(t, s, 1, "1", "a", "b", "c")
		tryAll(t, s, "hook", nil, false)
		tryAll(t, s, "other", errDown, true)
		for name, c := range map[string]struct {
			filter sink.Selection
			want   []string
		}{
			"all":                {sink.Selection{}, []string{"a", "a", "b", "b", "c", "c"}},
			"sink":               {sink.Selection{Sink: "hook"}, []string{"a", "b", "c"}},
			"another sink":       {sink.Selection{Sink: "hoo"}, nil},
			"binding":            {sink.Selection{Binding: "cards", Sink: "hook"}, []string{"a", "b", "c"}},
			"another binding":    {sink.Selection{Binding: "card"}, nil},
			"job":                {sink.Selection{Job: "cards"}, nil},
			"key":                {sink.Selection{Key: "b"}, []string{"b", "b"}},
			"state":              {sink.Selection{State: sink.Dead}, []string{"a", "b", "c"}},
			"event":              {sink.Selection{Event: sink.ImageRemoved}, nil},
			"since before":       {sink.Selection{Since: time.Now().Add(-time.Hour), Sink: "hook"}, []string{"a", "b", "c"}},
			"since to come":      {sink.Selection{Since: time.Now().Add(time.Hour)}, nil},
			"seen":               {sink.Selection{Seen: &sink.Seen{Bindings: []string{"cards"}}, Sink: "hook"}, []string{"a", "b", "c"}},
			"not seen":           {sink.Selection{Seen: &sink.Seen{Bindings: []string{"others"}, Templates: []string{"card"}}}, nil},
			"nothing that is it": {sink.Selection{IDs: []string{}}, nil},
			"a quote":            {sink.Selection{Sink: "hook' OR '1' = '1"}, nil},
		} {
			if diff := cmp.Diff(c.want, listed(t, s, c.filter)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	},

	"PagesOfDeliveriesHaveEachOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		var want, have []string
		for i := range 7 {
			want = append(want, fmt.Sprintf("k%d", i))
		}
		tellRows(t, s, 1, "1", want...) // all at one moment
		var after sink.Place
		for range 10 {
			page := got(s.Deliveries(t.Context(), sink.Selection{}, after, 2))(t)
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				have = append(have, r.Key)
			}
			after = sink.Place{At: page[len(page)-1].CreatedAt, ID: page[len(page)-1].ID}
		}
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
	},

	"DeliveryTellsAllItsAttempts": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		id := tryAll(t, s, "hook", noRow("a"), false)[0].ID
		r := got(s.Delivery(t.Context(), id, nil))(t)
		if string(r.Row) != `{"id":"a","text":"1"}` || len(r.Outputs) != 1 || r.Outputs[0].Hash != "hash of fp-card-1" || r.Binding != "cards" || r.State != sink.Waiting {
			t.Errorf("the delivery is %+v", r)
		}
		tryAll(t, s, "hook", nil, false)
		want := []sink.Try{
			{Number: 1, At: start.Add(time.Minute), Took: 7 * time.Millisecond, Receipt: sink.Receipt{Status: 503, Body: "answer 1", Header: map[string]string{"Retry-After": "7"}}, Error: `table "products" has no row "a"`},
			{Number: 2, At: start.Add(2 * time.Minute), Took: 7 * time.Millisecond, Receipt: sink.Receipt{Status: 200, Body: "answer 2", Header: map[string]string{"Retry-After": "7"}}},
		}
		r = got(s.Delivery(t.Context(), id, &sink.Seen{Bindings: []string{"cards"}}))(t)
		if diff := cmp.Diff(want, r.Tries); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if r.State != sink.Delivered || r.Attempts != 2 || r.Receipt == nil || r.Receipt.Body != "answer 2" {
			t.Errorf("the delivery is %+v", r)
		}
		for _, seen := range []*sink.Seen{nil, {Bindings: []string{"others"}}} {
			which := id
			if seen == nil {
				which = "dlv_none"
			}
			if _, err := s.Delivery(t.Context(), which, seen); slugOf(err) != store.DeliveryNotFound {
				t.Errorf("of one that may not be seen: %v", err)
			}
		}
	},

	"DeadLettersOfTheSameErrorAreOneGroup": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tellRows(t, s, 1, "1", "a", "b", "c")
		turn := store.Turn{ID: 1, Sink: "hook"}
		before := time.Now().Add(-time.Minute)
		for _, c := range got(s.ClaimDeliveries(t.Context(), turn, 10))(t) {
			err := noRow(c.Key)
			if c.Key == "c" {
				err = errDown
			}
			must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{{ID: c.ID, Err: err, Dead: true}}, false))
		}
		groups := got(s.DeadLetters(t.Context(), sink.Selection{}, 10))(t)
		if len(groups) != 2 || groups[0].Count != 2 || groups[1].Count != 1 || groups[0].Cause == groups[1].Cause {
			t.Fatalf("groups are %+v", groups)
		}
		g := groups[0]
		if g.Sink != "hook" || len(g.IDs) != 2 || g.Error == "" || !slices.Equal(g.Events, []string{"render.completed"}) || g.FirstSeen.Before(before) || g.LastSeen.Before(g.FirstSeen) {
			t.Errorf("the group is %+v", g)
		}
		if of := got(s.Backlogs(t.Context()))(t); of["hook"] != (sink.Backlog{Dead: 3}) || len(of) != 1 {
			t.Errorf("by sink: %v", of)
		}
		if n := got(s.Replay(t.Context(), sink.Selection{Cause: g.Cause}))(t); n != 2 {
			t.Errorf("%d were replayed, want 2", n)
		}
		if left := got(s.DeadLetters(t.Context(), sink.Selection{}, 10))(t); len(left) != 1 || left[0].Cause != groups[1].Cause {
			t.Errorf("left are %+v", left)
		}
	},

	"ReplayedLetterHasAllItsTriesAgainAndKeepsTheOld": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		tryAll(t, s, "hook", errDown, false)
		id := tryAll(t, s, "hook", errDown, true)[0].ID
		if len(tryAll(t, s, "hook", nil, false)) != 0 {
			t.Fatal("a dead letter was tried")
		}
		must(t, s.ReplayOne(t.Context(), id))
		again := tryAll(t, s, "hook", errDown, false)
		if len(again) != 1 || again[0].ID != id || again[0].Attempt != 3 || again[0].Spent != 2 || again[0].Outputs[0].Hash != "hash of fp-card-1" || again[0].Row["text"] != "1" {
			t.Fatalf("tried again was %+v", again)
		}
		tryAll(t, s, "hook", nil, false)
		r := got(s.Delivery(t.Context(), id, nil))(t)
		var numbers []int64
		for _, one := range r.Tries {
			numbers = append(numbers, one.Number)
		}
		if !slices.Equal(numbers, []int64{1, 2, 3, 4}) || r.State != sink.Delivered || r.Spent != 2 {
			t.Errorf("attempts %v of %+v", numbers, r)
		}
	},

	"LettersAreReplayedBySinkAndSince": func(t *testing.T, open Open) {
		s := newStore(t, open)
		events := []string{"render.completed"}
		s.SetSinks(map[string][]string{"cards": {"hook", "other"}}, map[string][]string{"hook": events, "other": events})
		tellRows(t, s, 1, "1", "a", "b")
		tryAll(t, s, "hook", errDown, true)
		tryAll(t, s, "other", errDown, true)
		for _, c := range []struct {
			name   string
			filter sink.Selection
			want   int64
		}{
			{"since to come", sink.Selection{Since: time.Now().Add(time.Hour)}, 0},
			{"ids that there are not", sink.Selection{IDs: []string{"dlv_none"}}, 0},
			{"a cause that vanished", sink.Selection{Cause: "cause_none"}, 0},
			{"not seen", sink.Selection{Seen: &sink.Seen{}}, 0},
			{"sink", sink.Selection{Sink: "hook"}, 2},
			{"the same again", sink.Selection{Sink: "hook"}, 0},
			{"since", sink.Selection{Since: time.Now().Add(-time.Hour)}, 2},
		} {
			if n := got(s.Replay(t.Context(), c.filter))(t); n != c.want {
				t.Errorf("%s: %d were replayed, want %d", c.name, n, c.want)
			}
		}
		if sent := append(tryAll(t, s, "hook", nil, false), tryAll(t, s, "other", nil, false)...); len(sent) != 4 {
			t.Errorf("then %d were tried", len(sent))
		}
	},

	"MoreLettersThanAPageAreReplayed": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		keys := make([]string, 1003)
		for i := range keys {
			keys[i] = fmt.Sprintf("k%04d", i)
		}
		tellRows(t, s, 1, "1", keys...)
		for tried := 0; tried < len(keys); {
			n := len(tryAll(t, s, "hook", errDown, true))
			if n == 0 {
				t.Fatalf("only %d were tried", tried)
			}
			tried += n
		}
		if n := got(s.Replay(t.Context(), sink.Selection{Sink: "hook"}))(t); n != 1003 {
			t.Errorf("%d were replayed", n)
		}
	},

	"DiscardedLetterIsNeverToldAndSaysWhy": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tellRows(t, s, 1, "1", "a", "b")
		for _, c := range tryAll(t, s, "hook", errDown, true) {
			if c.Key == "b" {
				continue
			}
			must(t, s.DiscardOne(t.Context(), c.ID, "the shop\x00 has closed", "Ada"))
			r := got(s.Delivery(t.Context(), c.ID, nil))(t)
			if r.State != sink.Discarded || r.Discard == nil || r.Discard.Reason != "the shop\uFFFD has closed" || r.Discard.By != "Ada" || r.Discard.At.IsZero() || r.Error == "" {
				t.Errorf("the discarded one is %+v", r)
			}
			for what, err := range map[string]error{"replay": s.ReplayOne(t.Context(), c.ID), "discard": s.DiscardOne(t.Context(), c.ID, "twice", "Bob")} {
				if slugOf(err) != store.DeliveryDiscarded {
					t.Errorf("%s of a discarded one: %v", what, err)
				}
			}
		}
		if n := got(s.Replay(t.Context(), sink.Selection{}))(t); n != 1 {
			t.Errorf("%d were replayed, want the other one", n)
		}
		if sent := tryAll(t, s, "hook", nil, false); len(sent) != 1 || sent[0].Key != "b" {
			t.Errorf("told was %+v", sent)
		}
		must(t, s.ForgetDiscarded(t.Context(), time.Now().Add(-time.Hour)))
		if n := len(listed(t, s, sink.Selection{State: sink.Discarded})); n != 1 {
			t.Errorf("%d discarded ones are kept, want 1", n)
		}
		must(t, s.ForgetDiscarded(t.Context(), time.Now().Add(time.Hour)))
		if n := len(listed(t, s, sink.Selection{State: sink.Discarded})); n != 0 {
			t.Errorf("%d discarded ones are kept for ever", n)
		}
		mustAddUp(t, got(s.DeliveryCounts(t.Context()))(t))
	},

	"OnlyDeadLettersAreReplayedAndDiscarded": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		id := tryAll(t, s, "hook", errDown, false)[0].ID
		if err := s.ReplayOne(t.Context(), id); slugOf(err) != store.DeliveryWaits || problem.CodeOf(err) != problem.Conflict {
			t.Errorf("replay of one that waits: %v", err)
		}
		if err := s.DiscardOne(t.Context(), id, "no", "Ada"); slugOf(err) != store.DeliveryNotDead {
			t.Errorf("discard of one that waits: %v", err)
		}
		if err := s.ReplayOne(t.Context(), "dlv_none"); slugOf(err) != store.DeliveryNotFound {
			t.Errorf("replay of none: %v", err)
		}
		if err := s.DiscardOne(t.Context(), "dlv_none", "no", "Ada"); slugOf(err) != store.DeliveryNotFound {
			t.Errorf("discard of none: %v", err)
		}
	},

	"WhatWasToldLastIsToldAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tellRows(t, s, 1, "1", "a", "b")
		first := map[string]store.DeliveryClaim{}
		for _, c := range tryAll(t, s, "hook", nil, false) {
			first[c.Key] = c
		}
		done := got(s.Redeliver(t.Context(), sink.Selection{Sink: "hook"}, false))(t)
		if done != (sink.Retold{Told: 2}) {
			t.Fatalf("told again are %+v", done)
		}
		if twice := got(s.Redeliver(t.Context(), sink.Selection{Sink: "hook"}, false))(t); twice != (sink.Retold{}) {
			t.Errorf("and again, while they wait: %+v", twice)
		}
		for _, c := range tryAll(t, s, "hook", nil, false) {
			was := first[c.Key]
			if c.Attempt != 2 || c.Spent != 1 {
				t.Errorf("it is attempt %d, %d spent", c.Attempt, c.Spent)
			}
			c.Attempt, c.Spent = was.Attempt, was.Spent
			if diff := cmp.Diff(was, c); diff != "" {
				t.Errorf("told again (-first +again):\n%s", diff)
			}
			if r := got(s.Delivery(t.Context(), c.ID, nil))(t); len(r.Tries) != 2 || r.Tries[0].Receipt.Body != "answer 1" || r.Tries[0].Error != "" || r.Tries[1].Number != 2 {
				t.Errorf("attempts are %+v", r.Tries)
			}
		}
		tellRows(t, s, 2, "1", "a", "b")
		if sent := tryAll(t, s, "hook", nil, false); len(sent) != 0 {
			t.Errorf("nothing changed, but told was %+v", sent)
		}
	},

	"ToldAgainUnderNewIDs": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		first := tryAll(t, s, "hook", nil, false)[0]
		for range 2 {
			if done := got(s.Redeliver(t.Context(), sink.Selection{Sink: "hook", Key: "a", Binding: "cards"}, true))(t); done != (sink.Retold{Told: 1}) {
				t.Fatalf("told again are %+v", done)
			}
			again := tryAll(t, s, "hook", nil, false)
			if len(again) != 1 || again[0].ID == first.ID || again[0].Attempt != 1 || again[0].Generation != first.Generation {
				t.Fatalf("told again was %+v", again)
			}
			if diff := cmp.Diff(first.Outputs, again[0].Outputs); diff != "" {
				t.Errorf("pictures (-first +again):\n%s", diff)
			}
		}
		tell(t, s, 2, "2")
		tryAll(t, s, "hook", nil, false)
		if all := got(s.Deliveries(t.Context(), sink.Selection{}, sink.Place{}, 10))(t); len(all) != 1 {
			t.Errorf("kept are %+v, want the newest only", all)
		}
		all := got(s.DeliveryCounts(t.Context()))(t)
		if mustAddUp(t, all); len(all) != 1 || all[0].Planned != 4 || all[0].Delivered != 4 {
			t.Errorf("counts are %+v, want what was told twice twice", all)
		}
	},

	"WhatIsNoLongerSoIsNotToldAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed"}})
		replan(t, s, wants("made", "1"), wants("failed", "1"), wants("gone", "1"), wants("newer", "1"), wants("same", "1"))
		draw(t, s)
		tryAll(t, s, "hook", nil, false)
		replan(t, s, wants("newer", "2"))
		draw(t, s)
		tryAll(t, s, "hook", errDown, true)
		replan(t, s, wants("made", "3"), fails("failed", "missing_variable"), removes("gone"))
		done := got(s.Redeliver(t.Context(), sink.Selection{Sink: "hook"}, false))(t)
		if want := (sink.Retold{Told: 3, Waiting: 1, Gone: 1}); done != want {
			t.Errorf("told again are %+v, want %+v", done, want)
		}
		outputs := map[string][]sink.Output{}
		for _, c := range tryAll(t, s, "hook", nil, false) {
			outputs[c.Key] = c.Outputs
		}
		for _, key := range []string{"made", "failed", "same"} { // of what is made, and of what failed, the picture that is shown
			if o := outputs[key]; len(o) != 1 || o[0].Hash != "hash of fp-card-1" || o[0].Error != "" {
				t.Errorf("of %s told was %+v", key, o)
			}
		}
	},

	"AttemptsGoWithTheirRow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		id := tryAll(t, s, "hook", errDown, true)[0].ID
		got(s.DeleteRow(t.Context(), source, "a", false))(t)
		tell(t, s, 2, "1")
		sent := tryAll(t, s, "hook", nil, false)
		if len(sent) != 1 {
			t.Fatalf("told was %+v", sent)
		}
		for _, which := range []string{id, sent[0].ID} {
			if r, err := s.Delivery(t.Context(), which, nil); err == nil && len(r.Tries) != 1 {
				t.Errorf("of a row that was deleted there are still attempts: %+v", r.Tries)
			}
		}
	},

	"OldLetterIsNotToldAfterANewerOne": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		id := tryAll(t, s, "hook", errDown, true)[0].ID
		tell(t, s, 2, "2")
		if sent := tryAll(t, s, "hook", nil, false); len(sent) != 1 || sent[0].Generation != 2 {
			t.Fatalf("told was %+v", sent)
		}
		if n := len(listed(t, s, sink.Selection{State: sink.Dead})); n != 1 {
			t.Fatalf("%d dead letters are left after a newer delivery, want 1", n)
		}
		must(t, s.ReplayOne(t.Context(), id))
		if sent := tryAll(t, s, "hook", nil, false); len(sent) != 0 {
			t.Errorf("after generation 2 told was %+v", sent)
		}
		if r := got(s.Delivery(t.Context(), id, nil))(t); r.State != sink.Superseded || r.Attempts != 1 || r.EndedAt.IsZero() {
			t.Errorf("the old one is %+v", r)
		}
		if err := s.ReplayOne(t.Context(), id); slugOf(err) != store.DeliverySuperseded {
			t.Errorf("replay of what was superseded: %v", err)
		}
	},

	"OldLetterIsNotToldAfterANewerOneThatMayHaveArrived": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		id := tryAll(t, s, "hook", errDown, true)[0].ID
		tell(t, s, 2, "2")
		tryAll(t, s, "hook", errDown, false) // it is due at once
		must(t, s.ReplayOne(t.Context(), id))
		sent := tryAll(t, s, "hook", nil, false)
		if len(sent) != 1 || sent[0].Generation != 2 {
			t.Errorf("after generation 2 was tried told was %+v, want that again", sent)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "hook", Planned: 2, Delivered: 1, Superseded: 1})
	},

	"DeliveriesOfJobsShowTheirJob": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "job_1", 1)
		planJob(t, s, "job_1", func(int64) string { return "x" })
		draw(t, s)
		id := tryAll(t, s, "job:job_1", errDown, true)[0].ID
		r := got(s.Delivery(t.Context(), id, &sink.Seen{Templates: []string{"card"}}))(t)
		if r.Job != "job_1" || r.Binding != "" || r.Sink != "job:job_1" || r.Event != sink.BatchCompleted {
			t.Errorf("the delivery is %+v", r)
		}
		if _, err := s.Delivery(t.Context(), id, &sink.Seen{Templates: []string{"other"}, Bindings: []string{"cards"}}); slugOf(err) != store.DeliveryNotFound {
			t.Errorf("of a template that may not be seen: %v", err)
		}
		groups := got(s.DeadLetters(t.Context(), sink.Selection{Job: "job_1"}, 10))(t)
		if len(groups) != 1 || groups[0].Sink != "batch" {
			t.Errorf("groups are %+v", groups)
		}
		must(t, s.ReplayOne(t.Context(), id))
		tryAll(t, s, "job:job_1", nil, false)
		must(t, s.ReplayOne(t.Context(), id)) // once more to who lost it
		if again := tryAll(t, s, "job:job_1", nil, false); len(again) != 1 || again[0].ID != id || again[0].Owner != bindings.JobOwner("job_1") || again[0].Attempt != 3 {
			t.Errorf("told again was %+v", again)
		}
	},
}
