package store_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/blob"
)

// drawnJob is a job of n rows, each with a picture of its own, and of the job's, that has ended.
func drawnJob(tb testing.TB, s *store.Store, id string, n int) {
	tb.Helper()
	ctx := tb.Context()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	rows := make([]batch.Row, n)
	for i := range rows {
		rows[i] = batch.Row{Index: int64(i), Key: fmt.Sprint(i), Values: fmt.Appendf(nil, `{"title":"A title of usual length, number %d","photo":"https://img.example/%d.jpg"}`, i, i)}
	}
	must(s.StageRows(ctx, id, rows))
	must(s.AcceptJob(ctx, batch.Job{ID: id, Template: "card", Version: 1, Total: int64(n)}))
	name := fnv.New64a()
	fmt.Fprint(name, id)
	const page = 500
	for at := 0; at < n; at += page {
		end := min(at+page, n)
		var proposals []bindings.Proposal
		for i := at; i < end; i++ {
			spec := bindings.Spec{Template: "card", Page: "page", Values: []string{string(rows[i].Values)}, Encoding: bindings.Encoding{Format: "png"}}
			proposals = append(proposals, bindings.Proposal{Owner: bindings.JobOwner(id), Index: int64(i), Key: fmt.Sprint(i), Digest: "d",
				Wants: []bindings.Want{{Output: "card", Fingerprint: fmt.Sprintf("%016x%048d", name.Sum64(), i), Spec: spec}}})
		}
		must(s.PlanRows(ctx, store.Turn{ID: 1}, id, proposals, int64(end), end == n))
	}
	for {
		claims, err := s.ClaimRenders(ctx, store.Turn{ID: 1}, 500)
		must(err)
		if len(claims) == 0 {
			return
		}
		var done []store.Rendered
		for _, c := range claims {
			done = append(done, store.Rendered{Fingerprint: c.Fingerprint, Hash: c.Fingerprint, Ext: "png"})
		}
		must(s.FinishRenders(ctx, store.Turn{ID: 1}, done, true))
	}
}

// waiting writes all the time, and says how long the longest of the writes took.
func waiting(tb testing.TB, s *store.Store, during func()) (longest time.Duration) {
	tb.Helper()
	stop, began := make(chan struct{}), make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		close(began)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			at := time.Now()
			if err := s.WantPoll(tb.Context(), fmt.Sprint("source", i%10)); err != nil {
				tb.Error(err)
				return
			}
			longest = max(longest, time.Since(at))
		}
	})
	<-began
	during()
	close(stop)
	writer.Wait()
	return longest
}

// peak is the largest heap while f runs.
func peak(f func()) uint64 {
	runtime.GC()
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	var most uint64
	watcher.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	f()
	close(stop)
	watcher.Wait()
	return most
}

// BenchmarkEnd expires, and deletes, a job of 50,000 rows while somebody writes.
func BenchmarkEnd(b *testing.B) {
	for name, end := range map[string]func(s *store.Store) error{
		"expired": func(s *store.Store) error {
			if _, err := s.ExpireJobs(b.Context(), time.Now().Add(time.Hour)); err != nil {
				return err
			}
			_, err := s.EmptyJobs(b.Context())
			return err
		},
		"deleted": func(s *store.Store) error {
			_, err := s.DeleteJob(b.Context(), "j")
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := open(b, "sqlite:"+filepath.Join(b.TempDir(), "pictifyd.db"))
				drawnJob(b, s, "j", 50_000)
				b.StartTimer()
				var longest time.Duration
				most := peak(func() {
					longest = waiting(b, s, func() {
						if err := end(s); err != nil {
							b.Fatal(err)
						}
					})
				})
				b.StopTimer()
				b.ReportMetric(float64(longest.Milliseconds()), "ms-longest-write")
				b.ReportMetric(float64(most)/1e6, "MB-heap")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkSweep looks through 100,000 files: once when half of them are
// superseded and have to be marked, once when nothing is new, and removes them.
func BenchmarkSweep(b *testing.B) {
	dir := b.TempDir()
	s := open(b, "sqlite:"+filepath.Join(dir, "pictifyd.db"))
	defer s.Close()
	drawnJob(b, s, "j", 50_000)
	blobs, err := blob.Open(blob.Config{URL: "file:images"}, dir)
	if err != nil {
		b.Fatal(err)
	}
	defer blobs.Close()
	for i := range 100_000 { // the first half has the names of the job's
		hash := fmt.Sprintf("%064d", i)
		folder := filepath.Join(dir, "images", fmt.Sprintf("%02x", i%256), fmt.Sprintf("%02x", i/256%16))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, hash), []byte("x"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	sweep := func() {
		w, err := s.BeginSweep(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if err := blobs.Walk(b.Context(), func(page []blob.File) error {
			var hashes []string
			for _, f := range page {
				hashes = append(hashes, f.Hash)
			}
			_, err := w.Mark(b.Context(), hashes, time.Now())
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	remove := func() {
		for after := ""; ; {
			condemned, last, err := s.Condemn(b.Context(), time.Now().Add(time.Hour), after)
			if err != nil {
				b.Fatal(err)
			}
			var gone []string
			for _, c := range condemned {
				gone = append(gone, c.Hash)
			}
			if err := s.Removed(b.Context(), gone); err != nil {
				b.Fatal(err)
			}
			if last == "" {
				return
			}
			after = last
		}
	}
	for _, step := range []struct {
		name string
		do   func()
	}{{"marks", sweep}, {"nothing new", sweep}, {"condemns", remove}} {
		b.Run(step.name, func(b *testing.B) {
			for range b.N { // once: what it does cannot be done again
				var longest time.Duration
				most := peak(func() { longest = waiting(b, s, step.do) })
				b.ReportMetric(float64(longest.Milliseconds()), "ms-longest-write")
				b.ReportMetric(float64(most)/1e6, "MB-heap")
			}
		})
	}
}
