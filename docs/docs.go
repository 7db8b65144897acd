// Package docs embeds the documentation, so that a daemon serves the pages of its own
// version.
package docs

import (
	"embed"
	"io/fs"
	"strings"
	"sync"
)

//go:embed *.md
var files embed.FS

// A Page is one page of the documentation.
type Page struct {
	Name  string // its file: keys.md
	Title string
	About string // what it is about, as the index says; Markdown without links
	Text  string // Markdown
}

// Pages are all pages, in the order of the index, which is the first.
var Pages = sync.OnceValue(func() []Page {
	index := text("README.md")
	pages := []Page{{Name: "README.md", Title: titleOf(index), About: "what pages there are", Text: index}}
	known := map[string]bool{"README.md": true}
	for line := range strings.Lines(index) {
		links := strings.Split(line, "](")
		for _, link := range links[min(1, len(links)):] {
			name, rest, _ := strings.Cut(link, ")")
			if known[name] || text(name) == "" {
				continue
			}
			known[name] = true
			about, _, _ := strings.Cut(strings.TrimPrefix(rest, ": "), "; [")
			pages = append(pages, Page{Name: name, Title: titleOf(text(name)), About: strings.TrimSpace(about), Text: text(name)})
		}
	}
	return pages
})

// Find is the page of a file's name.
func Find(name string) (Page, bool) {
	for _, p := range Pages() {
		if p.Name == name {
			return p, true
		}
	}
	return Page{}, false
}

func text(name string) string {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return ""
	}
	return string(data)
}

func titleOf(page string) string {
	line, _, _ := strings.Cut(page, "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "# "))
}
