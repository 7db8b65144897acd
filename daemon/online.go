package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	onlineLimit = 20 * time.Second // for one source or sink
	onlineRows  = 20               // of a source that are looked at
)

// CheckOnline is Check, and asks the sources of the file for their first rows and
// its sinks whether they are there. Nothing is written, rendered or delivered, but
// for a few bytes that are put into a bucket of images and removed.
func CheckOnline(ctx context.Context, path string) (report string, err error) {
	return checkOnline(ctx, path, onlineLimit)
}

func checkOnline(ctx context.Context, path string, limit time.Duration) (report string, err error) {
	report, err = Check(path)
	problems := problemsOf(err)
	s, err := Load(path)
	if err != nil {
		return "", problems.Err()
	}
	o := &onlineCheck{limit: limit, daemon: newDaemon(s, Options{Log: slog.New(slog.DiscardHandler)}), settings: s}
	closing, err := o.daemon.openToRead(ctx)
	if err != nil {
		problems = append(problems, problemsOf(err)...)
		closing()
		if closing, err = o.withoutStore(ctx); err != nil {
			closing()
			return "", problems.Err() // it is among them
		}
	}
	defer closing()
	o.run(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	problems = append(problems, o.problems...)
	slices.SortStableFunc(problems, func(a, b *problem.Error) int { // what only a person can correct comes first
		switch yours, others := ofInput(a), ofInput(b); {
		case yours == others:
			return a.Pos.Line - b.Pos.Line
		case yours:
			return -1
		}
		return 1
	})
	slices.Sort(o.lines)
	if err := problems.Err(); err != nil {
		return strings.Join(o.lines, "\n"), err
	}
	return strings.Join(append([]string{report}, o.lines...), "\n"), nil
}

func ofInput(p *problem.Error) bool {
	return !slices.Contains([]problem.Code{problem.Surroundings, problem.Upstream, problem.Timeout, problem.Overloaded}, p.Code)
}

// An onlineCheck gathers what sources, sinks and the bucket of images say.
type onlineCheck struct {
	daemon   *Daemon
	settings *Settings
	limit    time.Duration // for one source or sink

	mu       sync.Mutex
	problems problem.List
	lines    []string
}

// withoutStore goes on where the store can't be looked at: only rows of other
// sources are missed.
func (o *onlineCheck) withoutStore(ctx context.Context) (closing func(), err error) {
	d := o.daemon
	if d.guard, err = egress.New(o.settings.Egress); err != nil {
		return func() {}, err
	}
	after, err := d.openEmpty(ctx)
	if err != nil {
		return after, err
	}
	d.templates = &templates{dir: absolute(o.settings.Dir, o.settings.Templates.Path), versions: d.store, faults: &d.faults, log: d.log}
	return func() { d.close("store", d.store.Close); after() }, d.regard(ctx)
}

// run asks all of them at once, each within its time.
func (o *onlineCheck) run(ctx context.Context) {
	now := o.daemon.roster()
	var wg sync.WaitGroup
	wg.Go(func() { o.images(ctx) })
	for _, s := range o.settings.Sources {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, o.limit)
			defer cancel()
			o.source(ctx, now.feeds[s.Name], s)
		})
	}
	for _, s := range o.settings.Sinks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, o.limit)
			defer cancel()
			o.sink(ctx, now.sinks[s.Name], s)
		})
	}
	wg.Wait()
}

// images tries the bucket of images; of a folder there is nothing to ask.
func (o *onlineCheck) images(ctx context.Context) {
	where, err := probeBlobs(ctx, o.settings, o.limit)
	node, _ := o.settings.root.Child("blobs")
	switch {
	case err != nil:
		o.atFault(ctx, node, "images", err)
	case where != "":
		o.note("images: %s can be written and read", where)
	}
}

func (o *onlineCheck) note(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, fmt.Sprintf(format, args...))
}

func (o *onlineCheck) add(p ...*problem.Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.problems = append(o.problems, p...)
}

// atFault places what a source or sink said. What is neither its input's fault
// nor its own is that of the surroundings.
func (o *onlineCheck) atFault(ctx context.Context, node config.Node, what string, err error) {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = problem.New(problem.Timeout, "no answer within %s", o.limit)
	}
	all := problem.All(err)
	if len(all) == 1 { // around it stands what was being done: "GET https://shop.example/feed: "
		if around, found := strings.CutSuffix(err.Error(), ": "+all[0].Error()); found {
			what += ": " + around
		}
	}
	for _, p := range all {
		code := p.Code
		if code == problem.Internal || code == problem.NotFound || code == problem.Forbidden {
			code = problem.Surroundings
		}
		placed := config.Problem(node, "", code, "%s: %s", what, p.Message)
		placed.Slug, placed.Hint, placed.Err = p.Slug, p.Hint, p.Err
		if p.Pos.File != "" {
			placed.Message = fmt.Sprintf("%s: %s: %s", what, p.Pos, p.Message)
		}
		o.add(placed)
	}
}

// errEnough ends a reading of which enough was seen.
var errEnough = errors.New("enough was read")

// source asks for the first rows of a source, and has its bindings look at them.
func (o *onlineCheck) source(ctx context.Context, f *feed, s Source) {
	if f.passive {
		if f.live != nil {
			o.note("source %s: not asked, its rows are asked for one by one", s.Name)
		} else {
			o.note("source %s: not asked, its rows are sent to it", s.Name)
		}
		return
	}
	if f.stream != nil && !o.advise(ctx, f, s) {
		return
	}
	var rows []connectors.Row
	var faults []connectors.Fault
	wakes := 0
	first := func(_ context.Context, b connectors.Batch) error {
		faults, wakes = append(faults, b.Faults...), wakes+len(b.Wakes)
		if rows = append(rows, b.Rows...); len(rows)+wakes >= onlineRows || b.Closes != nil && f.stream == nil {
			return errEnough
		}
		return nil
	}
	var err error
	if f.stream != nil {
		err = f.poller.Poll(ctx, nil, first)
	} else {
		err = o.daemon.readOnce(ctx, o.daemon.roster(), s.Name, first)
	}
	if errors.Is(err, connectors.ErrNotPolled) {
		o.note("source %s: its rows are not looked at before they are told", s.Name)
		return
	}
	if err != nil && !errors.Is(err, errEnough) {
		o.atFault(ctx, s.node, fmt.Sprintf("the source %q can't be read", s.Name), err)
		return
	}
	rows = rows[:min(len(rows), onlineRows)]
	if f.stream != nil && f.stream.waker != nil {
		o.note("source %s: is there, and its first %s of %s named", s.Name, count(min(wakes, onlineRows), "row"), f.stream.waker.source)
	} else {
		o.note("source %s: its first %s read", s.Name, count(len(rows), "row"))
	}
	if f.stream == nil {
		o.advise(ctx, f, s)
	}
	if len(faults) > 0 {
		why := fmt.Sprintf("%s of its first would be kept out, the first at %s: %s", count(len(faults), "element"), faults[0].Position, cmp.Or(faults[0].Detail, faults[0].Reason))
		if len(rows)+wakes == 0 {
			o.add(config.Problem(s.node, "", problem.Invalid, "the source %q has no rows: %s", s.Name, why))
			return
		}
		o.note("source %s: %s", s.Name, why)
	}
	if len(rows) == 0 {
		return
	}
	columns := columnsOf(rows)
	for _, key := range s.Config.Base().Key {
		if !slices.Contains(columns, key) {
			o.add(missing(s.node, "key", key, fmt.Sprintf("the source %q has no column %q", s.Name, key), columns))
		}
	}
	for _, b := range o.settings.Bindings {
		if b.Source == s.Name {
			o.binding(ctx, b, rows, columns)
		}
	}
}

// advise has a source look at its server, and reports whether nothing keeps it from
// telling its rows.
func (o *onlineCheck) advise(ctx context.Context, f *feed, s Source) bool {
	a, ok := f.poller.(connectors.Adviser)
	if !ok {
		return true
	}
	advice, err := a.Advise(ctx)
	if err != nil {
		what := fmt.Sprintf("the source %q can't be looked at", s.Name)
		if f.stream != nil {
			what = fmt.Sprintf("the source %q can't be streamed", s.Name)
		}
		o.atFault(ctx, s.node, what, err)
	}
	for _, p := range advice {
		o.note("source %s: %s", s.Name, p)
	}
	return err == nil
}

// columnsOf are the columns of any of the rows.
func columnsOf(rows []connectors.Row) []string {
	var all []string
	for _, row := range rows {
		all = append(all, sortedKeys(row.Values)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func missing(node config.Node, path, name, message string, columns []string) *problem.Error {
	p := config.Problem(node, path, problem.Invalid, "%s", message)
	if near, ok := config.Nearest(name, columns); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("its columns are %s", list(columns))
}

// binding looks whether a binding makes images of rows.
func (o *onlineCheck) binding(ctx context.Context, cfg bindings.Config, rows []connectors.Row, columns []string) {
	t, err := o.daemon.templates.coming(ctx, cfg.Template)
	if err != nil {
		return // said already
	}
	b, err := bindings.Compile(cfg, t, 0, 1)
	if err != nil {
		return
	}
	node := o.settings.nodes[cfg.Name]
	misspelt := o.misspelt(cfg, node, columns)
	o.add(misspelt...)
	failing, none := 0, 0
	var first bindings.Proposal
	var at string
	for _, row := range rows {
		joined, err := o.daemon.joinRows(ctx, b, row.Values)
		if err != nil {
			o.add(problemsOf(err)...)
			return
		}
		p := b.Propose("", row.Values, joined, time.Now(), bindings.PriorityNow)
		switch {
		case p.Remove:
			none++
		case p.Problem != nil:
			if failing++; failing == 1 {
				first, at = p, row.Position
			}
		}
	}
	of := fmt.Sprintf("%d of the first %s", failing, count(len(rows), "row"))
	switch {
	case failing == 0:
		o.note("binding %s: resolves %d of the first %s%s", cfg.Name, len(rows)-none, count(len(rows), "row"), without(none))
	case failing == len(rows)-none && len(misspelt) == 0 && !b.Joins(): // those of others may not be read yet
		path := strings.Replace(first.Problem.Field, "variables.", "map.", 1)
		o.add(config.Problem(node, path, problem.Invalid, "%s of %q can have no image, the first at %s: %s", of, cfg.Source, at, first.Problem.Message))
	default:
		o.note("binding %s: %s can have no image, the first at %s: %s", cfg.Name, of, at, first.Problem.Message)
	}
}

func without(none int) string {
	if none == 0 {
		return ""
	}
	return fmt.Sprintf(", %d do not meet where", none)
}

// misspelt are the columns that a binding reads, that no row has, and that are
// spelt much like one that there is.
func (o *onlineCheck) misspelt(cfg bindings.Config, node config.Node, columns []string) (problems problem.List) {
	look := func(path, source string) {
		program, err := expr.Compile(source, expr.Options{})
		if err != nil {
			return // said already
		}
		for _, name := range program.Names() {
			if _, joined := cfg.Lookups[name]; joined || slices.Contains(columns, name) {
				continue
			}
			if _, near := config.Nearest(name, columns); near {
				problems = append(problems, missing(node, path, name, fmt.Sprintf("the source %q has no column %q", cfg.Source, name), columns))
			}
		}
	}
	if cfg.Where != "" {
		look("where", cfg.Where)
	}
	for _, variable := range sortedKeys(cfg.Map) {
		look("map."+variable, cfg.Map[variable])
	}
	return problems
}

// sink asks whether a sink is there.
func (o *onlineCheck) sink(ctx context.Context, to sink.Sink, s Sink) {
	prober, ok := to.(sink.Prober)
	if !ok {
		o.note("sink %s: not asked, a %s can't be without an effect", s.Name, s.Kind.Name)
		return
	}
	if err := prober.Probe(ctx); err != nil {
		o.atFault(ctx, s.node, fmt.Sprintf("the sink %q can't be used", s.Name), err)
		return
	}
	o.note("sink %s: is there", s.Name)
}
