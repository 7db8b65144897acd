package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func FuzzDecode(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("find seeds: %d found, %v", len(paths), err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 4096 {
			return // the parser's time grows with the square of a text
		}
		s := defaults()
		n, err := config.Parse("fuzz.yaml", src, options())
		if err == nil {
			before := n.Digest()
			err = n.Decode(&s)
			if after := n.Digest(); after != before {
				t.Errorf("decoding changed the digest from %s to %s", before, after)
			}
		}
		lines := strings.Count(string(src), "\n") + strings.Count(string(src), "\r") + 1
		for _, p := range problem.All(err) {
			if p.Pos.File != "fuzz.yaml" || p.Pos.Line < 1 || p.Pos.Line > lines || p.Pos.Column < 1 || p.Code == problem.Internal {
				t.Errorf("problem %v of code %s is not in the %d lines of\n%s", p, p.Code, lines, src)
			}
			if strings.Contains(p.Error(), envToken) || strings.Contains(p.Error(), fileToken) {
				t.Errorf("problem %v shows a secret", p)
			}
		}
	})
}
