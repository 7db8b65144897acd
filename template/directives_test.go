package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestDirectivesAndBlocks(t *testing.T) {
	people := []any{map[string]any{"name": "Ada", "on": true}, map[string]any{"name": "B<b", "on": false}}
	row := map[string]any{
		"yes": true, "no": false, "name": "Ann", "none": "", "list": []any{"a", "b", "c"}, "empty": []any{},
		"people": people, "color": "teal", "photo": "assets/a.png", "n": "3", "nested": []any{[]any{"1", "2"}, []any{"3"}},
	}
	tests := []struct{ body, want string }{
		{`<p p-if="yes">x</p><p p-if="no">y</p>`, `<p>x</p>`},
		{`<p p-if="{{ yes && name == 'Ann' }}">x</p>`, `<p>x</p>`},
		{`<p _if="no">x</p><p data-p-if="yes">y</p>`, `<p>y</p>`},
		{"<p p-if='no'>a</p>\n<p p-else-if='n > 2'>b</p>\n<!-- c --><p p-else>c</p>!", `<p>b</p>!`},
		{`<p p-if="no">a</p><p p-else>c</p>`, `<p>c</p>`},
		{`<li p-for="f in list">{{ f }}</li>`, `<li>a</li><li>b</li><li>c</li>`},
		{`<li p-for="(f, i) in list" p-limit="2">{{ i }}{{ f }}</li>`, `<li>0a</li><li>1b</li>`},
		{`<li p-for="p in people" p-if="p.on">{{ p.name }}</li>`, `<li>Ada</li>`},
		{`<li p-for="p in people">{{ p.name }}{{ p.on ? "!" : "" }}</li>`, `<li>Ada!</li><li>B&lt;b</li>`},
		{`<li p-for="f in empty">{{ f }}</li> <li p-empty>none</li>`, `<li>none</li>`},
		{`<li p-for="f in list" p-limit="1">{{ f }}</li><li p-empty>none</li>`, `<li>a</li>`},
		{`<li p-for="f in none">{{ f }}</li>`, ``},
		{`<ul p-for="r in nested"><li p-for="c in r">{{ c }}</li></ul>`, `<ul><li>1</li><li>2</li></ul><ul><li>3</li></ul>`},
		{`<i id="x" p-for="f in list" p-limit="2"><b id="y">{{ f }}</b></i><i id="z"></i>`,
			`<i id="x--0"><b id="y--0">a</b></i><i id="x--1"><b id="y--1">b</b></i><i id="z"></i>`},
		{`<i id="x" p-for="r in nested"><b id="y" p-for="c in r">{{ c }}</b></i>`,
			`<i id="x--0"><b id="y--0--0">1</b><b id="y--0--1">2</b></i><i id="x--1"><b id="y--1--0">3</b></i>`},
		{`<svg p-for="f in list" p-limit="1"><g id="q"/><use href="#q"/><path fill="url(#q)"/></svg>`,
			`<svg><g id="q--0"/><use href="#q--0"/><path fill="url(#q--0)"/></svg>`},
		{`<p p-attr-title="{{ name }}" p-attr-hidden="no" p-attr-lang="none" title="sample">x</p>`, `<p title="Ann">x</p>`},
		{`<a p-attr-href="{{ 'https://x.example/' + name }}">x</a>`, `<a href="https://x.example/Ann">x</a>`},
		{`<a p-attr-href="https://x.example/{{ name }}?q={{ '&' }}">x</a>`, `<a href="https://x.example/Ann?q=%26">x</a>`},
		{`<p p-style-color="{{ color }}" style="left: 1px">x</p>`, `<p style="left: 1px;color:teal">x</p>`},
		{`<p p-style-color="yes ? color : none">x</p><p p-style-color="no ? color : none">x</p>`, `<p style=";color:teal">x</p><p style="">x</p>`},
		{`<p p-style---accent="color" p-style-background-image="url({{ photo }})">x</p>`, `<p style=";--accent:teal;background-image:url(/assets/a.png)">x</p>`},
		{`<p class="a" p-class-on="yes" p-class-off="no">x</p><p p-class-on="n > 1">x</p>`, `<p class="a on">x</p><p class=" on">x</p>`},
		{`{{ if yes }}a{{ else }}b{{ end }}{{#if no}}c{{else}}d{{/if}}`, `ad`},
		{`{{#if no}}a{{else if n == 3}}b{{else}}c{{/if}}`, `b`},
		{`{{#unless no}}a{{/unless}}{{#unless yes}}a{{else}}b{{/unless}}`, `ab`},
		{`{{#if yes}}<b>{{ name }}</b>{{/if}}{{#if no}}<i>{{ name }}</i>{{/if}}`, `<b>Ann</b>`},
		{`{{#each list as f, i}}{{ i }}{{ f }};{{/each}}`, `0a;1b;2c;`},
		{`{{#each list}}{{ this }}{{ index }},{{/each}}{{ for f in empty }}x{{ else }}none{{ end }}`, `a0,b1,c2,none`},
		{`<p title="{{ if yes }}a{{ end }} b">x</p>`, `<p title="a b">x</p>`},
		{`{{ if yes }}{{ if no }}a{{ else }}b{{ end }}c{{ else }}d{{ end }}`, `bc`},
		{`{{ !no ? "x" : "y" }}`, `x`},
		{`<img id="i" src="assets/none.png" p-src="{{ photo }}" alt="a">`, `<img id="i" alt="a" src="/assets/a.png">`},
		{`<img p-src="photo"/>`, `<img src="/assets/a.png"/>`},
		{`<img p-src="{{ none }}" p-fallback="assets/a.png">`, `<img src="/assets/a.png">`},
		{`a<img p-src="{{ none }}">b`, `ab`},
		{`<img p-src="assets/a.png" p-focus="0.5 0.3">`, `<img p-focus="0.5 0.3" src="/assets/a.png">`},
		{`<p data-p-fit="shrink" p-min="{{ n }}" p-lock p-name="x">x</p>`, `<p p-fit="shrink" p-min="3">x</p>`},
		{`<p data-foo="{{ name }}" data-p-else-where="1">x</p>`, `<p data-foo="Ann" data-p-else-where="1">x</p>`},
		{`<style>#x { left: 1px } @media print { #x:hover, b #x {} } a { color: #fff }</style><i id="x" p-for="f in empty"></i>`,
			`<style>:is(#x,[id^="x--"]) { left: 1px } @media print { :is(#x,[id^="x--"]):hover, b :is(#x,[id^="x--"]) {} } a { color: #fff }</style>`},
	}
	for _, tt := range tests {
		if got := fill(t, tt.body, row); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.body, got, tt.want)
		}
	}
}

func TestLoopNamesAreNoVariables(t *testing.T) {
	tpl := mustParse(t, `<li p-for="f, i in items">{{ f.name }} {{ i }} {{ title }}</li>`, nil)
	if diff := cmp.Diff([]string{"items", "title"}, tpl.Uses()); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}

func TestLoopsOverWhatIsNoListAreTheRowsFault(t *testing.T) {
	tpl := mustParse(t, `<li p-for="f in v">{{ f }}</li>`, nil)
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"apples", `"apples" is not a list, so it cannot be repeated`},
		{make([]any, maxRepeats+1), "the list has 10001 items, more than the 10000"},
	} {
		_, err := tpl.Resolve(map[string]any{"v": tt.value}, noon)
		p := problem.All(err)
		if err == nil || p[0].Path != "variables.v" || !strings.Contains(p[0].Message, tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if _, err := tpl.Resolve(map[string]any{"v": `["a"]`}, noon); err != nil {
		t.Errorf("a list as JSON in a cell: %v", err)
	}
}

func TestARowCannotMakeADocumentWithoutEnd(t *testing.T) {
	tpl := mustParse(t, `<b p-for="a in v"><b p-for="b in v">{{ b }}</b></b>`, nil)
	_, err := tpl.Resolve(map[string]any{"v": make([]any, 1000)}, noon)
	if list := problem.All(err); err == nil || len(list) != 1 || list[0].Code != problem.TooLarge {
		t.Errorf("got %v", err)
	}
}

func TestMissingValuesAreStrictDefaultOrHideTheirElement(t *testing.T) {
	src := doc(`"vars": {"a": {"missing": "strict"}, "b": {"missing": "default", "default": "B"}, "c": {"missing": "hide"}, "d": {"type": "image", "missing": "hide"}}`,
		`<i>{{ a }}</i><i>{{ b }}</i><i>c: {{ c }}</i><img src="{{ d }}"><p><i>{{ c }}</i>x</p>`)
	tpl := mustParse(t, src, nil)
	body := func(row map[string]any) string {
		_, html, _ := strings.Cut(mustFill(t, tpl, row).HTML, "<body>")
		html, _, _ = strings.Cut(html, "</body>")
		return html
	}
	if got, want := body(map[string]any{"a": "1"}), `<i>1</i><i>B</i><p>x</p>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := body(map[string]any{"a": "1", "c": "C", "d": "https://x.example/d"}), `<i>1</i><i>B</i><i>c: C</i><img src="/remote/`; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err := tpl.Resolve(map[string]any{}, noon)
	if list := problem.All(err); len(list) != 1 || list[0].Slug != MissingVariable {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreHeldAgainstTheirLimits(t *testing.T) {
	for _, tt := range []struct {
		declared string
		value    any
		want     string // "" is accepted
	}{
		{`"minLength": 3`, "äö", "v has 2 letters, less than the 3 wanted"},
		{`"type": "number", "min": 0, "max": 5`, "5", ""},
		{`"type": "number", "min": 0, "max": 5`, "-0.1", "v is -0.1, less than the 0 allowed"},
		{`"type": "number", "min": 0, "max": 5`, "5.5", "v is 5.5, more than the 5 allowed"},
		{`"pattern": "[A-Z]{2}"`, "AB", ""},
		{`"pattern": "[A-Z]{2}"`, "ABC", `v is "ABC", which is not of the form that is wanted`},
		{`"options": ["a", "b"]`, "c", `v is "c", which is not one of its options`},
		{`"type": "number", "enum": [1, 2]`, "2", ""},
		{`"validation": {"maxLength": 2}`, "abc", "v has 3 letters, more than the 2 allowed"},
	} {
		tpl := mustParse(t, doc(`"vars": {"v": {`+tt.declared+`}}`, `{{ v }}`), nil)
		_, err := tpl.Resolve(map[string]any{"v": tt.value}, noon)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s with %v: got %v, want %q", tt.declared, tt.value, err, tt.want)
		}
	}
}

func TestPagesAreShownOneByOne(t *testing.T) {
	src := doc(`"sizes": {"default": {"w": 100, "h": 50}, "tall": {"w": 50, "h": 100}}`,
		`<section class="p-page">one {{ a }}</section><section class="p-page" p-for="m in months" p-size="tall">{{ m }}</section><section class="p-page">end</section>`)
	tpl := mustParse(t, src, nil)
	v, err := tpl.Resolve(map[string]any{"a": "A", "months": []any{"Jan", "Feb"}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		text          string
		width, height int
	}{{"one A", 100, 50}, {"Jan", 50, 100}, {"Feb", 50, 100}, {"end", 100, 50}}
	for i, w := range want {
		p, err := tpl.Page(View{Page: i + 1})
		if err != nil {
			t.Fatal(err)
		}
		if n := p.Pages(v); n != len(want) {
			t.Errorf("%d pages, want %d", n, len(want))
		}
		got := p.Fill(v)
		if shown := p.Fill(p.Shown(v)); shown.HTML != got.HTML {
			t.Errorf("page %d of the shown values is\n%s\nnot\n%s", i+1, shown.HTML, got.HTML)
		}
		if !strings.Contains(got.HTML, ">"+w.text+"</section>") || strings.Count(got.HTML, "<section") != 1 || got.Width != w.width || got.Height != w.height {
			t.Errorf("page %d is %d×%d: %s", i+1, got.Width, got.Height, got.HTML)
		}
	}
	first, _ := tpl.Page(View{})
	if diff := cmp.Diff(Values{"", "A", "2", "", ""}, first.Shown(v)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestAllPagesAreThePicturesOfEach(t *testing.T) {
	src := doc(`"sizes": {"default": {"w": 100, "h": 50}, "tall": {"w": 50, "h": 100}}`,
		`<i>over all</i><section class="p-page" p-for="m in months" p-size="tall"><img src="https://x.example/{{ m }}">{{ m }}</section>`+
			`<section class="p-page">one {{ a }}</section><section class="p-page" p-if="a == 'B'">end</section><i>under all</i>`)
	tpl := mustParse(t, src, nil)
	all, err := tpl.Page(View{Page: AllPages})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		row   map[string]any
		pages int
	}{
		{map[string]any{"a": "A", "months": []any{"Jan", "Feb"}}, 3},
		{map[string]any{"a": "B", "months": []any{}}, 2},
		{map[string]any{"a": "A"}, 1},
	} {
		v, err := tpl.Resolve(tt.row, noon)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, all.Shown(v)); diff != "" {
			t.Errorf("shown (-all +shown):\n%s", diff)
		}
		got := all.Fill(v)
		if n := all.Pages(v); n != tt.pages || len(got.Sheets) != tt.pages-1 {
			t.Fatalf("%d pages, %d sheets, want %d", n, len(got.Sheets)+1, tt.pages)
		}
		sheets := append([]Sheet{{got.HTML, got.Width, got.Height}}, got.Sheets...)
		remote := 0
		for i, sheet := range sheets {
			one, err := tpl.Page(View{Page: i + 1})
			if err != nil {
				t.Fatal(err)
			}
			want := one.Fill(v)
			if diff := cmp.Diff(Sheet{want.HTML, want.Width, want.Height}, sheet); diff != "" {
				t.Errorf("page %d (-alone +among all):\n%s", i+1, diff)
			}
			remote += len(want.Remote)
			if one.Digest == all.Digest {
				t.Errorf("page %d and all pages have one digest", i+1)
			}
		}
		if len(got.Remote) != remote {
			t.Errorf("%d remote files, want %d", len(got.Remote), remote)
		}
	}
}

func TestPagesTooLargeToBeDrawnAreEmpty(t *testing.T) {
	tpl := mustParse(t, doc(``, strings.Repeat("x", 1<<20)+`<section class="p-page" p-for="m in months">{{ m }}</section>`), nil)
	v, err := tpl.Resolve(map[string]any{"months": make([]any, 2000)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	all, err := tpl.Page(View{Page: AllPages})
	if err != nil {
		t.Fatal(err)
	}
	got := all.Fill(v)
	if len(got.Sheets) != 1999 || got.Sheets[0].HTML == "" || got.Sheets[1998].HTML != "" {
		t.Errorf("got %d sheets, the first of %d bytes, the last of %d", len(got.Sheets), len(got.Sheets[0].HTML), len(got.Sheets[len(got.Sheets)-1].HTML))
	}
}

func TestADocumentWithoutPagesIsOneSheet(t *testing.T) {
	tpl := mustParse(t, `<body><p>{{ a }}</p></body>`, nil)
	v, err := tpl.Resolve(map[string]any{"a": "A"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	all, err := tpl.Page(View{Page: AllPages})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mustPage(t, tpl, "").Fill(v), all.Fill(v)); diff != "" {
		t.Errorf("(-a picture +all pages):\n%s", diff)
	}
}

func TestThemesAreNamedByTheDocument(t *testing.T) {
	src := `<!doctype html><html lang="en"><head><style id="p-tokens">:root{--a:#fff}:root[data-theme="dark"]{--a:#000}</style></head><body>x</body></html>`
	tpl := mustParse(t, src, nil)
	if diff := cmp.Diff([]string{"dark"}, tpl.Themes()); diff != "" {
		t.Fatalf("themes (-want +got):\n%s", diff)
	}
	light, _ := tpl.Page(View{})
	dark, err := tpl.Page(View{Theme: "dark"})
	if err != nil {
		t.Fatal(err)
	}
	if html := dark.Fill(Values{""}).HTML; !strings.Contains(html, `<html lang="en" data-theme="dark">`) || dark.Digest == light.Digest {
		t.Errorf("dark is %s", html)
	}
	if html := light.Fill(Values{""}).HTML; !strings.Contains(html, `<html lang="en">`) {
		t.Errorf("light is %s", html)
	}
	_, err = tpl.Page(View{Theme: "drak"})
	if err == nil || !strings.Contains(err.Error(), `no theme "drak" (did you mean "dark"?)`) {
		t.Errorf("got %v", err)
	}
	bare, err := mustParse(t, `<style>[data-theme=dark]{}</style>x`, nil).Page(View{Theme: "dark"})
	if err != nil || !strings.HasPrefix(bare.Fill(Values{""}).HTML, `<!doctype html><html data-theme="dark">`) {
		t.Errorf("a document without <html>: %v %s", err, bare.Fill(Values{""}).HTML)
	}
}

func TestImagesThatCannotBeHadShowTheirFallback(t *testing.T) {
	src := `<body><img id="a" p-src="{{ photo }}" p-fallback="assets/a.png"><img id="b" p-src="{{ photo }}" p-onerror="hide"><img id="c" p-src="{{ other }}" p-onerror="fail"></body>`
	tpl := mustParse(t, src, map[string]string{"assets/a.png": "d"})
	v, err := tpl.Resolve(map[string]any{"photo": "https://x.example/p", "other": "https://x.example/q"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	p := mustPage(t, tpl, "")
	got := p.Fill(v)
	if len(got.Remote) != 2 || !got.Remote[0].Optional || got.Remote[1].Optional || len(got.Instead) != 0 {
		t.Fatalf("got %+v", got)
	}
	failed := map[string]string{got.Remote[0].Path: "unreachable", got.Remote[1].Path: "unreachable"}
	got = p.FillWithout(v, failed)
	if !strings.Contains(got.HTML, `<body><img id="a" src="/assets/a.png"><img id="c" src="/remote/`) {
		t.Errorf("got %s", got.HTML)
	}
	want := []Instead{{Layer: "a", URL: "https://x.example/p", Reason: "unreachable"}, {Layer: "b", URL: "https://x.example/p", Reason: "unreachable", Hidden: true}}
	if diff := cmp.Diff(want, got.Instead); diff != "" {
		t.Errorf("instead (-want +got):\n%s", diff)
	}
}

func TestRowsChangeLayersByName(t *testing.T) {
	src := `<body><h1 id="title" p-name="Headline" style="left: 1px">{{ t }}</h1><img id="pic" src="assets/a.png"><p id="q">q</p><p id="r">r</p></body>`
	tpl := mustParse(t, src, map[string]string{"assets/a.png": "d", "assets/b.png": "e"})
	row := map[string]any{"t": "T", "modifications": []any{
		map[string]any{"name": "Headline", "text": "<New>", "color": "red"},
		map[string]any{"name": "pic", "image_url": "assets/b.png"},
		map[string]any{"name": "q", "hide": true},
		map[string]any{"name": "r", "background_color": "#fff", "visible": true},
	}}
	got := mustFill(t, tpl, row)
	want := `<body><h1 id="title" style="left: 1px;color:red">&lt;New&gt;</h1><img id="pic" src="/assets/b.png"><p id="r" style=";background:#fff">r</p></body>`
	if !strings.HasSuffix(got.HTML, want) {
		t.Errorf("got  %s\nwant %s", got.HTML, want)
	}
	if len(got.Assets) != 1 || got.Assets[0].Digest != "e" {
		t.Errorf("assets %v", got.Assets)
	}
	for _, bad := range []struct {
		mods any
		want string
	}{
		{"x", `modifications is "x", not a list`},
		{[]any{map[string]any{"text": "x"}}, "needs the name of a layer"},
		{[]any{map[string]any{"name": "titel"}}, `the template has no layer "titel" (did you mean "title"?)`},
		{[]any{map[string]any{"name": "q", "colour": "red"}}, `a modification has no key "colour" (did you mean "color"?)`},
		{[]any{map[string]any{"name": "q", "color": "red;x"}}, "not a color"},
		{[]any{map[string]any{"name": "q", "src": "assets/a.png"}}, `the layer "q" is not an image`},
		{[]any{map[string]any{"name": "pic", "src": "javascript:x"}}, "is not an address"},
		{[]any{map[string]any{"name": "pic", "text": "x"}}, "is an image and has no text"},
		{[]any{map[string]any{"name": "q", "hide": "maybe"}}, "not true or false"},
	} {
		_, err := tpl.Resolve(map[string]any{"t": "T", "modifications": bad.mods}, noon)
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%v: got %v, want %s", bad.mods, err, bad.want)
		}
	}
	two := mustParse(t, `<body><img id="one" src="assets/a.png"><img id="two" p-src="{{ p }}" p-fallback="assets/a.png"></body>`, map[string]string{"assets/a.png": "d", "assets/b.png": "e"})
	for name, want := range map[string]string{
		"one": `<img id="one" src="/assets/b.png"><img id="two" src="/assets/a.png">`,
		"two": `<img id="one" src="/assets/a.png"><img id="two" src="/assets/b.png">`,
	} {
		got := mustFill(t, two, map[string]any{"modifications": []any{map[string]any{"name": name, "src": "assets/b.png"}}}).HTML
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	plain, _ := tpl.Resolve(map[string]any{"t": "T"}, noon)
	if plain[0] != "" {
		t.Errorf("no modifications are %q", plain[0])
	}
}

func TestLocaleAndZoneAreTheTemplatesTheRowsOrTheCallers(t *testing.T) {
	tpl := mustParse(t, doc(`"locale": "{{ lang }}", "timezone": "Asia/Tokyo", "vars": {"lang": {"default": "de-DE"}}`, `{{ 1234.5 | number }} {{ now() | date("HH") }}`), nil)
	for _, tt := range []struct {
		row  map[string]any
		want string
	}{{nil, "1.234,5 21"}, {map[string]any{"lang": "en-US"}, "1,234.5 21"}} {
		if got := mustFill(t, tpl, tt.row).HTML; !strings.Contains(got, tt.want) {
			t.Errorf("%v: got %s, want %s", tt.row, got, tt.want)
		}
	}
	_, err := Parse("card", []byte(doc(`"timezone": "Mars/Olympus"`, ``)), nil)
	if err == nil || !strings.Contains(err.Error(), `card.html:4:14: there is no time zone "Mars/Olympus"`) {
		t.Errorf("got %v", err)
	}
}

func TestElementsAreDrawnFromTheRow(t *testing.T) {
	src := `<body><div id="q" p-qr="{{ url }}" p-level="H">sample {{ ignored }}</div><svg></svg><div p-chart="v" p-kind="bar" p-labels="{{ names }}" p-min="0"></div><table p-table="{{ rows }}" p-columns="name, n"></table><p p-rating="4" p-fit="shrink">x</p></body>`
	tpl := mustParse(t, src, nil)
	if diff := cmp.Diff([]string{"names", "rows", "url", "v"}, tpl.Uses()); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	row := map[string]any{"url": "https://x.example", "v": []any{1.0, 2.0}, "names": []any{"a,b", "c<"}, "rows": []any{map[string]any{"name": "A", "n": 1.0}}}
	html := mustFill(t, tpl, row).HTML
	for _, want := range []string{`<div id="q"><svg`, "a,b", "c&lt;", "<td", `<p p-fit="shrink">`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s:\n%s", want, html)
		}
	}
	for _, hidden := range []string{"sample", "p-level", "p-kind", "p-columns"} {
		if strings.Contains(html, hidden) {
			t.Errorf("the page contains %s", hidden)
		}
	}
	_, err := mustParse(t, `<div p-barcode="code" p-symbology="ean13"></div>`, nil).Resolve(map[string]any{"code": "4006381333932"}, noon)
	if p := problem.All(err); err == nil || p[0].Path != "variables.code" || !strings.Contains(p[0].Message, "check digit") {
		t.Errorf("got %v", err)
	}
	for _, bad := range []struct{ body, want string }{
		{`<div p-table="v" p-columns="a"></div>`, "card.html:1:1: p-table belongs on a <table>, not on a <div>"},
		{`<img p-qr="v">`, "p-qr belongs on a <div>"},
		{`<div p-chart="v" p-kind="pie"></div>`, `"pie"`},
		{`<div p-qrr="v"></div>`, `there is no directive p-qrr (did you mean "p-qr"?)`},
	} {
		if _, err := Parse("card", []byte(bad.body), nil); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: got %v, want %s", bad.body, err, bad.want)
		}
	}
}
