package chrome

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// monospace is the text of a monospaced font that this machine has.
func monospace(t *testing.T) []byte {
	t.Helper()
	var found string
	_ = filepath.WalkDir("/usr/share/fonts", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "Mono-Regular.ttf") {
			found = path
		}
		return nil
	})
	if found == "" {
		t.Skip("no monospaced font in /usr/share/fonts")
	}
	text, err := os.ReadFile(found)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A font that may come late would be missing in the first picture and be there
// in the second.
func TestFontIsInTheFirstPicture(t *testing.T) {
	realChrome(t)
	p := newPool(t, rendertest.Files{"mono": {ContentType: "font/ttf", Bytes: monospace(t)}}, withTabs(1))
	text := "<body style='font:32px F,serif'>iiiiiiii WWWW</body>"
	for _, display := range []string{"block", "swap", "fallback", "optional"} {
		r := card("")
		r.Page = display
		r.Assets = []render.Asset{{Path: "/assets/mono.ttf", Digest: "mono"}}
		r.HTML = "<!doctype html><html><head><style>@font-face{font-family:F;font-display:" + display +
			";src:url(/assets/mono.ttf)}</style></head>" + text + "</html>"
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
