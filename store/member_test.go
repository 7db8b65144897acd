package store

import (
	"context"
	"slices"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// joins opens a store of its own that works beside the holder of dsn.
func joins(tb testing.TB, dsn string, opt Options) *Store {
	tb.Helper()
	opt.Member = true
	s, err := Open(tb.Context(), Config{URL: dsn}, opt)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // it may have been put out
	return s
}

func places(tb testing.TB, s *Store) (ids []string) {
	tb.Helper()
	all, err := s.Members(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestMembersKnowEachOtherAndTheHolder(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder, err := Open(t.Context(), Config{URL: schema.DSN}, Options{Address: "http://one:8080", Roles: []string{"connect"}, Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	a := joins(t, schema.DSN, Options{Roles: []string{"render", "deliver"}, Version: "2"})
	b := joins(t, schema.DSN, Options{})
	if got, want := places(t, b), []string{holder.self.ID, a.self.ID, b.self.ID}; !slices.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
	all, err := b.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m := all[0]; !m.Holder || m.Place != place() || m.Version != "1" || !slices.Equal(m.Roles, []string{"connect"}) || m.Since.IsZero() {
		t.Errorf("the holder is %+v", m)
	}
	if m := all[1]; m.Holder || m.Version != "2" || !slices.Equal(m.Roles, []string{"render", "deliver"}) {
		t.Errorf("the member is %+v", m)
	}
	for _, address := range []string{"http://one:8080", "http://two:8080"} {
		if err := holder.SetAddress(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		if got, err := a.Holder(t.Context()); got != address || err != nil {
			t.Errorf("the holder is at %q, %v", got, err)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := holder.Close(); err != nil {
		t.Error(err)
	}
	if got := places(t, b); !slices.Equal(got, []string{b.self.ID}) {
		t.Errorf("after two have left there are %v", got)
	}
	if got, err := b.Holder(t.Context()); got != "" || err != nil {
		t.Errorf("nobody holds it, and is at %q, %v", got, err)
	}
}

func TestSQLiteHasNoMembers(t *testing.T) {
	_, err := Open(t.Context(), Config{URL: "sqlite:" + t.TempDir() + "/p.db"}, Options{Member: true})
	if problem.CodeOf(err) != problem.Unsupported || !slugged(err, "store_single") {
		t.Errorf("joined: %v", err)
	}
	s := newSQLite(t)
	if got := places(t, s); !slices.Equal(got, []string{s.self.ID}) {
		t.Errorf("members are %v", got)
	}
}

// A member waits for the tables, and never makes them.
func TestMemberWaitsForTheTablesThatItNeeds(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	_, err := Open(t.Context(), Config{URL: schema.DSN}, Options{Member: true})
	if !slugged(err, Behind) {
		t.Fatalf("joined where there are no tables: %v", err)
	}
	waits := make(chan error)
	joined := make(chan *Store, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		s, err := Open(ctx, Config{URL: schema.DSN}, Options{Member: true, Standby: func(reason error) {
			select {
			case waits <- reason:
			case <-ctx.Done():
			}
		}})
		if err != nil {
			t.Error(err)
		}
		joined <- s
	}()
	if err := <-waits; !slugged(err, Behind) {
		t.Errorf("it waits for %v", err)
	}
	go func() {
		for range waits {
		}
	}()
	opened(t, schema.DSN)
	s := <-joined
	close(waits)
	if s == nil {
		t.Fatal("it never joined")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
