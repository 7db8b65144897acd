package check_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// told are the findings but too_small, each as level, code and layer.
func told(all []check.Finding) (short []string) {
	for _, f := range all {
		if f.Code != check.CodeTooSmall {
			short = append(short, f.Level+" "+f.Code+" "+f.Layer)
		}
	}
	return short
}

func document(t *testing.T, room *looktest.Room, d look.Doc, o check.Options) []check.Finding {
	t.Helper()
	all, err := check.Document(t.Context(), room, d, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Message == "" || f.Size == "" {
			t.Errorf("a finding says too little: %+v", f)
		}
	}
	return all
}

func TestEachFaultIsFoundAndItsCureIsNot(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	layer := func(id, text string) string { return `<div id="` + id + `">` + text + `</div>` }
	for name, c := range map[string]struct {
		css, cured, layers string
		want               string
	}{
		"contrast":               {"#t { color: #777777 }", "#t { color: #767676 }", layer("t", words), "error contrast t"},
		"a word in it":           {"b { color: #aaa }", "b { color: #555 }", layer("t", "Words <b>and</b> words"), "error contrast t > b"},
		"text that does not fit": {"#t { width: 200px; height: 60px }", "#t { width: 200px; height: 100px }", layer("t", words), "error overflow t"},
		"text that is cut": {"#g { left: 20px; top: 20px; width: 100px; height: 40px; overflow: hidden } #t { left: 0; top: 0; white-space: nowrap }",
			"#g { left: 20px; top: 20px; width: 100px; height: 40px } #t { left: 0; top: 0; white-space: nowrap }", `<div id="g" class="p-group">` + layer("t", "Hamburgefonts") + `</div>`, "error overflow t"},
		"text that spills":  {"#t { width: 100px; white-space: nowrap }", "#t { width: 200px; white-space: nowrap }", layer("t", "Hamburgefonts"), "error overflow t"},
		"text off the page": {"#t { left: 500px; width: 200px; white-space: nowrap }", "#t { left: 400px }", layer("t", "Hamburgefonts"), "error off_page t"},
		"above the page":    {"#t { top: -15px }", "#t { top: -3px }", layer("t", "Hamburgefonts"), "error off_page t"},
		"an image off the page": {"#i { left: -10px; top: 100px; width: 50px; height: 50px }", "#i { left: -10px; top: 100px; width: 620px; height: 50px }",
			`<img id="i" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E">`, "error off_page i"},
		"text on text":           {"#u { left: 40px; top: 24px; font-size: 20px }", "#u { left: 40px; top: 80px; font-size: 20px }", layer("t", words) + layer("u", "Words"), "error overlap u"},
		"covered text":           {"#u { left: 0; top: 0; width: 600px; height: 300px; background: #eee }", "#u { left: 0; top: 300px; width: 600px; height: 100px; background: #eee }", layer("t", words) + layer("u", ""), "error overlap t"},
		"hardly seen":            {"#t { opacity: 0.3; color: #000 }", "#t { opacity: 0.7; color: #000 }", layer("t", words), "error contrast t"},
		"the second page":        {"#q { background: #fff; font-family: 'DejaVu Sans' } #t { color: #777777 }", "#t { color: #666 }", layer("u", "") + `</section><section id="q" class="p-page">` + layer("t", words), "error contrast t"},
		"half an item of a list": {"#g { left: 20px; top: 20px; width: 300px; height: 45px; overflow: hidden } #t { position: static; width: auto; height: 30px; line-height: 30px }", "#g { left: 20px; top: 20px; width: 300px; height: 60px; overflow: hidden } #t { position: static; width: auto; height: 30px; line-height: 30px }", `<div id="g" class="p-group"><div id="t" p-for="n in [1, 2, 3]">Words {{ n }}</div></div>`, "error overflow t"},
		"text in loops":          {"#g { inset: 0 } #t { position: static; color: #777777; height: auto }", "#g { inset: 0 } #t { position: static; height: auto }", `<div id="g" class="p-group"><div id="t" p-for="n in [1, 2, 3]">Words {{ n }}</div></div>`, "error contrast t"},
	} {
		if got := told(document(t, room, page(c.css, c.layers), check.Options{})); fmt.Sprint(got) != "["+c.want+"]" {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
		if got := told(document(t, room, page(c.cured, c.layers), check.Options{})); len(got) > 0 {
			t.Errorf("%s, cured: %v", name, got)
		}
	}
}

func TestWhatIsMeantSoIsNoFault(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for name, c := range map[string][2]string{
		"cut with dots":         {"#t { width: 200px; height: 30px; overflow: hidden }", `<div id="t" p-fit="ellipsis" p-lines="1">` + words + `</div>`},
		"made smaller":          {"#t { width: 200px; height: 30px }", `<div id="t" p-fit="shrink" p-min="4">` + words + `</div>`},
		"decoration":            {"#t { left: -20px; color: #eee; font-size: 200px; line-height: 1; height: 50px }", `<div id="t" aria-hidden="true">“</div>`},
		"a background":          {"#i { left: -10px; top: -10px; width: 50px; height: 50px }", `<img id="i" p-role="background" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E">`},
		"a bleeding image":      {"#i { left: -10px; top: -10px; width: 620px; height: 420px }", `<img id="i" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E">`},
		"initials below a face": {"#t { width: 60px; height: 60px } #i { left: 20px; top: 20px; width: 60px; height: 60px }", `<div id="t">AB</div><img id="i" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E%3Crect width='9' height='9'/%3E%3C/svg%3E">`},
		"a keycap":              {"#t { font-family: 'Noto Color Emoji' }", `<div id="t">1️⃣😀</div>`},
		"for screen readers":    {"#t { width: 1px; height: 1px; overflow: hidden; white-space: nowrap }", `<div id="t">Words</div>`},
		"a clipped decoration":  {"#t { width: 30px; height: 10px; overflow: hidden }", `<div id="t" aria-hidden="true">Words</div><div id="u" p-fit="shrink">Words</div>`},
		"a list as room is":     {"#g { left: 20px; top: 20px; width: 300px; height: 30px; overflow: hidden } #t { position: static; width: auto; height: 30px; line-height: 30px }", `<div id="g" class="p-group"><div id="t" p-for="n in [1, 2, 3]">Words {{ n }}</div></div>`},
		"lines set tight":       {"#t, #u { line-height: 0.9; height: 18px } #u { left: 20px; top: 40px; font-size: 20px }", `<div id="t">words above words</div><div id="u">Words below</div>`},
		"text in a box":         {"#u { left: 0; top: 0; width: 600px; height: 300px; background: #eee }", `<div id="u"></div><div id="t">` + words + `</div>`},
		"hidden":                {"#t { visibility: hidden; left: 5000px }", `<div id="t">` + words + `</div>`},
	} {
		if got := told(document(t, room, page(c[0], c[1]), check.Options{})); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSmallTextIsAWarning(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	all := document(t, room, page("#t { font-size: 11px } #u { left: 20px; top: 200px; font-size: 12px }", `<div id="t">small</div><div id="u">large enough</div>`), check.Options{})
	if len(all) != 1 || all[0].Code != check.CodeTooSmall || all[0].Level != check.Warning || all[0].Layer != "t" {
		t.Errorf("%+v", all) // 12 px of 600 are 24 of 1200
	}
}

const themed = `<!doctype html><html lang="en"><head>
<script type="application/json" id="p-template">{"sizes": {"wide": {"w": 600, "h": 200}, "tall": {"w": 200, "h": 400}}, "vars": {"title": {"type": "text", "required": true, "example": "Words"}, "photo": {"type": "image"}, "ink": {"type": "color", "default": "#000000"}}}</script>
<style id="p-tokens">:root { --paper: #fff } :root[data-theme="dark"] { --paper: #111 }</style>
<style>#p { font: 30px/1.2 "DejaVu Sans"; background: var(--paper) } #t { left: 20px; top: 20px; width: 560px; height: 40px; color: {{ ink }} } #i { left: 20px; top: 100px; width: 50px; height: 50px }</style>
<style id="p-size-tall">#t { width: 160px; height: 200px; overflow-wrap: anywhere }</style></head>
<body><section id="p" class="p-page"><div id="t">{{ title }}</div><img id="i" p-src="{{ photo }}" PHOTO></section></body></html>`

func TestEachViewIsLookedAtAndTheWorstRowTold(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	d := look.Doc{Name: "themed", Source: []byte(strings.Replace(themed, "PHOTO", `p-onerror="hide"`, 1))}
	rows := []check.Row{
		{Name: "plain", Values: map[string]any{"title": "Words"}},
		{Name: "pale", Values: map[string]any{"title": "Words", "ink": "#999999"}},
		{Name: "paler", Values: map[string]any{"title": "Words", "ink": "#dddddd"}},
		{Name: "long", Values: map[string]any{"title": strings.Repeat("Hamburgefonts ", 4), "ink": "#808080"}},
		{Name: "no photo", Values: map[string]any{"title": "Words", "ink": "#808080", "photo": "https://missing.invalid/a.png"}},
	}
	var got []string
	for _, f := range document(t, room, d, check.Options{Rows: rows}) {
		got = append(got, strings.Join([]string{f.Level, f.Code, f.Layer, f.Size, f.Theme, f.Row, fmt.Sprintf("%.1f", f.Ratio)}, "|"))
	}
	want := []string{
		"error|contrast|t|wide||paler|1.4", "error|overflow|t|wide||long|0.0", "error|contrast|t|wide|dark|plain|1.1",
		"error|contrast|t|tall||paler|1.4", "error|overflow|t|tall||long|0.0", "error|contrast|t|tall|dark|plain|1.1",
		"warning|missing_image|i|wide||no photo|0.0", "warning|missing_image|i|tall||no photo|0.0",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	dark := document(t, room, d, check.Options{Rows: rows[:1], Sizes: []string{"tall"}, Themes: []string{"dark"}})
	if len(dark) != 1 || dark[0].Size != "tall" || dark[0].Theme != "dark" || dark[0].Need != 3 {
		t.Errorf("one view has %+v", dark)
	}
	fails := d.With([]byte(strings.Replace(themed, "PHOTO", "", 1)))
	all := document(t, room, fails, check.Options{Rows: rows[4:], Themes: []string{""}})
	if got := told(all); fmt.Sprint(got) != "[warning missing_image  warning missing_image ]" || !strings.Contains(all[0].Message, "p-fallback") {
		t.Errorf("where the template wants no picture then: %+v", all)
	}
}

func TestBadInputsAreProblems(t *testing.T) {
	room := looktest.Open(t)
	good := look.Doc{Name: "themed", Source: []byte(strings.Replace(themed, "PHOTO", "", 1))}
	for name, c := range map[string]struct {
		d    look.Doc
		o    check.Options
		want problem.Code
	}{
		"half a document":   {good.With([]byte("<p>{{ cut")), check.Options{}, problem.Invalid},
		"an unknown size":   {good, check.Options{Sizes: []string{"huge"}}, problem.NotFound},
		"an unknown theme":  {good, check.Options{Themes: []string{"", "sepia"}}, problem.NotFound},
		"a row without its": {good, check.Options{Rows: []check.Row{{Name: "none", Values: map[string]any{}}}}, problem.Invalid},
	} {
		if _, err := check.Document(t.Context(), room, c.d, c.o); problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := check.Contrast(t.Context(), room, good, look.View{Size: "huge"}); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("an unknown size: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := check.Document(ctx, room, good, check.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}

func TestHardestRowsAreOfManyKindsAndAccepted(t *testing.T) {
	d := look.Doc{Name: "themed", Source: []byte(strings.Replace(themed, "PHOTO", `p-onerror="hide"`, 1))}
	form, err := template.Parse(d.Name, d.Source, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := []map[string]any{{"title": "First"}, {"title": "A long one among the rows"}, {"title": "S"}, {"nothing": 1}}
	var names []string
	for _, r := range check.Hardest(form, rows, 7) {
		names = append(names, r.Name)
	}
	if fmt.Sprint(names) != "[the first row all: long texts title: longest all: right to left photo: empty photo: missing picture all: Chinese and Japanese]" {
		t.Errorf("%q", names)
	}
	for _, most := range []int{0, 1, 3, 1000} {
		got := check.Hardest(form, rows, most)
		if len(got) > most || most < 4 && len(got) != most {
			t.Errorf("%d of at most %d", len(got), most)
		}
		for _, r := range got {
			if r.Values["title"] == nil {
				t.Errorf("a row that is refused: %+v", r)
			}
		}
	}
	if got := check.Hardest(form, nil, 2); got[0].Values["title"] != "Words" || slices.ContainsFunc(got, func(r check.Row) bool { return r.Name == "" }) {
		t.Errorf("without rows: %+v", got)
	}
}
