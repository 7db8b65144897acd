package copilot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"time"

	"golang.org/x/image/draw"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/edit"
)

const (
	thumbnail = 768 // pixels of a picture's longer side
	chances   = 2   // to mend what the checks find, before a step is taken with it
)

// A hand is what was done since the last step: it becomes one step, or nothing.
type hand struct {
	ops     []edit.Op
	notes   []string
	allowed check.Allowed // what may look different by it
	view    look.View     // in which it shows best
	tries   int           // of finishing it
	options int           // candidates that came of it
	picked  string        // the candidate that it takes
}

// everything is what a change may touch that is meant for all of the template.
var everything = check.Allowed{Sizes: []string{"*"}, Themes: []string{"*"}, Pictures: true}

// take has a change done on the working copy.
func (f *flight) take(change craft.Change, allowed check.Allowed) error {
	if len(change.Ops) == 0 {
		f.hand.notes = append(f.hand.notes, change.Notes...)
		return nil
	}
	next, err := change.Apply(f.doc)
	if err != nil {
		return err
	}
	if err := f.guard(next); err != nil {
		return err
	}
	old := f.doc
	f.doc = next
	if err := f.parse(); err != nil {
		f.doc = old
		return errors.Join(err, f.parse())
	}
	f.hand.ops = append(f.hand.ops, change.Ops...)
	f.hand.notes = append(f.hand.notes, change.Notes...)
	f.hand.allowed = wider(f.hand.allowed, allowed)
	return nil
}

func wider(a, b check.Allowed) check.Allowed {
	join := func(a, b []string) []string {
		for _, s := range b {
			if !slices.Contains(a, s) {
				a = append(a, s)
			}
		}
		return a
	}
	return check.Allowed{
		Sizes: join(slices.Clone(a.Sizes), b.Sizes), Themes: join(slices.Clone(a.Themes), b.Themes),
		Variables: join(slices.Clone(a.Variables), b.Variables), Pictures: a.Pictures || b.Pictures,
	}
}

// drop forgets what is in hand.
func (f *flight) drop() {
	f.hand, f.doc = hand{}, f.clean
	_ = f.parse() // it was a draft before
}

// A finished is what a model is told of the step that it finished.
type finished struct {
	Taken    bool      `json:"taken"`
	Step     int       `json:"step,omitempty"`
	Findings []Finding `json:"findings"`
	Say      string    `json:"say,omitempty"`
}

// finishStep makes what is in hand a step of the draft, if the checks have nothing
// against it.
func (f *flight) finishStep(ctx context.Context, title string) (finished, error) {
	if title = strings.TrimSpace(title); title == "" {
		title = f.currentItem()
	}
	if len(f.hand.ops) == 0 {
		f.mark(Done, 0)
		say := "nothing was changed, so there is no step; the item is done"
		if f.hand.options > 0 {
			say = "the candidates wait for a person to pick one; the item is done"
		}
		f.hand = hand{}
		return finished{Taken: true, Findings: []Finding{}, Say: say}, f.save(ctx, event(EventPlan, map[string]any{"items": f.run.Plan}))
	}
	if len(f.run.Steps) >= f.run.Budget.Steps {
		return finished{}, overBudget("%d steps", f.run.Budget.Steps)
	}
	if broken, err := f.broken(ctx); err != nil || len(broken) > 0 {
		f.drop()
		if err != nil {
			return finished{}, err
		}
		return finished{}, problem.New(problem.Invalid, "the step was not taken, and all of it was taken back: %s", sayAll(broken)).
			WithSlug(broken[0].Code).WithHint("do it in another way that leaves those as they are")
	}
	found, err := f.judge(ctx)
	if err != nil {
		return finished{}, err
	}
	errs := slices.DeleteFunc(slices.Clone(found), func(x Finding) bool { return x.Level != "error" })
	if f.hand.tries++; len(errs) > 0 && f.hand.tries <= chances {
		return finished{Findings: found, Say: "the step is still open: mend what was found and call finish_step again; it is taken as it is the third time"},
			f.save(ctx, event(EventCheck, map[string]any{"step": len(f.run.Steps) + 1, "findings": found}))
	}
	return f.commit(ctx, title, found)
}

// commit takes the step.
func (f *flight) commit(ctx context.Context, title string, found []Finding) (finished, error) {
	ops := make([]json.RawMessage, len(f.hand.ops))
	for i, op := range f.hand.ops {
		raw, err := json.Marshal(op)
		if err != nil {
			return finished{}, fmt.Errorf("write an operation: %w", err)
		}
		ops[i] = raw
	}
	step := Step{
		Number: len(f.run.Steps) + 1, Title: bounded(title, 200), State: Pending, Ops: ops, Notes: list(f.hand.notes), Findings: found,
		Size: f.hand.view.Size, Theme: f.hand.view.Theme, At: time.Now().UTC(),
	}
	if err := f.picture(ctx, &step); err != nil {
		return finished{}, err
	}
	done, err := f.copilot.o.Desk.Edit(ctx, draft.Edit{Name: f.run.Template, Revision: f.at, Ops: ops, Author: author(f.run.ID)})
	if conflict := (*draft.ConflictError)(nil); errors.As(err, &conflict) {
		return finished{}, f.moved(ctx, conflict)
	}
	if err != nil {
		return finished{}, err
	}
	f.copilot.o.CrashFunc("copilot.stepped")
	step.Revision, step.Changed = done.Draft.Revision, list(done.Step.Touched)
	step.Diff = bounded(draft.Unified("before", "after", string(done.Before.Source), string(done.Draft.Source)), 64<<10)
	f.mu.Lock()
	f.run.Steps = append(f.run.Steps, step)
	f.run.Candidates = slices.Clone(f.run.Candidates)
	for i := range f.run.Candidates {
		if c := &f.run.Candidates[i]; c.Name == f.hand.picked {
			c.Picked = step.Number
		}
	}
	f.run.Findings = found
	f.run.Spent.Steps = len(f.run.Steps)
	f.mu.Unlock()
	f.mark(Done, step.Number)
	f.clean, f.at = docOf(done.Draft), done.Draft.Revision
	picked := f.hand.picked != ""
	f.drop()
	events := []Event{event(EventStep, step), event(EventPlan, map[string]any{"items": f.run.Plan})}
	if picked {
		events = append(events, event(EventCandidates, map[string]any{"candidates": f.run.Candidates}))
	}
	if len(found) > 0 {
		events = append(events, event(EventCheck, map[string]any{"step": step.Number, "findings": found}))
	}
	if err := f.save(ctx, events...); err != nil {
		return finished{}, err
	}
	say := ""
	if done.Rebased {
		say = "somebody else changed other parts of the draft meanwhile: read the outline again before you go on"
	}
	return finished{Taken: true, Step: step.Number, Findings: found, Say: say}, nil
}

// moved begins anew on the draft that somebody else has changed in the same place.
func (f *flight) moved(ctx context.Context, why *draft.ConflictError) error {
	d, err := f.copilot.o.Desk.Draft(ctx, f.run.Template)
	if err != nil {
		return err
	}
	f.clean, f.at = docOf(d), d.Revision
	f.drop()
	var what []string
	for _, c := range why.Conflicts {
		what = append(what, c.Touched)
	}
	return problem.New(problem.Conflict, "somebody else changed the same meanwhile (%s): the step was not taken", strings.Join(what, ", ")).
		WithSlug(draft.EditConflict).WithHint("read the outline again, and do the step on the draft as it is now")
}

// broken is what the change in hand did that no change may do.
func (f *flight) broken(ctx context.Context) ([]Finding, error) {
	found, err := check.Change(ctx, f.copilot.o.Camera, f.clean, f.doc, f.rows[:min(len(f.rows), 2)], f.hand.allowed)
	if err != nil {
		return nil, fmt.Errorf("compare with what was before: %w", err)
	}
	return findings(found), nil
}

// judge is what is wrong with the document in the views that may have changed. What
// was so before the run is a warning.
func (f *flight) judge(ctx context.Context) ([]Finding, error) {
	if a := f.hand.allowed; len(a.Sizes)+len(a.Themes) == 0 { // nothing looks different
		return []Finding{}, nil
	}
	o := f.views()
	found, err := check.Document(ctx, f.copilot.o.Camera, f.doc, o)
	if err != nil {
		return nil, fmt.Errorf("check the step: %w", err)
	}
	all := findings(found)
	if !slices.ContainsFunc(all, func(x Finding) bool { return x.Level == "error" }) {
		return all, nil
	}
	before, err := check.Document(ctx, f.copilot.o.Camera, f.first, known(f.first, o))
	if err != nil {
		return nil, fmt.Errorf("check what was before: %w", err)
	}
	for i := range all {
		if all[i].Level == check.Error && wasSo(f.first, before, all[i]) {
			all[i].Level = check.Warning
			all[i].Message += " (it was so before)"
		}
	}
	return all, nil
}

// wasSo reports whether a document had the fault of a finding before, with the same
// rows: a layer that does not fit in the plain theme fits in no other, and one that
// does not fit, or cannot be read, in the size that there was is no fault of a new one.
func wasSo(first look.Doc, before []check.Finding, x Finding) bool {
	sizes := viewsOf(first).Sizes
	return slices.ContainsFunc(before, func(b check.Finding) bool {
		return b.Level == check.Error && b.Code == x.Code && b.Layer == x.Layer &&
			(b.Size == x.Size || !slices.Contains(sizes, x.Size)) && (b.Theme == x.Theme || x.Code != check.CodeContrast)
	})
}

// views are the sizes and themes that the change in hand may have touched.
func (f *flight) views() check.Options {
	o := check.Options{Rows: f.rows}
	a := f.hand.allowed
	sizes, themes := slices.Contains(a.Sizes, "*"), slices.Contains(a.Themes, "*")
	switch {
	case sizes || themes: // all of them
	case len(a.Sizes) > 0 && len(a.Themes) == 0:
		o.Sizes = a.Sizes
	case len(a.Themes) > 0 && len(a.Sizes) == 0:
		o.Themes = a.Themes
	}
	return o
}

// known is o with the sizes and themes that first has, too: its first size and its
// plain theme where all of them are new.
func known(first look.Doc, o check.Options) check.Options {
	seen := viewsOf(first)
	there := func(names, all []string, plain string) []string {
		kept := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n != "" && !slices.Contains(all, n) })
		if len(names) > 0 && len(kept) == 0 {
			return []string{plain}
		}
		return kept
	}
	o.Sizes, o.Themes = there(o.Sizes, seen.Sizes, append(seen.Sizes, "")[0]), there(o.Themes, seen.Themes, "")
	return o
}

func findings(found []check.Finding) []Finding {
	all := make([]Finding, len(found))
	for i, x := range found {
		all[i] = Finding(x)
	}
	return all
}

func sayAll(found []Finding) string {
	var parts []string
	for _, x := range found[:min(len(found), 4)] {
		parts = append(parts, x.Message)
	}
	return strings.Join(parts, "; ")
}

// picture keeps how the step looks beside what was before.
func (f *flight) picture(ctx context.Context, s *Step) error {
	view := f.hand.view
	if len(f.rows) > 0 {
		view.Row = f.rows[0].Values
	}
	var err error
	if s.After, err = f.keep(ctx, f.doc, view, fmt.Sprintf("step-%d-after.jpg", s.Number)); err != nil {
		return err
	}
	seen := viewsOf(f.clean)
	if view.Theme != "" && !slices.Contains(seen.Themes, view.Theme) {
		view.Theme = ""
	}
	if view.Size != "" && !slices.Contains(seen.Sizes, view.Size) {
		view.Size = ""
	}
	s.Before, err = f.keep(ctx, f.clean, view, fmt.Sprintf("step-%d-before.jpg", s.Number))
	return err
}

// keep draws a view and keeps its picture, small, under a name.
func (f *flight) keep(ctx context.Context, d look.Doc, v look.View, name string) (string, error) {
	shot, err := f.copilot.o.Camera.Shoot(ctx, d, v)
	if err != nil {
		return "", fmt.Errorf("draw a picture of the run: %w", err)
	}
	small, err := smaller(shot.Picture, thumbnail)
	if err != nil {
		return "", err
	}
	if err := f.copilot.o.Ledger.PutPicture(ctx, f.run.ID, name, "image/jpeg", small); err != nil {
		return "", fmt.Errorf("keep a picture of the run: %w", err)
	}
	return name, nil
}

// smaller is a picture as a JPEG on white whose longer side has at most so many pixels.
func smaller(img image.Image, most int) ([]byte, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > most {
		w, h = max(1, w*most/long), max(1, h*most/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(out, out.Bounds(), img, b, draw.Over, nil)
	var data bytes.Buffer
	if err := jpeg.Encode(&data, out, &jpeg.Options{Quality: 88}); err != nil {
		return nil, fmt.Errorf("write a picture of the run: %w", err)
	}
	return data.Bytes(), nil
}

// currentItem is the text of the plan's item that is worked on.
func (f *flight) currentItem() string {
	for _, item := range f.run.Plan {
		if item.State == Doing || item.State == Todo {
			return item.Text
		}
	}
	return "A change"
}

// mark ends the item that is worked on, and begins the next.
func (f *flight) mark(state string, step int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	plan := slices.Clone(f.run.Plan)
	i := slices.IndexFunc(plan, func(x Item) bool { return x.State == Doing })
	if i >= 0 {
		plan[i].State, plan[i].Step = state, step
	}
	if next := slices.IndexFunc(plan, func(x Item) bool { return x.State == Todo }); next >= 0 {
		plan[next].State = Doing
	}
	f.run.Plan = plan
}
