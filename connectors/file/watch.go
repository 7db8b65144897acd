package file

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	latest = 500 * time.Millisecond // under steady writes a hint comes no later
	again  = 5 * time.Second        // between tries to watch a folder that is not there
)

// Wake implements connectors.Waker. A change behind a symbolic link into another
// folder, or below the folder of a pattern, is left to the safety poll.
func (s *source) Wake(ctx context.Context, poll func()) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch file %q: %w", s.pattern.path, err)
	}
	defer notify.Close()
	w := watch{pattern: s.pattern, notify: notify, poll: poll}
	w.run(ctx)
	return nil
}

// A watch listens to the folder of a file, not to the file: editors and
// Kubernetes put a new file in its place, and a watch on the old one would
// hear nothing more.
type watch struct {
	pattern pattern
	notify  *fsnotify.Watcher
	poll    func()

	seen   []found          // at the last event that was looked at
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
	if err := w.notify.Add(w.pattern.folder()); err != nil {
		w.listen = time.After(again)
		return
	}
	w.seen, _ = w.pattern.list()
	w.poll()
}

// concerns reports whether an event is of a file that is read, or files are others
// after it: Kubernetes swaps a folder that they are reached through, so that the
// event bears another name.
func (w *watch) concerns(event fsnotify.Event) bool {
	if w.pattern.names(filepath.Base(event.Name)) {
		return true
	}
	if event.Op == fsnotify.Write || event.Op == fsnotify.Chmod {
		return false // of another file; many may be written in a folder
	}
	now, _ := w.pattern.list() // a file that went is one of the zero stamp
	changed := !slices.Equal(now, w.seen)
	w.seen = now
	return changed
}

func (w *watch) changed() {
	if w.hint == nil {
		w.due = time.Now().Add(latest)
	}
	w.hint = time.After(min(quiet, time.Until(w.due)))
}
