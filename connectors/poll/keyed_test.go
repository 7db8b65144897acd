package poll_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

// keysOfFaults are the keys of the elements of a table that became no rows.
func keysOfFaults(t *testing.T, d poll.Decoder, key ...string) [][]any {
	t.Helper()
	var keys [][]any
	r := poll.NewReading(key, func(_ context.Context, b connectors.Batch) error {
		for _, f := range b.Faults {
			keys = append(keys, f.Key)
		}
		return nil
	})
	if err := r.Copy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context(), connectors.Closing{Complete: true}); err != nil {
		t.Fatal(err)
	}
	return keys
}

// A row of which a cell can't be read is still there: its key says so, unless that
// is what can't be read.
func TestFaultOfACellHasTheKeyOfItsRow(t *testing.T) {
	german := poll.Layout{Format: poll.CSV, Numbers: poll.Numbers{Locale: "de-DE", Columns: []string{"price", "id"}}}
	table := "id;price\n1.001;12.50\n1.002;1,50\n10.2;1,50\n;12.50\n"
	d, err := german.Decoder(poll.CSV, strings.NewReader(table), []string{"id"})
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, [][]any{{json.Number("1001")}, {nil}, {nil}}, keysOfFaults(t, d, "id"))

	book := workbook(t, func(f *excelize.File) error {
		for cell, value := range map[string]any{"A1": "id", "B1": "total", "A2": "1", "B2": "#REF!", "A3": "#N/A", "B3": "2", "A4": "3", "B4": "3"} {
			if err := f.SetCellValue("Sheet1", cell, value); err != nil {
				return err
			}
		}
		return nil
	})
	if d, err = (poll.Layout{Format: poll.XLSX}).Decoder(poll.XLSX, strings.NewReader(book), []string{"id"}); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, [][]any{{"1"}, {nil}}, keysOfFaults(t, d, "id"))
}
