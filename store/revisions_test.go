package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/template"
)

// subscribe adds a subscription to every picture.
func subscribe(tb testing.TB, s *Store, id string) string {
	tb.Helper()
	if _, added, err := s.AddSubscription(tb.Context(), sink.Subscription{ID: id, URL: "https://example.com/" + id, Events: []string{sink.RenderCompleted}}, SubscriptionLimit{}); err != nil || !added {
		tb.Fatalf("subscribed: %t, %v", added, err)
	}
	return SinkOfSubscription(id)
}

func finishes(tb testing.TB, s *Store, turn int64, claims []Claim) {
	tb.Helper()
	var done []Rendered
	for _, c := range claims {
		done = append(done, Rendered{Fingerprint: c.Fingerprint, Hash: "of " + c.Fingerprint, Ext: "png"})
	}
	if err := s.FinishRenders(tb.Context(), Turn{ID: turn}, done, true); err != nil {
		tb.Error(err)
	}
}

// The cure is (*tx).still: a member that knew nothing of a subscription, or of a sink,
// plans by it from the holder's commit on.
func TestMemberPlansByWhatTheHolderHasJustCommitted(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	member := joins(t, schema.DSN, Options{})
	works(t, holder, Workers{})
	wantMany(t, holder, 3)
	told := func(sink string) string {
		return schema.Value(`SELECT count(*) FROM deliveries WHERE sink = $1`, sink)
	}
	var claims [3][]Claim
	for i := range claims {
		var err error
		if claims[i], err = member.ClaimRenders(t.Context(), Turn{ID: int64(i + 1)}, 1); err != nil || len(claims[i]) != 1 {
			t.Fatalf("claimed %v, %v", claims[i], err)
		}
	}
	finishes(t, member, 1, claims[0])
	name := subscribe(t, holder, "one")
	finishes(t, member, 2, claims[1])
	if n := told(name); n != "1" {
		t.Errorf("%s pictures were told to the subscription", n)
	}
	heard(t, holder)
	if err := holder.DeleteSubscription(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	finishes(t, member, 3, claims[2])
	if n := told("hook"); n != "1" {
		t.Errorf("%s pictures were told to the sink", n)
	}
	if n := told(name); n != "0" {
		t.Errorf("%s pictures were told to the subscription that was deleted", n)
	}
}

// Pictures end in many transactions of members at once while subscriptions come: what
// begins to end after a subscription was answered is told to it.
func TestNoPictureIsLostToASubscriptionThatComesMeanwhile(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	works(t, holder, Workers{})
	const members, each, subscriptions = 3, 40, 8
	wantMany(t, holder, members*each)
	var there atomic.Int64
	var mu sync.Mutex
	owed := map[string][]string{} // pictures that must be told, by sink
	var wg sync.WaitGroup
	for m := range members {
		s := joins(t, schema.DSN, Options{})
		wg.Go(func() {
			for i := range each {
				turn := int64(m*each + i + 1)
				claims, err := s.ClaimRenders(t.Context(), Turn{ID: turn}, 1)
				if err != nil || len(claims) == 0 {
					t.Errorf("claimed %v, %v", claims, err)
					return
				}
				known := there.Load()
				finishes(t, s, turn, claims)
				mu.Lock()
				for n := range known {
					name := SinkOfSubscription(fmt.Sprint("s", n))
					owed[name] = append(owed[name], claims[0].Fingerprint)
				}
				mu.Unlock()
			}
		})
	}
	for n := range subscriptions {
		before := schema.Value(`SELECT count(*) FROM renders WHERE state = 'done'`)
		subscribe(t, holder, fmt.Sprint("s", n))
		there.Add(1)
		until(t, "some more are drawn", func() bool {
			return schema.Value(`SELECT count(*) FROM renders WHERE state = 'done'`) != before || counters(t, holder).RendersDone == members*each
		})
	}
	wg.Wait()
	for name, keys := range owed {
		for _, key := range keys {
			if n := schema.Value(`SELECT count(*) FROM deliveries WHERE sink = $1 AND key = $2`, name, key); n != "1" {
				t.Errorf("%s was told %s times to %s", key, n, name)
			}
		}
	}
}

func TestMemberHearsWhatTheHolderChanges(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	heardOf := make(chan string, 100)
	member := joins(t, schema.DSN, Options{Changed: func(what string) { heardOf <- what }})
	works(t, holder, Workers{})
	works(t, member, Workers{})
	hears := func(what string) {
		t.Helper()
		if got := <-heardOf; got != what {
			t.Errorf("it heard of %s, not of %s", got, what)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	subscribe(t, holder, "one")
	hears("subscriptions")
	if all := member.Subscriptions(); len(all) != 1 {
		t.Errorf("the member has the subscriptions %v", all)
	}
	must(holder.SaveResources(t.Context(), []Resource{{Kind: "sink", Name: "x", Spec: "{}"}}))
	hears("resources")
	must(holder.DeleteResource(t.Context(), "sink", "x", ""))
	hears("resources")
	_, err := holder.PublishTemplate(t.Context(), template.Version{Name: "card", Digest: "d", Source: []byte("x")})
	must(err)
	hears("templates")
	heard(t, holder)
	hears("routes")
	heard(t, holder) // as they are
	must(holder.DeleteTemplate(t.Context(), "card", func() error { return nil }))
	hears("templates")
	member.SetSinks(map[string][]string{"cards": {"other"}}, nil)
	if err := member.write(t.Context(), func(ctx context.Context, tx *tx) error {
		to, err := tx.routes(ctx)
		if err == nil && !slices.Equal(to.to("cards", sink.RenderCompleted), []string{"hook", "sub:one"}) {
			err = fmt.Errorf("the member's sinks are %v", to.to("cards", sink.RenderCompleted))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
