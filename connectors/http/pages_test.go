package httppoll_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func TestEachWayAsksForAllPagesAndNoMore(t *testing.T) {
	for name, want := range map[string]int{
		"link": 3, "link in body": 3, "cursor": 3, "cursor and more": 3,
		"column":        4, // the server says only by an empty page that there is no more
		"page":          5, // the same, and page 1 again
		"page of total": 4, "page and more": 4,
		"offset":         6, // 0, 69, 138, 207, 249, and 0 again
		"capped offset":  5,
		"aligned offset": 6,
	} {
		s, url := newShelf(t, numbered(1, 250)...)
		r := mustPoll(t, newPoller(t, pagedConfig(url, ways[name])), nil)
		if diff := cmp.Diff(idsOfAll(numbered(1, 250)), idsOf(r.Rows)); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
		if s.requests() != want {
			t.Errorf("%s: %d requests, want %d: %s", name, s.requests(), want, s.asked)
		}
	}
}

func idsOfAll(rows []map[string]any) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row["id"].(string)
	}
	return ids
}

func TestPositionsNameThePage(t *testing.T) {
	_, url := newShelf(t, numbered(1, 101)...)
	r := mustPoll(t, newPoller(t, pagedConfig(url, ways["cursor"])), nil)
	if r.Rows[100].Position != "page 2, $.items[0]" {
		t.Errorf("row 101 stands at %q", r.Rows[100].Position)
	}
}

func TestPagesThatDidNotChangeEmitNothing(t *testing.T) {
	for name, way := range ways {
		s, url := newShelf(t, numbered(1, 450)...)
		p := newPoller(t, pagedConfig(url, way))
		cursor := mustPoll(t, p, nil).Closing.Cursor
		r := mustPoll(t, p, cursor)
		if !r.Closing.Unchanged || len(r.Rows) > 0 {
			t.Errorf("%s: closing %+v after %d rows, want unchanged", name, r.Closing, len(r.Rows))
		}
		rows := numbered(1, 450)
		rows[449]["name"] = "changed on the last page"
		s.set(rows, false, false)
		if r = mustPoll(t, p, cursor); r.Closing.Unchanged || len(r.Rows) != 450 || r.Rows[449].Values["name"] != rows[449]["name"] {
			t.Errorf("%s: closing %+v after %d rows, want all rows", name, r.Closing, len(r.Rows))
		}
	}
}

func TestPagesGoOnAsTheyCome(t *testing.T) {
	s, url := newShelf(t, numbered(1, 1000)...)
	p := newPoller(t, pagedConfig(url, ways["cursor"]))
	var r connectortest.Recorder
	emit := func(ctx context.Context, b connectors.Batch) error {
		if len(r.Rows) == 0 && s.requests() > 6 {
			t.Errorf("%d pages were asked for ahead of the first rows", s.requests())
		}
		return r.Emit(ctx, b)
	}
	if err := p.Poll(t.Context(), nil, emit); err != nil || len(r.Rows) != 1000 {
		t.Errorf("%d rows, %v", len(r.Rows), err)
	}
}

func TestShortPageIsNotTheEnd(t *testing.T) {
	// The server takes away what the caller may not see once it made its pages.
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		pages := map[string]string{"1": `{"items":[{"id":"a"},{"id":"b"}]}`, "2": `{"items":[{"id":"c"}]}`, "3": `{"items":[{"id":"d"},{"id":"e"}]}`, "4": `{"items":[]}`}
		answers("application/json", pages[r.URL.Query().Get("page")])(w, r)
	})
	if r := mustPoll(t, newPoller(t, pagedConfig(s.URL, httppoll.Pages{By: "page", Size: 2})), nil); len(r.Rows) != 5 {
		t.Errorf("rows are %v, want five", idsOf(r.Rows))
	}
}

// scripted answers request n with page n; the last one stays.
func scripted(pages ...string) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		page := pages[min(n, len(pages)-1)]
		n++
		if link, body, found := strings.Cut(page, " "); found && strings.HasPrefix(link, "<") {
			w.Header().Set("Link", link+`; rel="next"`)
			page = body
		}
		answers("application/json", page)(w, r)
	}
}

func TestPagesWithoutEndAreNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		pages  httppoll.Pages
		answer []string
	}{
		"link to itself":     {httppoll.Pages{By: "link"}, []string{`</> [{"id":1}]`}},
		"links in a circle":  {httppoll.Pages{By: "link"}, []string{`</a> [{"id":1}]`, `</b> [{"id":2}]`, `</a> [{"id":3}]`}},
		"cursor stays":       {httppoll.Pages{By: "cursor", Next: "$.c"}, []string{`{"items":[{"id":1}],"c":"x"}`, `{"items":[{"id":2}],"c":"x"}`}},
		"cursors in circle":  {httppoll.Pages{By: "cursor", Next: "$.c"}, []string{`{"items":[{"id":1}],"c":1}`, `{"items":[],"c":2}`, `{"items":[],"c":1}`}},
		"column stays":       {httppoll.Pages{By: "cursor", Column: "id"}, []string{`{"items":[{"id":1}]}`, `{"items":[{"id":1}]}`}},
		"page is not heeded": {httppoll.Pages{By: "page"}, []string{`{"items":[{"id":1},{"id":2}],"at":1}`, `{"items":[{"id":1},{"id":2}],"at":2}`}},
		"offset neither":     {httppoll.Pages{By: "offset"}, []string{`{"items":[{"id":1},{"id":2}]}`}},
		"nor where aligned":  {httppoll.Pages{By: "offset", Aligned: true}, []string{`{"items":[{"id":1},{"id":2}]}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var a asked
			cfg := pagedConfig(newServer(t, noting(&a, scripted(c.answer...))).URL, c.pages)
			if strings.HasPrefix(c.answer[0], "<") {
				cfg.Rows = ""
			}
			_, err := mustFail(t, newPoller(t, cfg), "page")
			if kind := kindOf(err); kind != httppoll.PagesLoop || len(a.requests) > 4 {
				t.Errorf("%v is %s after %d requests", err, kind, len(a.requests))
			}
		})
	}
}

func kindOf(err error) string {
	if all := problem.All(err); len(all) > 0 {
		return all[0].Kind()
	}
	return ""
}

func TestListOfMorePagesThanAllowedIsNotComplete(t *testing.T) {
	for name, way := range ways {
		way.MaxPages = 2
		s, url := newShelf(t, numbered(1, 900)...)
		r := mustClose(t, newPoller(t, pagedConfig(url, way)), nil)
		if r.Closing.Complete || !strings.Contains(r.Closing.Reason, "more than 2 pages") || s.requests() != 2 {
			t.Errorf("%s: closing %+v after %d requests", name, r.Closing, s.requests())
		}
		again := mustClose(t, newPoller(t, pagedConfig(url, way)), r.Closing.Cursor)
		if again.Closing.Complete || again.Closing.Unchanged {
			t.Errorf("%s: the same again closes with %+v", name, again.Closing)
		}
	}
}

// drifts changes the rows ahead of request n.
func drifts(s *shelf, n int, rows []map[string]any) {
	s.before = func(at int, _ http.ResponseWriter, _ *http.Request) bool {
		if at == n {
			s.set(rows, false, false)
		}
		return false
	}
}

func TestRowsThatMoveWhileTheyAreReadMakeItIncomplete(t *testing.T) {
	all := numbered(1, 300)
	inserted := slices.Concat(numbered(0, 0), all)
	deleted := all[1:]
	middle := slices.Concat(all[:120], all[121:])
	for name, c := range map[string]struct {
		way  string
		rows []map[string]any
		at   int
		want string
	}{
		"page, row inserted":       {"page", inserted, 2, "was in the page before"},
		"page, row deleted":        {"page", deleted, 2, "page 1 changed"},
		"page, last page":          {"page", inserted, 3, "was in the page before"},
		"offset, row inserted":     {"offset", inserted, 3, "rows moved between the pages 2 and 3"},
		"offset, row deleted":      {"offset", deleted, 3, "rows moved between the pages 2 and 3"},
		"offset, inside":           {"offset", middle, 4, "rows moved between the pages 3 and 4"},
		"offset, all but one gone": {"offset", all[:1], 4, "rows moved"},
		"aligned, row deleted":     {"aligned offset", deleted, 2, "page 1 changed"},
		"total changes":            {"page of total", middle, 3, "there were 300 rows at page 2 and 299 at page 3"},
	} {
		t.Run(name, func(t *testing.T) {
			s, url := newShelf(t, all...)
			drifts(s, c.at, c.rows)
			p := newPoller(t, pagedConfig(url, ways[c.way]))
			r := mustClose(t, p, nil)
			if r.Closing.Complete || !strings.Contains(r.Closing.Reason, c.want) {
				t.Errorf("closing is %+v, want one that says %q", r.Closing, c.want)
			}
			ids := idsOf(r.Rows)
			if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) {
				t.Errorf("rows came twice: %v", ids)
			}
			next := mustPoll(t, p, r.Closing.Cursor)
			if diff := cmp.Diff(idsOfAll(c.rows), idsOf(next.Rows)); diff != "" {
				t.Errorf("the quiet list after it (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListThatIsSoIsCompleteTheSecondTime(t *testing.T) {
	// The same key on two pages, for good: the bindings are to say so.
	rows := numbered(1, 150)
	rows[100] = maps.Clone(rows[99])
	_, url := newShelf(t, rows...)
	p := newPoller(t, pagedConfig(url, ways["page"]))
	first := mustClose(t, p, nil)
	if first.Closing.Complete || len(first.Rows) != 149 {
		t.Errorf("closing is %+v with %d rows, want what looks like drift", first.Closing, len(first.Rows))
	}
	second := mustPoll(t, p, first.Closing.Cursor)
	if second.Closing.Unchanged || len(second.Rows) != 150 {
		t.Errorf("closing is %+v with %d rows, want all as they are", second.Closing, len(second.Rows))
	}
	if third := mustPoll(t, p, second.Closing.Cursor); !third.Closing.Unchanged {
		t.Errorf("closing is %+v, want unchanged", third.Closing)
	}
}

func TestFewerRowsThanTheAnswerSaysAreNotComplete(t *testing.T) {
	s := newServer(t, scripted(`{"items":[{"id":1},{"id":2}],"total":9}`, `{"items":[{"id":3}],"total":9}`, `{"items":[],"total":9}`, `{"items":[{"id":1},{"id":2}],"total":9}`))
	r := mustClose(t, newPoller(t, pagedConfig(s.URL, httppoll.Pages{By: "page", Total: "$.total"})), nil)
	if r.Closing.Complete || r.Closing.Reason != "3 of 9 rows came" {
		t.Errorf("closing is %+v", r.Closing)
	}
}

func TestPageThatFailsClosesNothing(t *testing.T) {
	httppoll.HurryRetries(t)
	for name, answer := range map[string]http.HandlerFunc{
		"server error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"cut":          hijacked("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
		"login page":   answers("text/html", "<html>"),
		"other form":   answers("application/json", `{"error":"too fast"}`),
		"half":         answers("application/json", `{"items":[{"id":1},{"id"`),
		"empty":        answers("application/json", ""),
		"not found":    http.NotFound,
	} {
		for _, way := range []string{"link", "cursor", "page", "offset"} {
			t.Run(name+" by "+way, func(t *testing.T) {
				s, url := newShelf(t, numbered(1, 450)...)
				s.before = func(n int, w http.ResponseWriter, r *http.Request) bool {
					if n >= 3 {
						answer(w, r)
					}
					return n >= 3
				}
				mustFail(t, newPoller(t, pagedConfig(url, ways[way])), "page 3")
				if s.requests() > 7 {
					t.Errorf("%d requests", s.requests())
				}
			})
		}
	}
}

func TestPageThatFailsForAWhileIsAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header string
		least  time.Duration
	}{
		"429 in seconds": {429, "7", 7 * time.Second},
		"503 by a date":  {503, "date", 8 * time.Second},
		"500":            {500, "", 500 * time.Millisecond},
		"502":            {502, "", 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s, url := newShelf(t, numbered(1, 250)...)
			waits := httppoll.HurryRetries(t)
			s.before = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n != 2 {
					return false
				}
				if c.header == "date" {
					c.header = time.Now().Add(10 * time.Second).UTC().Format(http.TimeFormat)
				}
				w.Header().Set("Retry-After", c.header)
				w.WriteHeader(c.status)
				return true
			}
			if r := mustPoll(t, newPoller(t, pagedConfig(url, ways["cursor"])), nil); len(r.Rows) != 250 {
				t.Errorf("%d rows", len(r.Rows))
			}
			if len(*waits) != 1 || (*waits)[0] < c.least || (*waits)[0] > c.least+3*time.Second {
				t.Errorf("waited %v, want at least %v", *waits, c.least)
			}
		})
	}
}

func TestStormOf429EndsTheReadingAfterAFewRequests(t *testing.T) {
	for name, c := range map[string]struct {
		wait     string
		from     int
		requests int
	}{
		"short, later page": {"1", 2, 6},
		"long, later page":  {"3600", 2, 2},
		"first page":        {"1", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, url := newShelf(t, numbered(1, 250)...)
			s.before = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Retry-After", c.wait)
				if n >= c.from {
					w.WriteHeader(http.StatusTooManyRequests)
				}
				return n >= c.from
			}
			httppoll.HurryRetries(t)
			_, err := mustFail(t, newPoller(t, pagedConfig(url, ways["cursor"])), "429")
			if wait, ok := retry.Wait(err); !ok || wait.Seconds() != float64(mustInt(t, c.wait)) {
				t.Errorf("%v asks for %v (%v)", err, wait, ok)
			}
			if s.requests() != c.requests {
				t.Errorf("%d requests, want %d", s.requests(), c.requests)
			}
		})
	}
}

func mustInt(tb testing.TB, text string) int {
	tb.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestNextPageAtAnotherHostIsRefused(t *testing.T) {
	other := newServer(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("another host was asked: %v", r.Header) })
	s := newServer(t, scripted("<"+other.URL+`/rows?page=2&token=hidden> [{"id":1}]`))
	cfg := newConfig(s.URL)
	cfg.Pages = &httppoll.Pages{By: "link"}
	_, err := mustFail(t, newPoller(t, cfg), other.URL, "another host")
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %q shows the query", err)
	}
}

func TestWhatPagingReadsHasToBeThere(t *testing.T) {
	for name, c := range map[string]struct {
		pages  httppoll.Pages
		answer string
		want   string
	}{
		"way to the cursor": {httppoll.Pages{By: "cursor", Next: "$.meta.next"}, `{"items":[{"id":1}]}`, "no $.meta in the page"},
		"cursor is object":  {httppoll.Pages{By: "cursor", Next: "$.next"}, `{"items":[{"id":1}],"next":{"a":1}}`, "pages.next"},
		"more, no cursor":   {httppoll.Pages{By: "cursor", Next: "$.nxt", More: "$.more"}, `{"items":[{"id":1}],"next":"a","more":true}`, "there is more"},
		"no such column":    {httppoll.Pages{By: "cursor", Column: "uid"}, `{"items":[{"id":1}]}`, `no column "uid"`},
		"total is a text":   {httppoll.Pages{By: "page", Total: "$.total"}, `{"items":[{"id":1}],"total":"many"}`, `"many"`},
		"rows":              {httppoll.Pages{By: "page"}, `{"products":[{"id":1}]}`, `there is no $.items`},
		"link is no text":   {httppoll.Pages{By: "link", Next: "$.next"}, `{"items":[{"id":1}],"next":["a"]}`, "pages.next"},
		"link is no link":   {httppoll.Pages{By: "link", Next: "$.next"}, `{"items":[{"id":1}],"next":"http://%zz"}`, "no address"},
	} {
		t.Run(name, func(t *testing.T) {
			mustFail(t, newPoller(t, pagedConfig(newServer(t, scripted(c.answer)).URL, c.pages)), c.want)
		})
	}
}

func TestPagesAreAskedForInsideTheBody(t *testing.T) {
	var bodies []string
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		answers("application/json", `{"data":{"list":[{"id":1}],"end":"abc"}}`)(w, r)
	})
	cfg := newConfig(s.URL)
	cfg.Rows = "$.data.list"
	cfg.JSON = map[string]any{"query": "{ list }", "variables": map[string]any{"n": json.Number("50")}}
	cfg.Pages = &httppoll.Pages{By: "cursor", Next: "$.data.end", Field: "variables.after"}
	mustFail(t, newPoller(t, cfg), "was there before")
	want := []string{`{"query":"{ list }","variables":{"n":50}}`, `{"query":"{ list }","variables":{"after":"abc","n":50}}`}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

func TestKeyOfTheAPIIsInTheAddressOfEachPage(t *testing.T) {
	s, address := newShelf(t, numbered(1, 250)...)
	cfg := pagedConfig(address+"/rows?lang=en", ways["link"])
	cfg.APIKey = &httppoll.APIKey{Query: "api_key", Value: config.NewSecret("s3cret")}
	mustPoll(t, newPoller(t, cfg), nil)
	for _, asked := range s.asked {
		if u, err := url.Parse(asked); err != nil || u.Query().Get("api_key") != "s3cret" {
			t.Errorf("asked for %s", asked)
		}
	}
}

func TestTablesComeInPages(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		pages := map[string]string{"1": "id,name\n1,a\n2,b\n", "2": "id,name\n3,c\n", "3": "id,name\n"}
		answers("text/csv", pages[r.URL.Query().Get("p")])(w, r)
	})
	cfg := newConfig(s.URL)
	cfg.Pages = &httppoll.Pages{By: "page", Param: "p"}
	if r := mustPoll(t, newPoller(t, cfg), nil); fmt.Sprint(idsOf(r.Rows)) != "[1 2 3]" || r.Rows[2].Position != "page 2, line 2" {
		t.Errorf("rows are %+v", r.Rows)
	}
}

func TestLinkHeadersAreRead(t *testing.T) {
	for header, want := range map[string]string{
		`<https://x/?page=2>; rel="next", <https://x/?page=9>; rel="last"`:     "https://x/?page=2",
		`<a>; rel=prev,<b>;rel=next`:                                           "b",
		`<a,b;c>; title="x, <y>; rel=next"; rel="prev start", <d>; REL="Next"`: "d",
		`<a>; rel="prev next"`:                                                 "a",
		`<a>; rel=prev; rel=next`:                                              "",
		`<a>; title="\"; rel=next"`:                                            "",
		`<a>`:                                                                  "",
		`< /b?x=1 > ; rel = next`:                                              "/b?x=1",
		`garbage`:                                                              "",
		`<a; rel=next`:                                                         "",
		``:                                                                     "",
	} {
		if got := httppoll.NextLink([]string{header}); got != want {
			t.Errorf("next of %s is %q, want %q", header, got, want)
		}
	}
	if got := httppoll.NextLink([]string{`<a>; rel=last`, `<b>; rel=next`}); got != "b" {
		t.Errorf("next of two headers is %q", got)
	}
}

func FuzzLinkHeader(f *testing.F) {
	f.Add(`<https://x/?page=2>; rel="next", <https://x/?page=9>; rel="last"`)
	f.Add(`<a>; title="\"; rel=next"`)
	f.Fuzz(func(t *testing.T, header string) {
		if link := httppoll.NextLink([]string{header}); link != "" && !strings.Contains(header, link) {
			t.Errorf("next of %q is %q", header, link)
		}
	})
}
