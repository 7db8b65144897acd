package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Probe says whether the folder can be written, or made where there is none. It
// makes nothing.
func (f *folder) Probe(context.Context) error {
	for dir := f.root; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue
		case err != nil:
			return problem.New(problem.Surroundings, "look at the folder %s: %w", dir, err)
		case !info.IsDir():
			return problem.New(problem.Surroundings, "%s is no folder", dir).WithHint("name another path, or remove the file")
		case unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil:
			return problem.New(problem.Surroundings, "the folder %s can't be written", dir).WithHint("let the user that runs pictifyd write there")
		}
		return nil
	}
}
