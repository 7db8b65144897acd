package sheets

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/connectors"
	sheetsource "github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// What becomes of the cells of a row whose picture is gone.
const (
	clearCells = "clear"
	keepCells  = "keep"
)

// image is the formula that shows the picture in the cell.
const image = "image"

// Config is a sheet's part of the configuration.
type Config struct {
	sink.Common

	Source string `yaml:"source"` // a sheets source, whose table is written
	Column string `yaml:"column"` // the header of the column
	Value  string `yaml:"value"`  // an expression; url
	// Set is several columns, each with its expression, instead of Column and Value.
	Set map[string]string `yaml:"set"`
	// Formula "image" writes =IMAGE("…") with the value, so that the cell shows the
	// picture. Without it values are never formulas, whatever they begin with.
	Formula  string `yaml:"formula"`
	OnRemove string `yaml:"on_remove"` // of a picture that is gone: clear the cells, or keep them
}

var (
	_ sink.WriteBack = (*Config)(nil)
	_ sink.Sourced   = (*Config)(nil)
)

// Kind is the sheets sink.
var Kind = sink.Kind{
	Name:    "sheets",
	Summary: "a column of the Google sheet that a source reads",
	Config:  func() sink.Config { return &Config{Value: "url", OnRemove: clearCells} },
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) {
		return newSheet(c.(*Config), env)
	},
}

// Validate implements sink.Config.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	bad := func(path, hint, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path).WithHint("%s", hint))
	}
	if c.Source == "" {
		bad("source", "name the sheets source whose table is written", "a sheets sink needs a source")
	}
	switch {
	case c.Column == "" && len(c.Set) == 0:
		bad("column", `write the header of the column: column: "Image URL"`, "a sheets sink needs a column")
	case c.Column != "" && len(c.Set) > 0:
		bad("set", "put the column under set, too", "column and set are both given")
	}
	if c.Formula != "" && c.Formula != image {
		bad("formula", "the one formula is image; leave it out to write the value itself", "there is no formula %q", c.Formula)
	}
	if c.OnRemove != clearCells && c.OnRemove != keepCells {
		bad("on_remove", "clear or keep", "there is no way %q to treat the cells of pictures that are gone", c.OnRemove)
	}
	_, err := c.columns()
	return append(problems, listOf(err)...).Err()
}

func listOf(err error) problem.List {
	if err == nil {
		return nil
	}
	return problem.All(err)
}

// A column is one that is written, and what with.
type column struct {
	name  string
	value *expr.Program
}

// columns are those that are written, in the order of their names.
func (c *Config) columns() ([]column, error) {
	set, path := c.Set, func(name string) string { return "set." + name }
	if len(set) == 0 {
		set, path = map[string]string{c.Column: c.Value}, func(string) string { return "value" }
	}
	var problems problem.List
	var all []column
	for name, source := range set {
		if name != strings.TrimSpace(name) || name == "" && len(c.Set) > 0 {
			problems = append(problems, problem.New(problem.Invalid, "the column %q has white space around its name, or no name", name).
				At(path(name)).WithHint("write it as it stands in the sheet, without the white space, which does not count there"))
		}
		program, err := expr.Compile(source, expr.Options{Names: fields.Names()})
		for _, p := range listOf(err) {
			placed := *p
			if p.Pos.Column > 0 {
				placed.Message += fmt.Sprintf(", at character %d", p.Pos.Column)
			}
			placed.Pos = problem.Position{}
			problems = append(problems, placed.At(path(name)))
		}
		all = append(all, column{name, program})
	}
	slices.SortFunc(all, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return all, problems.Err()
}

// names are the columns that are written.
func (c *Config) names() []string {
	var names []string
	all, _ := c.columns()
	for _, column := range all {
		names = append(names, column.name)
	}
	return names
}

// WritesBack implements sink.WriteBack.
func (c *Config) WritesBack(name string, _ connectors.Config) []string {
	if name != c.Source {
		return nil
	}
	return c.names()
}

// SourceName implements sink.Sourced.
func (c *Config) SourceName() string { return c.Source }

// CheckSource implements sink.Sourced.
func (c *Config) CheckSource(source connectors.Config) error {
	of, ok := source.(*sheetsource.Config)
	if !ok {
		return problem.New(problem.Invalid, "source %q is of kind %s, and no sheet", c.Source, source.Base().Kind).At("source").
			WithHint("name a source of kind sheets")
	}
	if !of.APIKey.IsZero() {
		return problem.New(problem.Invalid, "source %q reads with an API key, which can't write", c.Source).At("source").
			WithHint("give the source the key of a service account that the sheet is shared with as an editor: credentials_file: sa.json")
	}
	for _, name := range c.names() {
		if slices.Contains(of.Key, name) {
			return problem.New(problem.Invalid, "the column %q is the key of source %q", name, c.Source).At("column").
				WithHint("write to another column: the key says which row is which")
		}
	}
	return nil
}
