package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// Check reads the configuration at path and every template of its folder, and
// touches nothing else. The error is a problem.List with all that is wrong; the
// report says what was found when nothing is.
func Check(path string) (report string, err error) {
	s, err := Load(path)
	problems := problemsOf(err)
	if s == nil {
		return "", problems.Err()
	}
	if s.Server.TLS.On() {
		if _, err := s.Server.TLS.Check(); err != nil {
			problems = append(problems, problemsOf(err)...)
		}
	}
	parsed, broken := checkTemplates(absolute(s.Dir, s.Templates.Path))
	problems = append(problems, broken...)
	for _, b := range s.Bindings {
		problems = appendNew(problems, s.checkBinding(b, parsed))
	}
	for _, f := range s.Experiments {
		problems = append(problems, s.checkExperiment(f, parsed)...)
	}
	if err := problems.Err(); err != nil {
		return "", err
	}
	report = fmt.Sprintf("%s is good: %s, %s, %s, %s", path, count(len(s.Bindings), "binding"),
		count(len(s.Sources), "source"), count(len(s.Sinks), "sink"), count(len(parsed), "template"))
	if n := len(s.Experiments); n > 0 {
		report += ", " + count(n, "experiment")
	}
	return report, nil
}

// appendNew leaves out what the file alone has shown: compiling a binding says
// it again.
func appendNew(problems, more problem.List) problem.List {
	for _, p := range more {
		said := func(q *problem.Error) bool { return q.Path == p.Path && q.Message == p.Message }
		if !slices.ContainsFunc(problems, said) {
			problems = append(problems, p)
		}
	}
	return problems
}

// checkTemplates parses every template of dir. A template that is broken is in
// the map with nil.
func checkTemplates(dir string) (map[string]*template.Template, problem.List) {
	fsys := os.DirFS(dir)
	names, err := listTemplates(dir)
	if err != nil {
		return nil, problemsOf(err)
	}
	parsed := map[string]*template.Template{}
	var problems problem.List
	for _, name := range names {
		src, files, err := template.Load(fsys, name)
		if err == nil {
			parsed[name], err = template.Parse(name, src, contentDigests(files))
		}
		for _, p := range problemsOf(err) {
			if p.Pos.File == "" || filepath.Base(p.Pos.File) == p.Pos.File {
				p.Pos.File = filepath.Join(dir, name+".html")
			}
			problems = append(problems, p)
		}
	}
	return parsed, problems
}

// contentDigests stands for what the assets library would answer.
func contentDigests(files map[string][]byte) map[string]string {
	digests := make(map[string]string, len(files))
	for path, data := range files {
		digests[path] = bindings.Digest(data)
	}
	return digests
}

// checkBinding compiles a binding with its template, if that one is good.
func (s *Settings) checkBinding(b bindings.Config, templates map[string]*template.Template) problem.List {
	node := s.nodes[b.Name]
	t, known := templates[b.Template]
	if !known && b.Template != "" {
		p := config.Problem(node, "template", problem.Invalid, "there is no template %q", b.Template)
		if near, ok := config.Nearest(b.Template, sortedKeys(templates)); ok {
			return problem.List{p.WithHint("did you mean %q?", near)}
		}
		return problem.List{p.WithHint("make %s.html in the templates folder", b.Template)}
	}
	if t == nil {
		return nil // said already
	}
	compiled, err := bindings.Compile(b, t, 0, 1)
	if err == nil {
		err = s.echoes(compiled).Err()
	}
	return append(s.place(b.Name, err), s.checkPlaceholder(b, templates)...)
}

// place gives the problems of a binding their place in the file.
func (s *Settings) place(binding string, err error) problem.List {
	problems := problemsOf(err)
	node, ok := s.nodes[binding]
	if !ok {
		return problems
	}
	for i, p := range problems {
		placed := config.Problem(node, p.Path, p.Code, "%s", p.Message)
		placed.Slug, placed.Hint, placed.Err = p.Slug, p.Hint, p.Err
		problems[i] = placed
	}
	return problems
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// bytesOf opens the picture of a hash, for sinks. One that vanished is made again
// until the next try.
func (d *Daemon) bytesOf(ctx context.Context, hash string) (io.ReadCloser, error) {
	r, _, err := d.blobs.Open(ctx, hash)
	if err == nil {
		return r, nil
	}
	if problem.CodeOf(err) == problem.NotFound {
		_, makeErr := d.store.Remake(ctx, hash)
		err = errors.Join(err, makeErr)
	}
	return nil, err
}
