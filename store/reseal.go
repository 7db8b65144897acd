package store

import (
	"context"
	"fmt"

	"github.com/pictifyd/pictifyd/sink"
)

// Renewal says how secrets are sealed anew. Each gets where a secret is, and what is
// sealed there, and returns what shall be: the same where that is as it should be.
type Renewal struct {
	ResourceFunc     func(kind, name, path, sealed string) (string, error)
	SubscriptionFunc func(id, sealed string) (string, error)
	HoldFunc         func(source, sealed string) (string, error)
}

// Reseal seals anew what r would have otherwise, one resource, subscription or held
// stream in a commit, and returns how many were. Killed half way it goes on where it
// was. What cannot be opened stays as it is: its owner hears of it where it is used.
func (s *Store) Reseal(ctx context.Context, r Renewal) (n int, err error) {
	resources, err := s.Resources(ctx)
	if err != nil {
		return 0, err
	}
	for _, one := range resources {
		changed := false
		for path, sealed := range one.Secrets {
			again, err := r.ResourceFunc(one.Kind, one.Name, path, sealed)
			if err == nil && again != sealed {
				one.Secrets[path], changed = again, true
			}
		}
		if !changed {
			continue
		}
		if err := s.resealRow(ctx, `UPDATE resources SET secrets = $3 WHERE kind = $1 AND name = $2 AND revision = $4`, one.Kind, one.Name, encode(one.Secrets), one.Revision); err != nil {
			return n, fmt.Errorf("seal the secrets of the %s %q anew: %w", one.Kind, one.Name, err)
		}
		n++
	}
	subscriptions, err := s.resealSubscriptions(ctx, r)
	n += subscriptions
	if err != nil {
		return n, err
	}
	holds, err := s.StreamHolds(ctx)
	if err != nil {
		return n, err
	}
	for _, h := range holds {
		again, err := r.HoldFunc(h.Source, h.Spec)
		if err != nil || again == h.Spec {
			continue
		}
		if err := s.resealRow(ctx, `UPDATE stream_holds SET spec = $3 WHERE source = $1 AND digest = $2`, h.Source, h.Digest, again); err != nil {
			return n, fmt.Errorf("seal the configuration of the stream %q anew: %w", h.Source, err)
		}
		n++
	}
	return n, nil
}

func (s *Store) resealSubscriptions(ctx context.Context, r Renewal) (n int, err error) {
	renew := func(one *sink.Subscription, sealed string) string {
		again, err := r.SubscriptionFunc(one.ID, sealed)
		if sealed == "" || err != nil {
			return sealed
		}
		return again
	}
	for _, one := range s.Subscriptions() {
		secret, previous := renew(one, one.Secret), renew(one, one.Previous)
		if secret == one.Secret && previous == one.Previous {
			continue
		}
		if err := s.resealRow(ctx, `UPDATE webhook_subscriptions SET secret = $2, previous = $3 WHERE id = $1 AND revision = $4`, one.ID, secret, previous, one.Revision); err != nil {
			return n, fmt.Errorf("seal the secret of the subscription %s anew: %w", one.ID, err)
		}
		n++
	}
	if n > 0 {
		err = s.loadSubscriptions(context.WithoutCancel(ctx))
	}
	return n, err
}

// resealRow is one row's commit. A row that was changed meanwhile was sealed anew by that.
func (s *Store) resealRow(ctx context.Context, query string, args ...any) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, query, args...)
		return err
	})
	if err == nil {
		s.crash("secrets.resealed")
	}
	return err
}
