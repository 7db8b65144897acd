package bindings

import (
	"cmp"
	"fmt"
	"strings"
)

// A Fitting is how the texts of a picture came out, where they are not as their
// author set them, and what its page asked for in vain.
type Fitting struct {
	Layers   []LayerFit     `json:"layers,omitempty"`
	Images   []ImageFit     `json:"images,omitempty"`
	Problems []LayerProblem `json:"problems,omitempty"`
}

// A LayerFit is one text that got another size, was cut, or is clipped.
type LayerFit struct {
	Layer   string  `json:"layer"`
	FontPx  float64 `json:"fontPx"`
	Lines   int     `json:"lines"`
	Clipped bool    `json:"clipped"`
	Cut     bool    `json:"cut,omitempty"` // … stands where its end was
}

// An ImageFit is an image that does not show what its row named.
type ImageFit struct {
	Layer  string `json:"layer,omitempty"`
	URL    string `json:"url,omitempty"` // that could not be shown; "" where the row has none
	Reason string `json:"reason"`        // empty, unreachable, refused, not_an_image, too_large or undecodable
	Hidden bool   `json:"hidden,omitempty"`
}

// message says what became of the image.
func (i ImageFit) message() string {
	what := "the fallback is shown"
	if i.Hidden {
		what = "the image is left out"
	}
	if i.URL == "" {
		return what + ": the row has no image"
	}
	text := fmt.Sprintf("%s: %s is %s", what, i.URL, strings.ReplaceAll(i.Reason, "_", " "))
	if i.Reason == "refused" {
		text += " (addresses of one's own network are named under egress.allow)"
	}
	return text
}

// A LayerProblem is a request of the page's that made no sense and was left out,
// or text of it that could not be shown.
type LayerProblem struct {
	Code    string `json:"code,omitempty"` // GlyphMissing; "" is LayoutIgnored
	Layer   string `json:"layer"`
	Problem string `json:"problem"`
}

// Empty reports whether there is nothing to say.
func (f Fitting) Empty() bool {
	return len(f.Layers) == 0 && len(f.Images) == 0 && len(f.Problems) == 0
}

// The codes of warnings.
const (
	TextClipped   = "text_clipped"   // a text does not fit into its box
	ImageInstead  = "image_fallback" // another image than the row's is shown, or none
	LayoutIgnored = "layout_ignored" // an attribute of a layer was left out
	GlyphMissing  = "glyph_missing"  // no font has a character of a text
)

// A Warning is a flaw of a picture that was made nevertheless.
type Warning struct {
	Code    string `json:"code"`
	Output  string `json:"output"`
	Layer   string `json:"layer"`
	Message string `json:"message"`
}

// Warnings are those of the picture of that output.
func (f Fitting) Warnings(output string) (all []Warning) {
	for _, l := range f.Layers {
		if l.Clipped {
			all = append(all, Warning{TextClipped, output, l.Layer, "the text does not fit into its box"})
		}
	}
	for _, i := range f.Images {
		all = append(all, Warning{ImageInstead, output, i.Layer, i.message()})
	}
	for _, p := range f.Problems {
		all = append(all, Warning{cmp.Or(p.Code, LayoutIgnored), output, p.Layer, p.Problem})
	}
	return all
}

// An OutputFitting is the Fitting of one picture of a row.
type OutputFitting struct {
	Key, Output string
	Fitting     Fitting
}
