package template

import (
	"io/fs"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Template is a parsed document. It is immutable and safe for concurrent use.
type Template struct{}

// A Var is a variable that rows give to a template.
type Var struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // text number boolean image url color date array object any
	Required    bool   `json:"required,omitempty"`
	Default     any    `json:"default,omitempty"`
	Example     any    `json:"example,omitempty"`
	MaxLength   int    `json:"maxLength,omitempty"`
	Items       string `json:"items,omitempty"`
	Description string `json:"description,omitempty"`
}

// A Size is one of the sizes a template can be rendered in.
type Size struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Label  string `json:"label,omitempty"`
}

var errUnfinished = problem.New(problem.Unsupported, "templates cannot be parsed")

// Parse reads the document src of the template name, whose assets are given as
// path ("assets/shoe.jpg") to digest. The error is a problem.List with
// positions in the file.
func Parse(name string, src []byte, assets map[string]string) (*Template, error) {
	return nil, problem.List{errUnfinished}
}

func (t *Template) Name() string             { return "" }
func (t *Template) Digest() string           { return "" }
func (t *Template) Vars() []Var              { return nil }
func (t *Template) Sizes() []Size            { return nil }
func (t *Template) Uses() []string           { return nil }
func (t *Template) ReadsClock() bool         { return false }
func (t *Template) Examples() map[string]any { return nil }

// Page is the document compiled for one size; "" is the default size.
func (t *Template) Page(size string) (*Page, error) { return nil, errUnfinished }

// Values are what the holes of a template are filled with, resolved but not
// escaped. The fingerprint of a picture is taken over them.
type Values []string

// Resolve checks values and computes what the holes are filled with.
func (t *Template) Resolve(values map[string]any, now time.Time) (Values, error) {
	return t.ResolveIn(values, expr.Env{Now: now})
}

// ResolveIn is Resolve with a locale and a time zone.
func (t *Template) ResolveIn(values map[string]any, env expr.Env) (Values, error) {
	return nil, problem.List{errUnfinished}
}

// A Page is a template compiled for one size.
type Page struct {
	Digest        string // SHA-256 of everything that the page shows, hex
	Width, Height int
}

// Fill puts v into the page's holes, each escaped for its place.
func (p *Page) Fill(v Values) Document { return Document{} }

// A Document is a page with every value in its place.
type Document struct {
	HTML   string
	Assets []Asset
	Remote []Remote
}

// An Asset is a file of the template's own that the document refers to.
type Asset struct{ Path, Digest string }

// A Remote is an address in the document that was replaced by Path.
type Remote struct {
	URL  string // absolute, http or https, without a fragment
	Path string // "/remote/" and the SHA-256 of URL, hex
	Var  string // the variables that it came from, "" for the template's own text
}

// Load reads the template name from its folder.
func Load(fsys fs.FS, name string) (src []byte, assets map[string][]byte, err error) {
	return nil, nil, errUnfinished
}

// List names the templates of a folder, sorted.
func List(fsys fs.FS) ([]string, error) { return nil, errUnfinished }
