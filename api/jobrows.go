package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A jobRowView is one row of a job: what was sent, and what became of it. Result
// and Error are null while it has not ended.
type jobRowView struct {
	JobID  string            `json:"jobId"`
	Index  int64             `json:"index"`
	Key    string            `json:"key"`
	Status batch.Status      `json:"status"`
	Values json.RawMessage   `json:"values"`
	Result *batch.RowResult  `json:"result"`
	Error  *batch.RowFailure `json:"error"`
}

func (s *Server) showJobRow(w http.ResponseWriter, r *http.Request) error {
	job, err := s.jobOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	row, result, err := s.deps.Jobs.JobRow(r.Context(), job.ID, r.PathValue("key"))
	if err != nil {
		return err
	}
	view := jobRowView{JobID: job.ID, Index: result.Index, Key: result.Key, Status: batch.Pending, Values: row.Values}
	if len(view.Values) == 0 {
		view.Values = json.RawMessage("null")
	}
	switch {
	case !result.Done:
	case result.Error != nil:
		failure := batch.NewRowFailure(result, s.imageURL)
		view.Status, view.Error = batch.Failed, &failure
	default:
		shown := batch.NewRowResult(result, s.imageURL)
		view.Status, view.Result = batch.Completed, &shown
	}
	return answer(w, http.StatusOK, view)
}

// A rowFilter leaves out rows. Its zero value leaves out none.
type rowFilter struct {
	key  string // the key begins so
	code string // the row failed so
}

func readRowFilter(r *http.Request) rowFilter {
	return rowFilter{key: r.URL.Query().Get("key"), code: r.URL.Query().Get("code")}
}

func (f rowFilter) empty() bool { return f == rowFilter{} }

func (f rowFilter) takes(r batch.Result) bool {
	return strings.HasPrefix(r.Key, f.key) && (f.code == "" || r.Error != nil && r.Error.Code == f.code)
}

// filtered are up to limit rows behind p.after that the filter takes.
func (s *Server) filtered(ctx context.Context, job string, p resultsPage) ([]batch.Result, error) {
	after, status := int64(-1), p.status
	if p.after != nil {
		after = *p.after
	}
	if p.filter.code != "" {
		status = "failed"
	}
	var taken []batch.Result
	for {
		rows, err := s.deps.Jobs.Results(ctx, job, after, maxPage, status)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if after = row.Index; !p.filter.takes(row) {
				continue
			}
			if taken = append(taken, row); len(taken) == p.limit {
				return taken, nil
			}
		}
		if len(rows) < maxPage {
			return taken, nil
		}
	}
}

// A jobsPage says which jobs are wanted.
type jobsPage struct {
	limit int
	batch.JobFilter
}

func readJobsPage(r *http.Request) (p jobsPage, err error) {
	if p.limit, err = intParam(r, "limit", defaultPage, 1, maxPage); err != nil {
		return p, err
	}
	query := r.URL.Query()
	p.Template, p.Status = query.Get("template"), batch.Status(query.Get("status"))
	if p.Status != "" && !p.Status.Known() {
		return p, problem.New(problem.Invalid, "there is no status %q of a job", p.Status).WithSlug("out_of_range").At("status").
			WithHint("pending, processing, paused, completed, partial, failed or cancelled")
	}
	p.Binding, p.Kind = query.Get("binding"), query.Get("kind")
	if p.Kind != "" && p.Kind != batch.KindBatch && p.Kind != batch.KindRun {
		return p, problem.New(problem.Invalid, "there is no kind %q of a job", p.Kind).WithSlug("out_of_range").At("kind").WithHint("batch or run")
	}
	if cursor := query.Get("cursor"); cursor != "" {
		if p.Before, err = readCursor(cursor); err != nil {
			return p, problem.New(problem.Invalid, "%q is no cursor", cursor).WithSlug("out_of_range").At("cursor").
				WithHint("give the nextCursor of the page before")
		}
	}
	return p, nil
}

// cursorOf is the place of a job in the list, as a caller gives it back.
func cursorOf(j batch.Job) string { return fmt.Sprintf("%d~%s", j.CreatedAt.UnixMilli(), j.ID) }

var errNoCursor = errors.New("no cursor")

func readCursor(text string) (*batch.JobPlace, error) {
	at, id, ok := strings.Cut(text, "~")
	ms, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return nil, errNoCursor
	}
	return &batch.JobPlace{CreatedAt: time.UnixMilli(ms), ID: id}, nil
}

// A jobList is a page of jobs, newest first.
type jobList struct {
	Jobs       []jobView `json:"jobs"`
	NextCursor *string   `json:"nextCursor"` // the cursor of the next page, null at the end
}

func (s *Server) listJobs(w http.ResponseWriter, r *http.Request) error {
	p, err := readJobsPage(r)
	if err != nil {
		return err
	}
	views, now := []jobView{}, time.Now()
	var next *string
	for next == nil {
		jobs, err := s.deps.Jobs.FindJobs(r.Context(), p.JobFilter, p.limit)
		if err != nil {
			return fmt.Errorf("list jobs: %w", err)
		}
		for _, j := range jobs {
			p.Before = &batch.JobPlace{CreatedAt: j.CreatedAt, ID: j.ID}
			if !asker(r.Context()).uses(j.Template) {
				continue
			}
			if views = append(views, s.viewOfJob(j, now)); len(views) == p.limit {
				cursor := cursorOf(j)
				next = &cursor
				break
			}
		}
		if len(jobs) < p.limit {
			break
		}
	}
	return answer(w, http.StatusOK, jobList{views, next})
}
