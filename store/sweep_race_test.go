package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/blob"
)

// A yard is a store with its bytes, in which jobs come and go while everything
// that they leave is swept away at once.
type yard struct {
	tb    testing.TB
	store *store.Store
	blobs blob.Store
	dir   string

	mu     sync.Mutex
	flying map[int64]time.Time // puts whose commit is still to come, and when they began

	ids, turns               atomic.Int64
	drawn, deduped, removals atomic.Int64
}

func newYard(tb testing.TB, url string) *yard {
	tb.Helper()
	y := &yard{tb: tb, store: open(tb, url), dir: tb.TempDir(), flying: map[int64]time.Time{}}
	var err error
	if y.blobs, err = blob.Open(blob.Config{URL: "file:images"}, y.dir); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := errors.Join(y.store.Close(), y.blobs.Close()); err != nil {
			tb.Error(err)
		}
	})
	return y
}

// job takes in a batch of a few of the same pictures, has it drawn, and checks
// that all of it can be seen.
func (y *yard) job(ctx context.Context) (id string, err error) {
	id = fmt.Sprint("job", y.ids.Add(1))
	rows := make([]batch.Row, 3)
	var proposals []bindings.Proposal
	for i := range rows {
		text := fmt.Sprint(rand.IntN(6))
		rows[i] = batch.Row{Index: int64(i), Key: fmt.Sprint(i), Values: []byte(`{}`)}
		spec := bindings.Spec{Template: "card", Page: "page", Values: []string{text}, Encoding: bindings.Encoding{Format: "png"}}
		proposals = append(proposals, bindings.Proposal{Owner: bindings.JobOwner(id), Index: int64(i), Key: fmt.Sprint(i), Digest: text,
			Wants: []bindings.Want{{Output: "card", Fingerprint: "fp-" + text, Spec: spec}}})
	}
	if err := y.store.StageRows(ctx, id, rows); err != nil {
		return id, err
	}
	if err := y.store.AcceptJob(ctx, batch.Job{ID: id, Template: "card", Version: 1, Total: 3}); err != nil {
		return id, err
	}
	if err := y.store.PlanRows(ctx, store.Turn{ID: y.turns.Add(1)}, id, proposals, 3, true); err != nil {
		return id, err
	}
	for {
		j, err := y.store.Job(ctx, id)
		if err != nil {
			return id, err
		}
		if j.Status.Ended() {
			y.deduped.Add(j.Deduped)
			return id, y.seen(ctx, id)
		}
		if err := y.draw(ctx); err != nil {
			return id, err
		}
	}
}

// draw draws what waits. Two texts have the same picture.
func (y *yard) draw(ctx context.Context) error {
	turn := store.Turn{ID: y.turns.Add(1)}
	claims, err := y.store.ClaimRenders(ctx, turn, 2)
	if err != nil {
		return err
	}
	var done []store.Rendered
	for _, c := range claims {
		picture := []byte("picture of " + c.Spec.Values[0])
		if c.Spec.Values[0] == "5" {
			picture = []byte("picture of 4")
		}
		hash, err := y.put(ctx, y.flight(turn, len(done)), picture)
		if err != nil {
			return err
		}
		done = append(done, store.Rendered{Fingerprint: c.Fingerprint, Hash: hash, Ext: "png"})
		y.drawn.Add(1)
	}
	err = y.store.FinishRenders(ctx, turn, done, true)
	for i := range done {
		y.landed(y.flight(turn, i))
	}
	return err
}

// flight numbers the puts of turns.
func (y *yard) flight(turn store.Turn, n int) int64 { return turn.ID*10 + int64(n) }

func (y *yard) put(ctx context.Context, flight int64, data []byte) (string, error) {
	y.mu.Lock()
	y.flying[flight] = time.Now()
	y.mu.Unlock()
	return y.blobs.Put(ctx, data)
}

// landed ends the flight of a put.
func (y *yard) landed(flight int64) {
	y.mu.Lock()
	defer y.mu.Unlock()
	delete(y.flying, flight)
}

// clockTick is how far the times of files may be behind the clock.
const clockTick = 20 * time.Millisecond

// rested is the moment before which whatever was put is recorded: the shortest
// rest that a daemon may give to bytes.
func (y *yard) rested() time.Time {
	y.mu.Lock()
	defer y.mu.Unlock()
	before := time.Now()
	for _, began := range y.flying {
		if began.Before(before) {
			before = began
		}
	}
	return before.Add(-clockTick)
}

// seen checks that every picture of a job is there.
func (y *yard) seen(ctx context.Context, id string) error {
	results, err := y.store.Results(ctx, id, -1, 10, "")
	if err != nil {
		return err
	}
	if len(results) != 3 {
		if _, gone := y.store.Job(ctx, id); gone != nil { // expired since it ended
			return gone
		}
		return fmt.Errorf("%s has %d results", id, len(results))
	}
	for _, r := range results {
		if len(r.Pictures) != 1 {
			return fmt.Errorf("row %d of %s has the pictures %+v", r.Index, id, r.Pictures)
		}
		file, _, err := y.blobs.Open(ctx, r.Pictures[0].Hash)
		if err != nil {
			if _, gone := y.store.Job(ctx, id); gone != nil {
				return gone
			}
			return fmt.Errorf("row %d of %s: %w", r.Index, id, err)
		}
		file.Close()
	}
	return nil
}

// sweep marks and removes what nothing shows, without any time between.
func (y *yard) sweep(ctx context.Context) error {
	w, err := y.store.BeginSweep(ctx)
	if err != nil {
		return err
	}
	if err := y.blobs.Walk(ctx, func(page []blob.File) error {
		var hashes []string
		for _, f := range page {
			hashes = append(hashes, f.Hash)
		}
		_, err := w.Mark(ctx, hashes, time.Now())
		return err
	}); err != nil {
		return err
	}
	rested := y.rested()
	for after := ""; ; {
		condemned, last, err := y.store.Condemn(ctx, time.Now(), after)
		if err != nil {
			return err
		}
		var gone []string
		for _, c := range condemned {
			freed, left, err := y.blobs.Remove(ctx, c.Hash, rested)
			if err != nil {
				return err
			}
			if !left {
				gone = append(gone, c.Hash)
			}
			if freed > 0 {
				y.removals.Add(1)
			}
		}
		if err := y.store.Removed(ctx, gone); err != nil || last == "" {
			return err
		}
		after = last
	}
}

// leave ends a job: deleted by somebody, or expired.
func (y *yard) leave(ctx context.Context, id string) error {
	if rand.IntN(2) == 0 {
		_, err := y.store.DeleteJob(ctx, id)
		if known := (*problem.Error)(nil); errors.As(err, &known) && known.Slug == store.JobExpired {
			return nil // another one expired it
		}
		return err
	}
	if _, err := y.store.ExpireJobs(ctx, time.Now().Add(-50*time.Millisecond)); err != nil {
		return err
	}
	_, err := y.store.EmptyJobs(ctx)
	return err
}

// Whoever accepts a batch may rely on the pictures that it shows, also when
// they were about to be removed at that moment.
func TestSweepNeverTakesWhatADedupeHasFound(t *testing.T) {
	urls := map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "pictifyd.db")}
	if dsn := os.Getenv("PICTIFYD_TEST_POSTGRES"); dsn != "" {
		urls["postgres"] = schemaOf(t, dsn)
	}
	jobs := int64(400)
	if campaign.Leaves(t) {
		jobs = 60
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, url)
			ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
			defer stop()
			work, ended := context.WithCancel(ctx)
			var sweeping, working sync.WaitGroup
			var sweeps atomic.Int64
			for range 2 {
				sweeping.Go(func() {
					for work.Err() == nil {
						if err := y.sweep(work); err != nil && work.Err() == nil {
							t.Errorf("sweep: %v", err)
							return
						}
						sweeps.Add(1)
					}
				})
			}
			for range 4 {
				working.Go(func() {
					for y.ids.Load() < jobs && !t.Failed() {
						id, err := y.job(ctx)
						if known := (*problem.Error)(nil); errors.As(err, &known) && known.Slug == store.JobExpired {
							continue // it took longer than the others keep jobs
						}
						if err == nil {
							err = y.leave(ctx, id)
						}
						if err != nil {
							t.Errorf("%s: %v", id, err)
						}
					}
				})
			}
			working.Wait()
			ended()
			sweeping.Wait()
			t.Logf("%d jobs, %d pictures drawn, %d rows deduped, %d sweeps, %d files removed", y.ids.Load(), y.drawn.Load(), y.deduped.Load(), sweeps.Load(), y.removals.Load())
			if y.removals.Load() < jobs/20 || y.deduped.Load() < jobs/20 {
				t.Errorf("%d removals and %d dedupes in %d jobs: there was no race", y.removals.Load(), y.deduped.Load(), jobs)
			}
		})
	}
}
