package markup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outline is the tree in short: names, nesting, (…) for text and = for an
// element that has no end tag of its own.
func outline(n *Node) string {
	var b strings.Builder
	switch n.Kind {
	case Text:
		if !n.Blank() {
			b.WriteString("(" + strings.TrimSpace(n.Raw) + ")")
		}
	case Comment:
		b.WriteString("!")
	case Stray:
		b.WriteString("/" + n.Name)
	case Element:
		b.WriteString(n.Name)
		if n.End == "" && !Void(n.Name) {
			b.WriteString("=")
		}
	}
	var inner []string
	for _, child := range n.Children {
		if s := outline(child); s != "" {
			inner = append(inner, s)
		}
	}
	if n.Kind == Root {
		return strings.Join(inner, " ")
	}
	if len(inner) > 0 {
		b.WriteString("[" + strings.Join(inner, " ") + "]")
	}
	return b.String()
}

func TestElementsEndWhereBrowsersEndThem(t *testing.T) {
	for src, want := range map[string]string{
		`<p>a<b>c</b></p>`:                        "p[(a) b[(c)]]",
		`<ul><li>a<li>b<ul><li>c</ul></ul>`:       "ul[li=[(a)] li=[(b) ul[li=[(c)]]]]",
		`<p>a<div>b</div>`:                        "p=[(a)] div[(b)]",
		`<table><tr><td>a<td>b<tr><td>c</table>`:  "table[tr=[td=[(a)] td=[(b)]] tr=[td=[(c)]]]",
		`<img src=x><br/>a`:                       "img br (a)",
		`<svg><path d="M0 0"/><g><g/>x</g></svg>`: "svg[path= g[g= (x)]]",
		`<div/>a`:                                 "div=[(a)]",
		`a</b>c`:                                  "(a) /b (c)",
		`<b><i>a</b>c</i>`:                        "b[i=[(a)]] (c) /i",
		`<td><b>x</td></b>`:                       "td[b=[(x)]] /b",
		`<head><title>{{ "<b>" }}</title><h1>a`:   `head=[title[({{ "<b>" }})]] h1=[(a)]`,
		`<style>a > b {}</style><script>"<p>"`:    `style[(a > b {})] script=[("<p>")]`,
		`<p title="{{ a > "b" ? '<' : "\"" }}">x`: "p=[(x)]",
		`<!-- <p> --><!doctype html><p>`:          "! p=",
		`<section><p>a</section>b`:                "section[p=[(a)]] (b)",
		`<svg><foreignObject><p>a<p>b</svg>c`:     "svg[foreignobject=[p=[(a) p=[(b)]]]] (c)",
	} {
		d := Parse([]byte(src))
		if diff := cmp.Diff(want, outline(d.Node)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", src, diff)
		}
		if got := d.Print(); got != src {
			t.Errorf("%s prints as %s", src, got)
		}
	}
}

func TestPlacesAreThoseOfTheFile(t *testing.T) {
	src := `<!doctype html><p id="a">{{ "</p>" }}<br>x</p><!-- c -->`
	Parse([]byte(src)).All(func(n *Node) bool {
		if n.Kind != Root && src[n.Start:n.Stop] != n.Raw {
			t.Errorf("%q stands at %q", n.Raw, src[n.Start:n.Stop])
		}
		if n.End != "" && !strings.HasPrefix(src[n.EndStart:], n.End) {
			t.Errorf("%q stands at %q", n.End, src[n.EndStart:])
		}
		return true
	})
}

func TestFilesThatEndInsideATagAreKept(t *testing.T) {
	d := Parse([]byte(`<p>a<b class="x`))
	if d.Unfinished != 4 || d.Print() != `<p>a<b class="x` {
		t.Errorf("unfinished at %d: %s", d.Unfinished, d.Print())
	}
}

func TestDeepDocumentsSayWhere(t *testing.T) {
	if d := Parse([]byte(strings.Repeat("<b>", MaxDepth+1))); d.TooDeep != 3*MaxDepth {
		t.Errorf("too deep at %d", d.TooDeep)
	}
	deep := strings.Repeat("<div>a", 300_000) + strings.Repeat("</div>", 300_000) // hours, if each searched all that are open
	if d := Parse([]byte(deep)); d.TooDeep != 6*MaxDepth || d.Print() != deep {
		t.Errorf("too deep at %d, or not printed as it was", d.TooDeep)
	}
	if d := Parse([]byte(strings.Repeat("<b>", MaxDepth))); d.TooDeep != -1 {
		t.Errorf("too deep at %d", d.TooDeep)
	}
}

func FuzzDocumentsPrintAsTheyWereRead(f *testing.F) {
	files, _ := filepath.Glob("../../examples/*/templates/*.html")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("<svg><p></svg><table><b></table></b></p>{{ '<' }}<a b='{{ \"'\" }}'/>"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if got := Parse(src).Print(); got != string(src) {
			t.Errorf("%q prints as %q", src, got)
		}
	})
}
