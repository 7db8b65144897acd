package api

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/spool"
)

const (
	slugNotEnded = "job_not_ended"

	// Who asks for the files of a job that has not ended is told to come back
	// when it will have, within these bounds.
	soonest = time.Second
	latest  = time.Minute
)

// An export is one file that the results of a job can be taken in.
type export struct {
	name string // results.csv
	kind string // its Content-Type
	// check reads the request's choices: what they are stands in options, by
	// which the file is told from others of the job, and write writes it.
	check func(s *Server, job batch.Job, query url.Values) (options string, write exportFunc, err error)
	// open is what is sent, where that is not the file that was written.
	open func(ctx context.Context, s *Server, f *spool.File) (contents, error)
}

type exportFunc func(ctx context.Context, key string, w io.Writer) error

// contents is what is sent; Err is why reading it broke off.
type contents interface {
	io.ReadSeekCloser
	Err() error
}

// exported is a handler that sends the file. Of a job that has not ended it
// refuses to, unless ?partial=true asks for what there is. The file is made once
// and kept for a while, so that it can be sent in ranges.
func exported(e export) handler {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		if !s.signed(r) {
			p, err := s.permit(r, RendersRead)
			if err != nil {
				return err
			}
			r = r.WithContext(withPrincipal(r.Context(), p))
		}
		job, err := s.jobOf(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		// A semicolon separates nothing: it is what a CSV may be asked for with.
		query, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
		if err != nil {
			return problem.New(problem.Invalid, "the query can't be read: %w", err).WithSlug(slugMalformed)
		}
		options, write, err := e.check(s, job, query)
		if err != nil {
			return err
		}
		if err := s.ripe(job, query); err != nil {
			return err
		}
		key := exportKey(job, e.name+"?"+options)
		f, err := s.deps.Spool.Open(r.Context(), key, func(ctx context.Context, out io.Writer) error { return write(ctx, key, out) })
		if err != nil {
			return fmt.Errorf("make %s of job %s: %w", e.name, job.ID, err)
		}
		defer f.Close()
		return s.sendExport(w, r, e, job, f)
	}
}

// exportKey tells a file from others, and from those of the same job at another time.
func exportKey(job batch.Job, file string) string {
	return fmt.Sprintf("%s/%s/%d/%d/%d/%s", job.ID, job.Status, job.CompletedAt.UnixMilli(), job.Succeeded, job.Failed, file)
}

// ripe says why the files of job can't be had yet.
func (s *Server) ripe(job batch.Job, query url.Values) error {
	if job.Status.Ended() || query.Get("partial") == "true" {
		return nil
	}
	wait := 2 * time.Second
	if eta := s.viewOfJob(job, time.Now()).ETA; eta != nil {
		wait = time.Duration(*eta) * time.Second
	}
	return retry.After(problem.New(problem.Conflict, "the job has not ended: %d of %d rows have", job.Succeeded+job.Failed, job.Total).
		WithSlug(slugNotEnded).WithHint("ask again after the seconds of Retry-After, or for what there is with ?partial=true"),
		min(max(wait, soonest), latest))
}

// sendExport answers with the file, or the part of it that is asked for.
func (s *Server) sendExport(w http.ResponseWriter, r *http.Request, e export, job batch.Job, f *spool.File) error {
	var body io.ReadSeeker = f
	var opened contents
	if e.open != nil {
		var err error
		if opened, err = e.open(r.Context(), s, f); err != nil {
			return fmt.Errorf("open %s of job %s: %w", e.name, job.ID, err)
		}
		defer opened.Close()
		body = opened
	}
	h := w.Header()
	h.Set("Content-Type", e.kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": job.Template + "-" + job.ID + "-" + e.name}))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+f.Sum[:32]+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
	if opened != nil && opened.Err() != nil {
		f.Forget()
		s.log.Error("a file broke off", slog.String("path", r.URL.Path), slog.String("request", requestID(r)), slog.Any("err", opened.Err()))
		panic(http.ErrAbortHandler) // so that nobody takes what came for all of it
	}
	return nil
}

// csvOptions reads ?delimiter=, ?bom= and ?formulas=.
func csvOptions(query url.Values) (o batch.CSVOptions, err error) {
	delimiters := map[string]byte{"": ',', ",": ',', "comma": ',', ";": ';', "semicolon": ';', "\t": '\t', "tab": '\t'}
	var known bool
	if o.Delimiter, known = delimiters[query.Get("delimiter")]; !known {
		return o, problem.New(problem.Invalid, "there is no delimiter %q", query.Get("delimiter")).
			WithSlug("out_of_range").At("delimiter").WithHint("comma, semicolon or tab")
	}
	if o.BOM, err = flagParam(query, "bom"); err != nil {
		return o, err
	}
	o.Formulas, err = flagParam(query, "escapeFormulas")
	return o, err
}

func flagParam(query url.Values, name string) (bool, error) {
	switch text := query.Get(name); text {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, problem.New(problem.Invalid, "%q is neither true nor false", text).WithSlug("out_of_range").At(name)
	}
}

// sheet is what the CSVs of job are made of.
func (s *Server) sheet(ctx context.Context, job batch.Job, o batch.CSVOptions) (batch.Sheet, error) {
	columns, err := batch.ReadColumns(s.sent(ctx, job.ID))
	return batch.Sheet{Job: job, Columns: columns, Image: s.imageURL, CSV: o}, err
}

// exportPage is how many rows are read at a time for a file.
const exportPage = 500

// sent are the rows of a job as they were sent.
func (s *Server) sent(ctx context.Context, job string) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		after := int64(-1)
		for {
			rows, err := s.deps.Jobs.Sent(ctx, job, after, exportPage)
			if err != nil {
				yield(batch.Row{}, err)
				return
			}
			if len(rows) == 0 {
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = row.Index
			}
		}
	}
}

// taken are the rows of a job of that status, "" for all, with what was sent.
func (s *Server) taken(ctx context.Context, job, status string) iter.Seq2[batch.Taken, error] {
	return func(yield func(batch.Taken, error) bool) {
		next, stop := iter.Pull2(s.sent(ctx, job))
		defer stop()
		sent, err, more := next()
		after := int64(-1)
		for {
			results, problem := s.deps.Jobs.Results(ctx, job, after, exportPage, status)
			if problem != nil {
				yield(batch.Taken{}, problem)
				return
			}
			for _, r := range results {
				for more && err == nil && sent.Index < r.Index {
					sent, err, more = next()
				}
				if more && err != nil {
					yield(batch.Taken{}, err)
					return
				}
				t := batch.Taken{Result: r}
				if more && sent.Index == r.Index {
					t.Values = sent.Values
				}
				if !yield(t, nil) {
					return
				}
				after = r.Index
			}
			if len(results) < exportPage {
				return
			}
		}
	}
}

func optionsOf(o batch.CSVOptions, more ...string) string {
	return strconv.QuoteToASCII(string(o.Delimiter)) + strconv.FormatBool(o.BOM) + strconv.FormatBool(o.Formulas) + strings.Join(more, ",")
}
