package sheetstest

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/a1"
)

// The requests of spreadsheets.batchUpdate, as far as they are known here.
type change struct {
	AddSheet *struct {
		Properties properties `json:"properties"`
	} `json:"addSheet"`
	DeleteSheet *struct {
		SheetID int64 `json:"sheetId"`
	} `json:"deleteSheet"`
	UpdateSheetProperties *struct {
		Properties properties `json:"properties"`
		Fields     string     `json:"fields"`
	} `json:"updateSheetProperties"`
	InsertDimension *struct {
		Range             dimension `json:"range"`
		InheritFromBefore bool      `json:"inheritFromBefore"`
	} `json:"insertDimension"`
	DeleteDimension *struct {
		Range dimension `json:"range"`
	} `json:"deleteDimension"`
	AppendDimension *struct {
		SheetID   int64  `json:"sheetId"`
		Dimension string `json:"dimension"`
		Length    int    `json:"length"`
	} `json:"appendDimension"`
	MoveDimension *struct {
		Source           dimension `json:"source"`
		DestinationIndex int       `json:"destinationIndex"`
	} `json:"moveDimension"`
	SortRange *struct {
		Range     gridRange `json:"range"`
		SortSpecs []struct {
			DimensionIndex int    `json:"dimensionIndex"`
			SortOrder      string `json:"sortOrder"`
		} `json:"sortSpecs"`
	} `json:"sortRange"`
	RepeatCell *struct {
		Range  gridRange `json:"range"`
		Cell   cellData  `json:"cell"`
		Fields string    `json:"fields"`
	} `json:"repeatCell"`
}

type properties struct {
	SheetID        *int64 `json:"sheetId"`
	Title          string `json:"title"`
	Index          *int   `json:"index"`
	GridProperties *struct {
		RowCount    int `json:"rowCount"`
		ColumnCount int `json:"columnCount"`
	} `json:"gridProperties"`
}

type dimension struct {
	SheetID    int64  `json:"sheetId"`
	Dimension  string `json:"dimension"`
	StartIndex int    `json:"startIndex"`
	EndIndex   int    `json:"endIndex"`
}

type gridRange struct {
	SheetID          int64 `json:"sheetId"`
	StartRowIndex    int   `json:"startRowIndex"`
	EndRowIndex      int   `json:"endRowIndex"`
	StartColumnIndex int   `json:"startColumnIndex"`
	EndColumnIndex   int   `json:"endColumnIndex"`
}

type cellData struct {
	UserEnteredFormat struct {
		NumberFormat struct {
			Type    string `json:"type"`
			Pattern string `json:"pattern"`
		} `json:"numberFormat"`
	} `json:"userEnteredFormat"`
}

func (g gridRange) cells() a1.Range {
	return a1.Range{Left: g.StartColumnIndex + 1, Top: g.StartRowIndex + 1, Right: g.EndColumnIndex, Down: g.EndRowIndex}
}

func (e *Emulator) batchUpdate(b *Book, q request) (object, *Failure) {
	var in struct {
		Requests                     []change `json:"requests"`
		IncludeSpreadsheetInResponse bool     `json:"includeSpreadsheetInResponse"`
	}
	if f := body(q, &in); f != nil {
		return nil, f
	}
	if len(in.Requests) == 0 {
		return nil, invalid("Must specify at least one request.")
	}
	replies := []object{}
	for i, c := range in.Requests {
		reply, f := b.change(c)
		if f != nil {
			f.Message = "Invalid requests[" + number(float64(i), "0") + "]." + f.Message
			return nil, f
		}
		replies = append(replies, reply)
	}
	o := object{"spreadsheetId": b.id, "replies": replies}
	if in.IncludeSpreadsheetInResponse {
		updated, f := e.getBook(b, request{r: q.r})
		if f != nil {
			return nil, f
		}
		o["updatedSpreadsheet"] = updated
	}
	return o, nil
}

// change does one request and is its reply.
func (b *Book) change(c change) (object, *Failure) {
	switch {
	case c.AddSheet != nil:
		return b.add(c.AddSheet.Properties)
	case c.DeleteSheet != nil:
		return b.removeSheet(c.DeleteSheet.SheetID)
	case c.UpdateSheetProperties != nil:
		return b.setProperties(c.UpdateSheetProperties.Properties, c.UpdateSheetProperties.Fields)
	case c.InsertDimension != nil:
		return b.dimension("insertDimension", c.InsertDimension.Range, (*Sheet).insertRows, (*Sheet).insertColumns)
	case c.DeleteDimension != nil:
		return b.dimension("deleteDimension", c.DeleteDimension.Range, (*Sheet).deleteRows, (*Sheet).deleteColumns)
	case c.AppendDimension != nil:
		return b.grow(c.AppendDimension.SheetID, c.AppendDimension.Dimension, c.AppendDimension.Length)
	case c.MoveDimension != nil:
		return b.move(c.MoveDimension.Source, c.MoveDimension.DestinationIndex)
	case c.SortRange != nil && len(c.SortRange.SortSpecs) == 1:
		s, f := b.need("sortRange", c.SortRange.Range.SheetID)
		if f != nil {
			return nil, f
		}
		spec := c.SortRange.SortSpecs[0]
		s.sort(c.SortRange.Range.cells(), spec.DimensionIndex+1, spec.SortOrder == "DESCENDING")
		return object{}, nil
	case c.RepeatCell != nil && strings.HasPrefix(c.RepeatCell.Fields, "userEnteredFormat"):
		s, f := b.need("repeatCell", c.RepeatCell.Range.SheetID)
		if f != nil {
			return nil, f
		}
		format := c.RepeatCell.Cell.UserEnteredFormat.NumberFormat
		s.each(c.RepeatCell.Range.cells(), func(c *cell) { c.format = Format(format) })
		return object{}, nil
	}
	return nil, invalid("kind: No request set, or one that this emulator does not know.")
}

func (b *Book) need(kind string, id int64) (*Sheet, *Failure) {
	if s := b.sheetByID(id); s != nil {
		return s, nil
	}
	return nil, invalid("%s: No grid with id: %d", kind, id)
}

func (b *Book) add(p properties) (object, *Failure) {
	if p.Title == "" {
		p.Title = "Sheet" + number(float64(b.nextSheet+1), "0")
	}
	if b.sheet(p.Title) != nil {
		return nil, invalid("addSheet: A sheet with the name \"%s\" already exists. Please enter another name.", p.Title)
	}
	s := b.addSheet(p.Title)
	if g := p.GridProperties; g != nil {
		s.rows, s.columns = number0(g.RowCount, s.rows), number0(g.ColumnCount, s.columns)
	}
	return object{"addSheet": object{"properties": object{
		"sheetId": s.id, "title": s.title, "index": len(b.sheets) - 1, "sheetType": "GRID",
		"gridProperties": object{"rowCount": s.rows, "columnCount": s.columns},
	}}}, nil
}

func (b *Book) removeSheet(id int64) (object, *Failure) {
	if _, f := b.need("deleteSheet", id); f != nil {
		return nil, f
	}
	if len(b.sheets) == 1 {
		return nil, invalid("deleteSheet: You can't remove all the sheets in a document.")
	}
	left := b.sheets[:0]
	for _, s := range b.sheets {
		if s.id != id {
			left = append(left, s)
		}
	}
	b.sheets = left
	return object{}, nil
}

func (b *Book) setProperties(p properties, fields string) (object, *Failure) {
	if p.SheetID == nil {
		p.SheetID = new(int64)
	}
	s, f := b.need("updateSheetProperties", *p.SheetID)
	if f != nil {
		return nil, f
	}
	for field := range strings.SplitSeq(fields, ",") {
		switch strings.TrimSpace(field) {
		case "title":
			s.title = p.Title
		case "gridProperties.rowCount":
			s.rows = p.GridProperties.RowCount
		case "gridProperties.columnCount":
			s.columns = p.GridProperties.ColumnCount
		default:
			return nil, invalid("updateSheetProperties: Invalid field: %s", field)
		}
	}
	return object{}, nil
}

func (b *Book) dimension(kind string, d dimension, rows, columns func(s *Sheet, at, n int)) (object, *Failure) {
	s, f := b.need(kind, d.SheetID)
	if f != nil {
		return nil, f
	}
	n := d.EndIndex - d.StartIndex
	limit := s.rows
	do := rows
	if d.Dimension == "COLUMNS" {
		limit, do = s.columns, columns
	}
	if n <= 0 || d.StartIndex < 0 || d.StartIndex > limit || kind == "deleteDimension" && d.EndIndex > limit {
		return nil, invalid("%s: range.endIndex[%d] must be after range.startIndex[%d] and within the grid", kind, d.EndIndex, d.StartIndex)
	}
	do(s, d.StartIndex+1, n)
	return object{}, nil
}

func (b *Book) grow(id int64, which string, n int) (object, *Failure) {
	s, f := b.need("appendDimension", id)
	if f != nil {
		return nil, f
	}
	if which == "COLUMNS" {
		s.columns += n
	} else {
		s.rows += n
	}
	return object{}, nil
}

func (b *Book) move(d dimension, to int) (object, *Failure) {
	s, f := b.need("moveDimension", d.SheetID)
	if f != nil {
		return nil, f
	}
	if d.Dimension != "COLUMNS" || d.EndIndex-d.StartIndex != 1 {
		return nil, invalid("moveDimension: this emulator moves one column")
	}
	// The destination counts as before the column was taken out.
	if to > d.StartIndex {
		to--
	}
	s.moveColumn(d.StartIndex+1, to+1)
	return object{}, nil
}
