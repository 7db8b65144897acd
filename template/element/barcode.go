package element

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/code128"
)

var barcodeKind = Kind{
	Name:    "barcode",
	Summary: "a barcode of an article number or a short text",
	Options: []Option{
		choice("symbology", "code128 for any short text, ean13 and ean8 for article numbers", "code128", "ean13", "ean8"),
		yesNo("text", true, "the value in digits or letters below the bars"),
		yesNo("quiet", true, "the empty space left and right that scanners need"),
	},
	read: readBarcode,
	draw: drawBarcode,
}

const (
	code128Quiet = 10
	code128Most  = 80
)

type barcodeData struct {
	Symbology string `json:"symbology"`
	Code      string `json:"code"`
	Text      bool   `json:"text"`
	Quiet     bool   `json:"quiet"`
}

func readBarcode(r *reading) (any, error) {
	if empty(r.value) {
		return nil, nil
	}
	code, err := plain("a barcode", r.value)
	if err != nil {
		return nil, err
	}
	symbology := r.settings["symbology"]
	if symbology == "code128" {
		err = checkCode128(code)
	} else {
		code, err = articleNumber(symbology, code)
	}
	if err != nil {
		return nil, err
	}
	return barcodeData{symbology, code, r.on("text"), r.on("quiet")}, nil
}

func checkCode128(code string) error {
	for _, c := range code {
		if c < ' ' || c > '~' {
			return bad("Code 128 holds the letters, digits and signs of ASCII, and %s has the character %q", quote(code), c).
				WithHint("use p-qr for any text")
		}
	}
	if len(code) > code128Most {
		return bad("Code 128 holds %d characters, and this text has %d", code128Most, len(code)).WithHint("use p-qr for long texts")
	}
	return nil
}

func drawBarcode(data []byte) string {
	d, ok := decode[barcodeData](data)
	switch {
	case !ok:
		return ""
	case d.Symbology == "code128":
		return drawCode128(d)
	}
	return drawEAN(d)
}

// drawCode128 fills the box: only the widths of the bars carry meaning, so that
// they may be stretched. The text stands below them as HTML, unstretched.
func drawCode128(d barcodeData) string {
	if d.Code == "" || checkCode128(d.Code) != nil {
		return ""
	}
	code, err := code128.Encode(d.Code)
	if err != nil {
		return ""
	}
	margin := 0
	if d.Quiet {
		margin = code128Quiet
	}
	var bars strings.Builder
	for _, r := range runs(code, 0) {
		box(&bars, margin+r.from, 0, r.length, 1)
	}
	below := ""
	if d.Text {
		below = fmt.Sprintf(`<span class="p-barcode-text" aria-hidden="true" style="flex:none;text-align:center;white-space:pre;overflow:hidden">%s</span>`, escape(d.Code))
	}
	return fmt.Sprintf(`<span class="p-code p-barcode" style="display:flex;flex-direction:column;box-sizing:border-box;width:100%%;height:100%%;`+
		`padding:.25em 0;gap:.15em;line-height:1.2;background:var(--code-paper, #fff);color:var(--code-ink, #000)">`+
		`<svg viewBox="0 0 %d 1" width="100%%" height="100%%" preserveAspectRatio="none" style="flex:1 1 0;min-height:0" role="img" aria-label="%s" shape-rendering="crispEdges">`+
		`<path class="p-code-ink" d="%s" %s/></svg>%s</span>`,
		code.Bounds().Dx()+2*margin, escape(d.Code), bars.String(), codeInk, below)
}
