package element

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

var tableKind = Kind{
	Name:    "table",
	Summary: "the rows of a table from a list",
	Host:    "table",
	Options: []Option{
		{Name: "columns", Summary: `what the columns show: "name:Item, qty * price:Total|currency('EUR')" is expression:heading|pipes; without it, every field`, Static: true},
		yesNo("head", true, "the row of headings"),
	},
	compile: compileTable,
	read:    readTable,
	draw:    drawTable,
}

const (
	tableRows    = 500
	tableColumns = 30
)

type tableData struct {
	Head  []string   `json:"head,omitempty"`
	Right []bool     `json:"right"` // the columns of numbers
	Rows  [][]string `json:"rows"`
}

func readTable(r *reading) (any, error) {
	if empty(r.value) {
		return nil, nil
	}
	items, ok := r.value.([]any)
	if !ok {
		return nil, bad("a table needs a list, but the value is %s", describe(r.value))
	}
	if len(items) > tableRows {
		return nil, bad("a table has at most %d rows, and this list has %d", tableRows, len(items)).WithHint("take a part of it: items[0:%d]", tableRows)
	}
	columns, err := r.columns(items)
	if err != nil {
		return nil, err
	}
	d := tableData{Right: make([]bool, len(columns)), Rows: make([][]string, len(items))}
	numbers, others := make([]bool, len(columns)), make([]bool, len(columns))
	for i, item := range items {
		d.Rows[i] = make([]string, len(columns))
		for j, c := range columns {
			text, kind, err := c.cell(item, r.env)
			if err != nil {
				return nil, bad("row %d, column %s: %w", i+1, quote(c.heading), err)
			}
			d.Rows[i][j] = text
			numbers[j] = numbers[j] || kind == numberCell
			others[j] = others[j] || kind == textCell
		}
	}
	// The parts of lists have no names.
	named := slices.ContainsFunc(columns, func(c column) bool { return c.heading != "" })
	for j, c := range columns {
		d.Right[j] = numbers[j] && !others[j]
		if named && r.on("head") {
			d.Head = append(d.Head, c.heading)
		}
	}
	return d, nil
}

// columns are those of p-columns, or one for each field of the items.
func (r *reading) columns(items []any) ([]column, error) {
	if r.program != nil && len(r.program.columns) > 0 {
		return r.program.columns, nil
	}
	fields, width := map[string]bool{}, 0
	for _, item := range items {
		switch item := item.(type) {
		case map[string]any:
			for name := range item {
				fields[name] = true
			}
		case []any:
			width = max(width, len(item))
		default:
			width = max(width, 1)
		}
	}
	if n := len(fields) + width; n > tableColumns {
		return nil, bad("a table has at most %d columns, and these rows have %d fields", tableColumns, n).WithHint("choose with p-columns")
	}
	var out []column
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, column{heading: name, field: func(item any) any {
			object, _ := item.(map[string]any)
			return object[name]
		}})
	}
	for i := range width {
		out = append(out, column{field: func(item any) any { return part(item, i) }})
	}
	return out, nil
}

// part is the i-th of a list; what is no list has one part.
func part(item any, i int) any {
	switch item := item.(type) {
	case map[string]any:
		return nil
	case []any:
		if i < len(item) {
			return item[i]
		}
		return nil
	}
	if i == 0 {
		return item
	}
	return nil
}

func drawTable(data []byte) string {
	d, ok := decode[tableData](data)
	if !ok || len(d.Rows) > tableRows || len(d.Right) > tableColumns || len(d.Head) > tableColumns {
		return ""
	}
	var b strings.Builder
	if len(d.Head) > 0 {
		b.WriteString("<thead>")
		d.row(&b, "th", d.Head)
		b.WriteString("</thead>")
	}
	b.WriteString(`<tbody style="font-variant-numeric:tabular-nums">`)
	for _, cells := range d.Rows {
		if len(cells) > tableColumns {
			return ""
		}
		d.row(&b, "td", cells)
	}
	b.WriteString("</tbody>")
	return b.String()
}

// row uses the attribute align since every rule of CSS overrides it.
func (d tableData) row(b *strings.Builder, tag string, cells []string) {
	b.WriteString("<tr>")
	for j, text := range cells {
		align := "left"
		class := ""
		if j < len(d.Right) && d.Right[j] {
			align, class = "right", ` class="p-number"`
		}
		scope := ""
		if tag == "th" {
			scope = ` scope="col"`
		}
		fmt.Fprintf(b, `<%s%s%s align="%s">%s</%s>`, tag, scope, class, align, escape(text), tag)
	}
	b.WriteString("</tr>")
}
