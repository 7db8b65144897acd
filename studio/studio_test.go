package studio

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	reference = regexp.MustCompile(`(?:src|href)="(/studio/[^"]+)"|from '(\./[^']+)'`)
	inline    = regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script(?:[^>]*)>[^<]|javascript:`)
)

func TestPageRefersOnlyToItsOwnFiles(t *testing.T) {
	err := fs.WalkDir(Files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(Files, name)
		if err != nil {
			return err
		}
		for _, m := range reference.FindAllStringSubmatch(string(data), -1) {
			if _, err := fs.Stat(Files, "page/"+path.Base(m[1]+m[2])); err != nil {
				t.Errorf("%s refers to %s: %v", name, m[0], err)
			}
		}
		if strings.Contains(string(data), "https://") || strings.Contains(string(data), "//cdn") {
			t.Errorf("%s refers to another server", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPageNeedsNoInlineScriptOrStyle(t *testing.T) {
	for _, name := range []string{"page/index.html", "page/login.html"} {
		data, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		if found := inline.FindString(string(data)); found != "" {
			t.Errorf("%s holds %q, which the page's policy blocks", name, found)
		}
	}
}
