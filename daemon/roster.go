package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// The kinds of resources, as the store has them.
const (
	ofSource  = "source"
	ofSink    = "sink"
	ofBinding = "binding"
)

// A roster is the sources, sinks and bindings that there are at one time: those
// of the file, and those that callers of the API made. It does not change;
// another one takes its place.
type roster struct {
	file     *Settings // the operator's
	feeds    map[string]*feed
	sinks    map[string]sink.Sink
	wants    map[string]*sink.Common // of the sinks
	bindings []bindings.Config       // the file's first
	paused   map[string]bool         // bindings that a person has stopped

	made   map[resourceID]store.Resource // by callers
	broken map[resourceID]error          // of those: what cannot be used, and why
}

// A resourceID names one thing of a roster.
type resourceID struct{ kind, name string }

func newRoster(file *Settings) *roster {
	return &roster{
		file: file, feeds: map[string]*feed{}, sinks: map[string]sink.Sink{}, wants: map[string]*sink.Common{},
		made: map[resourceID]store.Resource{}, broken: map[resourceID]error{},
	}
}

// abandon lets go of what was opened for a roster that does not take its place.
func (r *roster) abandon(before *roster) {
	for name, f := range r.feeds {
		if f != nil && before.feeds[name] != f {
			f.end()
		}
	}
}

// roster is what there is now.
func (d *Daemon) roster() *roster { return d.current.Load() }

// of is the bindings of a source.
func (r *roster) of(source string) []bindings.Config {
	var of []bindings.Config
	for _, b := range r.bindings {
		if b.Source == source {
			of = append(of, b)
		}
	}
	return of
}

// lacks says what keeps a binding from working before any row is looked at.
func (r *roster) lacks(b bindings.Config) error {
	var problems problem.List
	missing := func(kind, name string) {
		if why := r.broken[resourceID{kind, name}]; why != nil {
			problems = append(problems, problem.New(problem.Invalid, "the %s %q cannot be used: %w", kind, name, why))
			return
		}
		problems = append(problems, problem.New(problem.NotFound, "there is no %s %q any more", kind, name))
	}
	for _, name := range append([]string{b.Source}, b.LookupSources()...) {
		if r.feeds[name] == nil {
			missing(ofSource, name)
		}
	}
	for _, name := range slices.Concat(b.Sinks, b.OnRun) {
		if r.sinks[name] == nil {
			missing(ofSink, name)
		}
	}
	if err := r.broken[resourceID{ofBinding, b.Name}]; err != nil {
		problems = append(problems, problem.All(err)...)
	}
	return problems.Err()
}

// renew makes the roster what the file and the store say now. What is equal goes
// on as it is; a source that is changed or gone is read no further.
func (d *Daemon) renew(ctx context.Context) error { return d.renewBy(ctx, nil) }

// renewBy is renew with another file; nil is the one that there is.
func (d *Daemon) renewBy(ctx context.Context, file *Settings) error {
	d.renewing.Lock()
	defer d.renewing.Unlock()
	before := d.roster()
	if before == nil {
		before = &roster{file: d.settings}
	}
	if file == nil {
		file = before.file
	}
	now := newRoster(file)
	if err := d.assemble(ctx, before, now); err != nil {
		now.abandon(before)
		return err
	}
	d.current.Store(now)
	d.store.SetSinks(now.routes())
	d.store.SetRunSinks(now.runRoutes())
	for name, f := range before.feeds {
		if now.feeds[name] != f {
			f.end()
		}
	}
	d.forgetGone(now)
	for _, f := range d.touched(before, now) {
		f.rebind.ask()
	}
	select {
	case d.renewed <- struct{}{}:
	default:
	}
	return nil
}

// touched are the feeds that go on, and whose bindings are not as they were.
func (d *Daemon) touched(before, now *roster) []*feed {
	var touched []*feed
	for name, f := range now.feeds {
		if before.feeds[name] == f && before.plannedWith(name) != now.plannedWith(name) {
			touched = append(touched, f)
		}
	}
	return touched
}

// plannedWith tells whether the bindings of a source are the same in two rosters.
func (r *roster) plannedWith(source string) string {
	text := ""
	for _, b := range r.of(source) {
		made := r.made[resourceID{ofBinding, b.Name}]
		text += fmt.Sprintf("%s %s%s %v", b.Name, r.file.digest(b.Name), made.Spec, r.paused[b.Name])
		for _, joined := range b.LookupSources() { // it waits for the first reading of one that is read
			f := r.feeds[joined]
			text += fmt.Sprintf(" %s %v", joined, f != nil && f.passive)
		}
		text += "\n"
	}
	return text
}

// forgetGone drops what was noted about sources and bindings that are no more.
func (d *Daemon) forgetGone(now *roster) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.polled, func(name string, _ error) bool { return now.feeds[name] == nil })
	maps.DeleteFunc(d.unable, func(name string, _ error) bool {
		for _, b := range now.bindings {
			if b.Name == name {
				return false
			}
		}
		return true
	})
}

// describe says where a binding comes from, and what its source is like.
func (r *roster) describe(b *api.Binding) {
	b.Origin = api.OfFile
	if made, ok := r.made[resourceID{ofBinding, b.Name}]; ok {
		b.Origin, b.Spec, b.Revision = api.OfCallers, json.RawMessage(made.Spec), made.Revision
		b.Author, b.UpdatedAt = made.Author, made.UpdatedAt
	}
	if f := r.feeds[b.Source]; f != nil {
		b.OneKey = f.oneKey
	}
}

// routes are which sinks each binding delivers to, and which events each wants.
func (r *roster) routes() (of, events map[string][]string) {
	of, events = map[string][]string{}, map[string][]string{}
	for _, b := range r.bindings {
		of[b.Name] = b.Sinks
	}
	for name, base := range r.wants {
		for _, e := range []string{sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved} {
			if base.Wants(e) {
				events[name] = append(events[name], e)
			}
		}
	}
	return of, events
}

// scheduled reports whether a source is read by a schedule.
func (r *roster) scheduled(source string) bool {
	f := r.feeds[source]
	return f != nil && f.plan != nil
}

// sinkKind is the kind of a sink; "" for none.
func (r *roster) sinkKind(name string) string {
	if base := r.wants[name]; base != nil && r.sinks[name] != nil {
		return base.Kind
	}
	return ""
}

// runRoutes are which sinks hear of the runs of each binding.
func (r *roster) runRoutes() map[string][]string {
	of := map[string][]string{}
	for _, b := range r.bindings {
		of[b.Name] = b.OnRun
	}
	return of
}

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
		now.wants[s.Name] = s.Config.Base()
		if old := before.sinks[s.Name]; old != nil && before.file.sinkDigest(s.Name) == s.digest {
			now.sinks[s.Name] = old
			continue
		}
		to, err := d.openSink(s, nil)
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
			if to, err = d.openSink(s, d.guarded); err != nil {
				return err
			}
		}
		now.sinks[r.Name], now.wants[r.Name] = to, s.Config.Base()
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

// follow has f wait for what the feed in whose place it comes has in hand.
func (f *feed) follow(old *feed) {
	if old != nil {
		f.gate = old.gate
	}
}

// sameLoan reports whether the secrets that the file lends to r are as they were.
func sameLoan(before, now *Settings, r store.Resource) bool {
	return !strings.Contains(r.Spec, secretScheme) || before.sections["secrets"] == now.sections["secrets"]
}

func sameResource(a, b store.Resource) bool {
	return a.Revision == b.Revision && a.CreatedAt.Equal(b.CreatedAt) && a.Spec == b.Spec && maps.Equal(a.Secrets, b.Secrets)
}

// openFeed opens a source. client is its only way out; nil is the operator's own.
func (d *Daemon) openFeed(s Source, client *http.Client) (*feed, error) {
	env := connectors.Env{Name: s.Name, Dir: d.settings.Dir, Log: d.log.With(slog.String("source", s.Name)), Client: client}
	reads := d.lend(s.Config, &env)
	poller, err := s.Kind.New(s.Config, env)
	if err != nil {
		return nil, fmt.Errorf("open source %q: %w", s.Name, err)
	}
	f := d.newFeed(s.Name, s.Config.Base(), poller)
	f.reads = reads
	f.live = newLookout(s.Config, poller)
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

// openSink opens a sink. client is its only way out; nil is the operator's own.
func (d *Daemon) openSink(s Sink, client *http.Client) (sink.Sink, error) {
	made, err := s.Kind.New(s.Config, sink.Env{
		Name: s.Name, Dir: d.settings.Dir, Log: d.log.With(slog.String("sink", s.Name)), Client: client, Bytes: d.bytesOf,
	})
	if err != nil {
		return nil, fmt.Errorf("open sink %q: %w", s.Name, err)
	}
	return made, nil
}

// end has f read no further: it is gone, or another one takes its place.
func (f *feed) end() {
	close(f.gone)
	if c, ok := f.poller.(io.Closer); ok {
		_ = c.Close() // it only lets go of connections
	}
}

// living is ctx, which also ends when f does.
func (f *feed) living(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-f.gone:
			cancel(errFeedEnded)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-done
	}
}

// errFeedEnded is why a reading stops whose source was changed or deleted.
var errFeedEnded = errors.New("the source was changed or deleted")

// ended reports whether another feed, or none, has the name of f now.
func (f *feed) ended() bool {
	select {
	case <-f.gone:
		return true
	default:
		return false
	}
}

// has reports whether the file names it.
func (s *Settings) has(id resourceID) bool {
	switch id.kind {
	case ofSource:
		for _, x := range s.Sources {
			if x.Name == id.name {
				return true
			}
		}
	case ofSink:
		for _, x := range s.Sinks {
			if x.Name == id.name {
				return true
			}
		}
	case ofBinding:
		_, ok := s.nodes[id.name]
		return ok
	}
	return false
}

// readBinding reads the JSON of a binding, which may leave out its name, and
// checks what can be seen without anything else.
func readBinding(spec []byte, name string) (bindings.Config, config.Node, error) {
	cfg := bindings.DefaultConfig()
	node, err := config.ParseJSON(spec, config.Options{})
	if err == nil {
		node = node.Without("name").With("name", name)
		err = node.Decode(&cfg)
	}
	return cfg, node, err
}
