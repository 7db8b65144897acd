package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// writeFile makes the file of a template what a version is, and remembers it, so
// that it is not taken for a new one. The text comes last: until then the file is
// seen as the older version.
func (l *templates) writeFile(ctx context.Context, v template.Version) error {
	for path, digest := range v.Assets {
		if err := l.writeAsset(ctx, path, digest); err != nil {
			return fmt.Errorf("write %s of template %q: %w", path, v.Name, err)
		}
	}
	if err := l.replaceText(v.Name, v.Source); err != nil {
		return err
	}
	l.crash("template.written")
	f, err := l.readFile(v.Name)
	if err != nil || !f.holds(v) {
		return nil // somebody has written it since; it is read again
	}
	l.log.Info("template written to the folder", slog.String("template", v.Name), slog.Int64("version", v.Number))
	return l.versions.RememberFile(ctx, v.Name, f.digest)
}

// replaceText makes src the text of the file of a template.
func (l *templates) replaceText(name string, src []byte) error {
	path := filepath.Join(l.dir, name+".html")
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // the link stays one
	}
	if err := replaceFile(path, src); err != nil {
		return fmt.Errorf("write template %q to the folder: %w", name, writable(err))
	}
	return nil
}

func (l *templates) writeAsset(ctx context.Context, path, digest string) error {
	if have, err := os.ReadFile(filepath.Join(l.dir, filepath.FromSlash(path))); err == nil && bindings.Digest(have) == digest {
		return nil
	}
	r, _, err := l.assets.Open(ctx, digest)
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return l.replaceAsset(path, data)
}

// replaceAsset makes data the file at path in the folder. No link in there leads
// the writing out of it.
func (l *templates) replaceAsset(path string, data []byte) error {
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return writable(err)
	}
	temporary := hidden(path)
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return writable(err)
	}
	if err := pour(f, data); err != nil {
		return err
	}
	return root.Rename(temporary, path)
}

// hidden is the name of a file on its way to path, which the folder does not show.
func hidden(path string) string {
	return filepath.Join(filepath.Dir(path), ".pictifyd-"+filepath.Base(path))
}

// replaceFile makes data the file at path, whole or not at all.
func replaceFile(path string, data []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	temporary := hidden(path)
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if err := pour(f, data); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// pour writes data to f so that a power cut leaves it.
func pour(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// writable says what to do about a folder that cannot be written.
func writable(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return problem.New(problem.Surroundings, "the templates folder cannot be written: %w", err).
			WithHint("let pictifyd write there, or say so: templates: { path: …, write: false }")
	}
	return err
}
