package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// assemble reads what callers made, and opens what is not open yet.
func (d *Daemon) assemble(ctx context.Context, before, now *roster) error {
	resources, err := d.store.Resources(ctx)
	if err != nil {
		return err
	}
	if now.paused, err = d.store.Paused(ctx); err != nil {
		return err
	}
	if err := d.ofFile(before, now); err != nil {
		return err
	}
	for _, r := range resources {
		id := resourceID{r.Kind, r.Name}
		if now.file.has(id) {
			d.faults.note(d.log, r.Kind, r.Name, problem.New(problem.Conflict, "a %s %q that was made over the API is not used: the configuration has one of that name", r.Kind, r.Name))
			continue
		}
		now.made[id] = r
		err := d.adopt(before, now, r)
		d.faults.note(d.log, r.Kind, r.Name, err)
		if err != nil {
			now.broken[id] = err
		}
	}
	for i, b := range now.bindings {
		now.bindings[i].Scheduled = now.scheduled(b.Source)
	}
	return nil
}

// ofFile is what the operator's file names. What it says as it did before goes on.
func (d *Daemon) ofFile(before, now *roster) error {
	for _, s := range now.file.Sources {
		old := before.feeds[s.Name]
		if old != nil && before.file.sourceDigest(s.Name) == s.digest {
			now.feeds[s.Name] = old
			continue
		}
		f, err := d.openFeed(s, nil)
		if err != nil {
			return err
		}
		f.follow(old)
		now.feeds[s.Name] = f
	}
	for _, s := range now.file.Sinks {
		now.wants[s.Name], now.sinkConfigs[s.Name], now.sinkDigests[s.Name] = s.Config.Base(), s.Config, now.file.sinkPlan(s)
		if old := before.sinks[s.Name]; old != nil && before.file.sinkPlan(s) == now.file.sinkPlan(s) {
			now.sinks[s.Name] = old
			continue
		}
		to, err := d.openSink(s, sink.Env{Source: now.file.sourceConfig})
		if err != nil {
			return err
		}
		now.sinks[s.Name] = to
	}
	now.bindings = append(now.bindings, now.file.Bindings...)
	return nil
}

// adopt takes in what a caller made. What cannot be used is left out.
func (d *Daemon) adopt(before, now *roster, r store.Resource) error {
	id := resourceID{r.Kind, r.Name}
	same := sameResource(before.made[id], r) && before.broken[id] == nil && sameLoan(before.file, now.file, r)
	x := d.vault.opening(id, r.Secrets)
	switch r.Kind {
	case ofSource:
		return d.adoptSource(before, now, r, x, same)
	case ofSink:
		s, _, err := d.readSink(r.Name, []byte(r.Spec), x)
		if err != nil {
			return err
		}
		to := before.sinks[r.Name]
		if !same || to == nil {
			if to, err = d.openSink(s, sink.Env{Client: d.guarded}); err != nil {
				return err
			}
		}
		now.sinks[r.Name], now.wants[r.Name], now.sinkConfigs[r.Name], now.sinkDigests[r.Name] = to, s.Config.Base(), s.Config, resourceDigest(r)
	case ofBinding:
		// Also one that cannot be read keeps its place, so that it is seen.
		cfg, _, err := readBinding([]byte(r.Spec), r.Name)
		cfg.Name = r.Name
		now.bindings = append(now.bindings, cfg)
		return err
	}
	return nil
}

// adoptSource keeps the feed of a source that is as it was. A new one in its
// place waits for what the old one has in hand.
func (d *Daemon) adoptSource(before, now *roster, r store.Resource, x *deposit, same bool) error {
	old := before.feeds[r.Name]
	if same && old != nil {
		if err := now.takenPath(r.Name, old.told); err != nil {
			return err
		}
		now.feeds[r.Name] = old
		return nil
	}
	s, _, err := d.readSource(r.Name, []byte(r.Spec), x)
	if err != nil {
		return err
	}
	told, _ := s.Config.(connectors.Told)
	if err := now.takenPath(s.Name, told); err != nil {
		return err
	}
	f, err := d.openFeed(s, d.guarded)
	if err != nil {
		return err
	}
	f.follow(old)
	now.feeds[r.Name] = f
	return nil
}

// sameLoan reports whether the secrets that the file lends to r are as they were.
func sameLoan(before, now *Settings, r store.Resource) bool {
	return !strings.Contains(r.Spec, secretScheme) || before.sections["secrets"] == now.sections["secrets"]
}

func sameResource(a, b store.Resource) bool {
	return a.Revision == b.Revision && a.CreatedAt.Equal(b.CreatedAt) && a.Spec == b.Spec && maps.Equal(a.Secrets, b.Secrets)
}

// resourceDigest is the same for resources that are made in the same way.
func resourceDigest(r store.Resource) string {
	text := r.Spec
	for _, name := range sortedKeys(r.Secrets) {
		text += "\x00" + name + "\x00" + r.Secrets[name]
	}
	return contentDigest([]byte(text))
}

// openFeed opens a source. client is its only way out; nil is the operator's own.
func (d *Daemon) openFeed(s Source, client *http.Client) (*feed, error) {
	env := connectors.Env{
		Name: s.Name, Dir: d.settings.Dir, Log: d.log.With(slog.String("source", s.Name)), Client: client, Instance: d.instance,
	}
	reads := d.lend(s.Config, &env)
	poller, err := s.Kind.New(s.Config, env)
	if err != nil {
		return nil, fmt.Errorf("open source %q: %w", s.Name, err)
	}
	f := d.newFeed(s.Name, s.Config.Base(), poller)
	f.config = s.Config
	if !s.node.IsZero() {
		f.spec = s.node.JSON(nil)
	}
	f.reads = reads
	f.live = newLookout(s.Config, poller)
	if streamer, ok := poller.(connectors.Streamer); ok && connectors.Streams(s.Config) {
		f.stream = newStream(streamer)
	}
	if one, ok := s.Config.(connectors.Single); ok && one.OnlyKey() != "" {
		f.oneKey, err = bindings.CanonicalKey([]any{one.OnlyKey()})
	}
	if err == nil {
		err = f.scheduleFeed(s.Config.Base())
	}
	if p, ok := s.Config.(connectors.Passive); ok {
		f.passive = p.Passive()
	}
	f.told, _ = s.Config.(connectors.Told)
	f.expect(s.Config.Base())
	return f, err
}

// openSink opens a sink with what env lends to it, and what every sink is lent.
func (d *Daemon) openSink(s Sink, env sink.Env) (sink.Sink, error) {
	env.Name, env.Dir, env.Log, env.Bytes = s.Name, d.settings.Dir, d.log.With(slog.String("sink", s.Name)), d.bytesOf
	made, err := s.Kind.New(s.Config, env)
	if err != nil {
		return nil, fmt.Errorf("open sink %q: %w", s.Name, err)
	}
	if _, ok := s.Config.(sink.WriteBack); ok {
		made = d.churn.watch(s.Name, made)
	}
	return made, nil
}
