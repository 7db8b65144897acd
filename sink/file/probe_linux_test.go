package file

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestFolderThatMayNotBeWrittenIsSaid(t *testing.T) {
	// Not unlocked: the thread goes, with what it may not do, when the test ends.
	runtime.LockOSThread()
	dir := t.TempDir()
	for path := dir; path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil { //nolint:gosec // it is the test's own
			t.Fatal(err)
		}
	}
	if err := (&folder{root: filepath.Join(dir, "a")}).Probe(t.Context()); err != nil {
		t.Fatalf("a folder that can be made: %v", err)
	}
	if os.Geteuid() == 0 { // root writes anywhere
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Chmod(dir, 0o500); err != nil { //nolint:gosec // a folder
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = unix.SetfsuidRetUid(os.Geteuid())
		_ = os.Chmod(dir, 0o700) //nolint:gosec // a folder
	})
	if err := (&folder{root: filepath.Join(dir, "a")}).Probe(t.Context()); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("it says %v, want that it can't be written", err)
	}
}
