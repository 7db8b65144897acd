// Package a1 reads and writes the A1 notation of spreadsheets: "Products!A2:H",
// "'Price list'!A:C", "B7".
package a1

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxColumn is the last column that has a name of three letters, ZZZ.
const MaxColumn = 18278

// maxRow keeps a row within what any sheet can have.
const maxRow = 1 << 30

// A Range is a rectangle of cells. Rows and columns count from 1, both ends
// are in it, and 0 is an end that is open.
type Range struct {
	Sheet       string // "" where none was named
	Left, Top   int
	Right, Down int
}

// Parse reads a range, a single cell, or the name of a sheet alone. A text that
// could be either is a range: quote the name of such a sheet.
func Parse(text string) (Range, error) {
	sheet, cells, named, err := split(text)
	if err != nil {
		return Range{}, err
	}
	if named && sheet == "" {
		return Range{}, fmt.Errorf("%q names no sheet", text)
	}
	if cells == "" && named {
		return Range{Sheet: sheet}, nil
	}
	r, ok := parseCells(cells)
	if !ok && !named {
		return Range{Sheet: cells}, nil
	}
	if !ok {
		return Range{}, fmt.Errorf("%q is no range of cells, as A2:H is", cells)
	}
	r.Sheet = sheet
	return r, nil
}

// split parts a sheet's name from the cells; named says that there is one for sure.
func split(text string) (sheet, cells string, named bool, err error) {
	if text = strings.TrimSpace(text); text == "" {
		return "", "", false, fmt.Errorf("an empty range")
	}
	if !strings.HasPrefix(text, "'") {
		if i := strings.LastIndexByte(text, '!'); i > 0 {
			return text[:i], text[i+1:], true, nil
		}
		return "", text, false, nil
	}
	var name strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '\'':
			name.WriteByte(text[i])
		case strings.HasPrefix(text[i+1:], "'"):
			name.WriteByte('\'')
			i++
		case i+1 == len(text):
			return name.String(), "", true, nil
		case text[i+1] == '!':
			return name.String(), text[i+2:], true, nil
		default:
			return "", "", false, fmt.Errorf("%s: an exclamation mark follows the name of the sheet", text)
		}
	}
	return "", "", false, fmt.Errorf("%s: the quote around the name of the sheet is not closed", text)
}

func parseCells(text string) (Range, bool) {
	from, to, several := strings.Cut(text, ":")
	left, top, ok := parseCell(from)
	if !ok {
		return Range{}, false
	}
	if !several {
		return Range{Left: left, Top: top, Right: left, Down: top}, left > 0 && top > 0
	}
	right, down, ok := parseCell(to)
	if !ok || (left == 0) != (right == 0) {
		return Range{}, false
	}
	if left > right {
		left, right = right, left
	}
	if top > down && down > 0 {
		top, down = down, top
	}
	return Range{Left: left, Top: top, Right: right, Down: down}, true
}

// parseCell reads A1, A or 1.
func parseCell(text string) (column, row int, ok bool) {
	text = strings.ReplaceAll(text, "$", "")
	digits := strings.IndexAny(text, "0123456789")
	if digits < 0 {
		digits = len(text)
	}
	if digits > 0 {
		if column, ok = ColumnNumber(text[:digits]); !ok {
			return 0, 0, false
		}
	}
	if digits < len(text) {
		n, err := strconv.Atoi(text[digits:])
		if err != nil || n < 1 || n > maxRow {
			return 0, 0, false
		}
		row = n
	}
	return column, row, text != ""
}

// ColumnNumber is the column that letters name, A being 1.
func ColumnNumber(letters string) (int, bool) {
	if letters == "" || len(letters) > 3 {
		return 0, false
	}
	n := 0
	for _, r := range strings.ToUpper(letters) {
		if r < 'A' || r > 'Z' {
			return 0, false
		}
		n = n*26 + int(r-'A') + 1
	}
	return n, true
}

// Column is the name of column n.
func Column(n int) string {
	name := ""
	for ; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}

// Quote is a sheet's name as it stands before the exclamation mark.
func Quote(sheet string) string {
	for _, r := range sheet {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (r < '0' || r > '9') {
			return "'" + strings.ReplaceAll(sheet, "'", "''") + "'"
		}
	}
	if _, cells := parseCells(sheet); cells {
		return "'" + sheet + "'"
	}
	return sheet
}

// String is the range in A1 notation.
func (r Range) String() string {
	cells := cell(r.Left, r.Top)
	if last := cell(r.Right, r.Down); last != cells || r.Top == 0 || r.Left == 0 {
		cells += ":" + last
	}
	switch {
	case r.Sheet == "":
		return cells
	case cells == ":":
		return Quote(r.Sheet)
	}
	return Quote(r.Sheet) + "!" + cells
}

func cell(column, row int) string {
	if row == 0 {
		return Column(column)
	}
	return Column(column) + strconv.Itoa(row)
}
