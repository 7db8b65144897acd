package daemon

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
)

// A longList answers thousands of rows in pages, each twentieth of which is to be
// drawn. It waits in the middle as long as it is told to.
type longList struct {
	server  *httptest.Server
	held    atomic.Bool
	waiting atomic.Int64
	last    atomic.Value // the name of the last row
}

const (
	longRows  = 8000
	longPages = 16
	longPage  = longRows / longPages
	longDrawn = 400
)

func newLongList(tb testing.TB) *longList {
	l := &longList{}
	l.last.Store("first")
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if page == longPages*3/4 && l.held.Load() {
			l.waiting.Add(1)
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "sku,name,drawn\n")
		for i := page * longPage; i < min((page+1)*longPage, longRows); i++ {
			name, drawn := "same", "no"
			if i == longRows-1 {
				name = l.last.Load().(string)
			}
			if (i+1)%(longRows/longDrawn) == 0 {
				drawn = "yes"
			}
			_, _ = fmt.Fprintf(w, "S%04d,%s %d,%s\n", i, name, i, drawn)
		}
	}))
	tb.Cleanup(l.server.Close)
	return l
}

// A daemon that is told to end in the middle of a long reading ends cleanly; the
// next one reads again, loses nothing and tells nobody twice.
func TestEndInTheMiddleOfALongReadingLosesNothing(t *testing.T) {
	t.Parallel()
	list := newLongList(t)
	s := newSite(t, fmt.Sprintf(`
sources: { list: { kind: http, url: %q, key: sku, every: 1s, pages: { by: page, start: 0 } } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: list, template: card, where: 'drawn == "yes"', map: { title: name, price: "1" }, sinks: [hook], public: true, on_delete: remove, delete_grace: 0s } ]
`, list.server.URL))
	once := func(last int64) {
		t.Helper()
		eventually(t, "each row was delivered", func() bool {
			g := s.receiver.lastGenerations(t)
			return len(g) == longDrawn && g["S7999"] == last
		})
		if n := len(s.receiver.all("")); n != longDrawn+int(last)-1 {
			t.Errorf("%d deliveries, want one for each state of %d rows", n, longDrawn)
		}
	}

	list.held.Store(true)
	p := s.start()
	eventually(t, "images of the reading under way", func() bool { return list.waiting.Load() > 0 && len(s.receiver.all("")) > 0 })
	if code := p.terminate(); code != 0 {
		t.Errorf("the daemon ended with %d", code)
	}
	list.held.Store(false)
	p = s.start()
	once(1)

	// The same in a reading that changes one row, behind the place where it is cut.
	list.last.Store("second")
	list.held.Store(true)
	from := list.waiting.Load()
	eventually(t, "a reading that hangs", func() bool { return list.waiting.Load() > from })
	if code := p.terminate(); code != 0 {
		t.Errorf("the daemon ended with %d", code)
	}
	list.held.Store(false)
	p = s.start()
	once(2)
	if n := p.ready("cards"); n != longDrawn {
		t.Errorf("%d images, want %d: none is gone", n, longDrawn)
	}
}
