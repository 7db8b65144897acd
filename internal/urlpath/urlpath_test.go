package urlpath_test

import (
	"testing"

	"github.com/pictifyd/pictifyd/internal/urlpath"
)

func TestClimbs(t *testing.T) {
	for path, want := range map[string]bool{
		"":                   false,
		"/a/b":               false,
		"/a/..b/c..":         false,
		"/a/...":             false,
		"/a%2Fb":             false,
		"/a/100%":            false, // not encoded well: it is what it says
		"/a/../b":            true,
		"/a/./b":             true,
		"/a/..":              true,
		"/a/%2e%2E/b":        true,
		"/a/%252e%252e/b":    true,
		"/a/..%2Fb":          true,
		`/a/..\b`:            true,
		"/a%5C..%5Cb":        true,
		"/a/..;x=1/b":        true,
		"/a/%25252e%25252e/": true,
	} {
		if got := urlpath.Climbs(path); got != want {
			t.Errorf("%q climbs: %v, want %v", path, got, want)
		}
	}
}
