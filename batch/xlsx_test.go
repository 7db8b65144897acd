package batch

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// workbook is an XLSX that set has written to.
func workbook(tb testing.TB, set func(f *excelize.File) error) []byte {
	tb.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if err := set(f); err != nil {
		tb.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func readXLSX(book []byte, layout Layout) (values []string, err error) {
	_, err = DecodeRows(bytes.NewReader(book), XLSX, layout, Limits{Cells: 100_000}, func(r Row) error {
		if r.Error != nil {
			values = append(values, r.Error.Message)
		} else {
			values = append(values, string(r.Values))
		}
		return nil
	})
	return values, err
}

func TestSheetIsReadAsItIsShown(t *testing.T) {
	book := workbook(t, func(f *excelize.File) error {
		date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		if err != nil {
			return err
		}
		zeros := "00000"
		code, err := f.NewStyle(&excelize.Style{CustomNumFmt: &zeros})
		if err != nil {
			return err
		}
		if _, err := f.NewSheet("Prices"); err != nil {
			return err
		}
		cells := map[string]any{
			"A2": "id", "B2": " name ", "C2": "day", "D2": "price", "E2": "ok",
			"A3": 123, "B3": "Größe \"😀\"", "C3": 46082, "D3": 12.5, "E3": true,
			"A5": 4, "E5": "last",
			"A6": " ", "G7": " ",
		}
		for cell, value := range cells {
			if err := f.SetCellValue("Prices", cell, value); err != nil {
				return err
			}
		}
		if err := f.SetCellStyle("Prices", "A3", "A5", code); err != nil {
			return err
		}
		return f.SetCellStyle("Prices", "C3", "C3", date)
	})
	got, err := readXLSX(book, Layout{Sheet: "Prices"})
	want := []string{
		`{"id":"00123","name":"Größe \"😀\"","day":"2026-03-01","price":"12.5","ok":"TRUE"}`,
		`{"id":"00004","name":"","day":"","price":"","ok":"last"}`,
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := readXLSX(book, Layout{}); problem.All(err)[0].Kind() != "bad_table" {
		t.Errorf("the first sheet is empty, but got %v", err)
	}
}

func TestLargeSheetIsReadFromFilesThatAreGoneAfterwards(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	long := strings.Repeat("word ", 900)
	book := workbook(t, func(f *excelize.File) error {
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			return err
		}
		if err := w.SetRow("A1", []any{"id", "text"}); err != nil {
			return err
		}
		for i := range 2_500 {
			if err := w.SetRow(fmt.Sprintf("A%d", i+2), []any{i, fmt.Sprint(i, long)}); err != nil {
				return err
			}
		}
		return w.Flush()
	})
	got, err := readXLSX(book, Layout{})
	if err != nil || len(got) != 2_500 || !strings.HasPrefix(got[2_499], `{"id":"2499","text":"2499`) {
		t.Errorf("%d rows, %v", len(got), err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// tampered is a workbook with one part written anew.
func tampered(tb testing.TB, part string, write func(w *zipPart)) []byte {
	tb.Helper()
	whole := workbook(tb, func(f *excelize.File) error { return f.SetSheetRow("Sheet1", "A1", &[]any{"id"}) })
	from, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	to := zip.NewWriter(&b)
	for _, f := range from.File {
		if f.Name == part {
			continue
		}
		if err := to.Copy(f); err != nil {
			tb.Fatal(err)
		}
	}
	out := &zipPart{}
	write(out)
	var packed bytes.Buffer
	deflate, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = deflate.Write(out.Bytes())
	if err := deflate.Close(); err != nil {
		tb.Fatal(err)
	}
	w, err := to.CreateRaw(&zip.FileHeader{
		Name: part, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(out.Bytes()), CompressedSize64: uint64(packed.Len()),
		UncompressedSize64: cmp.Or(out.says, uint64(out.Len())),
	})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(packed.Bytes()); err != nil {
		tb.Fatal(err)
	}
	if err := to.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// A zipPart is the text of a part, and the size that its ZIP says it has, if
// that is another.
type zipPart struct {
	bytes.Buffer
	says uint64
}

const (
	sheetPart = "xl/worksheets/sheet1.xml"
	sheetHead = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	sheetTail = `</sheetData></worksheet>`
)

func TestWorkbookBombsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		part  string
		write func(w *zipPart)
		slug  string
		word  string
	}{
		"a sheet of 300 MB": {sheetPart, func(w *zipPart) {
			w.says = 300 << 20
			w.WriteString(sheetHead + sheetTail)
		}, "workbook_too_large", "256 MB"},
		"a sheet that says it is small": {sheetPart, func(w *zipPart) {
			w.says = 1000
			w.WriteString(sheetHead + strings.Repeat(" ", 1<<20) + sheetTail)
		}, "bad_workbook", ""},
		"a style of 40 MB": {"xl/styles.xml", func(w *zipPart) {
			w.says = 40 << 20
			w.WriteString("<a></a>")
		}, "workbook_too_large", "32 MB"},
		"a text of 8 MB": {sheetPart, func(w *zipPart) {
			w.WriteString(sheetHead + `<row r="1"><c r="A1" t="inlineStr"><is><t>` + strings.Repeat("x", 8<<20) + `</t></is></c></row>` + sheetTail)
		}, "workbook_too_large", "4 MB"},
		"tags without an end": {sheetPart, func(w *zipPart) { w.WriteString(sheetHead + strings.Repeat("<a>", 1<<20)) }, "workbook_too_large", "deeper"},
		"wide rows": {sheetPart, func(w *zipPart) {
			w.WriteString(sheetHead + `<row r="1"><c r="A1"><v>1</v></c></row>`)
			for i := range 10 {
				fmt.Fprintf(w, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i+2, i+2)
			}
			w.WriteString(sheetTail)
		}, "workbook_too_large", "cells"},
		"a row beyond the end": {sheetPart, func(w *zipPart) {
			w.WriteString(sheetHead + `<row r="1"><c r="A1"><v>1</v></c></row><row r="2000000000"><c><v>1</v></c></row>` + sheetTail)
		}, "bad_workbook", ""},
		"a sheet that breaks off": {sheetPart, func(w *zipPart) {
			w.WriteString(sheetHead + `<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`)
		}, "bad_workbook", sheetPart},
		"entities": {sheetPart, func(w *zipPart) {
			w.WriteString(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + sheetHead + `<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>` + sheetTail)
		}, "bad_workbook", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readXLSX(tampered(t, c.part, c.write), Layout{})
			if err == nil {
				t.Fatal("it was read")
			}
			if p := problem.All(err)[0]; p.Slug != c.slug || !strings.Contains(p.Message, c.word) {
				t.Errorf("got %v, want %s and %q", err, c.slug, c.word)
			}
		})
	}
}
