package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkIdlePolls is what 200 bindings cost of which each polls its own HTTP
// source every 10 s, while nothing changes: the share of one core that the daemon
// and its database take. The servers know ETags, or send the same body each time.
func BenchmarkIdlePolls(b *testing.B) {
	for name, etag := range map[string]string{"etag": `"1"`, "body": ""} {
		b.Run(name, func(b *testing.B) { idlePolls(b, etag) })
	}
}

func idlePolls(b *testing.B, etag string) {
	const sources = 200
	const watch = 30 * time.Second
	var asked atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if etag != "" {
			w.Header().Set("ETag", etag)
			if r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[{"sku": "A", "name": "Mug"}]`)
	}))
	b.Cleanup(shop.Close)
	var yaml strings.Builder
	fmt.Fprintln(&yaml, "sources:")
	for i := range sources {
		fmt.Fprintf(&yaml, "  shop%d: { kind: http, url: \"%s/%d\", key: sku, every: 10s }\n", i, shop.URL, i)
	}
	fmt.Fprintln(&yaml, "bindings:")
	for i := range sources {
		fmt.Fprintf(&yaml, "  - { name: cards%d, source: shop%d, template: card, map: { title: name } }\n", i, i)
	}
	for b.Loop() {
		s := newSite(b, yaml.String())
		asked.Store(0)
		p := s.start()
		eventually(b, "every source read twice", func() bool { return asked.Load() >= 2*sources })
		began, cpu, before := time.Now(), cpuOf(b, p.cmd.Process.Pid).Seconds(), asked.Load()
		time.Sleep(watch)
		spent := cpuOf(b, p.cmd.Process.Pid).Seconds() - cpu
		took := time.Since(began).Seconds()
		b.ReportMetric(100*spent/took, "%core")
		b.ReportMetric(float64(asked.Load()-before)/took, "polls/s")
		b.ReportMetric(1e3*spent/float64(asked.Load()-before), "ms/poll")
		b.ReportMetric(0, "ns/op")
		p.terminate()
	}
}
