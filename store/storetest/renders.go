package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// replan makes proposals wanted.
func replan(tb testing.TB, s *store.Store, proposals ...bindings.Proposal) {
	tb.Helper()
	for _, p := range proposals {
		got(s.Replan(tb.Context(), p.Owner.Binding(), []bindings.Proposal{p}))(tb)
	}
}

func claim(tb testing.TB, s *store.Store, turn int64, limit int) []store.Claim {
	tb.Helper()
	return got(s.ClaimRenders(tb.Context(), hand(turn), limit))(tb)
}

func fingerprints(claims []store.Claim) []string {
	var all []string
	for _, c := range claims {
		all = append(all, c.Fingerprint)
	}
	return all
}

var renders = map[string]func(*testing.T, Open){
	"SamePictureIsMadeOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "same"), wants("b", "same"))
		if drawn := draw(t, s); len(drawn) != 1 {
			t.Errorf("drawn %q, want one picture", drawn)
		}
		replan(t, s, wants("c", "same"))
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("a picture that is there was drawn again: %q", drawn)
		}
		for _, key := range []string{"a", "b", "c"} {
			if g := image(t, s, key); g.Hash != "hash of fp-card-same" || g.Waiting {
				t.Errorf("%s is served as %+v", key, g)
			}
		}
	},

	"ClaimIsOfOneGroup": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wantsOutputs(owner, "a", "card=1", "story=1"), wantsOutputs(owner, "b", "card=2", "story=2"))
		for turn := range int64(2) {
			claims := claim(t, s, turn, 100)
			if len(claims) != 2 || claims[0].Spec.Group() != claims[1].Spec.Group() {
				t.Errorf("claimed together were %q", fingerprints(claims))
			}
			if claims[0].Attempt != 1 || claims[0].Owner != owner || claims[0].Spec.Template != "card" {
				t.Errorf("claimed was %+v", claims[0])
			}
		}
	},

	"ItemEndsWithItsLastOutput": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, wantsOutputs(owner, "a", "card=1", "story=1"))
		first := claim(t, s, 1, 100)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(first[0])}, true))
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("before its last output the item was told: %+v", sent)
		}
		draw(t, s)
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || len(sent[0].Outputs) != 2 || sent[0].Outputs[0].Name != "card" || sent[0].Outputs[1].Hash != "hash of fp-story-1" {
			t.Errorf("told was %+v", sent)
		}
	},

	"LowerPriorityNumberGoesFirst": func(t *testing.T, open Open) {
		s := newStore(t, open)
		slow, fast := wants("a", "slow"), wants("b", "fast")
		slow.Priority, fast.Priority = bindings.PriorityReplan, bindings.PriorityNow
		replan(t, s, slow, fast)
		if diff := cmp.Diff([]string{"fp-card-fast"}, fingerprints(claim(t, s, 1, 100))); diff != "" {
			t.Errorf("claimed first (-want +got):\n%s", diff)
		}
	},

	"BetterPriorityOfASecondAskerCounts": func(t *testing.T, open Open) {
		s := newStore(t, open)
		slow, other, fast := wants("a", "x"), wants("b", "y"), wants("c", "x")
		slow.Priority, other.Priority, fast.Priority = bindings.PriorityReplan, bindings.PriorityChange, bindings.PriorityNow
		replan(t, s, slow, other, fast)
		if diff := cmp.Diff([]string{"fp-card-x"}, fingerprints(claim(t, s, 1, 100))); diff != "" {
			t.Errorf("claimed first (-want +got):\n%s", diff)
		}
	},

	"OwnersTakeTurns": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, name := range []string{"one", "two", "three"} {
			for i := range 3 {
				replan(t, s, wantsOutputs(bindings.BindingOwner(name), fmt.Sprint(i), fmt.Sprintf("card=%s%d", name, i)))
			}
		}
		served := map[bindings.Owner]int{}
		for round := range int64(3) {
			for i := range int64(3) {
				served[claim(t, s, 10*round+i, 1)[0].Owner]++
			}
			for o, n := range served {
				if n != int(round)+1 || len(served) != 3 {
					t.Fatalf("after round %d %s was served %d times, all: %v", round, o, n, served)
				}
			}
		}
	},

	"NoPriorityWaitsForEver": func(t *testing.T, open Open) {
		s := newStore(t, open)
		const rows = 200
		for name, priority := range map[string]int{"soon": bindings.PriorityChange, "then": bindings.PriorityBatch, "late": bindings.PriorityReplan} {
			var all []bindings.Proposal
			for i := range rows {
				p := wantsOutputs(bindings.BindingOwner(name), fmt.Sprint(i), fmt.Sprintf("card=%s%d", name, i))
				p.Priority = priority
				all = append(all, p)
			}
			got(s.Replan(t.Context(), name, all))(t)
		}
		served := map[string]int{}
		for turn := range int64(64) {
			served[claim(t, s, turn+1, 1)[0].Owner.Binding()]++
		}
		if served["soon"] != 48 || served["then"] != 8 || served["late"] != 8 {
			t.Errorf("of 64 turns they had %v, want most for the soonest and an eighth for each other", served)
		}
	},

	"WhatSomebodyWaitsForGoesBeforeAll": func(t *testing.T, open Open) {
		s := newStore(t, open)
		var all []bindings.Proposal
		for i := range 40 {
			p := wants(fmt.Sprint(i), fmt.Sprint(i))
			p.Priority = bindings.PriorityNow
			if i%2 == 1 {
				p.Priority = bindings.PriorityReplan
			}
			all = append(all, p)
		}
		replan(t, s, all...)
		for turn := range int64(20) {
			c := claim(t, s, turn+1, 1)[0]
			var n int
			if _, err := fmt.Sscan(c.Spec.Values[0], &n); err != nil || n%2 == 1 {
				t.Errorf("turn %d took %+v, and somebody waits for others", turn, c)
			}
		}
	},

	"TurnsAreSmallWhileAnotherOwnerWaits": func(t *testing.T, open Open) {
		s := newStore(t, open)
		var all []bindings.Proposal
		for i := range 300 {
			all = append(all, wants(fmt.Sprint(i), fmt.Sprint(i)))
		}
		got(s.Replan(t.Context(), owner.Binding(), all))(t) // in one commit: those of two in one millisecond may count as one row
		if n := len(claim(t, s, 1, 100)); n != 100 {
			t.Errorf("alone an owner gets %d, want a whole turn", n)
		}
		replan(t, s, wantsOutputs(bindings.BindingOwner("other"), "x", "card=x"))
		sizes := []int{len(claim(t, s, 2, 100)), len(claim(t, s, 3, 100)), len(claim(t, s, 4, 100))}
		if !slices.Contains(sizes, 1) || slices.Max(sizes) != 100 || sizes[0] == 100 {
			t.Errorf("beside another one they get %v, want small turns until it is served", sizes)
		}
	},

	"NobodyDrawsWhatNobodyWants": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"), wants("a", "2"), wants("a", "3"))
		if diff := cmp.Diff([]string{"fp-card-3"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		if c := got(s.Counters(t.Context()))(t); c.RendersWaiting != 0 || c.RendersDone != 1 {
			t.Errorf("counters are %+v", c)
		}
	},

	"LatePictureServesWhoWantsItThen": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"))
		claims := claim(t, s, 1, 1)
		replan(t, s, wants("a", "2"))
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(claims[0])}, true))
		if _, err := s.Image(t.Context(), owner, "a", "", "png"); kind(err) != "not_ready" {
			t.Errorf("a picture that is no longer wanted is served: %v", err)
		}
		replan(t, s, wants("a", "1"))
		if g := image(t, s, "a"); g.Hash != "hash of fp-card-1" || g.Generation != 3 {
			t.Errorf("served is %+v", g)
		}
	},

	"RowAtFaultKeepsItsOldPicture": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, wants("a", "1"))
		draw(t, s)
		deliver(t, s, "hook", nil)
		replan(t, s, fails("a", "missing_variable"))
		if g := image(t, s, "a"); g.Hash != "hash of fp-card-1" || g.Problem == nil || g.Problem.Code != "missing_variable" {
			t.Errorf("served is %+v", g)
		}
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || sent[0].Event != "render.failed" || sent[0].Outputs[0].Code != "missing_variable" || sent[0].Outputs[0].Hash != "" {
			t.Errorf("told was %+v", sent)
		}
	},

	"RowThatWasAlwaysAtFaultIsTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, fails("a", "missing_variable"))
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || len(sent[0].Outputs) != 1 || sent[0].Outputs[0].Code != "missing_variable" {
			t.Errorf("told was %+v", sent)
		}
		if _, err := s.Image(t.Context(), owner, "a", "", "png"); kind(err) != "not_ready" {
			t.Errorf("its image is %v, want not_ready", err)
		}
	},

	"FailedRenderFailsItsImages": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "bad"))
		c := claim(t, s, 1, 1)[0]
		bad := &bindings.Problem{Code: "wrong_type", Message: "no number"}
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Problem: bad}}, true))
		replan(t, s, wants("b", "bad"))
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("what cannot be drawn was tried again: %q", drawn)
		}
		if n := countFailed(t, s); n != 2 {
			t.Errorf("%d items failed, want both", n)
		}
	},

	"PictureKeepsHowItsTextsCameOut": func(t *testing.T, open Open) {
		s := newStore(t, open)
		fitting := bindings.Fitting{
			Layers:   []bindings.LayerFit{{Layer: "title", FontPx: 27.25, Lines: 3, Clipped: true}, {Layer: "<b>", FontPx: 9, Lines: 1, Cut: true}},
			Problems: []bindings.LayerProblem{{Layer: "price", Problem: `p-min="x" is not a size in px`}, {Code: bindings.GlyphMissing, Layer: "title", Problem: "no font has U+0378"}},
		}
		finish := func(c store.Claim, f bindings.Fitting) {
			t.Helper()
			done := picture(c)
			done.Fitting = f
			must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{done}, true))
		}
		replan(t, s, wants("a", "long"), wants("b", "long"))
		finish(claim(t, s, 1, 1)[0], fitting)
		replan(t, s, wants("c", "long"), wants("d", "short"))
		finish(claim(t, s, 1, 1)[0], bindings.Fitting{})

		fittings := func(keys ...string) []bindings.OutputFitting {
			t.Helper()
			return got(s.Fittings(t.Context(), owner.Binding(), keys))(t)
		}
		want := []bindings.OutputFitting{{Key: "a", Output: "card", Fitting: fitting}, {Key: "c", Output: "card", Fitting: fitting}}
		if diff := cmp.Diff(want, fittings("a", "c", "d", "e")); diff != "" {
			t.Errorf("fittings (-want +got):\n%s", diff)
		}
		replan(t, s, wants("a", "other"))
		if old := fittings("a"); len(old) > 0 {
			t.Errorf("of a row that waits: %+v", old)
		}

		acceptJob(t, s, "j1", 1)
		planJob(t, s, "j1", func(int64) string { return "long" })
		rows := got(s.Results(t.Context(), "j1", -1, 1, ""))(t)
		if len(rows) != 1 || len(rows[0].Pictures) != 1 {
			t.Fatalf("results are %+v", rows)
		}
		if diff := cmp.Diff(fitting, rows[0].Pictures[0].Fitting); diff != "" {
			t.Errorf("fitting of a job's row (-want +got):\n%s", diff)
		}
	},

	"FailedRowsSayWhy": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "fine"))
		draw(t, s)
		replan(t, s, fails("b", "missing_variable"), wants("c", "bad"))
		c := claim(t, s, 1, 1)[0]
		bad := bindings.Problem{Code: "wrong_type", Message: "no number"}
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Problem: &bad}}, true))
		want := []bindings.FailedRow{{Key: "b", Problem: *fails("b", "missing_variable").Problem}, {Key: "c", Problem: bad}}
		if diff := cmp.Diff(want, got(s.FailedRows(t.Context(), owner.Binding(), 10))(t)); diff != "" {
			t.Errorf("failed rows (-want +got):\n%s", diff)
		}
		if some := got(s.FailedRows(t.Context(), owner.Binding(), 1))(t); len(some) != 1 {
			t.Errorf("at most one: %+v", some)
		}
	},

	"FailedFetchIsTriedAgainWhenWantedAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "remote"))
		c := claim(t, s, 1, 1)[0]
		bad := &bindings.Problem{Code: "asset_fetch_failed", Message: "no route to host"}
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Problem: bad}}, true))
		replan(t, s, wants("b", "remote"))
		if drawn := draw(t, s); len(drawn) != 1 {
			t.Errorf("drawn %q, want another try", drawn)
		}
		if g := image(t, s, "b"); g.Hash == "" {
			t.Errorf("served is %+v", g)
		}
	},

	"MachineAtFaultIsTriedFiveTimes": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"))
		for attempt := 1; attempt <= 5; attempt++ {
			claims := claim(t, s, 1, 10)
			if len(claims) != 1 || claims[0].Attempt != attempt {
				t.Fatalf("try %d is %+v", attempt, claims)
			}
			must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: claims[0].Fingerprint, Retry: errors.New("chrome died")}}, true))
		}
		if claims := claim(t, s, 1, 10); len(claims) != 0 {
			t.Errorf("a sixth try is %+v", claims)
		}
		_, err := s.Image(t.Context(), owner, "a", "", "png")
		if kind(err) != "not_ready" || countFailed(t, s) != 1 {
			t.Errorf("its image is %v, want it failed", err)
		}
	},

	"TryWaitsAsLongAsAsked": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"))
		c := claim(t, s, 1, 1)[0]
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Retry: errors.New("busy"), After: time.Hour}}, true))
		if claims := claim(t, s, 2, 1); len(claims) != 0 {
			t.Errorf("before its time %+v was claimed", claims)
		}
	},

	"EndOfATurnGivesBackWhatItClaims": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"), wants("b", "2"))
		claims := claim(t, s, 1, 10)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(claims[0])}, true))
		again := claim(t, s, 2, 10)
		if len(again) != 1 || again[0].Fingerprint != claims[1].Fingerprint || again[0].Attempt != 1 {
			t.Errorf("claimed again was %+v, want %q at its first try", again, claims[1].Fingerprint)
		}
	},

	"OutputThatIsNoLongerWantedIsForgotten": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wantsOutputs(owner, "a", "card=1", "story=1"))
		draw(t, s)
		replan(t, s, wantsOutputs(owner, "a", "card=1"))
		if _, err := s.Image(t.Context(), owner, "a", "story", "png"); kind(err) != "image_not_found" {
			t.Errorf("the output that went is %v", err)
		}
		if g := got(s.Image(t.Context(), owner, "a", "card", "png"))(t); g.Generation != 2 || g.Waiting {
			t.Errorf("the output that stayed is %+v", g)
		}
	},
}

func countFailed(tb testing.TB, s *store.Store) int64 {
	tb.Helper()
	return got(s.Counters(tb.Context()))(tb).ItemsFailed
}
