package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// keptTables are the parts of a TrueType font that a PDF needs.
var keptTables = []string{"cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep"}

var errFont = errors.New("a font that can't be read")

// A trueType is the outlines of a font and what belongs to them.
type trueType struct {
	tables  map[string][]byte
	offsets []int // of glyphs in glyf, and its end
	metrics int   // how many glyphs have an advance of their own
}

func readTrueType(data []byte) (*trueType, error) {
	if len(data) < 12 || binary.BigEndian.Uint32(data) != 0x00010000 {
		return nil, errFont
	}
	t := &trueType{tables: map[string][]byte{}}
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		at := 12 + 16*i
		if at+16 > len(data) {
			return nil, errFont
		}
		offset, length := int(binary.BigEndian.Uint32(data[at+8:])), int(binary.BigEndian.Uint32(data[at+12:]))
		if offset > len(data) || length > len(data)-offset {
			return nil, errFont
		}
		t.tables[string(data[at:at+4])] = data[offset : offset+length]
	}
	for table, least := range map[string]int{"head": 54, "hhea": 36, "maxp": 6, "loca": 2, "glyf": 0, "hmtx": 4} {
		if have, ok := t.tables[table]; !ok || len(have) < least {
			return nil, errFont
		}
	}
	return t, t.readOffsets()
}

func (t *trueType) readOffsets() error {
	loca, glyphs := t.tables["loca"], int(binary.BigEndian.Uint16(t.tables["maxp"][4:]))
	long := binary.BigEndian.Uint16(t.tables["head"][50:]) != 0
	if long && len(loca) < 4*(glyphs+1) || !long && len(loca) < 2*(glyphs+1) {
		return errFont
	}
	t.offsets = make([]int, glyphs+1)
	for i := range t.offsets {
		if long {
			t.offsets[i] = int(binary.BigEndian.Uint32(loca[4*i:]))
		} else {
			t.offsets[i] = 2 * int(binary.BigEndian.Uint16(loca[2*i:]))
		}
		if t.offsets[i] > len(t.tables["glyf"]) || i > 0 && t.offsets[i] < t.offsets[i-1] {
			return errFont
		}
	}
	t.metrics = int(binary.BigEndian.Uint16(t.tables["hhea"][34:]))
	if t.metrics < 1 || t.metrics > glyphs || len(t.tables["hmtx"]) < 4*t.metrics+2*(glyphs-t.metrics) {
		return errFont
	}
	return nil
}

func (t *trueType) glyph(id uint16) []byte {
	if int(id)+1 >= len(t.offsets) {
		return nil
	}
	return t.tables["glyf"][t.offsets[id]:t.offsets[id+1]]
}

// parts are the glyphs that a glyph is put together from.
func parts(glyph []byte) (ids []uint16, err error) {
	const moreParts, words, scale, scales, matrix = 0x20, 0x1, 0x8, 0x40, 0x80
	if len(glyph) < 10 || int16(binary.BigEndian.Uint16(glyph)) >= 0 {
		return nil, nil
	}
	for at := 10; ; {
		if at+4 > len(glyph) {
			return nil, errFont
		}
		flags := binary.BigEndian.Uint16(glyph[at:])
		ids = append(ids, binary.BigEndian.Uint16(glyph[at+2:]))
		at += 6
		if flags&words != 0 {
			at += 2
		}
		switch {
		case flags&scale != 0:
			at += 2
		case flags&scales != 0:
			at += 4
		case flags&matrix != 0:
			at += 8
		}
		if flags&moreParts == 0 {
			return ids, nil
		}
	}
}

// closure is the glyphs of used and what they are put together from, and always
// the one for what is missing.
func (t *trueType) closure(used map[uint16]bool) (map[uint16]bool, error) {
	all := map[uint16]bool{}
	queue := append(slices.Collect(maps.Keys(used)), 0)
	for len(queue) > 0 {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if all[id] {
			continue
		}
		all[id] = true
		ids, err := parts(t.glyph(id))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if !all[id] {
				queue = append(queue, id)
			}
		}
	}
	return all, nil
}

// An outline is a glyph and its advance and bearing.
type outline struct{ glyph, metric []byte }

// outlines are those of used glyphs, and of what they are put together from.
func (t *trueType) outlines(used map[uint16]bool) (map[uint16]outline, error) {
	all, err := t.closure(used)
	if err != nil {
		return nil, err
	}
	out := make(map[uint16]outline, len(all))
	for id := range all {
		if int(id)+1 >= len(t.offsets) {
			return nil, errFont
		}
		out[id] = outline{t.glyph(id), t.metric(int(id))}
	}
	return out, nil
}

// file is a font like t with these outlines and no others. Glyphs keep their numbers.
func (t *trueType) file(outlines map[uint16]outline) []byte {
	last := int(slices.Max(slices.Collect(maps.Keys(outlines))))
	var glyf, hmtx []byte
	offsets := make([]int, 0, last+2)
	for id := range last + 1 {
		offsets = append(offsets, len(glyf))
		o, ok := outlines[uint16(id)]
		if !ok {
			hmtx = append(hmtx, 0, 0, 0, 0)
			continue
		}
		glyf = append(glyf, o.glyph...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = append(hmtx, o.metric...)
	}
	out := maps.Clone(t.tables)
	out["glyf"], out["hmtx"] = glyf, hmtx
	out["loca"], out["head"] = t.locations(append(offsets, len(glyf)))
	out["maxp"], out["hhea"] = slices.Clone(t.tables["maxp"]), slices.Clone(t.tables["hhea"])
	binary.BigEndian.PutUint16(out["maxp"][4:], uint16(last+1))
	binary.BigEndian.PutUint16(out["hhea"][34:], uint16(last+1))
	return assemble(out)
}

// design is what subsets of one font have in common.
func (t *trueType) design() []byte {
	h := sha256.New()
	for _, table := range keptTables {
		data := slices.Clone(t.tables[table])
		switch table {
		case "glyf", "loca", "hmtx":
			continue
		case "head":
			clear(data[8:12])
			clear(data[50:52])
		case "maxp":
			clear(data[4:6])
		case "hhea":
			clear(data[34:36])
		}
		fmt.Fprintf(h, "%s %d\n", table, len(data))
		h.Write(data)
	}
	return h.Sum(nil)
}

// metric is the advance of a glyph and its left bearing.
func (t *trueType) metric(id int) []byte {
	hmtx := t.tables["hmtx"]
	if id < t.metrics {
		return hmtx[4*id : 4*id+4]
	}
	bearing := 4*t.metrics + 2*(id-t.metrics)
	return append(slices.Clone(hmtx[4*t.metrics-4:4*t.metrics-2]), hmtx[bearing:bearing+2]...)
}

// locations is the table of where glyphs are, and the head that says its form.
func (t *trueType) locations(offsets []int) (loca, head []byte) {
	head = slices.Clone(t.tables["head"])
	binary.BigEndian.PutUint32(head[8:], 0) // its sum, see assemble
	long := offsets[len(offsets)-1] > 2*0xffff
	for _, o := range offsets {
		if long {
			loca = binary.BigEndian.AppendUint32(loca, uint32(o))
		} else {
			loca = binary.BigEndian.AppendUint16(loca, uint16(o/2))
		}
	}
	binary.BigEndian.PutUint16(head[50:], 0)
	if long {
		binary.BigEndian.PutUint16(head[50:], 1)
	}
	return loca, head
}

// assemble is a font file with those of tables that are kept.
func assemble(tables map[string][]byte) []byte {
	var have []string
	for _, table := range keptTables {
		if _, ok := tables[table]; ok {
			have = append(have, table)
		}
	}
	search, selector := 1, 0
	for search*2 <= len(have) {
		search, selector = search*2, selector+1
	}
	out := []byte{0, 1, 0, 0}
	for _, v := range []int{len(have), 16 * search, selector, 16 * (len(have) - search)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	head, at := 0, 12+16*len(have)
	var body []byte
	for _, table := range have {
		data := tables[table]
		if table == "head" {
			head = at + len(body)
		}
		out = append(out, table...)
		out = binary.BigEndian.AppendUint32(out, sum(data))
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		body = append(body, data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[head+8:], 0xB1B0AFBA-sum(out))
	return out
}

// sum is the check sum of a table: that of its words.
func sum(data []byte) (s uint32) {
	for len(data) >= 4 {
		s += binary.BigEndian.Uint32(data)
		data = data[4:]
	}
	var rest [4]byte
	copy(rest[:], data)
	return s + binary.BigEndian.Uint32(rest[:])
}
