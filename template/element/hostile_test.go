package element

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/pictifyd/pictifyd/expr"
)

// hostile are texts that close what they stand in, load, run, or reverse.
var hostile = []string{
	`</svg><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, "\x00<b>\x00", "\u202egnp.exe\u202c",
	`javascript:alert(1)`, `url(http://evil.example/)`, `</span></td></table><style>*{display:none}</style>`, `{{ now() }}`, "a\xffb", `expression(alert(1))`, "`x`",
	`;background:url(//evil.example)`, strings.Repeat("<", 2000),
}

// allowed are the tags and attributes that the room writes.
var (
	allowedTags  = regexp.MustCompile(`^(svg|g|path|rect|line|circle|text|span|b|thead|tbody|tr|th|td)$`)
	allowedAttrs = regexp.MustCompile(`^(class|style|viewbox|width|height|role|aria-label|aria-hidden|shape-rendering|preserveaspectratio|x|y|x2|y1|y2|d|dy|dir|fill|` +
		`fill-opacity|stroke|stroke-opacity|stroke-width|stroke-linecap|stroke-linejoin|stroke-dasharray|stroke-dashoffset|vector-effect|overflow|rx|cx|cy|r|pathlength|` +
		`transform|font-size|font-weight|text-anchor|scope|align)$`)
	suspicious = regexp.MustCompile(`(?i)url\s*\(|expression|javascript:|//|@import|NaN|Inf|%!`)
)

// mustBeInert fails when markup has a tag or an attribute that the room never
// writes, a style that a value got into, or an unclosed tag.
func mustBeInert(tb testing.TB, markup string) {
	tb.Helper()
	tokens := html.NewTokenizer(strings.NewReader(markup))
	var open []string
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if !errors.Is(tokens.Err(), io.EOF) || len(open) > 0 {
				tb.Fatalf("%v, open: %v in\n%.2000s", tokens.Err(), open, markup)
			}
			return
		case html.CommentToken, html.DoctypeToken:
			tb.Fatalf("a comment in\n%.2000s", markup)
		case html.StartTagToken:
			t := tokens.Token()
			mustBeKnown(tb, t)
			open = append(open, t.Data)
		case html.SelfClosingTagToken:
			mustBeKnown(tb, tokens.Token())
		case html.EndTagToken:
			name := tokens.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				tb.Fatalf("</%s> closes %v in\n%.2000s", name, open, markup)
			}
			open = open[:len(open)-1]
		}
	}
}

func mustBeKnown(tb testing.TB, t html.Token) {
	tb.Helper()
	if !allowedTags.MatchString(t.Data) {
		tb.Fatalf("a tag <%s>", t.Data)
	}
	for _, a := range t.Attr {
		if !allowedAttrs.MatchString(a.Key) || a.Key != "aria-label" && suspicious.MatchString(a.Val) {
			tb.Fatalf("an attribute %s=%q in <%s>", a.Key, a.Val, t.Data)
		}
	}
}

func TestHostileValuesAreText(t *testing.T) {
	for _, text := range hostile {
		values := map[string]any{
			"qr": text, "barcode": text, "rating": text, "countdown": "2026-04-01",
			"table": []any{map[string]any{text: text, "b": []any{text}}},
			"chart": []any{map[string]any{"label": text, "value": 2.0}, map[string]any{"label": "b", "value": json.Number("3")}},
		}
		for _, kind := range Kinds() {
			for _, opts := range turns[kind.Name] {
				e := mustNew(t, kind.Name, opts)
				data, err := e.Data(values[kind.Name], dynamic(kind.Name, text), expr.Env{Now: noon, Locale: text})
				if err != nil {
					continue // told to the user, and nothing is drawn
				}
				mustBeInert(t, e.Markup(data))
			}
		}
		named := []any{map[string]any{"name": text, "values": []any{1.0}}, map[string]any{"name": "b", "values": []any{2.0}}}
		for _, opts := range turns["chart"] {
			e := mustNew(t, "chart", opts)
			if data, err := e.Data(named, nil, expr.Env{Locale: text}); err == nil {
				mustBeInert(t, e.Markup(data))
			}
		}
	}
}

// turns are options that lead through all the drawing.
var turns = map[string][]string{
	"qr": {"", "quiet=false"}, "barcode": {"", "symbology=ean13", "text=false"}, "rating": {""}, "countdown": {""}, "table": {"", "columns=b:<b>"},
	"chart": {"values=true", "kind=area;stacked=true", "kind=bar;values=true", "kind=bar;stacked=true;values=true", "kind=donut;total=true;format=currency", "kind=sparkline", "axis=false;format=compact"},
}

func dynamic(kind, text string) map[string]string {
	if kind == "countdown" {
		return map[string]string{"days": text, "hours": text + "|" + text}
	}
	return nil
}

func TestMarkupOfAnotherKindsDataIsHarmless(t *testing.T) {
	for _, s := range samples {
		_, data := s.data(t)
		for _, kind := range Kinds() {
			mustBeInert(t, mustNew(t, kind.Name, "").Markup(data))
		}
	}
}

func FuzzMarkupNeitherPanicsNorLetsTextOut(f *testing.F) {
	for _, s := range samples {
		if _, data := s.data(f); len(data) < 600 {
			f.Add(data)
		}
	}
	for _, data := range []string{
		`{}`, `null`, `[]`, `{"text":"</svg>","level":"M"}`, `{"symbology":"ean13"}`, `{"kind":"bar","format":"number","series":[{}]}`,
		`{"kind":"line","format":"number","series":[{"values":[1e308,-1e308]}]}`, `{"kind":"bar","format":"currency:XXX","locale":"\u0000","series":[{"values":[-0,1]}],"min":5,"max":4}`,
		`{"kind":"donut","format":"number","series":[{"name":"<","values":[1e-320]}],"labels":["<"],"legend":true}`, `{"stars":1e9,"of":20,"align":"left"}`,
		`{"parts":[{"number":-1,"word":"<"}]}`, `{"rows":[["<"]],"head":["\""],"right":null}`, `{"kind":"bar","min":1e-99,"format":"percent:9","series":[{"values":[2]},null]}`,
	} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) {
		for _, kind := range Kinds() {
			e := mustNew(t, kind.Name, "")
			if svg := e.Markup(data); svg != "" {
				mustBeInert(t, svg)
				if again := e.Markup(data); again != svg {
					t.Fatal("drawn twice, it differs")
				}
			}
		}
	})
}
