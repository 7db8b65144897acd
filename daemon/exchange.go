package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// An Exchange carries templates between a folder and a daemon on another machine.
// It remembers in the folder what both had, so that it overwrites nobody's work
// unseen.
type Exchange struct {
	Dir    string // of the templates
	Remote client.Remote
	Force  bool // overwrite what the other side has changed
}

// An Exchanged says what became of one template.
type Exchanged struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
	Did     string `json:"did"` // pushed, pulled, same, kept
}

// Push publishes the templates of these names, or all of the folder, at the
// remote. One that is broken, or was changed there since, and all go nowhere.
func (x Exchange) Push(ctx context.Context, names []string) ([]Exchanged, error) {
	if len(names) == 0 {
		var err error
		if names, err = listTemplates(x.Dir); err != nil {
			return nil, err
		}
	}
	there, marks, err := x.begin(ctx)
	if err != nil {
		return nil, err
	}
	l := templates{dir: x.Dir}
	var files []templateFile
	var problems problem.List
	for _, name := range names {
		f, err := l.readFile(name)
		if err == nil {
			err = x.mayPush(name, f, there[name], marks[name])
		}
		problems = append(problems, x.place(name, err)...)
		files = append(files, f)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	var done []Exchanged
	for i, name := range names {
		one, err := x.push(ctx, name, files[i], there[name], marks)
		if err != nil {
			return done, fmt.Errorf("push template %q: %w", name, errors.Join(err, marks.save(x)))
		}
		done = append(done, one)
	}
	return done, marks.save(x)
}

// mayPush refuses to overwrite a version that the folder never had.
func (x Exchange) mayPush(name string, f templateFile, there remoteTemplate, m mark) error {
	if there.Version == 0 || x.Force || m.Digest == there.Digest || f.digest == there.Digest {
		return nil
	}
	had := "was never exchanged with it"
	if m.Version > 0 {
		had = fmt.Sprintf("had version %d", m.Version)
	}
	return problem.New(problem.Conflict, "template %q has version %d at %s, by %s; this folder %s", name, there.Version, x.Remote.URL, there.Author, had).
		WithSlug(draft.VersionMoved).WithHint("pull it and make the change there, or push --force")
}

func (x Exchange) push(ctx context.Context, name string, f templateFile, there remoteTemplate, marks marks) (Exchanged, error) {
	did := "same"
	if there.Digest != f.digest && (there.Version == 0 || !marks[name].same(f.digest, there.Digest)) {
		var packed bytes.Buffer
		err := draft.Pack(ctx, &packed, template.Version{Name: name, Source: f.source, Assets: f.assets}, f.open)
		if err != nil {
			return Exchanged{}, err
		}
		if there, err = (remote{x.Remote}).put(ctx, name, there.Version, packed.Bytes()); err != nil {
			return Exchanged{}, err
		}
		did = "pushed"
	}
	marks[name] = mark{Version: there.Version, Digest: there.Digest, Local: f.digest}
	return Exchanged{Name: name, Version: there.Version, Did: did}, nil
}

// open is an asset of the file by its digest.
func (f templateFile) open(_ context.Context, digest string) (io.ReadCloser, error) {
	for path, is := range f.assets {
		if is == digest {
			return io.NopCloser(bytes.NewReader(f.data[path])), nil
		}
	}
	return nil, fmt.Errorf("there is no asset %s", digest)
}

// Pull writes the templates of these names, or all that the key may use, to the
// folder. One that was changed on both sides, and all stay as they are.
func (x Exchange) Pull(ctx context.Context, names []string) ([]Exchanged, error) {
	if err := os.MkdirAll(x.Dir, 0o755); err != nil {
		return nil, writable(err)
	}
	there, marks, err := x.begin(ctx)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = sortedKeys(there)
	}
	l := templates{dir: x.Dir}
	var problems problem.List
	fetch := map[string]bool{}
	for _, name := range names {
		t, ok := there[name]
		if !ok {
			problems = append(problems, problem.New(problem.NotFound, "there is no template %q at %s", name, x.Remote.URL))
			continue
		}
		f, err := l.readFile(name)
		if len(f.source) == 0 && problem.CodeOf(err) != problem.NotFound && err != nil {
			return nil, err
		}
		fetch[name], err = x.mayPull(name, f, t, marks[name])
		problems = append(problems, problemsOf(err)...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	var done []Exchanged
	for _, name := range names {
		one, err := x.pull(ctx, there[name], fetch[name], marks)
		if err != nil {
			return done, fmt.Errorf("pull template %q: %w", name, errors.Join(err, marks.save(x)))
		}
		done = append(done, one)
	}
	return done, marks.save(x)
}

// mayPull says whether a template is to be fetched, and refuses to overwrite
// what was changed in the folder.
func (x Exchange) mayPull(name string, f templateFile, there remoteTemplate, m mark) (fetch bool, err error) {
	switch {
	case len(f.source) == 0: // it is not here
		return true, nil
	case f.digest == there.Digest || m.same(f.digest, there.Digest):
		return false, nil
	case x.Force || f.digest == m.Local:
		return true, nil
	case m.Digest == there.Digest: // only the folder has changed
		return false, nil
	}
	return false, problem.New(problem.Conflict, "%s.html in %s has changed since it was last exchanged with %s, which has version %d by now",
		name, x.Dir, x.Remote.URL, there.Version).WithSlug(draft.VersionMoved).WithHint("keep a copy of the file and pull --force")
}

func (x Exchange) pull(ctx context.Context, there remoteTemplate, fetch bool, marks marks) (Exchanged, error) {
	l := templates{dir: x.Dir}
	did := "same"
	if fetch {
		p, err := (remote{x.Remote}).archive(ctx, there)
		if err != nil {
			return Exchanged{}, err
		}
		for _, path := range sortedKeys(p.Assets) {
			if err := l.replaceAsset(path, p.Assets[path]); err != nil {
				return Exchanged{}, fmt.Errorf("write %s: %w", path, err)
			}
		}
		if err := l.replaceText(p.Name, p.Source); err != nil {
			return Exchanged{}, err
		}
		did = "pulled"
	}
	f, err := l.readFile(there.Name)
	if len(f.source) == 0 {
		return Exchanged{}, err
	}
	if !fetch && f.digest != there.Digest && !marks[there.Name].same(f.digest, there.Digest) {
		return Exchanged{Name: there.Name, Version: there.Version, Did: "kept"}, nil
	}
	marks[there.Name] = mark{Version: there.Version, Digest: there.Digest, Local: f.digest}
	return Exchanged{Name: there.Name, Version: there.Version, Did: did}, nil
}

// begin reads what the remote has, and what was exchanged with it before.
func (x Exchange) begin(ctx context.Context) (map[string]remoteTemplate, marks, error) {
	marks, err := readMarks(x)
	if err != nil {
		return nil, nil, err
	}
	all, err := (remote{x.Remote}).templates(ctx)
	if err != nil {
		return nil, nil, err
	}
	there := map[string]remoteTemplate{}
	for _, t := range all {
		there[t.Name] = t
	}
	return there, marks, nil
}

// place gives the problems of a template their file.
func (x Exchange) place(name string, err error) problem.List {
	problems := problemsOf(err)
	for _, p := range problems {
		if p.Pos.Line > 0 && filepath.Base(p.Pos.File) == p.Pos.File {
			p.Pos.File = filepath.Join(x.Dir, name+".html")
		}
	}
	return problems
}
