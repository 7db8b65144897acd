package look_test

import (
	"testing"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestDocumentIsDrawnAsItStands(t *testing.T) {
	room := looktest.Open(t)
	d, rows := room.Starter(t, "og-card")
	light, err := room.Shoot(t.Context(), d, look.View{Row: rows[0]})
	if err != nil {
		t.Fatal(err)
	}
	if light.Width != 1200 || light.Height != 630 || light.Picture.Bounds().Dx() != 1200 || len(light.Boxes) < 10 || len(light.Texts) == 0 {
		t.Fatalf("%d x %d, %d boxes, %d texts", light.Width, light.Height, len(light.Boxes), len(light.Texts))
	}
	dark, err := room.Shoot(t.Context(), d, look.View{Row: rows[0], Size: "square", Theme: "dark"})
	if err != nil || dark.Width != 1080 {
		t.Fatalf("%d wide, %v", dark.Width, err)
	}
	red, err := room.Shoot(t.Context(), d, look.View{Row: rows[0], CSS: "#card { background: #f00 }"})
	if err != nil {
		t.Fatal(err)
	}
	if c := red.Picture.NRGBAAt(10, 10); c.R != 255 || c.G != 0 {
		t.Errorf("the added style sheet is not shown: %v", c)
	}
	if _, err := room.Shoot(t.Context(), d.With([]byte("<p>{{ cut")), look.View{}); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("a document that does not compile: %v", err)
	}
}
