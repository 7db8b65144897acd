package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A template goes when nothing uses it, with its file where the folder is
// pictifyd's to write, and another one may have its name.
func TestTemplateIsRetired(t *testing.T) {
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name } } ]
`)
	s.write("rows.csv", csvRows(1, "one"))
	p := s.start()
	if text := p.mustSend(409, "DELETE", "/templates/card", ""); !strings.Contains(text, "is used by cards") {
		t.Error(text)
	}
	p.mustSend(201, "POST", "/templates", `{"name":"poster","html":"<!doctype html>\n<p>{{ title }}</p>\n"}`)
	file := filepath.Join(s.dir, "templates", "poster.html")
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	p.mustSend(200, "POST", "/templates/poster/render", `{"variables":{"title":"a"}}`)
	p.mustSend(204, "DELETE", "/templates/poster", "")
	p.mustSend(404, "GET", "/templates/poster", "")
	p.mustSend(404, "POST", "/templates/poster/render", `{"variables":{"title":"a"}}`)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
	p.mustSend(201, "POST", "/templates", `{"name":"poster","html":"<!doctype html>\n<p>another {{ title }}</p>\n"}`)
	if text := p.mustSend(200, "POST", "/templates/poster/render", `{"variables":{"title":"a"}}`); strings.Contains(text, `"cached":true`) {
		t.Errorf("another template of the name gave the picture of the first: %s", text)
	}
}

func TestTemplateOfAFolderThatIsNotOursIsNotRetired(t *testing.T) {
	s := newSite(t, "")
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "templates: templates", "templates: { path: templates, write: false }", 1))
	p := s.start()
	if text := p.mustSend(409, "DELETE", "/templates/card", ""); !strings.Contains(text, "card.html") {
		t.Error(text)
	}
	if err := os.Remove(filepath.Join(s.dir, "templates", "card.html")); err != nil {
		t.Fatal(err)
	}
	p.mustSend(204, "DELETE", "/templates/card", "")
	p.mustSend(404, "GET", "/templates/card", "")
}

// A daemon that is killed between the file and the commit has the template still,
// and nothing makes it anew once it is deleted.
func TestRetiringSurvivesKill(t *testing.T) {
	s := newSite(t, "")
	p := s.start(childCrash + "=template.unfiled:1")
	_, _ = p.ask("DELETE", "/templates/card", "")
	p.mustDie("template.unfiled")
	p = s.start()
	p.mustSend(200, "GET", "/templates/card", "")
	p.mustSend(204, "DELETE", "/templates/card", "")
	if code := p.terminate(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	s.start().mustSend(404, "GET", "/templates/card", "")
}
