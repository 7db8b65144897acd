package template

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of this room's problems.
const (
	MissingVariable = "missing_variable"
	WrongType       = "wrong_type"
	TooLong         = "too_long"
	BadExpression   = "bad_expression"
	BadURL          = "bad_url"
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
	slots    []slot
	pieces   []piece
	uses     []string
	clock    bool
	assets   map[string]string
	pages    map[string]*Page
}

// Parse reads the document src of the template name, whose assets are given as
// path ("assets/shoe.jpg") to digest. The error is a problem.List, every
// problem with its position in the file.
func Parse(name string, src []byte, assets map[string]string) (*Template, error) {
	t := &Template{name: name, digest: digestOf(src, assets), assets: maps.Clone(assets)}
	d, err := read(name, src, t.book())
	if err != nil {
		return nil, err
	}
	t.manifest, t.slots, t.pieces = d.manifest, d.slots, d.pieces
	t.noteUses()
	t.pages = make(map[string]*Page, len(t.manifest.sizes))
	for _, size := range t.manifest.sizes {
		t.pages[size.Name] = newPage(t, size)
	}
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

// Page is the document compiled for one size; "" is the default size.
func (t *Template) Page(size string) (*Page, error) {
	if size == "" {
		size = t.manifest.sizes[0].Name
	}
	if p, ok := t.pages[size]; ok {
		return p, nil
	}
	err := problem.New(problem.NotFound, "the template %q has no size %q", t.name, size).WithSlug(SizeNotFound)
	names := t.manifest.sizeNames()
	if near := expr.Nearest(size, names); near != "" {
		return nil, err.WithHint("did you mean %q?", near)
	}
	return nil, err.WithHint("its sizes are %s", list(names))
}
