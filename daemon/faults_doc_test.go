package daemon

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var namedTest = regexp.MustCompile("`((?:Test|Benchmark)[A-Za-z0-9]+)`")

func TestFaultsOfTheDocumentHaveTheirTests(t *testing.T) {
	page, err := os.ReadFile("../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("../*/*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	deepest, err := filepath.Glob("../*/*/*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range slices.Concat(files, deeper, deepest) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	names := namedTest.FindAllStringSubmatch(string(page), -1)
	if len(names) < 50 {
		t.Errorf("the document names %d tests", len(names))
	}
	for _, m := range names {
		if !strings.Contains(code.String(), "func "+m[1]+"(") {
			t.Errorf("%s is in docs/faults.md and nowhere else", m[1])
		}
	}
}
