package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/pictifyd/pictifyd/"

// mayImport is ARCHITECTURE.md's table of arrows in a form that can fail. A
// room that is not listed may import nothing of ours. Every room may import
// internal/* and expr.
var mayImport = map[string][]string{
	"bindings":            {"connectors", "experiment", "template", "config"},
	"batch":               {"bindings", "experiment", "template", "config"},
	"connectors":          {"config"},
	"connectors/*":        {"connectors", "connectors/*", "config"},
	"experiment":          {"experiment/*"},
	"experiment/*":        {},
	"examples/sheets/*":   {"connectors/sheets/*"},                                       // serves the emulator
	"render/*":            {"render", "render/*", "render/chrome/*", "assets", "config"}, // Go refuses the circles
	"sink":                {"connectors", "config"},
	"sink/*":              {"sink", "sink/*", "connectors", "connectors/*", "config"},
	"copilot":             {"copilot/*", "render", "template", "template/*"},
	"copilot/*":           {"copilot/*", "render", "template", "template/*"}, // Go refuses the circles
	"copilot/model/*":     {"copilot/model", "copilot/model/*"},
	"copilot/model/rules": {"copilot/model", "template/edit"},      // reads outlines
	"copilot/looktest":    {"copilot/*", "render/*", "template/*"}, // a real Chrome
	"mcp":                 {"docs"},
	"mcp/*":               {"mcp"},
	"template":            {"template/*"},
	"template/*":          {"template", "template/*"}, // Go refuses the circles
	"store":               {"assets", "batch", "bindings", "connectors", "copilot", "experiment", "sink", "template", "template/draft", "config"},
	"store/blob/*":        {"store/blob"},
	"store/*":             {"store", "assets", "batch", "bindings", "connectors", "copilot", "copilot/model", "experiment", "sink", "template", "template/draft", "config"},
	"internal/*":          {"config"}, // a room's Config speaks config's types
	"api":                 {"assets", "batch", "bindings", "config", "connectors", "copilot", "copilot/*", "docs", "experiment", "mcp", "render", "sink", "studio", "template", "template/*"},
	"daemon":              {"*", "*/*", "copilot/model/*"},
	"client":              {"batch"},
	"cmd/pictifyd":        {"client", "daemon", "config", "mcp"},
	"bench":               {"*", "*/*"},
	"bench/*":             {"bench", "bench/*"},

	// What a kind has below it is a room that only the kind itself enters.
	"connectors/kafka":      {"connectors", "connectors/*", "connectors/kafka/*", "config"},
	"connectors/kafka/*":    {"connectors", "connectors/*", "config"},
	"connectors/postgres":   {"connectors", "connectors/*", "connectors/postgres/*", "config"},
	"connectors/postgres/*": {"connectors", "connectors/*", "config"},
}

// everybody may be imported from everywhere.
var everybody = []string{"internal/*", "expr"}

func TestImportsFlowOneWay(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; seen++ {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("decode go list output: %v", err)
		}
		from := strings.TrimPrefix(pkg.ImportPath, module)
		for _, imported := range pkg.Imports {
			if to, ours := strings.CutPrefix(imported, module); ours && !allowed(from, to) {
				t.Errorf("%s imports %s; it may import %v", from, to, rule(from))
			}
		}
	}
	if seen < 15 {
		t.Errorf("saw only %d packages", seen)
	}
}

func TestArrowsRefuseWhatTheyShould(t *testing.T) {
	for _, arrow := range [][2]string{
		{"render", "bindings"}, {"api", "store"}, {"api", "render/chrome"}, {"bindings", "store"},
		{"connectors/file", "template"}, {"template", "render"}, {"store", "daemon"}, {"assets", "template"},
		{"experiment", "store"}, {"experiment/stats", "experiment"},
	} {
		if allowed(arrow[0], arrow[1]) {
			t.Errorf("%s may import %s", arrow[0], arrow[1])
		}
	}
}

func allowed(from, to string) bool {
	for _, pattern := range append(rule(from), everybody...) {
		if ok, _ := path.Match(pattern, to); ok && to != "daemon" && to != "api" || ok && (from == "cmd/pictifyd" || from == "daemon") {
			return true
		}
	}
	return false
}

// rule is the most exact rule for a room.
func rule(from string) []string {
	if r, ok := mayImport[from]; ok {
		return r
	}
	return mayImport[path.Dir(from)+"/*"]
}
