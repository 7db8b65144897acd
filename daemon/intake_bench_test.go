package daemon

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	figures "runtime/metrics"
	"sync"
	"testing"
	"time"
)

// BenchmarkAccept50000Rows is from the first byte of a request to its 202, with
// rows of the size of a certificate's, into SQLite. peak-heap-MB is the most that
// live and dead objects took in this process, the client in it included.
func BenchmarkAccept50000Rows(b *testing.B) {
	const rows = 50_000
	for _, form := range []struct {
		name, kind string
		write      func(w *bufio.Writer)
	}{
		{"JSON", "application/json", func(w *bufio.Writer) {
			io.WriteString(w, `{"format":"jpeg","variables":[`)
			for i := range rows {
				if i > 0 {
					w.WriteByte(',')
				}
				w.Write(certificateJSON(i))
			}
			io.WriteString(w, "]}")
		}},
		{"NDJSON", "application/x-ndjson", func(w *bufio.Writer) {
			for i := range rows {
				w.Write(certificateJSON(i))
				w.WriteByte('\n')
			}
		}},
		{"CSV", "text/csv", func(w *bufio.Writer) {
			table := csv.NewWriter(w)
			_ = table.Write([]string{"title", "course_name", "completion_date", "certificate_id", "email"})
			for i := range rows {
				_ = table.Write(certificate(i))
			}
			table.Flush()
		}},
	} {
		b.Run(form.name, func(b *testing.B) {
			s := newSite(b, "")
			server, err := s.open().server(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			site := httptest.NewServer(server)
			defer site.Close()
			path := filepath.Join(s.dir, "body")
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			w := bufio.NewWriter(f)
			form.write(w)
			if err := w.Flush(); err != nil || f.Close() != nil {
				b.Fatal(err)
			}
			debug.FreeOSMemory()
			peak := watchHeap(b)
			for b.Loop() {
				body, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				res, err := http.Post(site.URL+"/templates/card/batch-render", form.kind, body)
				if err != nil {
					b.Fatal(err)
				}
				if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusAccepted {
					b.Fatalf("%s: %s, %v", res.Status, answer, err)
				}
				res.Body.Close()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/batch")
			b.ReportMetric(float64(peak())/(1<<20), "peak-heap-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func certificate(i int) []string {
	return []string{
		fmt.Sprintf("Ada Lovelace the %dth", i), "Analytical Engines, Second Term", "2026-03-01T00:00:00.000Z",
		fmt.Sprintf("C-%06d", i), fmt.Sprintf("ada.%d@students.example", i),
	}
}

func certificateJSON(i int) []byte {
	cells := certificate(i)
	text, err := json.Marshal(map[string]string{
		"title": cells[0], "course_name": cells[1], "completion_date": cells[2], "certificate_id": cells[3], "email": cells[4],
	})
	if err != nil {
		panic(err)
	}
	return text
}

// watchHeap watches the heap until peak is called.
func watchHeap(tb testing.TB) (peak func() uint64) {
	tb.Helper()
	var most uint64
	var watching sync.WaitGroup
	stop := make(chan struct{})
	watching.Go(func() {
		sample := []figures.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			figures.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	})
	return func() uint64 {
		close(stop)
		watching.Wait()
		return most
	}
}
