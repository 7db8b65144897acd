package markup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStylesChangeInPlace(t *testing.T) {
	for _, c := range []struct{ src, name, value, want string }{
		{"left: 64px; top: 72px", "left", "1px", "left: 1px; top: 72px"},
		{"left:64px;top:72px", "left", "1px", "left:1px;top:72px"},
		{"left: {{ a ? \"x;y\" : 'left: 2' }}; top: 0", "top", "1px", "left: {{ a ? \"x;y\" : 'left: 2' }}; top: 1px"},
		{"background: url(a;b:c); top: 0", "top", "1px", "background: url(a;b:c); top: 1px"},
		{"/* left: 9; */ LEFT : 2", "left", "1px", "/* left: 9; */ LEFT : 1px"},
		{"left: 1px; left: 2px", "left", "3px", "left: 1px; left: 3px"},
		{"", "left", "1px", "left: 1px"},
		{"color: red", "left", "1px", "left: 1px; color: red"},
		{"color: red;", "outline", "0", "color: red; outline: 0;"},
		{"left: 1px; color: red", "top", "2px", "left: 1px; top: 2px; color: red"},
		{"\n  left: 1px;\n  color: red;\n", "top", "2px", "\n  left: 1px;\n  top: 2px;\n  color: red;\n"},
		{"--A: 1", "--a", "2", "--A: 1; --a: 2"},
	} {
		s := ParseStyle(c.src)
		if s.Set(c.name, c.value, ""); s.String() != c.want {
			t.Errorf("%q, %s: got %q, want %q", c.src, c.name, s.String(), c.want)
		}
	}
}

func TestBlocksEndEveryDeclaration(t *testing.T) {
	for src, want := range map[string]string{
		"":                          " left: 1px; ",
		" ":                         " left: 1px; ",
		" top: 0 ":                  " left: 1px; top: 0; ",
		" top: 0; ":                 " left: 1px; top: 0; ",
		"top:0":                     "left: 1px; top:0;",
		"\n  ":                      "\n    left: 1px;\n  ",
		"\n    color: red;\n  ":     "\n    left: 1px;\n    color: red;\n  ",
		"\n    width: 0;\n    /**/": "\n    left: 1px;\n    width: 0;\n    /**/",
	} {
		s := ParseBlock(src)
		if s.Set("left", "1px", ""); s.String() != want {
			t.Errorf("%q: got %q, want %q", src, s.String(), want)
		}
	}
}

func TestPropertiesAreTakenAway(t *testing.T) {
	for src, want := range map[string]string{
		"left: 1px; top: 2px":   "top: 2px",
		"top: 2px; left: 1px":   "top: 2px",
		"top: 2px; left: 1px; ": "top: 2px; ",
		"left: 1px; LEFT: 2px":  "",
		"{{ left }}: 1":         "{{ left }}: 1",
	} {
		s := ParseStyle(src)
		if s.Remove("left"); s.String() != want {
			t.Errorf("%q: got %q, want %q", src, s.String(), want)
		}
	}
}

func TestStylesPrintAsTheyWereRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.StringMatching(`([ a:;{}"'/*()\\\n]|left|\{\{|\}\})*`).Draw(t, "css")
		if got := ParseStyle(src).String(); got != src {
			t.Fatalf("got %q, want %q", got, src)
		}
		s := ParseStyle(src)
		s.Set("left", "1px", "")
		if got, _ := ParseStyle(s.String()).Get("left"); got != "1px" && balanced(src) && OneValue(src) {
			t.Fatalf("%q: left is %q", s.String(), got)
		}
	})
}

func TestRulesAreFoundWhereTheyStand(t *testing.T) {
	css := "/* a { */ #a { b: \"}\"; }\n@media print { #b { c: d } }\n#c,#d{e:url(;{})}"
	rules, ok := Rules(css)
	if !ok {
		t.Fatal("the sheet was not read")
	}
	var got []string
	for _, r := range rules {
		got = append(got, r.Selector+"|"+css[r.BodyStart:r.BodyEnd]+"|"+css[r.Start:r.Start+1]+css[r.End-1:r.End])
	}
	want := []string{`#a| b: "}"; |#}`, "@media print| #b { c: d } |@}", "#c,#d|e:url(;{})|#}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if rules[1].Plain || !rules[0].Plain {
		t.Error("only the media rule has rules inside")
	}
	for _, css := range []string{"#a {", "}", "@import 'x';", "a; b {}"} {
		if _, ok := Rules(css); ok {
			t.Errorf("%q was read", css)
		}
	}
}

func TestOneValueIsNoMore(t *testing.T) {
	for value, want := range map[string]bool{
		"1px": true, `700 64px/1.1 "A; B"`: true, "calc(1px + (2px))": true, "{{ a < b ? '}' : \";\" }}px": true, "url(a.png)": true,
		"": false, " ": false, "a; b": false, "a}": false, "{": false, "(": false, ")": false, "([)]": false, `"a`: false, "a\"\n\"": false,
		"/* x */": false, `\3b `: false, "</style>": false, `"</style>" {{ a }}`: false, "{{ a": false, "a }}": false,
	} {
		if got := OneValue(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
