package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// A Plan is what a reading of a binding's source would do to its images.
type Plan struct {
	Binding  string `json:"binding"`
	Source   string `json:"source"`
	Rows     int    `json:"rows"` // that were read
	Complete bool   `json:"complete"`
	Reason   string `json:"reason,omitempty"` // why it is not

	New         int `json:"new"`
	Changed     int `json:"changed"`
	Replanned   int `json:"replanned"` // of those that changed: by the template or the binding, their row is as it was
	Unchanged   int `json:"unchanged"`
	Gone        int `json:"gone"`
	Removed     int `json:"removed"` // images of rows that no longer meet where, or that the source deletes
	Failing     int `json:"failing"`
	Quarantined int `json:"quarantined"`

	Renders int `json:"renders"` // pictures to make
	Reused  int `json:"reused"`  // that are made already

	OnDelete string `json:"onDelete"`
	Guard    *Held  `json:"guard"` // what would be held; null: nothing
	First    bool   `json:"first"` // the binding was never read: nothing would be held

	Sample []PlannedRow `json:"sample"` // of all but the unchanged
}

// Held is what the guard would hold.
type Held struct {
	Changes  int    `json:"changes"`
	Removals int    `json:"removals"`
	Reason   string `json:"reason"`
}

// A PlannedRow is what would become of one row.
type PlannedRow struct {
	Key       string           `json:"key"`  // canonical
	Name      string           `json:"name"` // for people
	Becomes   string           `json:"becomes"`
	Variables []VariableChange `json:"variables,omitempty"`
	Position  string           `json:"position,omitempty"`
	Error     string           `json:"error,omitempty"`
}

// A VariableChange is a variable of the template before and after.
type VariableChange struct {
	Name   string `json:"name"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// What becomes of a row.
const (
	becomesNew         = "new"
	becomesChanged     = "changed"
	becomesReplanned   = "replanned"
	becomesGone        = "gone"
	becomesRemoved     = "removed"
	becomesFailing     = "failing"
	becomesQuarantined = "quarantined"
)

// PlanOptions are what PlanBinding may be told.
type PlanOptions struct {
	Log    *slog.Logger
	Sample int // rows of each sort that are shown
}

// PlanBinding reads the source of a binding once and says what would become of
// its images. It renders and writes nothing, and a daemon may run meanwhile.
func PlanBinding(ctx context.Context, settings *Settings, binding string, o PlanOptions) (*Plan, error) {
	d := newDaemon(settings, Options{Log: o.Log})
	closing, err := d.openToRead(ctx)
	defer closing()
	if err != nil {
		return nil, err
	}
	now := d.roster()
	cfg := now.binding(binding)
	if cfg.Name == "" {
		return nil, noBinding(binding, namesOf(now.bindings))
	}
	if err := now.lacks(cfg); err != nil {
		return nil, err
	}
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	t, err := d.templates.coming(ctx, cfg.Template)
	if err != nil {
		return nil, err
	}
	b, err := d.compileBinding(ctx, cfg, t, 0, epoch, d.comingOf)
	if err != nil {
		return nil, settings.place(cfg.Name, err).Err()
	}
	p, err := newPlanner(ctx, d, b, o.Sample)
	if err != nil {
		return nil, err
	}
	if err := d.readOnce(ctx, now, cfg.Source, p.emit); err != nil {
		return nil, unread(cfg.Source, err)
	}
	return p.plan, nil
}

func noBinding(name string, known []string) error {
	p := problem.New(problem.NotFound, "there is no binding %q", name)
	if near, ok := config.Nearest(name, known); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("the bindings are %s", list(known))
}

// openToRead opens what is needed to look, and nothing that writes. Where there
// is no store yet, an empty one takes its place.
func (d *Daemon) openToRead(ctx context.Context) (closing func(), err error) {
	s := d.settings
	closing = func() {}
	if d.guard, err = egress.New(s.Egress); err != nil {
		return closing, err
	}
	d.guarded = d.guard.Client(egress.ClientOptions{Timeout: 30 * time.Second})
	after := func() {}
	d.store, err = store.OpenReadOnly(ctx, s.Store, s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		after, err = d.openEmpty(ctx)
	}
	if err != nil {
		return after, err
	}
	unknown := errors.New("no daemon has opened the store yet")
	d.instance, err = d.store.Setting(ctx, "instance", func() (string, error) { return "", unknown })
	if err != nil && !errors.Is(err, unknown) {
		return after, err
	}
	closing = func() {
		for _, f := range d.roster().feedsNow() {
			f.end()
		}
		d.close("store", d.store.Close)
		after()
	}
	d.templates = &templates{dir: absolute(s.Dir, s.Templates.Path), versions: d.store, faults: &d.faults, log: d.log}
	return closing, d.regard(ctx)
}

// openEmpty opens a store without anything in it, which closing removes.
func (d *Daemon) openEmpty(ctx context.Context) (closing func(), err error) {
	dir, err := os.MkdirTemp("", "pictifyd-empty-")
	if err != nil {
		return func() {}, fmt.Errorf("make a folder for an empty store: %w", err)
	}
	d.store, err = store.Open(ctx, store.Config{URL: "sqlite:empty.db"}, store.Options{Dir: dir})
	return func() { _ = os.RemoveAll(dir) }, err
}

// regard makes the roster without telling the store of it.
func (d *Daemon) regard(ctx context.Context) error {
	now := newRoster(d.settings)
	err := d.assemble(ctx, &roster{file: d.settings}, now)
	d.current.Store(now)
	return err
}

func (r *roster) feedsNow() map[string]*feed {
	if r == nil {
		return nil
	}
	return r.feeds
}

// readOnce reads a source from its beginning. One that is never polled gives the
// rows that are stored.
func (d *Daemon) readOnce(ctx context.Context, now *roster, name string, emit connectors.Emit) error {
	f := now.feeds[name]
	if f.passive || f.stream != nil {
		return d.stored(ctx, name, emit)
	}
	if timed, ok := f.poller.(connectors.Timed); ok {
		return timed.PollAt(ctx, time.Now(), nil, emit)
	}
	return f.poller.Poll(ctx, nil, emit)
}

// unread says which source could not be read.
func unread(name string, err error) error {
	if problem.CodeOf(err) == problem.Internal {
		return problem.New(problem.Surroundings, "read source %q: %w", name, err)
	}
	return fmt.Errorf("read source %q: %w", name, err)
}

// stored emits the stored rows of a source as a reading of it.
func (d *Daemon) stored(ctx context.Context, name string, emit connectors.Emit) error {
	after := ""
	for {
		rows, err := d.store.Rows(ctx, name, after, replanPage)
		if err != nil {
			return err
		}
		batch := connectors.Batch{}
		for _, row := range rows {
			values, err := bindings.Values(row.Values)
			if err != nil {
				return err
			}
			batch.Rows = append(batch.Rows, connectors.Row{Key: keyOf(row.Key), Values: values, Version: row.Version})
			after = row.Key
		}
		if len(rows) < replanPage {
			batch.Closes = &connectors.Closing{Reason: "the source is not read: these are the rows that it told of"}
			return emit(ctx, batch)
		}
		if err := emit(ctx, batch); err != nil {
			return err
		}
	}
}
