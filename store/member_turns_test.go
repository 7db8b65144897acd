package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/sink"
)

// heard has a sink hear of the pictures of a holder.
func heard(tb testing.TB, s *Store) {
	tb.Helper()
	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderCompleted}})
	if err := s.PublishRoutes(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// works runs the turns of s until stop is called, or the test ends.
func works(tb testing.TB, s *Store, w Workers) (stop func() error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, w, time.Second) }()
	stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		if s.left != nil {
			<-s.left // River tries to resign for some seconds
		}
		return err
	})
	tb.Cleanup(func() { _ = stop() })
	return stop
}

// A drawing notes who has claimed which picture.
type drawing struct {
	mu sync.Mutex
	by map[string][]string
}

func (d *drawing) note(c Claim, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil {
		d.by = map[string][]string{}
	}
	d.by[c.Fingerprint] = append(d.by[c.Fingerprint], id)
}

func (d *drawing) claimed() map[string][]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.by)
}

// draws is a worker that draws up to so many pictures a turn. before is called with
// what it has claimed.
func (d *drawing) draws(s *Store, limit int, before func(claims []Claim)) func(context.Context, Turn) error {
	return func(ctx context.Context, t Turn) error {
		claims, err := s.ClaimRenders(ctx, t, limit)
		if err != nil {
			return err
		}
		var done []Rendered
		for _, c := range claims {
			d.note(c, s.self.ID)
			done = append(done, Rendered{Fingerprint: c.Fingerprint, Hash: "of " + s.self.ID, Ext: "png"})
		}
		if before != nil && len(claims) > 0 {
			before(claims)
		}
		return s.FinishRenders(ctx, t, done, true)
	}
}

func counters(tb testing.TB, s *Store) Counters {
	tb.Helper()
	c, err := s.Counters(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func wantMany(tb testing.TB, s *Store, n int) {
	tb.Helper()
	var all []bindings.Proposal
	for i := range n {
		f := fmt.Sprintf("p%04d", i)
		all = append(all, bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: f, Digest: f,
			Wants: []bindings.Want{{Output: "card", Fingerprint: f, Spec: bindings.Spec{Page: "p", Encoding: bindings.Encoding{Format: "png"}}}}})
	}
	if _, err := s.Replan(tb.Context(), "cards", all); err != nil {
		tb.Fatal(err)
	}
}

// Three processes, of which each has a turn before any of them ends one.
func TestMembersShareTheRendersOfTheirHolder(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	heard(t, holder)
	const pictures = 300
	wantMany(t, holder, pictures)
	all := []*Store{holder, joins(t, schema.DSN, Options{}), joins(t, schema.DSN, Options{})}
	var d drawing
	var begun sync.WaitGroup
	begun.Add(len(all))
	for _, s := range all {
		first := sync.OnceFunc(func() {
			begun.Done()
			begun.Wait()
		})
		works(t, s, Workers{Slots: 1, Render: d.draws(s, 20, func([]Claim) { first() })})
	}
	until(t, "all is drawn", func() bool { return counters(t, holder).RendersDone == pictures })
	for f, by := range d.claimed() {
		if len(by) != 1 {
			t.Errorf("%s was claimed by %v", f, by)
		}
	}
	if c := counters(t, holder); c.RendersClaimed+c.RendersWaiting != 0 || c.DeliveriesWaiting != pictures || c.ItemsReady != pictures {
		t.Errorf("in the end there are %+v", c)
	}
	for _, s := range all {
		if n := s.slots.Load(); n != 3 {
			t.Errorf("somebody counts %d turns at a time", n)
		}
	}
}

// Turns of a kind that is not worked in a process are left to the others.
func TestTurnsWithoutAWorkerAreLeftToOthers(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	heard(t, holder)
	idle := func(context.Context, Turn) error { return nil }
	works(t, holder, Workers{Poll: idle, Plan: idle})
	wantMany(t, holder, 3)
	var d drawing
	draws, delivers, answers := joins(t, schema.DSN, Options{}), joins(t, schema.DSN, Options{}), joins(t, schema.DSN, Options{})
	works(t, answers, Workers{})
	works(t, delivers, Workers{Deliver: func(ctx context.Context, turn Turn) error {
		claims, err := delivers.ClaimDeliveries(ctx, turn, 10)
		if err != nil {
			return err
		}
		var done []Delivered
		for _, c := range claims {
			done = append(done, Delivered{ID: c.ID})
		}
		return delivers.FinishDeliveries(ctx, turn, done, true)
	}})
	works(t, draws, Workers{Slots: 2, Render: d.draws(draws, 10, nil)})
	until(t, "all is told", func() bool { return counters(t, holder).DeliveriesDelivered == 3 })
	for f, by := range d.claimed() {
		if !slices.Equal(by, []string{draws.self.ID}) {
			t.Errorf("%s was claimed by %v", f, by)
		}
	}
}

// Another one takes the ledger while a member goes on: what the dead holder had claimed
// waits again, what the member has stays its own.
func TestHolderThatStartsLeavesMembersTheirTurns(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	late := opened(t, schema.DSN)
	wantMany(t, late, 4)
	member := joins(t, schema.DSN, Options{})
	var d drawing
	held, proceed := make(chan []Claim, 2), make(chan struct{})
	works(t, late, Workers{})
	stop := works(t, member, Workers{Slots: 1, Render: d.draws(member, 2, func(claims []Claim) {
		held <- claims
		<-proceed
	})})
	kept := <-held
	if claims := claimed(t, late, 1_000_000); len(claims) != 2 { // of the holder, which dies with them
		t.Fatalf("the holder has claimed %v", claims)
	}
	freeze(late).drop()
	next := opened(t, schema.DSN)
	works(t, next, Workers{})
	until(t, "what the dead one had waits again", func() bool { return counters(t, next).RendersWaiting == 2 })
	if c := counters(t, next); c.RendersClaimed != int64(len(kept)) {
		t.Errorf("of the member's %d claims there are %+v", len(kept), c)
	}
	if n := schema.Value(`SELECT count(*) FROM river_job WHERE state = 'running'`); n != "1" {
		t.Errorf("%s turns run", n)
	}
	close(proceed)
	until(t, "all is drawn", func() bool { return counters(t, next).RendersDone == 4 })
	for f, by := range d.claimed() {
		if len(by) != 1 {
			t.Errorf("%s was claimed by %v", f, by)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the member's run ended with %v", err)
	}
}

// What a member in peace leaves is not waited for.
func TestMemberThatLeavesGivesBackItsTurns(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	wantMany(t, holder, 3)
	member := joins(t, schema.DSN, Options{})
	has := make(chan struct{}, 10)
	stop := works(t, member, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		if _, err := member.ClaimRenders(ctx, turn, 10); err != nil {
			return err
		}
		has <- struct{}{}
		<-ctx.Done() // longer than the grace
		return ctx.Err()
	}})
	works(t, holder, Workers{})
	<-has
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := member.Close(); err != nil {
		t.Fatal(err)
	}
	other := joins(t, schema.DSN, Options{})
	var d drawing
	works(t, other, Workers{Slots: 1, Render: d.draws(other, 10, nil)})
	until(t, "another one draws them", func() bool { return counters(t, holder).RendersDone == 3 })
}

// The holder remembers images that were asked for until its next commit: others commit too.
func TestHolderShowsWhatAMemberHasDrawn(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	want(t, holder, "a")
	for _, c := range claimed(t, holder, 1) {
		if err := holder.FinishRenders(t.Context(), Turn{ID: 1}, []Rendered{{Fingerprint: c.Fingerprint, Hash: "first", Ext: "png"}}, true); err != nil {
			t.Fatal(err)
		}
	}
	shows := func() string {
		t.Helper()
		g, err := holder.Image(t.Context(), bindings.BindingOwner("cards"), "a", "card", "png")
		if err != nil {
			t.Fatal(err)
		}
		return g.Hash
	}
	works(t, holder, Workers{})
	member := joins(t, schema.DSN, Options{})
	if err := member.reckoned(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants := func(f string) {
		t.Helper()
		p := bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: "a", Digest: f,
			Wants: []bindings.Want{{Output: "card", Fingerprint: f, Spec: bindings.Spec{Page: "p", Encoding: bindings.Encoding{Format: "png"}}}}}
		if _, err := holder.Replan(t.Context(), "cards", []bindings.Proposal{p}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 20 {
		wants(fmt.Sprint("f", n))
		claims := claimed(t, member, int64(n+2))
		shows()
		hash := fmt.Sprint("hash", n)
		if err := member.FinishRenders(t.Context(), Turn{ID: int64(n + 2)}, []Rendered{{Fingerprint: claims[0].Fingerprint, Hash: hash, Ext: "png"}}, true); err != nil {
			t.Fatal(err)
		}
		if got := shows(); got != hash {
			t.Fatalf("it shows %q, drawn was %q", got, hash)
		}
	}
}
