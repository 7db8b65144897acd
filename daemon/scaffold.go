package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/starter"
)

// Starters are the templates that one can begin with.
func Starters() []starter.Starter { return starter.List() }

// A Scaffold is a template to be made in a folder.
type Scaffold struct {
	Dir  string // made if it is not there
	Name string
	From string // a starter; "" is a blank document
}

// A Scaffolded is a template that was made. Paths begin at its folder.
type Scaffolded struct {
	Template  string   `json:"template"`
	Variables []string `json:"variables"`
	Written   []string `json:"written"`
	Kept      []string `json:"kept"` // assets that were there already, the same
}

// Make writes the files of the template. What is in the folder is never written
// over: a file that is there and not the same is a problem Conflict that names
// it, and nothing is written then.
func (s Scaffold) Make() (Scaffolded, error) {
	done := Scaffolded{Template: s.Name, Variables: []string{}, Written: []string{}, Kept: []string{}}
	if err := api.CheckName(s.Name); err != nil {
		return done, err
	}
	files, err := starter.Make(s.Name, s.From)
	if err != nil {
		return done, err
	}
	assets, err := s.split(files, &done)
	if err != nil {
		return done, err
	}
	form, err := template.Parse(s.Name, files[s.Name+".html"], contentDigests(assets))
	if err != nil {
		return done, err
	}
	for _, v := range form.Vars() {
		done.Variables = append(done.Variables, v.Name)
	}
	return done, s.write(files, done.Written)
}

// split says which files must be written, the document last, so that nobody sees
// it without its assets.
func (s Scaffold) split(files map[string][]byte, done *Scaffolded) (assets map[string][]byte, err error) {
	assets = map[string][]byte{}
	var problems problem.List
	for _, path := range slices.Sorted(maps.Keys(files)) {
		isAsset := strings.HasPrefix(path, "assets/")
		if isAsset {
			assets[path] = files[path]
		}
		at := filepath.Join(s.Dir, filepath.FromSlash(path))
		have, err := os.ReadFile(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			done.Written = append(done.Written, path)
		case err != nil:
			return nil, cannotWrite(s.Dir, err)
		case isAsset && bytes.Equal(have, files[path]):
			done.Kept = append(done.Kept, path)
		default:
			problems = append(problems, inTheWayOf(s.Name, at, isAsset))
		}
	}
	slices.SortStableFunc(done.Written, func(a, b string) int { return rank(a) - rank(b) })
	return assets, problems.Err()
}

func rank(path string) int {
	return slices.Index([]bool{strings.HasPrefix(path, "assets/"), !strings.HasSuffix(path, ".html"), true}, true)
}

func inTheWayOf(name, path string, isAsset bool) *problem.Error {
	if isAsset {
		return problem.New(problem.Conflict, "%s is there already, and is another file", path).
			WithHint("rename that one, or make the template in another folder with --dir")
	}
	return problem.New(problem.Conflict, "%s is there already", path).WithHint("give the template another name than %q", name)
}

// write makes the files; after an error none of them is there.
func (s Scaffold) write(files map[string][]byte, paths []string) (err error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return cannotWrite(s.Dir, err)
	}
	root, err := os.OpenRoot(s.Dir) // no link in there leads out of it
	if err != nil {
		return cannotWrite(s.Dir, err)
	}
	defer root.Close()
	var made []string
	defer func() {
		for _, path := range made {
			if err != nil {
				_ = root.Remove(path)
			}
		}
	}()
	for _, path := range paths {
		if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return cannotWrite(s.Dir, err)
		}
		f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return cannotWrite(s.Dir, err)
		}
		made = append(made, path)
		if err := pour(f, files[path]); err != nil {
			return cannotWrite(s.Dir, err)
		}
	}
	return nil
}

// cannotWrite says what to do about a folder that a command cannot write.
func cannotWrite(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return problem.New(problem.Surroundings, "the folder %s cannot be written: %w", dir, err).
			WithHint("let this user write there, or name another folder")
	case errors.Is(err, syscall.ENOTDIR):
		return problem.New(problem.Invalid, "%s is not a folder: %w", dir, err).WithHint("name a folder")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return problem.New(problem.Surroundings, "no space is left for %s: %w", dir, err).WithHint("make room")
	}
	return fmt.Errorf("write to %s: %w", dir, err)
}
