package bench

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template/layout"
)

func open(t *testing.T, name string, rows int, seed uint64) *Workload {
	t.Helper()
	w, err := Open(name, rows, seed)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEveryRowOfEveryWorkloadFitsAndIsDifferent(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, name, 100, 1)
			seen := map[string]int{}
			for n := range w.Len() {
				r := w.Request(n, render.PNG)
				if before, ok := seen[r.HTML]; ok {
					t.Fatalf("rows %d and %d make the same document", before, n)
				}
				seen[r.HTML] = n
				if r.Width == 0 || r.Height == 0 || r.Format != render.PNG || r.Page == "" {
					t.Fatalf("row %d: %dx%d as %q of page %q", n, r.Width, r.Height, r.Format, r.Page)
				}
				for _, a := range r.Assets {
					mustOpen(t, w.Files(), a.Digest)
				}
			}
		})
	}
}

func mustOpen(t *testing.T, files Files, digest string) {
	t.Helper()
	f, contentType, err := files.Open(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil || len(data) == 0 || contentType == "" {
		t.Fatalf("%d bytes of type %q, error %v", len(data), contentType, err)
	}
}

func TestWorkloadsShowWhatTheyAreThereFor(t *testing.T) {
	shows := func(r render.Request, extension string) bool {
		for _, a := range r.Assets {
			if strings.HasSuffix(a.Path, extension) {
				return true
			}
		}
		return false
	}
	for n := range 20 {
		if r := open(t, "card", 20, 1).Request(n, render.PNG); !shows(r, "/inter-latin.woff2") || r.Layout != "" {
			t.Errorf("card %d has the assets %v", n, r.Assets)
		}
	}
	photos, scripts := open(t, "real-estate", 20, 1), open(t, "leaderboard", 20, 1)
	for n := range 20 {
		if r := photos.Request(n, render.PNG); !shows(r, ".jpg") {
			t.Errorf("listing %d shows no photo", n)
		}
		text, err := json.Marshal(scripts.Row(n))
		if err != nil {
			t.Fatal(err)
		}
		if !hasScripts(strings.ReplaceAll(string(text), scripts.Row(n)["period"].(string), "")) {
			t.Errorf("leaderboard %d has neither Japanese nor emoji of its own", n)
		}
	}
	if r := open(t, "invoice", 1, 1).Request(0, render.PNG); r.Width*297/210-r.Height < -1 || r.Width*297/210-r.Height > 1 {
		t.Errorf("an invoice is %dx%d, not A4", r.Width, r.Height)
	}
}

func TestTheSeedDecidesTheRows(t *testing.T) {
	const name, rows = "card", 9
	a, again, b := open(t, name, rows, 7), open(t, name, rows, 7), open(t, name, rows, 8)
	for n := range rows {
		if d := cmp.Diff(a.Row(n), again.Row(n)); d != "" {
			t.Errorf("row %d differs with the same seed:\n%s", n, d)
		}
		if cmp.Equal(a.Row(n), b.Row(n)) {
			t.Errorf("row %d is the same with another seed", n)
		}
	}
	if d := cmp.Diff(a.Request(3, render.JPEG), open(t, name, 4, 7).Request(3, render.JPEG)); d != "" {
		t.Errorf("a row depends on how many there are:\n%s", d)
	}
}

func TestOpenRefusesWhatIsNoWorkload(t *testing.T) {
	for _, tc := range []struct {
		name string
		rows int
		code problem.Code
		want string
	}{
		{"crad", 10, problem.NotFound, `did you mean "card"?`},
		{"", 10, problem.NotFound, "the workloads are card, real-estate, usage-report, leaderboard, invoice"},
		{"card", 0, problem.Invalid, "0 rows"},
		{"card", -3, problem.Invalid, "-3 rows"},
	} {
		_, err := Open(tc.name, tc.rows, 1)
		if problem.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Open(%q, %d): %v, want %q", tc.name, tc.rows, err, tc.want)
		}
	}
}

func TestUnknownDigestIsNotThere(t *testing.T) {
	if _, _, err := (Files{}).Open(t.Context(), "abc"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestScaledNumbersKeepTheirDigits(t *testing.T) {
	for _, tc := range []struct {
		in       number
		decimals int
		least    float64
		most     float64
	}{
		{"1000", 0, 800, 1200},
		{"12.50", 2, 10, 15},
		{"-42.18", 2, -50.62, -33.74},
		{"0.0034", 4, 0.0027, 0.0041},
		{"0", 0, 0, 0},
	} {
		got := scaled(rand.New(rand.NewPCG(1, 1)), map[string]any{"in": []any{tc.in}}).(map[string]any)["in"].([]any)[0].(number)
		_, decimals, _ := strings.Cut(got.String(), ".")
		f, err := got.Float64()
		if err != nil || f < tc.least || f > tc.most || len(decimals) != tc.decimals {
			t.Errorf("%s became %s", tc.in, got)
		}
	}
	for _, same := range []any{"1000", true, nil, number("4e-05")} {
		if got := scaled(rand.New(rand.NewPCG(1, 1)), same); got != same {
			t.Errorf("%v became %v", same, got)
		}
	}
}

func TestExportHasAllThatPeersDraw(t *testing.T) {
	for _, name := range []string{"card", "leaderboard"} {
		w, dir := open(t, name, 4, 1), t.TempDir()
		if err := w.Export(dir); err != nil {
			t.Fatal(err)
		}
		var m Manifest
		mustRead(t, dir, "workload.json", &m)
		if want := (Manifest{Name: name, Width: 1200, Height: 630, Rows: 4}); m != want {
			t.Errorf("the manifest is %+v, want %+v", m, want)
		}
		var rows []map[string]any
		mustRead(t, dir, "rows.json", &rows)
		if len(rows) != 4 {
			t.Errorf("%d rows", len(rows))
		}
		for n := range 4 {
			r := w.Request(n, render.PNG)
			html, err := os.ReadFile(filepath.Join(dir, "rows", string(rune('0'+n))+".html"))
			if err != nil {
				t.Fatal(err)
			}
			want := r.HTML
			if r.Layout != "" {
				want += fitting
			}
			if string(html) != want {
				t.Errorf("%s: row %d is another document", name, n)
			}
			for _, a := range r.Assets {
				if _, err := os.Stat(filepath.Join(dir, a.Path)); err != nil {
					t.Error(err)
				}
			}
		}
		script, err := os.ReadFile(filepath.Join(dir, "layout.js"))
		if err != nil || string(script) != layout.Script {
			t.Errorf("layout.js has %d bytes, error %v", len(script), err)
		}
	}
}

func mustRead(t *testing.T, dir, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrittenTemplateIsThatOfTheWorkload(t *testing.T) {
	w, dir := open(t, "card", 1, 1), t.TempDir()
	if err := w.WriteTemplate(dir); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(dir, "card.html"))
	if err != nil || string(src) != string(card) {
		t.Errorf("%d bytes, error %v", len(src), err)
	}
	if font, err := os.ReadFile(filepath.Join(dir, inter)); err != nil || string(font[:4]) != "wOF2" {
		t.Errorf("the font: %.4q, error %v", font, err)
	}
}
