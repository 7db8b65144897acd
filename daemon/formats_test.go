package daemon

import (
	"fmt"
	"image"
	_ "image/gif"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/paper"
	"github.com/pictifyd/pictifyd/render"
)

// formatsExamples are the examples of docs/formats.md in one language.
func formatsExamples(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("docs/formats.md has no example in %s", language)
	}
	return all
}

func documentedOutputs(t *testing.T) []bindings.Output {
	t.Helper()
	root, err := config.Parse("formats.md", []byte(formatsExamples(t, "yaml")[0]), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Outputs []bindings.Output `yaml:"outputs"`
	}
	if err := root.Decode(&all); err != nil {
		t.Fatal(err)
	}
	outs, err := bindings.Outputs(all.Outputs, "outputs")
	if err != nil {
		t.Fatal(err)
	}
	return outs
}

func TestDocumentedBatchesAreTaken(t *testing.T) {
	for _, body := range formatsExamples(t, "json") {
		request, err := batch.Decode(strings.NewReader(body), batch.Form{}, batch.Limits{}, func(batch.Row) error { return nil })
		if err != nil || request.Rows != 1 {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestEveryFormatAndPaperIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := strings.Replace(string(text), "a0 to a6", "a0 a1 a2 a3 a4 a5 a6", 1)
	names := paper.Names()
	for _, f := range render.Formats {
		names = append(names, "| `"+string(f)+"`", f.Ext())
	}
	for _, c := range []render.Compression{render.Fast, render.Small, render.Palette} {
		names = append(names, "`"+string(c)+"`")
	}
	for _, name := range names {
		if !strings.Contains(docs, name) {
			t.Errorf("docs/formats.md does not mention %s", name)
		}
	}
}

// movingCard has an animation, a part that is not painted, and a title.
const movingCard = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Card of {{ title }}</title>
<script type="application/json" id="p-template">
{ "name": "card", "sizes": { "default": { "w": 200, "h": 100 } },
  "vars": { "title": { "type": "text", "required": true, "example": "Mug" } } }
</script>
<style>@keyframes slide { from { transform: none } to { transform: translateX(80px) } } #title { animation: slide 1s linear }</style>
</head>
<body>
<section id="card" class="p-page">
  <h1 id="title" style="left: 10px; top: 20px; font: 700 32px/1.1 sans-serif">{{ title }}</h1>
</section>
</body>
</html>
`

func TestDocumentedOutputsAreMade(t *testing.T) {
	if os.Getenv("PICTIFYD_TEST_CHROME") == "" {
		t.Skip("PICTIFYD_TEST_CHROME is not set: make test sets it")
	}
	outs := documentedOutputs(t)
	s := newSite(t, strings.Replace(catalogOfCards, "public: true", "public: true,"+strings.TrimSpace(flow(formatsExamples(t, "yaml")[0])), 1))
	s.write("templates/card.html", movingCard)
	s.write("rows.csv", csvRows(1, "one"))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	eventually(t, "the row is done", func() bool { v := p.binding("cards"); return v.Ready+v.Failed == 1 })
	for _, o := range outs {
		format, _ := render.ParseFormat(o.Format)
		res, err := http.Get(fmt.Sprintf("%s/b/cards/SKU-000/%s.%s", url, o.Name, format.Ext()))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		kind := res.Header.Get("Content-Type")
		if err != nil || res.StatusCode != http.StatusOK || kind != format.ContentType() || http.DetectContentType(body) != kind {
			t.Errorf("%s: %s, %v, %s, %.200q", o.Name, res.Status, err, kind, body)
			continue
		}
		if o.MaxBytes > 0 && len(body) > int(o.MaxBytes) {
			t.Errorf("%s has %d bytes, more than %s", o.Name, len(body), o.MaxBytes)
		}
		moving := strings.Contains(string(body), "NETSCAPE2.0") || strings.Contains(string(body), "ANIM")
		if moving != o.Animated {
			t.Errorf("%s moves: %t", o.Name, moving)
		}
		if format == render.PDF || format == render.WebP && o.Animated {
			continue
		}
		m, _, err := image.Decode(strings.NewReader(string(body)))
		if err != nil {
			t.Errorf("%s: %v", o.Name, err)
			continue
		}
		scale := max(o.Scale, 1)
		if want := image.Pt(int(200*scale), int(100*scale)); m.Bounds().Size() != want {
			t.Errorf("%s is of %v pixels, want %v", o.Name, m.Bounds().Size(), want)
		}
		if _, _, _, alpha := m.At(0, 0).RGBA(); alpha == 0 != o.Transparent {
			t.Errorf("%s has the opacity %d in its corner", o.Name, alpha)
		}
	}
	if v := p.binding("cards"); v.Failed > 0 {
		var rows any
		p.get("/bindings/cards/rows", &rows)
		t.Errorf("the row failed: %v", rows)
	}
}

// flow is a YAML list under a key in one line.
func flow(block string) string {
	key, items, _ := strings.Cut(block, "\n")
	items = strings.ReplaceAll(items, "  - ", " ")
	return key + " [" + strings.ReplaceAll(strings.TrimSpace(items), "\n", ",") + "]"
}

func TestFaultsOfOutputsAreFoundAtTheirPlace(t *testing.T) {
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings:
  - name: cards
    source: catalog
    template: card
    map: { title: name }
    outputs:
      - { name: a, format: jpeg, transparent: true }
      - { name: b, format: pdf, margin: 10 }
`)
	s.write("rows.csv", csvRows(1, "one"))
	_, err := Check(s.dir + "/pictifyd.yaml")
	if err == nil {
		t.Fatal("the outputs are taken for good")
	}
	for _, want := range []string{
		":47: bindings[0].outputs[0].transparent: the format jpeg has no option transparent (it is for png, webp, gif)",
		":41: bindings[0].outputs[1].margin: wants lengths with one of the units",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the problems are\n%v\nwant one at %s", err, want)
		}
	}
}
