package palette

import (
	"math"
	"slices"
	"testing"

	"github.com/pictifyd/pictifyd/template/markup"
)

func TestColoursAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"#fff": "#ffffff", "#1B1a17": "#1b1a17", "white": "#ffffff", "RebeccaPurple": "#663399",
		"rgb(23, 48, 43)": "#17302b", "rgb(23 48 43 / 0.12)": "rgb(23 48 43 / 0.12)", "rgba(9,16,24,.62)": "rgb(9 16 24 / 0.62)",
		"#00000080": "rgb(0 0 0 / 0.502)", "hsl(120deg 100% 25%)": "#008000", "hsl(0, 0%, 50%)": "#808080", "hwb(0 100% 0%)": "#ffffff",
		"oklch(62.796% 0.25768 29.2339)": "#ff0000", "oklch(1 0 0)": "#ffffff",
	} {
		if c, ok := parseColor(text); !ok || c.String() != want {
			t.Errorf("%s is %s (%t), want %s", text, c, ok, want)
		}
	}
	for _, text := range []string{"", "#12", "#ggg", "paper", "var(--a)", "color-mix(in oklab, red, blue)", "rgb(1 2)", "oklch(from red l c h)", "transparent"} {
		if c, ok := parseColor(text); ok {
			t.Errorf("%q is no colour, and was read as %s", text, c)
		}
	}
}

// The values are those of CSS Color 4 and of WCAG 2.2.
func TestColourSpaceAndContrastAreThePublishedOnes(t *testing.T) {
	for text, want := range map[string]lch{
		"#ff0000": {0.62796, 0.25768, 29.2339}, "#00ff00": {0.86644, 0.29483, 142.4953}, "#0000ff": {0.45201, 0.31321, 264.0520},
	} {
		c, _ := parseColor(text)
		o := c.lch()
		if h := math.Mod(o.h*180/math.Pi+360, 360); math.Abs(o.l-want.l) > 1e-4 || math.Abs(o.c-want.c) > 1e-4 || math.Abs(h-want.h) > 1e-2 {
			t.Errorf("%s is %.5f %.5f %.4f, want %v", text, o.l, o.c, h, want)
		}
		if back := o.rgb().String(); back != text {
			t.Errorf("%s comes back as %s", text, back)
		}
	}
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#777777", "#ffffff", 4.4781}, {"#767676", "#ffffff", 4.5422}, {"#ffffff", "#0f172a", 17.8525}, {"#e11d48", "#0f172a", 3.8007}, {"#000", "#fff", 21}} {
		a, _ := parseColor(c.a)
		b, _ := parseColor(c.b)
		if got := contrast(a, b); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%s on %s: %.4f, want %.4f", c.a, c.b, got, c.want)
		}
	}
}

func TestAColourReachesAContrastAndKeepsItsHue(t *testing.T) {
	ground, _ := parseColor("#191814")
	for _, text := range []string{"#0b6650", "#c8331c", "#0f5c8c", "#7a4b00"} {
		c, _ := parseColor(text)
		o, ok := c.lch().reaching(ground, 4.5, true)
		got := o.rgb()
		if r := contrast(got, ground); !ok || r < 4.5 || r > 4.6 {
			t.Errorf("%s becomes %s: %.2f", text, got, r)
		}
		if turn := math.Abs(got.lch().h - c.lch().h); turn > 0.03 {
			t.Errorf("%s becomes %s: its hue turned by %.3f", text, got, turn)
		}
	}
	if _, ok := (lch{0.5, 0, 0}).reaching(rgb{0.5, 0.5, 0.5, 1}, 15, true); ok {
		t.Error("nothing is that much lighter than grey")
	}
}

func TestColoursOfAValueAreFound(t *testing.T) {
	for value, want := range map[string][]string{
		"linear-gradient(160deg, #f7f1e4 0%, white 100%)":      {"#f7f1e4", "white"},
		"0 2px 4px rgba(1, 2, 3, .5), 0 0 red":                 {"rgba(1, 2, 3, .5)", "red"},
		"1px solid var(--line, #fff)":                          {"var(--line, #fff)"},
		`url("red.svg") #eee`:                                  {"#eee"},
		"url(#red) no-repeat":                                  nil,
		"color-mix(in oklab, {{ accent }} 15%, #fffdf9)":       {"color-mix(in oklab, {{ accent }} 15%, #fffdf9)"},
		"{{ accent }} /* red */":                               {"{{ accent }}"},
		`{{ sale ? "#f00" : "#00f" }}`:                         {`{{ sale ? "#f00" : "#00f" }}`},
		"var(--white) solid":                                   {"var(--white)"},
		"drop-shadow(0 0 2px black)":                           {"black"},
		`"red" counter(blue-ish)`:                              nil,
		"oklch(from var(--accent) min(l, .48) c h) tan-dashed": {"oklch(from var(--accent) min(l, .48) c h)"},
	} {
		var got []string
		for _, p := range partsOf(value, false) {
			got = append(got, p.text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if deep := partsOf("color-mix(in oklab, {{ accent }} 15%, #fffdf9)", true); len(deep) != 2 || deep[1].text != "#fffdf9" {
		t.Errorf("in a mixture: %+v", deep)
	}
}

func TestDeclarationsWithColoursAreFound(t *testing.T) {
	doc := markup.Parse([]byte(`<style>/* a { color: red } */ a:hover, b { color : red!important; width: 1px; background:url(data:x;y) } @media (x) { c { border: 1px solid #fff } }
@font-face { color: red } d { fill: blue; &:hover { stroke: {{ x ? "}" : ";" }} } }</style><style id="p-tokens">:root { --a: red }</style>
<table bgcolor="#ABCDEF"><tr><td style="color:red;margin:0" p-lock><font color="red">x</font></td></tr></table><svg><mask><path fill="white"/></mask><path fill="red" d="red"/></svg>`))
	var got []string
	for _, s := range sitesOf(doc) {
		locked := ""
		if s.locked {
			locked = " locked"
		}
		got = append(got, s.selector+"|"+s.property+"|"+s.value+locked)
	}
	want := []string{
		"a:hover, b|color|red", "a:hover, b|background|url(data:x;y)", "c|border|1px solid #fff", "d|fill|blue", `&:hover|stroke|{{ x ? "}" : ";" }}`,
		"|background-color|#ABCDEF", "|color|red locked", "|color|red locked", "|fill|red",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
