package batch

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template"
)

const (
	maxColumns    = 500 // that are told
	columnSamples = 5
	sampleLetters = 200 // of one sample
	tableErrors   = 20  // that are told
)

// The types of columns.
const (
	ColumnEmpty   = "empty" // nothing stands in it
	ColumnText    = "text"
	ColumnNumber  = "number"
	ColumnBoolean = "boolean"
	ColumnDate    = "date"
	ColumnURL     = "url"
	ColumnList    = "list"
	ColumnObject  = "object"
)

// A Table is what rows that somebody sends look like.
type Table struct {
	Format      Format        `json:"format"`
	Rows        int64         `json:"rows"` // those with errors too
	Columns     []TableColumn `json:"columns"`
	MoreColumns int           `json:"moreColumns,omitempty"` // that are left out here
	Errors      []TableError  `json:"errors"`                // of the first rows that can't be read
	ErrorRows   int64         `json:"errorRows"`
}

// A TableColumn is one column of a Table.
type TableColumn struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`    // empty, text, number, boolean, date, url, list, object
	Samples []string `json:"samples"` // the first values that differ, cut to 200 letters
	Empty   int64    `json:"empty"`   // rows in which nothing stands in it
	Longest int      `json:"longest"` // in letters

	filled int64
}

// A TableError is a row that can't be read.
type TableError struct {
	Index   int64  `json:"index"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Inspect reads all rows of a document as a batch would, and says what they look
// like. Its memory does not grow with the rows.
func Inspect(document io.Reader, format Format, layout Layout, limits Limits) (Table, error) {
	t := Table{Format: format, Columns: []TableColumn{}, Errors: []TableError{}}
	at, left := map[string]int{}, map[string]bool{}
	_, err := DecodeRows(document, format, layout, limits, func(r Row) error {
		t.Rows++
		if r.Error != nil {
			if t.ErrorRows++; len(t.Errors) < tableErrors {
				t.Errors = append(t.Errors, TableError{r.Index, r.Error.Code, r.Error.Message})
			}
			return nil
		}
		return eachCell(r.Values, func(name string, value json.RawMessage) {
			i, ok := at[name]
			if !ok && len(t.Columns) == maxColumns {
				if !left[name] && len(left) < maxColumns {
					left[name] = true
					t.MoreColumns++
				}
				return
			}
			if !ok {
				i = len(t.Columns)
				at[name] = i
				t.Columns = append(t.Columns, TableColumn{Name: name, Type: ColumnEmpty, Samples: []string{}})
			}
			t.Columns[i].add(value)
		})
	})
	for i := range t.Columns { // rows that have no such column have nothing in it
		t.Columns[i].Empty = t.Rows - t.ErrorRows - t.Columns[i].filled
	}
	return t, err
}

// eachCell calls f for the fields of an object, in their order.
func eachCell(object []byte, f func(name string, value json.RawMessage)) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if text, ok := name.(string); ok {
			f(text, value)
		}
	}
	return nil
}

func (c *TableColumn) add(value json.RawMessage) {
	text, is := cellText(value)
	if is == ColumnEmpty {
		return
	}
	c.filled++
	c.Longest = max(c.Longest, utf8.RuneCountInString(text))
	switch {
	case c.Type == ColumnEmpty:
		c.Type = is
	case c.Type != is:
		c.Type = ColumnText
	}
	if len(c.Samples) < columnSamples {
		if letters := []rune(text); len(letters) > sampleLetters {
			text = string(letters[:sampleLetters]) + "…"
		}
		if !slices.Contains(c.Samples, text) {
			c.Samples = append(c.Samples, text)
		}
	}
}

// cellText is a value as a person reads it, and what it looks like.
func cellText(value json.RawMessage) (text, is string) {
	var plain string
	switch {
	case len(value) == 0 || string(value) == "null":
		return "", ColumnEmpty
	case value[0] == '{':
		return string(value), ColumnObject
	case value[0] == '[':
		return string(value), ColumnList
	case json.Unmarshal(value, &plain) != nil:
		if value[0] == 't' || value[0] == 'f' {
			return string(value), ColumnBoolean
		}
		return string(value), ColumnNumber
	}
	trimmed := strings.TrimSpace(plain)
	switch lower := strings.ToLower(trimmed); {
	case trimmed == "":
		return "", ColumnEmpty
	case lower == "true" || lower == "false":
		return plain, ColumnBoolean
	case isNumber(trimmed):
		return plain, ColumnNumber
	case isDate(trimmed):
		return plain, ColumnDate
	case isAddress(trimmed):
		return plain, ColumnURL
	}
	return plain, ColumnText
}

// isNumber reports whether text is a number and no name that looks like one, such
// as a postcode with a zero in front.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return false
	}
	var n json.Number
	return json.Unmarshal([]byte(text), &n) == nil
}

func isDate(text string) bool {
	for _, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

// A Match says which variables the columns of a table are for.
type Match struct {
	Mapping   map[string]string `json:"mapping"`   // of variables to expressions
	Unmatched Unmatched         `json:"unmatched"` // what found no partner
}

// Unmatched are the columns and the variables that found no partner.
type Unmatched struct {
	Columns   []string `json:"columns"`
	Variables []string `json:"variables"` // required ones first
}

// MatchColumns finds the columns of variables by their names: the same, or the same
// but for case, spaces and signs. A column is for one variable at most.
func MatchColumns(columns []TableColumn, vars []template.Var) Match {
	m := Match{Mapping: map[string]string{}, Unmatched: Unmatched{Columns: []string{}, Variables: []string{}}}
	taken := map[string]bool{}
	for _, same := range []func(a, b string) bool{
		func(a, b string) bool { return a == b },
		func(a, b string) bool { return bareName(a) == bareName(b) && bareName(a) != "" },
	} {
		for _, v := range vars {
			if _, ok := m.Mapping[v.Name]; ok {
				continue
			}
			for _, c := range columns {
				if !taken[c.Name] && same(c.Name, v.Name) {
					taken[c.Name], m.Mapping[v.Name] = true, ColumnExpression(c.Name)
					break
				}
			}
		}
	}
	for _, c := range columns {
		if !taken[c.Name] {
			m.Unmatched.Columns = append(m.Unmatched.Columns, c.Name)
		}
	}
	for _, required := range []bool{true, false} {
		for _, v := range vars {
			if _, ok := m.Mapping[v.Name]; !ok && v.Required == required {
				m.Unmatched.Variables = append(m.Unmatched.Variables, v.Name)
			}
		}
	}
	return m
}

// bareName is a name without case, spaces and signs.
func bareName(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// ColumnExpression is the expression that reads a column, whatever its name is.
func ColumnExpression(column string) string {
	if program, err := expr.Compile(column, expr.Options{}); err == nil && slices.Equal(program.Names(), []string{column}) && len(program.Functions()) == 0 {
		return column
	}
	text, _ := json.Marshal(column) // a text
	return "$env[" + string(text) + "]"
}
