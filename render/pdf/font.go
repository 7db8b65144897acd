package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// font is the font that r is, with no more than the glyphs that are used.
func (b *builder) font(r ref, d dict) (ref, error) {
	used := b.glyphs[r]
	if used == nil {
		used = &codes{}
	}
	switch d["Subtype"] {
	case name("Type3"):
		return b.type3(d, used)
	case name("Type0"):
		return b.type0(d, used)
	}
	return 0, fmt.Errorf("a font of the kind %s", orNull(d["Subtype"]).print(nil))
}

// type0 is a font of a TrueType file. Any other kind of file keeps all its glyphs.
func (b *builder) type0(d dict, used *codes) (ref, error) {
	descendants, err := b.f.arrayOf(d["DescendantFonts"])
	if err != nil {
		return 0, err
	}
	if used.odd || d["Encoding"] != name("Identity-H") || len(descendants) != 1 {
		return 0, errors.New("a font with an encoding of its own")
	}
	cid, err := b.f.dictOf(descendants[0])
	if err != nil {
		return 0, err
	}
	descriptor, err := b.f.dictOf(cid["FontDescriptor"])
	if err != nil {
		return 0, err
	}
	if descriptor["FontFile2"] == nil || cid["CIDToGIDMap"] != name("Identity") {
		b.whole = true
		return b.generic(d)
	}
	font, err := b.f.trueType(descriptor["FontFile2"])
	if err != nil {
		return 0, err
	}
	part := &face{base: font, name: plainName(d["BaseFont"])}
	if part.outlines, err = font.outlines(used.double); err != nil {
		return 0, err
	}
	if part.descriptor, err = b.copied(without(descriptor, "FontFile2", "FontName", "CIDSet")); err != nil {
		return 0, err
	}
	if part.cid, err = b.copied(without(cid, "FontDescriptor", "W", "DW", "BaseFont")); err != nil {
		return 0, err
	}
	if part.widths, err = b.widths(cid, used.double); err != nil {
		return 0, err
	}
	if part.meanings, err = b.meanings(d["ToUnicode"], func(code int) bool { return used.double[uint16(code)] }); err != nil {
		return 0, err
	}
	return b.out.faces.add(part, b.out.reserve), nil
}

func without(d dict, keys ...name) dict {
	d = maps.Clone(d)
	for _, key := range keys {
		delete(d, key)
	}
	return d
}

// plainName is the name of a font without the tag that tells its subset from others.
func plainName(o object) string {
	n, _ := o.(name)
	plain := string(n)
	if i := strings.IndexByte(plain, '+'); i == 6 {
		plain = plain[7:]
	}
	return plain
}

// tagged is the name of a font with a tag that is made of the font's bytes, so that
// equal ones have equal names.
func tagged(plain string, file []byte) name {
	sum := sha256.Sum256(file)
	tag := make([]byte, 6, 7+len(plain))
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return name(append(append(tag, '+'), plain...))
}

func (b *builder) streamOf(o object) (*stream, []byte, error) {
	o, err := b.f.get(orNull(o))
	if err != nil {
		return nil, nil, err
	}
	s, ok := o.(*stream)
	if !ok {
		return nil, nil, errors.New("a stream is missing")
	}
	data, err := b.f.decode(s)
	return s, data, err
}

// trueType is a font of the file. It is read once, for all files that are made of
// this one.
func (f *File) trueType(o object) (*trueType, error) {
	r, ok := o.(ref)
	if font := f.fonts[r]; ok && font != nil {
		return font, nil
	}
	s, err := f.get(o)
	if err != nil {
		return nil, err
	}
	file, isStream := s.(*stream)
	if !isStream {
		return nil, errFont
	}
	data, err := f.decode(file)
	if err != nil {
		return nil, err
	}
	font, err := readTrueType(data)
	if err == nil && ok {
		f.fonts[r] = font
	}
	return font, err
}

// packers are reused: one takes a megabyte. Short streams have their own: to clear
// the tables of the thorough kind takes longer than to pack them.
var thorough, quick = packers(zlib.DefaultCompression), packers(zlib.BestSpeed)

func packers(level int) *sync.Pool {
	return &sync.Pool{New: func() any {
		w, err := zlib.NewWriterLevel(nil, level)
		if err != nil {
			panic(err) // there is no such level
		}
		return w
	}}
}

const short = 1 << 10

// packed is data as a compressed stream.
func packed(data []byte, d dict) *stream {
	pool := thorough
	if len(data) < short {
		pool = quick
	}
	var out bytes.Buffer
	w := pool.Get().(*zlib.Writer)
	defer pool.Put(w)
	w.Reset(&out)
	_, _ = w.Write(data) // to memory, which does not fail
	_ = w.Close()
	d["Filter"] = name("FlateDecode")
	return &stream{dict: d, data: out.Bytes()}
}

// widths are those of used glyphs.
func (b *builder) widths(cid dict, used map[uint16]bool) (map[int]number, error) {
	known, err := b.allWidths(cid)
	if err != nil {
		return nil, err
	}
	rest := number("1000")
	if dw, ok := cid["DW"].(number); ok {
		rest = dw
	}
	out := make(map[int]number, len(used))
	for code := range used {
		width, ok := known[int(code)]
		if !ok {
			width = rest
		}
		out[int(code)] = width
	}
	return out, nil
}

// allWidths reads the two forms of widths: those of glyphs one after another, and
// one for a range.
func (b *builder) allWidths(cid dict) (map[int]number, error) {
	list, err := b.f.arrayOf(cid["W"])
	if err != nil {
		return nil, err
	}
	known, budget := map[int]number{}, maxRanges
	bad := errors.New("a font with widths that can't be read")
	integerAt := func(i int) (int, bool) {
		if i >= len(list) {
			return 0, false
		}
		n, _ := list[i].(number)
		v, ok := n.int()
		return v, ok && v >= 0 && v <= 0xffff
	}
	for i := 0; i < len(list); {
		first, ok := integerAt(i)
		if !ok || i+1 >= len(list) {
			return nil, bad
		}
		if run, ok := list[i+1].(array); ok {
			for k, w := range run {
				n, ok := w.(number)
				if !ok {
					return nil, bad
				}
				known[first+k] = n
			}
			i += 2
			continue
		}
		last, ok := integerAt(i + 1)
		if !ok || i+2 >= len(list) {
			return nil, bad
		}
		n, ok := list[i+2].(number)
		if !ok {
			return nil, bad
		}
		if budget -= last - first; budget < 0 {
			return nil, bad
		}
		for code := first; code <= last; code++ {
			known[code] = n
		}
		i += 3
	}
	return known, nil
}

// type3 is a font whose glyphs are drawings.
func (b *builder) type3(d dict, used *codes) (ref, error) {
	encoding, err := b.encoding(d)
	if err != nil {
		return 0, err
	}
	procs, err := b.f.dictOf(d["CharProcs"])
	if err != nil {
		return 0, err
	}
	source, err := b.f.dictOf(d["Resources"])
	if err != nil {
		return 0, err
	}
	shown := slices.Sorted(maps.Keys(used.single))
	if len(shown) == 0 { // it is set, and nothing shown in it
		shown = []byte{0}
	}
	first, last := int(shown[0]), int(shown[len(shown)-1])
	widths, err := b.type3Widths(d, shown)
	if err != nil {
		return 0, err
	}
	out := dict{
		"Type": name("Font"), "Subtype": name("Type3"), "FontMatrix": orNull(d["FontMatrix"]), "FontBBox": array{number("0"), number("0"), number("0"), number("0")},
		"FirstChar": integer(first), "LastChar": integer(last), "Widths": widths,
	}
	glyphs, differences := dict{}, array{}
	w, previous := newRewriter(b.f, source, b.glyphs), -2
	for _, code := range shown {
		drawing, err := b.glyph(procs, encoding[code], w)
		if err != nil {
			return 0, err
		}
		own := name(fmt.Sprintf("g%02X", code))
		if glyphs[own], err = b.out.share(drawing); err != nil {
			return 0, err
		}
		if int(code) != previous+1 {
			differences = append(differences, integer(int(code)))
		}
		differences, previous = append(differences, own), int(code)
	}
	if w.used["Font"] != nil {
		return 0, errors.New("a font whose glyphs are texts")
	}
	if err := b.lookAround(w.used, 0); err != nil {
		return 0, err
	}
	out["CharProcs"], out["Encoding"] = glyphs, dict{"Type": name("Encoding"), "Differences": differences}
	if out["Resources"], err = b.copied(w.used); err != nil {
		return 0, err
	}
	if descriptor, err := b.f.dictOf(d["FontDescriptor"]); err != nil {
		return 0, err
	} else if descriptor != nil {
		if descriptor, err = b.copied(descriptor); err != nil {
			return 0, err
		}
		descriptor["FontName"] = tagged(plainName(descriptor["FontName"]), glyphs.print(nil))
		if out["FontDescriptor"], err = b.out.share(descriptor); err != nil {
			return 0, err
		}
	}
	if out["ToUnicode"], err = b.toUnicode(d["ToUnicode"], 1, func(code int) bool { return used.single[byte(code)] }); err != nil {
		return 0, err
	}
	return b.out.share(out)
}

// glyph is how a glyph is drawn; one that the font has not is nothing. Those of a
// font without resources name none, and stay as they are.
func (b *builder) glyph(procs dict, glyph name, w *rewriter) (*stream, error) {
	if procs[glyph] == nil {
		return packed([]byte("0 0 d0"), dict{}), nil
	}
	r, isRef := procs[glyph].(ref)
	if have := b.f.glyphs[r]; isRef && have != nil {
		return have, nil
	}
	o, err := b.f.get(procs[glyph])
	if err != nil {
		return nil, err
	}
	s, ok := o.(*stream)
	if !ok {
		return nil, errors.New("a stream is missing")
	}
	if !w.nameless() {
		data, err := b.f.decode(s)
		if err != nil {
			return nil, err
		}
		own, err := w.rewrite(data)
		return packed(own, dict{}), err
	}
	out := &stream{dict: dict{}, data: s.data}
	if s.dict["Filter"] != nil {
		out.dict["Filter"] = name("FlateDecode")
	}
	if isRef {
		b.f.glyphs[r] = out
	}
	return out, nil
}

// encoding is the name of each code's glyph.
func (b *builder) encoding(d dict) (names [256]name, err error) {
	encoding, err := b.f.dictOf(d["Encoding"])
	if err != nil {
		return names, err
	}
	differences, err := b.f.arrayOf(encoding["Differences"])
	if err != nil {
		return names, err
	}
	code := 0
	for _, o := range differences {
		switch o := o.(type) {
		case number:
			code, _ = o.int()
		case name:
			if code < 0 || code > 255 {
				return names, errors.New("a font with an encoding that can't be read")
			}
			names[code] = o
			code++
		}
	}
	return names, nil
}

func (b *builder) type3Widths(d dict, shown []byte) (array, error) {
	list, err := b.f.arrayOf(d["Widths"])
	if err != nil {
		return nil, err
	}
	n, _ := d["FirstChar"].(number)
	first, ok := n.int()
	if !ok {
		return nil, errors.New("a font with widths that can't be read")
	}
	out := slices.Repeat(array{number("0")}, int(shown[len(shown)-1])-int(shown[0])+1)
	for _, code := range shown {
		if i := int(code) - first; i >= 0 && i < len(list) {
			if w, ok := list[i].(number); ok {
				out[int(code)-int(shown[0])] = w
			}
		}
	}
	return out, nil
}
