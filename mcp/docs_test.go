package mcp

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of tools into docs/mcp.md")

var toolTable = regexp.MustCompile(`(?s)<!-- tools -->\n.*<!-- /tools -->`)

func TestDocsListEveryTool(t *testing.T) {
	const path = "../docs/mcp.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("<!-- tools -->\n| tool | what it does | | scopes |\n|---|---|---|---|\n")
	for _, tool := range Tools() {
		what, _, _ := strings.Cut(strings.TrimSuffix(tool.Description, untrusted), ". ")
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", tool.Name, strings.ReplaceAll(strings.TrimSuffix(what, "."), "|", `\|`), tool.Effect, strings.Join(tool.Scopes, "`, `"))
	}
	b.WriteString("<!-- /tools -->")
	want := toolTable.ReplaceAllLiteralString(string(page), b.String())
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatal("docs/mcp.md has other tools; go test ./mcp -run Docs -update writes them")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
