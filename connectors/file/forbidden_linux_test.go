package file_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestForbiddenFileIsAnError(t *testing.T) {
	// Not unlocked: the thread goes, with what it may not do, when the test ends.
	runtime.LockOSThread()
	dir := newDir(t, map[string]string{"a.csv": "id\n1\n", "mine.csv": "id\n1\n"})
	mustDo(t, os.Mkdir(filepath.Join(dir, "mine"), 0o700))
	for path := dir; path != os.TempDir(); path = filepath.Dir(path) {
		mustDo(t, os.Chmod(path, 0o755)) //nolint:gosec // it is the test's own
	}
	mustDo(t, os.Chmod(filepath.Join(dir, "a.csv"), 0o644)) //nolint:gosec // as above
	mustDo(t, os.Chmod(filepath.Join(dir, "mine.csv"), 0))
	mustDo(t, os.Chmod(filepath.Join(dir, "mine"), 0))
	if os.Geteuid() == 0 { // root may read every file
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_, _ = unix.SetfsuidRetUid(os.Geteuid())
		_ = os.Chmod(filepath.Join(dir, "mine"), 0o700) //nolint:gosec // a folder
	})
	for path, word := range map[string]string{"mine.csv": "mine.csv", "*.csv": "mine.csv", "": "mine.csv", "mine/": "mine", "mine/a.csv": "a.csv"} {
		mustFail(t, newPoller(t, newConfig(dir+"/"+path, "id")), word, "may not be read", "the user that runs pictifyd")
	}
}
