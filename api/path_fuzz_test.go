package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
)

// FuzzPlace checks that a path under /b never names a key that is not
// canonical, and that every canonical key is found again by its path.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"cards/SKU-1.png", "cards/a%2Fb/story.jpg", "cards/shoe.v2.png", "a/b/c/d.png", "cards/%zz.png", "cards/,.png", "../..png", "cards/%2E%2E.webp"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, err := parsePlace(path)
		if err == nil {
			if normal, err := bindings.NormalKey(p.key); err != nil || normal != p.key {
				t.Errorf("%q names the key %q, whose normal form is %q, %v", path, p.key, normal, err)
			}
			if contentTypes[p.ext] == "" || strings.Contains(p.output, "/") {
				t.Errorf("%q is %+v", path, p)
			}
		}
		key, err := bindings.CanonicalKey([]any{path})
		if err != nil {
			return
		}
		want := place{binding: "cards", key: key, ext: "png"}
		if got, err := parsePlace("cards/" + key + ".png"); err != nil || got != want {
			t.Errorf("the key %q is read as %+v, %v", key, got, err)
		}
	})
}

// FuzzCanonicalPath checks that an alias never makes a path that can't be read.
func FuzzCanonicalPath(f *testing.F) {
	for _, a := range aliases {
		f.Add(a.from)
	}
	f.Add("/v1//x")
	f.Add("/v1/v1/template/a%2Fb/batch")
	f.Fuzz(func(t *testing.T, path string) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		if _, err := url.PathUnescape(path); err != nil {
			return
		}
		got := canonicalPath(path)
		if _, err := url.PathUnescape(got); err != nil || !strings.HasPrefix(got, "/") {
			t.Errorf("%q leads to %q, %v", path, got, err)
		}
	})
}
