// Package render is the contract of those who turn one page into one picture.
// It says HTML, viewport, frame and encoder, and knows no rows, bindings or sinks.
package render

import (
	"context"
	"time"
)

// An Asset is one file that the page may load, at a path of its own origin.
type Asset struct {
	Path   string // absolute: "/assets/shoe.jpg"
	Digest string // of its bytes in the assets library
}

// A Request is one picture wanted. It is closed: nothing but what stands in it
// reaches the page. Layout is run in the rows whose page has p-fit, p-focus or
// p-crop, when all files and fonts are there.
type Request struct {
	Page          string  // digest of the compiled page; requests that share it, Width, Height and Scale may share a tab
	HTML          string  // the whole document, every value in its place
	Width, Height int     // of the viewport in CSS pixels
	Scale         float64 // pixels of the picture per CSS pixel, 1 to 3; 0 is 1. A PDF has none
	Assets        []Asset
	Layout        string // the script that fits texts and images, the same for all requests of a Page; "" for none. See template/layout

	Urgent bool // somebody waits: it goes before requests that nobody waits for. The picture is the same

	Boxes bool `json:",omitempty"` // Output.Boxes is wanted. A PDF has none
	Dry   bool `json:",omitempty"` // only how it comes out is wanted: Output.Bytes stay nil. Not of a PDF, nor of what moves

	Format      Format
	Quality     int         // 1 to 100 for JPEG and WebP; 0 is the engine's default
	Transparent bool        // what the page does not paint stays clear: PNG, WebP and GIF; otherwise it is white
	Compression Compression // of PNG
	MaxBytes    int64       // the encoder gives up quality, down to a floor, to stay within it; 0 is no limit
	Motion      Motion      // of GIF and WebP; the zero value is a still
	Print       Print       // of PDF
	Sheets      []Sheet     // of PDF: its pages behind the first, which is HTML; they may have sizes of their own
}

// An Output is a finished picture.
type Output struct {
	Bytes         []byte
	Width, Height int           // in pixels; of a PDF the first page's, in CSS pixels
	Duration      time.Duration // in the engine, without waiting for a turn
	Stages        Stages
	Lane          string // the engine's way that it took: staged, plain or print; "" where there is one only

	Layout   []LayerReport // of the texts that Request.Layout looked after
	Warnings []Warning     // of what it could not make sense of, and of characters that no font has
	Boxes    []Box         // where the elements of the page's body are, in the order of the document; at most MaxBoxes
}

// MaxBoxes is how many elements Output.Boxes tells of.
const MaxBoxes = 5000

// A Box is where an element is shown: the rectangle around it, in CSS pixels of the
// page. One that is not shown has no size.
type Box struct {
	ID     string  `json:"id,omitempty"`
	Tag    string  `json:"tag"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`

	Text *TextMeasure `json:"text,omitempty"` // that stands right in it and is seen; nil for none
}

// A TextMeasure is how an element shows the text that stands right in it, in CSS
// pixels of the page as they are seen: zoom and transforms are in them.
type TextMeasure struct {
	Layer      string  `json:"layer"`                // the id of the element, or where it is
	Path       string  `json:"path"`                 // a CSS selector of this element alone; "" where it would be too long
	FontPx     float64 `json:"fontPx"`               // the font size
	Weight     int     `json:"weight"`               // of the font, 1 to 1000
	Opacity    float64 `json:"opacity"`              // of the element and all that it stands in
	Decorative bool    `json:"decorative,omitempty"` // it says nothing: without a letter or digit, or hidden from screen readers
	Outlined   bool    `json:"outlined,omitempty"`   // letters have an outline of their own
	Clipped    bool    `json:"clipped,omitempty"`    // letters show the element's background
	Shadowed   bool    `json:"shadowed,omitempty"`   // letters have a shadow
	Over       float64 `json:"over,omitempty"`       // by how much its lines leave the element's own box
	Cut        float64 `json:"cut,omitempty"`        // by how much they leave what clips them, short of the page
	Lines      []Line  `json:"lines"`                // around its pieces, as high as the font; the first ones
}

// A Line is the rectangle around one piece of text, in CSS pixels of the page.
type Line struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Stages is where the time of a picture went, as far as its engine tells. Those
// of pictures that were made together overlap.
type Stages struct {
	Turn    time.Duration // waiting for a place in the engine
	Prepare time.Duration // the document, its files, its layout
	Paint   time.Duration
	Queue   time.Duration // waiting for the encoder
	Encode  time.Duration
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
