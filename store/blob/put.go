package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// syncs is how many syncs are asked for at a time. The filesystem answers those
// that wait together with one write of its journal.
const syncs = 16

// Put implements Store.
func (f *Folder) Put(ctx context.Context, data []byte) (string, error) {
	hashes, err := f.PutMany(ctx, [][]byte{data})
	if err != nil {
		return "", err
	}
	return hashes[0], nil
}

// PutMany implements Store. A full disk is a problem with the slug DiskFull, and
// another call may succeed once there is space.
func (f *Folder) PutMany(ctx context.Context, data [][]byte) ([]string, error) {
	hashes := make([]string, len(data))
	batch := chunk{folder: f, wanted: make(map[string]bool)}
	defer batch.discard()
	for i, d := range data {
		sum := sha256.Sum256(d)
		hashes[i] = hex.EncodeToString(sum[:])
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := batch.write(hashes[i], d); err != nil {
			return nil, surroundings("write blob", err)
		}
	}
	if err := batch.commit(); err != nil {
		return nil, surroundings("write blob", err)
	}
	return hashes, nil
}

// A chunk is the files of one PutMany, from their first byte to the sync of
// their folders.
type chunk struct {
	folder *Folder
	wanted map[string]bool // the paths that the caller may rely on afterwards
	parts  []part
}

// A part is a file under its temporary name.
type part struct {
	temporary string
	path      string
	file      file // nil once it is closed
}

func (c *chunk) write(hash string, data []byte) error {
	path := c.folder.path(hash)
	if c.wanted[path] {
		return nil
	}
	c.wanted[path] = true
	if had, err := c.folder.renew(hash, len(data)); had || err != nil {
		return err
	}
	p := part{temporary: filepath.Join(c.folder.temporary(), rand.Text()), path: path}
	var err error
	if p.file, err = c.folder.create(p.temporary); err != nil {
		return err
	}
	c.parts = append(c.parts, p)
	_, err = p.file.Write(data)
	return err
}

// renew reports whether bytes of that size are kept under hash, and makes them
// as young as if they were written now, so that no Remove takes them from this
// caller. A file of another length was cut by something other than us, and is
// written anew.
func (f *Folder) renew(hash string, size int) (had bool, err error) {
	lock := f.claims.of(hash)
	lock.Lock()
	defer lock.Unlock()
	path := f.path(hash)
	info, err := os.Stat(path)
	if err != nil || info.Size() != int64(size) {
		return false, nil
	}
	now := time.Now()
	return true, os.Chtimes(path, now, now)
}

// name gives a file that is written its name.
func (f *Folder) name(p part) error {
	lock := f.claims.of(filepath.Base(p.path))
	lock.Lock()
	defer lock.Unlock()
	return os.Rename(p.temporary, p.path)
}

// commit syncs the files, gives them their names, and syncs the folders.
func (c *chunk) commit() error {
	if err := c.syncFiles(); err != nil {
		return err
	}
	for i, p := range c.parts {
		if err := c.folder.makeFolders(filepath.Dir(p.path)); err != nil {
			return err
		}
		c.folder.names.add(p.path) // before it can be found
		if err := c.folder.name(p); err != nil {
			return err
		}
		c.parts[i].temporary = ""
	}
	return c.folder.names.sync(c.wanted)
}

func (c *chunk) syncFiles() error {
	var group errgroup.Group
	group.SetLimit(syncs)
	for i := range c.parts {
		p := &c.parts[i]
		group.Go(func() error {
			err := errors.Join(p.file.Sync(), p.file.Close())
			p.file = nil
			return err
		})
	}
	return group.Wait()
}

// discard removes what has no name yet. After a commit that is nothing.
func (c *chunk) discard() {
	for _, p := range c.parts {
		if p.file != nil {
			p.file.Close()
		}
		if p.temporary != "" {
			os.Remove(p.temporary) // else the next Open sweeps it
		}
	}
}

// makeFolders makes dir and what is missing above it.
func (f *Folder) makeFolders(dir string) error {
	err := f.names.mkdir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.makeFolders(filepath.Dir(dir)); err != nil {
			return err
		}
		err = f.names.mkdir(dir)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
