package store_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// BenchmarkMembers is what claiming and recording an image costs when nothing is drawn,
// for a holder alone and for members beside a holder that draws nothing: all of them in
// this process, on one PostgreSQL, each with four turns at a time. CPU is this process's,
// without the server's.
func BenchmarkMembers(b *testing.B) {
	dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if dsn == "" {
		b.Skip("PICTIFYD_TEST_POSTGRES is not set: it names a Postgres server where schemas may be made")
	}
	for _, members := range []int{0, 1, 2, 4, 8} {
		name := "holder"
		if members > 0 {
			name = fmt.Sprint(members)
		}
		b.Run(name, func(b *testing.B) { benchMembers(b, schemaOf(b, dsn), members) })
	}
}

// imagesOfRound are those of one round of the benchmark.
const imagesOfRound = 1000

func benchMembers(b *testing.B, url string, members int) {
	holder := open(b, url)
	holder.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed"}})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var drawn atomic.Int64
	all := make(chan struct{}, 1)
	run := func(s *store.Store, w store.Workers) {
		running.Go(func() {
			if err := s.Run(ctx, w, time.Second); err != nil {
				b.Error(err)
			}
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		})
	}
	draws := func(s *store.Store) store.Workers {
		return store.Workers{Slots: 4, Render: func(ctx context.Context, t store.Turn) error {
			claims, err := s.ClaimRenders(ctx, t, 100)
			if err != nil {
				return err
			}
			done := make([]store.Rendered, len(claims))
			for i, c := range claims {
				done[i] = store.Rendered{Fingerprint: c.Fingerprint, Hash: c.Fingerprint, Ext: "png"}
			}
			if err := s.FinishRenders(ctx, t, done, true); err != nil {
				return err
			}
			if drawn.Add(int64(len(done)))%imagesOfRound == 0 && len(done) > 0 {
				all <- struct{}{}
			}
			return nil
		}}
	}
	idle := func(context.Context, store.Turn) error { return nil }
	beside := store.Workers{Poll: idle, Plan: idle}
	if members == 0 {
		beside = draws(holder)
	}
	run(holder, beside)
	for range members {
		s, err := store.Open(b.Context(), store.Config{URL: url}, store.Options{Member: true})
		if err != nil {
			b.Fatal(err)
		}
		run(s, draws(s))
	}
	// The first round warms up: members are noted, and the turns of all are counted.
	var took, cpu time.Duration
	rounds := 0
	plan(b, holder, rounds)
	<-all
	for b.Loop() {
		rounds++
		b.StopTimer()
		plan(b, holder, rounds)
		b.StartTimer()
		began, used := time.Now(), cpuTime(b)
		<-all
		took += time.Since(began)
		cpu += cpuTime(b) - used
	}
	images := float64(rounds * imagesOfRound)
	b.ReportMetric(took.Seconds()*1e6/images, "µs/image")
	b.ReportMetric(cpu.Seconds()*1e6/images, "CPU-µs/image")
	b.ReportMetric(images/took.Seconds(), "images/s")
	b.ReportMetric(0, "ns/op")
	stop()
	running.Wait()
}

// plan wants the images of a round.
func plan(b *testing.B, s *store.Store, round int) {
	b.Helper()
	all := make([]bindings.Proposal, imagesOfRound)
	for i := range all {
		f := fmt.Sprintf("%d-%d", round, i)
		all[i] = bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: fmt.Sprint(i), Digest: f, Wants: []bindings.Want{{Output: "card", Fingerprint: f,
			Spec: bindings.Spec{Template: "card", Version: 1, Page: "page", Values: []string{f}, Encoding: bindings.Encoding{Format: "png"}}}}}
	}
	if _, err := s.Replan(b.Context(), "cards", all); err != nil {
		b.Fatal(err)
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
