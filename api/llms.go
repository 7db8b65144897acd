package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/pictifyd/pictifyd/docs"
)

const aboutForModels = `# pictifyd

> Open software that people run themselves: rows change (HTTP, Google Sheets, PostgreSQL, Kafka, files), images are made of HTML templates by Chrome, and their addresses are delivered. This is a running one.

A template is HTML with variables; every change of it is an operation on a draft, and publishing makes a version. A batch makes an image of each of many rows. A binding keeps one image for each row of a source up to date. A sink is told of each new image. Routes want ` + "`Authorization: Bearer KEY`" + ` where keys are configured; errors say what is wrong, where, and what to do.

`

// forModels is what a program that reads finds first: what this is, and where the rest
// stands.
func (s *Server) forModels() string {
	var b strings.Builder
	b.WriteString(aboutForModels)
	b.WriteString("## How to work with it\n\n")
	for _, l := range []struct{ path, name, about string }{
		{"/openapi.json", "OpenAPI", "every route, with types and scopes"},
		{"/docs", "Reference", "the same for people"},
		{agentsPath, "MCP", "tools for agents by the Model Context Protocol (streamable HTTP, POST); `pictifyd mcp` is the same over stdio"},
		{"/operations", "Operations", "by which templates are edited; wants a key"},
		{"/llms-full.txt", "All pages in one", "the documentation as a whole"},
	} {
		fmt.Fprintf(&b, "- [%s](%s%s): %s\n", l.name, s.base, l.path, l.about)
	}
	b.WriteString("\n## Documentation\n\n")
	for _, p := range docs.Pages() {
		fmt.Fprintf(&b, "- [%s](%s/docs/%s): %s\n", p.Title, s.base, p.Name, p.About)
	}
	return b.String()
}

// allForModels is that with the pages themselves.
func (s *Server) allForModels() string {
	var b strings.Builder
	b.WriteString(s.forModels())
	for _, p := range docs.Pages()[1:] { // without the index
		fmt.Fprintf(&b, "\n\n---\n\n<!-- %s/docs/%s -->\n\n%s", s.base, p.Name, p.Text)
	}
	return b.String()
}

func (s *Server) sendForModels(w http.ResponseWriter, r *http.Request) error {
	return sendOne(w, r, newPaper("text/plain; charset=utf-8", []byte(s.forModels())))
}

func (s *Server) sendAllForModels(w http.ResponseWriter, r *http.Request) error {
	return sendOne(w, r, newPaper("text/plain; charset=utf-8", []byte(s.allForModels())))
}

// sendPage sends a page of the documentation.
func (s *Server) sendPage(w http.ResponseWriter, r *http.Request) error {
	p, ok := docs.Find(r.PathValue("page"))
	if !ok {
		return s.noPath(r)
	}
	return sendOne(w, r, newPaper("text/markdown; charset=utf-8", []byte(p.Text)))
}
