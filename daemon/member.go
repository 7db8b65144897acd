package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/store"
)

// A duty says which processes run a stage.
type duty int

const (
	ofAll     duty = iota
	ofHolder       // of the ledger
	ofMembers      // that work beside it
)

const (
	// holderLook is how often a process that hands requests on looks who holds the ledger.
	holderLook = 500 * time.Millisecond
	// membersLook is how often the holder looks for what members have changed: a
	// binding that is paused because its rows go in a circle.
	membersLook = 5 * time.Second
)

func (d *Daemon) roles() Roles { return d.settings.Roles }

// member reports whether this process works beside the one that holds the ledger.
func (d *Daemon) member() bool { return d.roles().Member() }

// queue works turns until ctx ends, then finishes those in hand.
func (d *Daemon) queue(ctx context.Context) error {
	turns, pictures := turnsOf(d.renderer.Slots())
	d.stride.least, d.stride.first = 2*pictures, min(8*pictures, turnSize) // one that takes all leaves others without
	w := store.Workers{Slots: turns}
	if d.roles().Has(RoleRender) {
		w.Render = d.draw
	}
	if d.roles().Has(RoleDeliver) {
		w.Deliver = d.deliver
	}
	if d.roles().Has(RoleConnect) {
		w.Poll, w.Plan = d.poll, d.planJob
	}
	return d.store.Run(ctx, w, d.options.Grace)
}

// doorOfMember answers what this process knows, and hands the rest on to the holder.
func (d *Daemon) doorOfMember(keys []apikey.Key, relayKey string) (*api.Server, error) {
	away := &api.Elsewhere{Roles: d.roles().names()}
	if d.roles().Has(RoleAPI) {
		d.relay = api.NewRelay(relayKey, d.settings.Server.OwnName(), d.log)
		away.Relay = d.relay
	}
	return d.door(api.Deps{
		Log: d.log, Version: d.options.Version, BaseURL: d.urls.base, Images: d.store, Blobs: d.blobs, Keys: d.store, StoredKeys: keys,
		BindingFunc: d.oneConfigured, ReadyFunc: d.able, Registry: d.metrics.registry, Traces: d.traces, Elsewhere: away,
	})
}

// followHolder has requests handed on to whoever holds the ledger, and takes what it
// has changed, until ctx ends.
func (d *Daemon) followHolder(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.catchUp.work(ctx) })
	wg.Go(func() { d.circles.stop.work(ctx) })
	tick := time.NewTicker(holderLook)
	defer tick.Stop()
	for {
		if d.relay != nil {
			d.faults.note(d.log, "store", "who holds it", d.lookForHolder(ctx))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (d *Daemon) lookForHolder(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, holderLook)
	defer cancel()
	address, err := d.store.Holder(limited)
	if err == nil {
		err = d.relay.SetHolder(address)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// readAnew is what a member does when the holder has changed something.
func (d *Daemon) readAnew(ctx context.Context) error {
	err := errors.Join(d.renew(ctx), d.exhibit.load(ctx))
	if d.api == nil {
		return err
	}
	keys, kerr := d.store.Keys(ctx)
	if kerr == nil {
		d.api.SetStoredKeys(keys)
	}
	return errors.Join(err, kerr)
}

// reloadMember takes another file: what is planned by it is its holder's matter.
func (d *Daemon) reloadMember(ctx context.Context, before, next *Settings) error {
	signers, err := d.signersOf(ctx, next.Server)
	if err != nil {
		return err
	}
	d.vault.lends(next.Secrets)
	d.vault.sealsWith(next.sealKeys)
	if err := d.renewBy(ctx, next); err != nil {
		d.vault.lends(before.Secrets)
		d.vault.sealsWith(before.sealKeys)
		return err
	}
	d.urls.signers.set(signers)
	d.api.SetKeys(next.Server)
	d.api.SetURLKeys(signers)
	return nil
}

// watchMembers takes what members have changed, until ctx ends.
func (d *Daemon) watchMembers(ctx context.Context) error {
	if !d.settings.Store.Shared() {
		return nil // there are none
	}
	tick := time.NewTicker(membersLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := d.lookAtPaused(ctx)
		if ctx.Err() == nil {
			d.faults.note(d.log, "store", "bindings that are paused", err)
		}
	}
}

// lookAtPaused takes in that bindings were paused elsewhere.
func (d *Daemon) lookAtPaused(ctx context.Context) error {
	paused, err := d.store.Paused(ctx)
	if err != nil {
		return err
	}
	now := d.roster().paused
	if len(paused) == len(now) {
		same := true
		for name := range paused {
			same = same && now[name] == paused[name]
		}
		if same {
			return nil
		}
	}
	if err := d.changing.enter(ctx); err != nil {
		return err
	}
	defer d.changing.leave()
	return d.takeEffect(ctx)
}
