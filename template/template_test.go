package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/internal/problem"
)

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// doc is a document with the given manifest members and body.
func doc(manifest, body string) string {
	return "<!doctype html>\n<html><head>\n<script type=\"application/json\" id=\"p-template\">\n{" + manifest + "}</script></head>\n<body>" + body + "</body></html>"
}

func mustParse(tb testing.TB, src string, assets map[string]string) *Template {
	tb.Helper()
	t, err := Parse("card", []byte(src), assets)
	if err != nil {
		tb.Fatalf("Parse: %v\n%s", err, src)
	}
	return t
}

func mustPage(tb testing.TB, t *Template, size string) *Page {
	tb.Helper()
	p, err := t.Page(View{Size: size})
	if err != nil {
		tb.Fatalf("Page(%q): %v", size, err)
	}
	return p
}

func mustFill(tb testing.TB, t *Template, values map[string]any) Document {
	tb.Helper()
	v, err := t.Resolve(values, noon)
	if err != nil {
		tb.Fatalf("Resolve: %v", err)
	}
	return mustPage(tb, t, "").Fill(v)
}

// fill is the body that a body with expressions becomes.
func fill(tb testing.TB, body string, values map[string]any) string {
	tb.Helper()
	html := mustFill(tb, mustParse(tb, "<body>"+body+"</body>", map[string]string{"assets/a.png": "d1"}), values).HTML
	_, html, _ = strings.Cut(html, "<body>")
	html, _, _ = strings.Cut(html, "</body>")
	return html
}

// examples are the templates that users begin with, and their folders.
var examples = map[string]fs.FS{
	"product-card":    os.DirFS("../examples/quickstart/templates"),
	"tpl_certificate": os.DirFS("../examples/certificates/templates"),
}

func mustLoad(tb testing.TB, name string) *Template {
	tb.Helper()
	src, files, err := Load(examples[name], name)
	if err != nil {
		tb.Fatal(err)
	}
	digests := map[string]string{}
	for path, b := range files {
		digests[path] = fmt.Sprintf("digest%d", len(b))
	}
	t, err := Parse(name, src, digests)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestProductCardShowsItsRow(t *testing.T) {
	card := mustLoad(t, "product-card")
	row := map[string]any{"title": "Trail & <Runner>", "price": "129.50", "sale": "true", "category": "Running", "sku": "unused"}
	got := mustFill(t, card, row)
	for _, want := range []string{
		`<h1 id="title" p-role="headline" p-fit="shrink" p-min="40" p-lines="3">Trail &amp; &lt;Runner&gt;</h1>`,
		`<div id="price">$116.55</div>`, `<div id="was">$129.50</div>`, `<div id="badge" p-role="badge">−10%</div>`,
		`src="/assets/shoe.svg"`, "--accent: #c2410c;", "width:1200px;height:630px",
	} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, hidden := range []string{"p-template", "p-name", "p-size-story", "maxLength", "{{"} {
		if strings.Contains(got.HTML, hidden) {
			t.Errorf("the page contains %s", hidden)
		}
	}
	if len(got.Assets) != 3 || got.Assets[2].Path != "/assets/shoe.svg" || !strings.HasPrefix(got.Assets[2].Digest, "digest") {
		t.Errorf("assets: %v", got.Assets)
	}
}

func TestExampleTemplatesResolveTheirExamplesInEverySize(t *testing.T) {
	for _, name := range []string{"product-card", "tpl_certificate"} {
		tpl := mustLoad(t, name)
		values, err := tpl.Resolve(tpl.Examples(), noon)
		if err != nil {
			t.Fatal(err)
		}
		digests := map[string]bool{}
		for _, size := range tpl.Sizes() {
			p := mustPage(t, tpl, size.Name)
			digests[p.Digest] = true
			if html := p.Fill(values).HTML; !strings.Contains(html, fmt.Sprintf("width:%dpx;height:%dpx", size.Width, size.Height)) {
				t.Errorf("%s in size %s has no style for %d×%d", name, size.Name, size.Width, size.Height)
			}
		}
		if len(digests) != len(tpl.Sizes()) {
			t.Errorf("%s: %d digests for %d sizes", name, len(digests), len(tpl.Sizes()))
		}
	}
}

func TestManifestIsRead(t *testing.T) {
	tpl := mustParse(t, doc(`"sizes": {"story": {"w": 1080, "h": 1920, "label": "Story"}, "default": {"w": 1200, "h": 630}},
		"vars": {"z": {"type": "number", "required": true, "example": 3}, "a": {"type": "array", "items": "text", "default": ["x"], "description": "d"}}`,
		`{{ z }}`), nil)
	wantVars := []Var{
		{Name: "z", Type: Number, Required: true, Example: json.Number("3")},
		{Name: "a", Type: Array, Items: "text", Default: []any{"x"}, Description: "d"},
	}
	if diff := cmp.Diff(wantVars, tpl.Vars(), cmpopts.IgnoreUnexported(Var{})); diff != "" {
		t.Errorf("vars (-want +got):\n%s", diff)
	}
	wantSizes := []Size{{"default", 1200, 630, ""}, {"story", 1080, 1920, "Story"}}
	if diff := cmp.Diff(wantSizes, tpl.Sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"z"}, tpl.Uses()); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"z": json.Number("3"), "a": []any{"x"}}, tpl.Examples()); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	if tpl.ReadsClock() || tpl.Name() != "card" {
		t.Errorf("clock %t, name %q", tpl.ReadsClock(), tpl.Name())
	}
}

func TestDocumentWithoutManifestDeclaresWhatItUses(t *testing.T) {
	tpl := mustParse(t, `<h1>{{title}}</h1><p>{{ price * 2 }} {{ today() }}</p>`, nil)
	if diff := cmp.Diff([]Var{{Name: "price", Type: Any}, {Name: "title", Type: Any}}, tpl.Vars(), cmpopts.IgnoreUnexported(Var{})); diff != "" {
		t.Errorf("vars (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Size{{Name: "default", Width: 1200, Height: 630}}, tpl.Sizes()); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
	if !tpl.ReadsClock() {
		t.Error("today() does not read the clock")
	}
	if html := mustFill(t, tpl, map[string]any{"price": "4"}).HTML; !strings.HasPrefix(html, "<!doctype html>") || !strings.Contains(html, "<h1></h1><p>8 2026-03-05</p>") {
		t.Errorf("got %s", html)
	}
}

func TestProblemsStandAtTheirPlace(t *testing.T) {
	vars := `"vars": {"title": {"type": "text"}, "ok": {"type": "boolean"}}`
	tests := []struct {
		src, pos, want string
	}{
		// Lines 1 to 4 are the manifest's; the body begins in line 5.
		{doc(vars, `<p>{{ titel }}</p>`), "card.html:5:13", `unknown variable "titel" (did you mean "title"?)`},
		{doc(vars, "\n\n é {{ title | uper }}"), "card.html:7:15", `unknown function "uper" (did you mean "upper"?)`},
		{doc(vars, "{{ title\n  + x }}"), "card.html:6:5", `unknown variable "x"`},
		{doc(vars, `{{ title`), "card.html:5:7", "{{ is not closed"},
		{doc(vars, `{{ }}`), "card.html:5:9", "there is no expression"},
		{doc(vars, `{{ title }</p><p>{{ ok }}`), "card.html:5:9", "{{ is closed by one } alone (write }}"},
		{doc(vars, `<p p-if="okk">x</p>`), "card.html:5:16", `unknown variable "okk" (did you mean "ok"?)`},
		{doc(vars, `<p _if="{{ okk }}">x</p>`), "card.html:5:18", `unknown variable "okk"`},
		{doc(vars, `<p p-if="ok">x`), "card.html:5:7", "needs an end tag of its own"},
		{doc(vars, `<p p-else>x</p>`), "card.html:5:7", "follows no element with p-if"},
		{doc(vars, `<p p-if="ok">x</p>y<p p-else>x</p>`), "card.html:5:26", "follows no element with p-if"},
		{doc(vars, `<p p-if="ok">x</p><p p-else="ok">x</p>`), "card.html:5:36", "p-else has no condition (write p-else-if="},
		{doc(vars, `<p p-if="ok">x</p><p p-else>x</p><p p-else>x</p>`), "card.html:5:40", "follows the one with p-else"},
		{doc(vars, `<p data-p-for="f in x">x</p>`), "card.html:5:27", `unknown variable "x"`},
		{doc(vars, `<p p-for="title">x</p>`), "card.html:5:17", `"title" does not say what is repeated`},
		{doc(vars, `<p p-for="f in title">{{ g }}</p>`), "card.html:5:32", `unknown variable "g"`},
		{doc(vars, `<p p-for="f in title" p-limit="0">x</p>`), "card.html:5:38", "p-limit is \"0\""},
		{doc(vars, `<p p-limit="3">x</p>`), "card.html:5:7", "p-limit belongs to p-for"},
		{doc(vars, `<p p-empty>x</p>`), "card.html:5:7", "p-empty follows no element"},
		{doc(vars, `<p p-for="f in title" p-empty>x</p>`), "card.html:5:7", "p-empty and p-for cannot stand on one element"},
		{doc(vars, `<html p-if="ok"></html>`), "card.html:5:7", "<html> is always there"},
		{doc(vars, `<p p-style-color="{{ okk }}">x</p>`), "card.html:5:28", `unknown variable "okk"`},
		{doc(vars, `<p p-style-b@d="{{ ok }}">x</p>`), "card.html:5:10", "is not a property of CSS"},
		{doc(vars, `<p p-attr-onclick="{{ ok }}">x</p>`), "card.html:5:10", "safety: onclick"},
		{doc(vars, `<p p-attr-style="{{ ok }}">x</p>`), "card.html:5:10", "use p-style-PROPERTY"},
		{doc(vars, `<p p-attr-srcset="{{ ok }}">x</p>`), "card.html:5:10", "srcset is not supported"},
		{doc(vars, `<p p-src="{{ title }}">`), "card.html:5:7", "belong on an <img>"},
		{doc(vars, `<img p-fallback="assets/a.png">`), "card.html:5:7", "needs p-src"},
		{doc(vars, `<img p-src="{{ title }}" p-fallback="assets/b.png">`), "card.html:5:44", `there is no file "assets/b.png"`},
		{doc(vars, `<img p-src="{{ title }}" p-onerror="skip">`), "card.html:5:43", `p-onerror is "skip" (it is one of fallback, hide, fail)`},
		{doc(vars, `<img p-src="{{ title }}" p-onerror="fallback">`), "card.html:5:7", "needs p-fallback"},
		{doc(vars, `<p p-fit="srink">x</p>`), "card.html:5:17", `p-fit is "srink" (it is one of none, shrink, fit, ellipsis)`},
		{doc(vars, `<p p-size="story">x</p>`), "card.html:5:7", "p-size belongs on a page"},
		{doc(vars, `<b class="p-page" p-size="story"></b>`), "card.html:5:33", `the manifest has no size "story"`},
		{doc(vars, `<p p-rol="body">x</p>`), "card.html:5:10", `there is no directive p-rol (did you mean "p-role"?)`},
		{doc(vars, `{{#if okk}}x{{/if}}`), "card.html:5:13", `unknown variable "okk"`},
		{doc(vars, `{{ if ok }}x`), "card.html:5:7", "the block {{if ok}} has no end here"},
		{doc(vars, `{{#if ok}}x{{/each}}`), "card.html:5:18", "{{/each}} cannot end {{#if ok}} (write {{ end }}, which ends any block)"},
		{doc(vars, `{{#unless ok}}{{ if ok }}x{{ endfor }}{{/unless}}`), "card.html:5:33", "{{endfor}} cannot end {{if ok}}"},
		{doc(vars, `{{ if ok }}<b>x{{ end }}</b>`), "card.html:5:7", "has no end here (write {{ end }} behind it, between the same tags"},
		{doc(vars, `x{{ end }}`), "card.html:5:8", "{{end}} belongs to no block"},
		{doc(vars, `<p style="color: {{ if ok }}red{{ end }}">`), "card.html:5:24", "the block {{if ok}} cannot stand here"},
		{doc(vars, `<b class="p-page"><b class="x p-page"></b></b>`), "card.html:5:25", "a page inside another page"},
		{doc(vars, `<img srcset="a 1x">`), "card.html:5:12", "srcset is not supported"},
		{`<html p-version="2">`, "card.html:1:7", `version "2" of the format is not supported`},
		{doc(vars, `<p title={{ title }}>`), "card.html:5:16", "needs quotes"},
		{doc(vars, `<{{ title }}>`), "card.html:5:8", "cannot name an element"},
		{doc(vars, `<p {{ title }}="x">`), "card.html:5:10", "cannot name an attribute"},
		{doc(vars, `<p></p {{ title }}>`), "card.html:5:14", "end tag"},
		{doc(vars, `<p onclick="{{ title }}">`), "card.html:5:10", "safety: onclick"},
		{doc(vars, `<script>alert({{ title }})</script>`), "card.html:5:7", "safety: <script>"},
		{doc(vars, `<iframe src="x"></iframe>`), "card.html:5:7", "safety: <iframe>"},
		{doc(vars, `<object data="x"></object>`), "card.html:5:7", "safety: <object>"},
		{doc(vars, `<embed src="x">`), "card.html:5:7", "safety: <embed>"},
		{doc(vars, `<base href="/">`), "card.html:5:7", "safety: <base>"},
		{doc(vars, `<link rel="stylesheet" href="https://x.example/a.css">`), "card.html:5:7", "safety: <link>"},
		{doc(vars, `<meta http-equiv="refresh" content="0">`), "card.html:5:13", "safety: the attribute http-equiv"},
		{doc(vars, `<a href="javascript:x()">x</a>`), "card.html:5:16", "safety: the address"},
		{doc(vars, `<img src="javascript:x()">`), "card.html:5:17", "javascript: is not allowed"},
		{doc(vars, `<img src="a.png">`), "card.html:5:17", "not an address that a page may use"},
		{doc(vars, `<img src="assets/b.png">`), "card.html:5:17", `there is no file "assets/b.png" (did you mean "assets/a.png"?)`},
		{doc(vars, `<p style="background: url(assets/b.png)">`), "card.html:5:29", `there is no file "assets/b.png"`},
		{doc(vars, `<p style="{{ title }}: red">`), "card.html:5:17", "only stand in the value of a property"},
		{doc(vars, `<p style="color: {{ title }}(1)">`), "card.html:5:24", "cannot name a CSS function"},
		{doc(vars, `<style>#{{ title }} { color: red }</style>`), "card.html:5:15", "only stand in the value"},
		{doc(vars, `<style>@import "x.css";</style>`), "card.html:5:14", "safety: @import"},
		{doc(vars, `<style>@\69mport "x.css";</style>`), "card.html:5:14", "safety: @import"},
		{doc(vars, `<style>a { background: \75 rl(a.png) }</style>`), "card.html:5:30", "not an address"},
		{doc(vars, `<style>a { background: image-set("a.png" 1x) }</style>`), "card.html:5:30", "safety: image-set()"},
		{doc(vars, `<style id="p-size-stroy"></style>`), "card.html:5:7", `the manifest has no size "stroy"`},
		{doc(vars, `<title><{{ title }}/title></title>`), "card.html:5:15", "could end the element"},
		{doc(vars, `<svg><set attributeName="href" to="{{ title }}"/></svg>`), "card.html:5:42", "cannot stand in <set>"},
		{doc(vars, `<p title="x`), "card.html:5:7", "ends inside a tag"},
		{`<script type="application/json" id="p-template">{"vars": {"a": }}</script>`, "card.html:1:64", "the manifest is not JSON"},
		{doc(`"vras": {}`, ``), "card.html:4:2", `the manifest has no key "vras" (did you mean "vars"?)`},
		{doc(`"vars": {"a": {"type": "nubmer"}}`, ``), "card.html:4:25", `there is no type "nubmer" (did you mean "number"?)`},
		{doc(`"vars": {"a": {"type": "number", "default": "x"}}`, ``), "card.html:4:46", `the default of a is "x", not a number`},
		{doc(`"vars": {"a": {"type": "image", "example": "assets/b.png"}}`, ``), "card.html:4:45", `there is no file "assets/b.png"`},
		{doc(`"vars": {"a": {}, "a": {}}`, ``), "card.html:4:20", `the key "a" stands there twice`},
		{doc(`"sizes": {"x": {"w": 0, "h": 5}}`, ``), "card.html:4:23", "w must be a whole number from 1 to 10000"},
		{"<p>\xff</p>", "card.html", "not UTF-8"},
	}
	for _, tt := range tests {
		_, err := Parse("card", []byte(tt.src), map[string]string{"assets/a.png": "d"})
		list := problem.All(err)
		if err == nil || !slices.ContainsFunc(list, func(p *problem.Error) bool {
			return p.Pos.String() == tt.pos && strings.Contains(p.Error(), tt.want)
		}) {
			t.Errorf("%s\ngot  %v\nwant %s: … %s", tt.src, err, tt.pos, tt.want)
		}
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	_, err := Parse("card", []byte(doc(`"vars": {"a": {"type": "x"}}`, `{{ b }}<p onclick="">{{ a + }}</p><img src="x.png">`)), nil)
	if list := problem.All(err); len(list) != 5 {
		t.Errorf("got %d problems, want 5:\n%v", len(list), err)
	}
}

func TestInformativeDirectivesPass(t *testing.T) {
	got := fill(t, `<p p-role="body" p-name="Text" p-lock p-anchor="left" p-focus="0.5 0.3" p-fit="none">x</p>`, nil)
	if want := `<p p-role="body" p-focus="0.5 0.3" p-fit="none">x</p>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnknownHTMLSurvivesByteForByte(t *testing.T) {
	body := "<x-Card  Foo = 'a\"b'\n bar=1 baz/><P>&eacute; &amp; <br/>1 < 2</P>\r\n<svg viewBox=\"0 0 1 1\"><linearGradient id=\"g\"/><path d='M0 0'/></svg><!-- gone -->"
	if got, want := fill(t, body, nil), strings.TrimSuffix(body, "<!-- gone -->"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSizeNotFoundNamesTheNearest(t *testing.T) {
	_, err := mustLoad(t, "product-card").Page(View{Size: "stroy"})
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.NotFound || p.Slug != SizeNotFound || p.Hint != `did you mean "story"?` {
		t.Errorf("got %#v", p)
	}
}

func TestDigestCoversWhatIsShownAndNothingElse(t *testing.T) {
	src := doc(`"name": "One", "sizes": {"default": {"w": 800, "h": 400, "label": "L"}, "story": {"w": 10, "h": 20}},
		"vars": {"a": {"type": "text", "example": "x", "description": "d"}}`,
		`<!-- note --><style>p { color: red /* why */ }</style><style id="p-size-story">p { color: blue }</style><p p-name="P">{{ a }}</p><img src="assets/a.png">`)
	assets := map[string]string{"assets/a.png": "d1", "assets/other.png": "d2"}
	base := mustPage(t, mustParse(t, src, assets), "").Digest
	with := func(old, new string) string {
		t.Helper()
		if !strings.Contains(src, old) {
			t.Fatalf("the document has no %q", old)
		}
		return mustPage(t, mustParse(t, strings.Replace(src, old, new, 1), assets), "").Digest
	}
	for _, same := range [][2]string{
		{`"One"`, `"Two"`}, {`"L"`, `"M"`}, {`"example": "x"`, `"example": "y"`}, {`"d"`, `"e"`},
		{"note", "other"}, {"/* why */", "/* how */"}, {"blue", "green"}, {`p-name="P"`, `p-name="Q"`}, {`"w": 10`, `"w": 11`},
	} {
		if with(same[0], same[1]) != base {
			t.Errorf("%q → %q changes the digest", same[0], same[1])
		}
	}
	for _, other := range [][2]string{
		{"color: red", "color: tan"}, {`"w": 800`, `"w": 801`}, {"<p p-name", "<p title p-name"}, {"assets/a.png", "assets/other.png"}, {"{{ a }}", "x{{ a }}"},
	} {
		if with(other[0], other[1]) == base {
			t.Errorf("%q → %q does not change the digest", other[0], other[1])
		}
	}
	unused := map[string]string{"assets/a.png": "d1", "assets/other.png": "new"}
	if mustPage(t, mustParse(t, src, unused), "").Digest != base {
		t.Error("an asset that the page does not show changes the digest")
	}
	changed := map[string]string{"assets/a.png": "new", "assets/other.png": "d2"}
	if mustPage(t, mustParse(t, src, changed), "").Digest == base {
		t.Error("other bytes of an asset do not change the digest")
	}
	if mustParse(t, src, changed).Digest() == mustParse(t, src, assets).Digest() {
		t.Error("other bytes of an asset do not change the template's digest")
	}
}

func TestASizeMovesLayersThatHaveTheirPlacesInTheirStyle(t *testing.T) {
	css := `#x { left: 1px; top: 2px !important; --a: calc(1px + 2px) } @media print { #x{width:3px} } @keyframes k { from { left: 0 } } @font-face { font-family: A; }`
	want := `#x { left: 1px !important; top: 2px !important; --a: calc(1px + 2px) !important} @media print { #x{width:3px !important} } @keyframes k { from { left: 0 } } @font-face { font-family: A; }`
	src := doc(`"sizes": {"default": {"w": 9, "h": 9}, "tall": {"w": 9, "h": 99}}`, `<style>b { left: 0 }</style><style id="p-size-tall">`+css+`</style><b id="x" style="left: 5px">x</b>`)
	html := mustPage(t, mustParse(t, src, nil), "tall").Fill(nil).HTML
	if !strings.Contains(html, want) || !strings.Contains(html, "b { left: 0 }") {
		t.Errorf("got %s", html)
	}
}

func TestANewBlockOfASizeChangesNoPageOfTheOthers(t *testing.T) {
	manifest := `"sizes": {"default": {"w": 9, "h": 9}, "tall": {"w": 9, "h": 99}}`
	head := func(block string) string {
		return strings.Replace(doc(manifest, "<b id=x>x</b>"), "</script></head>", "</script>\n<style>b{}</style>\n"+block+"</head>", 1)
	}
	before := mustPage(t, mustParse(t, head(""), nil), "")
	after := mustParse(t, head("<style id=\"p-size-tall\">#x{top:0}</style>\n"), nil)
	if mustPage(t, after, "").Digest != before.Digest {
		t.Errorf("the default page is now %s", mustPage(t, after, "").Fill(nil).HTML)
	}
	if !strings.Contains(mustPage(t, after, "tall").Fill(nil).HTML, "#x{top:0 !important}") {
		t.Error("the tall page lacks its block")
	}
}

func TestOtherSizesStylesAreLeftOut(t *testing.T) {
	tpl := mustParse(t, doc(`"sizes": {"default": {"w": 8, "h": 4}, "story": {"w": 10, "h": 20}}, "vars": {"a": {}}`,
		`<style id="p-size-story">p { color: {{ a }} }</style><p>{{ a }}</p>`), nil)
	v, err := tpl.Resolve(map[string]any{"a": "red"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustPage(t, tpl, "").Fill(v).HTML; strings.Contains(got, "p-size-story") || !strings.Contains(got, "<p>red</p>") {
		t.Errorf("default: %s", got)
	}
	if got := mustPage(t, tpl, "story").Fill(v).HTML; !strings.Contains(got, `<style id="p-size-story">p { color: red !important}</style><p>red</p>`) {
		t.Errorf("story: %s", got)
	}
}

func TestUnusedVariableDoesNotChangeValues(t *testing.T) {
	tpl := mustParse(t, doc(`"vars": {"a": {"type": "text"}, "b": {"type": "text"}}`, `{{ a }}`), nil)
	one, err := tpl.Resolve(map[string]any{"a": "x", "b": "1", "c": "1"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	two, err := tpl.Resolve(map[string]any{"a": "x", "b": "2"}, noon.Add(time.Hour))
	if err != nil || !slices.Equal(one, two) {
		t.Errorf("got %v and %v, %v", one, two, err)
	}
}

func TestAssetBytesAreInTheValuesWhenARowChoosesTheAsset(t *testing.T) {
	src := `<img src="{{ photo }}">`
	row := map[string]any{"photo": "assets/a.png"}
	one, err := mustParse(t, src, map[string]string{"assets/a.png": "d1"}).Resolve(row, noon)
	if err != nil {
		t.Fatal(err)
	}
	two, err := mustParse(t, src, map[string]string{"assets/a.png": "d2"}).Resolve(row, noon)
	if err != nil || slices.Equal(one, two) {
		t.Errorf("got %v for both, %v", one, err)
	}
}

func TestLongDocumentsAreReadInLinearTime(t *testing.T) {
	for _, unit := range []string{"<b>", "{{", "{{ ' ", "<p style='a:b;c:url(#d)'>", "<!--", "<script", "<style>a{b:c}</style>", "}}", "<img src=x>", "{{{"} {
		for _, src := range []string{strings.Repeat(unit, (1<<18)/len(unit)), strings.Repeat(unit, (1<<18)/len(unit)) + "}}"} {
			start := time.Now()
			_, err := Parse("card", []byte(src), nil)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%q… took %v (%d problems)", unit, took, len(problem.All(err)))
			}
			if list := problem.All(err); len(list) > maxProblems {
				t.Errorf("%q…: %d problems", unit, len(list))
			}
		}
	}
}

func TestLoadReadsWhatTheDocumentRefersTo(t *testing.T) {
	fsys := fstest.MapFS{
		"static.html":      {Data: []byte(`<img src="assets/a.png"><style>p { background: url('assets/d/b.png') }</style><img src="assets/none.png">`)},
		"dynamic.html":     {Data: []byte(`<img src="{{ x }}">`)},
		"sub/other.html":   {},
		".hidden.html":     {},
		"notes.txt":        {},
		"assets/a.png":     {Data: []byte("A")},
		"assets/d/b.png":   {Data: []byte("B")},
		"assets/c.png":     {Data: []byte("C")},
		"assets/.DS_Store": {Data: []byte("x")},
	}
	names, err := List(fsys)
	if diff := cmp.Diff([]string{"dynamic", "static"}, names); err != nil || diff != "" {
		t.Errorf("List (-want +got):\n%s%v", diff, err)
	}
	for name, want := range map[string][]string{
		"static":  {"assets/a.png", "assets/d/b.png"},
		"dynamic": {"assets/a.png", "assets/c.png", "assets/d/b.png"},
	} {
		_, files, err := Load(fsys, name)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); err != nil || diff != "" {
			t.Errorf("Load(%s) (-want +got):\n%s%v", name, diff, err)
		}
	}
	for _, name := range []string{"none", "../x", "sub/other", ""} {
		if _, _, err := Load(fsys, name); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("Load(%q): %v, want not found", name, err)
		}
	}
	if _, err := List(fstest.MapFS{"x": &fstest.MapFile{Mode: fs.ModeDir}}); err != nil {
		t.Errorf("List of an empty folder: %v", err)
	}
}

func BenchmarkParse(b *testing.B) {
	src, files, err := Load(examples["product-card"], "product-card")
	if err != nil {
		b.Fatal(err)
	}
	digests := map[string]string{}
	for path := range files {
		digests[path] = "d"
	}
	for b.Loop() {
		if _, err := Parse("card", src, digests); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	tpl := mustLoad(b, "product-card")
	row := map[string]any{"title": "Trail Runner 2", "price": "129.50", "sale": "true", "category": "Running", "tagline": "Light, grippy"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Resolve(row, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	tpl := mustLoad(b, "product-card")
	v, err := tpl.Resolve(tpl.Examples(), noon)
	if err != nil {
		b.Fatal(err)
	}
	page := mustPage(b, tpl, "")
	b.ReportAllocs()
	for b.Loop() {
		page.Fill(v)
	}
}
