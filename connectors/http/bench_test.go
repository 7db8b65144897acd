package httppoll_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
)

// shopRow is row i as a shop has it; generation is what a change changes.
func shopRow(b []byte, i, generation int) []byte {
	return fmt.Appendf(b, `{"sku":"%07d","name":"Product %d","price":"%d.99","stock":%d,"url":"https://shop.example/%d.jpg","text":"some words, and more","changed":%d}`,
		i, i, i%1000, i%7, i, generation)
}

// A shop answers its rows page by page; every thousandth has changed since the
// first reading.
type shop struct {
	rows, size int
	generation atomic.Int32
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	end := min(begin+s.size, s.rows)
	body := append(make([]byte, 0, s.size*180), `{"items":[`...)
	for i := begin; i < end; i++ {
		if i > begin {
			body = append(body, ',')
		}
		generation := 0
		if i%1000 == 500 {
			generation = int(s.generation.Load())
		}
		body = shopRow(body, i, generation)
	}
	body = append(body, `],"next":`...)
	if end < s.rows {
		body = strconv.AppendInt(body, int64(end), 10)
	} else {
		body = append(body, "null"...)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '}'))
}

// heapPeak is the largest heap seen while do runs.
func heapPeak(do func()) uint64 {
	runtime.GC()
	var peak uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var m runtime.MemStats
		for {
			if runtime.ReadMemStats(&m); m.HeapAlloc > peak {
				peak = m.HeapAlloc
			}
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	do()
	close(done)
	<-ended
	return peak
}

// BenchmarkPages reads PICTIFYD_BENCH_ROWS rows (1,000,000) in pages of 1,000,
// into nothing: at first, with 0.1 % changed, and unchanged. Beside it stands the
// least that a program of a few lines does: it gets the same pages and decodes
// them with encoding/json.
func BenchmarkPages(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("PICTIFYD_BENCH_ROWS"))
	if err != nil {
		n = 1_000_000
	}
	s := &shop{rows: n, size: 1000}
	url := newServer(b, s.ServeHTTP).URL
	cfg := pagedConfig(url, httppoll.Pages{By: "cursor", Next: "$.next"})
	cfg.Key = []string{"sku"}
	p := newPoller(b, cfg)
	var cursor connectors.Cursor
	read := func(b *testing.B, from connectors.Cursor, want int) {
		b.Helper()
		rows := 0
		began := time.Now()
		peak := heapPeak(func() {
			err = p.Poll(b.Context(), from, func(_ context.Context, batch connectors.Batch) error {
				if rows += len(batch.Rows); batch.Closes != nil {
					cursor = batch.Closes.Cursor
				}
				return nil
			})
		})
		if err != nil || rows != want {
			b.Fatalf("%d rows, want %d, %v", rows, want, err)
		}
		b.ReportMetric(float64(n)/time.Since(began).Seconds(), "rows/s")
		b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			began, rows := time.Now(), 0
			peak := heapPeak(func() { rows = plainly(b, url) })
			if rows != n {
				b.Fatalf("%d rows", rows)
			}
			b.ReportMetric(float64(n)/time.Since(began).Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
			b.ReportMetric(0, "ns/op")
		}
	})
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			read(b, nil, n)
		}
	})
	b.Run("changed", func(b *testing.B) {
		for b.Loop() {
			s.generation.Add(1)
			read(b, cursor, n)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			read(b, cursor, 0)
		}
	})
}

// plainly gets the pages and decodes them.
func plainly(b *testing.B, url string) (rows int) {
	b.Helper()
	for cursor := json.Number("0"); cursor != ""; {
		resp, err := http.Get(url + "?cursor=" + cursor.String())
		if err != nil {
			b.Fatal(err)
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		var page struct {
			Items []map[string]any `json:"items"`
			Next  json.Number      `json:"next"`
		}
		dec := json.NewDecoder(&body)
		dec.UseNumber()
		if err := dec.Decode(&page); err != nil {
			b.Fatal(err)
		}
		rows, cursor = rows+len(page.Items), page.Next
	}
	return rows
}
