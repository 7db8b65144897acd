package mcp

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	shownNodes  = 150
	shownSource = 40_000 // bytes of a document
)

var templateTools = []Tool{
	tool(Tool{
		Name: "list_templates", Title: "List templates", Effect: Reads,
		Description: "The templates that there are, by name: their newest version, who made it and when.",
		Scopes:      []string{"templates:read"}, Routes: []string{"GET /templates"},
	}, plain((*Server).listTemplates)),
	tool(Tool{
		Name: "get_template", Title: "Read a template", Effect: Reads,
		Description: words("A template's draft as it stands: its revision, sizes, themes, design tokens, variables, and an outline of its layers with their texts, bindings and styles.",
			"A draft that is not open is the newest version. The HTML only with source: true, in parts of 40 kB.") + untrusted,
		Scopes: []string{"templates:read"}, Routes: []string{"GET /templates/{id}/draft/tree"},
	}, plain((*Server).getTemplate)),
	tool(Tool{
		Name: "list_starters", Title: "List starter templates", Effect: Reads,
		Description: "What create_template can begin with: finished templates, with their sizes, themes and variables.",
		Scopes:      []string{"templates:read"}, Routes: []string{"GET /starters"},
	}, plain((*Server).listStarters)),
	tool(Tool{
		Name: "create_template", Title: "Create a template", Effect: Adds,
		Description: "Makes a new template that begins as a starter (list_starters). It is published at once as version 1, and nothing uses it until a batch or binding does.",
		Scopes:      []string{"templates:write"}, Routes: []string{"POST /templates"},
	}, plain((*Server).createTemplate)),
}

type listTemplatesIn struct {
	Query string `json:"query,omitempty" jsonschema:"only templates whose name has this in it"`
	page
}

type templateItem struct {
	Name      string `json:"name"`
	Version   int64  `json:"version"`
	Author    string `json:"author"`
	CreatedAt string `json:"createdAt"`
}

type templateList struct {
	Templates []templateItem `json:"templates"`
	NextAfter *string        `json:"nextAfter" jsonschema:"the after of the next page; null at the end"`
}

func (s *Server) listTemplates(ctx context.Context, in listTemplatesIn) (out templateList, err error) {
	err = s.ask(ctx, read("templates").with("q", in.Query).with("after", in.After).with("limit", in.size()), &out)
	return out, err
}

type getTemplateIn struct {
	Template   string `json:"template" jsonschema:"its name"`
	AfterLayer string `json:"after_layer,omitempty" jsonschema:"go on behind this address: nextAfterLayer of the answer before"`
	Source     bool   `json:"source,omitempty" jsonschema:"the HTML as well"`
	SourceFrom int    `json:"source_from,omitempty" jsonschema:"go on from this byte: nextSourceFrom of the answer before"`
}

// A draftTree is a draft as the API tells it.
type draftTree struct {
	Revision int64             `json:"revision"`
	Base     int64             `json:"base"`
	Open     bool              `json:"open"`
	Source   string            `json:"source"`
	Assets   map[string]string `json:"assets"`
	Manifest struct {
		Sizes     []size     `json:"sizes"`
		Variables []variable `json:"variables"`
	} `json:"manifest"`
	Themes   []string      `json:"themes"`
	Tokens   []themeTokens `json:"tokens"`
	Nodes    []layer       `json:"nodes"`
	Problems []finding     `json:"problems"`
}

type size struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Label  string `json:"label,omitempty"`
}

type variable struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Required    bool   `json:"required,omitempty"`
	Default     any    `json:"default,omitempty"`
	Example     any    `json:"example,omitempty"`
	MaxLength   int    `json:"maxLength,omitempty"`
	Options     []any  `json:"options,omitempty"`
	Description string `json:"description,omitempty"`
}

type themeTokens struct {
	Theme  string  `json:"theme" jsonschema:"empty: no theme"`
	Tokens []token `json:"tokens"`
}

type token struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A layer is an element of a template.
type layer struct {
	Address   string                       `json:"address" jsonschema:"its id, or its path where it has none of its own: ensure_id gives it one"`
	ID        string                       `json:"id,omitempty"`
	Tag       string                       `json:"tag"`
	Kind      string                       `json:"kind"`
	Element   string                       `json:"element,omitempty"`
	Name      string                       `json:"name,omitempty"`
	Role      string                       `json:"role,omitempty"`
	Class     string                       `json:"class,omitempty"`
	Locked    bool                         `json:"locked,omitempty" jsonschema:"edits are refused"`
	Hidden    bool                         `json:"hidden,omitempty"`
	HiddenIn  []string                     `json:"hiddenIn,omitempty" jsonschema:"sizes"`
	Parent    string                       `json:"parent,omitempty"`
	Text      string                       `json:"text,omitempty"`
	Attrs     map[string]string            `json:"attrs,omitempty"`
	Style     map[string]string            `json:"style,omitempty"`
	Overrides map[string]map[string]string `json:"overrides,omitempty" jsonschema:"by size"`
	Bindings  []place                      `json:"bindings,omitempty"`
}

// A place is where an expression stands.
type place struct {
	Place      string `json:"place"`
	Expression string `json:"expression"`
}

type finding struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Fatal   bool   `json:"fatal" jsonschema:"it cannot be published so"`
}

type templateView struct {
	Template       string        `json:"template"`
	Revision       int64         `json:"revision" jsonschema:"of the draft: edit_template and publish_template want it"`
	Base           int64         `json:"base" jsonschema:"the version that the draft began with"`
	Open           bool          `json:"open" jsonschema:"false: the draft is the newest version"`
	Sizes          []size        `json:"sizes"`
	Themes         []string      `json:"themes"`
	Variables      []variable    `json:"variables"`
	Tokens         []themeTokens `json:"tokens"`
	Assets         []string      `json:"assets"`
	Problems       []finding     `json:"problems"`
	Layers         []layer       `json:"layers" jsonschema:"in the order of the document, each before those in it"`
	NextAfterLayer string        `json:"nextAfterLayer,omitempty" jsonschema:"there are more layers: the after_layer of the next part"`
	Source         string        `json:"source,omitempty"`
	NextSourceFrom int           `json:"nextSourceFrom,omitempty" jsonschema:"there is more HTML: the source_from of the next part"`
}

func (s *Server) getTemplate(ctx context.Context, in getTemplateIn) (templateView, error) {
	var d draftTree
	if err := s.ask(ctx, read("templates", in.Template, "draft", "tree"), &d); err != nil {
		return templateView{}, err
	}
	v := templateView{
		Template: in.Template, Revision: d.Revision, Base: d.Base, Open: d.Open, Sizes: d.Manifest.Sizes, Themes: d.Themes,
		Variables: d.Manifest.Variables, Tokens: d.Tokens, Assets: []string{}, Problems: d.Problems, Layers: d.Nodes,
	}
	for path := range d.Assets {
		v.Assets = append(v.Assets, path)
	}
	slices.Sort(v.Assets)
	for i := range v.Variables {
		x := &v.Variables[i]
		x.Default, x.Example = clipValue(x.Default, shownText), clipValue(x.Example, shownText)
	}
	if err := v.showLayers(in.AfterLayer); err != nil {
		return templateView{}, err
	}
	if in.Source {
		v.showSource(d.Source, in.SourceFrom)
	}
	return v, nil
}

// showLayers leaves the layers behind an address, as many as are shown at a time.
func (v *templateView) showLayers(after string) error {
	if after != "" {
		i := slices.IndexFunc(v.Layers, func(l layer) bool { return l.Address == after })
		if i < 0 {
			return problem.New(problem.NotFound, "there is no layer %q", after).At("after_layer").WithHint("the draft may have changed: begin again without after_layer")
		}
		v.Layers = v.Layers[i+1:]
	}
	if len(v.Layers) > shownNodes {
		v.Layers = v.Layers[:shownNodes]
		v.NextAfterLayer = v.Layers[shownNodes-1].Address
	}
	for i := range v.Layers {
		l := &v.Layers[i]
		l.Text = clip(l.Text, shownText)
		clipAll(l.Attrs, shownText)
		clipAll(l.Style, shownText)
		for j := range l.Bindings {
			l.Bindings[j].Expression = clip(l.Bindings[j].Expression, shownText)
		}
	}
	return nil
}

// showSource leaves a part of the document.
func (v *templateView) showSource(source string, from int) {
	from = min(max(0, from), len(source))
	for from < len(source) && !utf8.RuneStart(source[from]) {
		from++
	}
	to := min(from+shownSource, len(source))
	if to < len(source) {
		if line := strings.LastIndexByte(source[from:to], '\n'); line > 0 {
			to = from + line + 1
		}
		for to > from && !utf8.RuneStart(source[to]) {
			to--
		}
		v.NextSourceFrom = to
	}
	v.Source = source[from:to]
}

type nothing struct{}

type starterItem struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	Summary   string   `json:"summary"`
	Sizes     []size   `json:"sizes"`
	Themes    []string `json:"themes,omitempty"`
	Variables []string `json:"variables"`
}

type starterList struct {
	Starters []starterItem `json:"starters"`
}

func (s *Server) listStarters(ctx context.Context, _ nothing) (out starterList, err error) {
	err = s.ask(ctx, read("starters"), &out)
	return out, err
}

type createTemplateIn struct {
	Name    string `json:"name" jsonschema:"of the new template: letters, digits, dots, dashes and underscores, up to 63"`
	Starter string `json:"starter" jsonschema:"the name of a starter"`
	Author  string `json:"author,omitempty" jsonschema:"who it is said to be by; without it the name of the key"`
}

type published struct {
	Template string `json:"templateUid"`
	Version  struct {
		Version   int64  `json:"version"`
		Author    string `json:"author"`
		CreatedAt string `json:"createdAt"`
	} `json:"version"`
	Changed   bool   `json:"changed" jsonschema:"false: this was the newest version already"`
	FileError string `json:"fileError,omitempty" jsonschema:"why the templates folder could not be written; the version is there"`
}

func (s *Server) createTemplate(ctx context.Context, in createTemplateIn) (out published, err error) {
	err = s.ask(ctx, send(map[string]any{"name": in.Name, "from": in.Starter, "author": in.Author}, "templates"), &out)
	return out, err
}
