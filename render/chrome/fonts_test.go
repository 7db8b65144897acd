package chrome

import (
	"os"
	"testing"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// monospace is the text of the monospaced font that starter templates ship.
func monospace(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../template/starter/templates/assets/fonts/jetbrains-mono-latin.woff2")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A font that may come late would be missing in the first picture and be there
// in the second.
func TestFontIsInTheFirstPicture(t *testing.T) {
	realChrome(t)
	p := newPool(t, rendertest.Files{"mono": {ContentType: "font/woff2", Bytes: monospace(t)}}, withTabs(1))
	text := "<body style='font:32px F,serif'>iiiiiiii WWWW</body>"
	for _, display := range []string{"block", "swap", "fallback", "optional"} {
		r := card("")
		r.Page = display
		r.Assets = []render.Asset{{Path: "/assets/mono.woff2", Digest: "mono"}}
		r.HTML = "<!doctype html><html><head><style>@font-face{font-family:F;font-display:" + display +
			";src:url(/assets/mono.woff2)}</style></head>" + text + "</html>"
		first, err := p.Render(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", display, err)
		}
		second, err := p.Render(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", display, err)
		}
		if n := rendertest.Difference(rendertest.Decode(t, first.Bytes), rendertest.Decode(t, second.Bytes)); n > 0 {
			t.Errorf("%s: the second picture differs in %d pixels", display, n)
		}
		plain := r
		plain.Page, plain.Assets = "plain", nil
		plain.HTML = "<!doctype html><html><head></head>" + text + "</html>"
		fallback, err := p.Render(t.Context(), plain)
		if err != nil {
			t.Fatal(err)
		}
		if rendertest.Difference(rendertest.Decode(t, first.Bytes), rendertest.Decode(t, fallback.Bytes)) == 0 {
			t.Errorf("%s: the font is not in the first picture", display)
		}
	}
}
