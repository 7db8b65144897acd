package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// releaseLimit is how long a server may take to let go of what it kept.
const releaseLimit = time.Minute

// releaseHolds gives back what servers keep for streams that are no more, or whose rows
// nothing reads. What cannot be given back now is tried again.
func (d *Daemon) releaseHolds(ctx context.Context) error {
	holds, err := d.store.StreamHolds(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, h := range holds {
		if err := d.releaseUnheld(ctx, h); err != nil {
			failures = append(failures, fmt.Errorf("give back what the server of source %q keeps for it: %w", h.Source, err))
		}
	}
	return errors.Join(failures...)
}

// releaseUnheld gives h back unless its source is held as it was.
func (d *Daemon) releaseUnheld(ctx context.Context, h store.StreamHold) error {
	gate := d.holding.of(h.Source)
	if err := gate.enter(ctx); err != nil {
		return err
	}
	defer gate.leave()
	now := d.roster()
	if f := now.feeds[h.Source]; f != nil && f.heldAs() == h.Digest && now.bound(h.Source) {
		return nil
	}
	return d.releaseOne(ctx, h)
}

// holding keeps apart that something comes to be held for a source and that it is
// given back.
type holding struct {
	mu    sync.Mutex
	gates map[string]gate
}

func (h *holding) of(source string) gate {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gates == nil {
		h.gates = map[string]gate{}
	}
	if h.gates[source] == nil {
		h.gates[source] = newGate()
	}
	return h.gates[source]
}

func (d *Daemon) releaseOne(ctx context.Context, h store.StreamHold) error {
	ctx, cancel := context.WithTimeout(ctx, releaseLimit)
	defer cancel()
	if err := d.store.Certain(); err != nil { // another process may hold it by now
		return err
	}
	source, err := d.openHold(h)
	if err != nil {
		return err
	}
	if c, ok := source.(io.Closer); ok {
		defer c.Close()
	}
	streamer, ok := source.(connectors.Streamer)
	if !ok {
		return errors.New("a source of this configuration is no stream")
	}
	if err := streamer.Release(ctx); err != nil {
		return err
	}
	d.crash("stream.released")
	d.log.Info("what was kept for the source was given back", slog.String("source", h.Source))
	return d.store.DropHold(ctx, h)
}

// unsealed refuses streams for which a server keeps something where the ledger could
// not keep how it is given back, which has their secrets.
func (s *Settings) unsealed() (list problem.List) {
	if s.Store.CanSeal() {
		return nil
	}
	for _, source := range s.Sources {
		h, ok := source.Config.(connectors.Holding)
		if !ok || !connectors.Streams(source.Config) || h.Holds() == "" {
			continue
		}
		list = append(list, config.Problem(source.node, "", problem.Invalid,
			"what the server of the source %q keeps for it could not be given back later: the ledger has no key to seal its configuration with", source.Name).
			WithSlug("no_seal_key").WithHint(`set store.seal_key: "${PICTIFYD_SEAL_KEY}"`))
	}
	return list
}

// openHold opens the source that a hold was made by, as it was configured then.
func (d *Daemon) openHold(h store.StreamHold) (connectors.Poller, error) {
	spec, err := d.vault.unseal(holdPlace(h.Source), h.Spec)
	if err != nil {
		return nil, err
	}
	node, err := config.ParseKept([]byte(spec), config.Options{Dir: d.settings.Dir, ReadFile: os.ReadFile})
	if err != nil {
		return nil, err
	}
	name, _ := node.Scalar("kind")
	kind, ok := d.settings.kinds.Find(name)
	if !ok {
		return nil, fmt.Errorf("there is no kind %q of sources any more", name)
	}
	cfg := kind.Config()
	if err := node.Without("name").Decode(cfg); err != nil {
		return nil, err
	}
	return kind.New(cfg, connectors.Env{
		Name: h.Source, Dir: d.settings.Dir, Log: d.log.With(slog.String("source", h.Source)), Instance: d.instance,
	})
}
