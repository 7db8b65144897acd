package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// updates are the events of a binding as a whole that a subscription is told.
func updates(tb testing.TB, s *store.Store, name string) (told []string) {
	tb.Helper()
	for _, c := range deliver(tb, s, name, nil) {
		if c.Row["binding"] != "cards" || c.Row["bindingId"] != "cards" || c.Row["templateId"] != "card" || c.Owner != owner {
			tb.Errorf("told was %+v", c)
		}
		switch c.Event {
		case sink.BindingUpdated:
			told = append(told, fmt.Sprintf("added %v, changed %v, removed %v, failed %v", c.Row["added"], c.Row["changed"], c.Row["removed"], c.Row["failed"]))
		case sink.BindingFailed:
			told = append(told, fmt.Sprintf("%v %v: %v", c.Row["reason"], c.Row["errorCode"], c.Row["error"]))
		default:
			told = append(told, fmt.Sprintf("%s %v %v %v", c.Event, c.Row["heldChanges"], c.Row["heldRemovals"], c.Row["reason"]))
		}
	}
	return told
}

func wantTold(tb testing.TB, s *store.Store, name, when string, want ...string) {
	tb.Helper()
	if diff := cmp.Diff(want, updates(tb, s, name)); diff != "" {
		tb.Errorf("%s was told (-want +got):\n%s", when, diff)
	}
}

var news = map[string]func(*testing.T, Open){
	"BindingIsToldOfOnceItRests": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingUpdated)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2", "c": "3"}, promote: true})
		claims := claim(t, s, 1, 2)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(claims[0]), picture(claims[1])}, true))
		wantTold(t, s, one, "before the last picture")
		draw(t, s)
		wantTold(t, s, one, "with the last picture", "added 3, changed 0, removed 0, failed 0")
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "b": "2", "c": "3"}})
		draw(t, s)
		wantTold(t, s, one, "of a reading in which nothing changed")
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "4", "b": "2", "c": "3", "d": "5"}})
		draw(t, s)
		wantTold(t, s, one, "of the next reading", "added 1, changed 1, removed 0, failed 0")
	},

	"FirstReadingIsToldOfWhenItCloses": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingUpdated)
		part := plan(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		got(s.Commit(t.Context(), part))(t)
		draw(t, s)
		wantTold(t, s, one, "in the middle of the first reading")
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		draw(t, s)
		wantTold(t, s, one, "at its end", "added 2, changed 0, removed 0, failed 0")
	},

	"WhatLooksAsBeforeIsNoUpdate": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingUpdated)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		draw(t, s)
		wantTold(t, s, one, "at first", "added 1, changed 0, removed 0, failed 0")
		p := wants("a", "another way to the same")
		replan(t, s, p)
		for _, c := range claim(t, s, 1, 10) {
			same := picture(c)
			same.Hash = "hash of fp-card-1"
			must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{same}, true))
		}
		wantTold(t, s, one, "of the same bytes")
	},

	"RowsThatGoAndComeBackAreCounted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingUpdated)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		draw(t, s)
		wantTold(t, s, one, "at first", "added 2, changed 0, removed 0, failed 0")
		replan(t, s, removes("a"))
		wantTold(t, s, one, "of the removal", "added 0, changed 0, removed 1, failed 0")
		replan(t, s, wants("a", "1"))
		draw(t, s)
		wantTold(t, s, one, "of the return, with the same picture", "added 1, changed 0, removed 0, failed 0")
		replan(t, s, fails("b", "missing_variable"))
		wantTold(t, s, one, "of the row at fault", "added 0, changed 0, removed 0, failed 1")
	},

	"BindingFailsOnceWhenItsSourceDoes": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingFailed)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		for range 3 {
			must(t, s.NotePoll(t.Context(), source, errors.New("503 from the shop")))
		}
		wantTold(t, s, one, "of three polls that failed", "source source_failed: 503 from the shop")
		must(t, s.NotePoll(t.Context(), source, nil))
		wantTold(t, s, one, "of the recovery")
		must(t, s.NotePoll(t.Context(), source, problem.New(problem.Invalid, "not read yet").WithSlug("lookup_unread")))
		wantTold(t, s, one, "of a wait")
		must(t, s.NotePoll(t.Context(), source, errors.New("again")))
		wantTold(t, s, one, "of the next fault", "source source_failed: again")
	},

	"BindingFailsOnceWhenItCannotWork": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingFailed)
		gone := problem.New(problem.NotFound, "there is no template %q", "card").WithSlug("template_not_found")
		must(t, s.SetUnable(t.Context(), "cards", source, gone))
		must(t, s.SetUnable(t.Context(), "cards", source, gone))
		wantTold(t, s, one, "of the fault", `unable template_not_found: there is no template "card"`)
		if unable := got(s.Unable(t.Context()))(t); !unable["cards"] {
			t.Errorf("unable are %v", unable)
		}
		must(t, s.SetUnable(t.Context(), "cards", source, nil))
		if unable := got(s.Unable(t.Context()))(t); len(unable) != 0 {
			t.Errorf("after it was mended unable are %v", unable)
		}
		must(t, s.SetUnable(t.Context(), "cards", source, gone))
		if told := updates(t, s, one); len(told) != 1 {
			t.Errorf("of the second fault was told %q", told)
		}
	},

	"BindingFailsWhenEveryRowDoes": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingFailed)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		draw(t, s)
		replan(t, s, fails("a", "missing_variable"))
		wantTold(t, s, one, "of one row of two")
		replan(t, s, fails("b", "missing_variable"))
		wantTold(t, s, one, "of both", "rows rows_failed: every row fails; the first, a, because: the title is missing")
		replan(t, s, fails("b", "another"))
		wantTold(t, s, one, "of the same again")
		replan(t, s, wants("a", "1"))
		draw(t, s)
		wantTold(t, s, one, "of the recovery")
		replan(t, s, fails("a", "missing_variable"))
		if told := updates(t, s, one); len(told) != 1 {
			t.Errorf("of the second fault was told %q", told)
		}
	},

	"GuardThatBeginsToHoldIsToldOfOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingGuardTripped)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		read(t, s, reading{seq: 2, rows: three("2"), judge: strict(2)})
		wantTold(t, s, one, "of the guard", "binding.guard_tripped 3 0 too many")
		read(t, s, reading{seq: 3, rows: three("3"), judge: strict(2)})
		wantTold(t, s, one, "while it holds")
		got(s.AcceptGuard(t.Context(), "cards"))(t)
		draw(t, s)
		read(t, s, reading{seq: 4, rows: three("4"), judge: strict(2)})
		wantTold(t, s, one, "of the next time", "binding.guard_tripped 3 0 too many")
	},

	"SinksOfABindingHearOfItAsWell": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSubjects(map[string]sink.Subject{"cards": {Template: "card"}})
		s.SetSinks(map[string][]string{"cards": {"hook"}, "others": {"deaf"}}, map[string][]string{"hook": {sink.BindingUpdated}, "deaf": {sink.BindingUpdated}})
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		draw(t, s)
		wantTold(t, s, "hook", "of its binding", "added 1, changed 0, removed 0, failed 0")
		wantTold(t, s, "deaf", "of another binding")
	},

	"IDsOfEventsFollowFromTheFact": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := subscribe(t, s, "one", sink.BindingFailed)
		ids := map[string]bool{}
		for range 2 {
			must(t, s.SetUnable(t.Context(), "cards", source, errors.New("broken")))
			must(t, s.SetUnable(t.Context(), "cards", source, nil))
		}
		for i, c := range deliver(t, s, one, nil) {
			ids[c.ID] = true
			if c.Generation != int64(i+1) {
				t.Errorf("event %d has the generation %d", i, c.Generation)
			}
		}
		// The ids are a promise to receivers: they must not change with the program.
		if len(ids) != 2 || !ids["dlv_2spic5m2hawwyuftfkhma5dparumegnm"] || !ids["dlv_4xfg4mwtuhedsgxdmroggcphn4egbmf7"] {
			t.Errorf("the ids are %v", ids)
		}
	},
}
