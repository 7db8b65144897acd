package daemon

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func mustProof(tb testing.TB, dir string, names ...string) Proof {
	tb.Helper()
	needChrome(tb)
	p := NewProof(dir, names, slog.New(slog.DiscardHandler))
	p.Render.Chrome = os.Getenv("PICTIFYD_TEST_CHROME")
	return p
}

// The folder where got, want and difference of failures go is kept.
func TestStartersLookLikeTheirGoldenPictures(t *testing.T) {
	p := mustProof(t, "../template/starter/templates")
	p.Out = filepath.Join(os.TempDir(), "pictifyd-golden-failures")
	results, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	golden, _ := filepath.Glob("../template/starter/templates/golden/*/*.png")
	if len(results) < 150 || len(golden) < 60 {
		t.Errorf("only %d pictures, %d of them golden", len(results), len(golden))
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s %s: %v", r.Template, r.Picture, r.Err)
		}
		for _, w := range r.Warnings {
			t.Errorf("%s %s: %s", r.Template, r.Picture, w)
		}
	}
}

func TestProofSaysHowAPictureDiffers(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	card := `<script type="application/json" id="p-template">{"sizes": {"default": {"w": 64, "h": 48}, "tall": {"w": 48, "h": 64}}, "vars": {"c": {"type": "color", "required": true, "example": "red"}, "t": {"example": "x"}}}</script>
<style>:root[data-theme="dark"] { --x: 0 }</style>
<section id="p" class="p-page" style="background: {{ c }}"><b id="b" p-fit="none" style="left: 0; top: 0; width: 30px; height: 12px; overflow: hidden; font-size: 10px">{{ t }}</b></section>`
	write("card.html", card)
	write("card.rows.json", `[{"c": "#fff"}, {"c": "#eee", "t": "far too long for its box"}, {"t": "no colour"}]`)
	p := mustProof(t, dir)
	p.Update = true
	results, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var pictures []string
	for _, r := range results {
		pictures = append(pictures, r.Picture)
	}
	if want := []string{"0-default", "0-default-dark", "0-tall", "0-tall-dark", "1-default", "2-default"}; !slices.Equal(pictures, want) {
		t.Fatalf("pictures %v, want %v", pictures, want)
	}
	if results[3].Written != "" || results[0].Written == "" || results[5].Err == nil || !strings.Contains(results[5].Problem, "c is required") {
		t.Errorf("got %+v", results)
	}
	if len(results[4].Warnings) != 1 || !strings.Contains(results[4].Warnings[0], "b: the text does not fit") {
		t.Errorf("warnings %v", results[4].Warnings)
	}
	mustDiffer(t, dir, p, write)
}

// mustDiffer changes golden pictures and the template, and looks at what is said.
func mustDiffer(t *testing.T, dir string, p Proof, write func(name, text string)) {
	t.Helper()
	write("card.rows.json", `[{"c": "#fff"}, {"c": "#eee"}]`)
	golden := filepath.Join(dir, "golden", "card")
	if err := os.Remove(filepath.Join(golden, "0-tall.png")); err != nil {
		t.Fatal(err)
	}
	black := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range black.Pix {
		if i%4 == 3 {
			black.Pix[i] = 255
		}
	}
	black.Set(1, 1, color.White)
	var text bytes.Buffer
	if err := png.Encode(&text, black); err != nil {
		t.Fatal(err)
	}
	write("golden/card/0-default.png", text.String())
	p.Update, p.Out = false, filepath.Join(dir, "out")
	results, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(results[0].Problem, "differs from the golden one: ") || !strings.Contains(results[2].Problem, "there is no golden picture") || results[1].Err != nil {
		t.Errorf("got %+v", results)
	}
	for _, kind := range []string{"got", "want", "difference"} {
		if _, err := os.Stat(filepath.Join(p.Out, "card-0-default-"+kind+".png")); err != nil {
			t.Error(err)
		}
	}
}

func TestExamplesAreDrawnWithoutAWarning(t *testing.T) {
	for _, from := range []string{"../examples/quickstart/templates", "../examples/certificates/templates", "../examples/monthly-report/templates"} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		p := mustProof(t, dir)
		p.Update = true
		results, err := p.Run(t.Context())
		if err != nil || len(results) < 2 {
			t.Fatalf("%s: %d pictures, %v", from, len(results), err)
		}
		for _, r := range results {
			if r.Err != nil || len(r.Warnings) > 0 {
				t.Errorf("%s %s: %v %v", r.Template, r.Picture, r.Err, r.Warnings)
			}
		}
	}
}
