//go:build !nostudio

package studio

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	reference = regexp.MustCompile(`(?:src|href)="/studio/([^"]+)"`)
	inline    = regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script(?:[^>]*)>[^<]|javascript:`)
)

// pages are the files that a browser opens by themselves, with where what they
// refer to is.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for root, files := range map[string]fs.FS{"door": Door, "dist": App} {
		names, err := fs.Glob(files, root+"/*.html")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(data)
		}
	}
	if len(texts) < 4 {
		t.Fatalf("only %d pages", len(texts))
	}
	return texts
}

func TestPagesReferOnlyToOurOwnFiles(t *testing.T) {
	for name, text := range pages(t) {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			_, inDoor := fs.Stat(Door, path.Join("door", m[1]))
			_, inApp := fs.Stat(App, path.Join("dist", m[1]))
			if inDoor != nil && inApp != nil {
				t.Errorf("%s refers to %s, which is in neither folder", name, m[1])
			}
		}
		if strings.Contains(text, "https://") || strings.Contains(text, `"//`) {
			t.Errorf("%s refers to another server", name)
		}
	}
}

func TestPagesNeedNoInlineScriptOrStyle(t *testing.T) {
	for name, text := range pages(t) {
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s holds %q, which the page's policy blocks", name, found)
		}
	}
}
