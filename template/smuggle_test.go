package template

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestNoDocumentSmugglesScriptsIn(t *testing.T) {
	for _, src := range []string{
		`<body o p-lock="1"nload=x()>x`, `<scr p-lock="1"ipt>x()</scr>`, `<b p-if="yes" o p-name="1"nclick=x()>x</b>`,
		`<img o p-src="assets/a.png"nerror=x()>`, `<p o p-qr="v"nclick=x()>x</p>`, `<p o title="s"nclick=x() p-attr-title="v">x</p>`,
		`<<!-- c -->script>x()</script>`, `<<b p-if="no">b</b>script>x()</script>`, `<<b p-for="i in no">b</b>img src=x onerror=x()>`,
		`<title></ti{{ if no }}x{{ end }}tle><script>x()</script></title>`, `<title>{{ if yes }}</{{ end }}title><script>x()</script></title>`,
		`<textarea></text{{ for i in no }}x{{ end }}area><img src=x onerror=x()></textarea>`,
		`<svg a=b/><style><img src=x onerror=x()></style>`,
		`<section><svg><foreignObject></section></foreignObject><style><img src=x onerror=x()></style>`,
		`<section><svg><foreignObject><svg></section><style><img src=x onerror=x()></style>`,
		`<select><style></select><img src=x onerror=x()></style></select>`,
		`<svg><a id="a"><animate attributeName=" xlink:HREF" to="javascript:x()"/></a></svg>`,
		`<svg><rect><set attributeName="fill" to="url(http:x)"/></rect></svg>`,
		`<meta p-attr-charset="v">`,
	} {
		tpl, err := Parse("card", []byte(src), map[string]string{"assets/a.png": "d"})
		if err != nil {
			continue
		}
		v, err := tpl.Resolve(map[string]any{"yes": true, "v": "iso-2022-jp"}, noon)
		if err != nil {
			t.Fatal(src, err)
		}
		document := mustPage(t, tpl, "").Fill(v).HTML
		tree, err := html.Parse(strings.NewReader(document))
		if err != nil {
			t.Fatal(err)
		}
		for n := range tree.Descendants() {
			bad := n.Data == "script" || n.Data == "animate" || n.Data == "set"
			for _, a := range n.Attr {
				bad = bad || strings.HasPrefix(a.Key, "on") || a.Key == "charset" && a.Val != "utf-8"
			}
			if n.Type == html.ElementNode && bad {
				t.Errorf("%s\nmakes <%s> in %s", src, n.Data, document)
			}
		}
	}
}

func TestHonestDrawingsAndListsPass(t *testing.T) {
	for _, src := range []string{
		`<svg viewBox="0 0 1 1"><defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><foreignObject><div>x<p>y</div></foreignObject><text>t<tspan xlink:href="#g">u</tspan></text><style>a{b:c}</style></svg>`,
		`<p><b>x<p>y</b><svg><title>t</title><path d="M0 0"/></svg><table><tr><td>1<td>2</table>`,
		`<select><option>a<option>b</select>`, `<svg><image href="#a"/><rect><animate attributeName="x" to="1"/></rect></svg>`,
		`<math><mi>x</mi></math></p></br>`, `<p title="a &copy; b &amp;c">x</p><svg></svg>`,
	} {
		if _, err := Parse("card", []byte(src), nil); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestWhatIsAddedToAValueWithoutQuotesStaysInIt(t *testing.T) {
	row := map[string]any{"v": "x onfoo", "modifications": []any{map[string]any{"name": "m", "color": "rgb(1 2 3)"}}}
	for _, tt := range []struct{ body, want string }{
		{`<p style=color:red p-style-color="{{ v }}">x</p>`, `<p style="color:red;color:x onfoo">x</p>`},
		{`<p style=color:red id=m>x</p>`, `<p style="color:red;color:rgb(1 2 3)" id=m>x</p>`},
		{`<p class=a p-class-b="v">x</p>`, `<p class="a b">x</p>`},
		{`<p class=a"c p-class-b="v">x</p>`, `<p class='a"c b'>x</p>`},
		{`<p class p-class-b="v">x</p>`, `<p class=" b">x</p>`},
		{`<p style p-style-top="{{ 1 }}px">x</p>`, `<p style=";top:1px">x</p>`},
		{`<p style=color:red class=a>x</p>`, `<p style=color:red class=a>x</p>`},
	} {
		body := tt.body
		if !strings.Contains(body, "id=m") {
			body += `<i id=m>x</i>`
		}
		if got := fill(t, body, row); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\ngot  %s\nwant %s", tt.body, got, tt.want)
		}
	}
}

func TestElementsAreNotDrawnWhereTextIsNoMarkup(t *testing.T) {
	for _, src := range []string{`<style p-chart="{{ v }}" p-labels="{{ w }}"></style>`, `<title p-countdown="{{ v }}"></title>`, `<textarea p-qr="{{ v }}"></textarea>`} {
		if _, err := Parse("card", []byte(src), nil); err == nil || problem.All(err)[0].Slug != BadDirective {
			t.Errorf("%s: %v", src, err)
		}
	}
}
