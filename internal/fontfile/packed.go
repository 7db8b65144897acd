package fontfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"

	"github.com/andybalholm/brotli"
)

// readWOFF reads a font whose tables are packed one by one.
func readWOFF(r io.ReaderAt, size int64) (*Font, error) {
	head := make([]byte, 44)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, ErrNoFont
	}
	n := int(binary.BigEndian.Uint16(head[12:]))
	dir := make([]byte, 20*n)
	if _, err := r.ReadAt(dir, 44); err != nil {
		return nil, ErrNoFont
	}
	found := tables{}
	for i := range n {
		entry := dir[20*i:]
		tag := string(entry[:4])
		offset, packed, length := int64(binary.BigEndian.Uint32(entry[4:])), int64(binary.BigEndian.Uint32(entry[8:])), int64(binary.BigEndian.Uint32(entry[12:]))
		if !wanted[tag] {
			continue
		}
		data, err := part(r, size, offset, packed)
		if err != nil || length > maxTable {
			return nil, ErrNoFont
		}
		if packed < length {
			z, err := zlib.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil, ErrNoFont
			}
			data = make([]byte, length)
			if _, err := io.ReadFull(z, data); err != nil {
				return nil, ErrNoFont
			}
		}
		found[tag] = data
	}
	return found.font(WOFF)
}

// knownTags are the tables that WOFF2 has numbers for.
var knownTags = []string{
	"cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post", "cvt ", "fpgm", "glyf", "loca", "prep", "CFF ", "VORG", "EBDT", "EBLC", "gasp", "hdmx", "kern", "LTSH",
	"PCLT", "VDMX", "vhea", "vmtx", "BASE", "GDEF", "GPOS", "GSUB", "EBSC", "JSTF", "MATH", "CBDT", "CBLC", "COLR", "CPAL", "SVG ", "sbix", "acnt", "avar", "bdat", "bloc",
	"bsln", "cvar", "fdsc", "feat", "fmtx", "fvar", "gvar", "hsty", "just", "lcar", "mort", "morx", "opbd", "prop", "trak", "Zapf", "Silf", "Glat", "Gloc", "Feat", "Sill",
}

// readWOFF2 reads a font whose tables are packed together. Those that tell about it
// are as they were; only outlines are rewritten there.
func readWOFF2(r io.ReaderAt, size int64) (*Font, error) {
	if size > maxPacked {
		return nil, ErrNoFont
	}
	data := make([]byte, size)
	if _, err := r.ReadAt(data, 0); err != nil || size < 48 || string(data[4:8]) == "ttcf" {
		return nil, ErrNoFont
	}
	dir := directory{data: data[48:]}
	type entry struct {
		tag    string
		length int64
	}
	var entries []entry
	for range binary.BigEndian.Uint16(data[12:]) {
		tag, transformed := dir.tag()
		length := dir.number()
		if transformed {
			length = dir.number()
		}
		entries = append(entries, entry{tag, length})
	}
	if dir.bad {
		return nil, ErrNoFont
	}
	packed := int64(binary.BigEndian.Uint32(data[20:]))
	stream := dir.data
	if packed > int64(len(stream)) {
		return nil, ErrNoFont
	}
	unpacked := io.LimitReader(brotli.NewReader(bytes.NewReader(stream[:packed])), maxPacked)
	found := tables{}
	for _, e := range entries {
		if !wanted[e.tag] {
			if _, err := io.CopyN(io.Discard, unpacked, e.length); err != nil {
				return nil, ErrNoFont
			}
			continue
		}
		if e.length > maxTable {
			return nil, ErrNoFont
		}
		table := make([]byte, e.length)
		if _, err := io.ReadFull(unpacked, table); err != nil {
			return nil, ErrNoFont
		}
		found[e.tag] = table
	}
	return found.font(WOFF2)
}

// A directory is the entries of a WOFF2 file that are still to be read.
type directory struct {
	data []byte
	bad  bool
}

func (d *directory) next(n int) []byte {
	if n > len(d.data) {
		d.bad = true
		return make([]byte, n)
	}
	head := d.data[:n]
	d.data = d.data[n:]
	return head
}

// tag is the name of the next table, and whether it is written in another way.
func (d *directory) tag() (tag string, transformed bool) {
	flags := d.next(1)[0]
	if number := int(flags & 0x3f); number < len(knownTags) {
		tag = knownTags[number]
	} else {
		tag = string(d.next(4))
	}
	version := flags >> 6
	if tag == "glyf" || tag == "loca" {
		return tag, version != 3
	}
	return tag, version != 0
}

// number reads one of 7 bits a byte.
func (d *directory) number() (n int64) {
	for range 5 {
		b := d.next(1)[0]
		n = n<<7 | int64(b&0x7f)
		if b&0x80 == 0 {
			return n
		}
	}
	d.bad = true
	return 0
}
