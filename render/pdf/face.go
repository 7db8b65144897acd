package pdf

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// A face is a TrueType font of a file that is written, with the glyphs that its
// pages show. It is written when all pages are known.
type face struct {
	ref             ref
	base            *trueType
	name            string
	descriptor, cid dict // without what depends on the glyphs
	outlines        map[uint16]outline
	widths          map[int]number
	meanings        map[int]text // of the glyphs, as UTF-16
}

// faces are those of a file, in the order in which its pages use them.
type faces struct {
	list    []*face
	byGroup map[string][]*face
}

// add puts part into the face of the same font, and gives its number. Fonts that
// only look the same are told by glyphs of one number that differ.
func (l *faces) add(part *face, reserve func() ref) ref {
	group := fmt.Sprintf("%s %x %s %s", part.name, part.base.design(), part.descriptor.print(nil), part.cid.print(nil))
	for _, have := range l.byGroup[group] {
		if have.agrees(part) {
			have.take(part.outlines)
			maps.Copy(have.widths, part.widths)
			maps.Copy(have.meanings, part.meanings)
			return have.ref
		}
	}
	own := part.outlines
	part.ref, part.outlines = reserve(), make(map[uint16]outline, len(own))
	part.take(own)
	l.list = append(l.list, part)
	if l.byGroup == nil {
		l.byGroup = map[string][]*face{}
	}
	l.byGroup[group] = append(l.byGroup[group], part)
	return part.ref
}

// take copies outlines: they are parts of a file that is not to be kept for them.
func (f *face) take(outlines map[uint16]outline) {
	for id, o := range outlines {
		if _, ok := f.outlines[id]; !ok {
			f.outlines[id] = outline{slices.Clone(o.glyph), slices.Clone(o.metric)}
		}
	}
}

// agrees reports whether f and part are the same where both have something.
func (f *face) agrees(part *face) bool {
	for id, o := range part.outlines {
		if have, ok := f.outlines[id]; ok && !(bytes.Equal(have.glyph, o.glyph) && bytes.Equal(have.metric, o.metric)) {
			return false
		}
	}
	for code, w := range part.widths {
		if have, ok := f.widths[code]; ok && have != w {
			return false
		}
	}
	for code, t := range part.meanings {
		if have, ok := f.meanings[code]; ok && !bytes.Equal(have, t) {
			return false
		}
	}
	return true
}

// write puts f into a file.
func (f *face) write(out *output) (err error) {
	data := f.base.file(f.outlines)
	tag := tagged(f.name, data)
	descriptor, cid := maps.Clone(f.descriptor), maps.Clone(f.cid)
	descriptor["FontName"], cid["BaseFont"] = tag, tag
	if descriptor["FontFile2"], err = out.share(packed(data, dict{"Length1": integer(len(data))})); err != nil {
		return err
	}
	if cid["FontDescriptor"], err = out.share(descriptor); err != nil {
		return err
	}
	cid["W"], cid["DW"] = f.runs(), number("0")
	descendant, err := out.share(cid)
	if err != nil {
		return err
	}
	top := dict{"Type": name("Font"), "Subtype": name("Type0"), "Encoding": name("Identity-H"), "BaseFont": tag, "DescendantFonts": array{descendant}}
	if len(f.meanings) > 0 {
		if top["ToUnicode"], err = out.share(packed(writeCMap(f.meanings, 2), dict{})); err != nil {
			return err
		}
	}
	return out.put(f.ref, top)
}

// runs are the widths, those of neighbours in one array.
func (f *face) runs() array {
	out, run, last := array{}, array(nil), -2
	for _, code := range slices.Sorted(maps.Keys(f.widths)) {
		if code != last+1 {
			run = nil
			out = append(out, integer(code), nil)
		}
		run, last = append(run, f.widths[code]), code
		out[len(out)-1] = run
	}
	return out
}
