package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"slices"
	"strconv"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/spool"
	"github.com/pictifyd/pictifyd/internal/zipview"
)

// The files that the results of a job can be taken in.
var (
	resultsCSV = export{name: "results.csv", kind: "text/csv; charset=utf-8; header=present", check: csvOf("")}
	failedCSV  = export{name: "failed.csv", kind: "text/csv; charset=utf-8; header=present", check: csvOf("failed")}
	resultsZip = export{name: "results.zip", kind: "application/zip", check: checkZip, open: openZip}
	resultsPDF = export{name: "results.pdf", kind: "application/pdf", check: checkPDF}
)

// csvOf is the check of a CSV of the rows of that status, "" for all.
func csvOf(status string) func(*Server, batch.Job, url.Values) (string, exportFunc, error) {
	return func(s *Server, job batch.Job, query url.Values) (string, exportFunc, error) {
		o, err := csvOptions(query)
		return optionsOf(o), func(ctx context.Context, _ string, w io.Writer) error {
			sheet, err := s.sheet(ctx, job, o)
			switch {
			case err != nil:
				return err
			case status == "failed":
				return sheet.WriteFailed(w, s.taken(ctx, job.ID, status))
			}
			return sheet.WriteResults(w, s.taken(ctx, job.ID, status))
		}, err
	}
}

// maxRemade is how many pictures whose bytes are gone one archive has made again.
const maxRemade = 1000

func checkZip(s *Server, job batch.Job, query url.Values) (string, exportFunc, error) {
	o, err := csvOptions(query)
	if err != nil {
		return "", nil, err
	}
	folders, err := flagParam(query, "folders")
	write := func(ctx context.Context, key string, w io.Writer) error {
		sheet, err := s.sheet(ctx, job, o)
		if err != nil {
			return err
		}
		scratch, err := s.deps.Spool.Scratch()
		if err != nil {
			return err
		}
		defer scratch.Close()
		vanished := 0
		return batch.Archive{Sheet: sheet, Folders: folders, Blobs: s.deps.Blobs, Scratch: scratch, VanishedFunc: func(ctx context.Context, hash string) {
			// The next one to ask gets an archive that is made anew, and perhaps whole.
			s.deps.Spool.Forget(key)
			if vanished++; vanished <= maxRemade {
				_, _ = s.deps.Images.Remake(ctx, hash) // the manifest has said already that it is gone
			}
		}}.Write(ctx, w, s.taken(ctx, job.ID, ""))
	}
	return optionsOf(o, strconv.FormatBool(folders)), write, err
}

// openZip puts the archive together from its index and the pictures.
func openZip(ctx context.Context, s *Server, f *spool.File) (contents, error) {
	r, err := zipview.Open(f, f.Size(), func(id zipview.ID) (io.ReadSeekCloser, error) {
		picture, _, err := s.deps.Blobs.Open(ctx, hex.EncodeToString(id[:]))
		return picture, err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// A PDFPart is one file of several that become one.
type PDFPart struct {
	Data []byte
	Mark string // the bookmark of its first page
}

func checkPDF(s *Server, job batch.Job, query url.Values) (string, exportFunc, error) {
	var names []string
	for _, o := range job.Outputs {
		if o.Format == "pdf" {
			names = append(names, o.Name)
		}
	}
	if len(names) == 0 {
		return "", nil, problem.New(problem.Invalid, "the job makes no PDF").WithSlug("no_pdf").
			WithHint("give the batch an output of the format pdf, or take results.zip")
	}
	if output := query.Get("output"); output != "" {
		if !slices.Contains(names, output) {
			return "", nil, problem.New(problem.Invalid, "the job has no PDF output %q", output).WithSlug("out_of_range").At("output").
				WithHint("its PDF outputs are %q", names)
		}
		names = []string{output}
	}
	return fmt.Sprintf("%q", names), func(ctx context.Context, _ string, w io.Writer) error {
		return s.deps.MergePDFFunc(w, s.pdfParts(ctx, job, names))
	}, nil
}

// pdfParts are the PDFs of a job by the index of their rows. One that is gone is
// an error: nobody sees that a file lacks a page.
func (s *Server) pdfParts(ctx context.Context, job batch.Job, outputs []string) iter.Seq2[PDFPart, error] {
	return func(yield func(PDFPart, error) bool) {
		some := false
		for row, err := range s.rowsDone(ctx, job.ID) {
			if err != nil {
				yield(PDFPart{}, err)
				return
			}
			for _, p := range row.Pictures {
				if !slices.Contains(outputs, p.Output) {
					continue
				}
				some = true
				data, err := s.pdfOf(ctx, row, p)
				if !yield(PDFPart{Mark: row.Key, Data: data}, err) || err != nil {
					return
				}
			}
		}
		if !some {
			yield(PDFPart{}, problem.New(problem.Invalid, "no row of the job has a PDF").WithSlug("no_pdf").WithHint("failed.csv says why"))
		}
	}
}

// rowsDone are the rows of a job without errors. A row that lacks one of its
// pictures is left out whole, as all counts have it.
func (s *Server) rowsDone(ctx context.Context, job string) iter.Seq2[batch.Result, error] {
	return func(yield func(batch.Result, error) bool) {
		after := int64(-1)
		for {
			rows, err := s.deps.Jobs.Results(ctx, job, after, exportPage, "completed")
			if err != nil {
				yield(batch.Result{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = row.Index
			}
			if len(rows) < exportPage {
				return
			}
		}
	}
}

func (s *Server) pdfOf(ctx context.Context, row batch.Result, p batch.Picture) ([]byte, error) {
	file, _, err := s.deps.Blobs.Open(ctx, p.Hash)
	if problem.CodeOf(err) == problem.NotFound && err != nil {
		making, remakeErr := s.deps.Images.Remake(ctx, p.Hash)
		gone := problem.New(problem.Conflict, "the PDF of row %d, %q, has vanished", row.Index, row.Key).WithSlug("pdf_vanished")
		if !making || remakeErr != nil {
			return nil, errors.Join(gone.WithHint("retry the row, or take results.zip"), remakeErr)
		}
		return nil, retry.After(gone.WithHint("it is being made again: ask after the seconds of Retry-After"), notReadyFor)
	}
	if err != nil {
		return nil, fmt.Errorf("open the PDF of row %d: %w", row.Index, err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read the PDF of row %d: %w", row.Index, err)
	}
	return data, nil
}
