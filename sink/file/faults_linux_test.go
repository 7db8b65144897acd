package file_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/file"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// newDisk is a filesystem of 256 KiB.
func newDisk(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		tb.Skipf("needs the right to mount a small filesystem: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			tb.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// wantFault wants an error that a person can cure, and that is tried again.
func wantFault(tb testing.TB, err error, slug string) {
	tb.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != slug || p.Code != problem.Surroundings || p.Hint == "" || retry.IsPermanent(err) {
		tb.Errorf("error = %v, want a %s with a hint, not permanent", err, slug)
	}
}

func mustDeliver(tb testing.TB, s sink.Sink, d sink.Delivery) {
	tb.Helper()
	if _, err := s.Deliver(tb.Context(), d); err != nil {
		tb.Fatalf("deliver generation %d of %q: %v", d.Generation, d.Key, err)
	}
}

func wantFiles(tb testing.TB, dir string, want map[string]string) {
	tb.Helper()
	if got := filesIn(tb, dir); !equal(got, want) {
		tb.Errorf("files = %v, want %v", got, want)
	}
}

func removal(key string, generation int64) sink.Delivery {
	d := sinktest.Completed(key, generation)
	d.Event = sink.ImageRemoved
	return d
}

func TestFullDiskKeepsTheOldPictureAndIsWaitedFor(t *testing.T) {
	dir := newDisk(t)
	s := mustSink(t, dir, usualPath)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	for range 3 {
		_, err := s.Deliver(t.Context(), sinktest.Completed("a", 2))
		wantFault(t, err, file.DiskFull)
	}
	wantFiles(t, filepath.Join(dir, "out"), map[string]string{"a-card.png": "hash-1"})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	mustDeliver(t, s, sinktest.Completed("a", 2))
	wantFiles(t, dir, map[string]string{"out/a-card.png": "hash-2"})
}

func TestFolderThatIsReadOnlyIsWaitedFor(t *testing.T) {
	dir := newDisk(t)
	s := mustSink(t, dir, usualPath)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	remount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	for _, d := range []sink.Delivery{sinktest.Completed("a", 2), sinktest.Completed("b", 1), removal("a", 2)} {
		_, err := s.Deliver(t.Context(), d)
		wantFault(t, err, file.FolderRefused)
	}
	mustDeliver(t, s, removal("never", 1)) // there is nothing to do
	remount(0)
	mustDeliver(t, s, sinktest.Completed("a", 2))
	wantFiles(t, dir, map[string]string{"out/a-card.png": "hash-2"})
}

func TestFolderThatWasRemovedIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	s := mustSink(t, dir, "out/{{ key }}/card.png")
	mustDeliver(t, s, sinktest.Completed("a", 1))
	if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	mustDeliver(t, s, removal("a", 2))
	mustDeliver(t, s, sinktest.Completed("a", 3))
	wantFiles(t, dir, map[string]string{"out/a/card.png": "hash-3"})
}

func TestFolderInThePlaceOfAFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	s := mustSink(t, dir, usualPath)
	taken := filepath.Join(dir, "out", "a-card.png")
	if err := os.MkdirAll(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // an empty one, and one with somebody's file
		_, err := s.Deliver(t.Context(), sinktest.Completed("a", 1))
		wantFault(t, err, file.PathTaken)
		mustDeliver(t, s, removal("a", 2))
		if info, err := os.Stat(taken); err != nil || !info.IsDir() {
			t.Fatalf("the folder: %v, %v", info, err)
		}
		if err := os.WriteFile(filepath.Join(taken, "mine"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantFiles(t, dir, map[string]string{"out/a-card.png/mine": "?"})
	if err := os.RemoveAll(taken); err != nil {
		t.Fatal(err)
	}
	mustDeliver(t, s, sinktest.Completed("a", 1))
}

func TestFileInThePlaceOfAFolderIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	s := mustSink(t, dir, "out/{{ key }}/card.png")
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "out", "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Deliver(t.Context(), sinktest.Completed("a", 1))
	wantFault(t, err, file.PathTaken)
	mustDeliver(t, s, removal("a", 2))
	mustDeliver(t, s, sinktest.Completed("b", 1))
	wantFiles(t, dir, map[string]string{"out/a": "?", "out/b/card.png": "hash-1"})
	_, err = mustSink(t, dir, "out/a/below/{{ key }}.png").Deliver(t.Context(), sinktest.Completed("a", 1))
	wantFault(t, err, file.PathTaken)
}

// A link where the picture goes is replaced, and what it leads to stays as it is;
// the same where a try writes first.
func TestLinkInThePlaceOfAFileIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	for _, path := range []string{outside, filepath.Join(dir, "inside")} {
		if err := os.WriteFile(path, []byte("picture of somebody"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := mustSink(t, dir, "out/{{ key }}.png")
	mustDeliver(t, s, sinktest.Completed("b", 1))
	var temporary string
	watching := mustSinkWith(t, dir, "out/{{ key }}.png", watchFor(func() { temporary = temporaryIn(t, filepath.Join(dir, "out")) }))
	mustDeliver(t, watching, sinktest.Completed("a", 1))
	link := func(to, name string) {
		t.Helper()
		os.Remove(filepath.Join(dir, "out", name))
		if err := os.Symlink(to, filepath.Join(dir, "out", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []string{outside, "b.png", "/nonexistent"} {
		link(to, "a.png")
		link(to, temporary)
		mustDeliver(t, s, sinktest.Completed("a", 1))
		wantFiles(t, dir, map[string]string{"out/a.png": "hash-1", "out/b.png": "hash-1", "inside": "of somebody"})
		link(to, "a.png")
		mustDeliver(t, s, removal("a", 2))
		wantFiles(t, dir, map[string]string{"out/b.png": "hash-1", "inside": "of somebody"})
	}
	if left, err := os.ReadFile(outside); err != nil || string(left) != "picture of somebody" {
		t.Errorf("outside: %q, %v", left, err)
	}
}

// The folder itself is the operator's, who may have it elsewhere.
func TestFolderThatIsALinkIsFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	mustDeliver(t, mustSink(t, dir, usualPath), sinktest.Completed("a", 1))
	wantFiles(t, elsewhere, map[string]string{"a-card.png": "hash-1"})
	if err := os.Remove(elsewhere); err == nil || os.RemoveAll(elsewhere) != nil {
		t.Fatal("the folder was empty")
	}
	_, err := mustSink(t, dir, usualPath).Deliver(t.Context(), sinktest.Completed("a", 2))
	wantFault(t, err, file.PathTaken) // a link to nowhere
}

// watchFor opens pictures that call back at their end.
func watchFor(f func()) func(context.Context, string) (io.ReadCloser, error) {
	return func(_ context.Context, hash string) (io.ReadCloser, error) {
		return halfway{io.MultiReader(bytes.NewReader(sinktest.Picture(hash)), watch(f))}, nil
	}
}

func temporaryIn(tb testing.TB, dir string) string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".pictifyd-") {
			return e.Name()
		}
	}
	tb.Fatal("there is no temporary file")
	return ""
}
