package backdrop_test

import (
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/backdrop"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
)

// sheet keeps pictures beside each other among the output of the test.
func sheet(tb testing.TB, name string, pictures []*image.NRGBA) {
	tb.Helper()
	const across = 3
	w, h := 0, 0
	for _, p := range pictures {
		w, h = max(w, p.Rect.Dx()), max(h, p.Rect.Dy())
	}
	all := image.NewNRGBA(image.Rect(0, 0, across*(w+8), (len(pictures)+across-1)/across*(h+8)))
	for i, p := range pictures {
		draw.Draw(all, p.Rect.Add(image.Pt(i%across*(w+8), i/across*(h+8))), p, image.Point{}, draw.Src)
	}
	f, err := os.Create(filepath.Join(tb.ArtifactDir(), name+".png"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			tb.Error(err)
		}
	}()
	if err := png.Encode(f, all); err != nil {
		tb.Fatal(err)
	}
}

func TestGallery(t *testing.T) {
	room := looktest.Open(t)
	for _, name := range looktest.Starters() {
		t.Run(name, func(t *testing.T) {
			d, rows := room.Starter(t, name)
			made, err := backdrop.Generate(t.Context(), room, d, backdrop.Options{N: 5, Rows: rows})
			if err != nil {
				t.Fatal(err)
			}
			for _, theme := range []string{"", "dark"} {
				if theme == "dark" && name == "invoice" {
					continue
				}
				var all []*image.NRGBA
				for _, c := range append([]backdrop.Candidate{{Title: "before"}}, made...) {
					after, err := c.Change.Apply(d)
					if err != nil {
						t.Fatal(err)
					}
					shot, err := room.Shoot(t.Context(), after, look.View{Theme: theme, Row: rows[0]})
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, shot.Picture)
					t.Logf("%s %s %q, %d bytes", theme, c.Name, c.Change.Notes, len(after.Source)-len(d.Source))
				}
				sheet(t, name+theme, all)
			}
		})
	}
}
