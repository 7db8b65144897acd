package daemon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	heap "runtime/metrics"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// BenchmarkCommitToBytes is the time from the commit of one row, at rest, until its
// new picture is served, drawn by Chrome.
func BenchmarkCommitToBytes(b *testing.B) {
	b.Run("Kafka", func(b *testing.B) {
		topic := newTopic(b, 2)
		for i := range 20 {
			topic.named(fmt.Sprintf("K%07d", i), "Mug")
		}
		r := topic.site("")
		r.drawn()
		latencies(b, r.url+"/b/cards/K0000007.png", func(i int) { topic.named("K0000007", fmt.Sprintf("Cup %d", i)) })
	})
	b.Run("Postgres", func(b *testing.B) {
		r := newReplicated(b, 20, "", "")
		r.drawn()
		latencies(b, r.url+"/b/cards/K0000007.png", func(i int) {
			r.run(fmt.Sprintf(`UPDATE products SET name = 'Cup %d' WHERE sku = 'K0000007'`, i))
		})
	})
}

// drawn runs the daemon with its own Chrome until every row has its picture.
func (r *replicated) drawn() {
	tb := r.site.tb
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	url, ended := r.site.begin(ctx, Options{Log: quiet(tb)})
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("the daemon ended: %v", err)
		}
	})
	r.url = url
	eventually(tb, "all is drawn", func() bool { return r.ready("cards") == 20 })
}

// latencies reports for how long the image at url stays as it was after change. The
// source is at rest before each.
func latencies(b *testing.B, url string, change func(i int)) {
	b.Helper()
	tag := func() string {
		res, err := http.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("%s answers %d, %v", url, res.StatusCode, err)
		}
		return res.Header.Get("Etag")
	}
	change(-1) // the first picture of a page takes longer
	time.Sleep(2 * time.Second)
	var took []time.Duration
	for i := range b.N {
		b.StopTimer()
		time.Sleep(100 * time.Millisecond)
		before := tag()
		b.StartTimer()
		change(i)
		began := time.Now()
		for tag() == before {
			if time.Sleep(time.Millisecond); time.Since(began) > time.Minute {
				b.Fatal("no new picture within a minute")
			}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// peakHeap samples the heap until stop is called, which returns the largest.
func peakHeap() (stop func() uint64) {
	done, peak := make(chan struct{}), uint64(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		sample := []heap.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			heap.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() uint64 {
		close(done)
		wg.Wait()
		return peak
	}
}

// BenchmarkUnusedColumn is 100,000 updates of a column that no image shows, by change
// data capture: kept whole, and of a source that names the columns that it wants. A
// tenth of the rows has images, so that the first ones are soon there. Nothing is drawn.
func BenchmarkUnusedColumn(b *testing.B) {
	const rows, images = 100_000, 10_000
	for _, one := range []struct{ name, more string }{{"Whole", ""}, {"Columns", ", columns: [sku, name]"}} {
		b.Run(one.name, func(b *testing.B) {
			r := newReplicated(b, rows, one.more, fmt.Sprintf(`, where: "sku <= '%s'"`, tableKey(images-1)))
			r.null = &rendertest.Null{Parallel: 64}
			r.begin()
			eventually(b, "all is drawn", func() bool { return r.ready("cards") == images })
			eventually(b, "all is read", func() bool { return r.caughtUp() })
			drawn := r.null.Count()
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				peak := peakHeap()
				r.run(`UPDATE products SET stock = stock + 1`)
				r.run(`UPDATE products SET name = name || '!' WHERE sku = 'K0000001'`) // behind them all
				b.StartTimer()
				began, count := time.Now(), r.null.Count()
				for r.null.Count() == count {
					if time.Sleep(time.Millisecond); time.Since(began) > 3*time.Minute {
						b.Fatal("they were not all told of within three minutes")
					}
				}
				b.ReportMetric(rows/time.Since(began).Seconds(), "rows/s")
				b.ReportMetric(float64(peak())/1e6, "peak-MB")
			}
			b.ReportMetric(float64(r.null.Count()-drawn-b.N), "renders")
		})
	}
}

// BenchmarkHotTableRow is a row that is updated 1,000 times in a second.
func BenchmarkHotTableRow(b *testing.B) {
	r := newReplicated(b, 20, "", "")
	r.null = &rendertest.Null{Delay: 50 * time.Millisecond}
	r.begin()
	eventually(b, "all is drawn", func() bool { return r.ready("cards") == 20 })
	for i := 0; b.Loop(); i++ {
		before := r.null.Count()
		began := time.Now()
		for n := range 1000 {
			r.run(fmt.Sprintf(`UPDATE products SET name = 'Cup %d.%d' WHERE sku = 'K0000007'`, i, n))
			time.Sleep(time.Until(began.Add(time.Duration(n) * time.Millisecond)))
		}
		b.ReportMetric(1000/time.Since(began).Seconds(), "updates/s")
		r.shows("K0000007", fmt.Sprintf("Cup %d.999", i))
		b.ReportMetric(float64(r.null.Count()-before), "renders")
	}
}
