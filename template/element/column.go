package element

import (
	"maps"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A column shows one expression over each item, or one of its fields.
type column struct {
	heading string
	field   func(item any) any // nil: shown
	base    *expr.Program      // before the pipes: tells numbers from texts; nil where there are none
	shown   *expr.Program
}

func compileTable(s settings) (*program, error) {
	if strings.TrimSpace(s["columns"]) == "" {
		return nil, nil
	}
	p := &program{}
	var wrong problem.List
	for _, src := range split(s["columns"], ',') {
		if strings.TrimSpace(src) == "" {
			continue
		}
		c, err := compileColumn(src)
		if err != nil {
			wrong = append(wrong, badOption("columns", "column %s: %w", quote(strings.TrimSpace(src)), err))
			continue
		}
		p.columns = append(p.columns, c)
		p.clock = p.clock || c.shown.ReadsClock()
	}
	if len(p.columns) > tableColumns {
		wrong = append(wrong, badOption("columns", "a table has at most %d columns, not %d", tableColumns, len(p.columns)))
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return p, nil
}

// compileColumn reads expression:heading|pipes. The last colon outside of
// brackets and quotes ends the expression, so that a condition needs brackets.
func compileColumn(src string) (column, error) {
	parts := split(src, ':')
	var heading, pipes string
	base := src
	if last := len(parts) - 1; last > 0 {
		base = strings.Join(parts[:last], ":")
		rest := split(parts[last], '|')
		heading = strings.TrimSpace(rest[0])
		if len(rest) > 1 {
			pipes = "|" + strings.Join(rest[1:], "|")
		}
	} else {
		heading = strings.TrimSpace(split(src, '|')[0])
	}
	c := column{heading: unquote(heading)}
	var err error
	if c.shown, err = expr.Compile(strings.TrimSpace(base)+pipes, expr.Options{}); err == nil && pipes != "" {
		c.base, err = expr.Compile(strings.TrimSpace(base), expr.Options{})
	}
	return c, err
}

// split cuts s at each separator outside of brackets and quotes. A doubled bar
// is an operator.
func split(s string, separator byte) []string {
	var parts []string
	start, depth, quoted := 0, 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quoted != 0 && c == '\\':
			i++
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '"' || c == '\'' && !inWord(s, i) || c == '`':
			quoted = c
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case c == '|' && separator == '|' && strings.HasPrefix(s[i:], "||"):
			i++
		case c == separator && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// inWord tells the apostrophe of a heading such as Buyer's from a quote.
func inWord(s string, i int) bool {
	letter := func(c byte) bool { return c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z' }
	return i > 0 && letter(s[i-1])
}

// unquote lets a heading have commas and bars.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// A cellKind tells whether a column is one of numbers.
type cellKind int

const (
	emptyCell cellKind = iota
	numberCell
	textCell
)

func (c column) cell(item any, env expr.Env) (string, cellKind, error) {
	if c.field != nil {
		v := c.field(item)
		return expr.Text(v), kindOf(v), nil
	}
	values := itemValues(item)
	v, err := c.shown.Eval(values, env)
	kind := kindOf(v)
	if c.base != nil && (err != nil || kind == textCell) {
		// An amount of money is text once it is formatted; and what is missing
		// cannot be formatted, but a default among the pipes had its chance.
		base, baseErr := c.base.Eval(values, env)
		switch {
		case baseErr != nil:
		case err == nil:
			kind = kindOf(base)
		case empty(base):
			return "", emptyCell, nil
		}
	}
	if err != nil {
		return "", emptyCell, err
	}
	return expr.Text(v), kind, nil
}

func kindOf(v any) cellKind {
	if empty(v) {
		return emptyCell
	}
	if _, ok := expr.NumberText(v); ok {
		return numberCell
	}
	return textCell
}

// itemValues are what a column's expression reads: the item's fields, and the item
// itself as item and as row.
func itemValues(item any) map[string]any {
	values := map[string]any{"item": item, "row": item}
	if object, ok := item.(map[string]any); ok {
		maps.Copy(values, object)
	}
	return values
}
