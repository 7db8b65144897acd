package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxFiles is how many files one source may have: all are looked at in each poll.
const maxFiles = 10_000

// meta are the characters that make a name a pattern.
const meta = `*?[\`

// A pattern is what a path names: one file, or those whose names match.
type pattern struct {
	path  string   // as it was given
	base  string   // the file, or the folder that parts start in
	parts []string // names to match, one a folder; none for one file
	any   bool     // parts is any name, and what has no known format is left out
}

func isMany(path string) bool {
	return strings.ContainsAny(path, meta) || strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator))
}

func parsePattern(path string) (pattern, *problem.Error) {
	p := pattern{path: path, base: filepath.Clean(path)}
	switch {
	case strings.Contains(path, "**"):
		return p, problem.New(problem.Invalid, "** is not read: folders in folders are named one by one").WithHint(`as in "in/*/*.csv"`)
	case !isMany(path):
		return p, nil
	case !strings.ContainsAny(path, meta):
		p.base, p.parts, p.any = filepath.Clean(path), []string{"*"}, true
		return p, nil
	}
	parts := strings.Split(filepath.ToSlash(path), "/")
	first := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, meta) })
	p.base = filepath.FromSlash(strings.Join(parts[:first], "/"))
	if p.base == "" {
		p.base = "."
		if filepath.IsAbs(path) {
			p.base = string(filepath.Separator)
		}
	}
	p.parts = parts[first:]
	if p.any = p.parts[len(p.parts)-1] == ""; p.any { // it ends in a slash
		p.parts[len(p.parts)-1] = "*"
	}
	for _, part := range p.parts {
		if _, err := filepath.Match(part, ""); err != nil {
			return p, problem.New(problem.Invalid, "%q is not a pattern", part).WithHint(`as in "*.csv" or "[a-m]?.csv"; \[ is a bracket`)
		}
	}
	return p, nil
}

// many reports whether the pattern may name several files.
func (p pattern) many() bool { return len(p.parts) > 0 }

// A found file is one that a pattern names, with what the file system tells of it.
type found struct {
	Name  string `json:"name"` // below the pattern's folder
	Stamp stamp  `json:"stamp"`
	path  string
}

// list is every file that the pattern names, in the order of their names. It fails
// where a folder can't be listed, or a file not be looked at: then nothing can be
// said of what is missing. No file at all is an error too.
func (p pattern) list() ([]found, error) {
	if !p.many() {
		stamp, err := stampOf(p.base)
		return []found{{Name: filepath.Base(p.base), Stamp: stamp, path: p.base}}, err
	}
	var files []found
	err := p.walk(p.base, p.parts, func(path string) error {
		f, err := p.look(path)
		if err != nil || f.path == "" {
			return err
		}
		if files = append(files, f); len(files) > maxFiles {
			return problem.New(problem.TooLarge, "more than %d files match %q", maxFiles, p.path).WithHint("move those away that are of the past, or make several sources")
		}
		return nil
	})
	return files, err
}

// walk calls file with every path below dir whose names match parts.
func (p pattern) walk(dir string, parts []string, file func(path string) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if matched, _ := filepath.Match(parts[0], e.Name()); !matched || passedOver(e.Name(), parts[0]) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if len(parts) == 1 {
			err = file(path)
		} else if err = p.walk(path, parts[1:], file); errors.Is(err, syscall.ENOTDIR) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// passedOver reports whether a name is one of those that programs give to files
// which they have not ended, or to their own.
func passedOver(name, part string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
		return true
	}
	for _, end := range []string{"~", ".tmp", ".part", ".partial", ".crdownload", ".filepart"} {
		if strings.HasSuffix(name, end) && !strings.HasSuffix(part, end) {
			return true
		}
	}
	return strings.HasPrefix(name, "~$") // what Excel holds open
}

// look is the file at path; none where it is a folder, went in this moment, or is
// of no known format in a folder of all sorts.
func (p pattern) look(path string) (found, error) {
	if p.any && !slices.Contains(poll.Formats(), formatOf(path)) {
		return found{}, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, linked := os.Lstat(path); linked == nil {
			return found{}, err // a link that leads nowhere is not a file that went
		}
		return found{}, nil
	}
	if err != nil || info.IsDir() {
		return found{}, err
	}
	stamp, err := newStamp(path, info)
	name, _ := filepath.Rel(p.base, path)
	return found{Name: filepath.ToSlash(name), Stamp: stamp, path: path}, err
}

// folder is the one whose files, or folders, the pattern is about.
func (p pattern) folder() string {
	if p.many() {
		return p.base
	}
	return filepath.Dir(p.base)
}

// names reports whether a name in the folder is one that the pattern is about.
func (p pattern) names(name string) bool {
	if !p.many() {
		return name == filepath.Base(p.base)
	}
	matched, _ := filepath.Match(p.parts[0], name)
	return matched && !passedOver(name, p.parts[0])
}
