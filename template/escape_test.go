package template

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestValuesAreEscapedForTheirPlace(t *testing.T) {
	tests := []struct {
		body, value, want string
	}{
		{`<p>{{ v }}</p>`, `<b>&"'`, `<p>&lt;b&gt;&amp;&#34;&#39;</p>`},
		{`<p title="{{ v }}">`, `" onclick="x`, `<p title="&#34; onclick=&#34;x">`},
		{`<p title='{{ v }}'>`, `' x='`, `<p title='&#39; x=&#39;'>`},
		{`<textarea>{{ v }}</textarea>`, `</textarea><b>`, `<textarea>&lt;/textarea&gt;&lt;b&gt;</textarea>`},
		{`<p>{{ v }}</p>`, `{{ v }}`, `<p>{{ v }}</p>`},
		{`<p>{{ v }}</p>`, "a\x00\xffb", "<p>a\uFFFD\uFFFDb</p>"},
		// Expressions may hold quotes, angle brackets and entities.
		{`<p title="{{ v == "x" ? "<" : v }}">`, `x`, `<p title="&lt;">`},
		{`<p title="{{ v &lt; &quot;b&quot; ? 1 : 2 }}">`, `a`, `<p title="1">`},
		{`<p>{{ {"a": {"b": v}}.a.b }}</p>`, `x`, `<p>x</p>`},
		// CSS values.
		{`<p style="color: {{ v }}">`, `red`, `<p style="color: red">`},
		{`<p style="color: {{ v }}">`, `#e11d48`, `<p style="color: #e11d48">`},
		{`<p style="color: {{ v }}">`, `rgb(1 2 3 / 50%)`, `<p style="color: rgb(1 2 3 / 50%)">`},
		{`<p style="color: {{ v }}">`, `var(--accent)`, `<p style="color: var(--accent)">`},
		{`<p style="width: calc({{ v }}px + 1%)">`, `-4.5`, `<p style="width: calc(-4.5px + 1%)">`},
		{`<p style="color: {{ v }}">`, `red; background: url(//x)`, `<p style="color: red\3b  background\3a  url\28 \2f \2f x\29 ">`},
		{`<p style="color: {{ v }}">`, `url(x)`, `<p style="color: url\28 x\29 ">`},
		{`<p style="color: {{ v }}">`, `rgb(url(x))`, `<p style="color: rgb\28 url\28 x\29 \29 ">`},
		{`<p style="color: {{ v }}">`, `calc(1/**/2)`, `<p style="color: calc\28 1\2f \2a \2a \2f 2\29 ">`},
		{`<style>p { color: {{ v }} }</style>`, `}</style><b>`, `<style>p { color: \7d \3c \2f style\3e \3c b\3e  }</style>`},
		{`<style>p { color: {{ v }} }</style>`, `red !important`, `<style>p { color: red \21 important }</style>`},
		{`<style>p::before { content: "{{ v }}" }</style>`, `a"b\c;d}`, `<style>p::before { content: "a\22 b\5c c\3b d\7d " }</style>`},
		{`<p style="font-family: '{{ v }}', serif">`, `O'Neil`, `<p style="font-family: &#39;O\27 Neil&#39;, serif">`},
		{`<svg><path fill="{{ v }}"/></svg>`, `url(//x#y)`, `<svg><path fill="url\28 \2f \2f x#y\29 "/></svg>`},
		// Addresses.
		{`<img src="{{ v }}">`, ``, `<img src="">`},
		{`<img src="{{ v }}">`, `assets/a.png`, `<img src="/assets/a.png">`},
		{`<img src="{{ v }}">`, ` /assets/a.png `, `<img src="/assets/a.png">`},
		{`<img src="{{ v }}">`, `data:image/png;base64,AA+/=`, `<img src="data:image/png;base64,AA+/=">`},
		{`<svg><use href="{{ v }}"/></svg>`, `#icon`, `<svg><use href="#icon"/></svg>`},
		{`<a href="{{ v }}">`, `https://x.example/?a=1&b="`, `<a href="https://x.example/?a=1&amp;b=%22">`},
		{`<a href="{{ v }}">`, `mailto:a@x.example`, `<a href="mailto:a@x.example">`},
		{`<p style="background: url('{{ v }}') no-repeat">`, `assets/a.png`, `<p style="background: url(/assets/a.png) no-repeat">`},
		{`<style>p { background: url( {{ v }} ) }</style>`, `data:image/svg+xml,<a b='c'>&`, `<style>p { background: url(data:image/svg+xml,%3Ca%20b=%27c%27%3E%26) }</style>`},
		{`<img src="assets/{{ v }}.png">`, `a`, `<img src="/assets/a.png">`},
	}
	for _, tt := range tests {
		if got := fill(t, tt.body, map[string]any{"v": tt.value}); got != tt.want {
			t.Errorf("%s with %q\ngot  %s\nwant %s", tt.body, tt.value, got, tt.want)
		}
	}
}

func TestRemoteAddressesAreReplacedAndListed(t *testing.T) {
	tpl := mustParse(t, `<body><img src="https://CDN.example/a b.png?x=1&amp;y=2"><img src="{{ one }}"><p style="background: url({{ two }})"><img src="https://cdn.example/{{ three }}.png#f"><style>@font-face { src: url("https://f.example/f.woff2") }</style>`, nil)
	got := mustFill(t, tpl, map[string]any{"one": "https://cdn.example/1.png", "two": "https://cdn.example/1.png", "three": "a/b?c#d"})
	want := []Remote{
		{URL: "https://cdn.example/a%20b.png?x=1&y=2"},
		{URL: "https://cdn.example/1.png", Var: "one, two"},
		{URL: "https://cdn.example/a/b%3Fc%23d.png", Var: "three"},
		{URL: "https://f.example/f.woff2"},
	}
	for i := range want {
		want[i].Path = newRemote(want[i].URL).Path
	}
	if diff := cmp.Diff(want, got.Remote); diff != "" {
		t.Errorf("remotes (-want +got):\n%s", diff)
	}
	for _, r := range got.Remote {
		if !strings.Contains(got.HTML, r.Path) {
			t.Errorf("the page lacks %s", r.Path)
		}
	}
	if strings.Contains(got.HTML, "http") || !strings.Contains(got.HTML, newRemote("https://cdn.example/a/b%3Fc%23d.png").Path+"#f") {
		t.Errorf("an address stands in the page: %s", got.HTML)
	}
}

func TestAssetsOfUnusualNamesAreServedByTheirDigest(t *testing.T) {
	tpl := mustParse(t, `<img src="assets/my%20shoe.png"><img src="assets/mötley.svg#a">`, map[string]string{"assets/my shoe.png": "d1", "assets/mötley.svg": "d2"})
	got := mustFill(t, tpl, nil)
	if diff := cmp.Diff([]Asset{{"/assets/d1.png", "d1"}, {"/assets/d2.svg", "d2"}}, got.Assets); diff != "" {
		t.Errorf("assets (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.HTML, `<img src="/assets/d1.png"><img src="/assets/d2.svg#a">`) {
		t.Errorf("got %s", got.HTML)
	}
}

func TestRowsAreHeldAgainstTheirTypes(t *testing.T) {
	tests := []struct {
		declared string
		value    any
		want     string // what {{ v }} prints, or slug and message of the problem
	}{
		{`"type": "text"`, json.Number("5"), "5"},
		{`"type": "text"`, []any{"a"}, `wrong_type v is "a", not text`},
		{`"type": "text", "maxLength": 3`, "äöü", "äöü"},
		{`"type": "text", "maxLength": 3`, "äöüß", "too_long v has 4 letters, more than the 3 allowed"},
		{`"type": "text", "required": true`, nil, "missing_variable v is required, but the row has no value for it"},
		{`"type": "text", "required": true`, "", "missing_variable v is required, but the row has no value for it"},
		{`"type": "text", "default": "d"`, "", "d"},
		{`"type": "text"`, nil, ""},
		{`"type": "number"`, " 129.50 ", "129.50"},
		{`"type": "number"`, 12.5, "12.5"},
		{`"type": "number"`, "1,299.00", `wrong_type v is "1,299.00", not a number`},
		{`"type": "number"`, strings.Repeat("x", 50), `wrong_type v is "` + strings.Repeat("x", 40) + `…", not a number`},
		{`"type": "number"`, true, "wrong_type v is true, not a number"},
		{`"type": "boolean"`, "YES", "true"},
		{`"type": "boolean"`, json.Number("0"), "false"},
		{`"type": "boolean"`, "perhaps", `wrong_type v is "perhaps", not true or false`},
		{`"type": "image"`, "https://x.example/a.png", "https://x.example/a.png"},
		{`"type": "image"`, "assets/a.png", "assets/a.png"},
		{`"type": "image"`, "assets/b.png", `bad_url v: there is no file "assets/b.png"`},
		{`"type": "image"`, "javascript:alert(1)", `bad_url v: "javascript:alert(1)" is not an address that a page may use`},
		{`"type": "image"`, "//x.example/a.png", `bad_url v: "//x.example/a.png" is not an address that a page may use`},
		{`"type": "image"`, "http://", `bad_url v: "http://" is not a complete URL`},
		{`"type": "image"`, "photo.jpg", `bad_url v: "photo.jpg" is not an address that a page may use`},
		{`"type": "url"`, "data:image/png,x", `bad_url v: "data:image/png,x" is not an address that a page may use`},
		{`"type": "color"`, "oklch(0.6 0.2 15)", "oklch(0.6 0.2 15)"},
		{`"type": "color"`, "RebeccaPurple", "RebeccaPurple"},
		{`"type": "color"`, "red; x: y", `wrong_type v is "red; x: y", not a color`},
		{`"type": "color"`, "#12", `wrong_type v is "#12", not a color`},
		{`"type": "date"`, "2026-03-05", "2026-03-05"},
		{`"type": "date"`, "5.3.2026", `wrong_type v is "5.3.2026", not a date`},
		{`"type": "array"`, `["a", 1.50]`, "a, 1.50"},
		{`"type": "array"`, "a", `wrong_type v is "a", not a list`},
		{`"type": "object"`, map[string]any{"a": "<"}, `{"a":"<"}`},
	}
	for _, tt := range tests {
		tpl := mustParse(t, doc(`"vars": {"v": {`+tt.declared+`}}`, `{{ v }}`), map[string]string{"assets/a.png": "d"})
		v, err := tpl.Resolve(map[string]any{"v": tt.value}, noon)
		var got string
		if list := problem.All(err); err == nil {
			got = v[1]
		} else if got = list[0].Slug + " " + list[0].Message; list[0].Path != "variables.v" || len(list) != 1 {
			t.Errorf("%s with %v: path %q, %d problems", tt.declared, tt.value, list[0].Path, len(list))
		}
		if got != tt.want {
			t.Errorf("%s with %v\ngot  %s\nwant %s", tt.declared, tt.value, got, tt.want)
		}
	}
}

func TestEveryVariableAtFaultIsReportedOnce(t *testing.T) {
	tpl := mustParse(t, doc(`"vars": {"a": {"type": "number"}, "b": {"required": true}, "c": {}, "d": {}}`,
		`{{ a }} {{ a * 2 }} {{ b }} {{ c * 2 }} {{ c * 3 }} <img src="{{ d }}">`), nil)
	_, err := tpl.Resolve(map[string]any{"a": "x", "c": "y", "d": "z"}, noon)
	var got []string
	for _, p := range problem.All(err) {
		got = append(got, p.Path+" "+p.Slug)
	}
	want := []string{"variables.a wrong_type", "variables.b missing_variable", "variables.c bad_expression", "variables.d bad_url"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s\n%v", diff, err)
	}
}

// hostile values try to leave every place that there is.
var hostile = []string{
	``, ` `, `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><b>`, `</title></style></textarea></p><b>`, `-->`, `]]>`,
	`javascript:alert(1)`, ` java` + "\t" + `script:alert(1)`, `data:text/html,<b>`, `https://x.example/"><b>`, `https://x.example/'onload='`,
	`https://x.example/);}</style><b>`, `data:image/svg+xml,"><b>`, `red;}</style><b>{`, `red} b{color:red`, `\`, `\"`, `"`, `'`, "\n", "\r\n", "\x00", "\xff\xfe",
	`/*`, `*/`, `//`, `url(x)`, `expression(x)`, `rgb(0,0,0`, `rgb(0,0,0))`, `calc(1px + (2px))`, `{{ v }}`, `}}`, `&lt;b&gt;`, `&#60;b&#62;`, `lt;`, `#"><b>`,
	`assets/a.png"><b>`, `assets/../a.png`, `;`, `:`, `{`, `(`, `)`, `@import "x"`, `<!--`, `<![CDATA[`, "\u2028<b>", `＜b＞`, strings.Repeat("<", 300),
}

// places is a document with a slot in every place.
const places = `<!doctype html><html lang="{{ v }}"><head><title>a {{ v }} b</title>
<style>:root { --a: {{ v }}; } p { color: {{ v }}; width: {{ v }}px; content: "{{ v }}" '{{ v }}'; margin: 1px {{ v }} 2px/{{ v }} } @media print { p { color: {{ v }} } }</style>
</head><body class="x {{ v }}"><p title="{{ v }}" data-x='{{ v }}{{ v }}' style="color: {{ v }}; font-family: '{{ v }}', &quot;{{ v }}&quot;">{{ v }}<b>{{ v }}</b></p>
<textarea>{{ v }}</textarea><svg><text fill="{{ v }}">{{ v }}</text><title>{{ v }}</title></svg><table><tr><td>{{ v }}</td></tr></table><select><option value="{{ v }}">{{ v }}</option></select></body></html>`

const addressPlaces = `<body><img src="{{ v }}" alt="{{ v }}"><a href="{{ v }}">x</a><p style="background: url({{ v }})">y</p><style>p { background: url('{{ v }}') }</style>
<img src="https://x.example/{{ v }}/b?q={{ v }}"><svg><image href="{{ v }}"/><use xlink:href="#{{ v }}"/></svg></body>`

// shape is the structure of a document: elements and the names of their
// attributes, and the rules and declarations of its CSS.
func shape(tb testing.TB, document string) string {
	tb.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	var walk func(*html.Node, int)
	walk = func(n *html.Node, depth int) {
		switch n.Type {
		case html.ElementNode:
			b.WriteString(strings.Repeat(" ", depth) + n.Data)
			for _, a := range n.Attr {
				b.WriteString(" " + a.Namespace + a.Key)
				if a.Key == "style" {
					b.WriteString("=" + cssShape(tb, a.Val))
				}
			}
			b.WriteByte('\n')
			if n.Data == "style" && n.FirstChild != nil {
				b.WriteString(cssShape(tb, n.FirstChild.Data) + "\n")
			}
		case html.CommentNode:
			b.WriteString("<!--\n")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, depth+1)
		}
	}
	walk(root, 0)
	return b.String()
}

// cssShape are the characters that give CSS its structure, outside strings and
// comments; a string that does not end is a failure. It shares nothing with the
// reader of templates.
func cssShape(tb testing.TB, css string) string {
	tb.Helper()
	var b strings.Builder
	for i := 0; i < len(css); i++ {
		if strings.HasPrefix(css[i:], "url(") { // the colons in it are those of an address
			end := strings.IndexAny(css[i+4:], ")\"'(\n")
			if end < 0 || css[i+4+end] != ')' {
				tb.Fatalf("an address does not end in %q", css)
			}
			b.WriteString("U")
			i += 4 + end
			continue
		}
		switch c := css[i]; c {
		case '\\':
			i++
		case '"', '\'':
			j := i + 1
			for ; j < len(css) && css[j] != c; j++ {
				if css[j] == '\n' {
					tb.Fatalf("a string is broken by a line in %q", css)
				}
				if css[j] == '\\' {
					j++
				}
			}
			if j >= len(css) {
				tb.Fatalf("a string does not end in %q", css)
			}
			b.WriteString("S")
			i = j
		case '{', '}', ';', ':', '@', '!':
			b.WriteByte(c)
		case '/':
			if strings.HasPrefix(css[i:], "/*") {
				tb.Fatalf("a comment opens in %q", css)
			}
		}
	}
	return b.String()
}

func checkShape(t *testing.T, tpl *Template, value, want string) {
	t.Helper()
	v, err := tpl.Resolve(map[string]any{"v": value}, noon)
	if err != nil {
		for _, p := range problem.All(err) {
			if p.Path != "variables.v" || p.Message == "" {
				t.Errorf("%q: %#v", value, p)
			}
		}
		return
	}
	got := mustPage(t, tpl, "").Fill(v)
	if diff := cmp.Diff(want, shape(t, got.HTML)); diff != "" {
		t.Errorf("%q changes the structure (-want +got):\n%s\n%s", value, diff, got.HTML)
	}
	if !utf8.ValidString(got.HTML) {
		t.Errorf("%q makes a page that is not UTF-8", value)
	}
	checkAddresses(t, value, got)
}

// checkAddresses sees to it that the page refers to nothing but what it lists.
func checkAddresses(t *testing.T, value string, d Document) {
	t.Helper()
	allowed := map[string]bool{}
	for _, a := range d.Assets {
		allowed[a.Path] = true
	}
	for _, r := range d.Remote {
		allowed[r.Path] = true
	}
	root, err := html.Parse(strings.NewReader(d.HTML))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key != "src" && a.Key != "href" || n.Data == "a" {
				continue
			}
			path, _, _ := strings.Cut(a.Val, "#")
			if path != "" && !allowed[path] && !strings.HasPrefix(strings.ToLower(path), "data:image/") {
				t.Errorf("%q makes <%s> load %q", value, n.Data, a.Val)
			}
		}
	}
}

func TestNoValueChangesTheStructure(t *testing.T) {
	for _, src := range []string{places, addressPlaces} {
		tpl := mustParse(t, src, map[string]string{"assets/a.png": "d"})
		want := shape(t, mustFill(t, tpl, map[string]any{"v": ""}).HTML)
		if !strings.Contains(want, "style") {
			t.Fatalf("the shape lacks its styles:\n%s", want)
		}
		for _, value := range hostile {
			checkShape(t, tpl, value, want)
		}
	}
}

func FuzzNoValueChangesTheStructure(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	var templates []*Template
	var shapes []string
	for _, src := range []string{places, addressPlaces} {
		tpl := mustParse(f, src, map[string]string{"assets/a.png": "d"})
		templates = append(templates, tpl)
		shapes = append(shapes, shape(f, mustFill(f, tpl, nil).HTML))
	}
	f.Fuzz(func(t *testing.T, value string) {
		for i, tpl := range templates {
			checkShape(t, tpl, value, shapes[i])
		}
	})
}

// allShown are values with which everything is shown once, value in each place.
func allShown(tpl *Template, pieces []piece, value string, v Values) Values {
	for _, p := range pieces {
		switch p.kind {
		case isSlot, isImage:
			for _, s := range []*slot{p.slot, p.image.fallbackSlot()} {
				if s == nil {
					continue
				}
				text := value
				if resolved, problem := tpl.book().resolve(value, s.place); s.place.address() && problem == nil {
					text = resolved
				} else if s.place.address() {
					text = ""
				}
				v = append(v, text)
			}
		case isChoice, isLoop:
			v = append(v, "1")
		}
		v = allShown(tpl, p.body, value, v)
	}
	return v
}

func (r *imageRule) fallbackSlot() *slot {
	if r == nil {
		return nil
	}
	return r.fallback
}

// Whatever the document, a value that gets in does not change its structure.
func FuzzNoDocumentLetsValuesOut(f *testing.F) {
	for _, src := range []string{places, addressPlaces, doc(`"vars": {"v": {}}`, `{{ v }}`), `<p {{v}}>`, `<{{v}}>`, `<style>{{v}}`, `<style>a{b:"{{v}}`, `<!-- {{v}} -->`,
		`<title><{{v}}/title>`, `<p a={{v}}>`, `{{ "`, `{{ v`, `<svg><style><b title="{{v}}">`, `<![CDATA[{{v}}]]>`, `<textarea></{{v}}textarea>`, `<p style="a:\{{v}}">`,
		`<p style='a:url("{{v}}'>`, `<style>a{b:url({{v}}</style>`, `<style>a{b:/*{{v}}*/c}</style>`, `<plaintext>{{v}}`, `&{{v}};`, `<a b="{{v}}"c="{{v}}">`} {
		f.Add(src, `"><b>'`)
	}
	f.Fuzz(func(t *testing.T, src, value string) {
		tpl, err := Parse("card", []byte(src), map[string]string{"assets/a.png": "d"})
		if err != nil {
			for _, p := range problem.All(err) {
				if p.Message == "" || p.Code == problem.Internal {
					t.Errorf("%q: %#v", src, p)
				}
			}
			return
		}
		size := tpl.Sizes()[0].Name
		fillAll := func(value string) Document {
			return mustPage(t, tpl, size).Fill(allShown(tpl, tpl.pieces, value, Values{""}))
		}
		plain, filled := fillAll("x"), fillAll(value)
		if a, b := elements(t, plain.HTML), elements(t, filled.HTML); a != b && strings.TrimSpace(value) != "" {
			t.Errorf("%q changes the structure of %q:\n%s\n%s\n%s", value, src, a, b, filled.HTML)
		}
		checkAddresses(t, value, filled)
	})
}

func elements(t *testing.T, document string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Skip("the parser gives up: ", err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		b.WriteString(n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
		b.WriteString("\n")
	}
	return b.String()
}
