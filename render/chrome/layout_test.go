package chrome

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template/layout"
)

// fitted is a request for a page whose layers the layout script looks after.
func fitted(body string, assets ...render.Asset) render.Request {
	return render.Request{
		Page: "fitted", Width: 640, Height: 400, Format: render.PNG, Layout: layout.Script, Assets: assets,
		HTML: `<!doctype html><html lang="en"><head><meta charset="utf-8"><style>body{margin:0;background:#fff}` +
			`.l{position:absolute;margin:0;box-sizing:border-box;left:20px;top:20px;width:400px;height:120px;font:40px/1.2 "DejaVu Sans",sans-serif}` +
			`</style></head><body>` + body + `</body></html>`,
	}
}

// h is a layer with p-fit and other attributes, and its text.
func h(attributes, text string) string {
	return `<div class="l" id="t" ` + attributes + `>` + text + `</div>`
}

func mustRender(t *testing.T, p *Pool, r render.Request) render.Output {
	t.Helper()
	out, err := p.Render(t.Context(), r)
	if err != nil {
		t.Fatalf("render %.300s: %v", r.HTML, err)
	}
	if dir := os.Getenv("PICTIFYD_TEST_PICTURES"); dir != "" {
		name := filepath.Join(dir, fmt.Sprintf("%s-%x.png", strings.ReplaceAll(t.Name(), "/", "_"), len(r.HTML)))
		if err := os.WriteFile(name, out.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// layer is the report of one layer, and a failed test without one.
func layer(t *testing.T, out render.Output, id string) render.LayerReport {
	t.Helper()
	for _, l := range out.Layout {
		if l.Layer == id {
			return l
		}
	}
	t.Fatalf("there is no report of %q in %+v, %+v", id, out.Layout, out.Warnings)
	return render.LayerReport{}
}

const (
	word      = "Word "
	long      = "A title that is a good deal longer than the box that was drawn for it by somebody who only ever saw short ones"
	monstrous = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
)

func TestTextIsFittedIntoItsBox(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	for name, c := range map[string]struct {
		body      string
		low, high float64 // bounds of the font size
		lines     int     // 0: any
		clipped   bool
	}{
		"a short text stays":                {h(`p-fit="shrink"`, "Short"), 40, 40, 1, false},
		"a long one shrinks":                {h(`p-fit="shrink"`, long), 20, 30, 4, false},
		"a wide word shrinks":               {h(`p-fit="shrink"`, monstrous), 13, 17, 1, true},
		"a wide word with room to shrink":   {h(`p-fit="shrink" p-min="6"`, monstrous), 11, 16, 1, false},
		"one line only":                     {h(`p-fit="shrink" p-lines="1" p-min="4"`, strings.Repeat(word, 10)), 12, 16, 1, false},
		"two lines only":                    {h(`p-fit="shrink" p-lines="2" p-min="4"`, strings.Repeat(word, 20)), 12, 16, 2, false},
		"not below the minimum":             {h(`p-fit="shrink" p-min="32"`, long), 32, 32, 0, true},
		"40 % is the minimum of the author": {h(`p-fit="shrink"`, strings.Repeat(long, 9)), 16, 16, 0, true},
		"6 px is the least minimum":         {h(`p-fit="shrink" style="font-size:12px"`, strings.Repeat(long, 99)), 6, 6, 0, true},
		"without wrapping":                  {h(`p-fit="shrink" p-min="4" style="white-space:nowrap"`, strings.Repeat(word, 10)), 12, 16, 1, false},
		"broken within words":               {h(`p-fit="shrink" style="overflow-wrap:anywhere"`, monstrous), 30, 38, 3, false},
		"grows until the box is full":       {h(`p-fit="fit"`, "Hi"), 99, 100.25, 1, false},
		"grows up to the maximum":           {h(`p-fit="fit" p-max="72.5"`, "Hi"), 72.5, 72.5, 1, false},
		"grows as wide as the box":          {h(`p-fit="fit" p-lines="1"`, "Hi, hello there"), 45, 60, 1, false},
		"shrinks where it would grow":       {h(`p-fit="fit"`, long), 20, 30, 4, false},
		"above its maximum":                 {h(`p-fit="fit" p-max="20"`, "Hi"), 20, 20, 1, false},
		"height of its content, two lines":  {h(`p-fit="fit" p-lines="2" style="height:auto"`, strings.Repeat(word, 6)), 44, 60, 2, false},
		"no end to growing":                 {h(`p-fit="fit" style="height:auto"`, "Hi"), 40, 40, 1, false},
		"padding is not for text":           {h(`p-fit="shrink" p-lines="1" style="padding:0 150px"`, "Hi, hello"), 16, 26, 1, false},
		"centred by flex":                   {h(`p-fit="shrink" style="display:flex;align-items:center;justify-content:center"`, long), 20, 30, 4, false},
		"turned and scaled":                 {h(`p-fit="shrink" style="transform:rotate(30deg) scale(.3)"`, long), 20, 30, 4, false},
		"in a scaled parent":                {`<div style="scale:.2;rotate:9deg">` + h(`p-fit="shrink"`, long) + `</div>`, 20, 30, 4, false},
		"placed in a turned parent":         {`<div style="rotate:9deg;width:400px;height:120px">` + h(`p-fit="shrink" style="inset:0;width:auto;height:auto"`, long) + `</div>`, 20, 30, 4, false},
		"on a path":                         {h(`p-fit="shrink" style="offset:path('M20,300 L300,20') 50%"`, long), 20, 30, 4, false},
		"zoomed":                            {`<div style="zoom:.5">` + h(`p-fit="shrink"`, long) + `</div>`, 20, 30, 4, false},
		"with spaced letters":               {h(`p-fit="shrink" p-lines="1" p-min="4" style="letter-spacing:.5em"`, strings.Repeat(word, 10)), 6, 11, 1, false},
		"with letters spaced in px":         {h(`p-fit="shrink" p-lines="1" p-min="4" style="letter-spacing:20px"`, strings.Repeat(word, 10)), 6, 11, 1, false},
		"with a line height in px":          {h(`p-fit="shrink" style="line-height:48px"`, long), 20, 30, 4, false},
		"set tight":                         {h(`p-fit="shrink" style="line-height:1;height:40px"`, "Short"), 40, 40, 1, false},
		"set upright":                       {h(`p-fit="shrink" style="writing-mode:vertical-rl;width:120px;height:360px"`, long), 18, 30, 0, false},
		"with children in px":               {h(`p-fit="shrink"`, `<b style="font-size:40px">`+long+`</b>`), 18, 30, 0, false},
		"with children in rem and em":       {h(`p-fit="shrink"`, `<i style="font-size:2.5rem"><b style="font-size:1em">`+long+`</b></i>`), 20, 30, 4, false},
		"while something changes slowly":    {h(`p-fit="shrink" style="transition:all 9s"`, `<b style="transition:all 9s">`+long+`</b>`), 18, 30, 0, false},
		"readings are no lines":             {h(`p-fit="shrink" p-lines="1"`, "<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>です"), 40, 40, 1, false},
		"high and low figures":              {h(`p-fit="shrink" p-lines="1"`, "H<sub>2</sub>O, x<sup>2</sup>"), 40, 40, 1, false},
		"spaces that hang over":             {h(`p-fit="shrink" style="white-space:pre-wrap"`, "Short"+strings.Repeat(" ", 90)), 40, 40, 1, false},
		"several blocks":                    {h(`p-fit="shrink"`, `<p style="padding:10px">One</p><p>Two</p>`), 19, 24, 2, false},
		"two columns":                       {h(`p-fit="shrink" style="columns:2"`, long), 22, 27, 4, false},
		"a greatest height":                 {h(`p-fit="shrink" style="height:auto;max-height:100px"`, long), 18, 23, 4, false},
		"between its edges":                 {h(`p-fit="shrink" style="height:auto;width:auto;inset:20px 220px 260px 20px"`, long), 20, 30, 4, false},
		"Japanese without spaces":           {h(`p-fit="shrink" lang="ja"`, strings.Repeat("春は曙やうやう白くなりゆく山際", 4)), 20, 30, 4, false},
		"Arabic":                            {h(`p-fit="shrink" dir="rtl" lang="ar"`, strings.Repeat("مرحبا بالعالم الجميل ", 7)), 18, 36, 0, false},
		"Arabic in one line":                {h(`p-fit="shrink" dir="rtl" p-lines="1" p-min="4" style="white-space:nowrap"`, strings.Repeat("مرحبا بالعالم ", 5)), 10, 24, 1, false},
		"emoji":                             {h(`p-fit="shrink"`, strings.Repeat("👩‍👩‍👧‍👦🇩🇪👍🏽", 12)), 16, 36, 0, false},
		"10,000 letters":                    {h(`p-fit="shrink"`, strings.Repeat("lorem ipsum ", 834)), 16, 16, 0, true},
		"10,000 letters without a space":    {h(`p-fit="shrink"`, strings.Repeat("x", 10_000)), 16, 16, 1, true},
		"nothing":                           {h(`p-fit="fit"`, ""), 40, 40, 0, false},
		"only spaces":                       {h(`p-fit="fit"`, " \n "), 40, 40, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := layer(t, mustRender(t, p, fitted(c.body)), "t")
			if l.FontPx < c.low || l.FontPx > c.high || c.lines > 0 && l.Lines != c.lines || l.Clipped != c.clipped {
				t.Errorf("got %+v, want %v to %v px, %d lines, clipped %v", l, c.low, c.high, c.lines, c.clipped)
			}
		})
	}
}

func TestTextIsCutWithDots(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	family := "👩‍👩‍👧‍👦"
	for name, c := range map[string]struct {
		attributes, text string
		lines            int
		want             string // the whole text, or with … at its end what it begins with
		cut              bool
	}{
		"not where it fits":           {`p-fit="ellipsis"`, "Short, and so on", 1, "Short, and so on", false},
		"after a word":                {`p-fit="ellipsis" p-lines="1"`, "Wonderful words withstand winter", 1, "Wonderful words…", true},
		"in as many lines as fit":     {`p-fit="ellipsis"`, long, 2, "A title that is a good deal longer…", true},
		"in as many lines as allowed": {`p-fit="ellipsis" p-lines="1"`, long, 1, "A title that is a…", true},
		"without a comma before it":   {`p-fit="ellipsis" p-lines="1"`, "Wonderful words, withstand", 1, "Wonderful words…", true},
		"within a word without end":   {`p-fit="ellipsis" style="white-space:nowrap"`, strings.Repeat("x", 10_000), 1, strings.Repeat("x", 15) + "…", true},
		"within a long second word":   {`p-fit="ellipsis" style="overflow-wrap:anywhere"`, "A " + strings.Repeat("x", 90), 2, "A " + strings.Repeat("x", 15) + "…", true},
		"not within an emoji":         {`p-fit="ellipsis" p-lines="1" style="white-space:nowrap"`, strings.Repeat(family, 20), 1, strings.Repeat(family, 7) + "…", true},
		"not within an accent":        {`p-fit="ellipsis" p-lines="1" style="white-space:nowrap"`, strings.Repeat("e\u0301\u0323", 90), 1, strings.Repeat("e\u0301\u0323", 14) + "…", true},
		"Japanese within a sentence":  {`p-fit="ellipsis" lang="ja"`, strings.Repeat("春は曙やうやう白くなりゆく山際", 4), 2, "春は曙やうやう白くなりゆく山際春は曙や…", true},
		"Arabic":                      {`p-fit="ellipsis" dir="rtl" lang="ar" p-lines="1"`, strings.Repeat("مرحبا بالعالم ", 9), 1, "مرحبا بالعالم مرحبا…", true},
		"with children":               {`p-fit="ellipsis" p-lines="1"`, "Wonderful <b>words</b> <i>withstand</i><br><u>winter</u>", 1, "Wonderful words…", true},
		"to nothing but dots":         {`p-fit="ellipsis" style="width:44px;height:48px;overflow-wrap:anywhere"`, "WWW", 1, "…", true},
	} {
		t.Run(name, func(t *testing.T) {
			l := layer(t, mustRender(t, p, fitted(h(c.attributes, c.text))), "t")
			var shown string
			if err := json.Unmarshal([]byte(mainWorld(t, p, `document.getElementById("t").innerText`)), &shown); err != nil {
				t.Fatal(err)
			}
			if l.Lines != c.lines || l.Cut != c.cut || l.Clipped || l.FontPx != 40 || l.Changed != c.cut {
				t.Errorf("got %+v of %q", l, shown)
			}
			if shown != c.want {
				t.Errorf("got %q, want %q", shown, c.want)
			}
		})
	}
}
