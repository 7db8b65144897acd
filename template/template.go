package template

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of this room's problems.
const (
	MissingVariable = "missing_variable"
	WrongType       = "wrong_type"
	TooLong         = "too_long"
	BadExpression   = "bad_expression"
	TooShort        = "too_short"
	NotAllowed      = "not_allowed" // a value outside what the manifest says of it
	BadURL          = "bad_url"
	BadModification = "bad_modification" // of a layer by name
	ThemeNotFound   = "theme_not_found"
	SizeNotFound    = "size_not_found"
	MissingAsset    = "missing_asset"
	Unsafe          = "unsafe"        // the document contains what no template may
	NotSupported    = "not_supported" // by this version
)

// A Template is a parsed document. It is immutable and safe for concurrent use.
type Template struct {
	name     string
	digest   string
	manifest manifest
	slots    []*slot
	pieces   []piece
	layers   []layer
	themes   []string
	uses     []string
	clock    bool
	assets   map[string]string
	pages    sync.Map // View to *Page
}

// Parse reads the document src of the template name, whose assets are given as
// path ("assets/shoe.jpg") to digest. The error is a problem.List, every
// problem with its position in the file.
func Parse(name string, src []byte, assets map[string]string) (*Template, error) {
	t := &Template{name: name, digest: digestOf(src, assets), assets: maps.Clone(assets)}
	d, err := read(name, src, t.book(), nil)
	if err != nil {
		return nil, err
	}
	t.manifest, t.slots, t.pieces, t.layers, t.themes = d.manifest, d.slots, d.pieces, d.layers, d.themes
	t.noteUses()
	return t, nil
}

// digestOf is the identity of a version: its bytes and those of its assets.
func digestOf(src []byte, assets map[string]string) string {
	h := sha256.New()
	sum := sha256.Sum256(src)
	fmt.Fprintf(h, "%x\n", sum)
	for _, path := range slices.Sorted(maps.Keys(assets)) {
		fmt.Fprintf(h, "%q %s\n", path, assets[path])
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (t *Template) noteUses() {
	used := map[string]bool{}
	for _, s := range t.slots {
		t.clock = t.clock || s.clock
		for _, name := range s.vars {
			used[name] = true
		}
	}
	t.uses = slices.Sorted(maps.Keys(used))
}

// Name is the name that the template is called by: that of its file.
func (t *Template) Name() string { return t.name }

// Digest is the SHA-256 of the source and of the digests of the assets, hex.
func (t *Template) Digest() string { return t.digest }

// Vars are the variables in the order of the manifest; without a manifest, what
// the expressions use, sorted.
func (t *Template) Vars() []Var { return slices.Clone(t.manifest.vars) }

// Sizes are the sizes, the default one first, the others in the order of the
// manifest.
func (t *Template) Sizes() []Size { return slices.Clone(t.manifest.sizes) }

// Uses names the variables that the document reads, sorted. A variable that is
// declared and not used changes no picture.
func (t *Template) Uses() []string { return slices.Clone(t.uses) }

// ReadsClock reports whether the picture depends on the moment of planning.
func (t *Template) ReadsClock() bool { return t.clock }

// Examples are values to show the template with: each variable's example, else
// its default. Variables that have neither are absent.
func (t *Template) Examples() map[string]any {
	out := map[string]any{}
	for _, v := range t.manifest.vars {
		if v.Example != nil {
			out[v.Name] = v.Example
		} else if v.Default != nil {
			out[v.Name] = v.Default
		}
	}
	return out
}

// Themes are the themes that the document has rules for, in their order.
func (t *Template) Themes() []string { return slices.Clone(t.themes) }

// Page is the document compiled for one view.
func (t *Template) Page(v View) (*Page, error) {
	if v.Size == "" {
		v.Size = t.manifest.sizes[0].Name
	}
	if v.Page != AllPages {
		v.Page = max(v.Page, 1)
	}
	if p, ok := t.pages.Load(v); ok {
		return p.(*Page), nil
	}
	i := slices.IndexFunc(t.manifest.sizes, func(s Size) bool { return s.Name == v.Size })
	if i < 0 {
		return nil, t.unknown(SizeNotFound, "size", v.Size, t.manifest.sizeNames())
	}
	if v.Theme != "" && !slices.Contains(t.themes, v.Theme) {
		return nil, t.unknown(ThemeNotFound, "theme", v.Theme, t.themes)
	}
	if v.Page > maxPages {
		return nil, problem.New(problem.Invalid, "page %d is beyond the %d pages that a document may have", v.Page, maxPages)
	}
	p, _ := t.pages.LoadOrStore(v, newPage(t, t.manifest.sizes[i], v))
	return p.(*Page), nil
}

const maxPages = 1000

func (t *Template) unknown(slug, what, name string, names []string) error {
	err := problem.New(problem.NotFound, "the template %q has no %s %q", t.name, what, name).WithSlug(slug)
	if near := expr.Nearest(name, names); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	if len(names) == 0 {
		return err.WithHint("it has no %ss", what)
	}
	return err.WithHint("its %ss are %s", what, list(names))
}
