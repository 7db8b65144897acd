package template

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A Page is a template compiled for one size. It is immutable and safe for
// concurrent use.
type Page struct {
	// Digest is the SHA-256, hex, of all that a picture shows apart from its
	// values: the document, the size, the template's own assets in it. Names,
	// comments, examples and the styles of other sizes are not in it.
	Digest        string
	Width, Height int // of the picture, in CSS pixels

	pieces  []filling
	size    int // bytes of text in pieces
	assets  []Asset
	remotes []Remote
}

// A filling is text, and the slot behind it (-1: none).
type filling struct {
	text  string
	slot  int
	place place
	vars  string
}

// A Document is a page with every value in its place.
type Document struct {
	HTML   string
	Assets []Asset  // that it refers to, each once
	Remote []Remote // that it refers to, each once
}

// baseStyle gives the page its exact size and the layers of a page their places.
// Everything in :where() yields to any rule of the template's own.
const baseStyle = `<meta charset="utf-8"><style>` +
	`html,body{margin:0;padding:0;width:%[1]dpx;height:%[2]dpx;overflow:hidden}` +
	`.p-page{position:relative;overflow:hidden;box-sizing:border-box;width:%[1]dpx;height:%[2]dpx}` +
	`:where(.p-page)>:where(*){position:absolute;margin:0;box-sizing:border-box}` +
	`:where(.p-stack){display:flex;margin:0;padding:0;list-style:none}` +
	`:where(.p-stack)>:where(*){position:static;margin:0;box-sizing:border-box}` +
	`</style>`

func newPage(t *Template, size Size) *Page {
	p := &Page{Width: size.Width, Height: size.Height}
	var text strings.Builder
	for _, piece := range t.pieces {
		if piece.size != "" && piece.size != size.Name {
			continue
		}
		if piece.isBase {
			fmt.Fprintf(&text, baseStyle, size.Width, size.Height)
		}
		text.WriteString(piece.text)
		p.refer(piece.asset, piece.remote, "")
		if piece.isSlot {
			s := t.slots[piece.slot]
			p.pieces = append(p.pieces, filling{text.String(), piece.slot, s.place, strings.Join(s.vars, ", ")})
			text.Reset()
		}
	}
	p.pieces = append(p.pieces, filling{text: text.String(), slot: -1})
	p.Digest = p.digest()
	return p
}

// refer notes what the page itself refers to.
func (p *Page) refer(a *Asset, r *Remote, vars string) {
	if a != nil && !slices.Contains(p.assets, *a) {
		p.assets = append(p.assets, *a)
	}
	if r != nil {
		p.remotes = addRemote(p.remotes, *r, vars)
	}
}

func (p *Page) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "page 1 %d %d\n", p.Width, p.Height)
	for _, f := range p.pieces {
		p.size += len(f.text)
		fmt.Fprintf(h, "%d %t %d\n%s\n", len(f.text), f.slot >= 0, f.place, f.text)
	}
	for _, a := range p.assets {
		fmt.Fprintf(h, "%s %s\n", a.Path, a.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Shown is v with the values that this page does not show left empty, so that
// what only another size shows is no part of this one's fingerprint. Fill makes
// the same document of both.
func (p *Page) Shown(v Values) Values {
	shown := make(Values, len(v))
	for _, f := range p.pieces {
		if f.slot >= 0 && f.slot < len(v) {
			shown[f.slot] = v[f.slot]
		}
	}
	return shown
}

// Fill puts v into the page, each value escaped for its place. Values come from
// Resolve of the same template.
func (p *Page) Fill(v Values) Document {
	doc := Document{Assets: slices.Clone(p.assets), Remote: slices.Clone(p.remotes)}
	size := p.size
	for _, s := range v {
		size += len(s) + len(s)/8
	}
	var b strings.Builder
	b.Grow(size)
	for _, f := range p.pieces {
		b.WriteString(f.text)
		if f.slot >= 0 && f.slot < len(v) {
			b.WriteString(doc.value(f, v[f.slot]))
		}
	}
	doc.HTML = b.String()
	return doc
}

// value is v as it stands in the place of f. An address is noted as well.
func (d *Document) value(f filling, v string) string {
	if !f.place.address() {
		return escape(f.place, v)
	}
	text, asset, remote := printed(v, f.place)
	if asset != nil && !slices.Contains(d.Assets, *asset) {
		d.Assets = append(d.Assets, *asset)
	}
	if remote != nil {
		d.Remote = addRemote(d.Remote, *remote, f.vars)
	}
	return escapeHTML(text)
}

// addRemote adds r once, with the variables of all its places.
func addRemote(list []Remote, r Remote, vars string) []Remote {
	r.Var = vars
	for i := range list {
		if list[i].Path != r.Path {
			continue
		}
		if have := list[i].Var; have != vars && vars != "" {
			list[i].Var = strings.TrimPrefix(have+", "+vars, ", ")
		}
		return list
	}
	return append(list, r)
}
