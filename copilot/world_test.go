package copilot

import (
	"context"
	"encoding/json"
	"image"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/drafttest"
	"github.com/pictifyd/pictifyd/template/edit"
)

const card = `<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "Card",
  "sizes": { "default": { "w": 400, "h": 200 }, "story": { "w": 200, "h": 400 } },
  "vars": {
    "title": { "type": "text", "required": true, "example": "Hello" },
    "photo": { "type": "image", "missing": "hide", "example": "assets/a.png" }
  }
}
</script>
<style id="p-tokens">
  :root { --paper: #ffffff; --ink: #111111; }
</style>
<style>
  #card { background: var(--paper); color: var(--ink); }
  #title { left: 10px; top: 10px; width: 300px; height: 60px; }
  #photo { left: 10px; top: 80px; width: 100px; height: 100px; }
  #seal { left: 350px; top: 150px; width: 40px; height: 40px; }
</style>
</head>
<body>
<section id="card" class="p-page">
  <h1 id="title">{{ title }}</h1>
  <img id="photo" p-src="{{ photo }}" alt="">
  <div id="seal" p-lock>Seal</div>
</section>
</body>
</html>
`

// A ledger in memory.
type ledger struct {
	mu       sync.Mutex
	runs     []Run
	events   map[string][]Event
	pictures map[string][]byte
	failing  error // of the saves to come
	fails    int   // how many of them
}

func (l *ledger) AddRun(_ context.Context, r Run) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.runs {
		if other.Template == r.Template && other.Open() {
			return problem.New(problem.Conflict, "%s is open", other.ID).WithSlug(Busy)
		}
	}
	l.runs = append(l.runs, r)
	return nil
}

func (l *ledger) SaveRun(_ context.Context, r Run, events ...Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails > 0 {
		l.fails--
		return l.failing
	}
	i := slices.IndexFunc(l.runs, func(x Run) bool { return x.ID == r.ID })
	var kept Run // as a database has it: nothing is shared
	raw, _ := json.Marshal(r)
	_ = json.Unmarshal(raw, &kept)
	l.runs[i] = kept
	if l.events == nil {
		l.events = map[string][]Event{}
	}
	for _, e := range events {
		e.Seq = int64(len(l.events[r.ID]) + 1)
		l.events[r.ID] = append(l.events[r.ID], e)
	}
	return nil
}

func (l *ledger) Run(_ context.Context, id string) (Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		if r.ID == id {
			var kept Run
			raw, _ := json.Marshal(r)
			_ = json.Unmarshal(raw, &kept)
			return kept, nil
		}
	}
	return Run{}, problem.New(problem.NotFound, "there is no run %s", id).WithSlug(NotFound)
}

func (l *ledger) OpenRuns(context.Context) (open []Run, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		if r.Open() {
			open = append(open, r)
		}
	}
	return open, nil
}

func (l *ledger) Runs(context.Context, string, string, int) ([]Run, error) { return l.runs, nil }

func (l *ledger) RunEvents(_ context.Context, id string, after int64, _ int) ([]Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events[id][after:]), nil
}

func (l *ledger) PutPicture(_ context.Context, run, name, _ string, data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pictures == nil {
		l.pictures = map[string][]byte{}
	}
	l.pictures[run+"/"+name] = data
	return nil
}

func (l *ledger) Picture(_ context.Context, run, name string) (string, []byte, error) {
	return "image/jpeg", l.pictures[run+"/"+name], nil
}

func (l *ledger) SweepRuns(context.Context, time.Time) (int, error) { return 0, nil }

// A wall is a camera without Chrome: white, and every layer where its rule says.
type wall struct {
	failing error
	clips   func(d look.Doc) string // a layer whose text does not fit; "" is none
}

func (w wall) Shoot(_ context.Context, d look.Doc, v look.View) (look.Shot, error) {
	if w.failing != nil {
		return look.Shot{}, w.failing
	}
	form, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return look.Shot{}, err
	}
	page, err := form.Page(template.View{Size: v.Size, Theme: v.Theme})
	if err != nil {
		return look.Shot{}, err
	}
	shot := look.Shot{Picture: image.NewNRGBA(image.Rect(0, 0, page.Width, page.Height)), Width: page.Width, Height: page.Height}
	shot.Boxes = []render.Box{
		{ID: "title", Tag: "h1", X: 10, Y: 10, Width: 300, Height: 60}, {ID: "photo", Tag: "img", X: 10, Y: 80, Width: 100, Height: 100},
		{ID: "seal", Tag: "div", X: 350, Y: 150, Width: 40, Height: 40},
	}
	if w.clips != nil {
		if layer := w.clips(d); layer != "" {
			shot.Texts = []render.LayerReport{{Layer: layer, FontPx: 30, Lines: 2, Clipped: true}}
		}
	}
	return shot, nil
}

// A world is a copilot with a draft of the card.
type world struct {
	*Copilot

	tb     testing.TB
	ledger *ledger
	drafts *drafttest.Ledger
	desk   *draft.Desk
	crash  func(string)
}

type desk struct {
	*draft.Desk
	*drafttest.Ledger
}

func apply(src []byte, raw []json.RawMessage) (draft.Result, error) {
	all, err := json.Marshal(raw)
	if err != nil {
		return draft.Result{}, err
	}
	ops, err := edit.Decode(all)
	if err != nil {
		return draft.Result{}, err
	}
	r, err := edit.Apply(src, ops)
	if err != nil {
		return draft.Result{}, err
	}
	inverse := make([]json.RawMessage, len(r.Inverse))
	for i, op := range r.Inverse {
		if inverse[i], err = json.Marshal(op); err != nil {
			return draft.Result{}, err
		}
	}
	return draft.Result{Source: r.Source, Inverse: inverse, Touched: r.Touched}, nil
}

func newWorld(tb testing.TB, p model.Provider, more ...func(*Options)) *world {
	tb.Helper()
	d := look.Doc{Name: "card", Source: []byte(card), Assets: map[string]string{"assets/a.png": strings.Repeat("a", 64)}}
	return newWorldOf(tb, wall{}, d, []map[string]any{{"title": "One"}}, p, more...)
}

// newWorldOf is a copilot with a draft of d.
func newWorldOf(tb testing.TB, cam look.Camera, d look.Doc, rows []map[string]any, p model.Provider, more ...func(*Options)) *world {
	tb.Helper()
	w := &world{tb: tb, ledger: &ledger{}, drafts: &drafttest.Ledger{}}
	w.drafts.Add(template.Version{Name: d.Name, Source: d.Source, Assets: d.Assets})
	w.desk = &draft.Desk{
		Ledger: w.drafts, ApplyFunc: apply, ConflictsFunc: edit.Conflicts,
		CheckFunc: func(name string, src []byte, assets map[string]string) error {
			return template.ErrFindings(template.Lint(name, src, assets, nil))
		},
		HasFileFunc: func(context.Context, string) error { return nil },
	}
	o := Options{
		Ledger: w.ledger, Desk: desk{w.desk, w.drafts}, Camera: cam, Models: []model.Provider{p},
		Budget: Budget{Steps: 12, Calls: 60, Tokens: 1_000_000, Seconds: 120, Images: 6},
		RowsFunc: func(context.Context, string, string) ([]map[string]any, error) {
			return rows, nil
		},
		CrashFunc: func(at string) {
			if w.crash != nil {
				w.crash(at)
			}
		},
	}
	for _, m := range more {
		m(&o)
	}
	w.Copilot = New(o)
	tb.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return w
}

// run has a run go to its end.
func (w *world) run(message string) Run {
	w.tb.Helper()
	r, err := w.Start(w.tb.Context(), Order{Template: "card", Message: message, Author: "Ada"})
	if err != nil {
		w.tb.Fatal(err)
	}
	return w.ended(r.ID)
}

func (w *world) ended(id string) Run {
	w.tb.Helper()
	if f := w.flight(id); f != nil {
		<-f.landed()
	}
	r, err := w.ledger.Run(w.tb.Context(), id)
	if err != nil {
		w.tb.Fatal(err)
	}
	return r
}

func (w *world) source() string { return w.sourceOf("card") }

func (w *world) sourceOf(name string) string {
	w.tb.Helper()
	d, err := w.drafts.Draft(w.tb.Context(), name)
	if err != nil {
		w.tb.Fatal(err)
	}
	return string(d.Source)
}

// refusals are the errors of the run's calls, by the names of tools.
func (w *world) refusals(id string) map[string]string {
	all := map[string]string{}
	for _, e := range w.ledger.events[id] {
		var call struct{ Name, Error string }
		if e.Kind == EventTool && json.Unmarshal(e.Data, &call) == nil && call.Error != "" {
			all[call.Name] += call.Error
		}
	}
	return all
}

type args = map[string]any

func plan(items ...string) modeltest.Turn { return modeltest.Call("set_plan", args{"items": items}) }
func finishStep() modeltest.Turn          { return modeltest.Call("finish_step", args{"title": "A step"}) }
func finish() modeltest.Turn              { return modeltest.Call("finish", args{"summary": "It is done."}) }

func scripted(turns ...modeltest.Turn) *modeltest.Provider {
	return modeltest.NewProvider(modeltest.Everything, modeltest.Turns(turns...))
}

// found is what the checks said before steps were taken.
func (w *world) found(id string) (all []Finding) {
	for _, e := range w.ledger.events[id] {
		var told struct{ Findings []Finding }
		if e.Kind == EventCheck && json.Unmarshal(e.Data, &told) == nil {
			all = append(all, told.Findings...)
		}
	}
	return all
}
