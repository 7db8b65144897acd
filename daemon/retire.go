package daemon

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// retireTemplate deletes a template that no binding uses and no job draws. Its
// file goes too where the folder may be written; else it has to be gone before,
// because it would make the template anew.
func (d *Daemon) retireTemplate(ctx context.Context, name string) error {
	if err := d.changing.enter(ctx); err != nil { // no binding takes it up meanwhile
		return err
	}
	defer d.changing.leave()
	l := d.templates
	l.door.Lock()
	defer l.door.Unlock()
	var users []string
	for _, b := range d.roster().bindings {
		if b.Template == name {
			users = append(users, b.Name)
		}
	}
	if len(users) > 0 {
		return &api.InUseError{Kind: "template", Name: name, Users: users}
	}
	file := filepath.Join(l.dir, name+".html")
	_, err := os.Stat(file)
	there := !errors.Is(err, fs.ErrNotExist)
	if there && !l.write {
		return problem.New(problem.Conflict, "the template %q stands in the templates folder", name).WithSlug("defined_in_file").
			WithHint("remove %s.html there first; it would make the template anew", name)
	}
	// The file goes first: it would make the template anew, which without its file
	// only stays to be deleted again.
	err = d.store.DeleteTemplate(ctx, name, func() error {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return problem.New(problem.Surroundings, "the file of the template %q can't be removed: %w", name, err).
				WithHint("let pictifyd write to the templates folder, or remove the file")
		}
		d.crash("template.unfiled")
		return nil
	})
	if err != nil {
		return err
	}
	l.forget(name)
	d.log.Info("deleted over the API", slog.String("template", name))
	return nil
}

// forget drops what is compiled of a template: another one may get its name.
func (l *templates) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.compiled {
		if strings.HasPrefix(id, name+"@") {
			delete(l.compiled, id)
		}
	}
	maps.DeleteFunc(l.broken, func(of string, _ error) bool { return of == name })
}
