package file_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

const million = 1_000_000

// writeMillion writes a table of a million rows, of which one in a thousand is of
// this version.
func writeMillion(b *testing.B, path string, version int) (size int64) {
	b.Helper()
	f, err := os.Create(path)
	mustDo(b, err)
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString("sku,name,price,stock,url,text\n")
	for i := range million {
		price := i % 1000
		if i%1000 == 0 {
			price += version
		}
		fmt.Fprintf(w, "%07d,Product %d,%d.99,%d,https://shop.example/%d.jpg,\"some words, and more\"\n", i, i, price, i%7, i)
	}
	mustDo(b, errors.Join(w.Flush(), f.Close()))
	info, err := os.Stat(path)
	mustDo(b, err)
	past := time.Now().Add(-time.Hour + time.Duration(version)*time.Second)
	mustDo(b, os.Chtimes(path, past, past))
	return info.Size()
}

// heap is what the objects on the heap take, with those not yet collected.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// report gives rows a second and the largest heap of the loop.
func report(b *testing.B, peak uint64) {
	b.ReportMetric(float64(million)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
}

// BenchmarkMillion reads a million rows of CSV, of which one in a thousand changed:
// with encoding/csv alone, and as a source does, which reads the file twice, makes
// a map of each row and names its place. Unchanged is a file that was only touched.
func BenchmarkMillion(b *testing.B) {
	debug.FreeOSMemory()
	path := filepath.Join(b.TempDir(), "rows.csv")
	size := writeMillion(b, path, 0)
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(size)
		var peak uint64
		for b.Loop() {
			peak = max(peak, readPlainly(b, path))
		}
		report(b, peak)
	})
	p := newPoller(b, newConfig(path, "sku"))
	var peak uint64
	var cursor connectors.Cursor
	rows, batches := 0, 0
	emit := func(_ context.Context, batch connectors.Batch) error {
		rows += len(batch.Rows)
		if batches++; batches%20 == 0 {
			peak = max(peak, heap())
		}
		if batch.Closes != nil && batch.Closes.Cursor != nil {
			cursor = batch.Closes.Cursor
		}
		return nil
	}
	mustDo(b, p.Poll(b.Context(), nil, emit))
	b.Run("source", func(b *testing.B) {
		b.SetBytes(size)
		version := 0
		for peak = 0; b.Loop(); {
			b.StopTimer()
			version++
			writeMillion(b, path, version)
			rows = 0
			b.StartTimer()
			mustDo(b, p.Poll(b.Context(), cursor, emit))
			if rows != million {
				b.Fatalf("%d rows", rows)
			}
		}
		report(b, peak)
	})
	b.Run("unchanged", func(b *testing.B) {
		b.SetBytes(size)
		touched := 0
		for peak = 0; b.Loop(); peak = max(peak, heap()) {
			touched++
			at := time.Now().Add(-2*time.Hour + time.Duration(touched)*time.Second)
			mustDo(b, os.Chtimes(path, at, at))
			rows = 0
			mustDo(b, p.Poll(b.Context(), cursor, emit))
			if rows > 0 {
				b.Fatalf("%d rows of a file that was touched", rows)
			}
		}
		report(b, peak)
	})
}

func readPlainly(b *testing.B, path string) (peak uint64) {
	b.Helper()
	f, err := os.Open(path)
	mustDo(b, err)
	defer f.Close()
	r := csv.NewReader(f)
	for rows := -1; ; rows++ {
		_, err := r.Read()
		switch {
		case errors.Is(err, io.EOF) && rows == million:
			return peak
		case err != nil:
			b.Fatalf("row %d: %v", rows, err)
		}
		if rows%10_000 == 0 {
			peak = max(peak, heap())
		}
	}
}
