package daemon

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	fileSettle = 500 * time.Millisecond // the configuration is read once it has been the same for so long
	fileCheck  = 5 * time.Second        // it is looked at so often: events are hints
)

// watchFile asks for a reload when the configuration is another one, and has
// been so for a while: half a file may read well. What is empty is still being
// written. It blocks until ctx ends.
func (d *Daemon) watchFile(ctx context.Context, changed chan<- struct{}) {
	path := d.options.Config
	var events chan fsnotify.Event
	var lost chan error
	if w, err := fsnotify.NewWatcher(); err != nil {
		d.log.Warn("no hints of changes of the configuration, it is read at intervals only", slog.Any("err", err))
	} else {
		defer w.Close()
		// The folder, not the file: editors and Kubernetes put another in its place.
		if err := w.Add(filepath.Dir(path)); err == nil {
			events, lost = w.Events, w.Errors
		}
	}
	tick := time.NewTicker(fileCheck)
	defer tick.Stop()
	quiet := time.NewTimer(fileSettle) // what changed since it was read at the start
	defer quiet.Stop()
	known, seen := d.file().source, ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			quiet.Reset(fileSettle)
			continue
		case <-lost:
			quiet.Reset(fileSettle)
			continue
		case <-tick.C:
		case <-quiet.C:
		}
		src, err := os.ReadFile(path)
		if err != nil || len(src) == 0 {
			continue
		}
		now := contentDigest(src)
		switch {
		case now == known:
			seen = ""
		case now != seen:
			seen = now
			quiet.Reset(fileSettle)
		default:
			known, seen = now, ""
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	}
}
