package store

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

func processes(tb testing.TB, s *Store) []Process {
	tb.Helper()
	all, err := s.Processes(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// isHeard reports whether a process gave a sign of life in time.
func isHeard(p Process) bool {
	return !p.Late && p.GoneAt.IsZero() && time.Since(p.HeardAt).Abs() < lateAfter+time.Second
}

func TestProcessesTellWhatEachHasInHand(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	works(t, holder, Workers{})
	wantMany(t, holder, 5)
	member := joins(t, schema.DSN, Options{Roles: []string{"render"}})
	has, goOn := make(chan struct{}, 10), make(chan struct{})
	works(t, member, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		claims, err := member.ClaimRenders(ctx, turn, 3)
		if err == nil && len(claims) > 0 {
			has <- struct{}{}
			<-goOn
		}
		return err
	}})
	<-has
	for _, asked := range []*Store{holder, member} { // they see the same
		all := processes(t, asked)
		if len(all) != 2 || !isHeard(all[0]) || !isHeard(all[1]) || !all[0].Holder || all[0].Hand != (Hand{}) {
			t.Errorf("the processes are %+v", all)
		}
		if got, want := all[1].Hand, (Hand{Turns: 1, Renders: 3}); got != want {
			t.Errorf("in hand are %+v, want %+v", got, want)
		}
	}
	close(goOn)
}

// One falls silent: that is seen before anybody does anything about it, and remembered
// afterwards.
func TestProcessThatFallsSilentIsLateThenGone(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	var log bytes.Buffer
	holder, err := Open(t.Context(), Config{URL: schema.DSN}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	member := joins(t, schema.DSN, Options{Roles: []string{"render"}, Version: "2"})
	silence(member)
	until(t, "it is late", func() bool {
		all := processes(t, holder)
		return len(all) == 2 && all[1].Late && all[1].GoneAt.IsZero() && isHeard(all[0])
	})
	until(t, "it is gone", func() bool {
		all := processes(t, holder)
		return len(all) == 2 && !all[1].GoneAt.IsZero()
	})
	if p := processes(t, holder)[1]; p.ID != member.self.ID || p.Version != "2" || p.Hand != (Hand{}) {
		t.Errorf("gone is %+v", p)
	}
	if got := places(t, holder); len(got) != 1 {
		t.Errorf("members are %v", got)
	}
	if err := holder.Close(); err != nil { // nobody writes to the log any more
		t.Error(err)
	}
	if n := strings.Count(log.String(), "gave no sign of life and was put out"); n != 1 {
		t.Errorf("the log says it %d times:\n%s", n, &log)
	}
}

func TestHolderThatDiedIsGoneForTheNextOne(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	late := opened(t, schema.DSN)
	member := joins(t, schema.DSN, Options{})
	freeze(late).drop()
	until(t, "the holder has no lock", func() bool {
		all := processes(t, member)
		return len(all) == 2 && all[0].Late && all[0].ID == late.self.ID
	})
	next := opened(t, schema.DSN)
	all := processes(t, next)
	if len(all) != 3 || all[0].ID != next.self.ID || !isHeard(all[0]) || !isHeard(all[1]) || all[2].ID != late.self.ID || all[2].GoneAt.IsZero() || !all[2].Holder {
		t.Errorf("the processes are %+v", all)
	}
	next.mu.Lock()
	next.gone[0].GoneAt = time.Now().Add(-goneShown)
	next.mu.Unlock()
	if all := processes(t, next); len(all) != 2 {
		t.Errorf("an hour later the processes are %+v", all)
	}
}

func TestProcessesThatLeaveInPeaceAreNotGone(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	before := opened(t, schema.DSN)
	member := joins(t, schema.DSN, Options{})
	for _, s := range []*Store{member, before} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if all := processes(t, opened(t, schema.DSN)); len(all) != 1 {
		t.Errorf("the processes are %+v", all)
	}
}

func TestSQLiteHasOneProcess(t *testing.T) {
	t.Parallel()
	s := newSQLite(t)
	all := processes(t, s)
	if len(all) != 1 || all[0].ID != s.self.ID || !isHeard(all[0]) || all[0].Hand != (Hand{}) {
		t.Errorf("the processes are %+v", all)
	}
	has, goOn := make(chan struct{}, 10), make(chan struct{})
	works(t, s, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		claims, err := s.ClaimRenders(ctx, turn, 3)
		if err == nil && len(claims) > 0 {
			has <- struct{}{}
			<-goOn
		}
		return err
	}})
	wantMany(t, s, 2)
	<-has
	if all := processes(t, s); all[0].Hand.Renders != 2 || all[0].Hand.Turns < 1 {
		t.Errorf("in hand are %+v", all[0].Hand)
	}
	close(goOn)
}
