package daemon

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// BenchmarkMillion reads a CSV of 1,000,000 rows of which 1,000 changed: file,
// difference, commit. No picture is drawn. -short has a tenth of the rows.
func BenchmarkMillion(b *testing.B) {
	rows := 1_000_000
	if testing.Short() {
		rows /= 10
	}
	s := newSite(b, catalogYAML)
	path := filepath.Join(s.dir, "rows.csv")
	writeProducts(b, path, rows, -1)
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	d := newDaemon(settings, Options{Log: quiet(b), Renderer: &rendertest.Null{}})
	closing, err := d.open(b.Context())
	b.Cleanup(closing)
	if err != nil {
		b.Fatal(err)
	}
	f := d.roster().feeds["catalog"]
	if err := d.bind(b.Context(), f); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	readAll(b, d, f, 1)
	first := time.Since(began)

	other := filePoller(b, path)
	f.poller = other
	var planned int
	var most uint64
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		writeProducts(b, path, rows, n)
		runtime.GC()
		peak := watchHeap(b)
		b.StartTimer()
		planned = readAll(b, d, f, int64(2+n))
		b.StopTimer()
		most = max(most, peak())
		b.StartTimer()
	}
	each := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(first.Seconds(), "first-s")
	b.ReportMetric(each, "s/reading")
	b.ReportMetric(float64(rows)/each, "rows/s")
	b.ReportMetric(float64(planned), "planned")
	b.ReportMetric(float64(most)/(1<<20), "peak-heap-MB")
	b.ReportMetric(0, "ns/op")
}

// writeProducts writes a table of products of which every thousandth tells n.
func writeProducts(tb testing.TB, path string, rows, n int) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "sku,name,price,brand,description,stock")
	for i := range rows {
		state := "steady"
		if n >= 0 && i%1000 == n%1000 {
			state = fmt.Sprintf("state %d", n)
		}
		fmt.Fprintf(w, "SKU-%07d,Product %d %s,%d.90,Brand %d,A thing that is worth its price,%d\n", i, i, state, i%90, i%50, i%300)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	old := time.Now().Add(-time.Minute) // it lies quiet
	if err := os.Chtimes(path, old, old); err != nil {
		tb.Fatal(err)
	}
}

// readAll reads f once, and returns how many pictures were proposed.
func readAll(tb testing.TB, d *Daemon, f *feed, seq int64) (planned int) {
	tb.Helper()
	r, err := d.reading(tb.Context(), f, bindings.ReadingOptions{ID: fmt.Sprintf("catalog#m%d", seq), Seq: seq})
	if err != nil {
		tb.Fatal(err)
	}
	emit := func(ctx context.Context, batch connectors.Batch) error {
		plan, _, err := r.commit(ctx, batch)
		planned += len(plan.Proposals)
		return err
	}
	if err := f.poller.Poll(tb.Context(), nil, emit); err != nil {
		tb.Fatal(err)
	}
	return planned
}
