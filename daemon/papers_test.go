package daemon

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var links = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

// mustLinks are the paths, from the repository, that a page links to.
func mustLinks(t *testing.T, page string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", page))
	if err != nil {
		t.Fatal(err)
	}
	to := map[string]bool{}
	for _, m := range links.FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(m[1], ":") { // else it is of the web
			to[filepath.Join(filepath.Dir(page), m[1])] = true
		}
	}
	return to
}

// pages are the papers that people read, from the repository.
func pages(t *testing.T, patterns ...string) (found []string) {
	t.Helper()
	for _, p := range patterns {
		paths, err := filepath.Glob(filepath.Join("..", p))
		if err != nil || len(paths) == 0 {
			t.Fatalf("nothing is %s: %v", p, err)
		}
		for _, path := range paths {
			found = append(found, strings.TrimPrefix(path, "../"))
		}
	}
	return found
}

func TestLinksOfThePapersLeadSomewhere(t *testing.T) {
	for _, page := range pages(t, "*.md", "docs/*.md", "examples/*.md", "examples/*/README.md", "bench/README.md") {
		for to := range mustLinks(t, page) {
			if _, err := os.Stat(filepath.Join("..", to)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, to)
			}
		}
	}
}

// Whoever reads on finds every page and every example from the README.
func TestEveryPageAndExampleIsListed(t *testing.T) {
	first := mustLinks(t, "README.md")
	docs, examples := mustLinks(t, "docs/README.md"), mustLinks(t, "examples/README.md")
	if !first["docs/README.md"] || !first["examples/README.md"] {
		t.Error("the README links to no list of pages, or of examples")
	}
	for _, page := range pages(t, "docs/*.md") {
		if page != "docs/README.md" && !docs[page] {
			t.Errorf("docs/README.md does not list %s", page)
		}
	}
	for _, config := range pages(t, "examples/*/pictifyd.yaml") {
		if folder := filepath.Dir(config); !examples[folder] {
			t.Errorf("examples/README.md does not list %s", folder)
		}
	}
}
