package daemon

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A Reformat brings templates of a folder into their canonical form.
type Reformat struct {
	Dir    string
	Names  []string // none: all
	Check  bool     // only say what would change
	Import bool     // foreign spellings become this format's first
}

// A Reformatted is what became of one template.
type Reformatted struct {
	Template string   `json:"template"`
	Changed  bool     `json:"changed"`
	Imported []string `json:"imported,omitempty"` // what was spelled otherwise, or could not be
}

// Run formats the templates. The error is a problem.List: a template that cannot
// be read stays as it is, and the others are done all the same.
func (f Reformat) Run() ([]Reformatted, error) {
	names := f.Names
	if len(names) == 0 {
		var err error
		if names, err = listTemplates(f.Dir); err != nil {
			return nil, err
		}
	}
	var all []Reformatted
	var problems problem.List
	for _, name := range names {
		one, err := f.one(name)
		if err != nil {
			problems = append(problems, problem.All(err)...)
			continue
		}
		all = append(all, one)
	}
	return all, problems.Err()
}

func (f Reformat) one(name string) (Reformatted, error) {
	done := Reformatted{Template: name}
	src, _, err := template.Load(os.DirFS(f.Dir), name)
	if err != nil {
		return done, err
	}
	text := src
	if f.Import {
		if text, done.Imported, err = edit.Import(src); err != nil {
			return done, inFile(name, err)
		}
	}
	text = markup.Format(markup.Parse(text))
	done.Changed = !bytes.Equal(text, src)
	if f.Check || !done.Changed {
		return done, nil
	}
	return done, replaceTemplate(f.Dir, name, text)
}

// replaceTemplate makes text the file of a template, whole or not at all.
func replaceTemplate(dir, name string, text []byte) error {
	path := filepath.Join(dir, name+".html")
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // the link stays one
	}
	if err := replaceFile(path, text); err != nil {
		return cannotWrite(dir, err)
	}
	return nil
}

// inFile says in which file problems are that have no file.
func inFile(name string, err error) error {
	problems := problem.All(err)
	for _, p := range problems {
		if p.Pos.File == "" {
			p.Pos.File = name + ".html"
		}
	}
	return problems.Err()
}
