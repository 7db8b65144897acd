package httppoll_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
)

// A shelf is a server whose rows come in pages, in every way at once.
type shelf struct {
	mu     sync.Mutex
	rows   []map[string]any
	broken bool
	cut    bool
	asked  []string // the addresses
	size   int      // of a page: no more come, whatever is asked for

	// before is called ahead of the answer to request n, from 1, without the
	// mutex: to change the rows, or to answer in its place.
	before func(n int, w http.ResponseWriter, r *http.Request) (answered bool)
}

func newShelf(tb testing.TB, rows ...map[string]any) (*shelf, string) {
	tb.Helper()
	s := &shelf{rows: rows, size: 100}
	return s, newServer(tb, s.ServeHTTP).URL
}

func (s *shelf) set(rows []map[string]any, broken, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.broken, s.cut = append([]map[string]any{}, rows...), broken, cut
}

func (s *shelf) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// A shelfPage is what the shelf answers.
type shelfPage struct {
	Items  []map[string]any `json:"items"`
	Total  int              `json:"total"`
	More   bool             `json:"more"`
	Cursor *string          `json:"cursor"`
	Next   *string          `json:"next"`
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.String())
	n, before := len(s.asked), s.before
	s.mu.Unlock()
	if before != nil && before(n, w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	begin := s.begin(r)
	end := min(begin+s.size, len(s.rows))
	if limit, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil {
		end = min(end, begin+limit)
	}
	page := shelfPage{Items: append([]map[string]any{}, s.rows[begin:end]...), Total: len(s.rows), More: end < len(s.rows)}
	if page.More {
		cursor := base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, int64(end), 10))
		next := "http://" + r.Host + r.URL.Path + "?cursor=" + cursor
		page.Cursor, page.Next = &cursor, &next
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next", </>; rel=first`, next))
	}
	w.Header().Set("Content-Type", "application/json")
	text, _ := json.Marshal(page) // it has texts and numbers alone
	if s.cut && !page.More {
		_, _ = w.Write(text[:len(text)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(text)
}

// begin is the index of the first row that is asked for.
func (s *shelf) begin(r *http.Request) int {
	query := r.URL.Query()
	if cursor, err := base64.RawURLEncoding.DecodeString(query.Get("cursor")); err == nil && len(cursor) > 0 {
		begin, _ := strconv.Atoi(string(cursor))
		return min(begin, len(s.rows))
	}
	if after := query.Get("after"); after != "" {
		for i, row := range s.rows {
			if row["id"] == after {
				return i + 1
			}
		}
		return len(s.rows)
	}
	if page, err := strconv.Atoi(query.Get("page")); err == nil {
		return min((page-1)*s.size, len(s.rows))
	}
	offset, _ := strconv.Atoi(query.Get("offset"))
	return min(offset, len(s.rows))
}

// ways are those of paging that the shelf knows.
var ways = map[string]httppoll.Pages{
	"link":            {By: "link"},
	"link in body":    {By: "link", Next: "$.next"},
	"cursor":          {By: "cursor", Next: "$.cursor"},
	"cursor and more": {By: "cursor", Next: "$.cursor", More: "$.more"},
	"column":          {By: "cursor", Column: "id", Param: "after"},
	"page":            {By: "page"},
	"page of total":   {By: "page", Total: "$.total"},
	"page and more":   {By: "page", More: "$.more"},
	"offset":          {By: "offset", Size: 70},
	"capped offset":   {By: "offset", Size: 1000},
	"aligned offset":  {By: "offset", Size: 70, Aligned: true},
}

func pagedConfig(url string, pages httppoll.Pages) *httppoll.Config {
	cfg := newConfig(url)
	cfg.Rows, cfg.Pages = "$.items", &pages
	return cfg
}

func TestPagesKeepTheContract(t *testing.T) {
	httppoll.HurryRetries(t)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, connectortest.Suite{
				Kind: httppoll.Kind,
				Open: func(tb testing.TB) connectortest.Source {
					s, url := newShelf(tb)
					s.broken = true
					return connectortest.Source{
						Config: pagedConfig(url, way),
						Set:    func(_ testing.TB, rows []map[string]any) { s.set(rows, false, false) },
						Break:  func(testing.TB) { s.set(nil, true, false) },
						Cut:    func(_ testing.TB, rows []map[string]any) { s.set(rows, false, true) },
					}
				},
				Values: map[string]any{"price": json.Number("10.50"), "none": nil, "tags": []any{json.Number("1"), map[string]any{"x": "y"}}},
			})
		})
	}
}

// mustClose polls and returns what came, however it was closed.
func mustClose(tb testing.TB, p connectors.Poller, from connectors.Cursor) *connectortest.Recorder {
	tb.Helper()
	var r connectortest.Recorder
	if err := p.Poll(tb.Context(), from, r.Emit); err != nil || r.Closing == nil {
		tb.Fatalf("poll: %v, closing %+v", err, r.Closing)
	}
	return &r
}

func numbered(from, to int) []map[string]any {
	var rows []map[string]any
	for i := from; i <= to; i++ {
		rows = append(rows, map[string]any{"id": fmt.Sprintf("%04d", i), "name": fmt.Sprintf("row %d", i)})
	}
	return rows
}

func idsOf(rows []connectors.Row) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i], _ = row.Values["id"].(string)
	}
	return ids
}
