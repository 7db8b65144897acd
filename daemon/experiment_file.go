package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
)

// A FileExperiment is one entry of experiments in pictifyd.yaml.
type FileExperiment struct {
	experiment.Definition `yaml:",inline"`

	// State is draft, or running: then it is started where it has not been. What it is
	// later is said over the API.
	State string `yaml:"state"`

	node config.Node
}

// fileAuthor is the author of the experiments of the file.
const fileAuthor = "pictifyd.yaml"

// readExperiments reads those of the file, and says what is wrong with them.
func (s *Settings) readExperiments(nodes []config.Node) (problems problem.List) {
	for _, node := range nodes {
		f := FileExperiment{node: node}
		if err := node.Decode(&f); err != nil {
			problems = append(problems, problemsOf(err)...)
			continue
		}
		switch f.State {
		case "":
			f.State = string(experiment.Draft)
		case string(experiment.Draft), string(experiment.Running):
		default:
			problems = append(problems, config.Problem(node, "state", problem.Invalid, "the file can't have an experiment be %q", f.State).
				WithHint("draft or running; it is paused and completed over the API"))
		}
		var err error
		f.Definition, err = judged(f.Definition)
		problems = append(problems, f.place(err)...)
		if slices.ContainsFunc(s.Experiments, func(one FileExperiment) bool { return one.Slug == f.Slug }) {
			problems = append(problems, config.Problem(node, "slug", problem.Invalid, "there are two experiments %q", f.Slug).
				WithHint("give each a slug of its own"))
			continue
		}
		s.Experiments = append(s.Experiments, f)
	}
	return problems
}

// place gives the problems of a definition their place in the file.
func (f FileExperiment) place(err error) problem.List {
	problems := problemsOf(err)
	for i, p := range problems {
		placed := config.Problem(f.node, snakePath(p.Path), p.Code, "%s", p.Message)
		placed.Slug, placed.Hint, placed.Err = p.Slug, p.Hint, p.Err
		problems[i] = placed
	}
	return problems
}

// snakePath is the path of a field in the file: minimum_run_days of minimumRunDays.
// Names of variables are the template's, and stay.
func snakePath(path string) string {
	path, name, variable := strings.Cut(path, ".variables.")
	var b strings.Builder
	for _, c := range path {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	if variable {
		return b.String() + ".variables." + name
	}
	return b.String()
}

// checkExperiment says which template of an experiment there is not.
func (s *Settings) checkExperiment(f FileExperiment, templates map[string]*template.Template) (problems problem.List) {
	for i, v := range f.Variants {
		if _, ok := templates[v.Template]; ok || v.Template == "" {
			continue
		}
		p := config.Problem(f.node, fmt.Sprintf("variants[%d].template_uid", i), problem.Invalid, "there is no template %q", v.Template)
		if near, ok := config.Nearest(v.Template, sortedKeys(templates)); ok {
			p.WithHint("did you mean %q?", near)
		} else {
			p.WithHint("make %s.html in the templates folder", v.Template)
		}
		problems = append(problems, p)
	}
	return problems
}

// usableExperiments says what of next the experiments that have begun do not take.
func (d *Daemon) usableExperiments(ctx context.Context, next *Settings) error {
	known, err := d.experimentsBySlug(ctx)
	if err != nil {
		return err
	}
	var problems problem.List
	for _, f := range next.Experiments {
		e, ok := known[f.Slug]
		if !ok {
			continue
		}
		if e.Origin != api.OfFile {
			problems = append(problems, f.place(slugOfCaller(f.Slug))...)
		} else {
			problems = append(problems, f.place(experiment.CheckChange(e, f.Definition).Err())...)
		}
	}
	return problems.Err()
}

func slugOfCaller(slug string) error {
	return problem.New(problem.Conflict, "an experiment %q was made over the API", slug).WithSlug(store.SlugTaken).At("slug").
		WithHint("take another slug: they are never given twice")
}

func (d *Daemon) experimentsBySlug(ctx context.Context) (map[string]experiment.Experiment, error) {
	all, err := d.store.Experiments(ctx)
	known := make(map[string]experiment.Experiment, len(all))
	for _, e := range all {
		known[e.Slug] = e
	}
	return known, err
}

// followFile makes the experiments what the file says. What stands in the way of one
// does not stop the others, and it is tried again.
func (d *Daemon) followFile(ctx context.Context) error {
	known, err := d.experimentsBySlug(ctx)
	if err != nil {
		return err
	}
	file := d.file()
	var failed error
	for _, f := range file.Experiments {
		err := d.followOne(ctx, f, known)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.faults.note(d.log, "experiment", f.Slug, err)
		if err != nil && machineFault(err) {
			failed = err
		}
	}
	for slug, e := range known {
		if e.Origin == api.OfFile && !e.Retired && !slices.ContainsFunc(file.Experiments, func(f FileExperiment) bool { return f.Slug == slug }) {
			if err := d.leaveFile(ctx, e); err != nil {
				return err
			}
		}
	}
	return failed
}

// followOne makes, changes and starts one experiment as the file says.
func (d *Daemon) followOne(ctx context.Context, f FileExperiment, known map[string]experiment.Experiment) error {
	e, ok := known[f.Slug]
	var err error
	switch {
	case !ok:
		e, err = d.store.SaveExperiment(ctx, experiment.Experiment{
			ID: d.experimentID(), Definition: f.Definition, Status: experiment.Draft, Origin: api.OfFile, Author: fileAuthor, Weights: weightsOf(f.Definition),
		})
	case e.Origin != api.OfFile:
		return slugOfCaller(f.Slug)
	case !sameDefinition(e.Definition, f.Definition):
		e, err = d.redefine(ctx, e, f.Definition)
	}
	if err != nil || e.Status != experiment.Draft || f.State != string(experiment.Running) {
		return err
	}
	if e, err = d.startExperiment(ctx, e); err == nil {
		d.log.Info("experiment started, as the configuration has it", slog.String("experiment", e.Slug))
	}
	return err
}

// sameDefinition compares as they are kept.
func sameDefinition(a, b experiment.Definition) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && string(left) == string(right)
}

// leaveFile is for an experiment that the file has no more: a draft goes, and what runs
// is paused, so that a slip of an editor ends no test. Its images are served on.
func (d *Daemon) leaveFile(ctx context.Context, e experiment.Experiment) error {
	switch e.Status {
	case experiment.Draft:
		return d.store.RemoveExperiment(ctx, e.ID)
	case experiment.Running:
		next, err := experiment.Move(e, experiment.Pause, time.Now())
		if err != nil {
			return err
		}
		d.log.Warn("experiment paused: the configuration has it no more", slog.String("experiment", e.Slug))
		_, err = d.keep(ctx, next, nil)
		return err
	}
	return nil
}
