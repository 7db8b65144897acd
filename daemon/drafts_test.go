package daemon

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// patchSeen is what the tests read of an edit, or of why it was none.
type patchSeen struct {
	Revision  int64
	Rebased   bool
	Inverse   []json.RawMessage
	Draft     draftSeen
	Code      string
	Conflicts []struct {
		Touched       string
		Yours, Theirs json.RawMessage
	}
}

// patch sends operations, as JSON, that were meant for a revision of the draft of card.
func (p *process) patch(revision int64, author, ops string) (status int, v patchSeen) {
	p.tb.Helper()
	body := map[string]any{"ops": json.RawMessage(ops), "author": author}
	status = p.send(http.MethodPatch, "/templates/card/draft", body, &v, "If-Match", strconv.Quote(strconv.FormatInt(revision, 10)))
	return status, v
}

func TestTwoPeopleEditOneDraft(t *testing.T) {
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}

	status, ada := p.patch(1, "Ada", `[{"op":"set_text","id":"title","text":"Hi {{ title }}"},{"op":"set_style","id":"title","property":"color","value":"#333"}]`)
	if status != 200 || ada.Revision != 2 {
		t.Fatalf("Ada's edit: %d %+v", status, ada)
	}
	status, bob := p.patch(1, "Bob", `[{"op":"set_style","id":"price","property":"left","value":"40px"}]`)
	if status != 200 || bob.Revision != 3 || !bob.Rebased || !strings.Contains(bob.Draft.HTML, "Hi {{ title }}") {
		t.Fatalf("Bob's edit of another layer: %d %+v", status, bob)
	}
	status, bob = p.patch(1, "Bob", `[{"op":"set_style","id":"title","property":"color","value":"#f00"}]`)
	if status != 409 || bob.Code != "edit_conflict" || len(bob.Conflicts) != 1 ||
		!strings.Contains(string(bob.Conflicts[0].Yours), "#f00") || !strings.Contains(string(bob.Conflicts[0].Theirs), "#333") {
		t.Fatalf("Bob's edit of the same layer: %d %+v", status, bob)
	}
	if status, cut := p.patch(3, "Bob", `[{"op":"set_text","id":"title","text":"{{ title"}]`); status != 422 {
		t.Errorf("an edit that does not compile: %d %+v", status, cut)
	}
	if status, cut := p.patch(3, "Bob", `[{"op":"set_text","id":"titel","text":"x"}]`); status != 422 || cut.Code != "layer_not_found" {
		t.Errorf("an edit of no layer: %d %+v", status, cut)
	}

	// Each takes back his own.
	for _, author := range []string{"Ada", "Bob"} {
		if status := p.send(http.MethodPost, "/templates/card/draft/undo", map[string]any{"author": author}, nil); status != 200 {
			t.Errorf("%s's undo: %d", author, status)
		}
	}
	if d := p.draft(); d.HTML != cardTemplate || d.Revision != 5 {
		t.Errorf("what is left is revision %d:\n%s", d.Revision, d.HTML)
	}
}

func TestChangeOfOneSizeRendersOnlyThatSize(t *testing.T) {
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, outputs: [ { name: card }, { name: story, size: story } ] } ]
`)
	const rows = 6
	s.write("rows.csv", csvRows(rows, "one"))
	s.write("templates/card.html", strings.NewReplacer(`"h": 200 } }`, `"h": 200 }, "story": { "w": 200, "h": 400 } }`,
		"</head>", "<style id=\"p-size-story\">\n  #title { top: 90px; }\n</style>\n</head>").Replace(cardTemplate))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == rows && null.Count() == 2*rows })

	status, v := p.patch(p.draft().Revision, "Ada", `[{"op":"set_size_override","size":"story","id":"title","property":"top","value":"100px"}]`)
	if status != 200 {
		t.Fatalf("the edit: %d %+v", status, v)
	}
	if f := p.forecast(); f.Images != rows || f.Unchanged != rows {
		t.Errorf("foreseen %+v, want %d of both", f, rows)
	}
	if status, v := p.publish(""); status != 200 || !v.Changed {
		t.Fatalf("published: %d %+v", status, v)
	}
	eventually(t, "the stories are new", func() bool { return null.Count() == 3*rows && p.ready("cards") == rows })
	if f := p.forecast(); f.Unchanged != 2*rows {
		t.Errorf("afterwards %+v is foreseen", f)
	}
}

func TestNameOfALayerRendersNothing(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(3, "one"))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 3 })
	if status, v := p.patch(1, "Ada", `[{"op":"set_attr","id":"title","name":"p-name","value":"The title"}]`); status != 200 {
		t.Fatalf("the edit: %d %+v", status, v)
	}
	if f := p.forecast(); f.Images != 0 || f.Unchanged != 3 {
		t.Errorf("foreseen %+v", f)
	}
	if status, v := p.publish(""); status != 200 || v.Version.Version != 2 {
		t.Fatalf("published: %d %+v", status, v)
	}
	// Planned again, and found to be the same.
	p.edit("title", "Hi {{ title }}")
	if status, _ := p.publish(""); status != 200 {
		t.Fatal("not published")
	}
	eventually(t, "the images are new", func() bool { return null.Count() == 6 && p.ready("cards") == 3 })
}
