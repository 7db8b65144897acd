package daemon

import (
	"context"
	"log/slog"

	"github.com/pictifyd/pictifyd/store"
)

// sealKeys are what seals secrets in the ledger, the newest first.
func (s *Settings) sealKeys() ([]string, error) {
	key, err := store.SealKey(s.Store, s.Dir)
	if err != nil {
		return nil, err
	}
	previous, err := store.PreviousSealKeys(s.Store, s.Dir)
	return append([]string{key}, previous...), err
}

// rotates reports whether there is a key that sealed secrets before the one that does.
func (s *Settings) rotates() bool {
	if !s.Store.PreviousSealKey.IsZero() {
		return true
	}
	previous, err := store.PreviousSealKeys(s.Store, s.Dir)
	return len(previous) > 0 || err != nil
}

// reseal has all secrets in the ledger sealed with the newest key of s. It is nothing
// where there is one key alone.
func (d *Daemon) reseal(ctx context.Context, s *Settings) error {
	if !s.rotates() {
		return nil
	}
	sealer, err := d.vault.open()
	if err != nil {
		return err
	}
	n, err := d.store.Reseal(ctx, store.Renewal{
		ResourceFunc: func(kind, name, path, sealed string) (string, error) {
			return sealer.Renew(placeOfResource(resourceID{kind, name})+" "+path, sealed)
		},
		SubscriptionFunc: func(id, sealed string) (string, error) { return sealer.Renew(placeOfSecret(id), sealed) },
		HoldFunc:         func(source, sealed string) (string, error) { return sealer.Renew(holdPlace(source), sealed) },
	})
	if n > 0 {
		d.log.Info("secrets were sealed with the new key", slog.Int("count", n))
	}
	return err
}
