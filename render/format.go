package render

import (
	"slices"
	"time"
)

// A Format is an encoding of the picture.
type Format string

// The formats.
const (
	PNG  Format = "png"
	JPEG Format = "jpeg"
	WebP Format = "webp"
	GIF  Format = "gif"
	PDF  Format = "pdf"
)

// Formats is every format.
var Formats = []Format{PNG, JPEG, WebP, GIF, PDF}

// Ext is the file extension of f without the dot: png, jpg, webp, gif, pdf.
func (f Format) Ext() string {
	if f == JPEG {
		return "jpg"
	}
	return string(f)
}

// ContentType is the media type of f.
func (f Format) ContentType() string {
	if f == PDF {
		return "application/pdf"
	}
	return "image/" + string(f)
}

// ParseFormat accepts the names and extensions that users write; ok is false
// for any other word.
func ParseFormat(s string) (f Format, ok bool) {
	if s == "jpg" {
		return JPEG, true
	}
	return Format(s), slices.Contains(Formats, Format(s))
}

// A Compression is how a PNG is written. All but Palette keep every pixel.
type Compression string

// The compressions.
const (
	Fast    Compression = "fast"    // the default, also spelled ""
	Small   Compression = "small"   // takes longer
	Palette Compression = "palette" // at most 256 colours
)

// A Motion makes a moving picture of the page's CSS animations: frames at even
// steps from their start. The zero value is a still.
type Motion struct {
	FPS      int           // frames per second
	Duration time.Duration // of one round; 0 is until the longest animation ends, or has gone round once
	Loops    int           // rounds; 0 is for ever
}

// Moves reports whether m is not a still.
func (m Motion) Moves() bool { return m.FPS > 0 }
