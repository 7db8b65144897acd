package pdf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A builder copies objects of one file into an output.
type builder struct {
	f        *File
	out      *output
	glyphs   usage
	contents map[*stream]*content
	made     map[ref]ref
	open     map[ref]bool // is being copied
	whole    bool         // a font could not be made smaller
}

func newBuilder(f *File, out *output) *builder {
	return &builder{
		f: f, out: out, glyphs: usage{}, contents: map[*stream]*content{}, made: map[ref]ref{}, open: map[ref]bool{},
	}
}

// look notes all that a page shows, before anything of it is copied.
func (b *builder) look(p *Page) error {
	s, err := b.pageStream(p)
	if err != nil {
		return err
	}
	return b.lookInto(s, p.source, 0)
}

// pageStream is the content of a page, as one stream.
func (b *builder) pageStream(p *Page) (*stream, error) {
	o, err := b.f.get(orNull(p.dict["Contents"]))
	if err != nil {
		return nil, err
	}
	if a, ok := o.(array); ok && len(a) == 1 {
		o, err = b.f.get(a[0])
		if err != nil {
			return nil, err
		}
	}
	s, ok := o.(*stream)
	if !ok {
		return nil, errors.New("the content of a page is not one stream")
	}
	return s, nil
}

// maxForms is how deep drawings may stand in each other.
const maxForms = 32

// lookInto rewrites the content of s, and of all that it draws.
func (b *builder) lookInto(s *stream, source resources, depth int) error {
	if b.contents[s] != nil {
		return nil
	}
	if depth > maxForms {
		return fmt.Errorf("more than %d drawings stand in each other", maxForms)
	}
	data, err := b.f.decode(s)
	if err != nil {
		return err
	}
	w := newRewriter(b.f, source, b.glyphs)
	if data, err = w.rewrite(data); err != nil {
		return err
	}
	b.contents[s] = &content{data: data, res: w.used}
	return b.lookAround(w.used, depth)
}

// lookAround looks into all that a content uses.
func (b *builder) lookAround(used resources, depth int) error {
	for _, category := range []name{"XObject", "Pattern", "ExtGState"} {
		group, _ := used[category].(dict)
		for _, key := range slices.Sorted(maps.Keys(group)) {
			if err := b.lookAt(group[key], depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookAt looks for contents in a drawing, a pattern or a state.
func (b *builder) lookAt(o object, depth int) error {
	o, err := b.f.get(o)
	if err != nil {
		return err
	}
	switch o := o.(type) {
	case *stream:
		if !drawn(o) {
			return nil
		}
		source, err := b.f.dictOf(o.dict["Resources"])
		if err != nil {
			return err
		}
		return b.lookInto(o, source, depth)
	case dict:
		mask, err := b.f.get(orNull(o["SMask"]))
		if err != nil {
			return err
		}
		if m, ok := mask.(dict); ok {
			return b.lookAt(orNull(m["G"]), depth+1)
		}
	}
	return nil
}

// drawn reports whether a stream is made of drawing operators.
func drawn(s *stream) bool {
	return s.dict["Subtype"] == name("Form") || s.dict["PatternType"] == number("1")
}

// reference copies what r refers to.
func (b *builder) reference(r ref) (object, error) {
	if made, ok := b.made[r]; ok {
		return made, nil
	}
	if b.open[r] {
		return nil, errors.New("an object contains itself")
	}
	b.open[r] = true
	defer delete(b.open, r)
	o, err := b.f.load(r)
	if err != nil {
		return nil, err
	}
	var made ref
	switch o := o.(type) {
	case dict:
		switch o["Type"] {
		case name("Page"), name("Pages"), name("Catalog"):
			return nil, errors.New("an object contains its page")
		case name("Font"):
			made, err = b.font(r, o)
		default:
			made, err = b.generic(o)
		}
	case *stream:
		made, err = b.streamed(o)
	case ref:
		return b.copy(o)
	default:
		made, err = b.generic(o)
	}
	if err != nil {
		return nil, err
	}
	b.made[r] = made
	return made, nil
}

// generic copies an object with all that it refers to.
func (b *builder) generic(o object) (ref, error) {
	o, err := b.copy(o)
	if err != nil {
		return 0, err
	}
	return b.out.share(o)
}

func (b *builder) streamed(s *stream) (ref, error) {
	if c := b.contents[s]; c != nil {
		made, err := b.drawing(s.dict, c)
		if err != nil {
			return 0, err
		}
		return b.out.share(made)
	}
	if drawn(s) {
		return 0, errors.New("a drawing that no page shows")
	}
	d, err := b.copied(without(s.dict, "Length"))
	if err != nil {
		return 0, err
	}
	return b.out.share(&stream{dict: d, data: s.data})
}

// drawing is a stream of operators with what it uses.
func (b *builder) drawing(d dict, c *content) (*stream, error) {
	d, err := b.copied(without(d, "Length", "Filter", "Resources"))
	if err != nil {
		return nil, err
	}
	if d["Resources"], err = b.copied(c.res); err != nil {
		return nil, err
	}
	return packed(c.data, d), nil
}

func (b *builder) copied(d dict) (dict, error) {
	out := make(dict, len(d))
	for _, key := range slices.Sorted(maps.Keys(d)) {
		var err error
		if out[key], err = b.copy(d[key]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *builder) copy(o object) (object, error) {
	switch o := o.(type) {
	case ref:
		return b.reference(o)
	case dict:
		return b.copied(o)
	case array:
		out := make(array, len(o))
		for i := range o {
			var err error
			if out[i], err = b.copy(o[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return o, nil
}
