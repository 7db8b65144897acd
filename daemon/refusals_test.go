package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A moody server answers two rows until it is told to refuse.
type moody struct {
	server  *httptest.Server
	refuse  http.HandlerFunc
	refuses atomic.Bool
	asked   atomic.Int64 // since it refuses
}

func newMoody(tb testing.TB, refuse http.HandlerFunc) *moody {
	tb.Helper()
	m := &moody{refuse: refuse}
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !m.refuses.Load() {
			text("application/json", pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Cup"}))(w, r)
			return
		}
		m.asked.Add(1)
		m.refuse(w, r)
	}))
	tb.Cleanup(m.server.Close)
	return m
}

func saysNo(status int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		http.Error(w, "no", status)
	}
}

// A source that refuses is not stormed, says so, and keeps its images; the others go on.
func TestSourcesThatRefuseAreNotStormed(t *testing.T) {
	t.Parallel()
	const readings = 5 // that others have meanwhile, one a second; a failed one is tried again after half of that at the soonest
	soon := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	refusals := map[string]struct {
		answer http.HandlerFunc
		most   int64 // requests
	}{
		"busy-seconds": {saysNo(429, "60"), 1},
		"busy-date":    {saysNo(429, soon), 1},
		"down-seconds": {saysNo(503, "60"), 1},
		"busy":         {saysNo(429, ""), 2*readings + 2},
		"broken":       {saysNo(500, ""), 2*readings + 2},
		"gateway":      {saysNo(502, ""), 2*readings + 2},
		"down":         {saysNo(503, ""), 2*readings + 2},
		"unknown":      {saysNo(401, ""), 2*readings + 2},
		"forbidden":    {saysNo(403, ""), 2*readings + 2},
		"missing":      {saysNo(404, ""), 2*readings + 2},
		"gone":         {saysNo(410, ""), 2*readings + 2},
		"circle": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/round", http.StatusFound)
		}, 6 * (2*readings + 2)}, // a redirect is followed five times
	}
	var sources, bindings strings.Builder
	add := func(name, address string) {
		fmt.Fprintf(&sources, "  %s: { kind: http, url: %q, key: sku, every: 1s }\n", name, address)
		fmt.Fprintf(&bindings, "  - { name: %s, source: %s, template: card, map: { title: name }, public: true, on_delete: remove, delete_grace: 0s }\n", name, name)
	}
	servers := map[string]*moody{}
	for name, c := range refusals {
		servers[name] = newMoody(t, c.answer)
		add(name, servers[name].server.URL)
	}
	well := newShop(t, oneMug)
	add("well", well.server.URL)
	url, _ := newSite(t, "\nsources:\n"+sources.String()+"bindings:\n"+bindings.String()).run(Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	for name := range refusals {
		eventually(t, "the images of "+name, func() bool { return p.ready(name) == 2 })
	}

	for _, m := range servers {
		m.refuses.Store(true)
	}
	from := well.asks()
	for name := range refusals {
		eventually(t, name+" is asked", func() bool { return servers[name].asked.Load() > 0 })
	}
	eventually(t, "the readings of a source that is well", func() bool { return well.asks() >= from+readings })
	during := int64(well.asks() - from)
	for name, c := range refusals {
		n := servers[name].asked.Load()
		most := c.most
		if most > 1 {
			most = most * during / readings
		}
		if n > most {
			t.Errorf("%s was asked %d times in %d seconds, want %d at most", name, n, during, most)
		}
		if p.ready(name) != 2 || p.picture("/b/"+name+"/A.png") == "" {
			t.Errorf("%s lost an image", name)
		}
		eventually(t, name+" says why", func() bool { return p.source(name).Source.Freshness.Cause != "" })
	}
	if state := p.source("well").Source.Freshness.State; state != "ok" {
		t.Errorf("the source that is well is %s", state)
	}

	// Whoever does not ask for patience is read again as soon as it answers.
	for _, m := range servers {
		m.refuses.Store(false)
	}
	for name, c := range refusals {
		if c.most > 1 {
			eventually(t, name+" is well again", func() bool { return p.source(name).Source.Freshness.State == "ok" })
		}
	}
}
