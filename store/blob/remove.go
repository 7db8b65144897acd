package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Walk implements Store.
func (f *Folder) Walk(ctx context.Context, visit func(page []File) error) error {
	var page []File
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		err := visit(page)
		page = page[:0]
		return err
	}
	firsts, err := foldersOf(f.root)
	if err != nil {
		return surroundings("look through the images", err)
	}
	for _, first := range firsts {
		seconds, err := foldersOf(filepath.Join(f.root, first))
		if err != nil {
			return surroundings("look through the images", err)
		}
		for _, second := range seconds {
			if err := ctx.Err(); err != nil {
				return err
			}
			files, err := filesOf(filepath.Join(f.root, first, second))
			if err != nil {
				return surroundings("look through the images", err)
			}
			for _, file := range files {
				page = append(page, file)
				if len(page) == walkPage {
					if err := flush(); err != nil {
						return err
					}
				}
			}
		}
	}
	return flush()
}

// foldersOf are the names of the folders of hashes in dir, in order.
func foldersOf(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if name := entry.Name(); entry.IsDir() && len(name) == 2 {
			names = append(names, name)
		}
	}
	return names, err
}

func filesOf(folder string) ([]File, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files := make([]File, 0, len(entries))
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !valid(entry.Name()) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, File{entry.Name(), info.Size(), info.ModTime()})
	}
	return files, nil
}

// Remove implements Store, to the moment. That a Put at the same time comes before
// or after holds among the callers of one Folder.
func (f *Folder) Remove(_ context.Context, hash string, before time.Time) (freed int64, left bool, err error) {
	if !valid(hash) {
		return 0, false, nil
	}
	path := f.path(hash)
	lock := f.claims.of(hash)
	lock.Lock()
	defer lock.Unlock()
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, true, surroundings("remove image", err)
	case info.ModTime().After(before):
		return 0, true, nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, true, surroundings("remove image", err)
	}
	return info.Size(), false, nil
}

// claims keep a Put and a Remove of the same bytes apart.
type claims [64]sync.Mutex

func (c *claims) of(hash string) *sync.Mutex {
	n, _ := strconv.ParseUint(hash[:2], 16, 8) // a hash is hexadecimal
	return &c[int(n)%len(c)]
}
