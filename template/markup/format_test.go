package markup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const untidy = `<!DOCTYPE HTML><html lang=en>
<head><meta charset="utf-8">
<script type="application/json" id="p-template">{"name":"x","sizes":{"default":{"w":1,"h":2}},"vars":{"a":{"type":"array","example":["<b>",1.50]},"b":{}}}</script>
<style id="p-tokens">:root{--a:red;--b : {{ c }}}
:root[data-theme="dark"]{}</style>
<style>  #a{left:1px}</style>
<style id=p-size-story>#a{left:1.005px}
  #b { TOP : 2px; }</style></head>
<body><section CLASS="p-page" id='card'>


<h1 style='color:red;left:10.12345px ;TOP:{{ a > "b" ? 1.2345 : 2 }}px;font-family:"A B"' p-if='a == "x"' ID=a>  A <b>b</b>
  <i class=x>c</i></h1>
<!-- note -->

<img src=x.png id=photo alt='R&amp;D' p-src='{{ photo }}'/><ul class="p-stack"><li>{{ f }}</li></ul><div>text <p>a<p>b</div>
</section></body></html>`

const tidy = `<!doctype html>
<html lang=en>
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "x",
  "sizes": {
    "default": { "w": 1, "h": 2 }
  },
  "vars": {
    "a": { "type": "array", "example": ["\u003cb>", 1.50] },
    "b": {}
  }
}
</script>
<style id="p-tokens">
  :root {
    --a: red;
    --b: {{ c }};
  }
  :root[data-theme="dark"] {
  }
</style>
<style>  #a{left:1px}</style>
<style id=p-size-story>
  #a { left: 1px; }
  #b { top: 2px; }
</style>
</head>
<body>
<section id="card" class="p-page">
  <h1 id="a" p-if='a == "x"' style='left: 10.12px; top: {{ a > "b" ? 1.2345 : 2 }}px; font-family: "A B"; color: red'>  A <b>b</b>
  <i class=x>c</i></h1>
  <!-- note -->

  <img id="photo" p-src="{{ photo }}" src="x.png" alt="R&amp;D">
  <ul class="p-stack">
    <li>{{ f }}</li>
  </ul>
  <div>text <p>a<p>b</div>
</section>
</body>
</html>
`

func TestDocumentsArePrintedInOneForm(t *testing.T) {
	got := string(Format(Parse([]byte(untidy))))
	if diff := cmp.Diff(tidy, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(tidy, string(Format(Parse([]byte(tidy))))); diff != "" {
		t.Errorf("the form changes again (-want +got):\n%s", diff)
	}
}

func TestWhatHasNoLinesOfItsOwnStays(t *testing.T) {
	for _, src := range []string{
		"<section class=\"p-page\"><p>a<p>b</section>",
		"<section class=\"p-page\">text <b>x</b></section>",
		"<section class=p-page><div><b>x</div><div>y</div></section>",
		"<html><body><section class=p-page><p>a</p></section>",
		"<body></b><p>a</p></body>",
		"<body><svg><g></body>",
		"text",
		"",
	} {
		if got := string(Format(Parse([]byte(src)))); got != src && got != src+"\n" {
			t.Errorf("%s\nbecomes\n%s", src, got)
		}
	}
}

func TestOnlyLengthsThatCannotBeSeenAreRounded(t *testing.T) {
	for value, want := range map[string]string{
		"1.005px 33.3333% 0.12345deg": "1px 33.33% 0.12deg",
		"-0.0012px":                   "0px",
		".3333px":                     "0.33px",
		"calc(1.23456px + 2%)":        "calc(1.23px + 2%)",
		"0.12345em 1.2345":            "0.12345em 1.2345",
		`"1.2345px"`:                  `"1.2345px"`,
		"url(a1.2345px.png)":          "url(a1.2345px.png)",
		"{{ 1.2345px }}px":            "{{ 1.2345px }}px",
		"{{ a }}1.2345px":             "{{ a }}1.2345px",
	} {
		if got := roundLengths(value); got != want {
			t.Errorf("%s becomes %s, want %s", value, got, want)
		}
	}
}

func TestSortingNeverChangesWhichPropertyWins(t *testing.T) {
	for style, want := range map[string]string{
		"color: red; left: 1px; background-color: red; background: blue": "left: 1px; color: red; background-color: red; background: blue",
		"line-height: 1; font: 1px/2 A; width: 1px":                      "width: 1px; line-height: 1; font: 1px/2 A",
		"color: red; inset: 0; left: 1px":                                "color: red; inset: 0; left: 1px",
		"color: red; left: 1px; all: unset":                              "color: red; left: 1px; all: unset",
		"color: red; /* x */ left: 1px":                                  "color: red; /* x */ left: 1px",
		"-webkit-transform: none; color: red; transform: none; left: 0":  "left: 0; -webkit-transform: none; transform: none; color: red",
		"; ;LEFT:1px":                      "left: 1px",
		"--B: 1; --b: 2; left: {{ a; b }}": "left: {{ a; b }}; --B: 1; --b: 2",
	} {
		if got := FormatStyle(ParseStyle(style)); got != want {
			t.Errorf("%s\n got %s\nwant %s", style, got, want)
		}
	}
}

func FuzzFormattedDocumentsStayAsTheyAre(f *testing.F) {
	for _, src := range []string{untidy, "<section class=p-page><p style='a:b;left:1.2345px'>x</p> <svg/></section>", "<body><ul class=p-stack><li>{{ a }}</ul>", "\ufeff<!DOCTYPE html>"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		once := Format(Parse([]byte(src)))
		if again := Format(Parse(once)); string(again) != string(once) {
			t.Errorf("%q\nis printed as\n%q\nand again as\n%q", src, once, again)
		}
	})
}
