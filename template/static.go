package template

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A rawPart of an address is text or an expression, as read.
type rawPart struct {
	text string
	mark *markup.Mark
}

// address puts an address into the document, judged now if it is all text.
func (r *reader) address(p place, parts []rawPart, offset int, entities bool) {
	s := &slot{place: p}
	static := true
	var text strings.Builder
	for _, raw := range parts {
		if raw.mark == nil {
			text.WriteString(raw.text)
			s.parts = append(s.parts, part{text: raw.text})
			continue
		}
		static = false
		if program := r.compile(*raw.mark, entities); program != nil {
			s.parts = append(s.parts, part{program: program})
		}
	}
	if !static {
		s.at = r.At(offset)
		r.addSlot(s)
		return
	}
	r.staticAddress(p, text.String(), offset)
}

var cssData = regexp.MustCompile(`^(?i:data:(?:font/|application/(?:x-)?font-))`)

func (r *reader) staticAddress(p place, text string, offset int) {
	if p == inCSSURL && cssData.MatchString(text) {
		r.emit(encode(clean(text)))
		return
	}
	resolved, err := r.book.resolve(text, p)
	if err != nil {
		r.report(offset, err)
		return
	}
	shown, asset, remote := printed(resolved, p)
	if asset != nil || remote != nil {
		if r.referred++; r.referred == maxReferred+1 {
			r.report(offset, problem.New(problem.TooLarge, "the document refers to more than the %d files allowed", maxReferred))
		}
	}
	r.pieces = append(r.pieces, piece{text: escapeHTML(shown), size: r.size, asset: asset, remote: remote})
	if id, ok := strings.CutPrefix(clean(text), "#"); ok && r.repeats(id) {
		r.suffix()
	}
}

// cssText is the CSS between two offsets; in an attribute its entities are decoded.
func (r *reader) cssText(start, end int, entities bool) cssText {
	var out cssText
	var b strings.Builder
	add := func(from, to int) {
		if i := bytes.Index(r.Src[from:to], []byte("{{")); i >= 0 {
			r.invalid(from+i, "{{ is not closed").slug(BadExpression)
		}
		text := string(r.Src[from:to])
		if entities {
			text = unescapeAttr(text)
		}
		b.WriteString(text)
		for i := range len(text) {
			out.at = append(out.at, min(from+i, to))
		}
	}
	from := start
	out.marks = slices.Clone(r.marksIn(start, end))
	for _, m := range out.marks {
		add(from, m.Start)
		b.WriteByte(hole)
		out.at = append(out.at, m.Start)
		from = m.End
	}
	add(from, end)
	out.text = b.String()
	return out
}
