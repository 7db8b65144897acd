package cures

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	tagLine  = regexp.MustCompile(`^//go:build cure_([a-z0-9_]+)_off\n`)
	testLine = regexp.MustCompile(`(?m)^// Fails: (\./\S+) (Test\w+)$`)
)

// Every switch names a test that there is, and that make mutate can run.
func TestEverySwitchNamesATest(t *testing.T) {
	files, err := filepath.Glob("*_off.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tag := tagLine.FindSubmatch(text)
		if tag == nil || string(tag[1])+"_off.go" != file {
			t.Errorf("%s does not begin with //go:build cure_%s", file, strings.TrimSuffix(file, ".go"))
		}
		named := testLine.FindSubmatch(text)
		if named == nil {
			t.Errorf("%s has no line // Fails: ./package TestName", file)
			continue
		}
		if !has(t, filepath.Join("..", "..", string(named[1])), string(named[2])) {
			t.Errorf("%s: there is no test %s in %s", file, named[2], named[1])
		}
	}
}

func has(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}
