// Package fontfile reads what a font file says about itself: its family, weight,
// licence, and which letters it has. It draws nothing.
package fontfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// The types of files.
const (
	TTF   = "ttf"
	OTF   = "otf"
	WOFF  = "woff"
	WOFF2 = "woff2"
)

// A Font is what a file says about itself.
type Font struct {
	Format     string // TTF, OTF, WOFF or WOFF2
	Family     string
	Style      string // Bold Italic
	Weight     int    // 100 to 900; of a variable font its default
	MinWeight  int    // of a variable font; else 0
	MaxWeight  int
	Italic     bool
	Variable   bool
	Restricted bool // its maker forbids embedding
	Glyphs     int
	Copyright  string
	Licence    string
	LicenceURL string

	ranges []span
}

// A span is letters from one to another, both in it.
type span struct{ from, to rune }

// ErrNoFont says that a file is no font that can be read.
var ErrNoFont = errors.New("not a font that can be read")

// maxTable bounds what is read of a table, and all tables of a packed file.
const (
	maxTable  = 8 << 20
	maxPacked = 64 << 20
)

// Has reports whether the font has a letter.
func (f *Font) Has(letter rune) bool {
	for _, s := range f.ranges {
		if s.from <= letter && letter <= s.to {
			return true
		}
	}
	return false
}

// Read reads a font that is held.
func Read(data []byte) (*Font, error) { return ReadAt(bytes.NewReader(data), int64(len(data)), 0) }

// ReadAt reads the parts of a font that tell about it. index is its place in a
// collection.
func ReadAt(r io.ReaderAt, size int64, index int) (*Font, error) {
	head := make([]byte, 4)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, ErrNoFont
	}
	switch string(head) {
	case "wOFF":
		return readWOFF(r, size)
	case "wOF2":
		return readWOFF2(r, size)
	case "ttcf":
		at, err := facePlace(r, index)
		if err != nil {
			return nil, err
		}
		return readPlain(r, size, at)
	}
	return readPlain(r, size, 0)
}

// facePlace is where a font of a collection begins.
func facePlace(r io.ReaderAt, index int) (int64, error) {
	head := make([]byte, 12)
	if _, err := r.ReadAt(head, 0); err != nil {
		return 0, ErrNoFont
	}
	if index < 0 || int64(index) >= int64(binary.BigEndian.Uint32(head[8:])) {
		return 0, ErrNoFont
	}
	at := make([]byte, 4)
	if _, err := r.ReadAt(at, 12+4*int64(index)); err != nil {
		return 0, ErrNoFont
	}
	return int64(binary.BigEndian.Uint32(at)), nil
}

// tables are those that tell about a font.
type tables map[string][]byte

var wanted = map[string]bool{"name": true, "OS/2": true, "cmap": true, "fvar": true, "maxp": true, "head": true}

func readPlain(r io.ReaderAt, size, at int64) (*Font, error) {
	head := make([]byte, 12)
	if _, err := r.ReadAt(head, at); err != nil {
		return nil, ErrNoFont
	}
	format := TTF
	switch string(head[:4]) {
	case "\x00\x01\x00\x00", "true":
	case "OTTO":
		format = OTF
	default:
		return nil, ErrNoFont
	}
	n := int(binary.BigEndian.Uint16(head[4:]))
	dir := make([]byte, 16*n)
	if _, err := r.ReadAt(dir, at+12); err != nil {
		return nil, ErrNoFont
	}
	found := tables{}
	for i := range n {
		entry := dir[16*i:]
		tag := string(entry[:4])
		offset, length := int64(binary.BigEndian.Uint32(entry[8:])), int64(binary.BigEndian.Uint32(entry[12:]))
		if !wanted[tag] {
			continue
		}
		data, err := part(r, size, offset, length)
		if err != nil {
			return nil, err
		}
		found[tag] = data
	}
	return found.font(format)
}

// part reads length bytes at offset.
func part(r io.ReaderAt, size, offset, length int64) ([]byte, error) {
	if length > maxTable || offset+length > size {
		return nil, ErrNoFont
	}
	data := make([]byte, length)
	if _, err := r.ReadAt(data, offset); err != nil && length > 0 {
		return nil, ErrNoFont
	}
	return data, nil
}

// font is what the tables tell.
func (t tables) font(format string) (*Font, error) {
	f := &Font{Format: format, Weight: 400}
	if t["name"] == nil || t["cmap"] == nil {
		return nil, ErrNoFont
	}
	f.names(t["name"])
	if os2 := t["OS/2"]; len(os2) >= 64 {
		f.Weight = int(binary.BigEndian.Uint16(os2[4:]))
		f.Restricted = binary.BigEndian.Uint16(os2[8:])&0xf == 2
		f.Italic = binary.BigEndian.Uint16(os2[62:])&1 != 0
	}
	if maxp := t["maxp"]; len(maxp) >= 6 {
		f.Glyphs = int(binary.BigEndian.Uint16(maxp[4:]))
	}
	f.axes(t["fvar"])
	if f.ranges = lettersOf(t["cmap"]); f.Family == "" || len(f.ranges) == 0 {
		return nil, ErrNoFont
	}
	return f, nil
}

// axes reads how a variable font varies.
func (f *Font) axes(fvar []byte) {
	if len(fvar) < 16 {
		return
	}
	f.Variable = true
	at, n, size := int(binary.BigEndian.Uint16(fvar[4:])), int(binary.BigEndian.Uint16(fvar[8:])), int(binary.BigEndian.Uint16(fvar[10:]))
	for i := range n {
		axis := at + i*size
		if size < 20 || axis+20 > len(fvar) {
			return
		}
		if string(fvar[axis:axis+4]) == "wght" {
			f.MinWeight, f.MaxWeight = int(binary.BigEndian.Uint16(fvar[axis+4:])), int(binary.BigEndian.Uint16(fvar[axis+12:]))
		}
	}
}
