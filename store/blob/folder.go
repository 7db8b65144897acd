package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of this package's problems.
const (
	NotFound = "blob_not_found"
	DiskFull = "disk_full"
)

// Options are the choices of a Folder. The zero value is right for a daemon.
type Options struct {
	// create makes a new file; tests put a failing one here.
	create func(path string) (file, error)
}

// A file is what is written: *os.File.
type file interface {
	io.WriteCloser
	Sync() error
}

// A Folder keeps bytes by their hash. It is safe for concurrent use, and
// several processes may use one folder.
type Folder struct {
	root   string
	lock   *os.File
	create func(path string) (file, error)
	names  names
	claims claims
}

// OpenFolder makes the folder that url names if it is missing, and removes the
// temporary files that a process killed while writing has left. A relative path
// in url is relative to dir.
func OpenFolder(url, dir string, o Options) (*Folder, error) {
	root, invalid := folderOf(url, dir)
	if invalid != nil {
		return nil, invalid
	}
	f := &Folder{root: root, create: o.create, names: names{unsynced: make(map[string]bool)}}
	if f.create == nil {
		f.create = createFile
	}
	if err := f.makeRoot(); err != nil {
		return nil, surroundings("make image folder", err)
	}
	if err := f.hold(); err != nil {
		return nil, surroundings("open image folder", err)
	}
	return f, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.lock.Close() }

// Temporary implements Store: what a dead process has left there is swept by the
// next OpenFolder.
func (f *Folder) Temporary() string { return f.temporary() }

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// temporary is the folder of unfinished files: below the root, since a rename
// works within one filesystem only.
func (f *Folder) temporary() string { return filepath.Join(f.root, "tmp") }

func (f *Folder) makeRoot() error {
	if err := f.makeFolders(f.temporary()); err != nil {
		return err
	}
	return f.names.sync(map[string]bool{f.temporary(): true})
}

// hold sweeps unless another process is here, whose unfinished files would go
// with the leftovers, and says to others that we are.
func (f *Folder) hold() error {
	lock, err := os.Open(f.temporary())
	if err != nil {
		return err
	}
	if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		err = f.sweep()
	}
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_SH)
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	f.lock = lock
	return nil
}

func (f *Folder) sweep() error {
	leftovers, err := os.ReadDir(f.temporary())
	if err != nil {
		return err
	}
	for _, entry := range leftovers {
		if err := os.Remove(filepath.Join(f.temporary(), entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Open implements Store.
func (f *Folder) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	if !valid(hash) {
		return nil, 0, missing(hash)
	}
	opened, err := os.Open(f.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, missing(hash)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open blob: %w", err)
	}
	info, err := opened.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open blob: %w", err), opened.Close())
	}
	return opened, info.Size(), nil
}

// Verify implements Store.
func (f *Folder) Verify(ctx context.Context, hash string) error {
	r, _, err := f.Open(ctx, hash)
	if err != nil {
		return err
	}
	defer r.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, r); err != nil {
		return fmt.Errorf("read blob %s: %w", hash, err)
	}
	if hex.EncodeToString(digest.Sum(nil)) == hash {
		return nil
	}
	if err := os.Remove(f.path(hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove damaged blob %s: %w", hash, err)
	}
	return missing(hash)
}

// Free implements Store.
func (f *Folder) Free() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(f.root, &s); err != nil {
		return 0, fmt.Errorf("ask free space of %q: %w", f.root, err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// path is two levels of folders above the hash, so that none grows without bound.
func (f *Folder) path(hash string) string {
	return filepath.Join(f.root, hash[:2], hash[2:4], hash)
}

// valid keeps anything but a hash from becoming a path.
func valid(hash string) bool {
	if len(hash) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(hash) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func missing(hash string) error {
	return problem.New(problem.NotFound, "no bytes are kept under %.64q", hash).WithSlug(NotFound)
}

// surroundings turns what only the machine's owner can cure into a problem.
func surroundings(doing string, err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return problem.New(problem.Surroundings, "%s: the disk is full: %w", doing, err).
			WithSlug(DiskFull).WithHint("free some space, or move blobs.url to a larger disk; the work goes on by itself")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		return problem.New(problem.Surroundings, "%s: %w", doing, err).WithHint("give the daemon's user the right to write there")
	}
	return fmt.Errorf("%s: %w", doing, err)
}
