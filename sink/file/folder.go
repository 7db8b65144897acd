package file

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/paths"
)

// The slugs of deliveries that wait for the machine's owner.
const (
	DiskFull      = "disk_full"
	FolderRefused = "folder_refused" // it may not be written
	PathTaken     = "path_taken"     // something else is where the file or its folder should be
)

// folder is where the pictures go.
type folder struct {
	root string
	path *paths.Path
	open func(ctx context.Context, hash string) (io.ReadCloser, error)
}

// Deliver writes the pictures of d, or removes them. Outputs without a picture
// leave what is there, and so do events that are not about a row.
func (f *folder) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	if d.Key == "" || d.Event != sink.ImageRemoved && len(d.Outputs) == 0 {
		return sink.Receipt{}, nil
	}
	each, err := f.path.Each(d)
	if err != nil {
		return sink.Receipt{}, err
	}
	return sink.Receipt{Ref: strings.Join(slices.DeleteFunc(slices.Clone(each), func(p string) bool { return p == "" }), ", ")}, f.put(ctx, d, each)
}

// Test writes the pictures of d, and removes them, also those that were written
// before a fault.
func (f *folder) Test(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	receipt, err := f.Deliver(ctx, d)
	d.Event = sink.ImageRemoved
	_, left := f.Deliver(context.WithoutCancel(ctx), d)
	return receipt, cmp.Or(err, left)
}

func (f *folder) put(ctx context.Context, d sink.Delivery, paths []string) error {
	if err := os.MkdirAll(f.root, 0o755); err != nil {
		return surroundings(err)
	}
	root, err := os.OpenRoot(f.root)
	if err != nil {
		return surroundings(err)
	}
	defer root.Close()
	for i, o := range d.Outputs {
		if paths[i] == "" {
			continue
		}
		if err := f.apply(ctx, root, d, o, paths[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) apply(ctx context.Context, root *os.Root, d sink.Delivery, o sink.Output, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.Event == sink.ImageRemoved {
		return surroundings(remove(root, path))
	}
	r, err := f.open(ctx, o.Hash)
	if err != nil {
		return fmt.Errorf("open picture of output %q: %w", o.Name, err)
	}
	defer r.Close()
	return surroundings(write(root, path, temporaryName(d, o), r))
}

// remove removes the picture at path. A folder there is none, and somebody else's.
func remove(root *os.Root, path string) error {
	info, err := root.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), err == nil && info.IsDir():
		return nil
	case err != nil:
		return err
	}
	if err := root.Remove(path); err != nil {
		return ignoreMissing(err)
	}
	return syncFolders(root, filepath.Dir(path))
}

// temporaryName is the same at every try, so that a try that was killed leaves
// nothing behind once the next one is through.
func temporaryName(d sink.Delivery, o sink.Output) string {
	sum := sha256.Sum256([]byte(d.ID + "\x00" + o.Name))
	return ".pictifyd-" + hex.EncodeToString(sum[:12])
}

// write gives path the bytes of r, all of them or none.
func write(root *os.Root, path, temporary string, r io.Reader) error {
	dir := filepath.Dir(path)
	temporary = filepath.Join(dir, temporary)
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := fill(root, temporary, r); err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(temporary)))
	}
	if err := root.Rename(temporary, path); err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(temporary)))
	}
	return syncFolders(root, dir)
}

// fill writes r to a new file; what a try that was killed left there, or a link that
// somebody put there, is no part of it.
func fill(root *os.Root, path string, r io.Reader) error {
	if err := ignoreMissing(root.Remove(path)); err != nil {
		return err
	}
	file, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// syncFolders makes the names in dir durable, and dir itself where it is new.
func syncFolders(root *os.Root, dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		opened, err := root.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(opened.Sync(), opened.Close()); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
	}
}

// surroundings says of what only the machine's owner can cure what it is.
func surroundings(err error) error {
	switch {
	case isOneOf(err, syscall.ENOSPC, syscall.EDQUOT):
		return problem.New(problem.Surroundings, "the disk is full: %w", err).WithSlug(DiskFull).
			WithHint("free some space; the delivery is tried again")
	case isOneOf(err, syscall.EROFS, syscall.EACCES, syscall.EPERM):
		return problem.New(problem.Surroundings, "the folder can't be written: %w", err).WithSlug(FolderRefused).
			WithHint("let the user that runs pictifyd write there; the delivery is tried again")
	case isOneOf(err, syscall.ENOTDIR, syscall.EISDIR, syscall.EEXIST, syscall.ENOTEMPTY):
		return problem.New(problem.Surroundings, "something else is in the way: %w", err).WithSlug(PathTaken).
			WithHint("move it away; the delivery is tried again")
	}
	return err
}

func isOneOf(err error, numbers ...syscall.Errno) bool {
	return slices.ContainsFunc(numbers, func(n syscall.Errno) bool { return errors.Is(err, n) })
}
