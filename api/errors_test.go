package api

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A slug of which a constant or a marker is in the rooms that answer requests has
// more to say than its answer.
func TestSlugsOfTheAPIAreExplained(t *testing.T) {
	slug := regexp.MustCompile(`\bslug[A-Z]\w*\s*=\s*"([a-z_]{3,})"|WithSlug\("([a-z_]+)"\)`)
	seen := 0
	for _, pattern := range []string{"*.go", "../daemon/refresh.go", "../daemon/asked.go", "../daemon/live.go", "../daemon/vault.go", "../daemon/join.go", "../daemon/hooks.go", "../daemon/resources.go", "../daemon/told.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range slug.FindAllStringSubmatch(string(text), -1) {
				name := m[1] + m[2]
				if name == slugNotFound {
					continue
				}
				if seen++; explanations[name] == "" {
					t.Errorf("%s: %s is not explained: add it to errors.go", file, name)
				}
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d slugs were found", seen)
	}
}
