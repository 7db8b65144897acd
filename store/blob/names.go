package blob

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
)

// names remembers which names the disk may not know yet. A call that finds
// bytes under a name which another call has just given must not promise them
// before the folder is synced, and neither must one that finds a new folder.
type names struct {
	mu sync.Mutex

	unsynced map[string]bool // files and folders whose parent was not synced since
}

func (n *names) add(path string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unsynced[path] = true
}

// mkdir makes a folder; nobody can find it there before it counts as unsynced.
func (n *names) mkdir(path string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	err := os.Mkdir(path, 0o755)
	if err == nil {
		n.unsynced[path] = true
	}
	return err
}

// sync makes the paths durable, with the folders above them: each folder that
// holds a new name is synced once.
func (n *names) sync(paths map[string]bool) error {
	folders := n.above(paths)
	var group errgroup.Group
	group.SetLimit(syncs)
	for folder := range folders {
		group.Go(func() error { return syncFolder(folder) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, synced := range folders {
		for _, path := range synced {
			delete(n.unsynced, path)
		}
	}
	return nil
}

// above maps each folder to sync to the names in it that wait for that.
func (n *names) above(paths map[string]bool) map[string][]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	folders := make(map[string][]string)
	for path := range paths {
		for ; path != filepath.Dir(path); path = filepath.Dir(path) {
			if !n.unsynced[path] {
				continue
			}
			folder := filepath.Dir(path)
			folders[folder] = append(folders[folder], path)
		}
	}
	return folders
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
