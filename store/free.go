package store

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// Free is the number of bytes that can still be written on the disk of an
// embedded store. That of a server is the server's matter, and without end.
func (s *Store) Free() (int64, error) {
	if s.folder == "" {
		return math.MaxInt64, nil
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(s.folder, &fs); err != nil {
		return 0, fmt.Errorf("ask free space of %q: %w", s.folder, err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}
