package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
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
	file        *Settings // the operator's
	feeds       map[string]*feed
	sinks       map[string]sink.Sink
	wants       map[string]*sink.Common // of the sinks
	sinkConfigs map[string]sink.Config
	sinkDigests map[string]string // of their configuration
	bindings    []bindings.Config // the file's first
	paused      map[string]bool   // bindings that a person has stopped

	made   map[resourceID]store.Resource // by callers
	broken map[resourceID]error          // of those: what cannot be used, and why
}

// A resourceID names one thing of a roster.
type resourceID struct{ kind, name string }

func newRoster(file *Settings) *roster {
	return &roster{
		file: file, feeds: map[string]*feed{}, sinks: map[string]sink.Sink{}, wants: map[string]*sink.Common{},
		sinkConfigs: map[string]sink.Config{}, sinkDigests: map[string]string{},
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
	r.closeSinks(before)
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
	d.announce(ctx, now)
	d.current.Store(now)
	for name, f := range before.feeds {
		if now.feeds[name] != f {
			f.end()
		}
	}
	before.closeSinks(now)
	d.forgetGone(now)
	if d.member() { // the rest is its holder's
		return nil
	}
	d.noteSinks(ctx, now)
	for _, f := range d.touched(before, now) {
		f.rebind.ask()
	}
	for name, f := range now.feeds {
		if before.feeds[name] != f || f.stream == nil || before.bound(name) == now.bound(name) {
			continue
		}
		f.stream.restart()
	}
	d.release.ask()
	select {
	case d.renewed <- struct{}{}:
	default:
	}
	return nil
}

// announce has the store, and the members beside it, know who hears of what in a roster.
// It comes before any row is planned by that roster: else a member that draws the first
// image of a binding would plan no delivery of it.
func (d *Daemon) announce(ctx context.Context, now *roster) {
	d.store.SetSinks(now.routes())
	d.store.SetRunSinks(now.runRoutes())
	d.store.SetSubjects(now.subjects())
	if err := d.store.PublishRoutes(ctx); err != nil { // it is tried again each second
		d.log.Error("members do not know yet who hears of what", slog.Any("err", err))
	}
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
		for _, name := range b.Sinks { // it may read nothing that they write
			if back, ok := r.sinkConfigs[name].(sink.WriteBack); ok {
				text += fmt.Sprintf(" %s %q", name, back.WritesBack(source, r.feeds[source].config))
			}
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
		if b.OneKey = f.oneKey; f.told != nil {
			b.HookPath = f.told.HookPath()
		}
	}
}

// routes are which sinks each binding delivers to, and which events each wants.
func (r *roster) routes() (of, events map[string][]string) {
	of, events = map[string][]string{}, map[string][]string{}
	for _, b := range r.bindings {
		of[b.Name] = b.Sinks
	}
	for name, base := range r.wants {
		for _, e := range sink.Events() {
			if base.Wants(e) {
				events[name] = append(events[name], e)
			}
		}
	}
	return of, events
}

// subjects are what each binding is about.
func (r *roster) subjects() map[string]sink.Subject {
	of := map[string]sink.Subject{}
	for _, b := range r.bindings {
		about := sink.Subject{Template: b.Template, Binding: b.Name}
		outputs, err := bindings.Outputs(b.Outputs, "outputs")
		if err != nil { // it can't work, and there is nothing to tell of
			continue
		}
		for _, o := range outputs {
			about.Types = append(about.Types, sink.TypeOf(o.Format))
		}
		of[b.Name] = about
	}
	return of
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
