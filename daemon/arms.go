package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template/draft"
)

// slugNotBegun is of what wants to draw by an experiment that is a draft.
const slugNotBegun = "experiment_not_running"

// A templateOf is the form of a template that a variant shows, and its version.
type templateOf func(ctx context.Context, name string) (bindings.Template, int64, error)

// newestOf is the newest version of any template.
func (d *Daemon) newestOf(ctx context.Context, name string) (bindings.Template, int64, error) {
	return d.templates.newest(ctx, name)
}

// comingOf is a template as it would be after the next look at the folder.
func (d *Daemon) comingOf(ctx context.Context, name string) (bindings.Template, int64, error) {
	t, err := d.templates.coming(ctx, name)
	return t, 0, err
}

// experimentNamed is the experiment of a slug or an id, whatever its status.
func (d *Daemon) experimentNamed(ctx context.Context, name string) (experiment.Experiment, error) {
	e, err := d.store.Experiment(ctx, name)
	if problem.CodeOf(err) != problem.NotFound {
		return e, err
	}
	all, err := d.store.Experiments(ctx)
	if err != nil {
		return e, err
	}
	var slugs []string
	for _, e := range all {
		if !e.Retired {
			slugs = append(slugs, e.Slug)
		}
	}
	p := problem.New(problem.Invalid, "there is no experiment %q", name).WithSlug("experiment_not_found").At("experiment.slug")
	if near, ok := config.Nearest(name, slugs); ok {
		return e, p.WithHint("did you mean %q?", near)
	}
	return e, p.WithHint("make it first: POST /experiments")
}

// isOver reports whether the winner of e is shown to all.
func isOver(e experiment.Experiment) bool { return e.Status == experiment.Completed || e.Retired }

// winnerOf is the variant of all units; "" while they are assigned.
func winnerOf(e experiment.Experiment) string {
	switch {
	case !isOver(e):
		return ""
	case e.Winner == "":
		return e.ControlVariant()
	}
	return e.Winner
}

// armsOf are the variants of e, as rows are drawn with them. A variant that names no
// template has own. Those of an experiment that has not begun are nil.
func (d *Daemon) armsOf(ctx context.Context, e experiment.Experiment, own string, of templateOf) (*bindings.Arms, error) {
	if !e.Sticky() {
		return nil, problem.New(problem.Invalid, "the experiment %q shows each who looks another image, and a row has one", e.Slug).
			At("experiment.slug").WithHint("name an experiment of type %s; the images of this one stand at /s/%s.png", experiment.ABTest, e.Slug)
	}
	if e.Status == experiment.Draft && !e.Retired {
		return nil, nil
	}
	arms := &bindings.Arms{ID: e.ID, Control: e.ControlVariant(), Winner: winnerOf(e)}
	for _, v := range e.Variants {
		if arms.Winner != "" && v.ID != arms.Winner {
			continue
		}
		arm, err := armOf(ctx, v, own, of)
		if err != nil {
			if machineFault(err) {
				return nil, err
			}
			return nil, problem.New(problem.Invalid, "the variant %q of the experiment %q can't be drawn: %w", v.ID, e.Slug, err).At("experiment.slug")
		}
		arms.List = append(arms.List, arm)
	}
	return arms, nil
}

func armOf(ctx context.Context, v experiment.Variant, own string, of templateOf) (bindings.Arm, error) {
	arm := bindings.Arm{Variant: v.ID, Size: v.Size, Theme: v.Theme, Variables: make(map[string]any, len(v.Variables))}
	name := v.Template
	if name == "" {
		name = own
	}
	var err error
	if arm.Template, arm.Version, err = of(ctx, name); err != nil {
		return arm, err
	}
	for name, raw := range v.Variables {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var value any
		if err := dec.Decode(&value); err != nil {
			return arm, fmt.Errorf("read its variable %q: %w", name, err)
		}
		arm.Variables[name] = value
	}
	return arm, nil
}

// armsOfBinding are the variants by which the rows of a binding are drawn; nil where it
// names no experiment, or one that has not begun.
func (d *Daemon) armsOfBinding(ctx context.Context, cfg bindings.Config, of templateOf) (*bindings.Arms, error) {
	if !cfg.Experiment.Named() || cfg.Validate() != nil {
		return nil, nil // compiling says what is wrong
	}
	e, err := d.experimentNamed(ctx, cfg.Experiment.Slug)
	if err != nil {
		return nil, err
	}
	return d.armsOf(ctx, e, cfg.Template, of)
}

// compileBinding compiles cfg with a version of its template, and the newest ones of
// those of its experiment.
func (d *Daemon) compileBinding(ctx context.Context, cfg bindings.Config, t bindings.Template, version, epoch int64, of templateOf) (*bindings.Binding, error) {
	arms, err := d.armsOfBinding(ctx, cfg, of)
	if err != nil {
		return nil, err
	}
	return bindings.CompileWith(cfg, t, version, epoch, arms)
}

// namedByJob is the experiment that a job names, with the versions that it pins.
func (d *Daemon) namedByJob(ctx context.Context, named bindings.Experiment, job batch.Job, form bindings.Template) (*batch.Test, *bindings.Arms, error) {
	e, err := d.experimentNamed(ctx, named.Slug)
	if err != nil {
		return nil, nil, err
	}
	t := &batch.Test{Experiment: named, ID: e.ID, Versions: map[string]int64{}}
	arms, err := d.armsOf(ctx, e, job.Template, pinning(job, form, func(ctx context.Context, name string) (bindings.Template, int64, error) {
		of, version, err := d.newestOf(ctx, name)
		if err == nil {
			t.Versions[name] = version
		}
		return of, version, err
	}))
	if err == nil && arms == nil {
		err = problem.New(problem.Conflict, "the experiment %q is a draft", e.Slug).WithSlug(slugNotBegun).At("experiment.slug").
			WithHint("start it: POST /experiments/%s/start", e.Slug)
	}
	return t, arms, err
}

// pinning has the template of job in its version, others as other says.
func pinning(job batch.Job, form bindings.Template, other templateOf) templateOf {
	return func(ctx context.Context, name string) (bindings.Template, int64, error) {
		if name == job.Template {
			return form, job.Version, nil
		}
		return other(ctx, name)
	}
}

// armsOfJob are the variants by which the rows of a job are drawn, in the versions
// that it pinned; nil where it names no experiment.
func (d *Daemon) armsOfJob(ctx context.Context, job batch.Job, form bindings.Template) (*bindings.Arms, error) {
	if job.Test == nil {
		return nil, nil
	}
	e, err := d.experimentNamed(ctx, job.Test.ID)
	if err != nil {
		return nil, err
	}
	return d.armsOf(ctx, e, job.Template, pinning(job, form, func(ctx context.Context, name string) (bindings.Template, int64, error) {
		version := job.Test.Versions[name]
		if version == 0 {
			return d.newestOf(ctx, name)
		}
		t, err := d.templates.at(ctx, name, version)
		return t, version, err
	}))
}

// An assignFunc says which variants units have.
type assignFunc func(ctx context.Context, meetings []experiment.Meeting) ([]experiment.Assignment, error)

// assignUnits gives units of rows that are planned their variants. What it returns is
// durable: whoever plans the rows again, after a death too, finds the same.
func (d *Daemon) assignUnits(ctx context.Context, meetings []experiment.Meeting) ([]experiment.Assignment, error) {
	return d.assign(ctx, meetings, true)
}

// foreseeUnits says which variants units would be given, and gives and counts none.
func (d *Daemon) foreseeUnits(ctx context.Context, meetings []experiment.Meeting) ([]experiment.Assignment, error) {
	return d.assign(ctx, meetings, false)
}

func (d *Daemon) assign(ctx context.Context, meetings []experiment.Meeting, counts bool) ([]experiment.Assignment, error) {
	of := map[string][]experiment.Meeting{}
	for _, m := range meetings {
		of[m.Experiment] = append(of[m.Experiment], m)
	}
	var all []experiment.Assignment
	for _, id := range sortedKeys(of) {
		e, err := d.experimentNamed(ctx, id)
		if err != nil {
			return nil, err
		}
		assigned, err := d.assignOf(ctx, e, of[id], counts)
		if err != nil {
			return nil, err
		}
		all = append(all, assigned...)
	}
	return all, nil
}

// assignOf is assign for the units of one experiment. One that is outside of its
// coverage, or comes during a pause, gets the control without being in it, unless it was
// in it before.
func (d *Daemon) assignOf(ctx context.Context, e experiment.Experiment, meetings []experiment.Meeting, counts bool) ([]experiment.Assignment, error) {
	now, chooser := time.Now(), experiment.NewChooser(e)
	var met []experiment.Meeting
	all := make([]experiment.Assignment, 0, len(meetings))
	for _, m := range meetings {
		m.Variant, m.At = winnerOf(e), now
		takesPart := false
		if m.Variant == "" {
			m.Variant, takesPart = chooser.Choose(m.Unit, experiment.Facts{Time: now})
		}
		if takesPart && counts {
			met = append(met, m)
			continue
		}
		all = append(all, m.Assignment)
	}
	if !isOver(e) && len(all) > 0 {
		known, err := d.store.Assigned(ctx, e.ID, unitsOf(all))
		if err != nil {
			return nil, err
		}
		all = append(all, known...) // the last word counts
	}
	assigned, err := d.store.Meet(ctx, met)
	for _, a := range assigned {
		d.exhibit.units.put(a) // the row is the newest that was planned for the unit
	}
	return append(all, assigned...), err
}

func unitsOf(all []experiment.Assignment) []string {
	units := make([]string, len(all))
	for i, a := range all {
		units[i] = a.Unit
	}
	return units
}

// clicked are results with where a click on their pictures leads.
func (d *Daemon) clicked(results []batch.Result) []batch.Result {
	for i := range results {
		results[i].ClickURL = d.clickURL(results[i].Assigned)
	}
	return results
}

// clickURL is the signed address that counts a click of a unit and leads to the
// destination of the experiment; "" where there is none.
func (d *Daemon) clickURL(a bindings.Assigned) string {
	if !a.Is() {
		return ""
	}
	s, err := d.exhibit.of(a.Experiment)
	if err != nil && d.member() && d.exhibit.load(context.Background()) == nil { // it was started since
		s, err = d.exhibit.of(a.Experiment)
	}
	if err != nil {
		return ""
	}
	return d.unitURLs(s.Experiment, a.Unit).Click
}

// drawnByVariants are the slugs of the experiments a variant of which is drawn with one
// of these templates.
func (d *Daemon) drawnByVariants(ctx context.Context, templates []string) (map[string]bool, error) {
	all, err := d.store.Experiments(ctx)
	drawn := map[string]bool{}
	for _, e := range all {
		for _, v := range e.Variants {
			if slices.Contains(templates, v.Template) {
				drawn[e.Slug] = true
			}
		}
	}
	return drawn, err
}

// standsMoved has bindings planned again after experiments began or changed that are
// shown. Which of them draw otherwise then, their digests say.
func (d *Daemon) standsMoved(before, now *stands) {
	if before == nil { // at the start all bindings look
		return
	}
	for id, s := range now.byID {
		if old := before.byID[id]; old == nil || old.Revision != s.Revision {
			d.experimentMoved(s.Slug)
		}
	}
}

// experimentMoved has the bindings look that name an experiment whether they draw as it
// says now.
func (d *Daemon) experimentMoved(slug string) {
	now := d.roster()
	if now == nil {
		return
	}
	for _, b := range now.bindings {
		if f := now.feeds[b.Source]; f != nil && b.Experiment.Slug == slug {
			f.rebind.ask()
		}
	}
}

// Forecast implements api.ExperimentDesk.
func (d experimentDesk) Forecast(ctx context.Context, e experiment.Experiment, winner string) ([]draft.BindingForecast, error) {
	if !slices.ContainsFunc(e.Variants, func(v experiment.Variant) bool { return v.ID == winner }) {
		return nil, problem.New(problem.Invalid, "the experiment %q has no variant %q", e.Slug, winner).At("winnerVariantId")
	}
	e.Status, e.Winner = experiment.Completed, winner
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	var all []draft.BindingForecast
	for _, cfg := range d.roster().bindings {
		if cfg.Experiment.Slug != e.Slug {
			continue
		}
		f := draft.BindingForecast{Binding: cfg.Name}
		t, version, err := d.templates.newest(ctx, cfg.Template)
		var b *bindings.Binding
		var arms *bindings.Arms
		if err == nil {
			arms, err = d.armsOf(ctx, e, cfg.Template, d.newestOf)
		}
		if err == nil {
			b, err = bindings.CompileWith(cfg, t, version, epoch, arms)
		}
		switch {
		case err != nil && machineFault(err):
			return nil, err
		case err != nil:
			f.Error = err
		default:
			err = d.forecastBinding(ctx, b, cfg.Source, &f)
		}
		if err != nil && f.Error == nil {
			return nil, fmt.Errorf("count the images of %q: %w", cfg.Name, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// shownJobs tells about batches, with where clicks on their pictures lead; it is the
// api's Jobs.
type shownJobs struct {
	*store.Store
	daemon *Daemon
}

// Results implements api.Jobs.
func (j shownJobs) Results(ctx context.Context, job string, after int64, limit int, status string) ([]batch.Result, error) {
	results, err := j.Store.Results(ctx, job, after, limit, status)
	return j.daemon.clicked(results), err
}

// JobRow implements api.Jobs.
func (j shownJobs) JobRow(ctx context.Context, job, key string) (batch.Row, batch.Result, error) {
	row, r, err := j.Store.JobRow(ctx, job, key)
	r.ClickURL = j.daemon.clickURL(r.Assigned)
	return row, r, err
}
