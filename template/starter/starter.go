package starter

import (
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/overlay"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

// NotFound is the slug of a starter that there is not.
const NotFound = "starter_not_found"

// The golden pictures stay outside the program.
//
//go:embed templates/*.html templates/*.rows.json templates/assets
var embedded embed.FS

//go:embed blank/blank.html
var blankDocument []byte

//go:embed blank/blank.rows.json
var blankRows []byte

// blank is the name that the blank document has here.
const blank = "blank"

// folder is the starters as a folder of templates, the blank one in it but not
// listed.
func folder() fs.FS {
	templates, err := fs.Sub(embedded, "templates")
	if err != nil {
		panic(err) // the path is a constant
	}
	return overlay.New(templates, map[string][]byte{blank + ".html": blankDocument, blank + rowsSuffix: blankRows})
}

// A Starter is one of the templates to begin with.
type Starter struct {
	Name      string          `json:"name"`
	Title     string          `json:"title"`
	Summary   string          `json:"summary"`
	Sizes     []template.Size `json:"sizes"`
	Themes    []string        `json:"themes,omitempty"`
	Variables []string        `json:"variables"`
	Rows      int             `json:"rows"` // sample rows
}

// List is all of them by name, the blank one not among them.
func List() []Starter { return slices.Clone(list()) }

var list = sync.OnceValue(func() []Starter {
	fsys := folder()
	names, err := template.List(fsys)
	if err != nil {
		panic(err) // they are part of the program
	}
	all := make([]Starter, 0, len(names))
	for _, name := range names {
		if s, err := describe(fsys, name); err == nil { // a test has them all
			all = append(all, s)
		}
	}
	return all
})

func describe(fsys fs.FS, name string) (Starter, error) {
	src, t, err := load(fsys, name)
	if err != nil {
		return Starter{}, err
	}
	rows, err := template.LoadRows(fsys, name)
	if err != nil {
		return Starter{}, err
	}
	s := Starter{Name: name, Sizes: t.Sizes(), Themes: t.Themes(), Rows: len(rows), Variables: []string{}}
	s.Title, s.Summary = words(src)
	for _, v := range t.Vars() {
		s.Variables = append(s.Variables, v.Name)
	}
	return s, nil
}

// load reads and compiles a template of the folder.
func load(fsys fs.FS, name string) ([]byte, *template.Template, error) {
	src, assets, err := template.Load(fsys, name)
	if err != nil {
		return nil, nil, err
	}
	t, err := template.Parse(name, src, present(assets))
	return src, t, err
}

// present stands for the digests of assets where only their being there counts.
func present(assets map[string][]byte) map[string]string {
	digests := make(map[string]string, len(assets))
	for path := range assets {
		digests[path] = "0"
	}
	return digests
}

// words are what the manifest says of the whole template.
func words(src []byte) (title, summary string) {
	var manifest struct{ Name, Description string }
	if node := markup.Parse(src).Find("p-template"); node != nil {
		_ = json.Unmarshal([]byte(node.Inner()), &manifest) // template.Parse judges the manifest
	}
	return manifest.Name, manifest.Description
}

// known says which starter was most likely meant, where name is none.
func known(name string) error {
	var names []string
	for _, s := range list() {
		if s.Name == name {
			return nil
		}
		names = append(names, s.Name)
	}
	p := problem.New(problem.NotFound, "there is no starter %q", name).WithSlug(NotFound)
	if near := expr.Nearest(name, names); near != "" {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("the starters are %s", strings.Join(names, ", "))
}
