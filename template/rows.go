package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

const rowsExtension = ".rows.json"

// LoadRows reads the sample rows of a template, the list of objects in its
// NAME.rows.json. There are none where there is no such file.
func LoadRows(fsys fs.FS, name string) ([]map[string]any, error) {
	file := name + rowsExtension
	text, err := fs.ReadFile(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the sample rows of template %q: %w", name, err)
	}
	value, err := expr.ParseJSON(string(text))
	if err != nil {
		return nil, problem.New(problem.Invalid, "the sample rows are not JSON: %w", err).In(jsonPlace(file, text, err))
	}
	list, ok := value.([]any)
	if !ok {
		return nil, problem.New(problem.Invalid, "the sample rows are not a list").In(problem.Position{File: file, Line: 1, Column: 1}).
			WithHint("write a list of objects: [{…}, {…}]")
	}
	rows := make([]map[string]any, len(list))
	for i, item := range list {
		if rows[i], ok = item.(map[string]any); !ok {
			return nil, problem.New(problem.Invalid, "sample row %d is not an object", i).In(problem.Position{File: file})
		}
	}
	return rows, nil
}

func jsonPlace(file string, text []byte, err error) problem.Position {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return markup.NewLines(file, text).At(int(syntax.Offset))
	}
	return problem.Position{File: file, Line: strings.Count(string(text), "\n") + 1}
}
