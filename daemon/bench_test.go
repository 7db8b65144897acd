package daemon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/file"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const catalogYAML = `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, public: true } ]
`

// BenchmarkChangeToBytes is the daemon's promise at rest: from the rename of the
// changed file to other bytes under /b/….
func BenchmarkChangeToBytes(b *testing.B) {
	needChrome(b)
	s := newSite(b, catalogYAML)
	write := func(n int) {
		s.write("rows.csv", strings.Replace(csvRows(100, "steady"), "steady 42", fmt.Sprintf("state %d", n), 1))
	}
	write(-1)
	url, _ := s.run(Options{})
	image := url + "/b/cards/SKU-042.png"
	var last string
	eventually(b, "the first image", func() bool { last = etag(b, image); return last != "" && settled(b, url, 100) })

	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		write(n)
		began := time.Now()
		for {
			now := etag(b, image)
			if now != "" && now != last {
				last = now
				break
			}
			if time.Since(began) > 30*time.Second {
				b.Fatal("the image does not change")
			}
			runtime.Gosched()
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// etag is the strong ETag of an image, "" while there is none.
func etag(tb testing.TB, url string) string {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodHead, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return ""
	}
	return res.Header.Get("ETag")
}

// settled reports whether so many items of the binding cards are ready and none waits.
func settled(tb testing.TB, url string, items int) bool {
	p := process{tb: tb, url: url}
	return p.ready("cards") == items
}

// BenchmarkReading reads 10,000 rows of which 10 changed: file, difference,
// commit. Pictures are the null renderer's.
func BenchmarkReading(b *testing.B) {
	const rows = 10_000
	s := newSite(b, catalogYAML)
	table := strings.SplitAfter(csvRows(rows, "steady"), "\n")
	changing := slices.Clone(table)
	write := func(n int) {
		for i := range 10 {
			at := 1 + (n*10+i)%rows
			changing[at] = strings.Replace(table[at], "steady", fmt.Sprintf("state-%d", n), 1)
		}
		if err := os.WriteFile(filepath.Join(s.dir, "other.csv"), []byte(strings.Join(changing, "")), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	s.write("rows.csv", strings.Join(table, ""))
	null := &rendertest.Null{}
	url, d := s.run(Options{Renderer: null})
	eventually(b, "all images", func() bool { return settled(b, url, rows) })

	// The benchmark's own feed reads the other file, so that nothing but the
	// reading is timed: no watch, no turn, no picture.
	f := d.roster().feeds["catalog"]
	poller := f.poller
	b.Cleanup(func() { f.poller = poller })
	other := filepath.Join(s.dir, "other.csv")
	var renders int
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		write(n)
		if err := f.gate.enter(b.Context()); err != nil {
			b.Fatal(err)
		}
		r, err := d.reading(b.Context(), f, bindings.ReadingOptions{ID: fmt.Sprintf("catalog#bench%d", n), Seq: int64(1000 + n)})
		if err != nil {
			b.Fatal(err)
		}
		source := filePoller(b, other)
		var planned int
		emit := func(ctx context.Context, batch connectors.Batch) error {
			plan, _, err := r.commit(ctx, batch)
			planned += len(plan.Proposals)
			return err
		}
		b.StartTimer()
		err = source.Poll(b.Context(), nil, emit)
		b.StopTimer()
		f.gate.leave()
		if err != nil {
			b.Fatal(err)
		}
		renders += planned
		b.StartTimer()
	}
	b.ReportMetric(float64(renders)/float64(b.N), "planned/op")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/reading")
	b.ReportMetric(heapMB(), "heap-MB")
	b.ReportMetric(residentMB(b), "rss-MB")
}

// filePoller reads a CSV as the daemon's own source would.
func filePoller(tb testing.TB, path string) connectors.Poller {
	tb.Helper()
	cfg := file.Kind.Config().(*file.Config)
	cfg.Path, cfg.Key = path, []string{"sku"}
	poller, err := file.Kind.New(cfg, connectors.Env{Name: "catalog", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return poller
}

// BenchmarkBatch sends 1,000 rows and waits until all their images are there.
func BenchmarkBatch(b *testing.B) {
	needChrome(b)
	const rows = 1000
	s := newSite(b, "")
	url, _ := s.run(Options{})
	p := &process{tb: b, url: url}
	var spent time.Duration
	for n := 0; b.Loop(); n++ {
		batch := batchRows(rows)
		for i := range batch {
			batch[i]["title"] = fmt.Sprintf("Run %d card %d", n, i)
		}
		began := time.Now()
		id, err := p.postBatch(batch, s.receiver.server.URL)
		if err != nil {
			b.Fatal(err)
		}
		eventually(b, "the completion webhook", func() bool {
			for _, h := range s.receiver.all("batch.completed") {
				if bytes.Contains(h.Data, []byte(id)) {
					return true
				}
			}
			return false
		})
		spent += time.Since(began)
	}
	b.ReportMetric(float64(rows*b.N)/spent.Seconds(), "images/s")
	b.ReportMetric(residentMB(b), "rss-MB")
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// residentMB is the largest resident set of this process so far.
func residentMB(tb testing.TB) float64 {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kb float64
			if _, err := fmt.Sscanf(rest, "%f kB", &kb); err == nil {
				return kb / 1024
			}
		}
	}
	return 0
}
