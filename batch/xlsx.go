package batch

import (
	"errors"
	"fmt"
	"io"

	"github.com/pictifyd/pictifyd/internal/rows"
)

// xlsxRows reads a sheet with a header. Every cell is a text.
type xlsxRows struct{}

func (xlsxRows) read(d *decoder) (err error) {
	sheet, err := rows.OpenSheet(d.in, d.fields.layout.Sheet, d.cells)
	if err != nil {
		return d.explain(err)
	}
	defer func() { err = errors.Join(err, sheet.Close()) }()
	columns := newColumns(sheet.Header())
	for {
		record, err := sheet.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := d.give(columns.row(d.rows, record.Cells, fmt.Sprintf("row %d", record.Line))); err != nil {
			return err
		}
	}
}
