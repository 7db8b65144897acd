package pdf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf16"
)

// toUnicode is the table of what the characters of a font mean, for those of which
// keep is true. size is the number of bytes of a code.
func (b *builder) toUnicode(o object, size int, keep func(code int) bool) (object, error) {
	all, err := b.meanings(o, keep)
	if err != nil || len(all) == 0 {
		return null, err
	}
	return b.out.share(packed(writeCMap(all, size), dict{}))
}

// meanings are what the table o says of the codes of which keep is true.
func (b *builder) meanings(o object, keep func(code int) bool) (map[int]text, error) {
	if o == nil {
		return map[int]text{}, nil
	}
	_, data, err := b.streamOf(o)
	if err != nil {
		return nil, err
	}
	all, err := readCMap(data)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(code int, _ text) bool { return !keep(code) })
	return all, nil
}

var errCMap = errors.New("a table of characters that can't be read")

// readCMap reads the meanings of codes, as UTF-16.
func readCMap(data []byte) (map[int]text, error) {
	all := map[int]text{}
	l := lexer{data: data}
	for {
		l.skip()
		if l.at >= len(l.data) {
			return all, nil
		}
		var err error
		switch c := l.data[l.at]; {
		case delimiter[c] && c != '/':
			_, err = l.object()
			if err != nil { // procedures are passed over
				l.at++
				err = nil
			}
		case c == '/':
			_, err = l.name()
		default:
			switch word := l.word(); word {
			case "beginbfchar":
				err = readChars(&l, all)
			case "beginbfrange":
				err = readRanges(&l, all)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (l *lexer) texts(n int, end string) (list []text, done bool, err error) {
	if l.accept(end) {
		return nil, true, nil
	}
	for range n {
		o, err := l.object()
		if err != nil {
			return nil, false, err
		}
		t, ok := o.(text)
		if !ok {
			return nil, false, errCMap
		}
		list = append(list, t)
	}
	return list, false, nil
}

func readChars(l *lexer, all map[int]text) error {
	for {
		pair, done, err := l.texts(2, "endbfchar")
		if err != nil || done {
			return err
		}
		code, ok := codeOf(pair[0])
		if !ok {
			return errCMap
		}
		all[code] = pair[1]
	}
}

// maxRanges is how many codes all ranges of a font may have together: no font has
// as many glyphs, and a table could repeat them without end.
const maxRanges = 1 << 17

func readRanges(l *lexer, all map[int]text) error {
	budget := maxRanges
	for {
		run, done, err := l.texts(3, "endbfrange")
		if err != nil || done {
			return err
		}
		first, ok := codeOf(run[0])
		last, ok2 := codeOf(run[1])
		if budget -= last - first; !ok || !ok2 || len(run[2]) < 2 || budget < 0 {
			return errCMap
		}
		for code := first; code <= last; code++ {
			t := slices.Clone(run[2])
			low := int(t[len(t)-2])<<8 + int(t[len(t)-1]) + code - first
			t[len(t)-2], t[len(t)-1] = byte(low>>8), byte(low)
			all[code] = t
		}
	}
}

func codeOf(t text) (int, bool) {
	switch len(t) {
	case 1:
		return int(t[0]), true
	case 2:
		return int(t[0])<<8 | int(t[1]), true
	}
	return 0, false
}

// writeCMap is the table of meanings, one entry for each code.
func writeCMap(all map[int]text, size int) []byte {
	low, high := "<00>", "<FF>"
	if size == 2 {
		low, high = "<0000>", "<FFFF>"
	}
	out := fmt.Appendf(nil, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"+
		"/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"+
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n%s %s\nendcodespacerange\n", low, high)
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(all)), 100) { // as many as a section may have
		out = fmt.Appendf(out, "%d beginbfchar\n", len(chunk))
		for _, code := range chunk {
			out = fmt.Appendf(out, "<%0*X> <%X>\n", 2*size, code, []byte(all[code]))
		}
		out = append(out, "endbfchar\n"...)
	}
	return append(out, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"...)
}

// textString is s as texts for people are written.
func textString(s string) text {
	ascii := true
	for _, r := range s {
		ascii = ascii && r >= ' ' && r <= '~'
	}
	if ascii {
		return text(s)
	}
	out := text{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return out
}
