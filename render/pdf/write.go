package pdf

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"math"
	"net/url"
	"strings"
)

// Info is what a file says about itself.
type Info struct {
	Title    string // "" for none
	Language string // of its texts, as HTML names it; "" for none
}

// A Leaf is a page as it is put on paper. Sizes are in points, 72 to the inch.
type Leaf struct {
	Page          *Page
	Width, Height float64 // of what is shown of the page, from its upper left corner
	Paper         [2]float64
	Scale         float64 // of the page
	Left, Top     float64 // of the page's corner, from the upper left of the paper
}

// A Writer writes a file page by page. It keeps of each page no more than the
// hashes of its objects, and the outlines of its TrueType fonts.
type Writer struct {
	// Link says which addresses links may lead to; nil is Public.
	Link func(address string) bool

	out         *output
	root, pages ref
	kids        array
	producer    object
	whole       bool
	title       string // of the bookmark of the next page
	marks       []mark
	err         error
}

// Public reports whether an address leads to what anybody may open: a page of the
// web, somebody's mailbox or phone.
func Public(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https", "mailto", "tel", "sms":
		return true
	}
	return false
}

// NewWriter begins a file. Close ends it.
func NewWriter(w io.Writer) *Writer {
	out, err := newOutput(w)
	x := &Writer{out: out, err: err}
	x.root, x.pages = out.reserve(), out.reserve()
	return x
}

// Leaf adds a page on its paper. A page that can't be read is an error of
// problem.Invalid.
func (w *Writer) Leaf(l Leaf) error {
	return w.add(l.Page, func(b *builder) (ref, error) { return w.leaf(b, l) })
}

// Page adds a page as it is.
func (w *Writer) Page(p *Page) error {
	return w.add(p, func(b *builder) (ref, error) { return w.plain(b, p) })
}

// Whole reports whether a font had to be taken with glyphs that its page does not
// show.
func (w *Writer) Whole() bool { return w.whole }

// add copies each page for itself: whether two pages of a print have a font in
// common is Chrome's chance. What they have in common is in the file once.
func (w *Writer) add(p *Page, leaf func(b *builder) (ref, error)) error {
	if w.err != nil {
		return w.err
	}
	b := newBuilder(p.file, w.out)
	if err := b.look(p); err != nil {
		return w.fail(damaged("%w", err))
	}
	r, err := leaf(b)
	if err != nil {
		return w.fail(err)
	}
	w.kids = append(w.kids, r)
	w.marked(r)
	w.whole = w.whole || b.whole
	if w.producer == nil {
		w.producer = b.producer()
	}
	return nil
}

// fail makes err that of everything that follows: half of a page may be written.
func (w *Writer) fail(err error) error {
	w.err = err
	return err
}

// producer is the program that made a file, as the file has it.
func (b *builder) producer() object {
	info, err := b.f.dictOf(b.f.trailer["Info"])
	if err != nil {
		return null
	}
	if t, ok := info["Producer"].(text); ok {
		return t
	}
	return null
}

// leaf is a page that shows p as one drawing: so patterns keep their place on it
// at every scale.
func (w *Writer) leaf(b *builder, l Leaf) (ref, error) {
	s, err := b.pageStream(l.Page)
	if err != nil {
		return 0, damaged("%w", err)
	}
	box := l.Page.box
	scale, left, bottom := l.Scale, l.Left-l.Scale*box[0], l.Paper[1]-l.Top-l.Scale*box[3]
	form, err := b.drawing(dict{
		"Type": name("XObject"), "Subtype": name("Form"),
		"BBox":   numbers(box[0], box[3]-l.Height, box[0]+l.Width, box[3]),
		"Matrix": numbers(scale, 0, 0, scale, left, bottom),
	}, b.contents[s])
	if err != nil {
		return 0, damaged("%w", err)
	}
	drawn, err := w.out.share(form)
	if err != nil {
		return 0, err
	}
	links, err := w.links(b, l.Page, func(x, y float64) (float64, float64) { return scale*x + left, scale*y + bottom })
	if err != nil {
		return 0, err
	}
	shown, err := w.out.share(&stream{dict: dict{}, data: []byte("/X0 Do")})
	if err != nil {
		return 0, err
	}
	return w.page(numbers(0, 0, l.Paper[0], l.Paper[1]), dict{"XObject": dict{"X0": drawn}}, shown, links)
}

// plain is a page like p.
func (w *Writer) plain(b *builder, p *Page) (ref, error) {
	s, err := b.pageStream(p)
	if err != nil {
		return 0, damaged("%w", err)
	}
	c := b.contents[s]
	res, err := b.copied(c.res)
	if err != nil {
		return 0, damaged("%w", err)
	}
	shown, err := w.out.share(packed(c.data, dict{}))
	if err != nil {
		return 0, err
	}
	links, err := w.links(b, p, func(x, y float64) (float64, float64) { return x, y })
	if err != nil {
		return 0, err
	}
	return w.page(numbers(p.box[:]...), res, shown, links)
}

func (w *Writer) page(box array, res dict, content ref, links array) (ref, error) {
	d := dict{"Type": name("Page"), "Parent": w.pages, "MediaBox": box, "Resources": res, "Contents": content}
	if len(links) > 0 {
		d["Annots"] = links
	}
	r := w.out.reserve()
	return r, w.out.put(r, d)
}

// links are those of p that lead to addresses; others know no place in this file.
func (w *Writer) links(b *builder, p *Page, move func(x, y float64) (float64, float64)) (links array, err error) {
	list, err := b.f.arrayOf(p.dict["Annots"])
	if err != nil {
		return nil, damaged("%w", err)
	}
	for _, o := range list {
		d, err := b.f.dictOf(o)
		if err != nil {
			return nil, damaged("%w", err)
		}
		action, err := b.f.dictOf(d["A"])
		if err != nil {
			return nil, damaged("%w", err)
		}
		address, ok := action["URI"].(text)
		if d["Subtype"] != name("Link") || action["S"] != name("URI") || !ok || !w.allows(string(address)) {
			continue
		}
		at, err := b.f.rectangle(orNull(d["Rect"]))
		if err != nil {
			continue // of a link without a size there is nothing to press
		}
		x0, y0 := move(at[0], at[1])
		x1, y1 := move(at[2], at[3])
		r := w.out.reserve()
		links = append(links, r)
		if err := w.out.put(r, dict{
			"Type": name("Annot"), "Subtype": name("Link"), "Rect": numbers(x0, y0, x1, y1),
			"F": number("4"), "Border": numbers(0, 0, 0), "A": dict{"Type": name("Action"), "S": name("URI"), "URI": address},
		}); err != nil {
			return nil, err
		}
	}
	return links, nil
}

func (w *Writer) allows(address string) bool {
	if w.Link != nil {
		return w.Link(address)
	}
	return Public(address)
}

func numbers(list ...float64) array {
	out := make(array, len(list))
	for i, v := range list {
		out[i] = real(v)
	}
	return out
}

// Close ends the file. A file without pages is an error.
func (w *Writer) Close(info Info) error {
	if w.err != nil {
		return w.err
	}
	if len(w.kids) == 0 {
		return w.fail(errors.New("a PDF without pages"))
	}
	for _, f := range w.out.faces.list {
		if err := f.write(w.out); err != nil {
			return w.fail(err)
		}
	}
	root := dict{"Type": name("Catalog"), "Pages": w.pages}
	about := dict{"Creator": text("pictifyd"), "Producer": w.producer}
	if info.Language != "" {
		root["Lang"] = textString(info.Language)
	}
	if info.Title != "" {
		about["Title"] = textString(info.Title)
		root["ViewerPreferences"] = dict{"DisplayDocTitle": keyword("true")}
	}
	if err := w.out.put(w.pages, dict{"Type": name("Pages"), "Count": integer(len(w.kids)), "Kids": w.kids}); err != nil {
		return w.fail(err)
	}
	if err := w.outline(root); err != nil {
		return w.fail(err)
	}
	if err := w.out.put(w.root, root); err != nil {
		return w.fail(err)
	}
	last := w.out.reserve()
	if err := w.out.put(last, about); err != nil {
		return w.fail(err)
	}
	return w.fail(w.out.finish(w.root, last))
}

// Points are CSS pixels, 96 to the inch, as points.
func Points(pixels float64) float64 { return pixels * 72 / 96 }

// A Part is one file of those that Merge makes one of.
type Part struct {
	Data []byte
	Mark string // "": no bookmark
}

// Merge writes the pages of all parts into one file, with what is equal in several
// of them once: each TrueType font with the glyphs of all, pictures, drawings. Links to addresses
// stay. The first page of a part has its bookmark. One part at a time is in
// memory. An error of parts ends it.
func Merge(w io.Writer, info Info, parts iter.Seq2[Part, error]) error {
	x := NewWriter(w)
	for part, err := range parts {
		if err != nil {
			return err
		}
		f, err := Open(part.Data)
		if err != nil {
			return err
		}
		x.Mark(part.Mark)
		for _, p := range f.pages {
			if err := x.Page(p); err != nil {
				return err
			}
		}
	}
	return x.Close(info)
}

// Split makes a file of each page, with nothing in it that the page does not show.
func Split(data []byte) ([][]byte, error) {
	f, err := Open(data)
	if err != nil {
		return nil, err
	}
	var files [][]byte
	for _, p := range f.pages {
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := w.Page(p); err != nil {
			return nil, err
		}
		if err := w.Close(Info{}); err != nil {
			return nil, err
		}
		files = append(files, out.Bytes())
	}
	return files, nil
}

// Size is the page's in points.
func (p *Page) Size() (width, height float64) {
	return math.Abs(p.box[2] - p.box[0]), math.Abs(p.box[3] - p.box[1])
}
