package file

import (
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink/paths"
)

// PathRefused is the slug of a path that a row's values make impossible.
const PathRefused = paths.Refused

// rules are those of common filesystems.
var rules = paths.Rules{MaxSegment: 255}

// parsePath splits a Config.Path into the folder, which is all before the first
// expression up to its last slash, and the path in it.
func parsePath(text string) (folder string, rest *paths.Path, err *problem.Error) {
	static, _, found := strings.Cut(text, "{{")
	if !found {
		return "", nil, problem.New(problem.Invalid, "is the same for every row").
			WithHint(`write it with the key: "out/{{ key }}-{{ output }}.{{ ext }}"`)
	}
	cut := strings.LastIndexByte(static, '/') + 1
	rest, err = paths.Parse(text[cut:], rules)
	return filepath.Clean(static[:cut]), rest, err
}
