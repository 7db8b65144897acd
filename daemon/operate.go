package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pictifyd/pictifyd/internal/overlay"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

// Operations are the kinds of operations that templates are changed by.
func Operations() []edit.Kind { return edit.Kinds() }

// An Operate applies operations to a template of a folder.
type Operate struct {
	Dir     string
	Name    string
	Ops     []byte // a JSON array
	Inverse string // the file that gets the operations which take them back; "" for none
}

// An Operated says what operations did.
type Operated struct {
	Template string    `json:"template"`
	Changed  bool      `json:"changed"`
	Touched  []string  `json:"touched"`
	Inverse  []edit.Op `json:"inverse"`
}

// Run applies all of the operations, or none: the result must be a template that
// can be used. The inverse is written before the template, so that it is there
// whenever it is needed.
func (o Operate) Run() (Operated, error) {
	done := Operated{Template: o.Name, Touched: []string{}, Inverse: []edit.Op{}}
	src, _, err := template.Load(os.DirFS(o.Dir), o.Name)
	if err != nil {
		return done, err
	}
	ops, err := edit.Decode(o.Ops)
	if err != nil {
		return done, err
	}
	result, err := edit.Apply(src, ops)
	if err != nil {
		return done, err
	}
	if err := o.usable(result.Source); err != nil {
		return done, err
	}
	done.Changed = !bytes.Equal(src, result.Source)
	done.Touched = append(done.Touched, result.Touched...)
	done.Inverse = append(done.Inverse, result.Inverse...)
	if err := o.writeInverse(done.Inverse); err != nil || !done.Changed {
		return done, err
	}
	return done, replaceTemplate(o.Dir, o.Name, result.Source)
}

// usable says why the result could not be used.
func (o Operate) usable(src []byte) error {
	fsys := overlay.New(os.DirFS(o.Dir), map[string][]byte{o.Name + ".html": src})
	_, assets, err := template.Load(fsys, o.Name)
	if err == nil {
		_, err = template.Parse(o.Name, src, contentDigests(assets))
	}
	if err == nil {
		return nil
	}
	problems := problem.List{problem.New(problem.Invalid, "the template could not be used after the operations, nothing is written; the places below are those of the result")}
	return append(problems, problem.All(err)...)
}

func (o Operate) writeInverse(ops []edit.Op) error {
	if o.Inverse == "" {
		return nil
	}
	text, err := json.MarshalIndent(ops, "", "  ")
	if err != nil {
		return err
	}
	err = replaceFile(o.Inverse, append(text, '\n'))
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.Invalid, "there is no folder for the inverse %s", o.Inverse).WithHint("make it, or name another file")
	}
	if err != nil {
		return cannotWrite(filepath.Dir(o.Inverse), err)
	}
	return nil
}
