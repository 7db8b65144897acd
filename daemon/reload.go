package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A RestartError is how Run ends for settings that only another Run can take.
type RestartError struct {
	Settings *Settings
	Sections []string // of them that differ, and are read at the start alone
}

// Error implements error.
func (e *RestartError) Error() string {
	return "changed, and read at the start alone: " + strings.Join(e.Sections, ", ")
}

// reloads reads the configuration again when it is asked to or the file has
// changed, until ctx ends or the daemon has to start anew for it.
func (d *Daemon) reloads(ctx context.Context, finish func()) error {
	if d.options.Config == "" {
		return nil
	}
	d.metrics.began(d.settings.instead, time.Now())
	changed := make(chan struct{}, 1)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.watchFile(ctx, changed)
	}()
	defer func() { <-watched }()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.options.Reload:
		case <-changed:
		case <-retry:
		}
		err := d.loadAgain(ctx)
		retry = nil
		if err != nil && machineFault(err) { // the file is not at fault
			retry = time.After(fileCheck)
		}
		if again := (*RestartError)(nil); errors.As(err, &again) {
			d.log.Info("configuration read again, pictifyd starts anew for it", slog.Any("sections", again.Sections))
			d.again.Store(again)
			finish()
			return nil
		}
	}
}

// loadAgain reads the configuration and takes it, or says why it does not. What
// it refuses changes nothing.
func (d *Daemon) loadAgain(ctx context.Context) error {
	next, err := Load(d.options.Config)
	if err == nil && len(d.options.Roles) > 0 {
		next, err = next.With(d.options.Roles)
	}
	if err == nil {
		err = d.Reload(ctx, next)
	}
	if again := (*RestartError)(nil); errors.As(err, &again) || ctx.Err() != nil {
		return err
	}
	d.metrics.reloaded(err, time.Now())
	if err == nil {
		d.log.Info("configuration read again")
		return nil
	}
	for _, p := range problem.All(err) {
		d.log.Error("configuration refused, the running one stays", slog.Any("err", p))
	}
	return err
}

// Reload makes next the settings that d runs by. What is equal in both goes on
// as it is; what is another, or gone, ends; bindings that changed are planned
// again from the stored rows. Nothing changes on an error. Settings that d
// cannot take while it runs are a *RestartError.
func (d *Daemon) Reload(ctx context.Context, next *Settings) error {
	if err := d.changing.enter(ctx); err != nil {
		return err
	}
	defer d.changing.leave()
	before := d.file()
	if sections := before.apart(next); len(sections) > 0 {
		return &RestartError{next, sections}
	}
	if d.member() {
		return d.reloadMember(ctx, before, next)
	}
	if err := d.usable(ctx, before, next); err != nil {
		return err
	}
	if err := d.usableExperiments(ctx, next); err != nil {
		return err
	}
	signers, err := d.signersOf(ctx, next.Server)
	if err != nil {
		return err
	}
	ended := d.roster().feeds
	d.vault.lends(next.Secrets)
	d.vault.sealsWith(next.sealKeys)
	back := func(err error) error {
		d.vault.lends(before.Secrets)
		d.vault.sealsWith(before.sealKeys)
		return fmt.Errorf("take the configuration: %w", err)
	}
	if err := d.reseal(ctx, next); err != nil {
		return back(err)
	}
	if err := d.renewBy(ctx, next); err != nil {
		return back(err)
	}
	if err := d.auditFile(ctx, "reload", before.source, next.source); err != nil { // it is in effect, whatever the list says
		d.log.Error("the reload is not in the audit log", slog.Any("err", err))
	}
	d.fileExperiments.ask()
	d.urls.signers.set(signers)
	if d.api != nil {
		d.api.SetKeys(next.Server)
		d.api.SetURLKeys(signers)
	}
	return d.dropGone(ctx, ended)
}

// dropGone forgets the bindings that there are no more, once no reading plans
// for them.
func (d *Daemon) dropGone(ctx context.Context, before map[string]*feed) error {
	busy, cancel := context.WithTimeout(context.WithoutCancel(ctx), busyLimit)
	defer cancel()
	now := d.roster()
	for name, f := range before {
		if now.feeds[name] != nil {
			continue // its errand does it
		}
		if err := f.gate.enter(busy); err != nil {
			return fmt.Errorf("wait for the reading of source %q to end: %w", name, err)
		}
		f.gate.leave()
	}
	return d.store.DropBindings(busy, namesOf(now.bindings))
}

// usable says why a binding that changed does not fit its template.
func (d *Daemon) usable(ctx context.Context, before, next *Settings) error {
	var problems problem.List
	synced := false
	for _, b := range next.Bindings {
		if before.digest(b.Name) == next.digest(b.Name) {
			continue
		}
		found := d.compiles(ctx, next.nodes[b.Name], b)
		if len(found) > 0 && !synced { // its template may have come along with it
			names, err := d.templates.sync(ctx)
			if err != nil {
				return err
			}
			d.rebind(names)
			synced, found = true, d.compiles(ctx, next.nodes[b.Name], b)
		}
		problems = append(problems, found...)
	}
	return problems.Err()
}

// file is what the operator's file says now.
func (d *Daemon) file() *Settings {
	if r := d.roster(); r != nil && r.file != nil {
		return r.file
	}
	return d.settings
}

// live are the sections that a running daemon takes. It takes what signs and seals
// (digests.go) as well, and server.keys and server.origins as long as there are keys
// before and after.
var live = []string{"keep", "secrets", "sources", "sinks", "bindings", "experiments"}

// apart are the sections that differ in other and are read at the start alone.
func (s *Settings) apart(other *Settings) []string {
	var apart []string
	if s.Dir != other.Dir {
		apart = append(apart, "its folder")
	}
	for _, name := range union(s.sections, other.sections) {
		if s.sections[name] != other.sections[name] && !slices.Contains(live, name) {
			apart = append(apart, name)
		}
	}
	return apart
}

func union(a, b map[string]string) []string {
	names := append(sortedKeys(a), sortedKeys(b)...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Instead is s in the place of settings that could not run: their file is not
// taken up again until it changes.
func (s *Settings) Instead(of *Settings) *Settings {
	back := *s
	back.source, back.instead = of.source, true
	return &back
}
