package bindings

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/template"
)

// everyOption is an encoding for each format that has all that the format has.
var everyOption = []Encoding{
	{Format: png, Scale: 1.5, Transparent: true, Compression: "palette", MaxBytes: 200_000},
	{Format: jpeg, Quality: 70, Scale: 2, MaxBytes: 200_000},
	{Format: webp, Quality: 70, Scale: 2, Transparent: true, MaxBytes: 200_000, Animated: true, FPS: 12, Duration: config.Duration(2 * time.Second), Loops: 3},
	{Format: gif, Scale: 3, Transparent: true, MaxBytes: 200_000, Animated: true, FPS: 50, Duration: config.Duration(6 * time.Second), Loops: 65535},
	{Format: pdf, Paper: "a4", Landscape: true, Margin: Margin{10, 20, 30, 40}, Title: "Price list"},
}

func TestEncodingIsReadFromYAML(t *testing.T) {
	root, err := config.Parse("pictifyd.yaml", []byte(`
- { format: png, scale: 1.5, transparent: true, compression: palette, max_bytes: 200KB }
- { format: jpeg, quality: 70, scale: 2, max_bytes: 200000 }
- { format: webp, quality: 70, scale: 2, transparent: true, max_bytes: 200KB, animated: true, fps: 12, duration: 2s, loops: 3 }
- { format: gif, scale: 3, transparent: true, max_bytes: 200KB, animated: true, fps: 50, duration: 6s, loops: 65535 }
- { format: pdf, paper: a4, landscape: true, margin: 10px 20px 30px 40px, title: Price list }
`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var outs []Output
	if err := root.Decode(&outs); err != nil {
		t.Fatal(err)
	}
	for i, o := range outs {
		if diff := cmp.Diff(everyOption[i], o.Encoding); diff != "" {
			t.Errorf("%s (-want +got):\n%s", o.Format, diff)
		}
		if problems := o.Encoding.check(""); len(problems) > 0 {
			t.Errorf("%s: %v", o.Format, problems)
		}
		text, err := json.Marshal(Spec{Encoding: o.Encoding})
		if err != nil {
			t.Fatal(err)
		}
		var back Spec
		if err := json.Unmarshal(text, &back); err != nil || back.Encoding != o.Encoding {
			t.Errorf("%s is stored as %s and read as %+v, %v", o.Format, text, back.Encoding, err)
		}
	}
}

func TestStoredSpecSaysNothingOfDefaults(t *testing.T) {
	text, err := json.Marshal(Spec{Values: []string{}, Encoding: Encoding{Format: "png"}.Canonical()})
	if want := `{"template":"","version":0,"page":"","size":"","values":[],"format":"png"}`; err != nil || string(text) != want {
		t.Errorf("stored is %s, %v, want %s", text, err, want)
	}
}

func TestNonsenseInAnEncodingIsRefusedWithAHint(t *testing.T) {
	second := config.Duration(time.Second)
	for _, c := range []struct {
		name string
		e    Encoding
		want []string // path: part of the message
	}{
		{"scale of 1 everywhere", Encoding{Format: pdf, Scale: 1}, nil},
		{"scale below 1", Encoding{Scale: 0.5}, []string{"scale: 0.5 is not between 1 and 3"}},
		{"scale above 3", Encoding{Scale: 3.01}, []string{"scale: 3.01 is not"}},
		{"negative scale", Encoding{Scale: -1}, []string{"scale: -1 is not"}},
		{"scale that is no number", Encoding{Scale: math.NaN()}, []string{"scale: NaN is not"}},
		{"scale of a PDF", Encoding{Format: pdf, Scale: 2}, []string{"scale: png, jpeg, webp, gif"}},
		{"transparent JPEG", Encoding{Format: "jpg", Transparent: true}, []string{"transparent: it is for png, webp, gif"}},
		{"transparent PDF", Encoding{Format: pdf, Transparent: true}, []string{"transparent: the format pdf has no option transparent"}},
		{"compression of a JPEG", Encoding{Format: jpeg, Compression: "small"}, []string{"compression: it is for png"}},
		{"compression", Encoding{Compression: "smal"}, []string{`compression: did you mean "small"`}},
		{"budget without a unit", Encoding{MaxBytes: 200}, []string{"max_bytes: write it with its unit: 200KB"}},
		{"negative budget", Encoding{MaxBytes: -1}, []string{"max_bytes: -1 bytes"}},
		{"least budget", Encoding{MaxBytes: 1000}, nil},
		{"budget of a PDF", Encoding{Format: pdf, MaxBytes: 1e6}, []string{"max_bytes: png, jpeg, webp, gif"}},
		{"moving PNG", Encoding{Animated: true}, []string{"animated: it is for webp, gif"}},
		{"frames of a JPEG", Encoding{Format: jpeg, FPS: 10, Loops: 2}, []string{"fps: webp, gif", "loops: webp, gif"}},
		{"WebP that says how it moves", Encoding{Format: webp, FPS: 10}, nil},
		{"too many frames a second", Encoding{Format: gif, FPS: 51}, []string{"fps: 51 frames a second are not between 1 and 50"}},
		{"negative frames a second", Encoding{Format: gif, FPS: -1}, []string{"fps: -1"}},
		{"too long", Encoding{Format: gif, FPS: 1, Duration: 31 * second}, []string{"duration: 31s is longer than the 30s"}},
		{"longest", Encoding{Format: gif, FPS: 10, Duration: 30 * second}, nil},
		{"too many frames", Encoding{Format: gif, FPS: 11, Duration: 30 * second}, []string{"duration: 330 frames, and at most 300 are made (make it shorter, or take fewer frames a second: fps: 10)"}},
		{"most frames, rounded", Encoding{Format: gif, FPS: 15, Duration: 20*second + second/33}, nil},
		{"one frame more, rounded", Encoding{Format: gif, FPS: 15, Duration: 20*second + second/29}, []string{"duration: 301 frames"}},
		{"too many frames at the default", Encoding{Format: webp, Duration: 21 * second}, []string{"duration: 315 frames"}},
		{"shorter than a frame", Encoding{Format: gif, FPS: 10, Duration: second / 25}, []string{"duration: 40ms is shorter than one of 10 frames"}},
		{"one frame", Encoding{Format: gif, FPS: 10, Duration: second / 10}, nil},
		{"too many rounds", Encoding{Format: gif, Loops: 65536}, []string{"loops: 65536"}},
		{"negative rounds", Encoding{Format: gif, Loops: -1}, []string{"loops: -1"}},
		{"paper in capitals", Encoding{Format: pdf, Paper: "A4"}, nil},
		{"paper", Encoding{Format: pdf, Paper: "a44"}, []string{`paper: did you mean "a4"`}},
		{"paper of a PNG", Encoding{Paper: "a4", Margin: Margin{1, 1, 1, 1}, Title: "t"}, []string{"paper: pdf", "margin: pdf", "title: pdf"}},
		{"margin of a whole paper", Encoding{Format: pdf, Paper: "a6", Margin: Margin{0, 200, 0, 197}}, []string{"margin: leaves nothing of the paper, which is 397 by 559"}},
		{"margin of a paper on its side", Encoding{Format: pdf, Paper: "a6", Landscape: true, Margin: Margin{0, 200, 0, 197}}, nil},
		{"margin of half a paper on its side", Encoding{Format: pdf, Paper: "a6", Landscape: true, Margin: Margin{200, 0, 200, 0}}, []string{"margin: leaves nothing"}},
		{"margin around the page's own size", Encoding{Format: pdf, Margin: Margin{500, 500, 500, 500}}, nil},
		{"landscape without paper", Encoding{Format: pdf, Landscape: true}, []string{"landscape: name the paper"}},
		{"landscape of a PNG", Encoding{Landscape: true}, []string{"landscape: it is for pdf"}},
		{"title with an expression", Encoding{Format: pdf, Title: "For {{ name }}"}, []string{"title: <title>"}},
		{"title of two lines", Encoding{Format: pdf, Title: "a\nb"}, []string{"title: one line"}},
		{"longest title", Encoding{Format: pdf, Title: strings.Repeat("ä", 250)}, nil},
		{"longer title", Encoding{Format: pdf, Title: strings.Repeat("ä", 251)}, []string{"title: at most 250"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.e.check("outputs[0].")
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(got), len(c.want), got)
			}
			for i, want := range c.want {
				path, text, _ := strings.Cut(want, ": ")
				if got[i].Path != "outputs[0]."+path || !strings.Contains(got[i].Error(), text) {
					t.Errorf("problem %d is %q, want %q", i, got[i], want)
				}
			}
		})
	}
}

func TestEqualEncodingsHaveEqualFingerprints(t *testing.T) {
	of := func(e Encoding) string { return Fingerprint(Spec{Page: "p", Encoding: e}, 1) }
	for name, pair := range map[string][2]Encoding{
		"scale 1":               {{}, {Scale: 1}},
		"the fast compression":  {{}, {Compression: "fast"}},
		"the other word":        {{Format: "jpg", Scale: 2}, {Format: "jpeg", Scale: 2}},
		"a paper in capitals":   {{Format: pdf, Paper: "A4"}, {Format: pdf, Paper: "a4"}},
		"the default frames":    {{Format: gif}, {Format: gif, FPS: DefaultFPS}},
		"a GIF that moves":      {{Format: gif}, {Format: gif, Animated: true}},
		"a WebP with frames":    {{Format: webp, FPS: 9}, {Format: webp, FPS: 9, Animated: true}},
		"a quality of a PDF":    {{Format: pdf}, {Format: pdf, Quality: 3}},
		"a quality of a GIF":    {{Format: gif}, {Format: gif, Quality: 3}},
		"a paper of a PNG":      {{}, {Paper: "a4", Landscape: true, Title: "t", Margin: Margin{1, 1, 1, 1}}},
		"frames of a PNG":       {{}, {Animated: true, FPS: 3, Loops: 2, Duration: 5}},
		"a transparent JPEG":    {{Format: jpeg}, {Format: jpeg, Transparent: true, Compression: "small"}},
		"a budget of a PDF":     {{Format: pdf}, {Format: pdf, MaxBytes: 5000, Scale: 2}},
		"a margin in two units": {{Format: pdf, Margin: mustMargin(t, "1in")}, {Format: pdf, Margin: mustMargin(t, "25.4mm")}},
	} {
		if of(pair[0]) != of(pair[1]) {
			t.Errorf("%s is in the fingerprint", name)
		}
	}
}

func TestEveryOptionOfAFormatIsInTheFingerprint(t *testing.T) {
	seen := map[string]string{}
	note := func(name string, e Encoding) {
		f := Fingerprint(Spec{Page: "p", Encoding: e}, 1)
		if before, twice := seen[f]; twice {
			t.Errorf("%s has the fingerprint of %s", name, before)
		}
		seen[f] = name
	}
	for _, format := range formatNames {
		note("the plain "+format, Encoding{Format: format})
	}
	for _, e := range everyOption {
		note("all of "+e.Format, e)
	}
	for name, change := range map[string]func(*Encoding){
		"scale": func(e *Encoding) { e.Scale = 2 }, "transparent": func(e *Encoding) { e.Transparent = true },
		"max_bytes": func(e *Encoding) { e.MaxBytes = 9000 }, "fps": func(e *Encoding) { e.FPS = 9 },
		"duration": func(e *Encoding) { e.Duration = config.Duration(time.Second) }, "loops": func(e *Encoding) { e.Loops = 9 },
		"animated": func(e *Encoding) { e.Animated = true }, "compression": func(e *Encoding) { e.Compression = "small" },
		"paper": func(e *Encoding) { e.Paper = "letter" }, "margin": func(e *Encoding) { e.Margin = Margin{0, 0, 0, 1} },
		"title": func(e *Encoding) { e.Title = "T" }, "landscape": func(e *Encoding) { e.Paper, e.Landscape = "a4", true },
	} {
		for _, format := range formatNames {
			if Takes(format, name) && (format != gif || name != "animated") {
				e := Encoding{Format: format}
				change(&e)
				note(name+" of "+format, e)
			}
		}
	}
	if len(options) != 12 {
		t.Errorf("there are %d options, and 12 are tried here", len(options))
	}
}

func TestGroupIsThePageAndWhatOneLoadIsGoodFor(t *testing.T) {
	group := func(e Encoding) string { return Spec{Page: "p", Encoding: e}.Group() }
	together := []Encoding{
		{}, {Format: jpeg, Quality: 3}, {Format: webp}, {Transparent: true}, {Compression: "palette"}, {Scale: 1}, {MaxBytes: 5000},
	}
	for _, e := range together {
		if group(e) != group(Encoding{}) {
			t.Errorf("%+v is not made with a plain PNG", e)
		}
	}
	apart := []Encoding{{}, {Scale: 2}, {Format: gif}, {Format: gif, Scale: 2}, {Format: pdf}}
	seen := map[string]bool{}
	for _, e := range apart {
		seen[group(e)] = true
	}
	if len(seen) != len(apart) {
		t.Errorf("%d groups, want %d: %v", len(seen), len(apart), seen)
	}
	if group(Encoding{Format: webp, Animated: true}) != group(Encoding{Format: gif, FPS: 3}) {
		t.Error("moving pictures of a page are not made together")
	}
	if (Spec{Page: "q"}).Group() == (Spec{Page: "p"}).Group() {
		t.Error("two pages are one group")
	}
}

func mustMargin(tb testing.TB, text string) Margin {
	tb.Helper()
	m, err := ParseMargin(text)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestMarginIsOneToFourLengths(t *testing.T) {
	for text, want := range map[string]Margin{
		"10px": {10, 10, 10, 10}, "1in": {96, 96, 96, 96}, "72pt": {96, 96, 96, 96}, "2.54cm 0": {96, 0, 96, 0}, "25.4mm 1px 2px": {96, 1, 2, 1},
		" 1px  2px 3px 4px ": {1, 2, 3, 4}, "0": {}, "24in": {2304, 2304, 2304, 2304},
	} {
		got, err := ParseMargin(text)
		if err != nil || got.String() != want.String() {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
		back, err := ParseMargin(got.String())
		if err != nil || back.String() != got.String() {
			t.Errorf("%q is written as %q and read as %v, %v", text, got, back, err)
		}
	}
	for text, want := range map[string]string{
		"": "one to four lengths", "1px 2px 3px 4px 5px": "one to four", "10": "units", "10 mm": "units", "1furlong": "units", "-1px": "wants lengths",
		"1e3px": "wants lengths", "auto": "wants lengths", "2305px": "wider than 2304", "99999in": "wider than", "123456px": "wants lengths",
	} {
		if _, err := ParseMargin(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A viewed template notes what it is asked to show.
type viewed struct {
	fakeTemplate
	views *[]template.View
}

func (v viewed) Page(view template.View) (*template.Page, error) {
	*v.views = append(*v.views, view)
	return v.fakeTemplate.Page(view)
}

func TestPDFHasAllPagesUnlessOneIsNamed(t *testing.T) {
	var views []template.View
	outs := []Output{{}, {Encoding: Encoding{Format: pdf}}, {Page: 1, Name: "one", Encoding: Encoding{Format: pdf}}, {Page: 2, Encoding: Encoding{Format: pdf}}}
	d, err := NewDrawing(viewed{fakeTemplate{version: "v1"}, &views}, 1, 1, outs)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, template.AllPages, 1, 2} {
		if views[i].Page != want || d.outputs[i].spec.Number != want {
			t.Errorf("output %d shows page %d, stored as %d, want %d", i, views[i].Page, d.outputs[i].spec.Number, want)
		}
	}
}
