package template_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/markup"
)

var marks = regexp.MustCompile(` data-p-(?:node|onerror|fallback)="[^"]*"`)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// everyTemplate are the templates of this repository, with the names and bytes of
// their assets in place of digests.
func everyTemplate(t *testing.T, use func(t *testing.T, name string, src []byte, assets map[string]string, rows []map[string]any)) {
	t.Helper()
	n := 0
	for _, pattern := range []string{"../examples/*/templates/*.html", "starter/templates/*.html"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".html")
			fsys := os.DirFS(filepath.Dir(file))
			src, files, err := template.Load(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := template.LoadRows(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			assets := map[string]string{}
			for path := range files {
				assets[path] = strings.Repeat("0", 64)
			}
			n++
			t.Run(file, func(t *testing.T) { use(t, name, src, assets, rows) })
		}
	}
	if n < 5 {
		t.Fatalf("saw only %d templates", n)
	}
}

func asInPage(a *template.Asset, r *template.Remote) string {
	if a != nil {
		return a.Path
	}
	return r.Path
}

func TestTheCanvasShowsWhatTheRendererGets(t *testing.T) {
	everyTemplate(t, func(t *testing.T, name string, src []byte, assets map[string]string, rows []map[string]any) {
		plain, err := template.Parse(name, src, assets)
		if err != nil {
			t.Fatal(err)
		}
		canvas, err := template.ParseCanvas(name, src, assets)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range append(rows, plain.Examples()) {
			values, err := plain.Resolve(row, moment)
			if err != nil {
				continue
			}
			for _, size := range plain.Sizes() {
				for _, theme := range append(plain.Themes(), "") {
					view := template.View{Size: size.Name, Theme: theme}
					page, err := plain.Page(view)
					if err != nil {
						t.Fatal(err)
					}
					want := page.Fill(values)
					got, err := canvas.Draw(template.Order{View: view, Values: row, Env: expr.Env{Now: moment}, LinkFunc: asInPage})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want.HTML, marks.ReplaceAllString(got.HTML, "")); diff != "" {
						t.Fatal(diff)
					}
					if got.Width != want.Width || got.Height != want.Height || got.Layout != page.Layout {
						t.Fatalf("%+v", got)
					}
				}
			}
		}
	})
}

func TestEachElementIsMarkedWithItsAddress(t *testing.T) {
	everyTemplate(t, func(t *testing.T, name string, src []byte, assets map[string]string, _ []map[string]any) {
		canvas, err := template.ParseCanvas(name, src, assets)
		if err != nil {
			t.Fatal(err)
		}
		got, err := canvas.Draw(template.Order{Env: expr.Env{Now: moment}, LinkFunc: asInPage})
		if err != nil {
			t.Fatal(err)
		}
		addresses := map[string]bool{}
		for _, a := range markup.Parse(src).Addresses() {
			addresses[a] = true
		}
		seen := map[string]bool{}
		drawn := markup.Parse([]byte(got.HTML))
		drawn.All(func(n *markup.Node) bool {
			mark, ok := n.Get("data-p-node")
			if !ok {
				return true
			}
			address, _, _ := strings.Cut(mark, "#")
			if !addresses[address] || seen[mark] {
				t.Errorf("%q: known %v, seen before %v", mark, addresses[address], seen[mark])
			}
			seen[mark] = true
			return true
		})
		if len(seen) < 5 {
			t.Errorf("only %d marks", len(seen))
		}
	})
}

func draw(t *testing.T, src string, values map[string]any, last *template.Drawing) *template.Drawing {
	t.Helper()
	canvas, err := template.ParseCanvas("x", []byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := canvas.Draw(template.Order{Values: values, Env: expr.Env{Now: moment}, LinkFunc: asInPage, Last: last})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const sheetOf = `<!doctype html><html><head><script type="application/json" id="p-template">{"vars":{"price":{"type":"number","example":2},"title":{"type":"text","required":true,"example":"Shoe"},"list":{"type":"array","example":["a"]}}}</script></head><body><section id="page" class="p-page">`

func TestAFailingExpressionKeepsItsLastGoodValue(t *testing.T) {
	values := map[string]any{"price": 3, "title": "Boot", "list": []any{map[string]any{"n": 1}, map[string]any{"n": "x"}}}
	before := draw(t, sheetOf+`<p id="a">{{ price * 2 }}</p><b id="c">{{ title }}</b></section>`, values, nil)
	after := draw(t, sheetOf+`<p id="a">{{ price / (price - 3) }}</p><b id="c">{{ title }}</b></section>`, values, before)
	got := after.Values["a text"]
	if got.Error == nil || !got.Kept || got.Value != "6" || !strings.Contains(after.HTML, ">6</p>") || !strings.Contains(after.HTML, ">Boot</b>") {
		t.Fatalf("%+v\n%s", got, after.HTML)
	}
	if got.Expression != "price / (price - 3)" || got.Error.From >= got.Error.To || got.Error.To > len(got.Expression) {
		t.Errorf("%+v", got.Error)
	}
	if len(after.Problems) != 1 || after.Problems[0].Node != "a" || after.Problems[0].Place != "text" {
		t.Errorf("%+v", after.Problems)
	}
	alone := draw(t, sheetOf+`<p id="a">{{ 10 / (price - 3) }}</p></section>`, values, nil)
	if got := alone.Values["a text"]; got.Value != "-10" || !got.Kept {
		t.Errorf("by the examples: %+v", got)
	}
}

func TestARowThatWouldFailIsDrawnWithTheExamplesInTheGaps(t *testing.T) {
	d := draw(t, sheetOf+`<p id="a">{{ title | upper }}</p><b id="c" p-if="price > 1">yes</b><i id="l" p-for="n in list">{{ n }}</i></section>`,
		map[string]any{"price": "not a number", "list": []any{"x", "y"}}, nil)
	for _, want := range []string{">SHOE</p>", ">yes</b>", ">x</i>", ">y</i>", `data-p-node="l#1"`} {
		if !strings.Contains(d.HTML, want) {
			t.Errorf("%s is missing in\n%s", want, d.HTML)
		}
	}
	if v := d.Values["a text"]; v.Error == nil || v.Error.Code != template.MissingVariable || !v.Kept {
		t.Errorf("%+v", v)
	}
	if v := d.Values["c if"]; v.Value != true || v.Error == nil {
		t.Errorf("%+v", v)
	}
	if v := d.Values["l for"]; v.Value != 2 || v.Error != nil {
		t.Errorf("%+v", v)
	}
	if v := d.Values["l text"]; v.Value != "x" || v.Copies != 2 {
		t.Errorf("%+v", v)
	}
	if len(d.Problems) != 2 {
		t.Errorf("%+v", d.Problems)
	}
}

func TestPlacesOfExpressions(t *testing.T) {
	src := sheetOf + `<p id="a" title="{{ title }}" p-style-color="price > 1 ? 'red' : 'blue'" p-class-big="price > 2" style="left: {{ price }}px" p-if="price">é😀{{ title }} and {{ price }}</p>` +
		`<img id="i" p-src="https://x.example/{{ title }}" p-fallback="data:image/png;base64,{{ title }}"><div id="q" p-qr="title" p-level="{{ title }}"></div></section>`
	canvas, err := template.ParseCanvas("x", []byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	units := utf16Of(src)
	for _, b := range canvas.Bindings() {
		got[b.Node+" "+b.Place] = b.Expression
		text := units(b.Span)
		if b.Place != "src" && b.Place != "fallback" && text != b.Expression {
			t.Errorf("%s %s: the span has %q, not %q", b.Node, b.Place, text, b.Expression)
		}
	}
	want := map[string]string{
		"a attr:title": "title", "a style:color": "price > 1 ? 'red' : 'blue'", "a class:big": "price > 2", "a style": "price",
		"a if": "price", "a text": "title", "a text@2": "price", "i src": "https://x.example/{{ title }}",
		"i fallback": "data:image/png;base64,{{ title }}", "q element": "title", "q option:level": "title",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheElementsThatChangedAreSentAgain(t *testing.T) {
	const rest = `<b id="c">{{ title }}</b><div id="g" class="p-group"><i id="x" style="left:1px">1</i><i id="y">2</i></div></section>`
	before := draw(t, sheetOf+`<p id="a">A</p>`+rest, nil, nil)
	for name, c := range map[string]struct {
		src  string
		want []string
	}{
		"nothing":        {`<p id="a">A</p>` + rest, nil},
		"a text":         {`<p id="a">B</p>` + rest, []string{"a"}},
		"a style deep":   {`<p id="a">A</p>` + strings.Replace(rest, "left:1px", "left:2px", 1), []string{"x"}},
		"two":            {`<p id="a">B</p>` + strings.Replace(rest, "left:1px", "left:2px", 1), []string{"a", "x"}},
		"another order":  {`<p id="a">A</p>` + strings.Replace(rest, `<i id="x" style="left:1px">1</i><i id="y">2</i>`, `<i id="y">2</i><i id="x" style="left:1px">1</i>`, 1), []string{"g"}},
		"one is removed": {rest, []string{"page"}},
	} {
		after := draw(t, sheetOf+c.src, nil, nil)
		changed, ok := after.Since(before)
		if !ok {
			t.Errorf("%s: whole", name)
		}
		var got []string
		for _, n := range changed {
			got = append(got, n.Node)
			if !strings.Contains(after.HTML, n.HTML) || !strings.Contains(n.HTML, `data-p-node="`+n.Node+`"`) {
				t.Errorf("%s: %q", name, n.HTML)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, ok := draw(t, strings.Replace(sheetOf, "<body>", `<body class="dark">`, 1)+`<p id="a">A</p>`+rest, nil, nil).Since(before); ok {
		t.Error("a body that differs was not written anew")
	}
}
