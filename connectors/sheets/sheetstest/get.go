package sheetstest

import (
	"net/http"
	"strings"
	"time"
)

func (e *Emulator) getBook(b *Book, q request) (object, *Failure) {
	areas := map[*Sheet][]area{}
	for _, text := range q.query["ranges"] {
		a, f := b.area(text)
		if f != nil {
			return nil, f
		}
		areas[a.s] = append(areas[a.s], a)
	}
	// A field mask decides alone whether there are cells in the answer.
	fields := q.query.Get("fields")
	grid := q.query.Get("includeGridData") == "true"
	if fields != "" {
		grid = strings.Contains(fields, "data") || fields == "*" || fields == "sheets"
	}
	sheets := []object{}
	for i, s := range b.sheets {
		if len(q.query["ranges"]) > 0 && areas[s] == nil {
			continue
		}
		o := object{"properties": object{
			"sheetId": s.id, "title": s.title, "index": i, "sheetType": "GRID",
			"gridProperties": object{"rowCount": s.rows, "columnCount": s.columns},
		}}
		if grid {
			o["data"] = s.grids(areas[s])
		}
		sheets = append(sheets, o)
	}
	return object{
		"spreadsheetId": b.id, "spreadsheetUrl": "https://docs.google.com/spreadsheets/d/" + b.id + "/edit",
		"properties": object{"title": b.title, "locale": "en_US", "autoRecalc": "ON_CHANGE", "timeZone": "Etc/GMT"},
		"sheets":     sheets,
	}, nil
}

// grids are the GridData of areas, or of all.
func (s *Sheet) grids(areas []area) []object {
	if areas == nil {
		a, _ := s.b.area("'" + strings.ReplaceAll(s.title, "'", "''") + "'")
		areas = []area{a}
	}
	all := make([]object, len(areas))
	for i, a := range areas {
		o := object{}
		if a.Top > 1 { // a zero is left out
			o["startRow"] = a.Top - 1
		}
		if a.Left > 1 {
			o["startColumn"] = a.Left - 1
		}
		rows := []object{}
		for row := a.Top; row <= min(a.Down, len(s.cells)); row++ {
			values := []object{}
			for column := a.Left; column <= min(a.Right, len(s.cells[row-1])); column++ {
				values = append(values, s.at(row, column).data())
			}
			rows = append(rows, object{"values": values})
		}
		if len(rows) > 0 {
			o["rowData"] = rows
		}
		all[i] = o
	}
	return all
}

// errorTypes are the ErrorValue.type of errors.
var errorTypes = map[Error]string{
	"#NULL!": "NULL_VALUE", "#DIV/0!": "DIVIDE_BY_ZERO", "#VALUE!": "VALUE", "#REF!": "REF",
	"#NAME?": "NAME", "#NUM!": "NUM", "#N/A": "N_A", "#ERROR!": "ERROR", "Loading...": "LOADING",
}

// data is a CellData.
func (c cell) data() object {
	o := object{}
	if c.format != (Format{}) {
		format := object{"type": c.format.Type}
		if c.format.Pattern != "" {
			format["pattern"] = c.format.Pattern
		}
		o["userEnteredFormat"] = object{"numberFormat": format}
		o["effectiveFormat"] = object{"numberFormat": format}
	}
	if c.empty() {
		return o
	}
	effective := object{}
	switch v := c.value.(type) {
	case bool:
		effective["boolValue"] = v
	case float64:
		effective["numberValue"] = v
	case string:
		effective["stringValue"] = v
	case Error:
		effective["errorValue"] = object{"type": errorTypes[v], "message": string(v)}
	}
	o["effectiveValue"], o["userEnteredValue"], o["formattedValue"] = effective, effective, c.shown()
	if c.formula != "" {
		o["userEnteredValue"] = object{"formulaValue": c.formula}
	}
	return o
}

func (e *Emulator) getFile(b *Book, q request) (object, *Failure) {
	file := object{
		"kind": "drive#file", "id": b.id, "name": b.title, "mimeType": "application/vnd.google-apps.spreadsheet",
	}
	if q.query.Get("fields") != "" {
		file["modifiedTime"] = b.modified.Format(time.RFC3339Nano)
	}
	return file, nil
}

// mask keeps what a field mask names: "a,b/c,d(e,f.g)".
func mask(answer object, fields string) (object, *Failure) {
	m := masker{text: fields}
	tree := m.list()
	if m.bad || m.at != len(fields) {
		return nil, fail(http.StatusBadRequest, "Request contains an invalid argument. Invalid field selection %s", fields)
	}
	kept, ok := tree.keep(answer).(object)
	if !ok {
		kept = object{}
	}
	return kept, nil
}

// A selection is the fields that are kept, each with what is kept of it; nil is all.
type selection map[string]selection

type masker struct {
	text string
	at   int
	bad  bool
}

func (m *masker) list() selection {
	all := selection{}
	for {
		begin := m.at
		for m.at < len(m.text) && !strings.ContainsRune(",()/.", rune(m.text[m.at])) {
			m.at++
		}
		name := strings.TrimSpace(m.text[begin:m.at])
		if name == "" {
			m.bad = true
			return all
		}
		inner := m.inner()
		if before, twice := all[name]; twice && before != nil && inner != nil {
			for k, v := range inner {
				before[k] = v
			}
		} else {
			all[name] = inner
		}
		if m.at == len(m.text) || m.text[m.at] != ',' {
			return all
		}
		m.at++
	}
}

// inner is what follows a name.
func (m *masker) inner() selection {
	if m.at == len(m.text) {
		return nil
	}
	switch m.text[m.at] {
	case '/', '.':
		m.at++
		begin := m.at
		for m.at < len(m.text) && !strings.ContainsRune(",()/.", rune(m.text[m.at])) {
			m.at++
		}
		m.bad = m.bad || begin == m.at
		return selection{m.text[begin:m.at]: m.inner()}
	case '(':
		m.at++
		inner := m.list()
		if m.at == len(m.text) || m.text[m.at] != ')' {
			m.bad = true
			return inner
		}
		m.at++
		return inner
	}
	return nil
}

// keep is value without what is not selected.
func (s selection) keep(value any) any {
	if s == nil {
		return value
	}
	if _, all := s["*"]; all {
		return value
	}
	switch v := value.(type) {
	case object:
		kept := object{}
		for name, inner := range s {
			if field, ok := v[name]; ok {
				kept[name] = inner.keep(field)
			}
		}
		return kept
	case []object:
		kept := make([]object, len(v))
		for i, element := range v {
			kept[i], _ = s.keep(element).(object)
		}
		return kept
	}
	return value
}
