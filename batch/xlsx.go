package batch

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// A workbook is a ZIP of XML, and both can be made to be much larger, or deeper,
// than they look. These bound it before anything is made of it.
const (
	maxWorkbook  = 100 << 20 // as it is sent
	maxUnpacked  = 256 << 20
	maxParts     = 10_000
	maxOtherPart = 32 << 20 // of what is no sheet; the reader holds it in memory
	maxToken     = 4 << 20  // of one tag or text
	maxNesting   = 64       // of tags

	heldPart = 8 << 20 // larger sheets and texts are unpacked into files
)

// xlsxRows reads a sheet with a header, each cell as the sheet shows it, dates as
// 2026-03-01 where the sheet leaves their form to the reader's country.
type xlsxRows struct{}

func (xlsxRows) read(d *decoder) error {
	dir, err := os.MkdirTemp("", "pictifyd-xlsx-")
	if err != nil {
		return fmt.Errorf("make a folder for the workbook: %w", err)
	}
	defer os.RemoveAll(dir)
	path, err := spool(d, dir)
	if err != nil {
		return err
	}
	if err := examine(path); err != nil {
		return err
	}
	return readSheet(d, path, dir)
}

// spool is a file with the body in it, because a ZIP has its index at its end.
func spool(d *decoder, dir string) (path string, err error) {
	f, err := os.CreateTemp(dir, "book-*.xlsx")
	if err != nil {
		return "", fmt.Errorf("make a file for the workbook: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(d.in, maxWorkbook+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if n > maxWorkbook {
		return "", bombed("the workbook is larger than %d MB", maxWorkbook>>20)
	}
	return f.Name(), nil
}

func bombed(format string, args ...any) error {
	return problem.New(problem.TooLarge, format, args...).WithSlug("workbook_too_large").
		WithHint("send the sheet as CSV, which has no such limit")
}

func badWorkbook(err error) error {
	return problem.New(problem.Invalid, "the body is no workbook, or is cut short: %w", err).WithSlug("bad_workbook").
		WithHint("send an .xlsx file, not an .xls, and without a password")
}

// examine reads every part of the workbook once and keeps nothing. What it
// passes is whole, and bounded in size, depth and in each of its texts.
func examine(path string) error {
	book, err := zip.OpenReader(path)
	if err != nil {
		return badWorkbook(err)
	}
	defer book.Close()
	if len(book.File) > maxParts {
		return bombed("the workbook has %d parts", len(book.File))
	}
	left := int64(maxUnpacked)
	for _, part := range book.File {
		limit := left
		if name := strings.ToLower(part.Name); !strings.HasPrefix(name, "xl/worksheets/") && name != "xl/sharedstrings.xml" {
			limit = min(limit, maxOtherPart)
		}
		n, err := examinePart(part, limit)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// examinePart is the size of a part, which is at most limit.
func examinePart(part *zip.File, limit int64) (int64, error) {
	tooLarge := func() error {
		return bombed("the workbook is too large when it is unpacked: with %s it has more than %d MB, or %d MB beside its sheets",
			part.Name, maxUnpacked>>20, maxOtherPart>>20)
	}
	if part.UncompressedSize64 > uint64(limit) { // archive/zip lets nobody read more than this says
		return 0, tooLarge()
	}
	r, err := part.Open()
	if err != nil {
		return 0, badWorkbook(err)
	}
	defer r.Close()
	if strings.HasSuffix(strings.ToLower(part.Name), ".xml") {
		if err := examineXML(r, part.Name); err != nil {
			return 0, err
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // the end has the checksum
		return 0, badWorkbook(fmt.Errorf("%s: %w", part.Name, err))
	}
	return int64(part.UncompressedSize64), nil
}

func examineXML(r io.Reader, name string) error {
	window := &rows.Window{From: r, Size: maxToken}
	decoder := xml.NewDecoder(window)
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // only its size counts
	depth := 0
	for {
		window.MoveTo(decoder.InputOffset())
		token, err := decoder.RawToken()
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			return nil
		case errors.Is(err, rows.ErrHeld):
			return bombed("a text in %s is larger than %d MB", name, maxToken>>20)
		case err != nil:
			return badWorkbook(fmt.Errorf("%s: %w", name, err))
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxNesting {
			return bombed("tags in %s nest deeper than %d", name, maxNesting)
		}
	}
}

// readSheet hands out the rows of the sheet that was asked for.
func readSheet(d *decoder, path, dir string) (err error) {
	defer func() {
		if p := recover(); p != nil { // the reader's, over a file that somebody sent
			err = badWorkbook(fmt.Errorf("%v", p))
		}
	}()
	book, err := excelize.OpenFile(path, excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: heldPart, TmpDir: dir,
		ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss",
	})
	if err != nil {
		return badWorkbook(err)
	}
	defer book.Close()
	name, err := sheetName(book.GetSheetList(), d.fields.layout.Sheet)
	if err != nil {
		return err
	}
	sheet, err := book.Rows(name)
	if err != nil {
		return badWorkbook(err)
	}
	defer sheet.Close()
	s := sheetReader{decoder: d, name: name}
	for number := 1; sheet.Next(); number++ {
		cells, err := sheet.Columns()
		if err != nil {
			return badWorkbook(err)
		}
		if err := s.take(number, cells); err != nil {
			return err
		}
	}
	if err := sheet.Error(); err != nil {
		return badWorkbook(err)
	}
	if s.columns == nil {
		return d.explain(rows.NoHeader())
	}
	return nil
}

func sheetName(names []string, wanted string) (string, error) {
	switch {
	case len(names) == 0:
		return "", badWorkbook(errors.New("it has no sheet"))
	case wanted == "":
		return names[0], nil
	}
	for _, name := range names {
		if name == wanted {
			return name, nil
		}
	}
	p := problem.New(problem.Invalid, "the workbook has no sheet %q", wanted).WithSlug("unknown_sheet").At("sheet")
	if near := expr.Nearest(wanted, names); near != "" {
		return "", p.WithHint("did you mean %q?", near)
	}
	return "", p.WithHint("it has %s", strings.Join(names, ", "))
}

// A sheetReader makes rows of the rows of a sheet. The first one that is not
// blank is the header.
type sheetReader struct {
	decoder *decoder
	name    string
	columns *columns
}

func (s *sheetReader) take(number int, cells []string) error {
	if s.decoder.cells -= int64(len(cells)); s.decoder.cells < 0 {
		return bombed("the sheet %q has more cells than a batch takes, from row %d on", s.name, number)
	}
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	switch {
	case len(cells) == 0:
		return nil
	case s.columns == nil:
		header, err := rows.Header(cells, number)
		if err != nil {
			return s.decoder.explain(err)
		}
		s.columns = newColumns(header)
		return nil
	}
	for len(cells) < len(s.columns.names) {
		cells = append(cells, "")
	}
	return s.decoder.give(s.columns.row(s.decoder.rows, cells, fmt.Sprintf("row %d", number)))
}
