package file_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

const patience = 20 * time.Second

// wake listens to the file until the test ends, and returns its hints. The
// first one, which says that it listens, has been taken.
func wake(t *testing.T, path string) <-chan struct{} {
	t.Helper()
	hints := startWake(t, path)
	mustHint(t, hints)
	return hints
}

func startWake(t *testing.T, path string) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	hints, ended := make(chan struct{}, 100), make(chan error, 1)
	waker := newPoller(t, newConfig(path, "id")).(connectors.Waker)
	go func() {
		ended <- waker.Wake(ctx, func() {
			select {
			case hints <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Wake returned %v", err)
		}
	})
	return hints
}

func mustHint(t *testing.T, hints <-chan struct{}) {
	t.Helper()
	select {
	case <-hints:
	case <-time.After(patience):
		t.Fatal("no hint")
	}
}

func mustDo(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func TestFileSwappedByRenameGivesAHint(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	hints := wake(t, path)
	for range 3 { // a watch on the file itself would hear only the first
		mustWrite(t, filepath.Join(dir, "next"), []byte("id\n2\n"))
		mustDo(t, os.Rename(filepath.Join(dir, "next"), path))
		mustHint(t, hints)
	}
}

func TestFolderSwappedBySymlinkGivesAHint(t *testing.T) {
	// As Kubernetes mounts a ConfigMap: rows.csv → ..data/rows.csv, ..data → ..1.
	dir := t.TempDir()
	for _, version := range []string{"..1", "..2"} {
		mustDo(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		mustWrite(t, filepath.Join(dir, version, "rows.csv"), []byte("id\n"+version+"\n"))
	}
	mustDo(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	mustDo(t, os.Symlink("..data/rows.csv", filepath.Join(dir, "rows.csv")))
	hints := wake(t, filepath.Join(dir, "rows.csv"))

	mustDo(t, os.Symlink("..2", filepath.Join(dir, "..tmp")))
	mustDo(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	mustHint(t, hints)
}

func TestFileThatAppearsGivesAHint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	hints := wake(t, path)
	mustWrite(t, path, []byte("id\n1\n"))
	mustHint(t, hints)
	mustDo(t, os.Remove(path))
	mustHint(t, hints)
}

func TestOtherFilesOfTheFolderGiveNoHint(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	hints := wake(t, path)
	for range 50 {
		mustWrite(t, filepath.Join(dir, "other.csv"), []byte("id\n1\n"))
	}
	// A later change that is heard elsewhere shows that the time for a hint is over.
	other := wake(t, filepath.Join(dir, "other.csv"))
	mustWrite(t, filepath.Join(dir, "other.csv"), []byte("id\n2\n"))
	mustHint(t, other)
	if n := len(hints); n > 0 {
		t.Errorf("%d hints for a file that nobody touched", n)
	}
}

func TestSteadyWritesGiveAHintBeforeTheyEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	hints := wake(t, path)
	end := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-hints:
			return
		case <-end:
			t.Fatal("no hint while the file was written")
		case <-tick.C:
			mustWrite(t, path, []byte("id\n1\n"))
		}
	}
}

func TestWritesInOneGoGiveFewHints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	hints := wake(t, path)
	f, err := os.Create(path)
	mustDo(t, err)
	for range 200 {
		_, err := f.WriteString("id\n")
		mustDo(t, err)
	}
	mustDo(t, f.Close())
	mustHint(t, hints)
	// A hint is given per quiet time at most; a busy machine may have had a few.
	if n := len(hints); n > 20 {
		t.Errorf("%d more hints for writes in one go", n)
	}
}
