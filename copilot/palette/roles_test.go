package palette_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/palette"
	"github.com/pictifyd/pictifyd/template/edit"
)

const rolesPage = `<!doctype html><html lang="en"><head>
<script type="application/json" id="p-template">{"sizes": {"default": {"w": 600, "h": 400}}, "vars": {"brand": {"type": "color", "default": "#7a1fa2"}}}</script>
<style id="p-tokens">:root { --paper: #f6f2e9; --card: #ffffff; --ink: #1b1a17; --soft: #66604f; --line: #d8d0be; --go: #0b6e4f; --on-go: #ffffff; --mine: #ffd24a;
  --deep: rgb(60 40 10 / 0.2); --glass: rgb(255 255 255 / 0.6); --scrim: rgb(0 0 0 / 0.6); --brand: {{ brand }}; --used-nowhere: #123456 }</style>
<style>
  #p { background: var(--paper); color: var(--ink); font-family: "DejaVu Sans", sans-serif; font-size: 18px }
  #card { left: 200px; top: 20px; width: 380px; height: 200px; background: var(--card); box-shadow: 0 4px 20px var(--deep) }
  #t { left: 220px; top: 40px; width: 340px } #s { left: 220px; top: 80px; width: 340px; color: var(--soft) } #b { left: 220px; top: 110px; width: 340px; color: var(--brand) }
  #go { left: 220px; top: 160px; width: 150px; height: 40px; line-height: 40px; background: var(--go); color: var(--on-go) }
  #mine { left: 400px; top: 160px; width: 150px; height: 40px; line-height: 40px; background: var(--mine) }
  #rule { left: 200px; top: 230px; width: 380px; height: 2px; background: var(--line) }
  #glass { left: 20px; top: 120px; width: 160px; height: 100px; background: var(--glass) } #g { left: 30px; top: 130px; width: 140px }
  #photo { left: 0; top: 240px; width: 600px; height: 160px } #shade { left: 0; top: 240px; width: 600px; height: 160px; background: var(--scrim) }
  #over { left: 20px; top: 300px; width: 560px; color: var(--card) }
  #logo { left: 20px; top: 20px; width: 120px; height: 40px }
</style></head><body><section id="p" class="p-page"><div id="card"></div><img id="logo" p-role="logo" src="assets/logo.svg" alt=""><div id="t">Hamburgefonts in ink</div>
<div id="s">Hamburgefonts in soft</div><div id="b">Hamburgefonts in brand</div><div id="go">Hamburgefont</div><div id="mine">Hamburgefont</div><div id="rule"></div><div id="glass"></div><div id="g">Glass fonts</div>
<img id="photo" src="assets/photo.svg" alt=""><div id="shade"></div><div id="over">Hamburgefonts over a photograph</div></section></body></html>`

func TestEachColourGetsTheToneOfItsRole(t *testing.T) {
	room := looktest.Open(t)
	d := look.Doc{Name: "roles", Source: []byte(rolesPage), Assets: map[string]string{
		"assets/logo.svg":  room.Put("logo.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><path d="M4 36 20 4l16 32M50 20h60" fill="none" stroke="#111" stroke-width="6"/></svg>`)),
		"assets/photo.svg": room.Put("photo.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="600" height="160"><rect width="600" height="160" fill="#8aa"/></svg>`)),
	}}
	c, err := palette.Dark(t.Context(), room, d, palette.DarkOptions{Theme: "night", Keep: []string{"--line"}})
	if err != nil {
		t.Fatal(err)
	}
	got := change(t, d, c)
	dark := map[string]string{}
	for _, theme := range edit.LookAt(got.Source, nil).Themes {
		for _, token := range theme.Tokens {
			if theme.Theme == "night" {
				dark[token.Name] = token.Value
			}
		}
	}
	for _, name := range []string{"line", "go", "on-go", "mine", "scrim", "used-nowhere"} {
		if dark[name] != "" {
			t.Errorf("%s is to stay, and became %s", name, dark[name])
		}
	}
	for _, name := range []string{"paper", "card", "ink", "soft", "deep", "glass", "brand"} {
		if dark[name] == "" {
			t.Errorf("%s stayed", name)
		}
	}
	if !strings.Contains(dark["brand"], "{{ brand }}") || !strings.HasPrefix(dark["deep"], "rgb(") {
		t.Errorf("brand %s, shadow %s", dark["brand"], dark["deep"])
	}
	for what, want := range map[string]string{"text on the photograph": `color: var(--on-photo`, "a plate below the logo": `background: var(--plate)`, "text on the button that stays": `color: var(--on-mine`} {
		if !strings.Contains(string(got.Source), want) {
			t.Errorf("%s: there is no %q in\n%s", what, want, got.Source)
		}
	}
	keep(t, "roles-light.png", shoot(t, room, got, look.View{}).PNG)
	keep(t, "roles-night.png", shoot(t, room, got, look.View{Theme: "night"}).PNG)
	samePictures(t, room, d, got, []look.View{{}})
	for _, note := range c.Notes {
		if strings.Contains(note, "should have") {
			t.Error(note)
		}
	}
	again, err := palette.Dark(t.Context(), room, got, palette.DarkOptions{Theme: "night"})
	if err != nil || len(again.Ops) > 0 {
		t.Errorf("a second run has operations: %+v, %v", again.Ops, err)
	}
}
