package blob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestRemoveTakesWhatNobodyPutSince(t *testing.T) {
	f := mustOpen(t, t.TempDir(), Options{})
	hash := mustPut(t, f, "picture")
	old := time.Now().Add(-2 * time.Hour)
	before := time.Now().Add(-time.Hour)
	if freed, left, err := f.Remove(t.Context(), hash, before); freed != 0 || !left || err != nil {
		t.Errorf("young bytes: %d freed, left %v, %v", freed, left, err)
	}
	if err := os.Chtimes(f.path(hash), old, old); err != nil {
		t.Fatal(err)
	}
	mustPut(t, f, "picture") // is there, and counts as put now
	if _, left, err := f.Remove(t.Context(), hash, before); !left || err != nil {
		t.Errorf("bytes that were put again: left %v, %v", left, err)
	}
	if err := os.Chtimes(f.path(hash), old, old); err != nil {
		t.Fatal(err)
	}
	if freed, left, err := f.Remove(t.Context(), hash, before); freed != 7 || left || err != nil {
		t.Errorf("old bytes: %d freed, left %v, %v", freed, left, err)
	}
	if _, _, err := f.Open(t.Context(), hash); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("afterwards: %v", err)
	}
	for _, gone := range []string{hash, "../secret", ""} {
		if freed, left, err := f.Remove(t.Context(), gone, time.Now()); freed != 0 || left || err != nil {
			t.Errorf("%q: %d freed, left %v, %v", gone, freed, left, err)
		}
	}
}

func TestWalkSeesEverythingOnceInOrder(t *testing.T) {
	f := mustOpen(t, t.TempDir(), Options{})
	var data [][]byte
	for i := range walkPage + 20 {
		data = append(data, fmt.Append(nil, i))
	}
	want, err := f.PutMany(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path(want[0])+".part", nil, 0o644); err != nil { // of somebody else
		t.Fatal(err)
	}
	var seen []string
	if err := f.Walk(t.Context(), func(page []File) error {
		for _, file := range page {
			seen = append(seen, file.Hash)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if !slices.Equal(seen, want) {
		t.Errorf("%d files seen, want %d in order", len(seen), len(want))
	}
	stop := errors.New("stop")
	if err := f.Walk(t.Context(), func([]File) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visitor's error came back as %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Walk(ended, func([]File) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
