package edit

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// card is the document that most tests change.
const card = `<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "Card",
  "sizes": {
    "default": { "w": 1200, "h": 630 },
    "story": { "w": 1080, "h": 1920, "label": "Story" }
  },
  "vars": {
    "title": { "type": "text", "required": true },
    "photo": { "type": "image" },
    "features": { "type": "array" },
    "sale": { "type": "boolean" },
    "terms": { "type": "text" },
    "accent": { "type": "color" },
    "price": { "type": "number", "example": 129.5 }
  }
}
</script>
<style id="p-tokens">
  :root {
    --bg: #ffffff;
    --ink: #0f172a;
  }
  :root[data-theme="dark"] {
    --bg: #0f172a;
  }
</style>
<style>
  #title { font-weight: 800; }
  #card, #price:empty { color: var(--ink); }
</style>
<style id="p-size-story">
  #title { left: 72px; top: 1050px; }
</style>
</head>
<body>
<section id="card" class="p-page">
  <img id="photo" src="assets/shoe.jpg" p-src="{{ photo }}" style="left: 640px; top: 0">
  <h1 id="title" p-role="headline" style="left: 64px; top: 72px; color: var(--ink)">{{ title }}</h1>
  <div id="price" style="left: 64px; top: 310px">{{ price | currency }}</div>
  <div id="note">A <b>bold</b> word</div>
  <ul id="list" class="p-stack">
    <li id="item" p-for="f in features">{{ f }}</li>
  </ul>
  <div id="logo" p-lock>Acme</div>
</section>
<section id="back" class="p-page">
  <p id="small">Terms</p>
</section>
</body>
</html>
`

func must(tb testing.TB, src string, raw string) Result {
	tb.Helper()
	ops, err := Decode([]byte(raw))
	if err != nil {
		tb.Fatalf("%s: %v", raw, err)
	}
	got, err := Apply([]byte(src), ops)
	if err != nil {
		tb.Fatalf("%s: %v", raw, err)
	}
	mustUndo(tb, src, got)
	return got
}

// A tester is a test, or one try of a property.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// mustUndo applies the inverse as it comes over the wire.
func mustUndo(tb tester, src string, done Result) {
	tb.Helper()
	raw, err := json.Marshal(done.Inverse)
	if err != nil {
		tb.Fatal(err)
	}
	if done.Inverse == nil {
		raw = []byte("[]")
	}
	ops, err := Decode(raw)
	if err != nil {
		tb.Fatalf("the inverse %s: %v", raw, err)
	}
	back, err := Apply(done.Source, ops)
	if err != nil {
		tb.Fatalf("the inverse %s: %v", raw, err)
	}
	if diff := cmp.Diff(src, string(back.Source)); diff != "" {
		tb.Fatalf("the inverse %s leaves (-before +after):\n%s", raw, diff)
	}
}

func TestOperationsChangeWhatTheyName(t *testing.T) {
	for name, ops := range map[string]string{
		"text":                          `[{"op":"set_text","id":"price","text":"R&D < {{ price | currency(\"USD\") }}"}]`,
		"text of a layer with elements": `[{"op":"set_text","id":"note","html":"plain <i>and</i> slanted"}]`,
		"style":                         `[{"op":"set_style","id":"title","property":"left","value":"80px"}]`,
		"new style":                     `[{"op":"set_style","id":"title","property":"width","value":"520px"}]`,
		"no style":                      `[{"op":"set_style","id":"title","property":"top","value":null}]`,
		"first style":                   `[{"op":"set_style","id":"small","property":"opacity","value":"{{ sale ? 1 : 0 }}"}]`,
		"size style":                    `[{"op":"set_style","id":"title","property":"font-size","value":"96px","size":"story"}]`,
		"override":                      `[{"op":"set_size_override","size":"story","id":"price","property":"left","value":"72px"}]`,
		"no override":                   `[{"op":"set_size_override","size":"story","id":"title","property":"left","value":null}]`,
		"attr":                          `[{"op":"set_attr","id":"photo","name":"alt","value":"{{ title }}"}]`,
		"lock":                          `[{"op":"set_attr","id":"photo","name":"p-lock","value":""}]`,
		"unlock":                        `[{"op":"set_attr","id":"logo","name":"p-lock","value":null},{"op":"set_text","id":"logo","text":"New"}]`,
		"binding":                       `[{"op":"set_binding","id":"title","target":"style:color","expr":"sale ? 'red' : \"blue\""}]`,
		"bound text":                    `[{"op":"set_binding","id":"small","target":"text","expr":"{{ terms }}"}]`,
		"condition":                     `[{"op":"set_binding","id":"small","target":"if","expr":"price > 10 && sale"}]`,
		"no binding":                    `[{"op":"set_binding","id":"photo","target":"src","expr":null}]`,
		"id":                            `[{"op":"set_id","id":"title","to":"headline"}]`,
		"add":                           `[{"op":"add_node","parent":"card","index":1,"node":{"tag":"div","id":"badge","attrs":{"p-role":"badge"},"style":{"top":"24px","left":"64px"},"text":"SALE"}}]`,
		"add stack":                     `[{"op":"add_node","after":"list","node":{"tag":"ul","id":"more","class":"p-stack","children":[{"tag":"li","id":"one","text":"1"},{"tag":"li","id":"two","text":"2"}]}}]`,
		"remove":                        `[{"op":"remove_node","id":"title"}]`,
		"move":                          `[{"op":"move_node","id":"photo","index":3}]`,
		"move inside":                   `[{"op":"move_node","id":"price","parent":"list","index":0}]`,
		"move away":                     `[{"op":"move_node","id":"list","parent":"back"}]`,
		"duplicate":                     `[{"op":"duplicate_node","id":"title","to_id":"title-2"}]`,
		"copied stack":                  `[{"op":"duplicate_node","id":"list","to_id":"list-2"}]`,
		"group":                         `[{"op":"group","ids":["list","title"],"id":"words"}]`,
		"ungroup":                       `[{"op":"group","ids":["title","price"],"id":"words"},{"op":"ungroup","id":"words"}]`,
		"token":                         `[{"op":"set_token","name":"bg","value":"#fafafa"}]`,
		"new token":                     `[{"op":"set_token","name":"accent","value":"{{ accent }}"}]`,
		"theme token":                   `[{"op":"set_token","name":"ink","value":"#fff","theme":"dark"}]`,
		"no token":                      `[{"op":"set_token","name":"bg","value":null}]`,
		"theme":                         `[{"op":"add_theme","name":"sepia"},{"op":"set_token","name":"bg","value":"#f4ecd8","theme":"sepia"}]`,
		"no theme":                      `[{"op":"remove_theme","name":"dark"}]`,
		"variable":                      `[{"op":"set_var","name":"new","var":{"type":"boolean","default":false,"description":"<b> & more"}}]`,
		"other type":                    `[{"op":"set_var","name":"price","var":{"type":"number","example":9}}]`,
		"no variable":                   `[{"op":"set_var","name":"title","var":null}]`,
		"size":                          `[{"op":"add_size","name":"square","w":1080,"h":1080,"label":"Post","from":"story"}]`,
		"other size":                    `[{"op":"set_size","name":"story","w":1000,"label":"Tall"}]`,
		"no size":                       `[{"op":"remove_size","name":"story"}]`,
		"page":                          `[{"op":"add_page","id":"middle","after":"card"},{"op":"add_node","parent":"middle","node":{"tag":"p","id":"hello","text":"Hi"}}]`,
		"no page":                       `[{"op":"remove_page","id":"back"}]`,
		"other page":                    `[{"op":"move_page","id":"back","index":0}]`,
		"new id":                        `[{"op":"ensure_id","path":"/0/1/0/3/0","id":"bold"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			got := must(t, card, ops)
			golden(t, name, string(got.Source))
			if _, err := template.Parse("card", got.Source, map[string]string{"assets/shoe.jpg": strings.Repeat("a", 64)}); err != nil && name != "no variable" {
				t.Errorf("it does not compile: %v", err)
			}
		})
	}
}

var update = flag.Bool("update", false, "rewrite testdata")

// golden holds the lines that an operation changed against testdata.
func golden(t *testing.T, name, after string) {
	t.Helper()
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".diff")
	got := diffLines(card, after)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func first(err error) *problem.Error {
	if list := problem.All(err); len(list) > 0 {
		return list[0]
	}
	return &problem.Error{}
}
