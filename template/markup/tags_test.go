package markup

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// The reader of tags must agree with the parser about what is an attribute.
func FuzzTagsAreReadAsTheParserReadsThem(f *testing.F) {
	for _, s := range []string{`a=b`, `a = "b" c='d' e`, `=a`, `a/b/`, `a="b"c`, `a=b/`, `a=`, `a='`, "a\n=\n\"x\"", `/a`, `a==b`, `"a"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, inner string) {
		if strings.ContainsAny(inner, "\x00\r") || !utf8.ValidString(inner) {
			return // both are normalised by the parser, and refused or copied by us
		}
		src := "<p " + inner + ">"
		z := html.NewTokenizer(strings.NewReader(src))
		if z.Next() == html.ErrorToken {
			return
		}
		raw := string(z.Raw())
		token := z.Token()
		tag := ParseTag([]byte(raw), 0, len(raw))
		var got []html.Attribute
		for _, a := range tag.Attrs {
			got = append(got, html.Attribute{Key: a.Name, Val: html.UnescapeString(a.Value([]byte(raw)))})
		}
		want := map[string]string{}
		for _, a := range token.Attr {
			if _, twice := want[a.Key]; !twice {
				want[a.Key] = a.Val
			}
		}
		seen := map[string]bool{}
		for _, a := range got {
			if seen[a.Key] {
				continue
			}
			seen[a.Key] = true
			if v, ok := want[a.Key]; !ok || v != a.Val {
				t.Errorf("%q: got %q=%q, the parser has %q", src, a.Key, a.Val, want)
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%q: got %q, the parser has %q", src, got, want)
		}
	})
}
