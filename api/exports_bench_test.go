package api

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/spool"
)

// manyRows is an ended job of rows that are made up as they are asked for, with
// pictures in files.
type manyRows struct {
	*world
	rows int64
	dir  string
}

func (m manyRows) Job(context.Context, string) (batch.Job, error) {
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return batch.Job{
		ID: "batch_1", Template: testTemplate, Status: batch.Completed, Total: m.rows, Succeeded: m.rows, CreatedAt: end.Add(-time.Minute), CompletedAt: end,
		Outputs: []batch.Output{{Name: "png", Encoding: bindings.Encoding{Format: "png"}}},
	}, nil
}

func (m manyRows) Results(_ context.Context, _ string, after int64, limit int, _ string) (page []batch.Result, err error) {
	for i := after + 1; i < m.rows && len(page) < limit; i++ {
		page = append(page, batch.Result{Index: i, Key: fmt.Sprint("SKU-", i), Done: true, Pictures: []batch.Picture{{Output: "png", Hash: m.hash(i), Ext: "png", Format: "png"}}})
	}
	return page, nil
}

func (m manyRows) Sent(_ context.Context, _ string, after int64, limit int) (page []batch.Row, err error) {
	for i := after + 1; i < m.rows && len(page) < limit; i++ {
		page = append(page, batch.Row{Index: i, Key: fmt.Sprint("SKU-", i), Values: fmt.Appendf(nil,
			`{"email":"person%d@example.com","first_name":"Zoë","last_name":"O'Neill","company":"Acme, \"Inc\"","city":"Köln","plan":"pro","score":%d.5,"note":"see you\nsoon"}`, i, i)})
	}
	return page, nil
}

func (m manyRows) hash(i int64) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return hex.EncodeToString(sum[:])
}

func (m manyRows) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	f, err := os.Open(filepath.Join(m.dir, hash))
	if err != nil {
		return nil, 0, problem.New(problem.NotFound, "%w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// peak is the largest Go heap while do runs, above that before.
func peak(do func()) uint64 {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		most := before.HeapAlloc
		for {
			select {
			case <-stop:
				done <- most - before.HeapAlloc
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
	}()
	do()
	close(stop)
	return <-done
}

// serveMany serves the job over a socket, its files in a fresh spool each time.
func serveMany(b *testing.B, m manyRows) func(path string) int64 {
	return func(path string) int64 {
		deps := m.deps()
		deps.Jobs, deps.Blobs, deps.Spool = m, m, spool.New(b.TempDir(), spool.Options{})
		defer deps.Spool.Close()
		s, err := New(open(), deps)
		if err != nil {
			b.Fatal(err)
		}
		server := httptest.NewServer(s)
		defer server.Close()
		answer, err := http.Get(server.URL + path)
		if err != nil {
			b.Fatal(err)
		}
		defer answer.Body.Close()
		n, err := io.Copy(io.Discard, answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.Status, err)
		}
		return n
	}
}

// BenchmarkResultsZip takes 10,000 pictures of 20 KB.
func BenchmarkResultsZip(b *testing.B) {
	m := manyRows{newWorld(), 10_000, b.TempDir()}
	picture := make([]byte, 20<<10)
	for i := range m.rows {
		if err := os.WriteFile(filepath.Join(m.dir, m.hash(i)), picture, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	benchExport(b, m, "/jobs/batch_1/results.zip")
}

// BenchmarkResultsCSV takes 50,000 rows of eight columns.
func BenchmarkResultsCSV(b *testing.B) {
	benchExport(b, manyRows{newWorld(), 50_000, ""}, "/jobs/batch_1/results.csv")
}

func benchExport(b *testing.B, m manyRows, path string) {
	fetch := serveMany(b, m)
	var bytes int64
	var heap uint64
	for b.Loop() {
		heap = max(heap, peak(func() { bytes += fetch(path) }))
	}
	b.ReportMetric(float64(m.rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
	b.ReportMetric(float64(heap)/1e6, "heap-MB")
	b.ReportMetric(0, "ns/op")
}
