package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// brands is the source that rows of shop are planned with.
const brands = "brands"

var lookups = map[string]func(*testing.T, Open){
	"ChangedRowOfAnotherSourceHasItsReadersPlannedAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1", "y": "1", "unread": "1"})
		joinShop(t, s, map[string]string{"a": "x", "b": "y", "c": "x"})
		mustBeDue(t, s)
		readBrands(t, s, 2, map[string]string{"x": "2", "y": "1", "unread": "2"})
		if due := mustBeDue(t, s, "brands/x"); len(due) == 1 {
			keys := got(s.Readers(t.Context(), "cards", due[0], "", 10))(t)
			if diff := cmp.Diff([]string{"a", "c"}, keys); diff != "" {
				t.Errorf("readers (-want +got):\n%s", diff)
			}
			keys = got(s.Readers(t.Context(), "cards", due[0], "a", 1))(t)
			if diff := cmp.Diff([]string{"c"}, keys); diff != "" {
				t.Errorf("the next page (-want +got):\n%s", diff)
			}
		}
		if names := got(s.BindingsWithLookupChanges(t.Context()))(t); len(names) != 1 || names[0] != "cards" {
			t.Errorf("the bindings with changes are %q", names)
		}
		judge(t, s, got(s.LookupChanges(t.Context(), "cards"))(t), bindings.Verdict{})
		mustBeDue(t, s)
	},

	"RowThatAppearsLaterIsAChange": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"y": "1"})
		joinShop(t, s, map[string]string{"a": "x"})
		readBrands(t, s, 2, map[string]string{"y": "1", "x": "1"})
		mustBeDue(t, s, "brands/x")
	},

	"RowThatGoesIsAChange": func(t *testing.T, open Open) {
		for name, remove := range map[string]func(t *testing.T, s *store.Store){
			"its source says so": func(t *testing.T, s *store.Store) {
				got(s.Commit(t.Context(), bindings.Plan{Source: brands, Reading: "brands#2", Rows: []bindings.RowChange{{Key: "x", Version: 2, Gone: true}},
					Closes: &bindings.Closing{At: start}}))(t)
			},
			"it is absent": func(t *testing.T, s *store.Store) {
				readBrands(t, s, 2, map[string]string{"y": "1"})
				mustBeDue(t, s)
				got(s.Reap(t.Context(), brands, start.Add(24*time.Hour), nil))(t)
			},
			"a person deletes it": func(t *testing.T, s *store.Store) { got(s.DeleteRow(t.Context(), brands, "x", false))(t) },
		} {
			t.Run(name, func(t *testing.T) {
				s := newStore(t, open)
				readBrands(t, s, 1, map[string]string{"x": "1", "y": "1"})
				joinShop(t, s, map[string]string{"a": "x"})
				remove(t, s)
				mustBeDue(t, s, "brands/x")
			})
		}
	},

	"WhatWasReadIsReplacedWithEachPlan": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1", "y": "1"})
		joinShop(t, s, map[string]string{"a": "x"})
		joinShop(t, s, map[string]string{"a": "y"})
		readBrands(t, s, 2, map[string]string{"x": "2", "y": "1"})
		mustBeDue(t, s)
		readBrands(t, s, 3, map[string]string{"x": "2", "y": "2"})
		mustBeDue(t, s, "brands/y")
	},

	"RowThatIsNoMoreReadsNothing": func(t *testing.T, open Open) {
		for name, remove := range map[string]func(t *testing.T, s *store.Store){
			"its source says so": func(t *testing.T, s *store.Store) {
				got(s.Commit(t.Context(), bindings.Plan{Source: source, Reading: "shop#9", Rows: []bindings.RowChange{{Key: "a", Version: 9, Gone: true}}}))(t)
			},
			"it is absent": func(t *testing.T, s *store.Store) {
				read(t, s, reading{seq: 9, rows: map[string]string{"b": "y"}})
				got(s.Reap(t.Context(), source, start.Add(24*time.Hour), nil))(t)
			},
			"a person deletes it": func(t *testing.T, s *store.Store) { got(s.DeleteRow(t.Context(), source, "a", true))(t) },
			"its binding is forgotten": func(t *testing.T, s *store.Store) {
				must(t, s.ForgetBinding(t.Context(), "cards"))
			},
			"its binding joins no more": func(t *testing.T, s *store.Store) {
				got(s.Replan(t.Context(), "cards", []bindings.Proposal{wants("a", "x"), wants("b", "y")}))(t)
			},
		} {
			t.Run(name, func(t *testing.T) {
				s := newStore(t, open)
				readBrands(t, s, 1, map[string]string{"x": "1", "y": "1"})
				joinShop(t, s, map[string]string{"a": "x", "b": "y"})
				remove(t, s)
				readBrands(t, s, 2, map[string]string{"x": "2", "y": "1"})
				mustBeDue(t, s)
			})
		}
	},

	"ForgottenRowReadsNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1"})
		got(s.DeleteRow(t.Context(), source, "a", true))(t)
		joinShop(t, s, map[string]string{"a": "x"})
		readBrands(t, s, 2, map[string]string{"x": "2"})
		mustBeDue(t, s)
	},

	// Whoever was planned with a row as it no longer is comes too late to be marked
	// by its change.
	"PlanWithAnOutdatedRowIsAChangeAtOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1"})
		p := joinPlan(t, s, map[string]string{"a": "x", "b": "new"}, 5)
		readBrands(t, s, 2, map[string]string{"x": "2", "new": "1"})
		mustBeDue(t, s)
		got(s.Commit(t.Context(), p))(t)
		mustBeDue(t, s, "brands/new", "brands/x")

		proposal := wants("a", "again")
		proposal.Reads = []bindings.Read{{Source: brands, Key: "x", Digest: "row-1"}, {Source: brands, Key: "new", Digest: "row-1"}}
		judge(t, s, got(s.LookupChanges(t.Context(), "cards"))(t), bindings.Verdict{})
		got(s.Replan(t.Context(), "cards", []bindings.Proposal{proposal}))(t)
		mustBeDue(t, s, "brands/x")
	},

	"ChangeWaitsForTheEndOfItsReading": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1"})
		joinShop(t, s, map[string]string{"a": "x"})
		got(s.Commit(t.Context(), bindings.Plan{Source: brands, Reading: "brands#2", Rows: []bindings.RowChange{row("x", 2, "2")}}))(t)
		mustBeDue(t, s)
		got(s.Commit(t.Context(), bindings.Plan{Source: brands, Reading: "brands#2", Closes: &bindings.Closing{At: start}}))(t)
		mustBeDue(t, s, "brands/x")
	},

	"ChangeThatComesAgainMeanwhileStays": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1", "y": "1"})
		joinShop(t, s, map[string]string{"a": "x", "b": "y"})
		readBrands(t, s, 2, map[string]string{"x": "2", "y": "2"})
		due := mustBeDue(t, s, "brands/x", "brands/y")
		readBrands(t, s, 3, map[string]string{"x": "3", "y": "2"})
		judge(t, s, due, bindings.Verdict{})
		mustBeDue(t, s, "brands/x")
	},

	"LookupChangesAreJudgedTogether": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1"})
		joinShop(t, s, map[string]string{"a": "x", "b": "x", "c": "x"})
		draw(t, s)
		readBrands(t, s, 2, map[string]string{"x": "2"})
		due := mustBeDue(t, s, "brands/x")
		must(t, s.NoteLookups(t.Context(), "cards", []bindings.Proposal{joins("a", "x", "2"), joins("b", "x", "2")}))
		// Nobody can accept what was not judged.
		if n := got(s.AcceptGuard(t.Context(), "cards"))(t); n != 0 {
			t.Errorf("%d were accepted before the judgement", n)
		}
		same := joins("c", "x", "1") // which shows nothing of what changed
		same.Reads[0].Digest = "row-2"
		must(t, s.NoteLookups(t.Context(), "cards", []bindings.Proposal{joins("b", "x", "2"), same, joins("new", "x", "2")}))
		var counts bindings.Counts
		r := got(s.JudgeLookups(t.Context(), "cards", due, func(c bindings.Counts) bindings.Verdict {
			counts = c
			return bindings.Verdict{HoldChanges: true, Reason: "after a change in brands"}
		}))(t)
		if want := (bindings.Counts{Live: 3, Changed: 2, Rows: 1}); counts != want {
			t.Errorf("the guard was shown %+v, want %+v", counts, want)
		}
		if st := status(t, s); r.Held != 3 || r.Promoted != 0 || st.HeldChanges != 3 || st.HeldReason != "after a change in brands" || st.Ready != 3 {
			t.Errorf("held are %+v, status %+v", r, st)
		}
		mustBeDue(t, s)
		if n := got(s.AcceptGuard(t.Context(), "cards"))(t); n != 3 {
			t.Errorf("%d were accepted, want 3", n)
		}
		if st := status(t, s); st.HeldChanges != 0 || st.HeldReason != "" || st.Waiting != 3 {
			t.Errorf("after accept status is %+v", st)
		}
	},

	"HeldLookupChangeThatIsTakenBackIsHeldNoMore": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1"})
		joinShop(t, s, map[string]string{"a": "x"})
		draw(t, s)
		must(t, s.NoteLookups(t.Context(), "cards", []bindings.Proposal{joins("a", "x", "2")}))
		judge(t, s, nil, bindings.Verdict{HoldChanges: true, Reason: "too many"})
		must(t, s.NoteLookups(t.Context(), "cards", []bindings.Proposal{joins("a", "x", "1")}))
		judge(t, s, nil, bindings.Verdict{})
		if st := status(t, s); st.HeldChanges != 0 || st.HeldReason != "" || st.Ready != 1 {
			t.Errorf("status is %+v, want nothing held", st)
		}
	},

	"LookupChangeOfAHeldRowStaysWithItsReading": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		read(t, s, reading{seq: 2, rows: three("2"), judge: strict(2)})
		must(t, s.NoteLookups(t.Context(), "cards", []bindings.Proposal{wants("a", "3")}))
		if r := judge(t, s, nil, bindings.Verdict{}); r.Promoted != 0 || r.Held != 3 {
			t.Errorf("the judgement gave %+v, want all 3 held as before", r)
		}
		got(s.AcceptGuard(t.Context(), "cards"))(t)
		if diff := cmp.Diff([]string{"fp-card-2", "fp-card-3"}, slices.Sorted(slices.Values(draw(t, s)))); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
	},

	"WhoReadsIsToldWhenRowsAreWhole": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if read := got(s.WereRead(t.Context(), []string{brands}))(t); read[brands] {
			t.Error("a source that nobody knows was read")
		}
		readBrands(t, s, 1, map[string]string{"x": "1"})
		if read := got(s.WereRead(t.Context(), []string{brands, "other"}))(t); !read[brands] || read["other"] {
			t.Errorf("read were %v", read)
		}
	},

	"RowsByKeyAreThoseThatThereAre": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1", "y": "2", "z": "3"})
		got(s.Commit(t.Context(), bindings.Plan{Source: brands, Reading: "brands#2", Rows: []bindings.RowChange{{Key: "z", Version: 2, Gone: true}}}))(t)
		rows := got(s.RowsByKey(t.Context(), brands, []string{"y", "x", "z", "none\x00"}))(t)
		if len(rows) != 2 || rows[0].Key != "x" || rows[1].Key != "y" || rows[1].Digest != "row-2" || string(rows[1].Values) != `{"id":"y","text":"2"}` {
			t.Errorf("rows are %+v", rows)
		}
	},

	// Commits that change rows and commits that were planned with them, at the same
	// time: whatever comes first, no row stays planned with what is no more.
	"NoRowStaysPlannedWithWhatIsNoMore": func(t *testing.T, open Open) {
		s := newStore(t, open)
		readBrands(t, s, 1, map[string]string{"x": "1"})
		for n := range 20 {
			version := int64(10 + n)
			p := joinPlan(t, s, map[string]string{fmt.Sprintf("k%d", n): "x"}, version)
			change := bindings.Plan{Source: brands, Reading: fmt.Sprintf("brands#%d", version), Rows: []bindings.RowChange{row("x", version, fmt.Sprint(version))},
				Closes: &bindings.Closing{At: start}}
			var both sync.WaitGroup
			for _, plan := range []bindings.Plan{p, change} {
				both.Go(func() {
					if _, err := s.Commit(t.Context(), plan); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			judge(t, s, mustBeDue(t, s, "brands/x"), bindings.Verdict{})
		}
	},
}

func readBrands(tb testing.TB, s *store.Store, seq int64, rows map[string]string) {
	tb.Helper()
	p := bindings.Plan{Source: brands, Reading: fmt.Sprintf("brands#%d", seq), Closes: &bindings.Closing{
		Complete: true, At: start.Add(time.Duration(seq) * time.Minute), Rows: len(rows), Has: func(key string) bool { _, ok := rows[key]; return ok },
	}}
	for key, text := range rows {
		known := got(s.Known(tb.Context(), brands, []string{key}, nil))(tb)[key]
		if c := row(key, seq, text); known.Row == nil || known.Row.Digest != c.Digest {
			p.Rows = append(p.Rows, c)
		}
	}
	got(s.Commit(tb.Context(), p))(tb)
}

// joins is the proposal of a row that shows a brand.
func joins(key, brand, text string) bindings.Proposal {
	p := wants(key, brand+text)
	p.Reads = []bindings.Read{{Source: brands, Key: brand, Digest: "row-" + text}}
	return p
}

// joinPlan is a reading of shop, whose rows are planned with brands as they are now.
func joinPlan(tb testing.TB, s *store.Store, rows map[string]string, seq int64) bindings.Plan {
	tb.Helper()
	p := bindings.Plan{Source: source, Reading: fmt.Sprintf("shop#%d", seq), Promote: promoteCards,
		Closes: &bindings.Closing{At: start, Rows: len(rows)}}
	for key, brand := range rows {
		proposal := wants(key, brand+"1")
		read := bindings.Read{Source: brands, Key: brand}
		for _, r := range got(s.RowsByKey(tb.Context(), brands, []string{brand}))(tb) {
			read.Digest = r.Digest
		}
		p.Rows = append(p.Rows, row(key, seq, brand))
		p.Proposals = append(p.Proposals, proposal)
		p.Reads = append(p.Reads, bindings.RowReads{Owner: owner, Key: key, Reads: []bindings.Read{read}})
	}
	return p
}

func joinShop(tb testing.TB, s *store.Store, rows map[string]string) {
	tb.Helper()
	_, seq, err := s.BeginReading(tb.Context(), source, 1)
	must(tb, err)
	got(s.Commit(tb.Context(), joinPlan(tb, s, rows, seq)))(tb)
}

// mustBeDue checks which rows of other sources the binding is to be planned for.
func mustBeDue(tb testing.TB, s *store.Store, want ...string) []store.LookupChange {
	tb.Helper()
	due := got(s.LookupChanges(tb.Context(), "cards"))(tb)
	var names []string
	for _, c := range due {
		names = append(names, c.Source+"/"+c.Key)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		tb.Errorf("changes (-want +got):\n%s", diff)
	}
	return due
}

func judge(tb testing.TB, s *store.Store, due []store.LookupChange, v bindings.Verdict) store.CommitResult {
	tb.Helper()
	return got(s.JudgeLookups(tb.Context(), "cards", due, func(bindings.Counts) bindings.Verdict { return v }))(tb)
}
