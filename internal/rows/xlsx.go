package rows

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

// A Sheet reads a sheet of an XLSX with a header, each cell as the sheet shows it:
// the results of formulas, and dates as 2026-03-01 where the sheet leaves their
// form to the reader's country. Whoever opens it closes it.
type Sheet struct {
	name   string
	dir    string // with what is unpacked
	book   *excelize.File
	rows   *excelize.Rows
	cells  int64 // that it may yet have
	number int   // of the last row
	header []string
	at     int // the row of the header
}

// OpenSheet reads book to its end, then the header of its sheet of that name, or of the
// first one. A sheet of more than cells cells is refused.
func OpenSheet(book io.Reader, name string, cells int64) (_ *Sheet, err error) {
	dir, err := os.MkdirTemp("", "pictifyd-xlsx-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the workbook: %w", err)
	}
	s := &Sheet{dir: dir, cells: cells}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	path, err := spool(book, dir)
	if err != nil {
		return nil, err
	}
	if err := examine(path); err != nil {
		return nil, err
	}
	if err := s.open(path, name); err != nil {
		return nil, err
	}
	return s, s.readHeader()
}

// spool is a file with the workbook in it, because a ZIP has its index at its end.
func spool(book io.Reader, dir string) (path string, err error) {
	f, err := os.CreateTemp(dir, "book-*.xlsx")
	if err != nil {
		return "", fmt.Errorf("make a file for the workbook: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(book, maxWorkbook+1))
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
	return problem.New(problem.Invalid, "it is no workbook, or is cut short: %w", err).WithSlug("bad_workbook").
		WithHint("it has to be an .xlsx file, not an .xls, and without a password")
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
	window := &Window{From: r, Size: maxToken}
	decoder := xml.NewDecoder(window)
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // only its size counts
	depth := 0
	for {
		window.MoveTo(decoder.InputOffset())
		token, err := decoder.RawToken()
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			return nil
		case errors.Is(err, ErrHeld):
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

// guarded does what the reader of workbooks does, which may panic over a file that
// somebody made.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = badWorkbook(fmt.Errorf("%v", p))
		}
	}()
	return do()
}

func (s *Sheet) open(path, name string) error {
	return guarded(func() (err error) {
		s.book, err = excelize.OpenFile(path, excelize.Options{
			UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: heldPart, TmpDir: s.dir,
			ShortDatePattern: "yyyy-mm-dd", LongDatePattern: "yyyy-mm-dd", LongTimePattern: "hh:mm:ss",
		})
		if err != nil {
			return badWorkbook(err)
		}
		if s.name, err = sheetName(s.book.GetSheetList(), name); err != nil {
			return err
		}
		if s.rows, err = s.book.Rows(s.name); err != nil {
			return badWorkbook(err)
		}
		return nil
	})
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

func (s *Sheet) readHeader() error {
	r, err := s.Next()
	if errors.Is(err, io.EOF) {
		return NoHeader()
	} else if err != nil {
		return err
	}
	s.at = r.Line
	s.header, err = Header(r.Cells, r.Line)
	return err
}

// Header names the columns, in their order.
func (s *Sheet) Header() []string { return s.header }

// HeaderLine is the row that the header stands in.
func (s *Sheet) HeaderLine() int { return s.at }

// Next is the next row that has a value, or io.EOF after the last. It has at least
// as many cells as the header.
func (s *Sheet) Next() (Record, error) {
	for {
		cells, err := s.row()
		if err != nil {
			return Record{}, err
		}
		if s.cells -= int64(len(cells)); s.cells < 0 {
			return Record{}, bombed("the sheet %q has more cells than are read, from row %d on", s.name, s.number)
		}
		r := Record{Line: s.number}
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		if len(cells) == 0 {
			continue
		}
		for _, cell := range cells {
			r.Size += int64(len(cell))
		}
		for len(cells) < len(s.header) {
			cells = append(cells, "")
		}
		r.Cells = cells
		return r, nil
	}
}

// row is the next row as it is, or io.EOF.
func (s *Sheet) row() (cells []string, err error) {
	err = guarded(func() error {
		if !s.rows.Next() {
			if err := s.rows.Error(); err != nil {
				return badWorkbook(err)
			}
			return io.EOF
		}
		s.number++
		if cells, err = s.rows.Columns(); err != nil {
			return badWorkbook(err)
		}
		return nil
	})
	return cells, err
}

// Close removes what was unpacked.
func (s *Sheet) Close() error {
	var errs [3]error
	if s.rows != nil {
		errs[0] = s.rows.Close()
	}
	if s.book != nil {
		errs[1] = s.book.Close()
	}
	errs[2] = os.RemoveAll(s.dir)
	return errors.Join(errs[:]...)
}
