package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What somebody sends is held against a secret by hmac.Equal or subtle, or looked up
// by its digest: == takes the longer the more of it is right.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	plain := regexp.MustCompile(`Reveal\(\)\s*[!=]=\s*[^"\s]|[!=]=\s*[\w.\[\]()]*\.Reveal\(\)|bytes\.Equal\([^)]*(mac|MAC|sig)`)
	files, constant := 0, 0
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".cache" || entry.Name() == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "secret.go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		constant += strings.Count(string(text), "hmac.Equal(") + strings.Count(string(text), "subtle.ConstantTimeCompare(")
		for line := range strings.Lines(string(text)) {
			if plain.MatchString(line) {
				t.Errorf("%s compares a secret: %s", path, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil || files < 500 || constant < 4 {
		t.Errorf("%d files with %d comparisons in constant time, %v", files, constant, err)
	}
}
