package check_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const changing = `<!doctype html><html lang="en"><head>
<script type="application/json" id="p-template">{"sizes": {"wide": {"w": 600, "h": 200}, "tall": {"w": 200, "h": 400}}, "vars": {"title": {"type": "text", "example": "Words"}, "note": {"type": "text", "example": "Note"}}}</script>
<style id="p-tokens">:root { --paper: #fff; --ink: #111 } :root[data-theme="dark"] { --paper: #111; --ink: #eee }</style>
<style>#p { font: 30px/1.2 "DejaVu Sans"; background: var(--paper); color: var(--ink) } #t, #n, #l { left: 20px; top: 20px; width: 160px; height: 40px } #n { top: 80px } #l { top: 130px; height: 20px; font-size: 12px; line-height: 20px }
#i, #logo { left: 200px; top: 20px; width: 100px; height: 100px } #logo { left: 320px } </style>
<style id="p-size-tall">#i, #logo { left: 20px; top: 180px } #logo { top: 290px }</style></head>
<body><section id="p" class="p-page"><div id="t">{{ title }}</div><div id="n">{{ note }}</div><p id="l" p-lock><b>Terms</b> apply</p><img id="i" src="assets/photo.png"><img id="logo" p-role="logo" src="assets/logo.png"></section></body></html>`

// noise is a picture of a middle grey with grain, and a clear rim or none.
func noise(t *testing.T, clear bool) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 100, 100))
	grain := rand.New(rand.NewPCG(1, 2))
	for y := range 100 {
		for x := range 100 {
			c := color.NRGBA{uint8(100 + grain.IntN(60)), uint8(100 + grain.IntN(60)), 120, 255}
			if clear && (x < 30 || x > 70) {
				c = color.NRGBA{}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestChangesThatAreNotAllowedAreFound(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	before := look.Doc{Name: "changing", Source: []byte(changing), Assets: map[string]string{
		"assets/photo.png": room.Put("photo.png", noise(t, false)), "assets/logo.png": room.Put("logo.png", noise(t, true)), "assets/other.png": room.Put("other.png", noise(t, false)),
	}}
	dark := check.Allowed{Themes: []string{"dark"}}
	tall := check.Allowed{Sizes: []string{"tall"}}
	all := check.Allowed{Sizes: []string{"*"}, Themes: []string{"*"}, Variables: []string{"*"}, Pictures: true}
	rows := []check.Row{{Name: "one", Values: map[string]any{"title": "One"}}, {Name: "two", Values: map[string]any{"title": "Two", "note": "Second"}}}
	for name, c := range map[string]struct {
		from, to string
		allowed  check.Allowed
		want     string
	}{
		"nothing":                        {"", "", check.Allowed{}, ""},
		"another dark ground":            {"--paper: #111", "--paper: #222", dark, ""},
		"another dark ground, not asked": {"--paper: #111", "--paper: #222", tall, "other_size_changed/wide/dark/"},
		"another plain ground":           {"--paper: #fff", "--paper: #fffffe", dark, "other_theme_changed/wide// other_theme_changed/tall//"},
		"other places in tall":           {"#i, #logo { left: 20px", "#i, #logo { left: 24px", tall, ""},
		"other places in wide":           {"#i, #logo { left: 200px", "#i, #logo { left: 201px", tall, "other_size_changed/wide// other_size_changed/wide/dark/"},
		"a variable is lost":             {"{{ note }}", "Note", all, ""},
		"a variable is lost, not asked":  {"{{ note }}", "Note", check.Allowed{Sizes: []string{"*"}, Themes: []string{"*"}}, "lost_variable///"},
		"a locked layer":                 {"<b>Terms</b> apply", "<b>Terms</b>  apply", all, "locked_changed///l"},
		"an unlocked layer":              {` p-lock>`, `>`, all, "locked_changed///l"},
		"a lost locked layer":            {`<p id="l" p-lock><b>Terms</b> apply</p>`, ``, all, "locked_changed///l"},
		"another logo":                   {`src="assets/logo.png"`, `src="assets/other.png"`, all, "logo_source///logo"},
		"no logo":                        {`<img id="logo" p-role="logo" src="assets/logo.png">`, ``, all, "logo_source///logo"},
		"a renamed logo":                 {`id="logo" p-role`, `id="brand" p-role`, all, "logo_source///logo"},
		"a dark photo":                   {"</style>\n<style>", "</style>\n<style>[data-theme=dark] #i { filter: brightness(0.8) }", dark, "picture_changed/wide/dark/i picture_changed/tall/dark/i"},
		"a dark logo":                    {"</style>\n<style>", "</style>\n<style>[data-theme=dark] #logo { opacity: 0.9 }", dark, "picture_changed/wide/dark/logo picture_changed/tall/dark/logo"},
		"a dark photo, asked":            {"</style>\n<style>", "</style>\n<style>[data-theme=dark] #i { filter: brightness(0.8) }", check.Allowed{Sizes: dark.Sizes, Themes: dark.Themes, Pictures: true}, ""},
		"a new theme":                    {"</style>\n<style>", "</style>\n<style>[data-theme=sepia] #p { background: #ffe } [data-theme=sepia] #i { filter: sepia(1) }", check.Allowed{}, "picture_changed/wide/sepia/i picture_changed/tall/sepia/i"},
		"a theme less":                   {` :root[data-theme="dark"] { --paper: #111; --ink: #eee }`, "", tall, "other_theme_changed//dark/"},
		"a size less":                    {`, "tall": {"w": 200, "h": 400}`, "", dark, "other_size_changed/tall//"},
		"a size more":                    {`"tall": {"w": 200, "h": 400}`, `"tall": {"w": 200, "h": 400}, "new": {"w": 300, "h": 300}`, check.Allowed{}, ""},
		"another size of a size":         {`"w": 200, "h": 400`, `"w": 200, "h": 401`, dark, "other_theme_changed/tall//"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.from != "" && !strings.Contains(changing, c.from) {
				t.Fatalf("there is no %s", c.from)
			}
			text := strings.Replace(changing, c.from, c.to, 1)
			if name == "a size less" {
				text = strings.Replace(strings.Replace(text, "p-size-tall", "tall", 1), "#i, #logo { left: 20px; top: 180px } #logo { top: 290px }", "", 1)
			}
			after := before.With([]byte(text))
			found, err := check.Change(t.Context(), room, before, after, rows, c.allowed)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				if f.Level != check.Error || f.Message == "" {
					t.Errorf("%+v", f)
				}
				got = append(got, fmt.Sprintf("%s/%s/%s/%s", f.Code, f.Size, f.Theme, f.Layer))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("\ngot  %s\nwant %s", strings.Join(got, " "), c.want)
			}
		})
	}
}

func TestWhatIsTheSameIsNotDrawn(t *testing.T) {
	d := look.Doc{Name: "changing", Source: []byte(strings.ReplaceAll(changing, "assets/", "data:image/png;base64,"))}
	after := d.With([]byte(strings.Replace(string(d.Source), "<style>#p {", "<!-- words --><style>#p {", 1)))
	if found, err := check.Change(t.Context(), nil, d, after, nil, check.Allowed{}); err != nil || len(found) > 0 { // a nil camera cannot draw
		t.Errorf("%v, %v", found, err)
	}
}

func TestDocumentsThatDoNotCompileCannotBeCompared(t *testing.T) {
	good, bad := look.Doc{Name: "a", Source: []byte("<p>a</p>")}, look.Doc{Name: "b", Source: []byte("<p>{{ cut")}
	for _, pair := range [][2]look.Doc{{good, bad}, {bad, good}} {
		if _, err := check.Change(t.Context(), nil, pair[0], pair[1], nil, check.Allowed{}); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s to %s: %v", pair[0].Name, pair[1].Name, err)
		}
	}
}
