package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

const (
	settle        = 150 * time.Millisecond // a template file is read once nothing happened to its folder for so long
	templateCheck = 30 * time.Second       // the folder is read at least so often
	compiledLimit = 64                     // compiled versions that are kept
)

// A versions store keeps templates; *store.Store is one.
type versions interface {
	// TakeFile makes v the newest version, unless that one is the same, and
	// remembers that the file gave it.
	TakeFile(ctx context.Context, v template.Version) (template.Version, error)
	// TemplateFile is the digest of what the file last gave; "" when it never did.
	TemplateFile(ctx context.Context, name string) (digest string, err error)
	RememberFile(ctx context.Context, name, digest string) error
	Template(ctx context.Context, name string, number int64) (template.Version, error)
	TemplateVersions(ctx context.Context, name string, before int64, limit int) ([]template.Version, error)
}

// templates is the templates' way from the folder into the store and back, and
// compiled out of it.
type templates struct {
	dir      string
	write    bool // versions that came by another door are written to the folder
	versions versions
	assets   *assets.Library
	faults   *faults
	log      *slog.Logger

	// notifyFunc makes what tells of changes in the folder.
	notifyFunc func() (*fsnotify.Watcher, error)
	// crash is called at each named moment between two durable steps.
	crash func(point string)

	// door is held by whoever compares the folder with the store: versions go one
	// way at a time.
	door sync.Mutex

	mu       sync.Mutex
	compiled map[string]*template.Template // by name@number
	hits     int64
	misses   int64
	broken   map[string]error // by name: why the file in the folder is not the newest version
}

// at is the compiled version number of a template; 0 is the newest.
func (l *templates) at(ctx context.Context, name string, number int64) (*template.Template, error) {
	id := fmt.Sprintf("%s@%d", name, number)
	if number != 0 {
		l.mu.Lock()
		t, ok := l.compiled[id]
		if ok {
			l.hits++
		} else {
			l.misses++
		}
		l.mu.Unlock()
		if ok {
			return t, nil
		}
	}
	v, err := l.versions.Template(ctx, name, number)
	if err != nil {
		return nil, err
	}
	t, err := template.Parse(v.Name, v.Source, v.Assets)
	if err != nil {
		return nil, fmt.Errorf("compile template %q version %d: %w", name, v.Number, err)
	}
	l.keep(fmt.Sprintf("%s@%d", name, v.Number), t)
	return t, nil
}

func (l *templates) keep(id string, t *template.Template) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.compiled == nil || len(l.compiled) >= compiledLimit {
		l.compiled = map[string]*template.Template{}
	}
	l.compiled[id] = t
}

// newest is the number of the newest version, and its compiled form.
func (l *templates) newest(ctx context.Context, name string) (*template.Template, int64, error) {
	v, err := l.versions.Template(ctx, name, 0)
	if err != nil {
		return nil, 0, err
	}
	t, err := l.at(ctx, name, v.Number)
	return t, v.Number, err
}

// problem is why the file of a template is not its newest version; nil where it is.
func (l *templates) problem(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken[name]
}

// sync publishes every file of the folder that differs from what it last gave.
// A broken file changes nothing and is reported. It returns the names that have
// a new version.
func (l *templates) sync(ctx context.Context) ([]string, error) {
	l.door.Lock()
	defer l.door.Unlock()
	names, err := listTemplates(l.dir)
	if err != nil {
		return nil, err
	}
	var changed []string
	broken := map[string]error{}
	for _, name := range names {
		isNew, err := l.takeFile(ctx, name)
		l.faults.note(l.log, "template", name, err)
		if err != nil {
			broken[name] = err
		}
		if isNew {
			changed = append(changed, name)
		}
	}
	l.mu.Lock()
	l.broken = broken
	l.mu.Unlock()
	return changed, nil
}

// listTemplates names the templates of dir. A folder that is not there is a
// problem with its next step.
func listTemplates(dir string) ([]string, error) {
	names, err := template.List(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.Invalid, "there is no templates folder %s", dir).
			WithHint("make it, or name another with templates:")
	}
	if err != nil {
		return nil, fmt.Errorf("read the templates folder: %w", err)
	}
	return names, nil
}

// watch reads the folder when it begins, whenever a file in it has settled, and
// at intervals, and calls changed with the names that have a new version. It
// blocks until ctx ends.
func (l *templates) watch(ctx context.Context, changed func([]string)) error {
	var events chan fsnotify.Event
	var lost chan error
	observe := func() {}
	if w, err := l.notifyFunc(); err != nil {
		l.log.Warn("no hints of changes in the templates folder, it is read at intervals only",
			slog.Duration("every", templateCheck), slog.Any("err", err))
	} else {
		defer w.Close()
		events, lost = w.Events, w.Errors
		observe = func() { l.observe(w) }
	}
	observe()
	tick := time.NewTicker(templateCheck)
	defer tick.Stop()
	quiet := time.NewTimer(settle) // what changed since the folder was read at the start
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			if concerns(e) {
				quiet.Reset(settle)
			}
			continue
		case <-lost: // events, so that anything may have changed
			quiet.Reset(settle)
			continue
		case <-quiet.C:
		case <-tick.C:
		}
		observe()
		names, err := l.sync(ctx)
		if ctx.Err() != nil {
			return nil
		}
		l.faults.note(l.log, "folder", "templates", err)
		if len(names) > 0 {
			changed(names)
		}
	}
}

// concerns reports whether an event may be about a template: not about what
// editors put beside it, but about the name by which Kubernetes swaps a whole folder.
func concerns(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	return !strings.HasPrefix(name, ".") || name == "..data"
}

// observe watches the folder and those of assets in it, also ones that are new.
func (l *templates) observe(w *fsnotify.Watcher) {
	_ = filepath.WalkDir(l.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = w.Add(path) // what can't be watched is still read at intervals
		}
		return nil
	})
}

// coming is a template as the daemon would have it after its next look at the
// folder.
func (l *templates) coming(ctx context.Context, name string) (*template.Template, error) {
	newest, _, storeErr := l.newest(ctx, name)
	if storeErr != nil && problem.CodeOf(storeErr) != problem.NotFound {
		return nil, storeErr
	}
	f, err := l.readFile(name)
	if err != nil {
		if storeErr == nil {
			return newest, nil // a broken file changes nothing, and there may be none
		}
		return nil, err
	}
	given, err := l.versions.TemplateFile(ctx, name)
	if err != nil {
		return nil, err
	}
	if storeErr == nil && given == f.digest {
		return newest, nil
	}
	return f.form, nil
}
