package animation

import (
	"encoding/binary"
	"image"
	"image/color"
)

// A pixel is a colour as a GIF knows it: opaque, with red in its lowest byte and
// 255 in its highest, or nothing.
type pixel = uint32

const nothing pixel = 0

func opaque(r, g, b uint8) pixel { return 0xff000000 | uint32(b)<<16 | uint32(g)<<8 | uint32(r) }

// A source reads the rows of one image as pixels, four bytes each.
type source struct {
	pix     []byte // of an image whose bytes are such already where they are opaque
	stride  int
	premult bool // pix is multiplied by alpha

	image   image.Image // otherwise
	palette [256]pixel  // of image, where it has one
	indexed *image.Paletted

	background color.NRGBA
}

func newSource(m image.Image, background color.NRGBA) *source {
	s := &source{image: m, background: background}
	switch m := m.(type) {
	case *image.NRGBA:
		s.pix, s.stride = m.Pix, m.Stride
	case *image.RGBA:
		s.pix, s.stride, s.premult = m.Pix, m.Stride, true
	case *image.Paletted:
		s.indexed = m
		for i, c := range m.Palette[:min(len(m.Palette), 256)] {
			s.palette[i] = s.flat(color.NRGBAModel.Convert(c).(color.NRGBA))
		}
	}
	return s
}

// row is row y of the image, in buf or in the image itself. same is a row that
// was read before: when the image has just its bytes, it is the answer.
func (s *source) row(y int, buf, same []byte) []byte {
	switch {
	case s.pix != nil:
		raw := s.pix[y*s.stride:][:len(buf)]
		if string(raw) == string(same) || allOpaque(raw) {
			return raw
		}
		for i := 0; i < len(raw); i += 4 {
			binary.LittleEndian.PutUint32(buf[i:], s.flat(s.straight(raw[i:i+4])))
		}
	case s.indexed != nil:
		raw := s.indexed.Pix[y*s.indexed.Stride:][:len(buf)/4]
		for x, index := range raw {
			binary.LittleEndian.PutUint32(buf[4*x:], s.palette[index])
		}
	default:
		from := s.image.Bounds().Min
		for x := range len(buf) / 4 {
			c := color.NRGBAModel.Convert(s.image.At(from.X+x, from.Y+y)).(color.NRGBA)
			binary.LittleEndian.PutUint32(buf[4*x:], s.flat(c))
		}
	}
	return buf
}

func allOpaque(row []byte) bool {
	for i := 3; i < len(row); i += 4 {
		if row[i] != 255 {
			return false
		}
	}
	return true
}

func (s *source) straight(p []byte) color.NRGBA {
	if s.premult {
		return color.NRGBAModel.Convert(color.RGBA{p[0], p[1], p[2], p[3]}).(color.NRGBA)
	}
	return color.NRGBA{p[0], p[1], p[2], p[3]}
}

// flat is c as a pixel: over the background, or without one opaque from half
// opacity on.
func (s *source) flat(c color.NRGBA) pixel {
	if c.A == 255 {
		return opaque(c.R, c.G, c.B)
	}
	if b := s.background; b.A != 0 {
		over := func(c, b, a uint8) uint8 { return uint8((int(c)*int(a) + int(b)*(255-int(a)) + 127) / 255) }
		return opaque(over(c.R, b.R, c.A), over(c.G, b.G, c.A), over(c.B, b.B, c.A))
	}
	if c.A < 128 {
		return nothing
	}
	return opaque(c.R, c.G, c.B)
}
