package daemon

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// BenchmarkLive is how long whoever loads an image waits, with a renderer that
// takes no time: of a plain binding, of a live one whose row is fresh, whose row
// is older than its ttl and as it was, and whose row has changed.
func BenchmarkLive(b *testing.B) {
	l := newLive(b, "ttl: 10m, timeout: 20s, concurrency: 64", "", "")
	l.null.Delay = 0
	get := func(b *testing.B, path string) time.Duration {
		b.Helper()
		began := time.Now()
		res, err := http.Get(l.url + path)
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		if closeErr := res.Body.Close(); err != nil || closeErr != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("%s answers %d, %v", path, res.StatusCode, err)
		}
		return time.Since(began)
	}
	get(b, "/b/cards/A.png")
	for _, one := range []struct {
		name    string
		prepare func(i int)
	}{
		{"Fresh", func(int) {}},
		{"StaleUnchanged", func(int) { l.age("A", 10*time.Minute) }},
		{"StaleChanged", func(i int) {
			l.shop.change(func() { l.shop.titles["A"] = fmt.Sprint("Mug ", time.Now().UnixNano(), i) })
			l.age("A", 10*time.Minute)
		}},
		{"Plain", func(int) {}}, // last: the binding is live no more
	} {
		b.Run(one.name, func(b *testing.B) {
			if one.name == "Plain" {
				l.d.roster().bindings[0].Live = bindings.Live{}
			}
			var took []time.Duration
			for i := range b.N {
				b.StopTimer()
				one.prepare(i)
				b.StartTimer()
				took = append(took, get(b, "/b/cards/A.png"))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
