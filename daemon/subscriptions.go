package daemon

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/webhook"
	"github.com/pictifyd/pictifyd/store"
)

var _ api.Subscriptions = (*Daemon)(nil)

// secretOverlap is how long the secret of a subscription signs after another one
// was made.
const secretOverlap = 24 * time.Hour

// subscriptionPatience is how long nothing may arrive until a subscription is disabled.
const subscriptionPatience = 5 * 24 * time.Hour

// subscribers are the webhooks of subscriptions that were opened.
type subscribers struct {
	mu   sync.Mutex
	open map[string]subscriber // by id
}

// A subscriber is a webhook as a revision of its subscription has it.
type subscriber struct {
	sink     sink.Sink
	revision int64
	until    time.Time // it is to be opened again; zero: never
}

// subscriber is the webhook of a subscription. One that is gone is a problem of
// code NotFound.
func (d *Daemon) subscriber(id string) (sink.Sink, error) {
	d.subscribers.mu.Lock()
	defer d.subscribers.mu.Unlock()
	s, err := d.store.Subscription(id)
	if err != nil {
		delete(d.subscribers.open, id)
		return nil, err
	}
	now := time.Now()
	if one, ok := d.subscribers.open[id]; ok && one.revision == s.Revision && (one.until.IsZero() || now.Before(one.until)) {
		return one.sink, nil
	}
	one := subscriber{revision: s.Revision}
	secret, err := d.vault.unseal(placeOfSecret(id), s.Secret)
	if err != nil {
		return nil, err
	}
	secrets := []string{secret}
	if s.PreviousUntil.After(now) {
		if secret, err = d.vault.unseal(placeOfSecret(id), s.Previous); err != nil {
			return nil, err
		}
		secrets, one.until = append(secrets, secret), s.PreviousUntil
	}
	one.sink = webhook.New(s.URL, secrets, d.guarded)
	if d.subscribers.open == nil {
		d.subscribers.open = map[string]subscriber{}
	}
	d.subscribers.open[id] = one
	return one.sink, nil
}

// placeOfSecret is where the secrets of a subscription open.
func placeOfSecret(id string) string { return "subscription/" + id + " secret" }

// Subscriptions are all that there are, oldest first.
func (d *Daemon) Subscriptions(ctx context.Context) ([]api.Subscription, error) {
	states, err := d.store.SinkStates(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]store.SinkState{}
	for _, s := range states {
		of[s.Sink] = s
	}
	var all []api.Subscription
	for _, s := range d.store.Subscriptions() {
		state := of[store.SinkOfSubscription(s.ID)]
		all = append(all, api.Subscription{
			Subscription: *s, Paused: state.Paused, DisabledAt: state.DisabledAt, Reason: state.Reason, FailingSince: state.FailingSince,
		})
	}
	return all, nil
}

// LastDeliveries are the newest tries of subscriptions.
func (d *Daemon) LastDeliveries(ctx context.Context, ids []string) (map[string]api.LastDelivery, error) {
	tries, err := d.store.LastTries(ctx, ids)
	all := make(map[string]api.LastDelivery, len(tries))
	for id, t := range tries {
		all[id] = api.LastDelivery{
			ID: t.Delivery, Event: t.Event, State: t.State, At: t.At, Took: t.Took, Code: t.Receipt.Status, Attempts: t.Attempts, Error: t.Error, DueAt: t.DueAt,
		}
	}
	return all, err
}

// Subscribe keeps a subscription and makes its secret.
func (d *Daemon) Subscribe(ctx context.Context, s sink.Subscription, most api.Limits) (kept sink.Subscription, secret string, err error) {
	s.ID, secret = "sub_"+strings.ToLower(rand.Text()), signing.NewSecret()
	if s.Secret, err = d.vault.seal(placeOfSecret(s.ID), secret); err != nil {
		return kept, "", err
	}
	one, added, err := d.store.AddSubscription(ctx, s, store.SubscriptionLimit{Total: most.Subscriptions, PerKey: most.KeySubscriptions})
	if err != nil {
		return kept, "", err
	}
	if !added {
		secret = ""
	}
	return *one, secret, nil
}

// ChangeSubscription changes all but the secret of a subscription.
func (d *Daemon) ChangeSubscription(ctx context.Context, s sink.Subscription) error {
	now, err := d.store.Subscription(s.ID)
	if err != nil {
		return err
	}
	s.Secret, s.Previous, s.PreviousUntil = now.Secret, now.Previous, now.PreviousUntil
	_, err = d.store.SaveSubscription(ctx, s)
	return err
}

// Unsubscribe deletes a subscription.
func (d *Daemon) Unsubscribe(ctx context.Context, id string) error {
	return d.store.DeleteSubscription(ctx, id)
}

// PauseSubscription has what is to be told wait, or go on.
func (d *Daemon) PauseSubscription(ctx context.Context, id string, paused bool) error {
	if paused {
		return d.store.PauseSink(ctx, store.SinkOfSubscription(id))
	}
	return d.store.ResumeSink(ctx, store.SinkOfSubscription(id))
}

// RotateSecret makes another secret. The one before signs as well for a day.
func (d *Daemon) RotateSecret(ctx context.Context, id string) (secret string, err error) {
	one, err := d.store.Subscription(id)
	if err != nil {
		return "", err
	}
	s := *one
	secret = signing.NewSecret()
	s.Previous, s.PreviousUntil = s.Secret, time.Now().Add(secretOverlap)
	if s.Secret, err = d.vault.seal(placeOfSecret(id), secret); err != nil {
		return "", err
	}
	_, err = d.store.SaveSubscription(ctx, s)
	return secret, err
}

// TestSubscription sends one test event.
func (d *Daemon) TestSubscription(ctx context.Context, id, event string) (api.SinkTest, error) {
	to, err := d.subscriber(id)
	if err != nil {
		return api.SinkTest{}, err
	}
	t := api.SinkTest{Event: event, Delivery: "dlv_test_" + strings.ToLower(rand.Text())}
	delivery := sink.Delivery{ID: t.Delivery, Event: event, Time: time.Now(), Attempt: 1}
	if delivery.Data, err = d.sampleData(ctx, delivery); err != nil {
		return t, err
	}
	began := time.Now()
	t.Receipt, t.Err = d.try(ctx, to, delivery)
	t.Took = time.Since(began)
	return t, ctx.Err()
}

// subscribed finds the webhook of a claim on a subscription, and writes what it is
// told. What is no longer there to be told of, or to be told, is not tried again.
func (d *Daemon) subscribed(ctx context.Context, id string, c store.DeliveryClaim, delivery sink.Delivery) (sink.Sink, sink.Delivery, error) {
	to, err := d.subscriber(id)
	if err == nil {
		delivery.Data, err = d.subscribedData(ctx, c, delivery)
	}
	if problem.CodeOf(err) == problem.NotFound {
		err = retry.Permanent(err)
	}
	if err != nil {
		d.log.Debug("a subscription is not told", slog.String("delivery", c.ID), slog.Any("err", err))
	}
	return to, delivery, err
}
