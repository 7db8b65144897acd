package fontfile

import (
	"encoding/binary"
)

// maxSpans bounds what a hostile table may claim.
const maxSpans = 100_000

// lettersOf reads which letters a font has: the widest of its tables.
func lettersOf(cmap []byte) []span {
	if len(cmap) < 4 {
		return nil
	}
	var best []span
	most := 0
	for i := range int(binary.BigEndian.Uint16(cmap[2:])) {
		at := 4 + 8*i
		if at+8 > len(cmap) {
			break
		}
		platform, encoding := binary.BigEndian.Uint16(cmap[at:]), binary.BigEndian.Uint16(cmap[at+2:])
		offset := int64(binary.BigEndian.Uint32(cmap[at+4:]))
		if platform != 0 && (platform != windows || encoding != 1 && encoding != 10) || offset+16 > int64(len(cmap)) {
			continue
		}
		spans := spansOf(cmap[offset:])
		letters := 0
		for _, s := range spans {
			letters += int(s.to-s.from) + 1
		}
		if letters > most {
			best, most = spans, letters
		}
	}
	return best
}

func spansOf(table []byte) []span {
	switch binary.BigEndian.Uint16(table) {
	case 4:
		return spansOf4(table)
	case 12, 13:
		return spansOf12(table)
	}
	return nil
}

// spansOf4 reads segments of letters below 65536. Ones whose glyphs are listed one
// by one may have holes.
func spansOf4(table []byte) (spans []span) {
	n := int(binary.BigEndian.Uint16(table[6:])) / 2
	ends, starts, deltas, offsets := 14, 16+2*n, 16+4*n, 16+6*n
	if offsets+2*n > len(table) {
		return nil
	}
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(table[at:])) }
	for i := range n {
		from, to, delta, offset := u16(starts+2*i), u16(ends+2*i), u16(deltas+2*i), u16(offsets+2*i)
		if from > to || from == 0xffff {
			continue
		}
		if offset == 0 {
			spans = append(spans, span{rune(from), rune(min(to, 0xfffe))})
			continue
		}
		for c := from; c <= to && len(spans) < maxSpans; c++ {
			at := offsets + 2*i + offset + 2*(c-from)
			if at+2 > len(table) {
				break
			}
			if glyph := u16(at); glyph == 0 || (glyph+delta)&0xffff == 0 {
				continue
			}
			if last := len(spans) - 1; last >= 0 && spans[last].to == rune(c-1) {
				spans[last].to = rune(c)
			} else {
				spans = append(spans, span{rune(c), rune(c)})
			}
		}
	}
	return spans
}

// spansOf12 reads groups of letters.
func spansOf12(table []byte) (spans []span) {
	n := int64(binary.BigEndian.Uint32(table[12:]))
	for i := range min(n, maxSpans) {
		at := 16 + 12*i
		if at+12 > int64(len(table)) {
			break
		}
		from, to := binary.BigEndian.Uint32(table[at:]), binary.BigEndian.Uint32(table[at+4:])
		if from <= to && to <= 0x10ffff {
			spans = append(spans, span{rune(from), rune(to)})
		}
	}
	return spans
}
