package daemon

import (
	"context"
	"fmt"
	"os"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A templateFile is what the folder has of a template.
type templateFile struct {
	source []byte
	data   map[string][]byte // the assets
	assets map[string]string // their digests
	form   *template.Template
	digest string
}

// readFile reads the file of a template. One that is broken is returned with why
// it is; its digest is then that of its text.
func (l *templates) readFile(name string) (templateFile, error) {
	src, data, err := template.Load(os.DirFS(l.dir), name)
	f := templateFile{source: src, data: data, assets: contentDigests(data), digest: bindings.Digest(src)}
	if err != nil {
		return f, err
	}
	if f.form, err = template.Parse(name, src, f.assets); err != nil {
		return f, err
	}
	f.digest = f.form.Digest()
	return f, nil
}

// takeFile publishes the file of a template if it differs from what it last
// gave. A file that does not, and is older than the newest version, came before
// that one: it is brought up to date, if the folder may be written. The caller
// holds the door.
func (l *templates) takeFile(ctx context.Context, name string) (isNew bool, err error) {
	f, err := l.readFile(name)
	if err != nil {
		return false, err
	}
	given, err := l.versions.TemplateFile(ctx, name)
	if err != nil {
		return false, err
	}
	before, err := l.versions.Template(ctx, name, 0)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return false, err
	}
	behind := given == f.digest
	if !behind {
		if behind, err = l.halfWritten(ctx, name, f, given, before); err != nil {
			return false, err
		}
	}
	if behind {
		return false, l.catchUp(ctx, f, before)
	}
	return l.publishFile(ctx, name, f, before)
}

func (l *templates) publishFile(ctx context.Context, name string, f templateFile, before template.Version) (isNew bool, err error) {
	if err := template.ErrFindings(template.Lint(name, f.source, f.assets, nil)); err != nil {
		return false, err
	}
	for path, data := range f.data {
		if _, err := l.assets.Put(ctx, data, ""); err != nil {
			return false, fmt.Errorf("keep %s: %w", path, err)
		}
	}
	v, err := l.versions.TakeFile(ctx, template.Version{
		Name: name, Digest: f.digest, Source: f.source, Assets: f.assets, Author: "file",
	})
	if err != nil {
		return false, err
	}
	l.keep(fmt.Sprintf("%s@%d", name, v.Number), f.form)
	return v.Number != before.Number, nil
}

// catchUp writes the newest version to a file that gave an older one.
func (l *templates) catchUp(ctx context.Context, f templateFile, newest template.Version) error {
	if newest.Digest == f.digest {
		l.keep(fmt.Sprintf("%s@%d", newest.Name, newest.Number), f.form)
		return nil
	}
	if !l.write || f.holds(newest) {
		return nil
	}
	err := l.writeFile(ctx, newest)
	l.faults.note(l.log, "template file", newest.Name, err)
	return nil // the version is there all the same
}

// holds reports whether the file shows v. It may have more assets than v refers
// to, where a value decides which one is shown.
func (f templateFile) holds(v template.Version) bool {
	if string(f.source) != string(v.Source) {
		return false
	}
	for path, digest := range v.Assets {
		if f.assets[path] != digest {
			return false
		}
	}
	return true
}

// halfWritten reports whether the file is what it last gave, but for assets that
// are those of the newest version already: somebody pulled the plug while it was
// being written.
func (l *templates) halfWritten(ctx context.Context, name string, f templateFile, given string, newest template.Version) (bool, error) {
	if given == "" || newest.Digest == given || newest.Digest == f.digest {
		return false, nil
	}
	latest, err := l.versions.TemplateVersions(ctx, name, 0, 50)
	if err != nil {
		return false, err
	}
	for _, v := range latest {
		if v.Digest != given {
			continue
		}
		if v, err = l.versions.Template(ctx, name, v.Number); err != nil {
			return false, err
		}
		return f.between(v, newest), nil
	}
	return false, nil
}

// between reports whether the file has the text of before, and each asset of
// before or after.
func (f templateFile) between(before, after template.Version) bool {
	if string(f.source) != string(before.Source) {
		return false
	}
	for path, digest := range f.assets {
		if digest != before.Assets[path] && digest != after.Assets[path] {
			return false
		}
	}
	return true
}
