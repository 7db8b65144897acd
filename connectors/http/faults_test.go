package httppoll_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
)

func zstdOf(tb testing.TB, text []byte) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return w.EncodeAll(text, nil)
}

func gzipOf(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// encoded answers with body under a Content-Encoding.
func encoded(encoding string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if encoding != "" {
			w.Header().Set("Content-Encoding", encoding)
		}
		_, _ = w.Write(body)
	}
}

func TestPackedAnswersAreAskedForAndUnpacked(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"gzip":          encoded("gzip", gzipOf(t, []byte(oneRow))),
		"zstd":          encoded("zstd", zstdOf(t, []byte(oneRow))),
		"file":          encoded("", gzipOf(t, []byte(oneRow))),
		"file, gzipped": encoded("gzip", gzipOf(t, zstdOf(t, []byte(oneRow)))),
	} {
		t.Run(name, func(t *testing.T) {
			var a asked
			if r := mustPoll(t, newPoller(t, newConfig(newServer(t, noting(&a, handler)).URL)), nil); len(r.Rows) != 1 {
				t.Errorf("got %+v", r.Rows)
			}
			if accepts := a.last().Header.Get("Accept-Encoding"); accepts != "zstd, gzip" {
				t.Errorf("asked for %q", accepts)
			}
		})
	}
}

func TestAnswerThatIsNotPackedAsItSaysIsAnError(t *testing.T) {
	text := []byte(`[` + strings.Repeat(`{"id":1},`, 2000) + `{"id":2}]`)
	damaged := func(packed []byte) []byte {
		packed = bytes.Clone(packed)
		packed[len(packed)-3] ^= 0xff
		return packed
	}
	bomb := []byte(`[{"id":"` + strings.Repeat("x", 32<<20) + `"}]`)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"plain as gzip":   {encoded("gzip", text), "not the gzip"},
		"plain as zstd":   {encoded("zstd", text), "not the zstd"},
		"damaged gzip":    {encoded("gzip", damaged(gzipOf(t, text))), "not the gzip"},
		"damaged zstd":    {encoded("zstd", damaged(zstdOf(t, text))), "not the zstd"},
		"half a gzip":     {encoded("gzip", gzipOf(t, text)[:60]), "cut short"},
		"half a zstd":     {encoded("zstd", zstdOf(t, text)[:20]), "cut short"},
		"gzip bomb":       {encoded("gzip", gzipOf(t, bomb)), "larger than 1MiB"},
		"zstd bomb":       {encoded("zstd", zstdOf(t, bomb)), "larger than 1MiB"},
		"bomb in a file":  {encoded("", gzipOf(t, bomb)), "larger than 1MiB"},
		"half a file":     {encoded("", gzipOf(t, text)[:60]), "breaks off"},
		"announced large": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9000000") }, "larger than 1MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig(newServer(t, c.handler).URL)
			cfg.MaxSize = 1 << 20
			if r, _ := mustFail(t, newPoller(t, cfg), c.want); r.Batches > 0 {
				t.Errorf("%d batches", r.Batches)
			}
		})
	}
}

func TestLargeAnswerLiesOnTheDiskAndIsGoneAfterwards(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	name := strings.Repeat("x", 1000)
	text := []byte(`[` + strings.Repeat(`{"id":"`+name+`"},`, 9000) + `{"id":"last"}]`)
	p := newPoller(t, newConfig(newServer(t, encoded("", text)).URL))
	var r connectortest.Recorder
	err := p.Poll(t.Context(), nil, func(ctx context.Context, b connectors.Batch) error {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("the folder has %v, %v while rows are emitted", left, err)
		}
		return r.Emit(ctx, b)
	})
	if err != nil || len(r.Rows) != 9001 || r.Rows[9000].Values["id"] != "last" {
		t.Errorf("%d rows, %v", len(r.Rows), err)
	}
	t.Setenv("TMPDIR", dir+"/gone")
	mustFail(t, p, "temporary file")
}

func TestChallengeToABrowserIsAnErrorThatSaysSo(t *testing.T) {
	for _, status := range []int{200, 403, 503} {
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("cf-mitigated", "challenge")
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<title>Just a moment...</title>")
		})
		_, err := mustFail(t, newPoller(t, newConfig(s.URL)), "challenge to a browser", "let through")
		if kindOf(err) != httppoll.Challenge {
			t.Errorf("%d: %v is %s", status, err, kindOf(err))
		}
	}
}

func TestWorkbookIsRead(t *testing.T) {
	book := excelize.NewFile()
	for cell, value := range map[string]any{"A1": "id", "B1": "name", "A2": "007", "B2": "Mug"} {
		if err := book.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	text, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, answers("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", text.String()))
	if r := mustPoll(t, newPoller(t, newConfig(s.URL)), nil); len(r.Rows) != 1 || r.Rows[0].Values["id"] != "007" {
		t.Errorf("got %+v", r.Rows)
	}
}

func TestWhatWasSeenCountsOnlyOnceItIsCommitted(t *testing.T) {
	var a asked
	body := `[{"id":1}]`
	s := newServer(t, noting(&a, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+sum([]byte(body))+`"`)
		if r.Header.Get("If-None-Match") == w.Header().Get("ETag") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		answers("application/json", body)(w, r)
	}))
	p := newPoller(t, newConfig(s.URL))
	cursor := mustPoll(t, p, nil).Closing.Cursor
	before := sum([]byte(body))
	body = `[{"id":2}]`
	refused := errors.New("the store is full")
	r := connectortest.Recorder{Refuse: func(_ context.Context, b connectors.Batch) error {
		if b.Closes != nil {
			return refused
		}
		return nil
	}}
	if err := p.Poll(t.Context(), cursor, r.Emit); !errors.Is(err, refused) {
		t.Fatalf("Poll returned %v", err)
	}
	again := mustPoll(t, p, cursor)
	if tag := a.last().Header.Get("If-None-Match"); tag != `"`+before+`"` {
		t.Errorf("asked with %s, want the tag of what was committed", tag)
	}
	if again.Closing.Unchanged || len(again.Rows) != 1 {
		t.Errorf("closing is %+v with %d rows, want those that were not committed", again.Closing, len(again.Rows))
	}
}

func TestAnyOtherRequestIsUnconditional(t *testing.T) {
	for name, change := range map[string]func(*httppoll.Config){
		"query":  func(c *httppoll.Config) { c.Query = map[string]config.Secret{"a": config.NewSecret("b")} },
		"body":   func(c *httppoll.Config) { c.Body = config.NewSecret("b") },
		"json":   func(c *httppoll.Config) { c.JSON = map[string]any{"a": "b"} },
		"basic":  func(c *httppoll.Config) { c.Basic = &httppoll.Basic{User: "a"} },
		"key":    func(c *httppoll.Config) { c.APIKey = &httppoll.APIKey{Query: "k", Value: config.NewSecret("b")} },
		"pages":  func(c *httppoll.Config) { c.Pages = &httppoll.Pages{By: "link"} },
		"format": func(c *httppoll.Config) { c.Format = "json" },
	} {
		var a asked
		s := newServer(t, noting(&a, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			answers("application/json", oneRow)(w, r)
		}))
		cfg := newConfig(s.URL)
		cursor := mustPoll(t, newPoller(t, cfg), nil).Closing.Cursor
		changed := *cfg
		change(&changed)
		if r := mustPoll(t, newPoller(t, &changed), cursor); len(r.Rows) != 1 || r.Closing.Unchanged {
			t.Errorf("%s: closing is %+v with %d rows", name, r.Closing, len(r.Rows))
		}
	}
}

func TestRateIsKept(t *testing.T) {
	s, url := newShelf(t, numbered(1, 500)...)
	cfg := pagedConfig(url, ways["cursor"])
	if err := cfg.Rate.UnmarshalText([]byte("50/s")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	mustPoll(t, newPoller(t, cfg), nil)
	if took := time.Since(began); took < 75*time.Millisecond || s.requests() != 5 {
		t.Errorf("%d requests in %v, want 20ms between each two", s.requests(), took)
	}
	for _, bad := range []string{"", "10", "0/s", "10/d", "-1/s", "x/s", "1.5/s"} {
		if err := cfg.Rate.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is a rate", bad)
		}
	}
}

func TestWholeConfigurationIsReadFromYAML(t *testing.T) {
	node, err := config.Parse("pictifyd.yaml", []byte(`
kind: http
url: "https://shop.example/customers/{{ row.id }}/orders"
key: [customer, id]
json: { query: "{ orders }", variables: { first: 50, token: "${TOKEN}", since: "{{ run.start }}" } }
query: { lang: en, token: "${TOKEN}" }
headers: { X-Shop: "${TOKEN}" }
basic: { user: ada, password: "${TOKEN}" }
api_key: { header: X-Key, value: "${TOKEN}" }
pages: { by: cursor, next: "$.data.next", more: "$.data.more", field: variables.after, max_pages: 20 }
rows: "$.data.orders"
for_each: customers
keep: [name]
per_host: 4
rate: 600/m
`), config.Options{Env: func(string) (string, bool) { return "s3cret", true }})
	if err != nil {
		t.Fatal(err)
	}
	cfg := httppoll.Kind.Config().(*httppoll.Config)
	if err := node.Decode(cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Rate != 10 || cfg.Pages.MaxPages != 20 || cfg.Basic.Password.Reveal() != "s3cret" || cfg.APIKey.Value.Reveal() != "s3cret" {
		t.Errorf("read as %+v", cfg)
	}
}
