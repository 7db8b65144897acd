package poll_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

// withPart is a workbook in which one part is another: by its bytes alone no fuzzer
// gets past the sums of an archive.
func withPart(tb testing.TB, book, name, text string) string {
	tb.Helper()
	from, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	to := zip.NewWriter(&b)
	for _, file := range from.File {
		w, err := to.Create(file.Name)
		if err != nil {
			tb.Fatal(err)
		}
		if file.Name == name {
			_, err = io.WriteString(w, text)
		} else {
			var r io.ReadCloser
			if r, err = file.Open(); err == nil {
				_, err = io.Copy(w, r)
				r.Close()
			}
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// Sheets come from everybody who may send one.
func FuzzWorkbook(f *testing.F) {
	const sheet, texts, styles = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
	book := workbook(f, func(f *excelize.File) error {
		return errors.Join(f.SetCellValue("Sheet1", "A1", "id"), f.SetCellValue("Sheet1", "A2", "1"), f.SetCellFormula("Sheet1", "B2", "A2+1"))
	})
	for _, part := range []string{sheet, texts, styles} {
		from, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
		if err != nil {
			f.Fatal(err)
		}
		file, err := from.Open(part)
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(part == texts, string(text))
	}
	for _, text := range []string{
		`<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>99999999999</v></c></row></sheetData></worksheet>`,
		`<worksheet><sheetData><row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>`,
		`<worksheet><sheetData><row r="-1"><c r="A0" t="e"><v>#REF!</v></c><c r="" t="b"><v>2</v></c></row></sheetData></worksheet>`,
		`<worksheet><sheetData><row><c r="A1" s="-1"><f t="shared" si="-5">A1</f><v>1e999</v></c></row></sheetData></worksheet>`,
		`<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><worksheet><sheetData>&c;</sheetData></worksheet>`, "<worksheet><sheetData>", "",
	} {
		f.Add(false, text)
	}
	f.Fuzz(func(t *testing.T, isTexts bool, text string) {
		part := sheet
		if isTexts {
			part = texts
		}
		elements, err := decode(poll.Layout{Format: poll.XLSX}, withPart(t, book, part, text))
		if err != nil {
			return
		}
		for _, values := range rowsOf(elements) {
			if len(values) == 0 {
				t.Fatalf("%q is a row without columns", text)
			}
		}
	})
}
