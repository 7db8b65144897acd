package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// The slugs of what stands in the way of a subscription.
const (
	SubscriptionNotFound = "subscription_not_found"
	SubscriptionMoved    = "subscription_moved"
	SubscriptionExists   = "subscription_exists"
	SubscriptionsFull    = "too_many_subscriptions"
)

// SinkOfSubscription is the sink of deliveries to the subscription of that id.
func SinkOfSubscription(id string) string { return sink.ToSubscription + id }

// SubscriptionOf is the subscription that a sink belongs to; false for others.
func SubscriptionOf(name string) (id string, ok bool) {
	return strings.CutPrefix(name, sink.ToSubscription)
}

const subscriptionColumns = `id, events, url, platform, filter, templates, owner, author, secret, previous, previous_until, revision, created_at, updated_at`

func scanSubscription(scan func(...any) error) (*sink.Subscription, error) {
	s := new(sink.Subscription)
	var events, filter, templates string
	var until, created, updated sql.NullInt64
	if err := scan(&s.ID, &events, &s.URL, &s.Platform, &filter, &templates, &s.Owner, &s.Author, &s.Secret, &s.Previous, &until,
		&s.Revision, &created, &updated); err != nil {
		return nil, err
	}
	s.PreviousUntil, s.CreatedAt, s.UpdatedAt = moment(until), moment(created), moment(updated)
	return s, errors.Join(decode(events, &s.Events), decode(filter, &s.Filter), decode(templates, &s.Templates))
}

// loadSubscriptions has what is planned from then on reach those that there are.
func (s *Store) loadSubscriptions(ctx context.Context) error {
	if s.member {
		return s.loadRoutes(ctx)
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	all, err := s.readSubscriptions(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routed.subs = all
	return nil
}

func (s *Store) readSubscriptions(ctx context.Context) ([]*sink.Subscription, error) {
	all, err := collect(ctx, s.reader(), `SELECT `+subscriptionColumns+` FROM webhook_subscriptions WHERE gone = 0 ORDER BY created_at, id`, nil, scanSubscription)
	return all, wrap(err, "read the subscriptions")
}

// Subscriptions are all that there are, oldest first. They are not to be changed.
func (s *Store) Subscriptions() []*sink.Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.routed.subs
}

// Subscription is the one of that id. A missing one is a problem of code NotFound.
func (s *Store) Subscription(id string) (*sink.Subscription, error) {
	var ids []string
	for _, one := range s.Subscriptions() {
		if one.ID == id {
			return one, nil
		}
		ids = append(ids, one.ID)
	}
	return nil, noSubscription(id, ids...)
}

func noSubscription(id string, ids ...string) error {
	p := problem.New(problem.NotFound, "there is no webhook subscription %q", id).WithSlug(SubscriptionNotFound)
	if near, ok := config.Nearest(id, ids); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("GET /webhook-subscriptions lists them")
}

// subscriptionDigest is the same for subscriptions of one key that hear the same
// at one address.
func subscriptionDigest(s sink.Subscription) string {
	sum := sha256.Sum256([]byte(encode([]any{s.Owner, s.URL, s.Events, s.Filter, s.Templates})))
	return hex.EncodeToString(sum[:])
}

// A SubscriptionLimit is how many subscriptions there may be; 0 is no limit.
type SubscriptionLimit struct{ Total, PerKey int }

// AddSubscription keeps a subscription. Where its key has one that is the same in
// all but its secret, that one is returned, and nothing is added. One too many is a
// problem of code Conflict.
func (s *Store) AddSubscription(ctx context.Context, new sink.Subscription, most SubscriptionLimit) (kept *sink.Subscription, added bool, err error) {
	s.subscribing.Lock() // the limits are of all: one after the other
	defer s.subscribing.Unlock()
	err = s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		added = false
		if err := t.alone(ctx); err != nil {
			return err
		}
		if kept, err = t.sameSubscription(ctx, new); err != nil || kept != nil {
			return err
		}
		if err := t.roomForSubscription(ctx, new, most); err != nil {
			return err
		}
		n, err := t.exec(ctx, `INSERT INTO webhook_subscriptions (id, events, url, platform, filter, templates, owner, author, secret, digest, revision, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, CAST($11 AS BIGINT), CAST($11 AS BIGINT)) ON CONFLICT (digest) DO NOTHING`,
			new.ID, list(new.Events), clean(new.URL), clean(new.Platform), encode(new.Filter), list(new.Templates), new.Owner, clean(new.Author),
			new.Secret, subscriptionDigest(new), millis(t.now))
		if err != nil {
			return err
		}
		if added = n > 0; added {
			if err := t.raise(ctx, revisionOfSubscriptions); err != nil {
				return err
			}
		}
		kept, err = t.sameSubscription(ctx, new)
		return err
	})
	if err == nil {
		s.crash("subscription.committed")
		err = s.loadSubscriptions(context.WithoutCancel(ctx))
	}
	return kept, added, wrap(err, "keep a subscription")
}

// sameSubscription is the one that hears the same; nil for none.
func (t *tx) sameSubscription(ctx context.Context, as sink.Subscription) (*sink.Subscription, error) {
	kept, err := scanSubscription(t.row(ctx, `SELECT `+subscriptionColumns+` FROM webhook_subscriptions WHERE digest = $1`, subscriptionDigest(as)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return kept, err
}

func (t *tx) roomForSubscription(ctx context.Context, s sink.Subscription, most SubscriptionLimit) error {
	var all, own int
	if err := t.row(ctx, `SELECT count(*), COALESCE(sum(CASE WHEN owner = $1 THEN 1 ELSE 0 END), 0) FROM webhook_subscriptions WHERE gone = 0`, s.Owner).Scan(&all, &own); err != nil {
		return err
	}
	full := func(whose string, most int, key string) error {
		return problem.New(problem.Conflict, "%s %d webhook subscriptions, and no more are kept", whose, most).WithSlug(SubscriptionsFull).
			WithHint("delete some that are not used, or raise server.limits.%s", key)
	}
	switch {
	case most.PerKey > 0 && own >= most.PerKey:
		return full("the key has", most.PerKey, "key_subscriptions")
	case most.Total > 0 && all >= most.Total:
		return full("there are", most.Total, "subscriptions")
	}
	return nil
}

// SaveSubscription changes a subscription that is at the revision of now. One that
// has another by now, or that would be the same as another one, is a problem of code
// Conflict.
func (s *Store) SaveSubscription(ctx context.Context, now sink.Subscription) (*sink.Subscription, error) {
	var kept *sink.Subscription
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.alone(ctx); err != nil {
			return err
		}
		same, err := t.sameSubscription(ctx, now)
		if err != nil {
			return err
		}
		if same != nil && same.ID != now.ID {
			return problem.New(problem.Conflict, "the webhook subscription %s hears the same at this address", same.ID).WithSlug(SubscriptionExists).
				WithHint("keep that one, and delete this one")
		}
		var until any
		if !now.PreviousUntil.IsZero() {
			until = millis(now.PreviousUntil)
		}
		kept, err = scanSubscription(t.row(ctx, `UPDATE webhook_subscriptions SET events = $2, url = $3, platform = $4, filter = $5, templates = $6,
				secret = $7, previous = $8, previous_until = CAST($9 AS BIGINT), digest = $10, revision = revision + 1, updated_at = $11
			WHERE id = $1 AND revision = $12 AND gone = 0 RETURNING `+subscriptionColumns,
			now.ID, list(now.Events), clean(now.URL), clean(now.Platform), encode(now.Filter), list(now.Templates),
			now.Secret, now.Previous, until, subscriptionDigest(now), millis(t.now), now.Revision).Scan)
		if err == nil {
			return t.raise(ctx, revisionOfSubscriptions)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var revision int64
		switch err := t.row(ctx, `SELECT revision FROM webhook_subscriptions WHERE id = $1 AND gone = 0`, now.ID).Scan(&revision); {
		case errors.Is(err, sql.ErrNoRows):
			return noSubscription(now.ID)
		case err != nil:
			return err
		}
		return problem.New(problem.Conflict, "the webhook subscription %s has been changed meanwhile: it is at revision %d, not %d", now.ID, revision, now.Revision).
			WithSlug(SubscriptionMoved).WithHint("read it again, then change it")
	})
	if err == nil {
		err = s.loadSubscriptions(context.WithoutCancel(ctx))
	}
	return kept, wrap(err, "change the subscription %s", now.ID)
}

// DeleteSubscription forgets a subscription. What it was not told yet is never
// told; its dead letters stay. Killed half way it is gone, and the next start drops
// the rest.
func (s *Store) DeleteSubscription(ctx context.Context, id string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.alone(ctx); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE webhook_subscriptions SET gone = 1, digest = 'gone ' || id, secret = '', previous = '' WHERE id = $1 AND gone = 0`, clean(id))
		if err != nil {
			return err
		}
		if n == 0 {
			return noSubscription(id)
		}
		return t.raise(ctx, revisionOfSubscriptions)
	})
	if err == nil {
		s.crash("subscription.deleted")
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(s.loadSubscriptions(ctx), s.dropGone(ctx))
	}
	return wrap(err, "delete the subscription %s", id)
}

// dropGone drops the deliveries to subscriptions that are gone, a page in a
// transaction. What is on its way meanwhile ends in nothing.
func (s *Store) dropGone(ctx context.Context) error {
	gone, err := collect(ctx, s.reader(), `SELECT id FROM webhook_subscriptions WHERE gone = 1`, nil, text1)
	for i := 0; err == nil && i < len(gone); {
		name, more := SinkOfSubscription(gone[i]), false
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			dropped, err := t.dropDeliveries(ctx, `id IN (SELECT id FROM deliveries WHERE sink = $1 AND state <> 'dead' LIMIT $2)`, name, pageSize)
			if more = len(dropped) == pageSize; more || err != nil {
				return err
			}
			if _, err := t.exec(ctx, `DELETE FROM sink_states WHERE sink = $1`, name); err != nil {
				return err
			}
			_, err = t.exec(ctx, `DELETE FROM webhook_subscriptions WHERE id = $1`, gone[i])
			return err
		})
		if !more {
			i++
		}
	}
	return wrap(err, "drop the deliveries to subscriptions that are gone")
}

// A LastTry is the newest try of a sink.
type LastTry struct {
	Delivery, Event string
	At              time.Time
	Took            time.Duration
	Receipt         sink.Receipt
	Attempts        int64
	State           string // of the delivery: delivered, waiting, claimed, dead
	Error           string
	DueAt           time.Time // when it is tried again; of one that waits
}

const (
	lastArrived = `SELECT id, event, tried_at, took, receipt, attempts, 'delivered', '', due_at FROM deliveries
		WHERE sink = $1 AND substr(sink, 1, 4) = 'sub:' AND tried_at IS NOT NULL ORDER BY tried_at DESC LIMIT 1`
	lastFailed = `SELECT d.id, d.event, a.at, a.took, a.receipt, a.attempt, d.state, a.error, d.due_at FROM deliveries AS d
		JOIN delivery_attempts AS a ON a.delivery = d.id
		WHERE d.sink = $1 AND substr(d.sink, 1, 4) = 'sub:' AND d.state IN ('waiting', 'claimed', 'dead') AND d.attempts > 0 ORDER BY a.at DESC LIMIT 1`
)

// LastTries are the newest tries of subscriptions, by id, of those that were told
// of anything yet.
func (s *Store) LastTries(ctx context.Context, ids []string) (map[string]LastTry, error) {
	all := map[string]LastTry{}
	for _, id := range ids {
		for _, query := range []string{lastArrived, lastFailed} {
			last, err := scanTry(s.reader().row(ctx, query, SinkOfSubscription(id)).Scan)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return nil, wrap(err, "read the last delivery of the subscription %s", id)
			}
			if last.At.After(all[id].At) {
				all[id] = last
			}
		}
	}
	return all, nil
}

func scanTry(scan func(...any) error) (l LastTry, err error) {
	var at, due sql.NullInt64
	var micros int64
	var receipt string
	if err := scan(&l.Delivery, &l.Event, &at, &micros, &receipt, &l.Attempts, &l.State, &l.Error, &due); err != nil {
		return l, err
	}
	l.At, l.DueAt, l.Took = moment(at), moment(due), time.Duration(micros)*time.Microsecond
	return l, decode(receipt, &l.Receipt)
}
