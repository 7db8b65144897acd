package file

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	latest = 500 * time.Millisecond // under steady writes a hint comes no later
	again  = 5 * time.Second        // between tries to watch a folder that is not there
)

// Wake implements connectors.Waker. A change behind a symbolic link into
// another folder is left to the safety poll.
func (s *source) Wake(ctx context.Context, poll func()) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch file %q: %w", s.cfg.Path, err)
	}
	defer notify.Close()
	w := watch{path: s.cfg.Path, notify: notify, poll: poll}
	w.run(ctx)
	return nil
}

// A watch listens to the folder of a file, not to the file: editors and
// Kubernetes put a new file in its place, and a watch on the old one would
// hear nothing more.
type watch struct {
	path   string
	notify *fsnotify.Watcher
	poll   func()

	seen   stamp            // of the file, at the last event
	hint   <-chan time.Time // when the file will have been quiet; nil without a change
	due    time.Time        // the hint comes no later
	listen <-chan time.Time // when to listen again; nil while the folder is heard
}

func (w *watch) run(ctx context.Context) {
	w.begin()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.listen:
			w.begin()
		case <-w.hint:
			w.hint = nil
			w.poll()
		case event := <-w.notify.Events:
			if w.concerns(event) {
				w.changed()
			}
			if len(w.notify.WatchList()) == 0 { // the folder itself went
				w.listen = time.After(again)
			}
		case <-w.notify.Errors: // events were lost
			w.changed()
		}
	}
}

func (w *watch) begin() {
	w.listen = nil
	if err := w.notify.Add(filepath.Dir(w.path)); err != nil {
		w.listen = time.After(again)
		return
	}
	w.seen, _ = stampOf(w.path)
	w.poll()
}

// concerns reports whether the file is another one after an event. Kubernetes
// swaps a folder that the file is reached through, so that the event bears
// another name.
func (w *watch) concerns(event fsnotify.Event) bool {
	now, _ := stampOf(w.path) // a file that went has the zero stamp
	changed := now != w.seen
	w.seen = now
	return changed || filepath.Base(event.Name) == filepath.Base(w.path)
}

func (w *watch) changed() {
	if w.hint == nil {
		w.due = time.Now().Add(latest)
	}
	w.hint = time.After(min(quiet, time.Until(w.due)))
}
