package batch

import (
	"fmt"
	"io"
	"iter"
)

// A Taken is a row as it is taken away: what came of it, and what was sent.
type Taken struct {
	Result
	Values []byte // as Row has them
}

// A Sheet says what a CSV of a job's rows is made of.
type Sheet struct {
	Job     Job
	Columns *Columns
	Image   ImageURLFunc
	CSV     CSVOptions
}

// The columns behind the caller's own in a CSV of failed rows. Whoever sends
// such a file again sends them too; no template shows them, and the next
// failed.csv has its own in their place.
const (
	ErrorColumn = "_error"
	CodeColumn  = "_code"
	FieldColumn = "_field"
)

// WriteResults writes rows as a CSV: the caller's own columns, the address of
// the first output as url, that of each further output under its name, of a
// job with an experiment variant and clickUrl, error.
// A name that the caller has is written with _2, or the next number.
func (s Sheet) WriteResults(w io.Writer, rows iter.Seq2[Taken, error]) error {
	out, err := s.results(w, false)
	if err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("read the results of job %s: %w", s.Job.ID, err)
		}
		if err := out.add(row, nil, ""); err != nil {
			return err
		}
	}
	return out.csv.flush()
}

// WriteFailed writes the rows that failed so that they can be corrected and
// sent again: the caller's own columns, then _error, _code and _field.
func (s Sheet) WriteFailed(w io.Writer, rows iter.Seq2[Taken, error]) error {
	own := []string{ErrorColumn, CodeColumn, FieldColumn}
	columns := s.Columns.without(own...)
	out := newCSVWriter(w, s.CSV)
	if err := out.write(append(columns.header(s.CSV.Formulas), own...)); err != nil {
		return err
	}
	for row, err := range rows {
		switch {
		case err != nil:
			return fmt.Errorf("read the failed rows of job %s: %w", s.Job.ID, err)
		case !row.Done || row.Error == nil:
			continue
		}
		cells := make([]string, len(columns.names), len(columns.names)+len(own))
		columns.fill(cells, row.Values, s.CSV.Formulas)
		if err := out.write(append(cells, Harmless(row.Error.Message), row.Error.Code, row.Error.Field)); err != nil {
			return err
		}
	}
	return out.flush()
}

// A sheetWriter is a CSV of results in the making.
type sheetWriter struct {
	sheet   Sheet
	csv     *csvWriter
	outputs map[string]int // their places, the first one's is 0
	files   bool           // before the addresses stand the names of files
}

func (s Sheet) results(w io.Writer, files bool) (*sheetWriter, error) {
	out := &sheetWriter{sheet: s, csv: newCSVWriter(w, s.CSV), outputs: map[string]int{}, files: files}
	var fileNames, names []string
	for i, o := range s.Job.Outputs {
		out.outputs[o.Name] = i
		if i == 0 {
			fileNames, names = append(fileNames, "file"), append(names, "url")
			continue
		}
		fileNames, names = append(fileNames, "file_"+o.Name), append(names, o.Name)
	}
	if files {
		names = append(fileNames, names...)
	}
	if s.Job.Test != nil {
		names = append(names, "variant", "clickUrl")
	}
	return out, out.csv.write(append(s.Columns.header(s.CSV.Formulas), s.Columns.distinct(append(names, "error")...)...))
}

// add writes one row. files are the names of its pictures' files; fault is what
// is wrong with a row that has no error of its own.
func (w *sheetWriter) add(row Taken, files map[string]string, fault string) error {
	own, outputs := len(w.sheet.Columns.names), len(w.outputs)
	cells := make([]string, own, own+2*outputs+3)
	w.sheet.Columns.fill(cells, row.Values, w.sheet.CSV.Formulas)
	if w.files {
		cells = append(cells, w.places(row.Pictures, func(p Picture) string { return files[p.Output] })...)
	}
	cells = append(cells, w.places(row.Pictures, func(p Picture) string { return w.sheet.Image(p.Hash, p.Ext) })...)
	if w.sheet.Job.Test != nil {
		cells = append(cells, row.Assigned.Variant, row.ClickURL)
	}
	switch {
	case row.Error != nil:
		fault = row.Error.Message
	case !row.Done && w.sheet.Job.Status.Ended():
		fault = "the job ended before this row was made"
	}
	return w.csv.write(append(cells, Harmless(fault)))
}

// places is a cell for each output of the job.
func (w *sheetWriter) places(pictures []Picture, text func(Picture) string) []string {
	cells := make([]string, len(w.outputs))
	for _, p := range pictures {
		if i, known := w.outputs[p.Output]; known {
			cells[i] = text(p)
		}
	}
	return cells
}
