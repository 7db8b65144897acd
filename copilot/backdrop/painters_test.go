package backdrop

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

const plainPage = `<!doctype html>
<html lang="en" p-version="1">
<head>
<script type="application/json" id="p-template">{"sizes": {"default": {"w": 600, "h": 400}}}</script>
<style id="p-tokens">
  :root { --accent: #dc4a2d; }
</style>
</head>
<body>
<section id="card" class="p-page">
  <h1 id="backdrop" p-role="headline">Hello</h1>
</section>
</body>
</html>
`

func studioOf(seed uint64) *studio {
	d := look.Doc{Name: "page", Source: []byte(plainPage), Assets: map[string]string{}}
	g := ground{number: 1, page: "card", short: 400, spots: []spot{{point{1, 0}, 0.9}, {point{0, 1}, 0.4}}}
	return &studio{stage: stage{doc: d, whole: d}, clean: d, grounds: []ground{g}, inks: []ink{{css: "var(--accent)"}}, seed: seed}
}

func TestEveryPainterMakesALayerThatIsUndoneToTheByte(t *testing.T) {
	for seed := range uint64(3) {
		for _, p := range painters {
			for _, amp := range []float64{1, 0.08} {
				s := studioOf(seed)
				made, err := edit.Apply([]byte(plainPage), s.change(p, 3, amp, nil).Ops)
				if err != nil {
					t.Fatalf("%s: %v", p.name, err)
				}
				form, err := template.Parse("page", made.Source, nil)
				if err != nil {
					t.Fatalf("%s: %v", p.name, err)
				}
				if n := len(made.Source) - len(plainPage); n < 200 || n > 16<<10 {
					t.Errorf("%s: %d bytes", p.name, n)
				}
				if page, err := form.Page(template.View{}); err != nil {
					t.Errorf("%s: %v", p.name, err)
				} else if values, err := form.Resolve(form.Examples(), time.Time{}); err != nil {
					t.Errorf("%s: %v", p.name, err)
				} else if doc := page.Fill(values); len(doc.Remote) > 0 || len(doc.Assets) > 0 {
					t.Errorf("%s refers to files: %v %v", p.name, doc.Remote, doc.Assets)
				}
				layers := edit.Outline(made.Source)[0].Children
				if len(layers) != 2 || layers[0].Role != "background" || layers[0].ID == "backdrop" || !isBackdrop(layers[0]) {
					t.Fatalf("%s: %+v", p.name, layers)
				}
				back, err := edit.Apply(made.Source, made.Inverse)
				if err != nil || !bytes.Equal(back.Source, []byte(plainPage)) {
					t.Errorf("%s is not undone to the byte: %v", p.name, err)
				}
			}
		}
	}
}

func TestSameSeedMakesTheSame(t *testing.T) {
	for _, p := range painters {
		html := func(s *studio) string { return *s.change(p, 2, 0.5, nil).Ops[0].HTML }
		if again := html(studioOf(1)); again != html(studioOf(1)) {
			t.Errorf("%s differs for the same seed", p.name)
		}
		if html(studioOf(1)) == html(studioOf(2)) {
			t.Errorf("%s is the same for another seed", p.name)
		}
	}
}

func TestStrengthDoesNotMoveAnything(t *testing.T) {
	// The same places and shapes, so that less strength is less of the same.
	for _, p := range painters {
		draw := func(amp float64) int {
			b := &brush{inks: []ink{{css: "red"}}, amp: amp, rand: rand.New(rand.NewPCG(1, 2)), short: 400}
			b.place(nil)
			p.paint(b)
			return b.rand.IntN(1 << 30)
		}
		if draw(1) != draw(0.1) {
			t.Errorf("%s takes other chances at another strength", p.name)
		}
	}
}

func TestKindsTakeTurns(t *testing.T) {
	order, err := sequence("", 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, p := range order[:5] {
		if i > 0 && p.kind == order[i-1].kind {
			t.Errorf("%s comes twice in turn", p.kind)
		}
		if !slices.Contains(kinds, p.kind) {
			kinds = append(kinds, p.kind)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("five have the kinds %v", kinds)
	}
	for _, kind := range []string{Gradient, Mesh, Pattern} {
		order, err := sequence(kind, 7)
		if err != nil || slices.ContainsFunc(order, func(p painter) bool { return p.kind != kind }) {
			t.Errorf("%s: %v, %v", kind, order, err)
		}
	}
	if _, err := sequence("photo", 0); err == nil {
		t.Error("there are no photos")
	}
}

func TestFormerBackdropIsReplaced(t *testing.T) {
	s := studioOf(1)
	c := s.change(painters[0], 0, 1, nil)
	d, err := c.Apply(s.clean)
	if err != nil {
		t.Fatal(err)
	}
	again, err := craft.Change{Ops: former(d)}.Apply(d)
	if err != nil || string(again.Source) != plainPage {
		t.Errorf("what is left without the backdrop: %v\n%s", err, again.Source)
	}
}

func TestGroundOfItsOwnIsWhole(t *testing.T) {
	for _, p := range painters {
		s := studioOf(1)
		s.grounds[0].base = "#123"
		if content := *s.change(p, 0, 1, nil).Ops[0].HTML; strings.Contains(content, "mask-") || !strings.Contains(content, "background-color: #123") {
			t.Errorf("%s: %s", p.name, content[:200])
		}
	}
}
