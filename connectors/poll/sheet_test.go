package poll_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

// workbook is an XLSX that write has filled.
func workbook(tb testing.TB, write func(f *excelize.File) error) string {
	tb.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if err := write(f); err != nil {
		tb.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func prices(f *excelize.File) error {
	if _, err := f.NewSheet("Prices"); err != nil {
		return err
	}
	date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		return err
	}
	for cell, value := range map[string]any{
		"A1": "sku", "B1": "price", "C1": "day", "A2": "0012", "B2": "1.234,50", "C2": 46082, "A3": "0013", "B3": "n/a", "A5": "0014", "A6": " ",
	} {
		if err := f.SetCellValue("Prices", cell, value); err != nil {
			return err
		}
	}
	return f.SetCellStyle("Prices", "C2", "C2", date)
}

func TestSheetIsATable(t *testing.T) {
	layout := poll.Layout{Format: poll.XLSX, Sheet: "Prices", Numbers: numbersIn("de-DE")}
	got := mustDecode(t, layout, workbook(t, prices))
	mustEqual(t, []map[string]any{
		{"sku": "0012", "price": json.Number("1234.50"), "day": "2026-03-01"},
		{"sku": "0014", "price": nil, "day": ""},
	}, rowsOf(got))
	mustEqual(t, []string{`row 3 bad_record: price "n/a" is not a number as de-DE writes it, as in 123.456.789,5`}, faultsOf(got))
	mustEqual(t, "row 5", got[2].Position)
}

func TestFormulaIsItsResult(t *testing.T) {
	book := workbook(t, func(f *excelize.File) error {
		for cell, value := range map[string]any{"A1": "id", "B1": "total", "A2": "1", "B2": 42.5} {
			if err := f.SetCellValue("Sheet1", cell, value); err != nil {
				return err
			}
		}
		return f.SetCellFormula("Sheet1", "B2", "40+2.5")
	})
	mustEqual(t, []map[string]any{{"id": "1", "total": "42.5"}}, rowsOf(mustDecode(t, poll.Layout{Format: poll.XLSX}, book)))
}

func TestErrorOfAFormulaKeepsItsRowOut(t *testing.T) {
	book := workbook(t, func(f *excelize.File) error {
		for cell, value := range map[string]any{"A1": "id", "B1": "total", "A2": "1", "B2": "#DIV/0!", "A3": "2", "B3": "# 1"} {
			if err := f.SetCellValue("Sheet1", cell, value); err != nil {
				return err
			}
		}
		return nil
	})
	got := mustDecode(t, poll.Layout{Format: poll.XLSX}, book)
	mustEqual(t, []string{"row 2 error_cell: total is #DIV/0!"}, faultsOf(got))
	mustEqual(t, []map[string]any{{"id": "2", "total": "# 1"}}, rowsOf(got))
	mustEqual(t, []map[string]any{{"id": "1", "total": "#DIV/0!"}}, rowsOf(mustDecode(t, asCSV, "id,total\n1,#DIV/0!\n")))
}

func TestBadWorkbookIsAnErrorAndLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	book := workbook(t, prices)
	for name, c := range map[string]struct {
		sheet, text, key, words string
	}{
		"unknown sheet": {"Price", book, "", `did you mean "Prices"?`},
		"empty sheet":   {"", book, "", "no header"},
		"no key":        {"Prices", book, "id", `"sku", "price", "day"`},
		"cut":           {"Prices", book[:len(book)-100], "", "cut short"},
		"an .xls":       {"Prices", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 1000), "", "not an .xls"},
		"a CSV":         {"Prices", "id,name\n1,a\n", "", ".xlsx"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := poll.Layout{Sheet: c.sheet}.Decoder(poll.XLSX, strings.NewReader(c.text), []string{c.key}[:min(len(c.key), 1)])
			if err == nil {
				t.Fatalf("decoded as %v", d)
			}
			if !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %q does not mention %q", err, c.words)
			}
			mustBeEmpty(t, os.Getenv("TMPDIR"))
		})
	}
}

func TestWorkbookLeavesNothingHoweverTheReadingEnds(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, ctx := range map[string]context.Context{"read": t.Context(), "stopped": stopped} {
		d, err := poll.Layout{Sheet: "Prices"}.Decoder(poll.XLSX, strings.NewReader(workbook(t, prices)), nil)
		if err != nil {
			t.Fatal(err)
		}
		var r connectortest.Recorder
		if err := poll.NewReading([]string{"sku"}, r.Emit).Copy(ctx, d); (err != nil) != (ctx == stopped) {
			t.Errorf("%s: %v", name, err)
		}
		mustBeEmpty(t, os.Getenv("TMPDIR"))
	}
}

func mustBeEmpty(tb testing.TB, dir string) {
	tb.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		tb.Errorf("left are %v, %v", left, err)
	}
}
