package chrome

import (
	"errors"
	"fmt"
	"image"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// worded is a request for a page of texts.
func worded(head, body string) render.Request {
	return render.Request{
		Page: "worded", Width: 640, Height: 400, Format: render.PNG,
		HTML: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>` + "\U00030001" + `</title>` +
			`<style>body{margin:0;font:20px "Noto Sans",sans-serif}</style>` + head + `</head><body>` + body + `</body></html>`,
	}
}

// missingIn is what the warnings say of glyphs: "layer: characters".
func missingIn(out render.Output) (all []string) {
	for _, w := range out.Warnings {
		if w.Code == render.GlyphMissing {
			what, _, _ := strings.Cut(strings.TrimPrefix(w.Problem, "no font has "), ": ")
			all = append(all, w.Layer+": "+what)
		}
	}
	return all
}

// The characters are ones that no font can have on any machine: unassigned
// (U+0378), no character at all (U+FDD0), and for private use, which Chrome looks
// for in none but the fonts that the page names (U+E000).
func TestMissingGlyphsAreReported(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	for name, c := range map[string]struct {
		head, body string
		want       []string
	}{
		"with the layer":             {"", `<h1 id="title">One ` + "\u0378" + `</h1><p id="price">9 €</p>`, []string{"title: U+0378"}},
		"of each layer":              {"", `<p id="a">` + "\u0378" + `</p><p id="b">` + "\U00030000\U000E0FFF\uE000\u0378" + `</p>`, []string{"a: U+0378", "b: U+30000 \U00030000, U+E000, U+0378"}},
		"of a layer once":            {"", `<p id="a">` + "\uE000\uE000<b>\uE001</b>\uE000" + `</p>`, []string{"a: U+E000, U+E001"}},
		"of a loop's layer":          {"", `<p id="a"><b p-name="row[1]">` + "\uE000" + `</b></p>`, []string{"row[1]: U+E000"}},
		"without a layer":            {"", `<p id=""><b>` + "\uE000" + `</b></p>`, []string{"b: U+E000"}},
		"but eight of many":          {"", `<p id="a">` + "\uE000\uE001\uE002\uE003\uE004\uE005\uE006\uE007\uE008\uE009" + `</p>`, []string{"a: U+E000, U+E001, U+E002, U+E003, U+E004, U+E005, U+E006, U+E007 and more"}},
		"among others":               {"", `<p id="a">漢字` + "\u0378" + `かな 👩‍👩‍👧‍👦 ` + "\uFDD0" + ` e` + "\u0301" + `</p>`, []string{"a: U+0378, U+FDD0"}},
		"with a mark":                {"", `<p id="a">` + "\u0378\u0301" + `</p>`, []string{"a: U+0378"}},
		"in a sequence of emoji":     {"", `<p id="a">👩` + "\u200D\U0001F0C0" + `</p>`, []string{"a: U+1F0C0"}},
		"a control character":        {"", `<p id="a">a` + "\x01" + `b</p>`, []string{"a: U+0001"}},
		"of SVG":                     {"", `<svg><text id="a" y="20">` + "\uE000" + `</text></svg>`, []string{"a: U+E000"}},
		"of an SVG that is used":     {"", `<svg><defs><text id="a" y="20">` + "\uE000" + `</text></defs><use href="#a"/></svg>`, []string{"a: U+E000"}},
		"of MathML":                  {"", `<math id="a"><mi>` + "\uE000" + `</mi></math>`, []string{"a: U+E000"}},
		"of a field":                 {"", `<input id="a" value="` + "\uE000" + `"><input id="b" placeholder="` + "\uE001" + `">`, []string{"a: U+E000", "b: U+E001"}},
		"of a choice":                {"", `<select id="a"><option>` + "\uE000" + `<option selected>` + "\uE001" + `</select>`, []string{"a: U+E001"}},
		"of a long field":            {"", `<textarea id="a">` + "\uE000" + `</textarea>`, []string{"a: U+E000"}},
		"without a box of its own":   {"", `<p id="a" style="display:contents">` + "\uE000" + `</p>`, []string{"a: U+E000"}},
		"of a reading":               {"", `<ruby id="a">漢<rt>` + "\uE000" + `</rt></ruby>`, []string{"a: U+E000"}},
		"put before":                 {`<style>#a::before{content:"\E000 "}</style>`, `<p id="a">x</p>`, []string{"a: U+E000"}},
		"put after, from the row":    {`<style>p:after{content:"x" attr(data-x)}</style>`, `<p id="a" data-x="` + "'\\\uE000" + `">x</p>`, []string{"a: U+E000"}},
		"a control character after":  {`<style>p:after{content:attr(data-x)}</style>`, `<p id="a" data-x="a` + "\x01" + `b">x</p>`, []string{"a: U+0001"}},
		"put by a nested rule":       {`<style>@media all{.c{&::before{content:"\E000"}}}</style>`, `<p id="a" class="c">x</p>`, []string{"a: U+E000"}},
		"put by a variable":          {`<style>:root{--x:"\E000"} p::before{content:var(--x)}</style>`, `<p id="a">x</p>`, []string{"a: U+E000"}},
		"put by the body's style":    {"", `<style>p::before{content:"` + "\uE000" + `"}</style><p id="a">x</p>`, []string{"a: U+E000"}},
		"put by any selector":        {`<style>::before{content:"` + "\uE000" + `"}</style>`, `<p id="a">x</p>`, []string{"html: U+E000", "body: U+E000", "a: U+E000"}},
		"put in a scope":             {`<style>@scope (.c){:scope::before{content:"\E000"}}</style>`, `<p id="a" class="c">x</p>`, []string{"a: U+E000"}},
		"put by what is within":      {`<style>.c::before{@media all{content:"\E000"}}</style>`, `<p id="a" class="c">x</p>`, []string{"a: U+E000"}},
		"put before all in it":       {`<style>.c ::before{content:"\E000"}</style>`, `<div id="a" class="c"><p id="b">x</p></div>`, []string{"b: U+E000"}},
		"put by a name's space":      {`<style>@namespace x url(http://www.w3.org/1999/xhtml); x|p::before{content:"\E000"}</style>`, `<p id="a">x</p>`, []string{"a: U+E000"}},
		"as a marker":                {`<style>li::marker{content:"` + "\uE000" + `"}</style>`, `<ul><li id="a">x</ul>`, []string{"a: U+E000"}},
		"as a marker of a list":      {`<style>ul{list-style-type:"` + "\uE000" + `"}</style>`, `<ul id="l"><li id="a">x<p>x</p></ul>`, []string{"a: U+E000"}},
		"where names shadow":         {"", `<form id="fonts" name="body"></form><img name="styleSheets"><form name="defaultView"><input name="id"></form><p id="pictifydGlyphs">` + "\uE000" + `</p>`, []string{"pictifydGlyphs: U+E000"}},
		"not where it's not shown":   {"", `<p id="a" style="display:none">` + "\uE000" + `</p><p style="visibility:hidden">` + "\uE000" + `</p><div style="opacity:0"><p>` + "\uE000" + `</p></div><p style="font-size:0">` + "\uE000", nil},
		"not of what is no text":     {"", `<style>p{--x:"` + "\uE000" + `"}</style><!-- ` + "\uE000" + ` --><template>` + "\uE000" + `</template><svg><title>` + "\uE000" + `</title></svg><p title="` + "\uE000" + `">x</p><script>` + "\uE000" + `</script>`, nil},
		"not of a closed part":       {"", `<details><summary>x</summary><p>` + "\uE000" + `</p></details>`, nil},
		"not of content that is not": {`<style>p::before{content:"` + "\uE000" + `";display:none} .x::after{content:"` + "\uE000" + `"} p::marker{content:"` + "\uE000" + `"}</style>`, `<p id="a">x</p>`, nil},
		"not of a hidden field":      {"", `<input type="hidden" value="` + "\uE000" + `"><input type="password" value="` + "\uE000" + `"><input type="checkbox" value="` + "\uE000" + `">`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := worded(c.head, c.body)
			first := mustRender(t, p, r)
			if diff := cmp.Diff(c.want, missingIn(first)); diff != "" {
				t.Errorf("missing glyphs (-want +got):\n%s", diff)
			}
			if again := mustRender(t, p, r); !slices.Equal(first.Warnings, again.Warnings) {
				t.Errorf("the second time the warnings are %v, not %v", again.Warnings, first.Warnings)
			}
		})
	}
}

func TestGlyphsThatAreThereAreNotReported(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	for name, text := range map[string]string{
		"Latin":              "Žluťoučký kůň, “größer” – 9,99 € … Ĳ ﬁ №",
		"accents apart":      "e\u0301 e\u0323\u0302 Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307" + strings.Repeat("\u0308", 900),
		"Greek and Cyrillic": "Ελληνικά Кириллица Ѳ",
		"Arabic":             "مَرْحَبًا بِالعَالَمِ لا ﷺ ﷽ ١٢٣",
		"Hebrew":             "שָׁלוֹם",
		"Devanagari":         "क्षत्रिय हिन्दी सर्वभाषा",
		"other Indic":        "தமிழ் తెలుగు ಕನ್ನಡ മലയാളം বাংলা ગુજરાતી ਪੰਜਾਬੀ ଓଡ଼ିଆ සිංහල ක්\u200dර",
		"South-East Asia":    "ภาษาไทย ລາວ မြန်မာ ខ្មែរ བོད་",
		"Chinese, Japanese":  "简体 繁體 春は曙 カタカナ ｱｲｳ 葛\U000E0100 漢\uFE00 𠮷",
		"Korean":             "한국어 \u1112\u1161\u11ab",
		"emoji":              "😀 👩‍👩‍👧‍👦 🇩🇪 👍🏽 1️⃣ ❤ ❤\uFE0E ❤\uFE0F 🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
		"emoji put together": "👨‍🐑 🇩🇩 🏴\U000E0075\U000E0073\U000E0074\U000E0078\U000E007F",
		"symbols":            "→ ✓ ★ ∑ ≠ 𝔸 ♫ ⌘ ☎ ■ ⅔ ①",
		"spaces":             "a\u00a0b\u2003c\u2009d\u202fe\u3000f\u205fg\u1680h\u2028i\u2029j",
		"what is not shown":  "a\u00adb\u200bc\u200cd\u200de\u200ef\u200fg\u202ah\u202ci\u2060j\u2066k\u2069l\ufeffm\u034fn\u061co\u180ep\u115fq\u3164r\ufff9s\ufe0ft\U000E0001u",
		"U+FFFD":             "\ufffd",
		"much of it":         strings.Repeat("春は曙やうやう白くなりゆく山際", 700),
	} {
		t.Run(name, func(t *testing.T) {
			body := `<p id="a">` + text + `</p><p id="b" style="font:bold italic 9px serif;text-transform:uppercase">` + text + `</p><p id="c" style="font-family:monospace;text-transform:capitalize">` + text + `</p>`
			if got := missingIn(mustRender(t, p, worded("", body))); len(got) > 0 {
				t.Errorf("reported as missing: %v", got)
			}
		})
	}
}

// A character that one font has may be missing beside a mark that another has.
func TestGlyphsThatNoFontHasTogetherAreReported(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	const together = "क\u0301"
	for text, want := range map[string]string{
		together: "a: U+0915 U+0301 " + together, "क e\u0301 " + together: "a: U+0915 U+0301 " + together, "क e\u0301": "",
		together + " \uE000": "a: U+0915 U+0301 " + together + ", U+E000",
	} {
		for range 2 {
			if got := strings.Join(missingIn(mustRender(t, p, worded("", `<p id="a">`+text+`</p>`))), "; "); got != want {
				t.Errorf("missing in %q: %q, want %q", text, got, want)
			}
		}
	}
}

// Of ɤ fonts have the small letter, which is old, and none has the capital one,
// which Unicode 16 brought.
func TestGlyphsAreThoseOfTheCaseThatIsShown(t *testing.T) {
	if has := machineHas(t); !has['ɤ'] || has[0xA7CB] {
		t.Skip("the fonts of this machine are others")
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	missing := []string{"a: U+A7CB"}
	for _, c := range []struct {
		transform, text string
		want            []string
	}{
		{"none", "a ɤ", nil}, {"uppercase", "a ɤ", missing}, {"capitalize", "ɤa", missing}, {"capitalize", "aɤ", nil},
		{"lowercase", "\uA7CB", nil}, {"none", "\uA7CB", missing},
	} {
		got := missingIn(mustRender(t, p, worded("", `<p id="a" style="text-transform:`+c.transform+`">`+c.text+`</p>`)))
		if !slices.Equal(got, c.want) {
			t.Errorf("missing in %q, %s, are %v, want %v", c.text, c.transform, got, c.want)
		}
	}
}

// What hangs together may be more than what readers take for one character.
func TestPartOfATextThatHangsTogetherIsReported(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	got := missingIn(mustRender(t, p, worded("", `<p id="a">A mark `+"\u061c\u0362\u0657\u035d"+` and more</p>`)))
	if want := []string{"a: U+061C U+0362 U+0657"}; !slices.Equal(got, want) {
		t.Errorf("missing are %v, want %v", got, want)
	}
}

// What is not shown has asked for no font. Its font fails if somebody does, and
// with it every row.
func TestFontsOfWhatIsNotShownAreNotLoaded(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	head := `<style>@font-face{font-family:Gone;src:url(/assets/gone.woff2)} @font-face{font-family:Wide;font-stretch:75%;src:url(/assets/gone.woff2)}` +
		`@font-face{font-family:Wide;font-stretch:125%;src:local("DejaVu Sans")}</style>`
	for _, body := range []string{
		`<p style="display:none;font-family:Gone">` + "\uE000" + `</p>`,
		`<p style="font-family:Wide;font-stretch:125%">` + "e\u0301\uE000" + `</p>`,
	} {
		for range 2 {
			if _, err := p.Render(t.Context(), worded(head, body)); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
}

// icons is a font face of DejaVu Sans for private use, where that has a few.
const icons = `<style>@font-face{font-family:Icons;src:local("DejaVu Sans");unicode-range:U+E000-F8FF}p{font-family:"Noto Sans",Icons}</style>`

func TestGlyphsOfThePagesOwnFontsAreThere(t *testing.T) {
	if !machineHas(t)[0xF6C5] {
		t.Skip("DejaVu Sans is not on this machine")
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	body := `<p id="a">x` + "\uF6C5" + `</p>`
	plain := strings.Replace(icons, "@font-face", "@media print", 1)
	other := strings.Replace(icons, "DejaVu Sans", "Noto Sans", 1)
	// The tab is the same, and so is the font family.
	for i, c := range []struct {
		head, body string
		want       []string
	}{
		{icons, body, nil}, {plain, body, []string{"a: U+F6C5"}}, {icons, body, nil}, {icons, `<p id="a">` + "\uE000\uF6C5" + `</p>`, []string{"a: U+E000"}},
		{"", body + icons, nil}, {"", body + plain, []string{"a: U+F6C5"}}, {"", body + icons, nil},
		{"", body + other, []string{"a: U+F6C5"}}, {"", body + icons, nil}, {other, body, []string{"a: U+F6C5"}},
		{icons, `<p id="a">x</p><b id="b">` + "\uF6C5" + `</b>`, []string{"b: U+F6C5"}},
	} {
		if got := missingIn(mustRender(t, p, worded(c.head, c.body))); !slices.Equal(got, c.want) {
			t.Errorf("row %d: missing are %v, want %v", i, got, c.want)
		}
	}
}

// Style sheets that did not come don't tell their rules.
func TestGlyphsAreNotLookedForWhereFilesFail(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	_, err := p.Render(t.Context(), worded(`<link rel="stylesheet" href="data:text/css,p{}">`, `<p id="a">`+"\uE000</p>"))
	var failed *render.AssetError
	if !errors.As(err, &failed) {
		t.Errorf("the error is %v, want one of the style sheet", err)
	}
}

// The second row with a character hears of it as the first one did.
func TestMissingGlyphsAreReportedInEveryRow(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	for i := range 9 {
		body := `<p id="a">row ` + strconv.Itoa(i) + ` – 漢</p>`
		var want []string
		if i%2 == 1 {
			body = `<p id="a">row ` + strconv.Itoa(i) + " – 漢\u0378</p>"
			want = []string{"a: U+0378"}
		}
		if got := missingIn(mustRender(t, p, worded("", body))); !slices.Equal(got, want) {
			t.Errorf("row %d: missing are %v, want %v", i, got, want)
		}
	}
}

// machineHas is the characters that fonts of this machine have.
func machineHas(t *testing.T) map[rune]bool {
	t.Helper()
	text, err := exec.Command("fc-list", ":", "charset").Output()
	if err != nil {
		t.Skipf("fc-list tells no characters: %v", err)
	}
	has := map[rune]bool{}
	for span := range strings.FieldsSeq(strings.ReplaceAll(strings.ReplaceAll(string(text), ":charset=", " "), ",", " ")) {
		low, high, ok := strings.Cut(span, "-")
		if !ok {
			high = low
		}
		a, err := strconv.ParseUint(low, 16, 21)
		if err != nil {
			t.Fatalf("fc-list says %q: %v", span, err)
		}
		b, err := strconv.ParseUint(high, 16, 21)
		if err != nil {
			t.Fatalf("fc-list says %q: %v", span, err)
		}
		for r := a; r <= b; r++ {
			has[rune(r)] = true
		}
	}
	return has
}

// Of characters that are none, and of those that are not shown, nobody has to
// have a glyph.
func needsNoGlyph(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		r >= 0xFFF0 && r <= 0xFFFB || r >= 0xE0000 && r <= 0xE0FFF
}

func TestMissingAreTheGlyphsThatTheMachineLacks(t *testing.T) {
	has := machineHas(t)
	runes := []rune{0x13000, 0x10600, 0x12000, 0x17000, 0x18D08, 0x20000, 0x2A700, 0x2EBF0, 0x30000, 0x31350, 0x1F600, 0x1FAE9, 0x1F6D8, 0x1D800, 0x0378, 0x1ABF}
	for r := rune(0x100); r < 0x34000; r += 83 {
		if !unicode.In(r, unicode.Cs, unicode.Co) && !needsNoGlyph(r) {
			runes = append(runes, r)
		}
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	lacked := 0
	for row := range slices.Chunk(runes, 100) {
		var body strings.Builder
		var want, got []string
		for _, r := range row {
			fmt.Fprintf(&body, `<b id="%04X">%c</b> `, r, r)
			if !has[r] {
				want = append(want, fmt.Sprintf("%04X", r))
			}
		}
		for _, m := range missingIn(mustRender(t, p, worded("", body.String()))) {
			layer, _, _ := strings.Cut(m, ":")
			got = append(got, layer)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of U+%04X and on these are missing (-fonts +report):\n%s", row[0], diff)
		}
		lacked += len(want)
	}
	if lacked == 0 || lacked == len(runes) {
		t.Errorf("of %d characters the machine lacks %d: nothing is tested", len(runes), lacked)
	}
}

func TestMissingGlyphsOfAHundredLayersAreReported(t *testing.T) {
	var body strings.Builder
	for i := range 200 {
		fmt.Fprintf(&body, `<b id="l%d">%c%c</b> `, i, 0xE000+i, 0xF000+i)
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	got := missingIn(mustRender(t, p, worded("", body.String())))
	if len(got) != 100 || got[0] != "l0: U+E000, U+F000" || got[99] != "l99: U+E063, U+F063" {
		t.Errorf("%d layers are reported, the first as %v", len(got), got[:min(len(got), 3)])
	}
}

// In the picture a character looks like one that is none just where it is
// reported.
func TestReportedGlyphsAreBoxesInThePicture(t *testing.T) {
	const edge = 40
	cells := strings.Split("\uFDD0|A|é|漢|あ|한|م|ש|क|ท|က|Ω|Ж|→|✓|😀|👍🏽|\u0378|\uE000|\U00030000|\U00013000|\U00010600|\U00012000|"+
		"\U00017000|\U00018D08|\U00020000|\U0001FAE9|\U0001F6D8|\U0001D800|\uF8FF|\U000F0000|\U0001E900|𝔸|\uFFFE|\u07FD|\u1C80", "|")
	var body strings.Builder
	for i, c := range cells {
		fmt.Fprintf(&body, `<b id="c%d" style="position:absolute;overflow:hidden;font:20px/%dpx 'DejaVu Sans';width:%dpx;height:%dpx;left:%dpx;top:%dpx">%s</b>`,
			i, edge, edge, edge, i%16*edge, i/16*edge, c)
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	out := mustRender(t, p, worded("", body.String()))
	reported := map[string]bool{}
	for _, m := range missingIn(out) {
		layer, _, _ := strings.Cut(m, ":")
		reported[layer] = true
	}
	picture := rendertest.Decode(t, out.Bytes)
	cell := func(i int) image.Image {
		return picture.(interface {
			SubImage(r image.Rectangle) image.Image
		}).SubImage(image.Rect(i%16*edge, i/16*edge, i%16*edge+edge, i/16*edge+edge))
	}
	for i, c := range cells {
		box := true
		for y := range edge {
			for x := range edge {
				a, b := cell(0).Bounds().Min, cell(i).Bounds().Min
				box = box && picture.At(a.X+x, a.Y+y) == picture.At(b.X+x, b.Y+y)
			}
		}
		if layer := "c" + strconv.Itoa(i); box != reported[layer] {
			t.Errorf("%+q is a box in the picture: %v; it is reported: %v", c, box, reported[layer])
		}
	}
}

func TestGlyphWarningIsOneLineThatSaysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		characters []string
		want       string
	}{
		"one":                 {[]string{"𓀀"}, "no font has U+13000 𓀀"},
		"several":             {[]string{"𓀀", "漢"}, "no font has U+13000 𓀀, U+6F22 漢"},
		"not shown":           {[]string{"\u0378", "\uE000", "\x01", "\u202E", "\n"}, "no font has U+0378, U+E000, U+0001, U+202E, U+000A"},
		"a mark":              {[]string{"\u1AC1"}, "no font has U+1AC1"},
		"a mark on something": {[]string{"x\u0301"}, "no font has U+0078 U+0301 x\u0301"},
		"a dozen":             {strings.Split("abcdefghijkl", ""), "no font has U+0061 a, U+0062 b, U+0063 c, U+0064 d, U+0065 e, U+0066 f, U+0067 g, U+0068 h and more"},
	} {
		t.Run(name, func(t *testing.T) {
			want := []render.Warning{{
				Code: render.GlyphMissing, Layer: "title",
				Problem: c.want + ": boxes are shown instead (install a font that has them, or ship one with the template)",
			}}
			if diff := cmp.Diff(want, glyphWarnings([]missingGlyphs{{"title", c.characters}})); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
