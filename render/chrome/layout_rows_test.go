package chrome

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestShortTextAfterALongOneGrowsBack(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	short := fitted(h(`p-fit="shrink"`, "Short"))
	before := mustRender(t, p, short)
	if l := layer(t, mustRender(t, p, fitted(h(`p-fit="shrink"`, long))), "t"); l.FontPx >= 40 {
		t.Fatalf("the long text is %v px", l.FontPx)
	}
	mustRender(t, p, fitted(h(`p-fit="ellipsis"`, long)))
	after := mustRender(t, p, short)
	if diff := cmp.Diff(before.Layout, after.Layout); diff != "" {
		t.Error(diff)
	}
	if n := rendertest.Difference(rendertest.Decode(t, before.Bytes), rendertest.Decode(t, after.Bytes)); n > 0 {
		t.Errorf("%d pixels differ", n)
	}
}

// inWorld evaluates an expression beside the layout script.
func inWorld(t *testing.T, p *Pool, expression string) string {
	t.Helper()
	s, yes := p.places[0].browser.seats[0].session, true
	res, err := cdp.Call(t.Context(), s.tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: s.world, AwaitPromise: &yes, ReturnByValue: &yes,
	})
	if err != nil || res.ExceptionDetails != nil {
		t.Fatalf("evaluate %s: %v %v", expression, err, res.ExceptionDetails)
	}
	var text string
	if err := json.Unmarshal(res.Result.Value, &text); err != nil {
		t.Fatalf("evaluate %s: %v", expression, err)
	}
	return text
}

// What an editor does: the text of a page changes, and the script runs again.
func TestLayoutTakesBackWhatItDid(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	source := `<div class="l" id="t" p-fit="shrink" style="font: 700 40px/1.2 serif; color: red">` + long + `</div>` +
		`<div class="l" id="e" p-fit="ellipsis">` + long + ` <b>and</b> more</div>` +
		`<img id="i" p-focus="0 0" style="object-fit:cover;width:9px;height:9px" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='5'/%3E">`
	first := mustRender(t, p, fitted(source))
	const run = `pictifydLayout(document).then((r) => JSON.stringify(r.layers))`
	const markup = `document.body.innerHTML`
	fittedMarkup := inWorld(t, p, markup)
	var again []render.LayerReport
	if err := json.Unmarshal([]byte(inWorld(t, p, run)), &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Layout, again); diff != "" {
		t.Errorf("the second run says something else: %s", diff)
	}
	if got := inWorld(t, p, markup); got != fittedMarkup || !strings.Contains(got, "…") {
		t.Errorf("the second run gave %s, the first %s", got, fittedMarkup)
	}
	// Of the editor's changes nothing is taken back, of the script's all.
	inWorld(t, p, `document.getElementById("t").style.left = "33px", ""`)
	inWorld(t, p, `pictifydLayout(document, {restore: true}).then(() => "")`)
	restored := inWorld(t, p, markup)
	want := strings.Replace(source, "font: 700 40px/1.2 serif; color: red", "font: 700 40px / 1.2 serif; color: red; left: 33px;", 1)
	if restored != want {
		t.Errorf("restored is\n%s\nwant\n%s", restored, want)
	}
	inWorld(t, p, `document.getElementById("t").textContent = "Short", ""`)
	if got := inWorld(t, p, `pictifydLayout(document).then((r) => String(r.layers[0].fontPx))`); got != "40" {
		t.Errorf("the short text is %s px", got)
	}
}

// An editor has the page in a frame, and the script beside it.
func TestLayoutFitsAnotherFrame(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	want := layer(t, mustRender(t, p, fitted(h(`p-fit="shrink"`, long))), "t")
	text := inWorld(t, p, `(async () => {
		const frame = document.createElement("iframe"), style = document.head.querySelector("style").outerHTML;
		frame.width = 640;
		document.body.replaceChildren(frame);
		frame.contentDocument.documentElement.innerHTML = "<head>" + style + "</head>" + `+strconv.Quote(h(`p-fit="shrink"`, long))+`;
		return JSON.stringify((await pictifydLayout(frame.contentDocument)).layers);
	})()`)
	var got []render.LayerReport
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]render.LayerReport{want}, got); diff != "" {
		t.Error(diff)
	}
}

// A font that comes late changes what fits.
func TestTextIsFittedInItsOwnFont(t *testing.T) {
	p := newPool(t, rendertest.Files{"mono": {ContentType: "font/woff2", Bytes: monospace(t)}}, withTabs(1), plainly)
	body := h(`p-fit="shrink" p-lines="1" p-min="4" style="font-family:F,serif"`, "iiiiiiiiiiiiiiiiiiii")
	r := fitted(body, render.Asset{Path: "/assets/mono.woff2", Digest: "mono"})
	r.HTML = strings.Replace(r.HTML, "<style>", "<style>@font-face{font-family:F;font-display:swap;src:url(/assets/mono.woff2)}", 1)
	late := layer(t, mustRender(t, p, r), "t")
	again := layer(t, mustRender(t, p, r), "t")
	plain := layer(t, mustRender(t, p, fitted(body)), "t")
	if late != again || late.FontPx > 34 || plain.FontPx != 40 {
		t.Errorf("with its font %+v, then %+v, in serif %+v", late, again, plain)
	}
	// The dots alone are in the font: it is fetched when they are put there.
	dots := fitted(h(`p-fit="ellipsis" p-lines="1" style="font-family:F,serif"`, strings.Repeat("i", 99)), r.Assets...)
	dots.HTML = strings.Replace(dots.HTML, "<style>", "<style>@font-face{font-family:F;unicode-range:U+2026;src:url(/assets/mono.woff2)}", 1)
	dots.Page = "dots"
	one, two := mustRender(t, p, dots), mustRender(t, p, dots)
	if n := rendertest.Difference(rendertest.Decode(t, one.Bytes), rendertest.Decode(t, two.Bytes)); n > 0 || layer(t, one, "t").Clipped {
		t.Errorf("%d pixels differ, %+v", n, one.Layout)
	}
}

func TestReportHasWhatIsClippedAndWhatIsFitted(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	box := func(id, attributes, style, text string) string {
		return `<p id="` + id + `" ` + attributes + ` style="margin:0;font:20px/1 serif;width:100px;` + style + `">` + text + `</p>`
	}
	many := strings.Repeat(word, 40)
	out := mustRender(t, p, fitted(
		box("fits", `p-fit="none"`, "height:40px", "Word")+box("none", `p-fit="none"`, "height:40px;overflow:hidden", many)+
			box("lines", `p-fit="none" p-lines="2"`, "", many)+box("plain", "", "height:40px", many)+box("grown", "", "", many)+
			box("cutoff", "", "overflow:hidden;white-space:nowrap", many)+box("beside", "", "white-space:nowrap", many)+
			box("hidden", `p-fit="shrink"`, "display:none", many)+box("unseen", `p-fit="shrink"`, "visibility:hidden", many)+
			`<p p-fit="shrink" style="width:100px">Word</p><p p-fit="shrink" p-name="Price">Word</p>`+
			`<section id="card"><p p-fit="shrink">Word</p></section>`))
	var got []string
	for _, l := range out.Layout {
		name := l.Layer
		if l.Clipped {
			name += " clipped"
		}
		got = append(got, name)
	}
	want := []string{"none clipped", "lines clipped", "plain clipped", "cutoff clipped", "p", "Price", "card > p"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(out.Warnings) > 0 {
		t.Errorf("warnings: %+v", out.Warnings)
	}
}

// What one text gets, the other loses: both fit in the end.
func TestTextsThatShareAStackAllFit(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	const stack = `<div class="l" style="display:flex;flex-direction:column;gap:8px;height:200px">` +
		`<h1 id="a" p-fit="shrink" style="margin:0;min-height:0;font-size:40px">LONG</h1><p id="b" p-fit="MODE" style="margin:0;min-height:0;font-size:24px">LONG</p></div>`
	for _, mode := range []string{"shrink", "ellipsis", "fit"} {
		body := strings.NewReplacer("MODE", mode, "LONG", long).Replace(stack)
		out := mustRender(t, p, fitted(body))
		if a, b := layer(t, out, "a"), layer(t, out, "b"); a.Clipped || b.Clipped || !a.Changed || !b.Changed {
			t.Errorf("%s: %+v, %+v", mode, a, b)
		}
	}
}

// What is tried for one text takes room from another only while it is tried.
func TestTextInAStackIsNotSmallerThanItMustBe(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	out := mustRender(t, p, fitted(`<div class="l" style="display:flex;flex-direction:column;height:150px">`+
		`<b id="a" p-fit="shrink" p-min="4" style="flex:1;min-height:0">`+long+`</b>`+
		`<b id="b" p-fit="fit" p-lines="1" style="flex:none;font-size:10px">Some more words and other</b></div>`))
	if a, b := layer(t, out, "a"), layer(t, out, "b"); a.FontPx < 20 || a.Clipped || b.FontPx < 20 || b.Clipped {
		t.Errorf("got %+v, %+v", a, b)
	}
}

func TestTextThatAnotherSqueezesIsFittedToo(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	out := mustRender(t, p, fitted(`<div class="l" style="display:flex;gap:8px;height:90px">`+
		`<b id="a" p-fit="shrink" p-min="4">A title to</b>`+
		`<b id="b" p-fit="fit" p-lines="1" style="flex:none;font-size:10px">Some more words and other</b></div>`))
	if a := layer(t, out, "a"); a.Lines != 3 || a.FontPx > 30 || a.Clipped {
		t.Errorf("got %+v", a)
	}
}

func TestAttributesWithoutSenseAreReported(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	svg := `src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='5'/%3E" style="width:9px;height:9px"`
	for body, want := range map[string]string{
		h(`p-fit="squeeze"`, word):                    `p-fit="squeeze" is not one of none, shrink, fit, ellipsis`,
		h(`p-fit="shrink" p-min="12pt"`, word):        `p-min="12pt" is not a size in px`,
		h(`p-fit="shrink" p-min="0"`, word):           `p-min="0" is not a size in px`,
		h(`p-fit="fit" p-max="-1"`, word):             `p-max="-1" is not a size in px`,
		h(`p-fit="shrink" p-lines="2.5"`, word):       `p-lines="2.5" is not a number of lines`,
		h(`p-fit="fit" p-min="9" p-max="8"`, word):    `p-min is 9, but p-max is 8`,
		h(`p-fit="fit" style="height:auto"`, word):    `p-fit="fit" needs a box of fixed height, p-lines or p-max`,
		`<b id="t" p-fit="shrink">x</b>`:              `p-fit needs an element with a box of its own, and this one is inline`,
		h(`p-fit="none"`, `<p id="t" p-fit="fit">`):   `p-fit stands within the text of t, and is left to it`,
		`<p id="t" p-focus="0 0">`:                    `p-focus and p-crop are for img only`,
		`<img id="t" p-focus="left" ` + svg + `>`:     `p-focus="left" is neither "x y" in fractions of the image nor auto`,
		`<img id="t" p-focus="0.5 2" ` + svg + `>`:    `p-focus="0.5 2" is neither "x y" in fractions of the image nor auto`,
		`<img id="t" p-crop="0 0 0 1" ` + svg + `>`:   `p-crop="0 0 0 1" is not "x y width height" in fractions of the image`,
		`<img id="t" p-crop=".5 0 .6 1" ` + svg + `>`: `p-crop=".5 0 .6 1" is not "x y width height" in fractions of the image`,
		`<img id="t" p-focus="0 0" ` + svg + `>`:      `p-focus needs object-fit: cover, and here it is fill`,
	} {
		out := mustRender(t, p, fitted(body))
		if diff := cmp.Diff([]render.Warning{{Layer: "t", Problem: want}}, out.Warnings); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// Names in the page must not stand in for what the script works with.
func TestPageDoesNotShadowTheLayoutScript(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), plainly)
	names := ""
	for _, name := range []string{"body", "fonts", "style", "getAttribute", "id", "childNodes", "ownerDocument", "currentCSSZoom",
		"getClientRects", "querySelectorAll", "createRange", "defaultView", "pictifydLayout", "isConnected", "adoptedStyleSheets"} {
		names += `<input type="hidden" name="` + name + `" id="` + name + `">`
	}
	body := `<form class="l" id="t" p-fit="shrink">` + names + long + `</form>` + `<img name="fonts"><img name="defaultView"><img name="querySelectorAll">`
	if l := layer(t, mustRender(t, p, fitted(body)), "t"); l.FontPx >= 40 || l.Clipped {
		t.Errorf("got %+v", l)
	}
	without := fitted(`<embed id="pictifydLayout">` + h(`p-fit="shrink"`, long))
	without.Layout = ""
	if out := mustRender(t, p, without); len(out.Layout) > 0 {
		t.Errorf("got %+v without a script", out.Layout)
	}
}

func TestFilesThatAreNotShownAreData(t *testing.T) {
	p := newPool(t, rendertest.Files{"broken": {ContentType: "image/png", Bytes: []byte("no picture")}}, plainly)
	r := card(`<img src="/assets/a%20b.png"><img src="/assets/missing.png"><img src="https://elsewhere.example/c.png">`)
	r.Assets = []render.Asset{{Path: "/assets/a b.png", Digest: "broken"}}
	_, err := p.Render(t.Context(), r)
	var failed *render.AssetError
	if !errors.As(err, &failed) || !retry.IsPermanent(err) {
		t.Fatalf("the error is %v", err)
	}
	want := []string{"/assets/a b.png", "/assets/missing.png", "https://elsewhere.example/c.png"}
	if diff := cmp.Diff(want, failed.Paths); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(err.Error(), "could not load /assets/a b.png") {
		t.Errorf("the error is %v", err)
	}
}
