// Package render is the contract of those who turn one page into one picture.
// It says HTML, viewport, frame and encoder, and knows no rows, bindings or sinks.
package render

import (
	"context"
	"time"
)

// A Format is an encoding of the picture.
type Format string

// The formats.
const (
	PNG  Format = "png"
	JPEG Format = "jpeg"
	WebP Format = "webp"
)

// Ext is the file extension of f without the dot: png, jpg, webp.
func (f Format) Ext() string {
	if f == JPEG {
		return "jpg"
	}
	return string(f)
}

// ContentType is the media type of f.
func (f Format) ContentType() string { return "image/" + string(f) }

// ParseFormat accepts the names and extensions that users write; ok is false
// for any other word.
func ParseFormat(s string) (f Format, ok bool) {
	switch s {
	case "png":
		return PNG, true
	case "jpeg", "jpg":
		return JPEG, true
	case "webp":
		return WebP, true
	}
	return "", false
}

// An Asset is one file that the page may load, at a path of its own origin.
type Asset struct {
	Path   string // absolute: "/assets/shoe.jpg"
	Digest string // of its bytes in the assets library
}

// A Request is one picture wanted. It is closed: nothing but what stands in it
// reaches the page. Layout is run in the rows whose page has p-fit, p-focus or
// p-crop, when all files and fonts are there.
type Request struct {
	Page          string // digest of the compiled page; requests that share it, Width and Height may share a tab
	HTML          string // the whole document, every value in its place
	Width, Height int    // of the viewport in CSS pixels, which is the size of the picture
	Format        Format
	Quality       int // 1 to 100 for JPEG and WebP; 0 is the engine's default
	Assets        []Asset
	Layout        string // the script that fits texts and images, the same for all requests of a Page; "" for none. See template/layout
}

// An Output is a finished picture.
type Output struct {
	Bytes         []byte
	Width, Height int
	Duration      time.Duration // in the engine, without waiting for a turn

	Layout   []LayerReport // of the texts that Request.Layout looked after
	Warnings []Warning     // of what it could not make sense of, and of characters that no font has
}

// A Renderer turns one request into one output. Safe for use by several
// goroutines; Slots of them work at a time, more wait. An error marked
// retry.Permanent is the row's fault (a page that never gets ready, a picture
// that crashed Chrome twice, an image that does not decode); any other is the
// machine's, and the same request may succeed later.
type Renderer interface {
	Render(ctx context.Context, r Request) (Output, error)
	Slots() int
}
