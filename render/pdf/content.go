package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// resources are what the names in a content stream stand for, by category.
type resources = dict

// A content is a stream of drawing operators in the form that does not depend on
// what else was in its file: what it uses is named in the order in which it uses
// it, and nothing else is in its resources.
type content struct {
	data []byte
	res  resources // category to names to what the file has for them
}

// namers are the operators whose last operand names a resource, with the category
// and the letter of its new names.
var namers = map[string]struct {
	category name
	letter   string
}{
	"gs": {"ExtGState", "G"}, "Tf": {"Font", "F"}, "Do": {"XObject", "X"}, "sh": {"Shading", "S"},
	"cs": {"ColorSpace", "C"}, "CS": {"ColorSpace", "C"}, "scn": {"Pattern", "P"}, "SCN": {"Pattern", "P"},
}

// device are the colour spaces that are no resources.
var device = map[name]bool{"DeviceGray": true, "DeviceRGB": true, "DeviceCMYK": true, "Pattern": true}

// A rewriter rewrites streams that share their resources.
type rewriter struct {
	f      *File
	source resources
	glyphs usage
	names  map[name]map[name]name // category to old to new
	used   resources
}

func newRewriter(f *File, source resources, glyphs usage) *rewriter {
	return &rewriter{f: f, source: source, glyphs: glyphs, names: map[name]map[name]name{}, used: resources{}}
}

// nameless reports whether there is nothing that a stream could name.
func (w *rewriter) nameless() bool {
	for category := range w.source {
		if category != "ProcSet" {
			return false
		}
	}
	return true
}

// rewrite is the content of one stream.
func (w *rewriter) rewrite(data []byte) ([]byte, error) {
	data = collapsed(data)
	s := scan{lexer: lexer{data: data}, w: w, out: make([]byte, 0, len(data)), nameAt: -1}
	for {
		done, err := s.next()
		if err != nil || done {
			return s.out, err
		}
	}
}

// collapsed is data without a clip that repeats the one before it. How often a
// clip stands there depends on what else is printed.
func collapsed(data []byte) []byte {
	const clip = " re\nW n\n"
	out, last := data[:0:0], []byte(nil)
	for len(data) > 0 {
		end := bytes.Index(data, []byte(clip))
		if end < 0 {
			break
		}
		start := bytes.LastIndexByte(data[:end], '\n') + 1
		rectangle := data[start:end]
		if start > 0 || !bytes.Equal(rectangle, last) {
			out = append(out, data[:end+len(clip)]...)
		}
		last, data = rectangle, data[end+len(clip):]
	}
	return append(out, data...)
}

// A scan is a walk through the operators of a stream.
type scan struct {
	lexer
	w    *rewriter
	out  []byte
	from int // what is not written begins there

	name      name // the last operand that is one
	nameAt    int  // where it begins, -1 for none
	nameEnd   int
	nameLast  bool   // it is the last operand of all
	texts     []text // operands
	font      object // that is set
	fontStack []object
}

func (s *scan) next() (done bool, err error) {
	s.skip()
	if s.at >= len(s.data) {
		s.out = append(s.out, s.data[s.from:]...)
		return true, nil
	}
	start := s.at
	switch c := s.data[s.at]; {
	case c == '/':
		o, err := s.lexer.name()
		if err != nil {
			return false, err
		}
		s.name, s.nameAt, s.nameEnd, s.nameLast = o.(name), start, s.at, true
		return false, nil
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9': // most of all that there is, and of no interest
		s.pass()
		s.nameLast = false
		return false, nil
	case c == '(' || c == '<' || c == '[':
		o, err := s.object()
		if err != nil {
			return false, err
		}
		s.operand(o)
		s.nameLast = false
		return false, nil
	}
	word := s.word()
	if word == "" {
		return false, fmt.Errorf("%q is no operator", s.data[s.at])
	}
	if err := s.operator(word); err != nil {
		return false, err
	}
	s.nameAt, s.nameLast, s.texts = -1, false, s.texts[:0]
	return false, nil
}

// operand notes the texts that are shown.
func (s *scan) operand(o object) {
	switch o := o.(type) {
	case text:
		s.texts = append(s.texts, o)
	case array:
		for _, item := range o {
			if t, ok := item.(text); ok {
				s.texts = append(s.texts, t)
			}
		}
	}
}

func (s *scan) operator(word string) error {
	switch word {
	case "q":
		s.fontStack = append(s.fontStack, s.font)
	case "Q":
		if n := len(s.fontStack); n > 0 {
			s.font, s.fontStack = s.fontStack[n-1], s.fontStack[:n-1]
		}
	case "Tj", "TJ", "'", `"`:
		return s.show()
	case "BI":
		return errors.New("an image inside of a page's content")
	case "BDC", "DP":
		if s.nameLast {
			return errors.New("a page's content with properties")
		}
	}
	if n, ok := namers[word]; ok && s.nameAt >= 0 && !(n.category == "ColorSpace" && device[s.name]) {
		return s.rename(n.category, n.letter)
	}
	return nil
}

// rename gives the resource that was named its new name.
func (s *scan) rename(category name, letter string) error {
	w := s.w
	fresh, ok := w.names[category][s.name]
	if !ok {
		have, err := w.f.dictOf(w.source[category])
		if err != nil {
			return err
		}
		o := have[s.name]
		if o == nil {
			return fmt.Errorf("a page's content names %q, which it has not", string(s.name))
		}
		if w.names[category] == nil {
			w.names[category] = map[name]name{}
			w.used[category] = dict{}
		}
		fresh = name(letter + strconv.Itoa(len(w.names[category])))
		w.names[category][s.name] = fresh
		w.used[category].(dict)[fresh] = o
	}
	if category == "Font" {
		s.font = w.used["Font"].(dict)[fresh]
	}
	s.out = append(s.out, s.data[s.from:s.nameAt]...)
	s.out = fresh.print(s.out)
	s.from = s.nameEnd
	return nil
}

// show notes the glyphs that are shown.
func (s *scan) show() error {
	r, ok := s.font.(ref)
	if !ok {
		return errors.New("a text without a font")
	}
	for _, t := range s.texts {
		s.w.glyphs.add(r, t)
	}
	return nil
}

// A usage is the texts that are shown in fonts, as sets of their bytes: one for
// each character in a Type 3 font, else two.
type usage map[ref]*codes

type codes struct {
	single map[byte]bool
	double map[uint16]bool
	odd    bool // a text has half of a code of two bytes
}

func (u usage) add(r ref, t text) {
	c := u[r]
	if c == nil {
		c = &codes{single: map[byte]bool{}, double: map[uint16]bool{}}
		u[r] = c
	}
	for i, b := range t {
		c.single[b] = true
		if i%2 == 1 {
			c.double[uint16(t[i-1])<<8|uint16(b)] = true
		}
	}
	c.odd = c.odd || len(t)%2 == 1
}
