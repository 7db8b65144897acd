package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	editing "github.com/pictifyd/pictifyd/template/edit"
)

// A viewOrder says what an editor looks at: a size and a row. Without variables
// and binding the row is the examples of the manifest.
type viewOrder struct {
	Size      string         `json:"size,omitempty"`  // without it the default size
	Theme     string         `json:"theme,omitempty"` // without it none
	Page      int            `json:"page,omitempty"`  // from 1
	Variables map[string]any `json:"variables,omitempty"`
	Binding   string         `json:"binding,omitempty"` // whose row it is, in place of variables
	Key       string         `json:"key,omitempty"`     // of the row; without it the first
	Locale    string         `json:"locale,omitempty"`
	Timezone  string         `json:"timezone,omitempty"`
}

// A shownRow is what a drawing was made with.
type shownRow struct {
	Variables map[string]any `json:"variables"`
	Binding   string         `json:"binding,omitempty"`
	Key       string         `json:"key,omitempty"`
}

// A canvasView is a draft as it looks with a row.
type canvasView struct {
	Revision int64                     `json:"revision"`
	Size     string                    `json:"size"`
	Width    int                       `json:"width"`
	Height   int                       `json:"height"`
	Page     int                       `json:"page"`
	Pages    int                       `json:"pages"`             // of the document with this row
	Layout   bool                      `json:"layout"`            // the layout script has something to do
	HTML     string                    `json:"html,omitempty"`    // the whole page, where it is to be written anew
	Nodes    []template.Redrawn        `json:"nodes"`             // else the elements that changed
	Values   map[string]template.Shown `json:"values"`            // by "ADDRESS PLACE"
	Problems []troubleView             `json:"problems"`          // of the row in this document
	Row      shownRow                  `json:"row"`               // that it shows
	Problem  *troubleView              `json:"problem,omitempty"` // why there is no drawing any more
}

// A troubleView is one thing that is wrong with a row in a document.
type troubleView struct {
	Level    string `json:"level"` // error, warning
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Node     string `json:"node,omitempty"`
	Place    string `json:"place,omitempty"`
	Copy     string `json:"copy,omitempty"` // which of those that a loop makes
	Variable string `json:"variable,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
}

// A sight is a view order with its row.
type sight struct {
	order viewOrder
	row   shownRow
	env   expr.Env
}

// sightOf finds the row of an order. It is nil for no order.
func (s *Server) sightOf(ctx context.Context, o *viewOrder, name string) (*sight, error) {
	if o == nil {
		return nil, nil
	}
	at := &sight{order: *o, row: shownRow{Variables: o.Variables, Key: o.Key, Binding: o.Binding}, env: expr.Env{Now: time.Now(), Locale: o.Locale}}
	if o.Locale != "" {
		if err := expr.CheckLocale(o.Locale); err != nil {
			return nil, problem.New(problem.Invalid, "%w", err).At("view.locale")
		}
	}
	if o.Timezone != "" {
		zone, err := time.LoadLocation(o.Timezone)
		if err != nil {
			return nil, problem.New(problem.Invalid, "there is no time zone %q", o.Timezone).At("view.timezone").WithHint("use a name such as Europe/Berlin")
		}
		at.env.Zone = zone
	}
	if o.Binding == "" {
		return at, nil
	}
	if o.Variables != nil {
		return nil, problem.New(problem.Invalid, "a view is of variables or of a binding's row, not of both").At("view.variables")
	}
	b, ok := s.configured(o.Binding)
	if !ok || !asker(ctx).uses(b.Template) {
		return nil, s.noBinding(o.Binding)
	}
	p, err := s.deps.Resources.Preview(ctx, b.Name, PreviewOf{Key: o.Key})
	if err != nil {
		return nil, fmt.Errorf("read the row of the binding %q for a view of %q: %w", b.Name, name, err)
	}
	if at.row.Variables = p.Values; at.row.Variables == nil {
		at.row.Variables = map[string]any{}
	}
	at.row.Key = p.Key
	return at, nil
}

// drawingOf is the draft as the sight has it; last is how it was before.
func (s *Server) drawingOf(at *sight, name string, c *template.Canvas, last *template.Drawing) (*template.Drawing, error) {
	return c.Draw(template.Order{
		View:   template.View{Size: at.order.Size, Theme: at.order.Theme, Page: max(at.order.Page, 1)},
		Values: at.row.Variables, Env: at.env, LinkFunc: s.draftLink(name), Last: last,
	})
}

func viewOfDrawing(revision int64, at *sight, c *template.Canvas, d *template.Drawing) *canvasView {
	v := &canvasView{
		Revision: revision, Size: at.order.Size, Width: d.Width, Height: d.Height, Page: max(at.order.Page, 1), Pages: d.Pages,
		Layout: d.Layout, HTML: d.HTML, Nodes: []template.Redrawn{}, Values: d.Values, Problems: []troubleView{}, Row: at.row,
	}
	if v.Size == "" {
		v.Size = c.Template().Sizes()[0].Name
	}
	if v.Row.Variables == nil {
		v.Row.Variables = d.Variables
	}
	for _, t := range d.Problems {
		v.Problems = append(v.Problems, viewOfTrouble(t))
	}
	return v
}

func viewOfTrouble(t template.Trouble) troubleView {
	v := troubleView{Level: "error", Code: t.Kind(), Message: t.Message, Hint: t.Hint, Node: t.Node, Place: t.Place, Copy: t.Copy,
		Line: t.Pos.Line, Column: t.Pos.Column}
	if len(t.Path) > len("variables.") && t.Path[:len("variables.")] == "variables." {
		v.Variable = t.Path[len("variables."):]
	}
	if t.Kind() == template.EmptyImage {
		v.Level = "warning"
	}
	return v
}

// viewDraft draws the draft with a row.
func (s *Server) viewDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	var order viewOrder
	if err := decodeBody(w, r, maxEdit, &order, `{"size": "story", "variables": {"title": "Hello"}}`); err != nil {
		return err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	at, err := s.sightOf(r.Context(), &order, name)
	if err != nil {
		return err
	}
	c, err := s.canvases.canvasOf(d)
	if err != nil {
		return err
	}
	drawing, err := s.drawingOf(at, name, c, nil)
	if err != nil {
		return inView(err)
	}
	w.Header().Set("ETag", etagOf(d.Revision))
	return answer(w, http.StatusOK, viewOfDrawing(d.Revision, at, c, drawing))
}

// inView makes a size or theme that is not there a mistake in the request.
func inView(err error) error {
	problems := problem.All(err)
	for i, p := range problems {
		if p.Code == problem.NotFound {
			wrong := *p
			wrong.Code = problem.Invalid
			problems[i] = &wrong
		}
	}
	return problems
}

// A treeView is a draft as an editor sees it.
type treeView struct {
	TemplateUID string                `json:"templateUid"`
	Revision    int64                 `json:"revision"`
	Base        int64                 `json:"base"` // the version that it began with
	Open        bool                  `json:"open"` // false: it is the newest version
	Source      string                `json:"source"`
	Assets      map[string]string     `json:"assets"` // path to digest
	Manifest    manifestView          `json:"manifest"`
	Themes      []string              `json:"themes"`
	Tokens      []editing.ThemeTokens `json:"tokens"`
	Nodes       []editing.Seen        `json:"nodes"`    // each before those in it
	Bindings    []template.Binding    `json:"bindings"` // outside of pages
	Problems    []findingView         `json:"problems"` // what lint says of it
}

// A manifestView is what a document says of itself.
type manifestView struct {
	Name      string          `json:"name"`
	Sizes     []template.Size `json:"sizes"`
	Variables []template.Var  `json:"variables"`
	Pages     []pageView      `json:"pages"`
}

// A pageView is a page of a template.
type pageView struct {
	Address string `json:"address"`
	Size    string `json:"size,omitempty"`   // its own
	Repeat  string `json:"repeat,omitempty"` // one for each: "row in rows"
}

func lookAt(d draft.Draft, c *template.Canvas) (editing.Look, manifestView) {
	look := editing.LookAt(d.Source, c.Bindings())
	m := manifestView{Name: look.Name, Sizes: []template.Size{}, Variables: list(c.Template().Vars()), Pages: []pageView{}}
	for _, size := range c.Template().Sizes() {
		m.Sizes = append(m.Sizes, size)
	}
	for _, n := range look.Nodes {
		if n.Kind == editing.PageKind {
			m.Pages = append(m.Pages, pageView{n.Address, n.Attrs["p-size"], n.Attrs["p-for"]})
		}
	}
	return look, m
}

// showTree tells what the draft is made of.
func (s *Server) showTree(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return err
	}
	c, err := s.canvases.canvasOf(d)
	if err != nil {
		return err
	}
	plain := viewOfDraft(d)
	look, manifest := lookAt(d, c)
	w.Header().Set("ETag", etagOf(d.Revision))
	return answer(w, http.StatusOK, treeView{
		TemplateUID: d.Name, Revision: d.Revision, Base: d.Base, Open: d.Open, Source: string(d.Source), Assets: plain.Assets,
		Manifest: manifest, Themes: list(c.Template().Themes()), Tokens: look.Themes, Nodes: look.Nodes, Bindings: look.Bindings, Problems: plain.Problems,
	})
}
