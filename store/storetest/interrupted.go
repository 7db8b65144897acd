package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// interrupted are the things that begin while others have not ended.
var interrupted = map[string]func(*testing.T, Open){
	// The source may return to the state of the cursor, and then vouches that
	// nothing changed since.
	"ReadingAfterADeadOneStartsFromTheBeginning": func(t *testing.T, open Open) {
		s := newStore(t, open)
		turn := store.Turn{ID: 1, Source: source}
		from := func() string {
			t.Helper()
			from, _, _, err := s.BeginPoll(t.Context(), turn)
			must(t, err)
			return string(from)
		}
		from()
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		if at := from(); at != "after 1" {
			t.Errorf("after a closed reading the next one starts at %q", at)
		}
		if at := from(); at != "after 1" {
			t.Errorf("after a reading that wrote nothing the next one starts at %q", at)
		}
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 3, rows: three("2")})))(t)
		must(t, s.EndPoll(t.Context(), turn, errors.New("cut off")))
		if at := from(); at != "" {
			t.Errorf("after a reading that died the next one starts at %q, want the beginning", at)
		}
		read(t, s, reading{seq: 4, rows: three("1")})
		if at := from(); at != "after 4" {
			t.Errorf("after the whole was read the next one starts at %q", at)
		}
		for _, row := range got(s.Rows(t.Context(), source, "", 10))(t) {
			if string(row.Values) != string(row4("1", row.Key)) {
				t.Errorf("stored is %s", row.Values)
			}
		}
	},

	"AcceptIsOfReadingsThatWereJudged": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2", "b": "1", "c": "1"}, judge: strict(0)})
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 3, rows: map[string]string{"b": "3", "c": "3"}})))(t)
		if n := got(s.AcceptGuard(t.Context(), "cards"))(t); n != 1 {
			t.Errorf("%d were promoted, want the one that was held", n)
		}
		if diff := cmp.Diff([]string{"fp-card-2"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
	},

	"ReplanLeavesWhatIsHeldHeld": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		held := map[string]string{"a": "2", "b": "2", "c": "1", "new": "2"}
		read(t, s, reading{seq: 2, rows: held, judge: strict(1)})
		// The template changed: what the stored rows show now is another picture.
		replan := []bindings.Proposal{wants("a", "2'"), wants("b", "1"), wants("c", "1'"), wants("new", "2'")}
		if n := got(s.Replan(t.Context(), "cards", replan))(t); n != 1 {
			t.Errorf("%d items changed, want only the one that is not held", n)
		}
		must(t, s.SetBinding(t.Context(), "cards", source, "v2"))
		if diff := cmp.Diff([]string{"fp-card-1'"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		if st := status(t, s); st.HeldChanges != 2 || st.HeldReason == "" {
			t.Errorf("status is %+v, want a and new held, and b as it is", st)
		}
		if n := got(s.AcceptGuard(t.Context(), "cards"))(t); n != 2 {
			t.Errorf("%d were promoted, want 2", n)
		}
		if diff := cmp.Diff([]string{"fp-card-2'"}, draw(t, s)); diff != "" {
			t.Errorf("drawn after accept (-want +got):\n%s", diff)
		}
	},

	// A reading has a row, but cannot say what it shows: it stands there in an
	// older version, or broken. What it showed before is still to be done.
	"ProposalOfARowThatIsStillThereStays": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}})))(t)
		mute := plan(t, s, reading{seq: 3, rows: map[string]string{"b": "1", "c": "1"}})
		mute.Closes = &bindings.Closing{Complete: true, At: start, Rows: 3, Has: func(string) bool { return true }}
		got(s.Commit(t.Context(), mute))(t)
		if k := got(s.Known(t.Context(), source, []string{"a"}, []string{"cards"}))(t)["a"]; k.Items["cards"].Proposed == "" {
			t.Error("the change of the row is forgotten, though the row is stored as changed")
		}
		if r := read(t, s, reading{seq: 4, rows: map[string]string{"a": "2", "b": "1", "c": "1"}}); r.Promoted != 1 || r.Held != 0 {
			t.Errorf("the next reading gave %+v, want the change promoted", r)
		}
		if st := status(t, s); st.HeldChanges != 0 {
			t.Errorf("status is %+v", st)
		}
	},

	"PanicOfAWorkerGivesBackItsClaims": func(t *testing.T, open Open) {
		s := newStore(t, open)
		c := &crew{store: s}
		w := c.workers(1)
		first := make(chan struct{}, 1)
		first <- struct{}{}
		w.Render = func(ctx context.Context, turn store.Turn) error {
			select {
			case <-first:
				got(s.ClaimRenders(ctx, turn, 10))(t)
				panic("a worker's mistake")
			default:
				return c.render(ctx, turn)
			}
		}
		run(t, s, w)
		replan(t, s, wants("a", "1"))
		until(t, s, "the second try", func() bool { return c.drawn.Load() == 1 })
	},

	"VanishedBytesAreMadeAgainAndNobodyIsTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		acceptJob(t, s, "j1", 2)
		planJob(t, s, "j1", func(int64) string { return "1" })
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		deliver(t, s, "hook", nil)
		deliver(t, s, "job:j1", nil)
		before := got(s.Job(t.Context(), "j1"))(t)
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2", "b": "1", "c": "1"}}) // a shows the old picture still
		lost := image(t, s, "a").Hash
		for range 2 {
			if !got(s.Remake(t.Context(), lost))(t) {
				t.Fatal("the picture is not made again")
			}
		}
		if got(s.Remake(t.Context(), "unheard of"))(t) {
			t.Error("a picture that nobody knows is made again")
		}
		claims := claim(t, s, 1, 100)
		if len(claims) != 1 || claims[0].Fingerprint != "fp-card-1" {
			t.Fatalf("claimed was %q, want the picture that vanished first", fingerprints(claims))
		}
		if !got(s.Remake(t.Context(), lost))(t) {
			t.Error("a picture that is in work is not being made")
		}
		again := picture(claims[0])
		again.Hash = "other bytes"
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{again}, true))
		for _, key := range []string{"a", "b"} {
			if g := image(t, s, key); g.Hash != "other bytes" {
				t.Errorf("image %s is served as %+v", key, g)
			}
		}
		if diff := cmp.Diff([]string{"fp-card-2"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 || sent[0].Key != "a" || sent[0].Generation != 2 {
			t.Errorf("told was %+v, want the change alone", sent)
		}
		if diff := cmp.Diff(before, got(s.Job(t.Context(), "j1"))(t)); diff != "" {
			t.Errorf("job (-before +after):\n%s", diff)
		}
	},

	"VanishedBytesThatCannotBeMadeAreLeftAlone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"))
		draw(t, s)
		lost := image(t, s, "a").Hash
		got(s.Remake(t.Context(), lost))(t)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: claim(t, s, 1, 1)[0].Fingerprint,
			Problem: &bindings.Problem{Code: "template_broken", Message: "it draws no more"}}}, true))
		if got(s.Remake(t.Context(), lost))(t) {
			t.Error("a picture that could not be made a moment ago is made again")
		}
		if st := status(t, s); st.Ready != 1 {
			t.Errorf("status is %+v", st)
		}
	},

	"NoTextIsTooOddToBeAskedFor": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, odd := range []string{"a\x00b", "a\xffb"} {
			_, err := s.Job(t.Context(), odd)
			wantSlug(t, err, "job_not_found")
			_, err = s.Template(t.Context(), odd, 0)
			wantSlug(t, err, "template_not_found")
			_, err = s.Image(t.Context(), bindings.JobOwner(odd), odd, "", "png")
			wantSlug(t, err, "image_not_found")
			got(s.Results(t.Context(), odd, -1, 10, ""))(t)
			got(s.Rows(t.Context(), source, odd, 10))(t)
		}
	},
}

func row4(text, key string) []byte { return row(key, 4, text).Values }

func wantSlug(tb testing.TB, err error, slug string) {
	tb.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != slug {
		tb.Errorf("got %v, want a problem %s", err, slug)
	}
}
