package docs

import (
	"io/fs"
	"strings"
	"testing"
)

func TestEveryPageIsInTheIndex(t *testing.T) {
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		p, ok := Find(name)
		if !ok {
			t.Errorf("docs/README.md does not name %s", name)
			continue
		}
		if p.Title == "" || p.About == "" || !strings.HasPrefix(p.Text, "# ") {
			t.Errorf("%s: title %q, about %q", name, p.Title, p.About)
		}
	}
	if got, want := len(Pages()), len(names); got != want {
		t.Errorf("%d pages, %d files", got, want)
	}
}

func TestThereIsNoPageOfAnotherName(t *testing.T) {
	for _, name := range []string{"", "docs.go", "../README.md", "none.md", "screenshots"} {
		if p, ok := Find(name); ok {
			t.Errorf("%q is the page %q", name, p.Title)
		}
	}
}
