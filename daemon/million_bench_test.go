package daemon

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// BenchmarkMillion reads 1,000,000 rows of which 1,000 changed, from a CSV and from
// an HTTP server that gives them in pages of 1,000: read, compared, committed. No
// picture is drawn. -short has a tenth of the rows. The heap of the HTTP server is in
// that of the process.
func BenchmarkMillion(b *testing.B) {
	rows := 1_000_000
	if campaign.Leaves(b) {
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
	began, seq := time.Now(), int64(1)
	readAll(b, d, f, seq)
	f.bound.Store(true)
	b.Logf("the first reading took %s", time.Since(began).Round(time.Second))

	shop := &catalogServer{rows: rows}
	server := httptest.NewServer(shop)
	b.Cleanup(server.Close)
	for _, source := range []struct {
		name   string
		poller connectors.Poller
		change func(n int)
	}{
		{"csv", filePoller(b, path), func(n int) { writeProducts(b, path, rows, n) }},
		{"http", pagePoller(b, server.URL), func(n int) { shop.state.Store(int64(n)) }},
	} {
		b.Run(source.name, func(b *testing.B) {
			f.poller = source.poller
			var planned int
			var most uint64
			for b.Loop() {
				b.StopTimer()
				seq++
				source.change(int(seq))
				runtime.GC()
				peak := watchHeap(b)
				b.StartTimer()
				planned = readAll(b, d, f, seq)
				b.StopTimer()
				most = max(most, peak())
				b.StartTimer()
			}
			each := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(each, "s/reading")
			b.ReportMetric(float64(rows)/each, "rows/s")
			b.ReportMetric(float64(planned), "planned")
			b.ReportMetric(float64(most)/(1<<20), "peak-heap-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// A catalogServer gives the table of writeProducts in pages.
type catalogServer struct {
	rows  int
	state atomic.Int64
}

func (c *catalogServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const size = 1000
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	w.Header().Set("Content-Type", "application/json")
	var page bytes.Buffer
	page.WriteString(`{"items":[`)
	to := min(from+size, c.rows)
	for i := from; i < to; i++ {
		if i > from {
			page.WriteByte(',')
		}
		fmt.Fprintf(&page, `{"sku":"SKU-%07d","name":"Product %d %s","price":"%d.90","brand":"Brand %d","description":"A thing that is worth its price","stock":"%d"}`,
			i, i, stateOfProduct(i, int(c.state.Load())), i%90, i%50, i%300)
	}
	page.WriteString(`]`)
	if to < c.rows {
		fmt.Fprintf(&page, `,"next":"%d"`, to)
	}
	page.WriteString(`}`)
	_, _ = w.Write(page.Bytes())
}

// pagePoller reads a server page by page as the daemon's own source would.
func pagePoller(tb testing.TB, url string) connectors.Poller {
	tb.Helper()
	node, err := config.ParseJSON([]byte(`{"kind":"http","url":"`+url+`","rows":"$.items","key":"sku","pages":{"by":"cursor","next":"$.next","param":"after"}}`), config.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	cfg := httppoll.Kind.Config()
	if err := node.Decode(cfg); err != nil {
		tb.Fatal(err)
	}
	poller, err := httppoll.Kind.New(cfg, connectors.Env{Name: "catalog", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return poller
}

// stateOfProduct is what every thousandth product tells of n.
func stateOfProduct(i, n int) string {
	if n >= 0 && i%1000 == n%1000 {
		return fmt.Sprintf("state %d", n)
	}
	return "steady"
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
		fmt.Fprintf(w, "SKU-%07d,Product %d %s,%d.90,Brand %d,A thing that is worth its price,%d\n", i, i, stateOfProduct(i, n), i%90, i%50, i%300)
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
