package animation

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A still is a WebP file of one picture, taken apart but not decoded.
type still struct {
	width, height int
	alpha         bool
	profile       []byte // ICC; nil without one
	image         []byte // the chunks of the picture, with their headers
}

// readStill takes a file apart. What it says of sizes is checked, also inside the
// picture as far as its header goes; everything in the still is of file's memory.
func readStill(file []byte) (s still, err error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WEBP" {
		return s, errors.New("not a WebP file")
	}
	if says := int64(binary.LittleEndian.Uint32(file[4:])) + 8; says != int64(len(file)) {
		return s, fmt.Errorf("a WebP file of %d bytes that says it has %d", len(file), says)
	}
	var r stillReader
	for rest := file[12:]; len(rest) > 0; {
		c, err := nextChunk(&rest)
		if err != nil {
			return s, err
		}
		if err := r.take(c); err != nil {
			return s, fmt.Errorf("chunk %q: %w", c.name, err)
		}
	}
	return r.done()
}

// A chunk of a RIFF file.
type chunk struct {
	name  string
	body  []byte
	whole []byte // with its header and padding
}

func nextChunk(rest *[]byte) (c chunk, err error) {
	b := *rest
	if len(b) < 8 {
		return c, fmt.Errorf("%d bytes behind the last chunk", len(b))
	}
	c.name = string(b[:4])
	size := int64(binary.LittleEndian.Uint32(b[4:]))
	padded := 8 + size + size&1
	if padded > int64(len(b)) {
		return c, fmt.Errorf("chunk %q has %d bytes and the file %d more", c.name, size, len(b)-8)
	}
	c.body, c.whole = b[8:8+size], b[:padded]
	*rest = b[padded:]
	return c, nil
}

// A stillReader takes the chunks of a file as they come.
type stillReader struct {
	still
	canvas        bool // the file has said its size before the picture
	width, height int  // then
	alphaChunk    []byte
}

func (r *stillReader) take(c chunk) error {
	switch c.name {
	case "VP8X":
		return r.takeCanvas(c.body)
	case "ANIM", "ANMF":
		return errors.New("the file is an animation itself")
	case "ICCP":
		r.profile = c.body
	case "ALPH":
		return r.takeAlpha(c)
	case "VP8 ":
		return r.takePicture(c, lossySize)
	case "VP8L":
		return r.takePicture(c, losslessSize)
	}
	return nil // metadata, and what later versions may bring
}

func (r *stillReader) takeCanvas(body []byte) error {
	const animated = 0x02
	switch {
	case r.canvas || r.image != nil:
		return errors.New("it is not the first one")
	case len(body) < 10:
		return fmt.Errorf("%d bytes are too few", len(body))
	case body[0]&animated != 0:
		return errors.New("the file is an animation itself")
	}
	r.canvas, r.width, r.height = true, uint24(body[4:])+1, uint24(body[7:])+1
	return nil
}

func (r *stillReader) takeAlpha(c chunk) error {
	switch {
	case r.alphaChunk != nil || r.image != nil:
		return errors.New("it is not the first one of the picture")
	case len(c.body) < 2:
		return fmt.Errorf("%d bytes are too few", len(c.body))
	case c.body[0]&3 > 1:
		return fmt.Errorf("compression %d is unknown", c.body[0]&3)
	}
	r.alphaChunk = c.whole
	return nil
}

func (r *stillReader) takePicture(c chunk, size func([]byte) (w, h int, alpha bool, err error)) (err error) {
	if r.image != nil {
		return errors.New("the file has a second picture")
	}
	r.still.width, r.still.height, r.alpha, err = size(c.body)
	r.image = c.whole
	if c.name == "VP8 " && r.alphaChunk != nil {
		r.image = append(append(make([]byte, 0, len(r.alphaChunk)+len(c.whole)), r.alphaChunk...), c.whole...)
		r.alpha = true
	}
	return err
}

func (r *stillReader) done() (still, error) {
	switch s := r.still; {
	case s.image == nil:
		return s, errors.New("the file has no picture")
	case r.canvas && (r.width != s.width || r.height != s.height):
		return s, fmt.Errorf("the file says %dx%d and its picture %dx%d", r.width, r.height, s.width, s.height)
	default:
		return s, nil
	}
}

// lossySize reads the header of a VP8 key frame.
func lossySize(b []byte) (w, h int, alpha bool, err error) {
	if len(b) < 10 || string(b[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, false, errors.New("it has no picture")
	}
	tag := uint24(b)
	const inter, version, shown = 1, 7 << 1, 1 << 4
	if tag&inter != 0 || tag&version > 3<<1 || tag&shown == 0 {
		return 0, 0, false, errors.New("its picture is no still")
	}
	if first := tag >> 5; first > len(b)-10 {
		return 0, 0, false, fmt.Errorf("its first part has %d bytes and the chunk %d more", first, len(b)-10)
	}
	w, h = int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff)
	if w == 0 || h == 0 {
		return 0, 0, false, fmt.Errorf("its picture is %dx%d", w, h)
	}
	return w, h, false, nil
}

// losslessSize reads the header of a VP8L picture.
func losslessSize(b []byte) (w, h int, alpha bool, err error) {
	if len(b) < 6 || b[0] != 0x2f {
		return 0, 0, false, errors.New("it has no picture")
	}
	head := binary.LittleEndian.Uint32(b[1:])
	if version := head >> 29; version != 0 {
		return 0, 0, false, fmt.Errorf("version %d is unknown", version)
	}
	return int(head&0x3fff) + 1, int(head>>14&0x3fff) + 1, head>>28&1 == 1, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
