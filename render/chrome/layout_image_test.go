package chrome

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// ramp is a picture whose colour says where one is: red grows to the right,
// green downwards, 0 to 250.
func ramp(t *testing.T, width, height int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{uint8(250 * x / (width - 1)), uint8(250 * y / (height - 1)), 99, 255})
		}
	}
	return encoded(t, m)
}

func encoded(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Where a picture of 1000x500 shows what, by the colours at two opposite corners.
func TestFocusAndCropShowTheirPart(t *testing.T) {
	file := rendertest.File{ContentType: "image/png", Bytes: ramp(t, 1000, 500)}
	p := newPool(t, rendertest.Files{"ramp": file}, withTabs(1), plainly)
	for name, c := range map[string]struct {
		attributes, style string
		want              [4]float64 // left, top, right and bottom of what is seen, in fractions of the picture
	}{
		"the middle without a focus":      {``, "width:200px;height:200px;object-fit:cover", [4]float64{.25, 0, .75, 1}},
		"the focus in the middle":         {`p-focus="0.4 0.9"`, "width:200px;height:200px;object-fit:cover", [4]float64{.15, 0, .65, 1}},
		"as far as the left edge":         {`p-focus="0.1 0.5"`, "width:200px;height:200px;object-fit:cover", [4]float64{0, 0, .5, 1}},
		"as far as the right edge":        {`p-focus="0.95 0.5"`, "width:200px;height:200px;object-fit:cover", [4]float64{.5, 0, 1, 1}},
		"up and down":                     {`p-focus="0.1 0.3"`, "width:400px;height:100px;object-fit:cover", [4]float64{0, .05, 1, .55}},
		"within border and padding":       {`p-focus="0.4 0.9"`, "box-sizing:border-box;border:10px solid;padding:20px 40px;width:200px;height:160px;object-fit:cover", [4]float64{.15, 0, .65, 1}},
		"at the size of the picture":      {`p-focus="0.4 0.6"`, "width:300px;height:100px;object-fit:none", [4]float64{.25, .5, .55, .7}},
		"a crop":                          {`p-crop="0.1 0.2 0.5 0.6"`, "width:200px;height:120px", [4]float64{.1, .2, .6, .8}},
		"a crop of the whole":             {`p-crop="0 0 1 1"`, "width:200px;height:100px", [4]float64{0, 0, 1, 1}},
		"a crop gives the picture a size": {`p-crop="0 0 0.2 0.2"`, "", [4]float64{0, 0, .2, .2}},
		"a crop with a focus":             {`p-crop="0.5 0 0.5 1" p-focus="0.7 0.5"`, "width:100px;height:200px;object-fit:cover", [4]float64{.575, 0, .825, 1}},
		"a focus outside of the crop":     {`p-crop="0.5 0 0.5 1" p-focus="0.1 0.5"`, "width:100px;height:200px;object-fit:cover", [4]float64{.5, 0, .75, 1}},
		"what makes no sense":             {`p-focus="middle" p-crop="1 2"`, "width:200px;height:200px;object-fit:cover", [4]float64{.25, 0, .75, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := fitted(fmt.Sprintf(`<img id="i" src="/assets/ramp.png" %s style="display:block;%s"><p p-fit="none">`, c.attributes, c.style),
				render.Asset{Path: "/assets/ramp.png", Digest: "ramp"})
			m := rendertest.Decode(t, mustRender(t, p, r).Bytes)
			seen := painted(m)
			for i, at := range []image.Point{seen.Min, seen.Max.Sub(image.Pt(1, 1))} {
				got := rendertest.At(m, at.X, at.Y)
				x, y := float64(got.R)/250, float64(got.G)/250
				if wantX, wantY := c.want[2*i], c.want[2*i+1]; !near(x, wantX) || !near(y, wantY) {
					t.Errorf("at %v of %v is (%.3f, %.3f) of the picture, want (%.3f, %.3f)", at, seen, x, y, wantX, wantY)
				}
			}
		})
	}
}

func near(a, b float64) bool { return a-b < 0.015 && b-a < 0.015 }

// painted is where the ramp is in a picture.
func painted(m image.Image) (found image.Rectangle) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if c := rendertest.At(m, x, y); c.B == 99 {
				found = found.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return found
}

// subject is a dull picture with something to look at about a point.
func subject(t *testing.T, width, height int, about image.Point, c color.RGBA) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := uint8(120 + 40*y/height)
			m.Set(x, y, color.RGBA{shade, shade, shade, 255})
			if d := image.Pt(x, y).Sub(about); d.X*d.X+d.Y*d.Y < 60*60 {
				m.Set(x, y, c)
			}
		}
	}
	return encoded(t, m)
}

// Of two things that stand out as much, the one that people look at.
func TestFocusPrefersFacesAndStrongColours(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("Chrome's work, and little of ours: runs in the pass without -short")
	}
	grey, green, skin := color.RGBA{195, 195, 195, 255}, color.RGBA{126, 230, 140, 255}, color.RGBA{224, 172, 140, 255}
	for name, c := range map[string][2]color.RGBA{"a face before green": {green, skin}, "green before grey": {grey, green}} {
		for _, faceLeft := range []bool{false, true} {
			left, right := c[0], c[1]
			if faceLeft {
				left, right = right, left
			}
			a, err := png.Decode(bytes.NewReader(subject(t, 1200, 400, image.Pt(250, 200), left)))
			if err != nil {
				t.Fatal(err)
			}
			both, err := png.Decode(bytes.NewReader(subject(t, 1200, 400, image.Pt(950, 200), right)))
			if err != nil {
				t.Fatal(err)
			}
			draw.Draw(both.(*image.RGBA), image.Rect(0, 0, 600, 400), a, image.Point{}, draw.Src)
			p := newPool(t, rendertest.Files{"s": {ContentType: "image/png", Bytes: encoded(t, both)}}, withTabs(1), plainly)
			mustRender(t, p, fitted(`<img id="i" p-focus="auto" src="/assets/s.png" style="width:400px;height:400px;object-fit:cover">`,
				render.Asset{Path: "/assets/s.png", Digest: "s"}))
			var x float64
			place := inWorld(t, p, `getComputedStyle(document.getElementById("i")).objectPosition`)
			if _, err := fmt.Sscanf(place, "%f%%", &x); err != nil || (x < 50) != faceLeft {
				t.Errorf("%s, left %t: object-position is %q", name, faceLeft, place)
			}
		}
	}
}

func TestFocusFindsTheSubject(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("Chrome's work, and little of ours: runs in the pass without -short")
	}
	skin, red, white := color.RGBA{224, 172, 140, 255}, color.RGBA{220, 20, 30, 255}, color.RGBA{255, 255, 255, 255}
	for name, c := range map[string]struct {
		width, height int
		about         image.Point
		colour        color.RGBA
		left, top     float64 // of the window that is seen, a square of the whole short side
	}{
		"a face on the left":   {1200, 400, image.Pt(250, 150), skin, 50, 0},
		"a face on the right":  {1200, 400, image.Pt(1130, 200), skin, 800, 0},
		"something red":        {1200, 400, image.Pt(700, 200), red, 500, 0},
		"something bright":     {1200, 400, image.Pt(850, 300), white, 650, 0},
		"above":                {400, 1200, image.Pt(200, 300), skin, 0, 100},
		"nothing to look at":   {1200, 400, image.Pt(-900, -900), red, 400, 0},
		"a picture that fits":  {400, 400, image.Pt(70, 70), red, 0, 0},
		"almost the same form": {404, 400, image.Pt(370, 70), red, 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, rendertest.Files{"s": {ContentType: "image/png", Bytes: subject(t, c.width, c.height, c.about, c.colour)}}, withTabs(1), plainly)
			r := fitted(`<img id="i" p-focus="auto" src="/assets/s.png" style="display:block;width:400px;height:400px;object-fit:cover">`,
				render.Asset{Path: "/assets/s.png", Digest: "s"})
			out := mustRender(t, p, r)
			place := inWorld(t, p, `getComputedStyle(document.getElementById("i")).objectPosition`)
			var x, y float64
			if _, err := fmt.Sscanf(place, "%f%% %f%%", &x, &y); err != nil {
				t.Fatalf("object-position is %q", place)
			}
			left, top := x/100*float64(c.width-400), y/100*float64(c.height-400)
			if off := max(left-c.left, c.left-left, top-c.top, c.top-top); off > 60 {
				t.Errorf("what is seen begins at (%.0f, %.0f), want (%.0f, %.0f)", left, top, c.left, c.top)
			}
			if again := mustRender(t, p, r); !bytes.Equal(out.Bytes, again.Bytes) || len(out.Warnings) > 0 {
				t.Errorf("the second picture differs, or there are warnings: %+v", out.Warnings)
			}
		})
	}
}
