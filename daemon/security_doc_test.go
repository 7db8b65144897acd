package daemon

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var testOfThreat = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")

// Each line of the threat model names a test that there is.
func TestThreatsOfTheDocumentHaveTheirTests(t *testing.T) {
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".cache" || entry.Name() == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(text, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| threat |") {
			continue
		}
		lines++
		names := testOfThreat.FindAllStringSubmatch(line, -1)
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); len(cells) != 3 || len(names) == 0 {
			t.Errorf("no threat, what holds, and test: %s", line)
		}
		for _, m := range names {
			if !there[m[1]] {
				t.Errorf("%s is in docs/security.md and nowhere else: %.60s", m[1], line)
			}
		}
	}
	if lines < 50 {
		t.Errorf("the document has %d threats", lines)
	}
}
