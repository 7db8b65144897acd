package render

import (
	"fmt"
	"strings"
)

// A LayerReport says how a text came out.
type LayerReport struct {
	Layer   string  `json:"layer"`   // the id of the element, or where it is
	FontPx  float64 `json:"fontPx"`  // the font size in the picture
	Lines   int     `json:"lines"`   // in the picture
	Clipped bool    `json:"clipped"` // the text does not fit into its box, or into the lines that it may have
	Changed bool    `json:"changed"` // it is not as its author set it: another size, or cut
	Cut     bool    `json:"cut"`     // its end is left out, and … stands there
}

// GlyphMissing is the code of warnings of characters that no font has.
const GlyphMissing = "glyph_missing"

// A Warning is something in a page that makes no sense and was left out, or that
// could not be shown.
type Warning struct {
	Code    string `json:"code,omitempty"` // GlyphMissing; "" for an attribute that was left out
	Layer   string `json:"layer"`
	Problem string `json:"problem"`
}

// An AssetError is the cause of an error of Render: the page can't show these
// files. Paths are spelled as in Request.Assets where they are of it, and are
// URLs otherwise.
type AssetError struct{ Paths []string }

func (e *AssetError) Error() string {
	what := strings.Join(e.Paths[:min(len(e.Paths), 3)], ", ")
	if more := len(e.Paths) - 3; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	return "the page could not load " + what
}
