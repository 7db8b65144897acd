package api

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A sitting is an order with all that its pictures are made of.
type sitting struct {
	order   batch.Order
	name    string // of the template; "" of html
	version int64  // of the template; 0 of html and of a draft
	form    bindings.Template
	drawing *bindings.Drawing
	wants   []bindings.Want // one for each output
}

// sit plans the pictures of an order. Whatever is wrong with it is a problem.
func (s *Server) sit(ctx context.Context, o batch.Order, now time.Time) (*sitting, error) {
	st := &sitting{order: o, name: o.Template}
	doc, err := s.subjectOf(ctx, st)
	if err != nil {
		return nil, err
	}
	if err := st.chooseSize(); err != nil {
		return nil, err
	}
	epoch, err := s.deps.Easel.Epoch(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the epoch: %w", err)
	}
	if st.drawing, err = bindings.NewDrawing(st.form, st.version, epoch, st.order.OutputsOf()); err != nil {
		return nil, st.asGiven(err)
	}
	if doc != nil {
		st.drawing = st.drawing.Of(doc)
	}
	return st, st.propose(now)
}

// subjectOf finds the compiled form of what is drawn. doc is set where that is no
// version of a template.
func (s *Server) subjectOf(ctx context.Context, st *sitting) (doc *bindings.Document, err error) {
	o := st.order
	switch number, err := strconv.ParseInt(o.Version, 10, 64); {
	case o.HTML != "":
		if p := asker(ctx); len(p.templates) > 0 {
			return nil, problem.New(problem.Forbidden, "the key %q is for some templates, and html is none of them", p.name).WithSlug(slugScope).
				WithHint("use a key without templates")
		}
		return s.compile(ctx, st, &bindings.Document{Source: o.HTML, Width: o.Width, Height: o.Height})
	case !asker(ctx).uses(o.Template):
		return nil, noTemplate(o.Template)
	case o.Version == "draft":
		draft, err := s.deps.Drafts.Draft(ctx, o.Template)
		if err != nil {
			return nil, err
		}
		if draft.Open {
			return s.compile(ctx, st, &bindings.Document{Source: string(draft.Source), Assets: draft.Assets})
		}
		st.version = draft.Base
	case err == nil:
		st.version = number
	default:
		newest, form, err := s.templateOf(ctx, o.Template)
		st.version, st.form = newest.Number, form
		return nil, err
	}
	st.form, err = s.deps.CompileFunc(ctx, o.Template, st.version)
	return nil, err
}

func (s *Server) compile(ctx context.Context, st *sitting, doc *bindings.Document) (_ *bindings.Document, err error) {
	st.form, err = s.deps.Easel.Compile(ctx, doc)
	return doc, err
}

// chooseSize takes width and height for the name of a size that a template has:
// it has no others, so that nobody has pictures made without bounds.
func (st *sitting) chooseSize() error {
	o := &st.order
	if o.HTML != "" || o.Width == 0 && o.Height == 0 {
		return nil
	}
	if o.Given("size") != "" || o.Given("sizes") != "" || o.Given("outputs") != "" {
		return problem.New(problem.Invalid, "the size is given twice").At(cmp.Or(o.Given("width"), o.Given("height"))).WithHint("name a size, or give width and height")
	}
	var sizes []string
	for i, size := range st.form.Sizes() {
		if (o.Width == 0 || o.Width == size.Width) && (o.Height == 0 || o.Height == size.Height) {
			if i > 0 {
				o.Outputs[0].Size = size.Name
			}
			return nil
		}
		sizes = append(sizes, fmt.Sprintf("%s (%dx%d)", size.Name, size.Width, size.Height))
	}
	return problem.New(problem.Invalid, "the template %q has no size of these pixels", o.Template).WithSlug("unknown_size").
		At(cmp.Or(o.Given("width"), o.Given("height"))).WithHint("its sizes are %s", strings.Join(sizes, ", "))
}

// outputField is where planning says that an output is wrong.
var outputField = regexp.MustCompile(`^outputs\[[0-9]+\]\.([a-z_]+)$`)

// asGiven places problems of outputs where their fields stood.
func (st *sitting) asGiven(err error) error {
	list := problem.All(err)
	for _, p := range list {
		if m := outputField.FindStringSubmatch(p.Path); m != nil && st.order.Given("outputs") == "" {
			p.Path = cmp.Or(st.order.Given(m[1]), st.order.Given(m[1]+"s"), m[1])
		}
	}
	return list.Err()
}

// propose resolves the rows.
func (st *sitting) propose(now time.Time) error {
	const owner = bindings.Owner("asker")
	var p bindings.Proposal
	if at := st.order.Given("variables"); at == "variableSets" || len(st.order.Rows) > 1 {
		p = st.drawing.Together(owner, "", st.order.Rows, at, now, bindings.PriorityNow)
	} else {
		p = st.drawing.Propose(owner, "", st.order.Rows[0], now, bindings.PriorityNow)
	}
	if p.Problem != nil {
		return problemAsked(*p.Problem)
	}
	st.wants = p.Wants
	return nil
}

// problemAsked is a fault of a row as a request's.
func problemAsked(p bindings.Problem) *problem.Error {
	return problem.New(problem.Invalid, "%s", p.Message).WithSlug(p.Code).At(p.Field)
}

// checkNames finds variables that the template does not have: in an address they
// are mistakes.
func (st *sitting) checkNames(names []string) error {
	var list problem.List
	vars := make([]string, 0, len(st.form.Vars()))
	for _, v := range st.form.Vars() {
		vars = append(vars, v.Name)
	}
	for _, name := range names {
		if slices.Contains(vars, name) {
			continue
		}
		p := problem.New(problem.Invalid, "template %q has no variable %q", st.name, name).WithSlug("unknown_variable").At(name)
		if near, ok := config.Nearest(name, vars); ok {
			p.WithHint("did you mean %q?", near)
		}
		list = append(list, p)
	}
	return list.Err()
}

// sizeOf is the size that an output shows.
func (st *sitting) sizeOf(i int) template.Size {
	sizes := st.form.Sizes()
	for _, size := range sizes {
		if size.Name == st.order.Outputs[i].Size {
			return size
		}
	}
	return sizes[0]
}
