package httppoll_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
)

// stored is a RowsFunc of the source "customers".
func stored(ids ...string) func(context.Context, string, func(string, map[string]any) error) error {
	return func(_ context.Context, source string, row func(string, map[string]any) error) error {
		if source != "customers" {
			return fmt.Errorf("no source %q", source)
		}
		for _, id := range ids {
			if err := row(id, map[string]any{"id": id, "name": "Customer " + id}); err != nil {
				return err
			}
		}
		return nil
	}
}

func eachConfig(base string) *httppoll.Config {
	cfg := newConfig(base + "/customers/{{ row.id }}/orders")
	cfg.ForEach, cfg.Keep = "customers", config.Strings{"name"}
	return cfg
}

func newEach(tb testing.TB, cfg *httppoll.Config, ids ...string) connectors.Poller {
	tb.Helper()
	p, err := httppoll.Kind.New(cfg, connectors.Env{Name: "orders", RowsFunc: stored(ids...)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.(interface{ Close() error }).Close() })
	return p
}

// orders answers each customer with two orders, and some with something else.
func orders(special map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := strings.Split(r.URL.Path, "/")[2]
		if h, ok := special[id]; ok {
			h(w, r)
			return
		}
		answers("application/json", fmt.Sprintf(`[{"id":"%s-1"},{"id":"%s-2"}]`, id, id))(w, r)
	}
}

func TestEachStoredRowHasItsRequest(t *testing.T) {
	s := newServer(t, orders(map[string]http.HandlerFunc{
		"b": answers("application/json", `{"id":"b-only"}`),
		"c": http.NotFound,
		"d": answers("application/json", `[]`),
	}))
	r := mustPoll(t, newEach(t, eachConfig(s.URL), "a", "b", "c", "d", "e f"), nil)
	if diff := cmp.Diff([]string{"a-1", "a-2", "b-only", "e f-1", "e f-2"}, idsOf(r.Rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if row := r.Rows[2]; row.Values["name"] != "Customer b" || row.Position != "customers b, $" {
		t.Errorf("the row of b is %+v", row)
	}
}

func TestAnswersThatDidNotChangeEmitNothing(t *testing.T) {
	s := newServer(t, orders(nil))
	cfg := eachConfig(s.URL)
	cursor := mustPoll(t, newEach(t, cfg, "a", "b", "c"), nil).Closing.Cursor
	if r := mustPoll(t, newEach(t, cfg, "a", "b", "c"), cursor); !r.Closing.Unchanged {
		t.Errorf("closing is %+v, want unchanged", r.Closing)
	}
	if r := mustPoll(t, newEach(t, cfg, "a", "b"), cursor); r.Closing.Unchanged || len(r.Rows) != 4 {
		t.Errorf("closing is %+v with %d rows, want those that are left", r.Closing, len(r.Rows))
	}
	if r := mustPoll(t, newEach(t, cfg, "a", "b", "d"), cursor); r.Closing.Unchanged || len(r.Rows) != 6 {
		t.Errorf("closing is %+v with %d rows, want those of another one", r.Closing, len(r.Rows))
	}
}

func TestColumnThatIsKeptIsPartOfTheAnswer(t *testing.T) {
	s := newServer(t, orders(nil))
	cfg := eachConfig(s.URL)
	cursor := mustPoll(t, newEach(t, cfg, "a"), nil).Closing.Cursor
	renamed := func(_ context.Context, _ string, row func(string, map[string]any) error) error {
		return row("a", map[string]any{"id": "a", "name": "Another"})
	}
	p, err := httppoll.Kind.New(cfg, connectors.Env{RowsFunc: renamed})
	if err != nil {
		t.Fatal(err)
	}
	defer p.(interface{ Close() error }).Close()
	if r := mustPoll(t, p, cursor); r.Closing.Unchanged || len(r.Rows) != 2 || r.Rows[0].Values["name"] != "Another" {
		t.Errorf("closing is %+v with %+v, want the other name", r.Closing, r.Rows)
	}
}

func TestRequestThatFailsMakesTheReadingIncomplete(t *testing.T) {
	httppoll.HurryRetries(t)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"server error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "500"},
		"cut":          {hijacked("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["), "cut short"},
		"half":         {answers("application/json", `[{"id":"b-1"},{"id"`), "breaks off"},
		"half object":  {answers("application/json", `{"id":"b-1"`), "breaks off"},
		"login page":   {answers("text/html", `<html>`), "HTML"},
		"text":         {answers("application/json", `"x"`), "not an array"},
		"bad request":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newEach(t, eachConfig(newServer(t, orders(map[string]http.HandlerFunc{"b": c.answer})).URL), "a", "b", "c")
			r := mustClose(t, p, nil)
			reason := r.Closing.Reason
			if r.Closing.Complete || !strings.Contains(reason, "1 of 3 requests failed, the first: customers b: GET http://") || !strings.Contains(reason, c.want) {
				t.Errorf("closing is %+v, want %q in it", r.Closing, c.want)
			}
			if ids := idsOf(r.Rows); !slices.Contains(ids, "a-2") || !slices.Contains(ids, "c-1") {
				t.Errorf("rows are %v, want those of the others", ids)
			}
			if again := mustClose(t, p, r.Closing.Cursor); again.Closing.Complete || again.Closing.Unchanged {
				t.Errorf("the same again closes with %+v", again.Closing)
			}
		})
	}
}

func TestReadingGivesUpWhereEveryRequestFails(t *testing.T) {
	httppoll.HurryRetries(t)
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		status, most int
		ids          []string
	}{
		"unauthorized": {401, 5, many}, "server error": {500, 75, many}, "all of two": {400, 2, many[:2]},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.WriteHeader(c.status)
			})
			mustFail(t, newEach(t, eachConfig(s.URL), c.ids...), "customers ", fmt.Sprint(c.status))
			if n := int(asked.Load()); n > c.most {
				t.Errorf("%d requests, want %d at most", n, c.most)
			}
		})
	}
}

func TestSourceWithoutRowsToAskForIsNotComplete(t *testing.T) {
	s := newServer(t, orders(nil))
	if r := mustClose(t, newEach(t, eachConfig(s.URL)), nil); r.Closing.Complete || !strings.Contains(r.Closing.Reason, `"customers" has no rows`) {
		t.Errorf("closing is %+v", r.Closing)
	}
	mustFail(t, newPoller(t, eachConfig(s.URL)), "no rows of")
	cfg := eachConfig(s.URL)
	cfg.ForEach = "gone"
	mustFail(t, newEach(t, cfg, "a"), `no source "gone"`)
	if names := cfg.Sources(); fmt.Sprint(names) != "[gone]" || newConfig(s.URL).Sources() != nil {
		t.Errorf("sources are %v", names)
	}
}

func TestRowWithoutItsColumnIsNotAskedFor(t *testing.T) {
	cfg := eachConfig(newServer(t, orders(nil)).URL + "/{{ row.region }}")
	mustFail(t, newEach(t, cfg, "a"), "customers a", "row.region", "is empty")
}

func TestEachListMayHavePages(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		id, page := strings.Split(r.URL.Path, "/")[2], r.URL.Query().Get("page")
		body := fmt.Sprintf(`[{"id":"%s-%s"}]`, id, page)
		if page == "3" || id == "b" {
			body = `[]`
		}
		if id == "c" {
			http.NotFound(w, r)
			return
		}
		answers("application/json", body)(w, r)
	})
	cfg := eachConfig(s.URL)
	cfg.Pages = &httppoll.Pages{By: "page"}
	r := mustPoll(t, newEach(t, cfg, "a", "b", "c", "d"), nil)
	if diff := cmp.Diff([]string{"a-1", "a-2", "d-1", "d-2"}, idsOf(r.Rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if r.Rows[3].Position != "customers d, page 2, $[0]" {
		t.Errorf("the last one stands at %q", r.Rows[3].Position)
	}
}

func TestRequestsToOneHostAreBounded(t *testing.T) {
	var under, most atomic.Int32
	var mu sync.Mutex
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		n := under.Add(1)
		defer under.Add(-1)
		mu.Lock()
		most.Store(max(most.Load(), n))
		mu.Unlock()
		<-time.After(5 * time.Millisecond)
		orders(nil)(w, r)
	})
	for perHost, want := range map[int]int32{1: 1, 3: 3} {
		most.Store(0)
		var all sync.WaitGroup
		for range 2 { // sources share the bound
			all.Go(func() {
				cfg := eachConfig(s.URL)
				cfg.PerHost = perHost
				var r connectortest.Recorder
				if err := newEach(t, cfg, "a", "b", "c", "d", "e", "f").Poll(t.Context(), nil, r.Emit); err != nil || len(r.Rows) != 12 {
					t.Errorf("%d rows, %v", len(r.Rows), err)
				}
			})
		}
		all.Wait()
		if most.Load() != want {
			t.Errorf("%d requests at a time, want %d", most.Load(), want)
		}
	}
	if n := httppoll.HostsBusy(); n != 0 {
		t.Errorf("%d hosts are remembered", n)
	}
}

func TestReadingOfManyRequestsEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	var r connectortest.Recorder
	err := newEach(t, eachConfig(s.URL), "a", "b", "c", "d", "e", "f", "g").Poll(ctx, nil, r.Emit)
	if !errors.Is(err, context.Canceled) || r.Closing != nil {
		t.Errorf("Poll returned %v, closing %+v", err, r.Closing)
	}
}

func TestReadingOfManyRequestsStopsWhereItIsRefused(t *testing.T) {
	refused := errors.New("refused")
	s := newServer(t, orders(nil))
	err := newEach(t, eachConfig(s.URL), "a", "b", "c", "d", "e", "f").Poll(t.Context(), nil, func(context.Context, connectors.Batch) error { return refused })
	if !errors.Is(err, refused) || errors.Is(err, context.Canceled) {
		t.Errorf("Poll returned %v", err)
	}
}

func TestCallersDoNotSendRowsOfOthersOn(t *testing.T) {
	_, err := httppoll.Kind.New(eachConfig("http://shop.example"), connectors.Env{Client: http.DefaultClient, RowsFunc: stored("a")})
	if err == nil || !strings.Contains(err.Error(), "for_each") {
		t.Errorf("New returned %v", err)
	}
}

func TestSourceOfATimeIsReadForIt(t *testing.T) {
	var a asked
	cfg := newConfig(newServer(t, noting(&a, answers("application/json", oneRow))).URL + "/usage-{{ run.month }}.json?until={{ run.end }}")
	timed, ok := newPoller(t, cfg).(connectors.Timed)
	if !ok {
		t.Fatal("the source is not timed")
	}
	berlin := time.FixedZone("CEST", 2*60*60)
	var cursor connectors.Cursor
	for range 2 { // what was read before does not matter
		var r connectortest.Recorder
		if err := timed.PollAt(t.Context(), time.Date(2026, 9, 30, 22, 30, 0, 0, time.UTC).In(berlin), cursor, r.Emit); err != nil {
			t.Fatal(err)
		}
		if r.Closing == nil || r.Closing.Complete || r.Closing.Reason == "" || len(r.Rows) != 1 {
			t.Errorf("closing is %+v after %d rows", r.Closing, len(r.Rows))
		}
		cursor = r.Closing.Cursor
		if got := a.last().RequestURI; got != "/usage-2026-10.json?until=2026-11-01T00%3A00%3A00%2B02%3A00" {
			t.Errorf("asked for %s", got)
		}
	}
	if _, ok := newPoller(t, newConfig("http://shop.example/")).(connectors.Timed); ok {
		t.Error("a source without a time is timed")
	}
}
