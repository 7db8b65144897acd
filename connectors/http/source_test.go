package httppoll_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newConfig(url string) *httppoll.Config {
	cfg := httppoll.Kind.Config().(*httppoll.Config)
	cfg.URL, cfg.Key = url, []string{"id"}
	return cfg
}

func newPoller(tb testing.TB, cfg *httppoll.Config) connectors.Poller {
	tb.Helper()
	p, err := httppoll.Kind.New(cfg, connectors.Env{Name: "feed"})
	if err != nil {
		tb.Fatalf("new poller: %v", err)
	}
	tb.Cleanup(func() {
		if err := p.(io.Closer).Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return p
}

func mustPoll(tb testing.TB, p connectors.Poller, from connectors.Cursor) *connectortest.Recorder {
	tb.Helper()
	var r connectortest.Recorder
	if err := p.Poll(tb.Context(), from, r.Emit); err != nil {
		tb.Fatalf("poll: %v", err)
	}
	if r.Closing == nil || !r.Closing.Complete {
		tb.Fatalf("closing is %+v, want a complete one", r.Closing)
	}
	return &r
}

// mustFail wants a poll that closes nothing and an error with those words.
func mustFail(tb testing.TB, p connectors.Poller, words ...string) (*connectortest.Recorder, error) {
	tb.Helper()
	var r connectortest.Recorder
	err := p.Poll(tb.Context(), nil, r.Emit)
	if err == nil || r.Closing != nil {
		tb.Fatalf("Poll returned %v, closing %+v; want an error", err, r.Closing)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			tb.Errorf("error %q does not mention %q", err, w)
		}
	}
	return &r, err
}

// newServer answers every request by handler until the test ends.
func newServer(tb testing.TB, handler http.HandlerFunc) *httptest.Server {
	tb.Helper()
	s := httptest.NewServer(handler)
	tb.Cleanup(s.Close)
	return s
}

// answers is a handler with one body.
func answers(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// A feed is a server that the suite changes.
type feed struct {
	mu     sync.Mutex
	status int
	body   []byte
	cut    bool
}

func (f *feed) set(status int, body []byte, cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status, f.body, f.cut = status, body, cut
}

func (f *feed) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write(f.body)
	if f.cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// etags answers conditional requests as a careful server does.
func etags(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		tag := `"` + sum(rec.Body.Bytes()) + `"`
		if rec.Code == http.StatusOK && r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.Header().Set("ETag", tag)
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func newSuite(wrap func(http.Handler) http.Handler) connectortest.Suite {
	return connectortest.Suite{
		Kind: httppoll.Kind,
		Open: func(tb testing.TB) connectortest.Source {
			f := &feed{status: http.StatusNotFound}
			s := newServer(tb, wrap(f).ServeHTTP)
			cfg := newConfig(s.URL)
			cfg.Rows = "$.items"
			return connectortest.Source{
				Config: cfg,
				Set: func(tb testing.TB, rows []map[string]any) {
					f.set(http.StatusOK, document(tb, rows), false)
				},
				Break: func(testing.TB) { f.set(http.StatusInternalServerError, []byte("[]"), false) },
				Cut: func(tb testing.TB, rows []map[string]any) {
					body := document(tb, rows)
					f.set(http.StatusOK, body[:len(body)-len(`],"next":null}`)], true)
				},
			}
		},
		Values: map[string]any{
			"price": json.Number("10.50"), "on": false, "none": nil,
			"tags": []any{json.Number("1"), map[string]any{"x": []any{nil, "y"}}},
		},
	}
}

func document(tb testing.TB, rows []map[string]any) []byte {
	tb.Helper()
	var b bytes.Buffer
	err := json.NewEncoder(&b).Encode(struct {
		Items []map[string]any `json:"items"`
		Next  any              `json:"next"`
	}{Items: append([]map[string]any{}, rows...)})
	if err != nil {
		tb.Fatalf("marshal rows: %v", err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func TestHTTPKeepsTheContract(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		connectortest.Run(t, newSuite(func(h http.Handler) http.Handler { return h }))
	})
	t.Run("conditional", func(t *testing.T) {
		connectortest.Run(t, newSuite(etags))
	})
}

func bodyOf(r *http.Request) string {
	text, _ := io.ReadAll(r.Body)
	return string(text)
}
