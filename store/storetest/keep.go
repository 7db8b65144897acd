package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
)

// soon is after everything that a test does.
func soon() time.Time { return time.Now().Add(time.Hour) }

// hashOf are the bytes of the picture that says text.
func hashOf(text string) string { return "hash of fp-card-" + text }

// endedJob is a job with one row for each text, all drawn.
func endedJob(tb testing.TB, s *store.Store, id string, texts ...string) {
	tb.Helper()
	acceptJob(tb, s, id, len(texts))
	planJob(tb, s, id, func(i int64) string { return texts[i] })
	draw(tb, s)
	deliver(tb, s, hook(id), nil)
}

// markAll marks what nothing shows of all, at a moment.
func markAll(tb testing.TB, s *store.Store, at time.Time, all ...string) []string {
	tb.Helper()
	w := got(s.BeginSweep(tb.Context()))(tb)
	marked := got(w.Mark(tb.Context(), all, at))(tb)
	slices.Sort(marked)
	return marked
}

// condemned are the bytes that may go which were marked before.
func condemned(tb testing.TB, s *store.Store, before time.Time) (hashes []string) {
	tb.Helper()
	all, _, err := s.Condemn(tb.Context(), before, "")
	must(tb, err)
	for _, c := range all {
		hashes = append(hashes, c.Hash)
	}
	return hashes
}

func mustBe(tb testing.TB, what string, have []string, want ...string) {
	tb.Helper()
	if !slices.Equal(have, want) {
		tb.Errorf("%s: %q, want %q", what, have, want)
	}
}

func mustSlug(tb testing.TB, err error, slug string) {
	tb.Helper()
	if err == nil || problem.All(err)[0].Slug != slug {
		tb.Errorf("the error is %v, want %s", err, slug)
	}
}

var never = time.UnixMilli(0)

var keeping = map[string]func(*testing.T, Open){
	"JobGoesWhenItsTimeHasCome": func(t *testing.T, open Open) {
		s := newStore(t, open)
		endedJob(t, s, "j1", "x", "y")
		acceptJob(t, s, "running", 1)
		if n := got(s.ExpireJobs(t.Context(), time.Now().Add(-time.Hour)))(t); n != 0 {
			t.Errorf("%d jobs expired before their time", n)
		}
		if n := got(s.ExpireJobs(t.Context(), soon()))(t); n != 1 {
			t.Errorf("%d jobs expired, want the one that ended", n)
		}
		_, err := s.Job(t.Context(), "j1")
		mustSlug(t, err, store.JobExpired)
		if rows := got(s.EmptyJobs(t.Context()))(t); rows != 2 {
			t.Errorf("%d rows went, want 2", rows)
		}
		if r := got(s.Results(t.Context(), "j1", -1, 10, ""))(t); len(r) != 0 {
			t.Errorf("results are left: %+v", r)
		}
		if _, found, _ := s.FindJob(t.Context(), "key of j1"); found {
			t.Error("its idempotency key still finds it")
		}
		got(s.Job(t.Context(), "running"))(t)
		must(t, s.ForgetJobs(t.Context(), soon()))
		_, err = s.Job(t.Context(), "j1")
		mustSlug(t, err, "job_not_found")
	},

	"JobWhoseWebhookHasNotGoneOutStays": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		planJob(t, s, "j1", func(int64) string { return "x" })
		draw(t, s)
		if n := got(s.ExpireJobs(t.Context(), soon()))(t); n != 0 {
			t.Error("it expired")
		}
		deliver(t, s, hook("j1"), nil)
		if n := got(s.ExpireJobs(t.Context(), soon()))(t); n != 1 {
			t.Error("it did not expire afterwards")
		}
	},

	"BigJobGoesInPages": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 450)
		planJob(t, s, "j1", func(int64) string { return "same" })
		draw(t, s)
		deliver(t, s, hook("j1"), nil)
		got(s.ExpireJobs(t.Context(), soon()))(t)
		if rows := got(s.EmptyJobs(t.Context()))(t); rows != 450 {
			t.Errorf("%d rows went", rows)
		}
		if c := got(s.Counters(t.Context()))(t); c.ItemsReady != 0 {
			t.Errorf("left are %+v", c)
		}
	},

	"PicturesOfAnExpiredJobThatABindingShowsStay": func(t *testing.T, open Open) {
		s := newStore(t, open)
		endedJob(t, s, "j1", "shared", "alone")
		replan(t, s, wants("a", "shared"))
		got(s.ExpireJobs(t.Context(), soon()))(t)
		got(s.EmptyJobs(t.Context()))(t)
		mustBe(t, "marked", markAll(t, s, time.Now(), hashOf("alone"), hashOf("shared")), hashOf("alone"))
		mustBe(t, "too young", condemned(t, s, time.Now().Add(-time.Minute)))
		mustBe(t, "due", condemned(t, s, soon()), hashOf("alone"))
		if g := image(t, s, "a"); g.Hash != hashOf("shared") {
			t.Errorf("the binding shows %+v", g)
		}
	},

	"DedupeEndsAMark": func(t *testing.T, open Open) {
		s := newStore(t, open)
		endedJob(t, s, "j1", "x")
		got(s.ExpireJobs(t.Context(), soon()))(t)
		got(s.EmptyJobs(t.Context()))(t)
		mustBe(t, "marked", markAll(t, s, time.Now(), hashOf("x")), hashOf("x"))
		endedJob(t, s, "j2", "x")
		if j := got(s.Job(t.Context(), "j2"))(t); j.Deduped != 1 {
			t.Errorf("the job is %+v", j)
		}
		mustBe(t, "due", condemned(t, s, soon()))
	},

	"CondemnedPictureIsMadeAnew": func(t *testing.T, open Open) {
		s := newStore(t, open)
		endedJob(t, s, "j1", "x")
		got(s.ExpireJobs(t.Context(), soon()))(t)
		got(s.EmptyJobs(t.Context()))(t)
		markAll(t, s, time.Now(), hashOf("x"))
		mustBe(t, "due", condemned(t, s, soon()), hashOf("x"))
		mustBe(t, "due again, for nobody said that they are gone", condemned(t, s, soon()), hashOf("x"))
		acceptJob(t, s, "j2", 1)
		planJob(t, s, "j2", func(int64) string { return "x" })
		if drawn := draw(t, s); len(drawn) != 1 {
			t.Errorf("drawn was %v", drawn)
		}
		mustBe(t, "due", condemned(t, s, soon()))
	},

	"MarkKeepsItsFirstMoment": func(t *testing.T, open Open) {
		s := newStore(t, open)
		markAll(t, s, start, "h")
		markAll(t, s, start.Add(time.Hour), "h")
		mustBe(t, "due", condemned(t, s, start), "h")
		must(t, s.Removed(t.Context(), []string{"h"}))
		mustBe(t, "due once it is gone", condemned(t, s, soon()))
	},

	"FilesOfTemplatesAndPinsStay": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), template.Version{Name: "card", Digest: "d", Source: []byte("<p>"), Assets: map[string]string{"assets/a.png": "of a template"}}))(t)
		must(t, s.SaveAssetPin(t.Context(), "https://x.example/a.png", assets.Pin{Digest: "of a pin", FetchedAt: start, CheckedAt: start}))
		mustBe(t, "marked", markAll(t, s, start, "of a template", "of a pin", "of nobody"), "of nobody")
		must(t, s.ForgetFaults(t.Context(), start.Add(time.Second)))
		mustBe(t, "marked without the pin", markAll(t, s, start, "of a template", "of a pin"), "of a pin")
	},

	"BytesThatADeliveryNamesStay": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed"}})
		replan(t, s, wants("a", "old"))
		draw(t, s)
		turn := store.Turn{ID: 1, Sink: "hook"}
		first := got(s.ClaimDeliveries(t.Context(), turn, 1))(t)
		must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{{ID: first[0].ID, Err: fmt.Errorf("refused"), Dead: true}}, true))
		replan(t, s, wants("a", "new"))
		draw(t, s)
		mustBe(t, "marked", markAll(t, s, time.Now(), hashOf("old"), hashOf("new")), hashOf("old"))
		mustBe(t, "due", condemned(t, s, soon()))
	},

	"RemovedImageLetsItsBytesGoAndComesBack": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "x"))
		draw(t, s)
		replan(t, s, removes("a"))
		mustBe(t, "marked", markAll(t, s, time.Now(), hashOf("x")), hashOf("x"))
		mustBe(t, "due", condemned(t, s, soon()), hashOf("x"))
		if g := image(t, s, "a"); !g.Removed {
			t.Errorf("the image is %+v, want a removed one", g)
		}
		replan(t, s, wants("a", "x"))
		draw(t, s)
		if g := image(t, s, "a"); g.Hash != hashOf("x") || g.Removed {
			t.Errorf("the image that came back is %+v", g)
		}
	},

	"FaultIsForgottenInTime": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "x"))
		c := claim(t, s, 1, 1)[0]
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Problem: &bindings.Problem{Code: "bad"}}}, true))
		must(t, s.ForgetFaults(t.Context(), time.Now().Add(-time.Hour)))
		if c := got(s.Counters(t.Context()))(t); c.RendersFailed != 1 {
			t.Errorf("it is forgotten too soon: %+v", c)
		}
		must(t, s.ForgetFaults(t.Context(), soon()))
		if c := got(s.Counters(t.Context()))(t); c.RendersFailed != 0 || c.ItemsFailed != 1 {
			t.Errorf("left is %+v", c)
		}
	},

	"OldBytesOfBindingsCanBeMadeAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "bound"), wants("b", "both"))
		draw(t, s)
		endedJob(t, s, "j1", "both", "job")
		w := got(s.BeginSweep(t.Context()))(t)
		mustBe(t, "remakable", got(w.Remakable(t.Context(), []string{hashOf("bound"), hashOf("both"), hashOf("job"), "unknown"}))(t), hashOf("bound"))
	},

	"PastPicturesOfAnErasedRowGo": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for seq, text := range []string{"old", "newer", "newest"} {
			read(t, s, reading{seq: int64(seq + 1), rows: map[string]string{"a": text, "b": "b"}, promote: true})
			draw(t, s)
		}
		n := got(s.DeleteRow(t.Context(), source, "a", false))(t)
		if n.Renders != 3 || n.Files != 3 {
			t.Errorf("deleted was %+v", n)
		}
		mustBe(t, "due at once", condemned(t, s, never), hashOf("newer"), hashOf("newest"), hashOf("old"))
	},

	"RefusedTwinOfAJobsRowGoesWithIt": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.StageRows(t.Context(), "j1", []batch.Row{{Index: 0, Key: "0", Values: []byte(`{"mail":"a@x"}`)}, {Index: 1, Key: "1", Values: []byte(`{"mail":"a@x"}`)}}))
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, RowKey: "mail", Total: 2}))
		p := wantsOutputs(bindings.JobOwner("j1"), "a@x", "card=x")
		twin := bindings.Proposal{Owner: bindings.JobOwner("j1"), Key: "#1", Index: 1, Digest: "!", Problem: &bindings.Problem{Code: "duplicate_key"}}
		must(t, s.PlanRows(t.Context(), hand(1), "j1", []bindings.Proposal{p, twin}, 2, true))
		draw(t, s)
		if r := got(s.Results(t.Context(), "j1", -1, 10, ""))(t); r[0].Key != "a@x" || !r[0].Done || r[1].Key != "#1" {
			t.Errorf("results are %+v", r)
		}
		if n := got(s.DeleteJobRow(t.Context(), "j1", "a@x"))(t); n.Rows != 2 {
			t.Errorf("deleted was %+v", n)
		}
	},

	"RowThatWasNeverPlannedIsFoundByItsKey": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.StageRows(t.Context(), "j1", []batch.Row{{Index: 0, Key: "0", Values: []byte(`{"mail":"a@x"}`)}, {Index: 1, Key: "1", Values: []byte(`{"mail":"b@x"}`)}}))
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, RowKey: "mail", Total: 2}))
		_, err := s.DeleteJobRow(t.Context(), "j1", "a@x")
		mustSlug(t, err, "job_running")
		got(s.CancelJob(t.Context(), "j1"))(t)
		mustBe(t, "jobs that may have it", got(s.JobsWithKey(t.Context(), "a@x"))(t), "j1")
		if n := got(s.DeleteJobRow(t.Context(), "j1", "a@x"))(t); n.Rows != 1 {
			t.Errorf("deleted was %+v", n)
		}
		_, err = s.DeleteJobRow(t.Context(), "j1", "a@x")
		mustSlug(t, err, "row_not_found")
	},

	"JobThatRunsIsNotDeleted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 1)
		_, err := s.DeleteJob(t.Context(), "j1")
		mustSlug(t, err, "job_running")
		_, err = s.DeleteJobRow(t.Context(), "j1", "row 0")
		mustSlug(t, err, "job_running")
		_, err = s.DeleteJob(t.Context(), "none")
		mustSlug(t, err, "job_not_found")
		if c := got(s.Counters(t.Context()))(t); c.JobsOpen != 1 {
			t.Errorf("open are %+v", c)
		}
	},

	"DeletedJobTakesWhatOnlyItHas": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "shared"))
		draw(t, s)
		endedJob(t, s, "j1", "shared", "alone", "twin")
		endedJob(t, s, "j2", "twin")
		n := got(s.DeleteJob(t.Context(), "j1"))(t)
		if n.Rows != 3 || n.Images != 3 || n.Renders != 1 || n.Deliveries != 1 || n.Files != 1 {
			t.Errorf("deleted was %+v", n)
		}
		mustBe(t, "due at once", condemned(t, s, never), hashOf("alone"))
		_, err := s.Job(t.Context(), "j1")
		mustSlug(t, err, store.JobDeleted)
		if again := got(s.DeleteJob(t.Context(), "j1"))(t); again.Rows != 0 {
			t.Errorf("deleted again was %+v", again)
		}
		if r := got(s.Results(t.Context(), "j2", -1, 1, ""))(t); len(r[0].Pictures) != 1 {
			t.Errorf("the other job has %+v", r)
		}
	},

	"DeletedRowOfAJobLeavesItsIndex": func(t *testing.T, open Open) {
		s := newStore(t, open)
		endedJob(t, s, "j1", "x", "y", "z")
		n := got(s.DeleteJobRow(t.Context(), "j1", "1"))(t)
		if n.Rows != 1 || n.Images != 1 || n.Renders != 1 || n.Files != 1 {
			t.Errorf("deleted was %+v", n)
		}
		_, err := s.DeleteJobRow(t.Context(), "j1", "1")
		mustSlug(t, err, "row_not_found")
		r := got(s.Results(t.Context(), "j1", -1, 10, ""))(t)
		if len(r) != 3 || r[1].Key != "" || r[1].Done || len(r[1].Pictures) != 0 || len(r[2].Pictures) != 1 {
			t.Errorf("results are %+v", r)
		}
		mustBe(t, "due at once", condemned(t, s, never), hashOf("y"))
		mustBe(t, "jobs with the key", got(s.JobsWithKey(t.Context(), "2"))(t), "j1")
	},

	"DeletedRowOfASourceGoesEverywhere": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed"}})
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "x", "b": "x", "c": "z"}, promote: true})
		draw(t, s)
		deliver(t, s, "hook", nil)
		n := got(s.DeleteRow(t.Context(), source, "c", false))(t)
		if n.Rows != 1 || n.Images != 1 || n.Renders != 1 || n.Deliveries != 1 || n.Files != 1 || !slices.Equal(n.Bindings, []string{"cards"}) || !slices.Equal(n.Sinks, []string{"hook"}) {
			t.Errorf("deleted was %+v", n)
		}
		n = got(s.DeleteRow(t.Context(), source, "a", false))(t)
		if n.Images != 1 || n.Renders != 0 || n.Files != 0 {
			t.Errorf("deleted, with a picture that another row has too, was %+v", n)
		}
		mustBe(t, "due at once", condemned(t, s, never), hashOf("z"))
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "x", "b": "x", "c": "z"}, promote: true})
		if v := status(t, s); v.Live != 3 {
			t.Errorf("the source brought back %+v, want 3 rows", v)
		}
	},

	"ForgottenRowStaysAway": func(t *testing.T, open Open) {
		s := newStore(t, open)
		rows := map[string]string{"a": "x", "b": "y"}
		read(t, s, reading{seq: 1, rows: rows, promote: true})
		draw(t, s)
		got(s.DeleteRow(t.Context(), source, "a", true))(t)
		for seq := int64(2); seq < 4; seq++ {
			read(t, s, reading{seq: seq, rows: rows, promote: seq == 2})
		}
		if v := status(t, s); v.Live != 1 {
			t.Errorf("the binding has %+v, want 1 row", v)
		}
		if c := got(s.Counters(t.Context()))(t); c.Rows != 1 {
			t.Errorf("kept are %+v", c)
		}
		if !got(s.Recall(t.Context(), source, "a"))(t) || got(s.Recall(t.Context(), source, "a"))(t) {
			t.Error("recalled twice, or not at all")
		}
		read(t, s, reading{seq: 4, rows: rows, promote: true})
		if v := status(t, s); v.Live != 2 {
			t.Errorf("the binding has %+v, want 2 rows", v)
		}
	},

	"PictureOfARowThatWasErasedMeanwhileGoes": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "x"}, promote: true})
		c := claim(t, s, 1, 1)[0]
		got(s.DeleteRow(t.Context(), source, "a", false))(t)
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(c)}, true))
		if c := got(s.Counters(t.Context()))(t); c.RendersDone+c.RendersClaimed+c.RendersWaiting != 0 {
			t.Errorf("left is %+v", c)
		}
		mustBe(t, "due at once", condemned(t, s, never), hashOf("x"))
	},

	"RemoteFileOfAnErasedRowGoesUnlessAnotherShowsIt": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, name := range []string{"own", "shared"} {
			must(t, s.SaveAssetPin(t.Context(), name, assets.Pin{Digest: "bytes of " + name, FetchedAt: start, CheckedAt: start}))
		}
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "x", "b": "y"}, promote: true})
		var done []store.Rendered
		for _, c := range claim(t, s, 1, 10) {
			p := picture(c)
			p.Remote = []store.Shown{{Address: "shared", Digest: "bytes of shared"}}
			if c.Spec.Values[0] == "x" {
				p.Remote = append(p.Remote, store.Shown{Address: "own", Digest: "bytes of own"})
			}
			done = append(done, p)
		}
		must(t, s.FinishRenders(t.Context(), hand(1), done, true))
		got(s.DeleteRow(t.Context(), source, "a", false))(t)
		mustBe(t, "due at once", condemned(t, s, never), "bytes of own", hashOf("x"))
		if _, known, _ := s.AssetPin(t.Context(), "own"); known {
			t.Error("the address of the file is still known")
		}
		if _, known, _ := s.AssetPin(t.Context(), "shared"); !known {
			t.Error("the address of the shared file is gone")
		}
	},
}
