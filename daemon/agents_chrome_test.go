package daemon

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/mcp/mcptest"
)

// An agent sees what the renderer draws: the text that it set, in the colour that it
// set, and where.
func TestAgentSeesWhatItsEditDoesToThePicture(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	url, _ := s.run(Options{})
	c := mcptest.Connect(t, mcptest.Over(url, ""), nil)
	look := func() image.Image {
		t.Helper()
		var v struct {
			Boxes []struct {
				ID            string
				Width, Height float64
			}
		}
		picture := mcptest.Picture(c.Call("render_preview", map[string]any{"template": "card", "variables": map[string]any{"title": "Mug"}, "boxes": true}, &v))
		if picture == nil || len(v.Boxes) < 3 {
			t.Fatalf("a preview with the boxes %+v", v.Boxes)
		}
		if dir := os.Getenv("PICTIFYD_TEST_SHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "agent.png"), picture.Data, 0o644); err != nil {
				t.Error(err)
			}
		}
		drawn, err := png.Decode(bytes.NewReader(picture.Data))
		if err != nil {
			t.Fatal(err)
		}
		return drawn
	}
	red := func(m image.Image) (n int) {
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				if r, g, b, _ := m.At(x, y).RGBA(); r > 0xd000 && g < 0x3000 && b < 0x3000 {
					n++
				}
			}
		}
		return n
	}
	if n := red(look()); n != 0 {
		t.Fatalf("%d red pixels before", n)
	}
	c.Call("edit_template", map[string]any{"template": "card", "revision": c.Draft("card").Revision,
		"operations": []any{map[string]any{"op": "set_style", "id": "title", "property": "color", "value": "#ff0000"}}}, nil)
	if n := red(look()); n < 100 {
		t.Errorf("%d red pixels after", n)
	}
}
