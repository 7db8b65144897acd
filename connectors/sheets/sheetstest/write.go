package sheetstest

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/a1"
)

// A valueRange is a ValueRange of a request.
type valueRange struct {
	Range          string  `json:"range"`
	MajorDimension string  `json:"majorDimension"`
	Values         [][]any `json:"values"`
}

// body reads a request's JSON strictly.
func body(q request, into any) *Failure {
	dec := json.NewDecoder(q.r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalid("Invalid JSON payload received. %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// A writing is how values are taken in and reported.
type writing struct {
	input   string
	include bool
	rendering
}

func (e *Emulator) updateValues(b *Book, q request) (object, *Failure) {
	w, f := writingOf(q)
	if f != nil {
		return nil, f
	}
	var v valueRange
	if f := body(q, &v); f != nil {
		return nil, f
	}
	if v.Range != "" && v.Range != q.path {
		return nil, invalid("Requested range %s, but the body is for %s", q.path, v.Range)
	}
	v.Range = q.path
	return b.update(v, w)
}

func writingOf(q request) (w writing, f *Failure) {
	if w.input, f = inputOf(q.query.Get("valueInputOption")); f != nil {
		return w, f
	}
	w.include = q.query.Get("includeValuesInResponse") == "true"
	w.rendering, f = renderingOf(q, "responseValueRenderOption", "responseDateTimeRenderOption")
	return w, f
}

func inputOf(option string) (string, *Failure) {
	switch option {
	case "RAW", "USER_ENTERED":
		return option, nil
	case "", "INPUT_VALUE_OPTION_UNSPECIFIED":
		return "", invalid("'valueInputOption' is required but not specified")
	}
	return "", invalid("Invalid value at 'value_input_option' (type.googleapis.com/google.apps.sheets.v4.ValueInputOption), \"%s\"", option)
}

func (e *Emulator) batchUpdateValues(b *Book, q request) (object, *Failure) {
	var in struct {
		ValueInputOption             string       `json:"valueInputOption"`
		Data                         []valueRange `json:"data"`
		IncludeValuesInResponse      bool         `json:"includeValuesInResponse"`
		ResponseValueRenderOption    string       `json:"responseValueRenderOption"`
		ResponseDateTimeRenderOption string       `json:"responseDateTimeRenderOption"`
	}
	if f := body(q, &in); f != nil {
		return nil, f
	}
	input, f := inputOf(in.ValueInputOption)
	if f != nil {
		return nil, f
	}
	w := writing{input: input, include: in.IncludeValuesInResponse, rendering: rendering{
		"ROWS", or(in.ResponseValueRenderOption, "FORMATTED_VALUE"), or(in.ResponseDateTimeRenderOption, "SERIAL_NUMBER"),
	}}
	for _, v := range in.Data { // nothing is written unless all of it can be
		if _, f := b.target(v); f != nil {
			return nil, f
		}
	}
	var rows, columns, cells int
	sheets := map[*Sheet]bool{}
	responses := []object{}
	for _, v := range in.Data {
		a, _ := b.target(v)
		o, f := b.update(v, w)
		if f != nil {
			return nil, f
		}
		sheets[a.s] = true
		rows, columns, cells = rows+count(o, "updatedRows"), columns+count(o, "updatedColumns"), cells+count(o, "updatedCells")
		responses = append(responses, o)
	}
	return object{
		"spreadsheetId": b.id, "totalUpdatedRows": rows, "totalUpdatedColumns": columns, "totalUpdatedCells": cells,
		"totalUpdatedSheets": len(sheets), "responses": responses,
	}, nil
}

func count(o object, name string) int {
	n, _ := o[name].(int)
	return n
}

// target is where values go: their range, or from a single cell as far as they reach.
func (b *Book) target(v valueRange) (area, *Failure) {
	a, f := b.area(v.Range)
	if f != nil {
		return a, f
	}
	high, wide := len(v.Values), 0
	for _, row := range v.Values {
		wide = max(wide, len(row))
	}
	if v.MajorDimension == "COLUMNS" {
		high, wide = wide, high
	}
	single := a.Left == a.Right && a.Top == a.Down
	if single {
		a.Down, a.Right = a.Top+max(high, 1)-1, a.Left+max(wide, 1)-1
	}
	switch {
	case a.Down > a.s.rows || a.Right > a.s.columns:
		return a, invalid("Range (%s) exceeds grid limits. Max rows: %d, max columns: %d", a, a.s.rows, a.s.columns)
	case high > a.Down-a.Top+1:
		return a, invalid("Requested writing within range [%s], but tried writing to row [%d]", a, a.Down+1)
	case wide > a.Right-a.Left+1:
		return a, invalid("Requested writing within range [%s], but tried writing to column [%s]", a, a1.Column(a.Right+1))
	}
	return a, b.permits(a)
}

// update writes values and reports it as an UpdateValuesResponse.
func (b *Book) update(v valueRange, w writing) (object, *Failure) {
	a, f := b.target(v)
	if f != nil {
		return nil, f
	}
	written := 0
	rows, columns := map[int]bool{}, map[int]bool{}
	for i, line := range v.Values {
		for j, value := range line {
			row, column := a.Top+i, a.Left+j
			if v.MajorDimension == "COLUMNS" {
				row, column = a.Top+j, a.Left+i
			}
			if value == nil { // null leaves the cell
				continue
			}
			c, f := entered(value, w.input)
			if f != nil {
				return nil, f
			}
			at := a.s.place(row, column)
			before := *at
			if c.format == (Format{}) {
				c.format = at.format
			}
			*at = c
			a.s.edited(row, column, before)
			written++
			rows[row], columns[column] = true, true
		}
	}
	o := object{"spreadsheetId": b.id, "updatedRange": a.String()}
	if written > 0 {
		o["updatedRows"], o["updatedColumns"], o["updatedCells"] = len(rows), len(columns), written
	}
	if w.include {
		o["updatedData"] = a.valueRange(w.rendering)
	}
	return o, nil
}

// entered is a value of a request as the cell that it makes.
func entered(value any, input string) (cell, *Failure) {
	switch v := value.(type) {
	case bool, float64:
		return cell{value: v}, nil
	case string:
		if v == "" {
			return cell{}, nil
		}
		if input == "RAW" {
			return cell{value: v}, nil
		}
		return typed(v), nil
	}
	return cell{}, invalid("Invalid values[0][0]: %T value", value)
}

// typed is a text as if a person had typed it.
func typed(text string) cell {
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "="):
		return cell{formula: text, value: Error("#NAME?")}
	case strings.HasPrefix(text, "'"):
		return cell{value: text[1:]}
	case strings.EqualFold(trimmed, "true"), strings.EqualFold(trimmed, "false"):
		return cell{value: strings.EqualFold(trimmed, "true")}
	}
	if n, err := strconv.ParseFloat(trimmed, 64); err == nil {
		return cell{value: n}
	}
	if n, err := strconv.ParseFloat(strings.TrimSuffix(trimmed, "%"), 64); err == nil {
		return cell{value: n / 100, format: Format{Type: "PERCENT"}}
	}
	for _, form := range []struct{ layout, kind string }{
		{"2006-01-02", "DATE"}, {"1/2/2006", "DATE"}, {"2006-01-02 15:04:05", "DATE_TIME"}, {"15:04:05", "TIME"},
	} {
		if t, err := time.Parse(form.layout, trimmed); err == nil {
			serial := Serial(t)
			if form.kind == "TIME" {
				serial = float64(t.Hour()*3600+t.Minute()*60+t.Second()) / 86400
			}
			return cell{value: serial, format: Format{Type: form.kind}}
		}
	}
	return cell{value: text}
}

func (e *Emulator) appendValues(b *Book, q request) (object, *Failure) {
	w, f := writingOf(q)
	if f != nil {
		return nil, f
	}
	how, f := choice(q, "insertDataOption", "OVERWRITE", "INSERT_ROWS")
	if f != nil {
		return nil, f
	}
	var v valueRange
	if f := body(q, &v); f != nil {
		return nil, f
	}
	a, f := b.area(q.path)
	if f != nil {
		return nil, f
	}
	o := object{"spreadsheetId": b.id}
	left, top := a.Left, a.Top
	if table, found := a.table(); found {
		left, top = table.Left, table.Down+1
		o["tableRange"] = table.String()
	}
	wide := 0
	for _, row := range v.Values {
		wide = max(wide, len(row))
	}
	if how == "INSERT_ROWS" {
		a.s.insertRows(top, len(v.Values))
	}
	a.s.rows = max(a.s.rows, top+len(v.Values)-1)
	to := a1.Range{Sheet: a.s.title, Left: left, Top: top, Right: left + max(wide, 1) - 1, Down: top + max(len(v.Values), 1) - 1}
	v.Range = to.String()
	updates, f := b.update(v, w)
	if f != nil {
		return nil, f
	}
	o["updates"] = updates
	return o, nil
}

// table is the block of cells, without an empty row or column between them,
// around the last cells of the area that hold something.
func (a area) table() (a1.Range, bool) {
	filled := func(left, top, right, down int) bool {
		for row := max(top, 1); row <= down; row++ {
			for column := max(left, 1); column <= right; column++ {
				if !a.s.at(row, column).empty() {
					return true
				}
			}
		}
		return false
	}
	row := min(a.Down, len(a.s.cells))
	for row >= a.Top && !filled(a.Left, row, a.Right, row) {
		row--
	}
	if row < a.Top {
		return a1.Range{}, false
	}
	t := a1.Range{Sheet: a.s.title, Left: a.Left, Top: row, Right: a.Right, Down: row}
	for !filled(t.Left, row, t.Left, row) {
		t.Left++
	}
	for !filled(t.Right, row, t.Right, row) {
		t.Right--
	}
	for {
		before := t
		if filled(t.Left, t.Top-1, t.Right, t.Top-1) {
			t.Top--
		}
		if filled(t.Left, t.Down+1, t.Right, t.Down+1) {
			t.Down++
		}
		if filled(t.Left-1, t.Top, t.Left-1, t.Down) {
			t.Left--
		}
		if filled(t.Right+1, t.Top, t.Right+1, t.Down) {
			t.Right++
		}
		if t == before {
			return t, true
		}
	}
}

func (e *Emulator) clearValues(b *Book, q request) (object, *Failure) {
	var none struct{}
	if q.r.ContentLength != 0 {
		if f := body(q, &none); f != nil {
			return nil, f
		}
	}
	cleared, f := b.clear(q.path)
	if f != nil {
		return nil, f
	}
	return object{"spreadsheetId": b.id, "clearedRange": cleared}, nil
}

func (e *Emulator) batchClearValues(b *Book, q request) (object, *Failure) {
	var in struct {
		Ranges []string `json:"ranges"`
	}
	if f := body(q, &in); f != nil {
		return nil, f
	}
	all := []string{}
	for _, text := range in.Ranges {
		cleared, f := b.clear(text)
		if f != nil {
			return nil, f
		}
		all = append(all, cleared)
	}
	return object{"spreadsheetId": b.id, "clearedRanges": all}, nil
}

// clear takes the values of a range, and leaves its formats.
func (b *Book) clear(text string) (string, *Failure) {
	a, f := b.area(text)
	if f != nil {
		return "", f
	}
	if f := b.permits(a); f != nil {
		return "", f
	}
	within := a.Range
	within.Down = min(a.Down, len(a.s.cells))
	if within.Top <= within.Down {
		a.s.each(within, func(c *cell) { *c = cell{format: c.format} })
	}
	return a.String(), nil
}
