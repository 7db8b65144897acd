package markup

import (
	"testing"

	"pgregory.net/rapid"
)

func element(src string) *Node { return Parse([]byte(src)).Children[0] }

func TestSettingAnAttributeChangesItsBytesAlone(t *testing.T) {
	for _, c := range []struct{ src, name, value, want string }{
		{`<p a='1'  b=2>`, "a", `x"y`, `<p a='x"y'  b=2>`},
		{`<p a='1'>`, "a", `it's`, `<p a='it&#39;s'>`},
		{`<p a="1">`, "a", `{{ f("x") && y }} & "z" &amp; &b`, `<p a="{{ f("x") && y }} &amp; &#34;z&#34; &amp;amp; &amp;b">`},
		{`<p A = 1 b>`, "a", "2", `<p A = "2" b>`},
		{`<p a b>`, "a", "2", `<p a="2" b>`},
		{`<p>`, "a", "2", `<p a="2">`},
		{`<img/>`, "a", "2", `<img a="2"/>`},
		{`<img a=b/>`, "c", "2", `<img a=b/ c="2">`},
		{`<p style="x" title=y>`, "id", "2", `<p id="2" style="x" title=y>`},
		{`<p id=a title=y style="x">`, "p-if", `a == "b"`, `<p id=a p-if='a == "b"' title=y style="x">`},
		{`<p id=a title=y style="x">`, "alt", "z", `<p id=a title=y alt="z" style="x">`},
		{`<p id=a p-class-x=y>`, "p-style-color", "{{ c }}", `<p id=a p-style-color="{{ c }}" p-class-x=y>`},
	} {
		n := element(c.src)
		n.Set(c.name, c.value)
		if n.Raw != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.src, c.name, n.Raw, c.want)
		}
		if got, _ := n.Get(c.name); got != c.value {
			t.Errorf("%s: %s is %q, want %q", n.Raw, c.name, got, c.value)
		}
	}
}

func TestTakingAnAttributeAwayLeavesTheOthers(t *testing.T) {
	for src, want := range map[string]string{
		`<p a b>`:           `<p b>`,
		`<p  b  a>`:         `<p  b>`,
		`<p a="x"b="y">`:    `<p b="y">`,
		`<p b="y"a="x"/>`:   `<p b="y"/>`,
		`<p a=1 A='2' b>`:   `<p b>`,
		`<p b>`:             `<p b>`,
		`<p a="{{ ">" }}">`: `<p>`,
	} {
		n := element(src)
		if n.Unset("a"); n.Raw != want {
			t.Errorf("%s: got %s, want %s", src, n.Raw, want)
		}
	}
}

func TestATagIsReplacedByOneOfItsElement(t *testing.T) {
	n := element(`<p id=a>x</p>`)
	for _, tag := range []string{"<b>", "<p><p>", "<p>x", "x", "</p>", "<p", ""} {
		if err := n.SetRaw(tag); err == nil || n.Raw != "<p id=a>" {
			t.Errorf("%q was taken", tag)
		}
	}
	if err := n.SetRaw("<P class=x>"); err != nil || n.Parent.Print() != "<P class=x>x</p>" {
		t.Errorf("%v: %s", err, n.Parent.Print())
	}
}

func TestEveryValueIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`([ a"'&<>;=/#]|amp;|lt|\{\{ ("|'|a|&|lt;)* \}\})*`).Draw(t, "value")
		if marks, _ := Marks([]byte(value)); len(marks) > 0 && marks[len(marks)-1].End > len(value) {
			return
		}
		n := element(rapid.SampledFrom([]string{`<p>`, `<p x y=z>`, `<p x="1" y=z>`, `<p x='1' y=z>`, `<p x=1 y=z>`, `<p y=z>`, `<p style="" y=z>`}).Draw(t, "tag"))
		n.Set("x", value)
		if got, ok := n.Get("x"); !ok || got != value {
			t.Fatalf("%s: got %q, want %q", n.Raw, got, value)
		}
		if y, ok := n.Get("y"); ok && y != "z" {
			t.Fatalf("%s: y is %q", n.Raw, y)
		}
		if text := Parse([]byte("<p>" + EscapeText(value) + "</p>")).Children[0]; len(text.Elements()) > 0 {
			t.Fatalf("%q has elements", text.Inner())
		}
		n.Unset("x")
		if _, ok := n.Get("x"); ok {
			t.Fatal(n.Raw)
		}
	})
}
