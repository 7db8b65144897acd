package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

var _ api.Resources = (*Daemon)(nil)

// connectionName is what sources and sinks of callers may be called.
var connectionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// busyLimit is how long a change waits for what is in hand of its source.
const busyLimit = 15 * time.Second

// Connections are the sources or the sinks, by name.
func (d *Daemon) Connections(ctx context.Context, kind string) ([]api.Connection, error) {
	now := d.roster()
	var all []api.Connection
	add := func(c api.Connection) {
		c.Kind, c.UsedBy = kind, now.usedBy(resourceID{kind, c.Name})
		all = append(all, c)
	}
	if kind == ofSource {
		for _, s := range now.file.Sources {
			add(api.Connection{Name: s.Name, Type: s.Kind.Name, Origin: api.OfFile})
		}
	} else {
		for _, s := range now.file.Sinks {
			add(api.Connection{Name: s.Name, Type: s.Kind.Name, Origin: api.OfFile})
		}
	}
	for id, r := range now.made {
		if id.kind == kind {
			add(connectionOf(r, now.broken[id]))
		}
	}
	slices.SortFunc(all, func(a, b api.Connection) int { return strings.Compare(a.Name, b.Name) })
	if kind != ofSource {
		return all, d.addFlows(ctx, all)
	}
	states, err := d.store.SourceStates(ctx)
	for i := range all {
		st := states[all[i].Name]
		all[i].Rows, all[i].ReadAt, all[i].Complete, all[i].Reason = st.Rows, st.ReadAt, st.Complete, st.Reason
		if st.Error != "" {
			all[i].ReadError, all[i].ErrorAt = st.Error, st.ErrorAt
		}
		if f := now.feeds[all[i].Name]; f != nil && f.told != nil {
			all[i].HookPath, all[i].Warnings = f.told.HookPath(), f.drift.warnings()
		}
	}
	return all, err
}

func connectionOf(r store.Resource, broken error) api.Connection {
	var of struct{ Kind string }
	_ = json.Unmarshal([]byte(r.Spec), &of) // it was read when it came
	return api.Connection{
		Kind: r.Kind, Name: r.Name, Type: of.Kind, Origin: api.OfCallers, Revision: r.Revision, Spec: json.RawMessage(r.Spec), Error: broken,
		Author: r.Author, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// usedBy are the bindings that a source or sink serves.
func (r *roster) usedBy(id resourceID) []string {
	var names []string
	for _, b := range r.bindings {
		if id.kind == ofSource && (b.Source == id.name || slices.Contains(b.LookupSources(), id.name)) || id.kind == ofSink && slices.Contains(b.Sinks, id.name) {
			names = append(names, b.Name)
		}
	}
	return names
}

// Save makes or changes resources, all of them or none, and has them take effect.
func (d *Daemon) Save(ctx context.Context, changes []api.ResourceChange) ([]string, error) {
	if err := d.changing.enter(ctx); err != nil {
		return nil, err
	}
	defer d.changing.leave()
	p := proposed{roster: d.roster(), sources: d.roster().names(ofSource), sinks: d.roster().names(ofSink)}
	for _, c := range changes {
		if err := d.propose(ctx, &p, c); err != nil {
			return nil, err
		}
	}
	if err := d.store.SaveResources(ctx, p.resources); err != nil {
		return nil, err
	}
	names := make([]string, len(p.resources))
	for i, r := range p.resources {
		names[i] = r.Name
		d.log.Info("changed over the API", slog.String(r.Kind, r.Name), slog.Int64("revision", r.Revision+1), slog.String("by", r.Author))
	}
	return names, d.takeEffect(ctx)
}

// takeEffect is renew after a commit: also a caller who has gone gets what he asked for.
func (d *Daemon) takeEffect(ctx context.Context) error {
	if err := d.renew(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("it is kept, and takes effect at the next start: %w", err)
	}
	return nil
}

// proposed is what a call is about to save, with the names that there will be.
type proposed struct {
	roster         *roster
	sources, sinks []string
	resources      []store.Resource
}

// names are those of the sources or sinks that can be used.
func (r *roster) names(kind string) []string {
	if kind == ofSource {
		return sortedKeys(r.feeds)
	}
	return sortedKeys(r.sinks)
}

// propose judges one change, and adds it to p.
func (d *Daemon) propose(ctx context.Context, p *proposed, c api.ResourceChange) error {
	r := store.Resource{Kind: c.Kind, Name: c.Name, MadeFor: c.MadeFor, Author: c.Author, Revision: c.IfRevision}
	if c.Kind == ofBinding {
		if err := d.proposeBinding(ctx, p, c, &r); err != nil {
			return err
		}
	} else if err := d.proposeConnection(ctx, p, c, &r); err != nil {
		return err
	}
	before, there := p.roster.made[resourceID{r.Kind, r.Name}]
	if c.Replace {
		if !there {
			return p.roster.unknown(r.Kind, r.Name)
		}
		r.MadeFor = before.MadeFor
		if r.Revision == 0 {
			r.Revision = before.Revision
		}
	}
	p.resources = append(p.resources, r)
	return nil
}

// own refuses names of the file.
func (d *Daemon) own(id resourceID) error {
	if !d.file().has(id) {
		return nil
	}
	return problem.New(problem.Conflict, "the %s %q is defined in pictifyd.yaml", id.kind, id.name).WithSlug(api.SlugOfFile).At("name").
		WithHint("change it there, or give yours another name")
}

// unknown says which one was most likely meant.
func (r *roster) unknown(kind, name string) error {
	p := problem.New(problem.NotFound, "there is no %s %q", kind, name).WithSlug(kind + "_not_found")
	var names []string
	for id := range r.made {
		if id.kind == kind {
			names = append(names, id.name)
		}
	}
	if near, ok := config.Nearest(name, names); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("GET /%ss lists them", kind)
}

// proposeConnection judges a source or a sink.
func (d *Daemon) proposeConnection(ctx context.Context, p *proposed, c api.ResourceChange, r *store.Resource) error {
	name, err := nameIn(c)
	if err != nil {
		return err
	}
	id := resourceID{c.Kind, name}
	if err := d.own(id); err != nil {
		return err
	}
	if !connectionName.MatchString(name) {
		return problem.New(problem.Invalid, "a %s can't be named %q", c.Kind, name).At("name").WithSlug("bad_name").
			WithHint("use letters, digits, dashes and underscores, up to 63")
	}
	before := p.roster.made[id]
	x := d.vault.opening(id, before.Secrets)
	node, now, err := d.readConnection(id, c.Body, x)
	if err != nil {
		return err
	}
	if err := d.reachable(ctx, node, now); err != nil {
		return err
	}
	if c.Kind == ofSource {
		s, _, err := d.readSource(name, c.Body, d.vault.opening(id, before.Secrets))
		if err == nil {
			err = d.proposeTold(p, node, s)
		}
		if err != nil {
			return err
		}
	}
	if err := d.sendsWhereItDid(id, before, x, now); err != nil {
		return err
	}
	r.Name, r.Secrets, r.Spec = name, x.sealed, string(node.Without("name").JSON(x.shown))
	if c.Kind == ofSource {
		p.sources = append(p.sources, name)
	} else {
		p.sinks = append(p.sinks, name)
	}
	return nil
}

// sendsWhereItDid refuses a connection that keeps secrets and reaches other addresses
// than before.
func (d *Daemon) sendsWhereItDid(id resourceID, before store.Resource, x *deposit, now map[string]string) error {
	if !x.kept {
		return nil
	}
	_, was, err := d.readConnection(id, []byte(before.Spec), d.vault.opening(id, before.Secrets))
	if err != nil {
		return err
	}
	return x.sameAddresses(was, now)
}

// nameIn is the name of a change: that of its path, or of its body.
func nameIn(c api.ResourceChange) (string, error) {
	node, err := config.ParseJSON(c.Body, config.Options{})
	if err != nil {
		return "", err
	}
	if node.Kind() != config.Mapping {
		return "", problem.New(problem.Invalid, "the body is %s, not an object", node.Kind()).WithSlug("wrong_type")
	}
	name, given := node.Scalar("name")
	switch {
	case c.Name == "" && name == "":
		return "", config.Problem(node, "name", problem.Invalid, "this %s has no name", c.Kind)
	case c.Name == "":
		return name, nil
	case given && name != c.Name:
		return "", config.Problem(node, "name", problem.Invalid, "the %s %q can't be renamed to %q", c.Kind, c.Name, name).
			WithHint("make another one, then delete this one")
	}
	return c.Name, nil
}

// readConnection reads a source or sink, and the addresses that it reaches.
func (d *Daemon) readConnection(id resourceID, body []byte, x *deposit) (config.Node, map[string]string, error) {
	if id.kind == ofSource {
		s, node, err := d.readSource(id.name, body, x)
		if err != nil {
			return node, nil, err
		}
		return node, s.Config.(connectors.Addressed).Addresses(), nil
	}
	s, node, err := d.readSink(id.name, body, x)
	if err != nil {
		return node, nil, err
	}
	return node, s.Config.(sink.Addressed).Addresses(), nil
}

func (d *Daemon) readSource(name string, body []byte, x *deposit) (Source, config.Node, error) {
	node, err := config.ParseJSON(body, config.Options{SecretFunc: x.text})
	if err != nil {
		return Source{}, node, err
	}
	var problems problem.List
	known := slices.DeleteFunc(Connectors(), func(k connectors.Kind) bool { return !k.Callers })
	kind, ok := findKind(node, ofSource, kindNames(known), known.Find, &problems)
	if !ok {
		return Source{}, node, forFileOnly(node, ofSource, kindNames(Connectors()), problems)
	}
	cfg := kind.Config()
	problems = append(node.Variables(), problemsOf(node.Without("name").Decode(cfg))...)
	problems = append(problems, lentNothing(node, cfg)...)
	problems = append(problems, checkSchedule(node, name, cfg)...)
	return Source{Name: name, Kind: kind, Config: cfg}, node, problems.Err()
}

func (d *Daemon) readSink(name string, body []byte, x *deposit) (Sink, config.Node, error) {
	node, err := config.ParseJSON(body, config.Options{SecretFunc: x.text})
	if err != nil {
		return Sink{}, node, err
	}
	var problems problem.List
	known := slices.DeleteFunc(Sinks(), func(k sink.Kind) bool { return !k.Callers })
	kind, ok := findKind(node, ofSink, sinkNames(known), known.Find, &problems)
	if !ok {
		return Sink{}, node, forFileOnly(node, ofSink, sinkNames(Sinks()), problems)
	}
	cfg := kind.Default()
	problems = append(node.Variables(), problemsOf(node.Without("name").Decode(cfg))...)
	problems = append(problems, unheard(node, kind, cfg, known)...)
	if guarded, ok := cfg.(sink.Guarded); ok {
		for _, p := range problemsOf(guarded.CheckCaller()) {
			problems = append(problems, config.Problem(node, p.Path, p.Code, "%s", p.Message).WithHint("%s", p.Hint))
		}
	}
	return Sink{Name: name, Kind: kind, Config: cfg}, node, problems.Err()
}

// forFileOnly tells a kind that callers may not have from one that there is not.
func forFileOnly(node config.Node, what string, all []string, problems problem.List) error {
	name, _ := node.Scalar("kind")
	if !slices.Contains(all, name) {
		return problems
	}
	return config.Problem(node, "kind", problem.Invalid, "a %s of kind %q can only be defined in pictifyd.yaml: over the API nothing of this machine is reached", what, name).
		WithSlug("kind_refused")
}

// reachable says early which addresses egress refuses.
func (d *Daemon) reachable(ctx context.Context, node config.Node, addresses map[string]string) error {
	var problems problem.List
	for _, path := range sortedKeys(addresses) {
		for _, p := range problemsOf(d.guard.CheckURL(ctx, addresses[path])) {
			if p.Code == problem.Internal {
				continue // the dialer has the last word
			}
			placed := config.Problem(node, path, problem.Invalid, "%s", p.Message)
			placed.Slug, placed.Hint = p.Slug, p.Hint
			problems = append(problems, placed)
		}
	}
	return problems.Err()
}

// proposeBinding judges a binding, down to its compiled form.
func (d *Daemon) proposeBinding(ctx context.Context, p *proposed, c api.ResourceChange, r *store.Resource) error {
	name, err := nameIn(c)
	if err != nil {
		return err
	}
	if err := d.own(resourceID{ofBinding, name}); err != nil {
		return err
	}
	cfg, node, err := readBinding(c.Body, name)
	if err != nil {
		return err
	}
	if err := c.TemplateFunc(cfg.Template); err != nil {
		return err
	}
	cfg.Scheduled = p.roster.scheduled(cfg.Source)
	problems := references(node, cfg, p.sources, p.sinks)
	problems = append(problems, runReferences(node, cfg, Sinks(), p.roster.sinkKind)...)
	problems = append(problems, apart(node, cfg, func(name string) sink.Config { return d.sinkConfig(p, name) })...)
	problems = append(problems, d.compiles(ctx, node, cfg)...)
	problems = append(problems, d.standsIn(ctx, c, node, cfg)...)
	if f := p.roster.feeds[cfg.Source]; cfg.Live.On() && f != nil && f.live == nil {
		problems = append(problems, noFinder(node, cfg))
	}
	if err := problems.Err(); err != nil {
		return err
	}
	r.Name, r.Spec = name, string(node.JSON(nil))
	return nil
}

// compiles says why a binding does not fit its template.
func (d *Daemon) compiles(ctx context.Context, node config.Node, cfg bindings.Config) problem.List {
	_, err := d.compileOne(ctx, cfg, 1)
	if err == nil {
		return nil
	}
	var problems problem.List
	for _, p := range problem.All(err) {
		if p.Code == problem.Internal {
			return problem.All(err)
		}
		path := p.Path
		if p.Code == problem.NotFound {
			path = "template"
		}
		placed := config.Problem(node, path, problem.Invalid, "%s", p.Message)
		placed.Slug, placed.Hint, placed.Err = p.Slug, p.Hint, p.Err
		problems = append(problems, placed)
	}
	return problems
}

// Delete takes a resource away, and what hangs on it alone.
func (d *Daemon) Delete(ctx context.Context, kind, name string, removeImages bool) error {
	if err := d.changing.enter(ctx); err != nil {
		return err
	}
	defer d.changing.leave()
	id := resourceID{kind, name}
	now := d.roster()
	if err := d.own(id); err != nil {
		return err
	}
	r, ok := now.made[id]
	if !ok {
		return now.unknown(kind, name)
	}
	if users := now.usedBy(id); len(users) > 0 {
		return &api.InUseError{Kind: kind, Name: name, Users: users}
	}
	if kind == ofBinding {
		return d.deleteBinding(ctx, name, removeImages)
	}
	if err := d.store.DeleteResource(ctx, kind, name, ""); err != nil {
		return err
	}
	d.log.Info("deleted over the API", slog.String(kind, r.Name))
	if err := d.takeEffect(ctx); err != nil || kind != ofSource {
		return err
	}
	return d.forgetSource(ctx, now.feeds[name], name)
}

// forgetSource drops the rows of a source that is gone, once nobody reads it.
func (d *Daemon) forgetSource(ctx context.Context, f *feed, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), busyLimit)
	defer cancel()
	if f != nil {
		if err := f.gate.enter(ctx); err != nil {
			return fmt.Errorf("wait for the reading of source %q to end: %w", name, err)
		}
		defer f.gate.leave()
	}
	return d.store.ForgetSource(ctx, name)
}

// deleteBinding takes a binding away while nothing is planned for it. Killed half
// way it is there, and planned again.
func (d *Daemon) deleteBinding(ctx context.Context, name string, removeImages bool) error {
	now := d.roster()
	cfg := now.binding(name)
	busy, cancel := context.WithTimeout(ctx, busyLimit)
	defer cancel()
	f, err := d.enterFeed(busy, cfg.Source)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return problem.New(problem.Overloaded, "the source %q of the binding is being read, and the reading goes on", cfg.Source).
			WithHint("try again later")
	}
	if f != nil {
		defer f.gate.leave()
		f.compiled = false // whoever comes next makes the bindings anew
	}
	if removeImages {
		if err := d.forgetPlan(ctx, cfg); err != nil {
			return err
		}
		if _, err := d.store.RemoveImages(ctx, name); err != nil {
			return err
		}
	}
	d.crash("images.removed")
	own := ""
	if id := (resourceID{ofSource, cfg.Source}); now.made[id].MadeFor == name && len(now.usedBy(id)) == 1 {
		own = cfg.Source
	}
	if err := d.store.DeleteResource(ctx, ofBinding, name, own); err != nil {
		return err
	}
	d.log.Info("deleted over the API", slog.String(ofBinding, name))
	ctx = context.WithoutCancel(ctx)
	if err := errors.Join(d.takeEffect(ctx), d.store.ForgetBinding(ctx, name)); err != nil || own == "" {
		return err
	}
	return d.store.ForgetSource(ctx, own) // f's gate is entered
}

// binding is the configuration of a binding.
func (r *roster) binding(name string) bindings.Config {
	for _, b := range r.bindings {
		if b.Name == name {
			return b
		}
	}
	return bindings.Config{}
}

// Pause stops or resumes a binding, also one of the file.
func (d *Daemon) Pause(ctx context.Context, name string, paused bool) error {
	return d.pause(ctx, name, paused, "")
}

// pause is Pause with a reason; "" is that a person wants it so.
func (d *Daemon) pause(ctx context.Context, name string, paused bool, reason string) error {
	if err := d.changing.enter(ctx); err != nil {
		return err
	}
	defer d.changing.leave()
	if err := d.store.SetPaused(ctx, name, d.roster().binding(name).Source, paused, reason); err != nil {
		return err
	}
	return d.takeEffect(ctx)
}
