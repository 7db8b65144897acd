package api

import (
	"context"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var streamSince = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func (s *shelf) StreamStates(context.Context) (map[string]StreamState, error) {
	return map[string]StreamState{"shop": {
		Phase: "snapshot", Since: streamSince, Rows: 3, OfRows: 9, Lag: map[string]int64{"0": 4}, Retained: 1 << 20,
		Warning: &Advice{"WAL grows", "drop the slot"}, Gap: "the slot is lost", GapAt: streamSince, Gaps: 2, Resnapshot: true,
	}}, nil
}

func (s *shelf) ReplayKeptOut(_ context.Context, source string, positions []string) (Replayed, error) {
	if source != "shop" {
		return Replayed{}, problem.New(problem.Unsupported, "the source %q is no stream", source).WithSlug(SlugNoStream)
	}
	return Replayed{Replayed: 1 + len(positions), Stale: 2, StillBroken: 3}, nil
}

func (s *shelf) DiscardKeptOut(_ context.Context, _ string, positions []string) (int64, error) {
	return int64(10 + len(positions)), nil
}

func (w *world) KeptOutPage(_ context.Context, _ string, after bindings.KeptOut, limit int) ([]bindings.KeptOut, error) {
	all := []bindings.KeptOut{
		{Quarantined: bindings.Quarantined{Key: "a%2Cb", Position: "cards/0@17", Reason: "bad_record", Detail: "no JSON", Raw: []byte("x")}, Seq: 4, At: streamSince, Tries: 2, TriedAt: streamSince},
		{Quarantined: bindings.Quarantined{Position: "cards/0@18", Reason: "bad_record", Detail: "no key"}, Seq: 5, At: streamSince},
	}
	if after.Position == "cards/0@17" && after.Seq == 4 && after.Key == "a%2Cb" {
		all = all[1:]
	}
	return all[:min(limit, len(all))], nil
}

func TestSourceThatIsAStreamSaysHowItFares(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	v := mustAnswer[struct{ Source connectionView }](t, get("/sources/shop").to(t, s), 200).Source.Stream
	if v == nil || v.Phase != "snapshot" || v.Snapshot == nil || *v.Snapshot != (snapshotView{3, 9}) || v.Lag["0"] != 4 || v.Retained != 1<<20 {
		t.Fatalf("the stream is %+v", v)
	}
	if v.Gap == nil || v.Gap.Why != "the slot is lost" || v.Gaps != 2 || v.Warning == nil || v.Warning.Next != "drop the slot" || v.Halted != nil || !v.Resnapshot {
		t.Errorf("the stream is %+v", v)
	}
	list := mustAnswer[struct{ Sources []connectionView }](t, get("/sources").to(t, s), 200)
	if list.Sources[0].Stream == nil || list.Sources[1].Stream != nil {
		t.Error("only the first source is a stream")
	}
}

func TestWhatIsKeptOutIsPagedReplayedAndDiscarded(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	page := mustAnswer[poisonPage](t, get("/sources/shop/quarantine?limit=1").to(t, s), 200)
	if len(page.Quarantined) != 1 || page.Quarantined[0].Name != "a,b" || !page.Quarantined[0].Replays || page.Quarantined[0].Tries != 2 || page.Next == "" {
		t.Fatalf("the first page is %+v", page)
	}
	page = mustAnswer[poisonPage](t, get("/sources/shop/quarantine?limit=2&after="+page.Next).to(t, s), 200)
	if len(page.Quarantined) != 1 || page.Quarantined[0].Position != "cards/0@18" || page.Quarantined[0].Replays || page.Next != "" {
		t.Errorf("the second page is %+v", page)
	}
	if v := mustAnswer[replayView](t, post("/sources/shop/quarantine/replay", `{"positions":["a","b"]}`).to(t, s), 200); v != (replayView{"shop", 3, 2, 3}) {
		t.Errorf("replayed %+v", v)
	}
	if v := mustAnswer[replayView](t, post("/sources/shop/quarantine/replay", "").to(t, s), 200); v.Replayed != 1 {
		t.Errorf("replayed %+v", v)
	}
	if v := mustAnswer[discardedView](t, post("/sources/shop/quarantine/discard", `{"positions":["a"]}`).to(t, s), 200); v.Discarded != 11 {
		t.Errorf("discarded %+v", v)
	}
	mustProblem(t, post("/sources/crm/quarantine/replay", "").to(t, s), 422, SlugNoStream)
	mustProblem(t, post("/sources/shop/resnapshot", "").to(t, s), 422, SlugNoStream)
	mustProblem(t, post("/sources/shp/resnapshot", "").to(t, s), 404, "source_not_found")
	mustProblem(t, get("/sources/shp/quarantine").to(t, s), 404, "source_not_found")
	for path, want := range map[string]int{"/sources/shop/quarantine?after=x": 422, "/sources/shop/quarantine?limit=0": 422} {
		if out := get(path).to(t, s); out.Code != want {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
	}
	for body, want := range map[string]int{`{"positions":[]}`: 422, `{"position":"a"}`: 400} {
		if out := post("/sources/shop/quarantine/discard", body).to(t, s); out.Code != want {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
}
