package file

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
	"slices"
	"strings"
	"syscall"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/paths"
)

// DiskFull is the slug of a delivery that waits for space.
const DiskFull = "disk_full"

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
		err := root.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = syncFolders(root, filepath.Dir(path))
		}
		return surroundings(err)
	}
	r, err := f.open(ctx, o.Hash)
	if err != nil {
		return fmt.Errorf("open picture of output %q: %w", o.Name, err)
	}
	defer r.Close()
	return surroundings(write(root, path, temporaryName(d, o), r))
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

func fill(root *os.Root, path string, r io.Reader) error {
	file, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
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
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return problem.New(problem.Surroundings, "the disk is full: %w", err).WithSlug(DiskFull).
			WithHint("free some space; the delivery is tried again")
	}
	return err
}
