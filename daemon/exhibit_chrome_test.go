package daemon

import (
	"bytes"
	"encoding/json"
	"image/png"
	"net/http"
	"testing"
)

const themedTemplate = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{ "name": "banner", "sizes": { "default": { "w": 80, "h": 40 }, "tall": { "w": 40, "h": 80 } },
  "vars": { "wide": { "type": "number", "required": true, "example": 10 } } }
</script>
<style id="p-tokens">
  :root { --ground: #ffffff; }
  :root[data-theme="dark"] { --ground: #102030; }
</style>
</head>
<body>
<section id="card" class="p-page" style="background: var(--ground)">
  <div id="bar" style="left: 0; top: 0; height: 20px; background: #ff0000" p-style-width="{{ wide }}px"></div>
</section>
</body>
</html>
`

// Over the API alone: a variant is another theme, size and variable of a template, and
// Chrome draws it so.
func TestChromeDrawsVariantsAsTheyAre(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	s.write("templates/banner.html", themedTemplate)
	p := s.start(childChrome + "=1")
	made := fetchAs(t, http.MethodPost, p.url+"/experiments", `{"name":"Banner","slug":"banner","type":"ab_test","goalConfig":{"type":"click_through","destinationUrl":"https://shop.example/"},
		"variants":[{"id":"day","templateUid":"banner","variables":{"wide":10},"weight":5000,"isDefault":true},
		{"id":"night","templateUid":"banner","size":"tall","theme":"dark","variables":{"wide":30},"weight":5000}]}`, "Content-Type", "application/json")
	if made.status != http.StatusCreated {
		t.Fatalf("%d %s", made.status, made.body)
	}
	if a := fetchAs(t, http.MethodPost, p.url+"/experiments/banner/start", "", "Content-Type", "application/json"); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	assigned := fetchAs(t, http.MethodPost, p.url+"/experiments/banner/assignments", `{"units":["a","b","c","d","e","f","g","h","i","j"]}`, "Content-Type", "application/json")
	var answer struct{ Assignments []mailed }
	if err := json.Unmarshal(assigned.body, &answer); err != nil || len(answer.Assignments) != 10 {
		t.Fatalf("%d %s", assigned.status, assigned.body)
	}
	want := map[string]struct {
		width, height int
		ground        [3]uint32
		bar           int
	}{"day": {80, 40, [3]uint32{255, 255, 255}, 10}, "night": {40, 80, [3]uint32{0x10, 0x20, 0x30}, 30}}
	seen := map[string]bool{}
	for _, m := range answer.Assignments {
		a := fetchAs(t, http.MethodGet, m.ImageURL, "")
		picture, err := png.Decode(bytes.NewReader(a.body))
		if err != nil || a.variant != m.Variant {
			t.Fatalf("%s: %d, %s, %v", m.Unit, a.status, a.variant, err)
		}
		w := want[m.Variant]
		at := func(x, y int) [3]uint32 {
			r, g, b, _ := picture.At(x, y).RGBA()
			return [3]uint32{r >> 8, g >> 8, b >> 8}
		}
		red := [3]uint32{255, 0, 0}
		if b := picture.Bounds(); b.Dx() != w.width || b.Dy() != w.height || at(w.width-1, w.height-1) != w.ground || at(w.bar-1, 5) != red || at(w.bar, 5) != w.ground {
			t.Errorf("%s is %v, ground %v, bar %v|%v", m.Variant, b, at(w.width-1, w.height-1), at(w.bar-1, 5), at(w.bar, 5))
		}
		seen[m.Variant] = true
	}
	if len(seen) != 2 {
		t.Errorf("only %v was assigned", seen)
	}
}
