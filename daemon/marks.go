package daemon

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// marksFile is where a folder remembers its exchanges; templates are not hidden,
// so that it is none.
const marksFile = ".pictifyd.json"

// A mark is what both sides had of a template when it was last exchanged.
type mark struct {
	Version int64  `json:"version"`
	Digest  string `json:"digest"` // there
	Local   string `json:"local"`  // here: where a value decides which asset is shown, all that are here belong to it
}

// same reports whether neither side has changed since.
func (m mark) same(local, there string) bool {
	return m.Version > 0 && m.Local == local && m.Digest == there
}

// marks are those of one remote, by template.
type marks map[string]mark

// readAllMarks are the marks of every remote, by address.
func readAllMarks(dir string) (map[string]marks, error) {
	all := map[string]marks{}
	path := filepath.Join(dir, marksFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, problem.New(problem.Invalid, "%s is not what pictifyd wrote there: %w", path, err).
			WithHint("remove it; then the next exchange asks for --force where both sides differ")
	}
	return all, nil
}

func readMarks(x Exchange) (marks, error) {
	all, err := readAllMarks(x.Dir)
	if err != nil {
		return nil, err
	}
	if m := all[x.address()]; m != nil {
		return m, nil
	}
	return marks{}, nil
}

// save writes the marks down beside those of other remotes.
func (m marks) save(x Exchange) error {
	all, err := readAllMarks(x.Dir)
	if err != nil {
		return err
	}
	all[x.address()] = m
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return writable(replaceFile(filepath.Join(x.Dir, marksFile), append(data, '\n')))
}

func (x Exchange) address() string { return strings.TrimRight(x.Remote.URL, "/") }
