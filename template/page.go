package template

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"

	figures "github.com/pictifyd/pictifyd/template/element"
	"github.com/pictifyd/pictifyd/template/layout"
)

// A View is what of a template is wanted: one of its sizes, one of its themes, one
// of its pages. The zero View is the first page in the default size.
type View struct {
	Size  string // "" is the default size
	Theme string // "" is the document as it stands
	Page  int    // from 1; 0 is the first, AllPages every one
}

// AllPages is the View.Page of a document to print: every page, each in its own size.
const AllPages = -1

// A Page is a template compiled for one view. It is immutable and safe for
// concurrent use.
type Page struct {
	// Digest is the SHA-256, hex, of all that a picture shows apart from its
	// values: the document, the size, the template's own assets in it. Names,
	// comments, examples and the styles of other sizes are not in it.
	Digest        string
	Width, Height int // of the picture, in CSS pixels; of AllPages those of a page without a size of its own

	// Layout says that the page has text to fit or pictures to place: the layout
	// script must run in it.
	Layout bool

	number int     // AllPages, or that of the page from 1
	plain  []piece // as rows want it that change no layer by name
	full   []piece
	size   int // bytes of text in plain
}

// baseStyle gives the page its exact size and the layers of a page their places.
// Everything in :where() yields to any rule of the template's own.
const baseStyle = `<meta charset="utf-8"><style>` +
	`html,body{margin:0;padding:0;width:%[1]dpx;height:%[2]dpx;overflow:hidden}` +
	`.p-page{position:relative;overflow:hidden;box-sizing:border-box;width:%[1]dpx;height:%[2]dpx}` +
	`:where(.p-page,.p-group)>:where(*){position:absolute;margin:0;box-sizing:border-box}` +
	`:where(.p-stack){display:flex;margin:0;padding:0;list-style:none}` +
	`:where(.p-stack)>:where(*){position:static;margin:0;box-sizing:border-box}` +
	`</style>`

// pageSizeStyle is that of a page with a size of its own.
const pageSizeStyle = `<style>html,body,.p-page{width:%[1]dpx !important;height:%[2]dpx !important}</style>`

func newPage(t *Template, size Size, v View) *Page {
	p := &Page{Width: size.Width, Height: size.Height, number: v.Page}
	shape := shaper{size: size, theme: v.Theme, layout: &p.Layout}
	p.full = joined(shape.pieces(t.pieces))
	shape.plain = true
	p.plain = joined(shape.pieces(t.pieces))
	p.Digest = p.digest()
	return p
}

// A shaper makes the pieces of a template those of one page.
type shaper struct {
	size   Size
	theme  string
	plain  bool
	layout *bool
}

func (s *shaper) pieces(pieces []piece) []piece {
	var out []piece
	for _, p := range pieces {
		out = append(out, s.piece(p)...)
	}
	return out
}

func (s *shaper) piece(p piece) []piece {
	p.body, p.otherwise = s.pieces(p.body), s.pieces(p.otherwise)
	if p.size != "" && p.size != s.size.Name {
		switch p.kind {
		case isSlot:
			return []piece{{kind: isSkipped, slot: p.slot}}
		case isChoice, isLoop: // shows nothing, but its values have to be passed over
			p.size = ""
			return []piece{p}
		}
		return nil
	}
	p.size = ""
	switch p.kind {
	case isText:
		*s.layout = *s.layout || laidOut.MatchString(p.text)
	case isBase:
		return []piece{{text: fmt.Sprintf(baseStyle, s.size.Width, s.size.Height)}}
	case isTheme:
		return []piece{{text: themeText(s.theme, p.attr)}}
	case isPage:
		if s.size.Name != defaultSize && p.page != nil { // a page's own size is another form of the default one
			p.page = nil
		}
	case isLayer, isContent, isShownBy:
		if s.plain {
			return p.body
		}
	case isStyled:
		if s.plain {
			return nil
		}
	}
	return []piece{p}
}

// laidOut finds the directives that the layout script carries out.
var laidOut = regexp.MustCompile(`(?i)[\s/"']p-(?:fit|focus|crop)\s*=`)

func themeText(theme string, alone bool) string {
	switch {
	case theme == "":
		return ""
	case alone:
		return `<html data-theme="` + escapeHTML(theme) + `">`
	}
	return ` data-theme="` + escapeHTML(theme) + `"`
}

func (p *Page) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "page 2 %d %d %d\n", p.Width, p.Height, p.number)
	if p.Layout {
		fmt.Fprintf(h, "layout %s\n", layout.Digest)
	}
	p.size = writeDigest(h, p.full)
	return hex.EncodeToString(h.Sum(nil))
}

// writeDigest writes all that pieces show, and returns the bytes of their text.
func writeDigest(h io.Writer, pieces []piece) (size int) {
	for i := range pieces {
		p := &pieces[i]
		size += len(p.text)
		fmt.Fprintf(h, "%d %d %t %q\n", p.kind, p.layer, p.attr, p.text)
		if p.slot != nil {
			fmt.Fprintf(h, "slot %d %d\n", p.slot.place, p.slot.limit)
		}
		if p.asset != nil {
			fmt.Fprintf(h, "asset %s %s\n", p.asset.Path, p.asset.Digest)
		}
		if p.page != nil {
			fmt.Fprintf(h, "page %d %d\n", p.page.Width, p.page.Height)
		}
		if p.image != nil {
			fmt.Fprintf(h, "image %s %t\n", p.image.onError, p.image.fallback != nil)
		}
		if p.figure != nil {
			fmt.Fprintf(h, "figure %d %s\n", figures.Version, p.figure.element.Kind())
		}
		size += writeDigest(h, p.body)
		fmt.Fprintln(h, "otherwise")
		size += writeDigest(h, p.otherwise)
		fmt.Fprintln(h, "end")
	}
	return size
}
