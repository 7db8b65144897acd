package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// newSubscription has something in each field.
func newSubscription(id string, events ...string) sink.Subscription {
	return sink.Subscription{
		ID: id, Events: events, URL: "https://hooks.example/" + id, Platform: "zapier", Filter: sink.Filter{Type: sink.TypeImage},
		Templates: []string{"card"}, Owner: "key_1", Author: "ci", Secret: "sealed",
	}
}

// subscribe adds a subscription without filters, and says what bindings are about.
func subscribe(tb testing.TB, s *store.Store, id string, events ...string) string {
	tb.Helper()
	one := newSubscription(id, events...)
	one.Filter, one.Templates = sink.Filter{}, nil
	return subscribeTo(tb, s, one)
}

func subscribeTo(tb testing.TB, s *store.Store, one sink.Subscription) string {
	tb.Helper()
	s.SetSubjects(map[string]sink.Subject{"cards": {Template: "card", Types: []string{sink.TypeImage}}})
	if _, added, err := s.AddSubscription(tb.Context(), one, store.SubscriptionLimit{}); err != nil || !added {
		tb.Fatalf("subscribe %s: added %v, %v", one.ID, added, err)
	}
	return store.SinkOfSubscription(one.ID)
}

// eventsOf is what was told, in a few words.
func eventsOf(sent []store.DeliveryClaim) (told []string) {
	for _, c := range sent {
		told = append(told, c.Event+" "+c.Key)
	}
	slices.Sort(told)
	return told
}

var subscriptions = map[string]func(*testing.T, Open){
	"SubscriptionsComeBackAsTheyWereKept": func(t *testing.T, open Open) {
		s := open(t)
		want := newSubscription("one", sink.RenderCompleted, sink.ImageRemoved)
		kept, added, err := s.AddSubscription(t.Context(), want, store.SubscriptionLimit{Total: 1, PerKey: 1})
		if err != nil || !added || kept.Revision != 1 || kept.CreatedAt.IsZero() {
			t.Fatalf("added %v: %+v, %v", added, kept, err)
		}
		now := *kept
		now.Previous, now.PreviousUntil, now.Secret = now.Secret, start, "sealed anew"
		saved := got(s.SaveSubscription(t.Context(), now))(t)
		must(t, s.Close())
		s = newStore(t, open)
		want.Secret, want.Previous, want.PreviousUntil, want.Revision = "sealed anew", "sealed", start, 2
		ignored := cmpopts.IgnoreFields(sink.Subscription{}, "CreatedAt", "UpdatedAt")
		if diff := cmp.Diff([]*sink.Subscription{&want}, s.Subscriptions(), ignored); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(saved, got(s.Subscription("one"))(t)); diff != "" {
			t.Errorf("saved and found (-saved +found):\n%s", diff)
		}
	},

	"SameSubscriptionIsTheOneThatThereIs": func(t *testing.T, open Open) {
		s := newStore(t, open)
		first := newSubscription("one", sink.RenderCompleted)
		got1, _, err := s.AddSubscription(t.Context(), first, store.SubscriptionLimit{PerKey: 1})
		must(t, err)
		again := first
		again.ID, again.Secret = "two", "another"
		kept, added, err := s.AddSubscription(t.Context(), again, store.SubscriptionLimit{PerKey: 1})
		if err != nil || added || kept.ID != "one" || kept.Secret != got1.Secret {
			t.Errorf("the same again: added %v, %+v, %v", added, kept, err)
		}
		other := again
		other.Owner = "key_2"
		if kept, added, err = s.AddSubscription(t.Context(), other, store.SubscriptionLimit{PerKey: 1}); err != nil || !added || kept.ID != "two" {
			t.Errorf("the same of another key: added %v, %+v, %v", added, kept, err)
		}
		// Changed to the same as another one it is refused.
		third := first
		third.ID, third.URL = "three", "https://hooks.example/3"
		kept, _, err = s.AddSubscription(t.Context(), third, store.SubscriptionLimit{})
		must(t, err)
		kept.URL = first.URL
		if _, err := s.SaveSubscription(t.Context(), *kept); kind(err) != store.SubscriptionExists {
			t.Errorf("changed to another's: %v", err)
		}
	},

	"SubscriptionsAreLimited": func(t *testing.T, open Open) {
		s := newStore(t, open)
		most := store.SubscriptionLimit{Total: 3, PerKey: 2}
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() {
				_, _, errs[i] = s.AddSubscription(t.Context(), newSubscription(fmt.Sprint(i), sink.RenderCompleted), most)
			})
		}
		all.Wait()
		full := 0
		for _, err := range errs {
			if kind(err) == store.SubscriptionsFull && problem.CodeOf(err) == problem.Conflict {
				full++
			} else {
				must(t, err)
			}
		}
		if n := len(s.Subscriptions()); full < 5 || n != 8-full {
			t.Errorf("%d were refused and %d are there", full, n)
		}
		for i, want := range []string{"", store.SubscriptionsFull} {
			one := newSubscription(fmt.Sprint("other ", i), sink.RenderCompleted)
			one.Owner = "key_2"
			if _, _, err := s.AddSubscription(t.Context(), one, store.SubscriptionLimit{Total: 3, PerKey: 3}); kind(err) != want {
				t.Errorf("of another key: %v, want %q", err, want)
			}
		}
	},

	"OlderRevisionOfASubscriptionIsRefused": func(t *testing.T, open Open) {
		s := newStore(t, open)
		subscribe(t, s, "one", sink.RenderCompleted)
		seen := *got(s.Subscription("one"))(t)
		first := seen
		first.URL = "https://hooks.example/first"
		got(s.SaveSubscription(t.Context(), first))(t)
		seen.URL = "https://hooks.example/second"
		if _, err := s.SaveSubscription(t.Context(), seen); kind(err) != store.SubscriptionMoved {
			t.Errorf("the older revision: %v", err)
		}
		seen.ID = "unknown"
		if _, err := s.SaveSubscription(t.Context(), seen); kind(err) != store.SubscriptionNotFound {
			t.Errorf("an unknown one: %v", err)
		}
		if err := s.DeleteSubscription(t.Context(), "unknown"); kind(err) != store.SubscriptionNotFound {
			t.Errorf("an unknown one: %v", err)
		}
		if _, err := s.Subscription("unknown"); kind(err) != store.SubscriptionNotFound {
			t.Errorf("an unknown one: %v", err)
		}
	},

	"SubscriptionHearsOfRowsOfBindings": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved)
		deaf := subscribe(t, s, "deaf", sink.BatchCompleted)
		replan(t, s, wants("a", "1"), wants("b", "1"), fails("c", "missing_variable"))
		draw(t, s)
		replan(t, s, removes("b"))
		sent := deliver(t, s, one, nil)
		if diff := cmp.Diff([]string{"image.removed b", "render.completed a", "render.failed c"}, eventsOf(sent)); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
		for _, c := range sent {
			if c.Row["template"] != "card" || c.Owner != owner {
				t.Errorf("told was %+v, want the template", c)
			}
		}
		if sent := deliver(t, s, deaf, nil); len(sent) != 0 {
			t.Errorf("who did not ask was told %+v", sent)
		}
	},

	"FiltersLeaveOut": func(t *testing.T, open Open) {
		s := newStore(t, open)
		names := map[string]string{}
		for id, f := range map[string]sink.Filter{
			"card": {Template: "card"}, "badge": {Template: "badge"}, "cards": {Binding: "cards"}, "badges": {Binding: "badges"},
			"image": {Type: sink.TypeImage}, "pdf": {Type: sink.TypePDF},
		} {
			one := newSubscription(id, sink.RenderCompleted, sink.BatchCompleted)
			one.Filter, one.Templates = f, nil
			names[id] = subscribeTo(t, s, one)
		}
		own := newSubscription("own", sink.RenderCompleted, sink.BatchCompleted)
		own.Filter, own.Templates = sink.Filter{}, []string{"badge"}
		names["own"] = subscribeTo(t, s, own)
		replan(t, s, wants("a", "1"))
		acceptJob(t, s, "j1", 1)
		planJob(t, s, "j1", func(int64) string { return "2" })
		draw(t, s)
		all := []string{"batch.completed #", "render.completed 0", "render.completed a"}
		for id, want := range map[string][]string{
			"card": all, "badge": nil, "cards": {"render.completed a"}, "badges": nil, "image": all, "pdf": nil, "own": nil,
		} {
			if diff := cmp.Diff(want, eventsOf(deliver(t, s, names[id], nil))); diff != "" {
				t.Errorf("%s was told (-want +got):\n%s", id, diff)
			}
		}
	},

	"SubscriptionHearsOfBatchesAndTheirRows": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.RenderFailed, sink.BatchCompleted, sink.BatchFailed)
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", func(i int64) string { return []string{"", "shown"}[i] })
		draw(t, s)
		sent := deliver(t, s, one, nil)
		if diff := cmp.Diff([]string{"batch.completed #", "render.completed 1", "render.failed 0"}, eventsOf(sent)); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
		for _, c := range sent {
			if c.Key == "0" && (c.Row["code"] != "missing_variable" || c.Index != 0) || c.Key == "1" && (c.Index != 1 || len(c.Outputs) != 1) {
				t.Errorf("of a row was told %+v", c)
			}
		}
		if sent := deliver(t, s, hook("j1"), nil); len(sent) != 1 || sent[0].Event != sink.BatchCompleted {
			t.Errorf("the job's own webhook was told %+v", sent)
		}
	},

	"BatchEndsInOneEvent": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BatchCompleted, sink.BatchFailed)
		acceptJob(t, s, "good", 1)
		planJob(t, s, "good", func(int64) string { return "1" })
		acceptJob(t, s, "bad", 2)
		planJob(t, s, "bad", func(int64) string { return "" })
		acceptJob(t, s, "cancelled", 1)
		planJob(t, s, "cancelled", func(int64) string { return "3" })
		got(s.CancelJob(t.Context(), "cancelled"))(t)
		must(t, s.SteerJob(t.Context(), "cancelled"))
		draw(t, s)
		told := map[string][]string{}
		for _, c := range deliver(t, s, one, nil) {
			told[c.Owner.Job()] = append(told[c.Owner.Job()], c.Event)
		}
		want := map[string][]string{"good": {sink.BatchCompleted}, "bad": {sink.BatchFailed}, "cancelled": {sink.BatchCompleted}}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
		// A retry is another end, and whoever has not heard of the end before hears of it alone.
		got(s.RetryJob(t.Context(), "bad"))(t)
		rows := got(s.RetriedRows(t.Context(), "bad", 10))(t)
		var again []bindings.Proposal
		for _, r := range rows {
			p := wantsOutputs(bindings.JobOwner("bad"), r.Key, "card=again")
			p.Index = r.Index
			again = append(again, p)
		}
		must(t, s.RetryRows(t.Context(), "bad", again, true))
		must(t, s.PlanRows(t.Context(), hand(3000), "bad", nil, 2, true))
		draw(t, s)
		sent := deliver(t, s, one, nil)
		if len(sent) != 1 || sent[0].Event != sink.BatchCompleted || sent[0].Generation != 2 {
			t.Errorf("after the retry was told %+v", sent)
		}
	},

	"RetriedBatchTellsOfItsLastEndAlone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BatchFailed)
		acceptJob(t, s, "bad", 1)
		planJob(t, s, "bad", func(int64) string { return "" })
		got(s.RetryJob(t.Context(), "bad"))(t)
		if sent := deliver(t, s, one, nil); len(sent) != 0 {
			t.Errorf("of the end before was told %+v", sent)
		}
	},

	"SubscriptionIsToldAgainWhatItWasTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.RenderFailed, sink.BatchCompleted, sink.BindingUpdated)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", func(i int64) string { return []string{"", "shown"}[i] })
		draw(t, s)
		told := func(claims []store.DeliveryClaim) map[string]store.DeliveryClaim {
			all := map[string]store.DeliveryClaim{}
			for _, c := range claims {
				c.Attempt, c.Spent = 0, 0
				all[c.ID] = c
			}
			return all
		}
		first := told(deliver(t, s, one, nil))
		for id, c := range first {
			err := s.ReplayOne(t.Context(), id)
			if c.Event != sink.BindingUpdated {
				must(t, err)
				continue
			}
			if slugOf(err) != store.DeliverySuperseded { // it has passed, and nothing of it is kept
				t.Errorf("%s told again: %v", c.Event, err)
			}
			delete(first, id)
		}
		if diff := cmp.Diff(first, told(deliver(t, s, one, nil))); diff != "" || len(first) != 4 {
			t.Errorf("told again of %d (-first +again):\n%s", len(first), diff)
		}
		if done := got(s.Redeliver(t.Context(), sink.Selection{Sink: one}, false))(t); done != (sink.Retold{Told: 4}) {
			t.Errorf("all of it: %+v", done)
		}
	},

	"DeliveryToASubscriptionShowsWhatItIsAbout": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.RenderFailed, sink.BatchCompleted, sink.BindingUpdated)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		acceptJob(t, s, "j1", 1)
		planJob(t, s, "j1", func(int64) string { return "" })
		acceptJob(t, s, "j2", 1)
		planJob(t, s, "j2", func(int64) string { return "2" })
		draw(t, s)
		has := map[string]string{}
		for _, r := range got(s.Deliveries(t.Context(), sink.Selection{Sink: one}, sink.Place{}, 100))(t) {
			r = got(s.Delivery(t.Context(), r.ID, nil))(t)
			has[r.Event+" "+r.Binding+r.Job+"/"+r.Key] = fmt.Sprintf("row %t, fault %t, data %t", r.Row != nil, r.Fault != nil, r.Data != nil)
		}
		want := map[string]string{
			"render.completed cards/a": "row false, fault false, data false", "binding.updated cards/": "row false, fault false, data true",
			"render.failed j1/0": "row false, fault true, data false", "batch.completed j2/": "row false, fault false, data false",
			"render.completed j2/0": "row false, fault false, data false",
		}
		if diff := cmp.Diff(want, has); diff != "" {
			t.Errorf("shown is (-want +got):\n%s", diff)
		}
	},

	"DeliveriesToASubscriptionAreSeenByWhoSeesIt": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderCompleted}})
		names := []string{"hook", subscribe(t, s, "mine", sink.RenderCompleted), subscribe(t, s, "theirs", sink.RenderCompleted)}
		replan(t, s, wants("a", "1"))
		draw(t, s)
		for _, name := range names {
			tryAll(t, s, name, errDown, true)
		}
		seen := &sink.Seen{Bindings: []string{"cards"}, Subscriptions: []string{"mine"}}
		for _, r := range got(s.Deliveries(t.Context(), sink.Selection{}, sink.Place{}, 100))(t) {
			_, err := s.Delivery(t.Context(), r.ID, seen)
			if may := r.Sink != "sub:theirs"; may != (err == nil) {
				t.Errorf("of one to %s: %v", r.Sink, err)
			}
		}
		if all := got(s.Deliveries(t.Context(), sink.Selection{Seen: seen}, sink.Place{}, 100))(t); len(all) != 2 {
			t.Errorf("listed are %+v", all)
		}
		if h := got(s.RowHistory(t.Context(), source, owner, "a", seen))(t); len(h.Deliveries) != 2 {
			t.Errorf("of the row are shown %+v", h.Deliveries)
		}
		n := int64(0)
		for _, g := range got(s.DeadLetters(t.Context(), sink.Selection{Seen: seen}, 100))(t) {
			n += g.Count
		}
		if n != 2 {
			t.Errorf("%d dead letters are in groups", n)
		}
		if n := got(s.Replay(t.Context(), sink.Selection{Binding: "cards", Seen: seen}))(t); n != 2 {
			t.Errorf("%d were replayed", n)
		}
	},

	"DeletedSubscriptionIsToldNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted)
		other := subscribe(t, s, "other", sink.RenderCompleted)
		replan(t, s, wants("a", "1"), wants("b", "2"))
		draw(t, s)
		claimed := got(s.ClaimDeliveries(t.Context(), store.Turn{ID: 1, Sink: one}, 1))(t)
		must(t, s.DeleteSubscription(t.Context(), "one"))
		must(t, s.FinishDeliveries(t.Context(), store.Turn{ID: 1, Sink: one}, []store.Delivered{{ID: claimed[0].ID, Err: errDown, Retry: time.Hour}}, true))
		replan(t, s, wants("a", "3"))
		draw(t, s)
		if c := got(s.Counters(t.Context()))(t); c.DeliveriesWaiting != 2 || c.DeliveriesDead != 0 {
			t.Errorf("counters are %+v, want two waiting for the other subscription", c)
		}
		if sent := deliver(t, s, one, nil); len(sent) != 0 {
			t.Errorf("told was %+v", sent)
		}
		if sent := deliver(t, s, other, nil); len(sent) != 2 {
			t.Errorf("the other one was told %+v", sent)
		}
	},

	"DisabledSubscriptionGathersNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted)
		replan(t, s, wants("a", "1"))
		draw(t, s)
		c := got(s.ClaimDeliveries(t.Context(), store.Turn{ID: 1, Sink: one}, 1))(t)[0]
		gone := sink.Gone(errors.New("410"))
		must(t, s.FinishDeliveries(t.Context(), store.Turn{ID: 1, Sink: one}, []store.Delivered{{ID: c.ID, Err: gone, Dead: true, Gone: true}}, true))
		if st := got(s.SinkState(t.Context(), one))(t); st.Is() != store.SinkDisabled {
			t.Fatalf("the state is %s", st.Is())
		}
		replan(t, s, wants("b", "2"))
		draw(t, s)
		if c := got(s.Counters(t.Context()))(t); c.DeliveriesWaiting != 0 {
			t.Errorf("counters are %+v, want nothing waiting", c)
		}
		must(t, s.ResumeSink(t.Context(), one))
		replan(t, s, wants("c", "3"))
		draw(t, s)
		if diff := cmp.Diff([]string{"render.completed c"}, eventsOf(deliver(t, s, one, nil))); diff != "" {
			t.Errorf("after it was resumed (-want +got):\n%s", diff)
		}
	},

	"LastTryIsTheNewest": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted)
		if tries := got(s.LastTries(t.Context(), []string{"one"}))(t); len(tries) != 0 {
			t.Errorf("before the first: %+v", tries)
		}
		try := func(text string, d store.Delivered) store.LastTry {
			t.Helper()
			replan(t, s, wants(text, text))
			draw(t, s)
			turn := store.Turn{ID: 1, Sink: one}
			d.ID = got(s.ClaimDeliveries(t.Context(), turn, 1))(t)[0].ID
			must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{d}, true))
			return got(s.LastTries(t.Context(), []string{"one"}))(t)["one"]
		}
		last := try("a", store.Delivered{At: start, Took: time.Second, Receipt: sink.Receipt{Status: 204}})
		if last.State != "delivered" || last.Receipt.Status != 204 || last.Took != time.Second || last.Attempts != 1 || !last.At.Equal(start) || last.Event != sink.RenderCompleted {
			t.Errorf("of one that arrived: %+v", last)
		}
		last = try("b", store.Delivered{At: start.Add(time.Minute), Receipt: sink.Receipt{Status: 500}, Err: errDown, Retry: time.Hour})
		if last.State != "waiting" || last.Receipt.Status != 500 || last.Error != errDown.Error() || last.DueAt.Before(time.Now()) {
			t.Errorf("of one that is tried again: %+v", last)
		}
		if last = try("c", store.Delivered{At: start.Add(time.Second)}); last.State != "waiting" {
			t.Errorf("an older one hides the newest: %+v", last)
		}
	},

	"ErasedRowOfABatchLeavesNoDelivery": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.BatchCompleted)
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", func(i int64) string { return fmt.Sprint(i) })
		draw(t, s)
		got(s.DeleteJobRow(t.Context(), "j1", "1"))(t)
		if diff := cmp.Diff([]string{"batch.completed #", "render.completed 0"}, eventsOf(deliver(t, s, one, nil))); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
	},

	"ErasedRowTakesTheDeadLettersOfADeletedSubscription": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.BindingUpdated)
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", func(i int64) string { return fmt.Sprint(i) })
		draw(t, s)
		tryAll(t, s, one, errDown, true)
		must(t, s.DeleteSubscription(t.Context(), "one"))
		if n := got(s.DeleteJobRow(t.Context(), "j1", "1"))(t); n.Deliveries != 1 {
			t.Errorf("deleted was %+v, want one delivery", n)
		}
		if diff := cmp.Diff([]string{"0"}, listed(t, s, sink.Selection{Sink: one})); diff != "" {
			t.Errorf("deliveries are left of (-want +got):\n%s", diff)
		}
		got(s.DeleteJob(t.Context(), "j1"))(t)
		if keys := listed(t, s, sink.Selection{}); len(keys) > 0 {
			t.Errorf("of a job that is deleted there are still deliveries: %v", keys)
		}
	},

	"WhatIsPlannedForADeletedSubscriptionIsDropped": func(t *testing.T, open Open) {
		s := newStore(t, open)
		ghost := store.SinkOfSubscription("ghost") // as a change has it that began before
		s.SetSinks(map[string][]string{"cards": {ghost}}, map[string][]string{ghost: {sink.RenderCompleted}})
		replan(t, s, wants("a", "1"), wants("b", "2"))
		draw(t, s)
		if sent := deliver(t, s, ghost, nil); len(sent) != 0 {
			t.Errorf("told was %+v", sent)
		}
		mustCount(t, s, store.DeliveryCount{Sink: "subscriptions", Planned: 2, Superseded: 2})
	},

	"RunTellsOfItselfAndNotOfItsRows": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.RenderCompleted, sink.RunCompleted, sink.BatchCompleted)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RunCompleted}})
		j := got(s.AskRun(t.Context(), store.RunAsk{Binding: "cards", Source: source, Template: "card", Cause: batch.ByAsking, For: start}))(t)
		if _, _, _, err := s.BeginRuns(t.Context(), store.Turn{ID: 1, Source: source}); err != nil {
			t.Fatal(err)
		}
		must(t, s.StageRows(t.Context(), j.ID, []batch.Row{{Key: "a", Values: []byte(`{}`)}}))
		must(t, s.AcceptRuns(t.Context(), []store.ReadRun{{Job: j.ID, Version: 1, Staged: 1, Rows: 1}}))
		planJob(t, s, j.ID, func(int64) string { return "1" })
		draw(t, s)
		for _, name := range []string{one, "hook"} {
			sent := deliver(t, s, name, nil)
			if len(sent) != 1 || sent[0].Event != sink.RunCompleted || sent[0].Owner.Job() != j.ID {
				t.Errorf("%s was told %+v", name, sent)
			}
		}
	},
}
