package backdrop_test

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/backdrop"
	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
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

// Documents that nothing here was made for: literal colours only, an e-mail whose
// table covers the page, a photograph as the ground.
func TestBackdropsAreSeenAndReadOn(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for i, name := range append(looktest.Fixtures(), "og-card") {
		if !campaign.Takes(i, 3) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d, rows := docOf(t, room, name)
			made, err := backdrop.Generate(t.Context(), room, d, backdrop.Options{N: 3, Rows: rows[:2]})
			if err != nil {
				t.Fatal(err)
			}
			if len(made) != 3 {
				t.Fatalf("%d candidates", len(made))
			}
			var plain, themed []*image.NRGBA
			for i, c := range append([]backdrop.Candidate{{Title: "before"}}, made...) {
				after := apply(t, d, c)
				shot, err := room.Shoot(t.Context(), after, look.View{Row: rows[0]})
				if err != nil {
					t.Fatal(err)
				}
				for n, other := range plain {
					if differ(shot.Picture, other) < 0.01 {
						t.Errorf("%s and candidate %d look the same", c.Name, n)
					}
				}
				plain = append(plain, shot.Picture)
				themed = append(themed, readOn(t, room, d, after, rows[0], i > 0))
				t.Logf("%s %q, %d bytes", c.Name, c.Change.Notes, len(after.Source)-len(d.Source))
			}
			sheet(t, name, plain)
			sheet(t, name+"-last", themed)
		})
	}
}

func docOf(tb testing.TB, room *looktest.Room, name string) (look.Doc, []map[string]any) {
	tb.Helper()
	if slices.Contains(looktest.Fixtures(), name) {
		return room.Fixture(tb, name)
	}
	return room.Starter(tb, name)
}

// apply puts a candidate in, and sees that it is undone to the byte and that no
// variable is lost.
func apply(tb testing.TB, d look.Doc, c backdrop.Candidate) look.Doc {
	tb.Helper()
	r, err := edit.Apply(d.Source, c.Change.Ops)
	if err != nil {
		tb.Fatalf("%s: %v", c.Name, err)
	}
	back, err := edit.Apply(r.Source, r.Inverse)
	if err != nil || !bytes.Equal(back.Source, d.Source) {
		tb.Errorf("%s is not undone to the byte: %v", c.Name, err)
	}
	before, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		tb.Fatal(err)
	}
	after, err := template.Parse(d.Name, r.Source, d.Assets)
	if err != nil {
		tb.Fatalf("%s: %v", c.Name, err)
	}
	if !slices.Equal(before.Uses(), after.Uses()) {
		tb.Errorf("%s: variables in use were %v, and are %v", c.Name, before.Uses(), after.Uses())
	}
	return d.With(r.Source)
}

// readOn sees that all texts can be read which could be before, in the first and the
// last of the views. It gives the picture of the last.
func readOn(tb testing.TB, room *looktest.Room, before, after look.Doc, row map[string]any, judge bool) *image.NRGBA {
	tb.Helper()
	form, err := template.Parse(before.Name, before.Source, before.Assets)
	if err != nil {
		tb.Fatal(err)
	}
	views := look.Views(form, row)
	for _, v := range []look.View{views[0], views[len(views)-1]} {
		if !judge {
			break
		}
		spans, err := check.Contrast(tb.Context(), room, after, v)
		if err != nil {
			tb.Fatal(err)
		}
		var was []check.Span
		for _, s := range spans {
			if s.Passes() {
				continue
			}
			if was == nil {
				if was, err = check.Contrast(tb.Context(), room, before, v); err != nil {
					tb.Fatal(err)
				}
			}
			if slices.ContainsFunc(was, func(b check.Span) bool { return b.Layer == s.Layer && b.Passes() }) {
				tb.Errorf("%s in %s %s: contrast %.2f, needs %.1f", s.Layer, v.Size, v.Theme, s.Ratio, s.Need)
			}
		}
	}
	shot, err := room.Shoot(tb.Context(), after, views[len(views)-1])
	if err != nil {
		tb.Fatal(err)
	}
	return shot.Picture
}

// differ is the share of pixels that differ so that it can be seen.
func differ(a, b *image.NRGBA) float64 {
	n := 0
	for i := 0; i+3 < len(a.Pix) && i+3 < len(b.Pix); i += 4 {
		d := 0
		for c := range 3 {
			d = max(d, int(a.Pix[i+c])-int(b.Pix[i+c]), int(b.Pix[i+c])-int(a.Pix[i+c]))
		}
		if d >= 4 {
			n++
		}
	}
	return float64(n) / float64(len(a.Pix)/4)
}

func TestPhotographAsGroundIsHidden(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	d, rows := room.Fixture(t, "photo")
	made, err := backdrop.Generate(t.Context(), room, d, backdrop.Options{N: 1, Kind: backdrop.Mesh, Rows: rows[:1]})
	if err != nil {
		t.Fatal(err)
	}
	hidden := slices.IndexFunc(made[0].Change.Ops, func(op edit.Op) bool { return op.Op == "set_hidden" && op.ID == "photo" && *op.Hidden })
	if hidden < 0 || len(made[0].Change.Notes) == 0 {
		t.Errorf("%+v", made[0].Change)
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	for _, o := range []backdrop.Options{{N: 13}, {N: -1}, {Kind: "photo"}} {
		_, err := backdrop.Generate(t.Context(), nil, look.Doc{}, o)
		if problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// The grey is just dark enough for the white that it stands on: a backdrop that
// darkened that would be the fault of the text.
const barePage = `<!doctype html>
<html lang="en" p-version="1">
<head>
<script type="application/json" id="p-template">{"sizes": {"default": {"w": 900, "h": 600}}}</script>
<style id="p-tokens">
  :root { --accent: #dc4a2d; }
</style>
<style>
  #card { position: relative; width: 100%; height: 100%; background: #fff; font-family: "Liberation Sans"; }
  p { position: absolute; font-size: 17px; color: #757575; }
  #a { left: 60px; top: 40px; }
  #b { right: 60px; top: 40px; }
  #c { left: 340px; top: 280px; }
  #d { left: 60px; bottom: 40px; }
  #e { right: 60px; bottom: 40px; }
</style>
</head>
<body>
<section id="card" class="p-page">
<p id="a">Awarded to whoever</p>
<p id="b">reads this</p>
<p id="c">and whoever reads on</p>
<p id="d">in all its corners</p>
<p id="e">and its middle</p>
</section>
</body>
</html>
`

func TestTextsThatCanJustBeReadStandInAClearing(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	d := look.Doc{Name: "bare", Source: []byte(barePage), Assets: map[string]string{}}
	made, err := backdrop.Generate(t.Context(), room, d, backdrop.Options{N: 5})
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 5 {
		t.Errorf("%d candidates", len(made))
	}
	var seen []*image.NRGBA
	for _, c := range made {
		after := apply(t, d, c)
		spans, err := check.Contrast(t.Context(), room, after, look.View{Page: 1})
		if err != nil || len(spans) != 5 {
			t.Fatalf("%s: %v, %v", c.Name, spans, err)
		}
		for _, s := range spans {
			if !s.Passes() {
				t.Errorf("%s: %s has a contrast of %.2f", c.Name, s.Layer, s.Ratio)
			}
		}
		shot, err := room.Shoot(t.Context(), after, look.View{Page: 1})
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, shot.Picture)
	}
	sheet(t, "bare", seen)
}
