package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A jobView is a job without its rows.
type jobView struct {
	batch.Standing

	StatusURL  string       `json:"statusUrl"`
	ResultsURL string       `json:"resultsUrl"`
	Moves      []batch.Move `json:"moves"` // what may be done to it now
}

func (s *Server) viewOfJob(j batch.Job, now time.Time) jobView {
	path := s.base + "/jobs/" + j.ID
	return jobView{Standing: batch.NewStanding(j, now), StatusURL: path, ResultsURL: path + "/results.ndjson", Moves: list(j.Moves())}
}

func (s *Server) imageURL(hash, ext string) string { return s.base + "/images/" + hash + "." + ext }

// jobOf is a job that the asker may see.
func (s *Server) jobOf(ctx context.Context, id string) (batch.Job, error) {
	job, err := s.deps.Jobs.Job(ctx, id)
	if err != nil {
		return job, err
	}
	if !asker(ctx).uses(job.Template) {
		return job, problem.New(problem.NotFound, "there is no job %q", id).WithSlug(slugJobNotFound)
	}
	return job, nil
}

// A resultsPage says which rows of a job are wanted: those of a page, or those
// behind an index.
type resultsPage struct {
	page, limit int
	after       *int64
	status      string
	filter      rowFilter
}

// resultStatuses are the words of ?status=, with those of the store.
var resultStatuses = map[string]string{"": "", "failed": "failed", "completed": "completed", "success": "completed"}

func readResultsPage(r *http.Request) (resultsPage, error) {
	var p resultsPage
	var err error
	if p.limit, err = intParam(r, "limit", defaultPage, 1, maxPage); err != nil {
		return p, err
	}
	if p.page, err = intParam(r, "page", 1, 1, batch.MaxRows); err != nil {
		return p, err
	}
	status, known := resultStatuses[r.URL.Query().Get("status")]
	if !known {
		return p, problem.New(problem.Invalid, "there is no status %q of a row", r.URL.Query().Get("status")).
			WithSlug("out_of_range").At("status").WithHint("completed or failed")
	}
	p.status, p.filter = status, readRowFilter(r)
	if r.URL.Query().Has("after") {
		after, err := intParam(r, "after", -1, -1, batch.MaxRows)
		if err != nil {
			return p, err
		}
		index := int64(after)
		p.after = &index
	}
	return p, nil
}

// total is how many rows of job there are in all pages.
func (p resultsPage) total(job batch.Job) int64 {
	switch p.status {
	case "failed":
		return job.Failed
	case "completed":
		return job.Succeeded
	}
	return job.Total
}

// results reads the page.
func (s *Server) results(ctx context.Context, job string, p resultsPage) ([]batch.Result, error) {
	if !p.filter.empty() {
		return s.filtered(ctx, job, p)
	}
	if p.after != nil {
		return s.deps.Jobs.Results(ctx, job, *p.after, p.limit, p.status)
	}
	skip := (p.page - 1) * p.limit
	after := int64(-1)
	if p.status == "" { // indexes have no holes
		after, skip = int64(skip)-1, 0
	}
	for skip > 0 {
		passed, err := s.deps.Jobs.Results(ctx, job, after, min(skip, maxPage), p.status)
		if err != nil || len(passed) == 0 {
			return nil, err
		}
		skip -= len(passed)
		after = passed[len(passed)-1].Index
	}
	return s.deps.Jobs.Results(ctx, job, after, p.limit, p.status)
}

func (s *Server) showJob(w http.ResponseWriter, r *http.Request) error {
	p, err := readResultsPage(r)
	if err != nil {
		return err
	}
	job, err := s.jobOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	rows, err := s.results(r.Context(), job.ID, p)
	if err != nil {
		return fmt.Errorf("read results of job %s: %w", job.ID, err)
	}
	pages := batch.NewPagination(p.page, p.limit, p.total(job))
	if !p.filter.empty() { // nobody has counted
		pages = batch.NewPagination(1, p.limit, int64(len(rows)))
		pages.HasNext = len(rows) == p.limit
	}
	view := struct {
		batch.View
		NextAfter *int64 `json:"nextAfter"` // the after of the next page, null at the end
	}{View: batch.NewView(job, time.Now(), rows, pages, s.imageURL)}
	if len(rows) == p.limit {
		view.NextAfter = &rows[len(rows)-1].Index
	}
	return answer(w, http.StatusOK, view)
}

// jobEvents sends a job's progress until it has ended.
func (s *Server) jobEvents(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := s.jobOf(r.Context(), id); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return nil
	}
	out, err := newStream(w)
	if err != nil {
		return nil
	}
	look := func(ctx context.Context) (event, error) {
		job, err := s.jobOf(ctx, id)
		if err != nil {
			return event{}, err
		}
		data, err := json.Marshal(s.viewOfJob(job, time.Now()))
		e := event{name: "progress", data: data}
		if job.Status.Ended() {
			e.name, e.last = "end", true
		}
		return e, err
	}
	s.ended(r, s.follow(r, out, look))
	return nil
}

// ended logs why a stream broke off, where that was not the client.
func (s *Server) ended(r *http.Request, err error) {
	if err != nil && r.Context().Err() == nil {
		s.log.Warn("stream broke off", slog.String("path", r.URL.Path), slog.String("request", requestID(r)), slog.Any("err", err))
	}
}

// streamResults sends the rows of a job that have ended, one JSON object a
// line, in the order of their index and without holes: it stops at the first
// row that has not ended, or with ?follow=true waits for it. Whoever comes back
// with ?after= the last index has missed nothing.
func (s *Server) streamResults(w http.ResponseWriter, r *http.Request) error {
	if !s.signed(r) {
		p, err := s.permit(r, RendersRead)
		if err != nil {
			return err
		}
		r = r.WithContext(withPrincipal(r.Context(), p))
	}
	page, err := readResultsPage(r)
	if err != nil {
		return err
	}
	job, err := s.jobOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return nil
	}
	lines := &resultLines{server: s, out: bufio.NewWriter(w), job: job.ID, status: page.status, after: -1}
	if page.after != nil {
		lines.after = *page.after
	}
	s.ended(r, lines.run(r, http.NewResponseController(w), r.URL.Query().Get("follow") == "true"))
	return nil
}

// resultLines is one answer of streamResults.
type resultLines struct {
	server *Server
	out    *bufio.Writer
	job    string
	status string
	after  int64 // index of the last row that was passed
}

func (l *resultLines) run(r *http.Request, control *http.ResponseController, follow bool) error {
	changed, stop := l.server.deps.Changes.Changes()
	defer stop()
	for {
		job, err := l.server.deps.Jobs.Job(r.Context(), l.job)
		if err != nil {
			return err
		}
		if err := l.pass(r.Context(), job.Status.Ended(), control); err != nil {
			return err
		}
		if !follow || job.Status.Ended() {
			return nil
		}
		if !l.server.wait(r.Context(), changed) {
			return nil
		}
	}
}

// pass writes the rows behind the last one that have ended, up to the first
// that has not. The rows of a job that has ended may all be passed.
func (l *resultLines) pass(ctx context.Context, ended bool, control *http.ResponseController) error {
	for {
		rows, err := l.server.deps.Jobs.Results(ctx, l.job, l.after, maxPage, "")
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !ended && (!row.Done || row.Index != l.after+1) {
				return l.flush(control)
			}
			if err := l.write(row); err != nil {
				return err
			}
			l.after = row.Index
		}
		if err := l.flush(control); err != nil || len(rows) < maxPage {
			return err
		}
	}
}

func (l *resultLines) write(row batch.Result) error {
	var line any
	switch {
	case !row.Done, l.status == "failed" && row.Error == nil, l.status == "completed" && row.Error != nil:
		return nil
	case row.Error != nil:
		line = batch.NewRowFailure(row, l.server.imageURL)
	default:
		line = batch.NewRowResult(row, l.server.imageURL)
	}
	return json.NewEncoder(l.out).Encode(line)
}

func (l *resultLines) flush(control *http.ResponseController) error {
	if err := l.out.Flush(); err != nil {
		return err
	}
	return control.Flush()
}
