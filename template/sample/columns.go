package sample

import (
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template"
)

// A ColumnType is what the values of a column look like: a type of variables, or
// EmptyColumn.
type ColumnType string

// EmptyColumn is the type of a column in which nothing was.
const EmptyColumn ColumnType = "empty"

// A Column is what rows have under one name.
type Column struct {
	Name    string             `json:"name"`
	Type    ColumnType         `json:"type"`  // text where values are of several
	Types   map[ColumnType]int `json:"types"` // rows of each
	Samples []any              `json:"samples"`
	Empty   int                `json:"empty"`   // rows without a value
	Longest int                `json:"longest"` // letters of the longest value
}

// Columns looks at rows and says what their columns hold. It is for one goroutine.
type Columns struct {
	rows  int
	order []string
	of    map[string]*Column
	seen  map[string]map[string]bool
}

// The limits of what is told of a table.
const (
	columnSamples = 5
	maxColumns    = 1000
)

// NewColumns has seen nothing yet. order are columns in the order in which they are
// to be told; others follow as they are met.
func NewColumns(order ...string) *Columns {
	c := &Columns{of: map[string]*Column{}, seen: map[string]map[string]bool{}}
	for _, name := range order {
		c.column(name)
	}
	return c
}

func (c *Columns) column(name string) *Column {
	col := c.of[name]
	if col == nil && len(c.order) < maxColumns {
		col = &Column{Name: name, Types: map[ColumnType]int{}, Samples: []any{}}
		c.of[name], c.seen[name] = col, map[string]bool{}
		c.order = append(c.order, name)
	}
	return col
}

// Add looks at a row.
func (c *Columns) Add(row map[string]any) {
	c.rows++
	for _, name := range slices.Sorted(maps.Keys(row)) {
		col, value := c.column(name), row[name]
		if col == nil || empty(value) {
			continue
		}
		col.Types[ColumnType(typeOf(value))]++
		col.Longest = max(col.Longest, Length(value))
		if text := expr.Text(value); len(col.Samples) < columnSamples && !c.seen[name][text] {
			c.seen[name][text] = true
			col.Samples = append(col.Samples, value)
		}
	}
}

// Rows is how many were looked at.
func (c *Columns) Rows() int { return c.rows }

// All are the columns.
func (c *Columns) All() []Column {
	all := []Column{}
	for _, name := range c.order {
		col := *c.of[name]
		filled := 0
		for _, n := range col.Types {
			filled += n
		}
		col.Empty, col.Type = c.rows-filled, common(col.Types)
		all = append(all, col)
	}
	return all
}

// common is the type that all values are of.
func common(types map[ColumnType]int) ColumnType {
	all := slices.Collect(maps.Keys(types))
	switch {
	case len(all) == 0:
		return EmptyColumn
	case len(all) == 1:
		return all[0]
	case len(all) == 2 && types[ColumnType(template.URL)] > 0 && types[ColumnType(template.Image)] > 0: // pictures have addresses without an ending, too
		return ColumnType(template.Image)
	}
	return ColumnType(template.Text)
}

var (
	dateText  = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}|$)`)
	colorText = regexp.MustCompile(`^#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$`)
	pictures  = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"}
)

// typeOf is what a value looks like.
func typeOf(value any) template.Type {
	switch v := value.(type) {
	case bool:
		return template.Boolean
	case []any:
		return template.Array
	case map[string]any:
		return template.Object
	case string:
		return typeOfText(strings.TrimSpace(v))
	}
	return template.Number
}

func typeOfText(text string) template.Type {
	low := strings.ToLower(text)
	switch {
	case strings.HasPrefix(low, "http://"), strings.HasPrefix(low, "https://"):
		u, err := url.Parse(text)
		if err == nil && slices.Contains(pictures, strings.ToLower(path.Ext(u.Path))) {
			return template.Image
		}
		return template.URL
	case low == "true", low == "false":
		return template.Boolean
	case dateText.MatchString(text):
		return template.Date
	case colorText.MatchString(text):
		return template.Color
	case strings.HasPrefix(low, "data:image/"):
		return template.Image
	}
	if _, ok := expr.NumberText(text); ok {
		return template.Number
	}
	return template.Text
}
