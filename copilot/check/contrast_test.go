package check_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

// page is a document of 600 by 400 with style sheet and layers.
func page(css, layers string) look.Doc {
	return look.Doc{Name: "page", Assets: map[string]string{}, Source: fmt.Appendf(nil, `<!doctype html><html lang="en"><head>
<script type="application/json" id="p-template">{"sizes": {"default": {"w": 600, "h": 400}}}</script>
<style>#p { font-family: "DejaVu Sans", sans-serif; background: #fff } #t { left: 20px; top: 20px; width: 560px; height: 200px; font-size: 20px; line-height: 1.3 } %s</style></head>
<body><section id="p" class="p-page">%s</section></body></html>`, css, layers)}
}

const words = "Hamburgefonts, the quick brown fox jumps over the lazy dog"

// span is how the layer t stands out.
func span(t *testing.T, room *looktest.Room, d look.Doc, v look.View) (check.Span, bool) {
	t.Helper()
	spans, err := check.Contrast(t.Context(), room, d, v)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spans {
		if s.Layer == "t" {
			return s, true
		}
	}
	return check.Span{}, false
}

func TestContrastIsMeasuredOnPixels(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	grey := func(step uint8) color.NRGBA { return color.NRGBA{step, step, step, 255} }
	plain := func(text, ground string) float64 { return check.Ratio(hex(t, text), hex(t, ground)) }
	layer := `<div id="t">` + words + `</div>`
	for name, c := range map[string]struct {
		css, layers string
		want, off   float64
	}{
		"grey that fails":       {"#t { color: #777777 }", layer, 4.4781, 0.01},
		"grey that passes":      {"#t { color: #767676 }", layer, 4.5422, 0.01},
		"large grey":            {"#t { color: #949494; font-size: 30px }", layer, 3.0335, 0.01},
		"white on blue":         {"#p { background: #667eea } #t { color: #fff }", layer, 3.6602, 0.01},
		"red on navy":           {"#p { background: #0f172a } #t { color: #e11d48 }", layer, 3.8007, 0.02},
		"white on navy":         {"#p { background: #0f172a } #t { color: #fff }", layer, 17.8525, 0.05},
		"the same colour":       {"#t { color: #fff }", layer, 1, 0},
		"small":                 {"#t { color: #777777; font-size: 10px }", layer, 4.4781, 0.4},
		"half transparent ink":  {"#t { color: rgb(0 0 0 / 0.5) }", layer, plain("#7f7f7f", "#ffffff"), 0.06},
		"half transparent":      {"#t { color: #000; opacity: 0.5 }", layer, plain("#7f7f7f", "#ffffff"), 0.06},
		"in a faded group":      {"#g { inset: 0; opacity: 0.4 } #t { color: #000 }", `<div id="g" class="p-group">` + layer + `</div>`, check.Ratio(grey(153), grey(255)), 0.06},
		"a fill of its own":     {"#t { color: #000; -webkit-text-fill-color: #777777 }", layer, 4.4781, 0.01},
		"important":             {"#t { color: #777777 !important; -webkit-text-fill-color: #777777 !important }", layer, 4.4781, 0.01},
		"underlined in red":     {"#t { color: #777777; text-decoration: underline red 3px }", layer, 4.4781, 0.01},
		"a box of its colour":   {"#t { color: #777777; border: 20px solid currentcolor }", layer, 4.4781, 0.01},
		"a shadow behind it":    {"#t { color: #fff; font-size: 40px; text-shadow: 0 0 1px #000, 0 0 2px #000, 0 0 2px #000, 0 0 2px #000 }", layer, 15, 6},
		"a shadow of its own":   {"#t { color: #777777; text-shadow: 2px 2px 0 }", layer, 4.4781, 0.01},
		"a glow":                {"#p { background: #0f172a } #t { color: #fff; text-shadow: 0 0 3px #fff, 0 0 3px #fff, 0 0 8px #fff }", layer, 17.8525, 0.05},
		"turned":                {"#t { color: #777777; transform: rotate(7deg) }", layer, 4.4781, 0.1},
		"a gradient in letters": {"#t { font-size: 40px; color: transparent; background: linear-gradient(#777777, #777777); -webkit-background-clip: text; background-clip: text }", layer, 4.4781, 0.02},
		"among emoji":           {"#p { background: #0b5d52 } #t { color: #f4efe3; font-family: 'DejaVu Sans', 'Noto Color Emoji'; font-size: 25px }", `<div id="t">Words 🎉👩‍👩‍👧‍👦🇩🇪😀🍎 words</div>`, plain("#f4efe3", "#0b5d52"), 0.05},
		"emoji on white":        {"#t { color: #777777; font-family: 'DejaVu Sans', 'Noto Color Emoji' }", `<div id="t">Words 🎉👩‍👩‍👧‍👦🇩🇪😀🍎🌕 words</div>`, 4.4781, 0.02},
		"svg":                   {"#t { position: absolute }", `<svg id="s" width="600" height="400"><text id="t" x="20" y="60" font-size="30" fill="#777777">` + words + `</text></svg>`, 4.4781, 0.02},
		"faded svg":             {"#t { position: absolute }", `<svg id="s" width="600" height="400"><text id="t" x="20" y="60" font-size="30" fill="#000" fill-opacity="0.5">` + words + `</text></svg>`, plain("#7f7f7f", "#ffffff"), 0.06},
		"before it":             {"#t::before { content: \"Hamburgefonts\"; color: #777777 }", `<div id="t"></div>`, 4.4781, 0.01},
		"over a gradient":       {"#t { color: #000; width: 600px; left: 0; font-size: 15px; background: linear-gradient(90deg, #777777, #ffffff) }", `<div id="t">` + words + " " + words + `</div>`, 4.9, 0.35},
	} {
		t.Run(name, func(t *testing.T) {
			s, ok := span(t, room, page(c.css, c.layers), look.View{})
			if !ok || math.Abs(s.Ratio-c.want) > c.off {
				t.Errorf("%t, %+v, want %.4f", ok, s, c.want)
			}
			twice, _ := span(t, room, page(c.css, c.layers), look.View{Scale: 2})
			if math.Abs(twice.Ratio-c.want) > max(c.off, 0.02) || twice.FontPx != s.FontPx || twice.At.Sub(s.At.Min).Max.X < s.At.Dx()-3 {
				t.Errorf("at twice the size %+v, want %.4f", twice, c.want)
			}
		})
	}
}

func TestSizesAreThoseThatAreSeen(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for name, c := range map[string]struct {
		css  string
		px   float64
		bold bool
		need float64
	}{
		"as set":        {"", 20, false, 4.5},
		"bold":          {"#t { font-weight: 700 }", 20, true, 3},
		"made larger":   {"#t { transform: scale(1.5) }", 30, false, 3},
		"by scale":      {"#t { scale: 0.5 }", 10, false, 4.5},
		"by zoom":       {"#t { zoom: 1.5 }", 30, false, 3},
		"by the parent": {"#p { transform: scale(2) rotate(4deg); transform-origin: 0 0 }", 40, false, 3},
	} {
		s, ok := span(t, room, page(c.css, `<div id="t">Hamburg</div>`), look.View{})
		if !ok || math.Abs(s.FontPx-c.px) > 0.02 || s.Bold != c.bold || s.Need != c.need {
			t.Errorf("%s: %+v, want %g px, bold %t, %g", name, s, c.px, c.bold, c.need)
		}
	}
}

func TestWhatIsNoTextHasNoContrast(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for name, c := range map[string][2]string{
		"emoji":       {"#t { font-family: 'Noto Color Emoji' }", `<div id="t">😀1️⃣</div>`},
		"a sign":      {"", `<div id="t">“</div>`},
		"decoration":  {"", `<div id="t" aria-hidden="true">` + words + `</div>`},
		"outlined":    {"#t { -webkit-text-stroke: 2px #000; color: #fff }", `<div id="t">` + words + `</div>`},
		"hidden":      {"#t { visibility: hidden }", `<div id="t">` + words + `</div>`},
		"transparent": {"#t { opacity: 0 }", `<div id="t">` + words + `</div>`},
		"covered":     {"#c { inset: 0; background: red }", `<div id="t">` + words + `</div><div id="c"></div>`},
		"nothing":     {"", `<div id="t"></div>`},
	} {
		if s, ok := span(t, room, page(c[0], c[1]), look.View{}); ok {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestContrastOverAPhotographIsThatOfItsWorstPart(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	photo := image.NewNRGBA(image.Rect(0, 0, 600, 400))
	noise := rand.New(rand.NewPCG(1, 2))
	for y := range 400 {
		for x := range 600 {
			light := uint8(20 + noise.IntN(20)) // dark, but for a bright sky in the left third
			if x < 200 {
				light = uint8(200 + noise.IntN(30))
			}
			photo.SetNRGBA(x, y, color.NRGBA{light, light, light, 255})
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, photo); err != nil {
		t.Fatal(err)
	}
	d := page("#i { inset: 0 } #t { color: #fff } #s { inset: 0; background: rgb(0 0 0 / var(--scrim, 0)) }", `<img id="i" src="assets/photo.png"><div id="s"></div><div id="t">`+words+`</div>`)
	d.Assets["assets/photo.png"] = room.Put("photo.png", file.Bytes())
	s, ok := span(t, room, d, look.View{})
	if lo, hi := check.Ratio(color.NRGBA{230, 230, 230, 255}, color.NRGBA{255, 255, 255, 255}), 1.5; !ok || s.Ratio < lo || s.Ratio > hi {
		t.Errorf("white on a bright sky: %+v", s)
	}
	s, ok = span(t, room, d, look.View{CSS: ":root { --scrim: 0.7 }"})
	if !ok || !s.Passes() || s.Ratio > 10 {
		t.Errorf("with a scrim: %+v", s)
	}
}

func TestTextsAreToldApart(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	d := page("#t { color: #777777 } b { color: #000 } #u { left: 20px; top: 100px; font-size: 20px; color: #aaa }",
		`<div id="t">grey words with <b>black ones</b> among them</div><div id="u">light</div>`)
	spans, err := check.Contrast(t.Context(), room, d, look.View{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range spans {
		got = append(got, fmt.Sprintf("%s %.1f of %g", s.Layer, s.Ratio, s.Need))
	}
	if want := "[u 2.3 of 4.5 t 4.5 of 4.5 t > b 21.0 of 3]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if at := spans[0].At; !at.In(image.Rect(18, 98, 90, 130)) || at.Dx() < 30 {
		t.Errorf("light is at %v", at)
	}
}
