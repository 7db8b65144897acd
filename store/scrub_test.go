package store_test

import (
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/store"
)

// An erasure is noted in its own commit, and until the file was written anew for
// it: also across a restart, and also where it comes while that is done for an
// earlier one.
func TestFileIsWrittenAnewForEachErasure(t *testing.T) {
	ctx := t.Context()
	url := "sqlite:" + filepath.Join(t.TempDir(), "p.db")
	rewritten := 0
	meanwhile := func() {}
	open := func() *store.Store {
		s, err := store.Open(ctx, store.Config{URL: url}, store.Options{Crash: func(point string) {
			if point == "store.rewritten" {
				rewritten++
				meanwhile()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	scrub := func(s *store.Store, want int) {
		t.Helper()
		rewritten = 0
		if done, err := s.Scrub(ctx); err != nil || !done {
			t.Fatalf("done %t, %v", done, err)
		}
		if rewritten != want {
			t.Errorf("the file was written anew %d times, want %d", rewritten, want)
		}
	}
	erase := func(s *store.Store, key string) {
		t.Helper()
		if _, err := s.DeleteRow(ctx, "shop", key, false); err != nil {
			t.Fatal(err)
		}
	}
	s := open()
	scrub(s, 0)
	erase(s, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	meanwhile = func() { erase(s, "b") }
	scrub(s, 1)
	meanwhile = func() {}
	scrub(s, 1)
	scrub(s, 0)
}
