package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// A Sampler draws for a job that nobody has accepted.
type Sampler interface {
	// Plan plans rows of job as they would be planned were it accepted.
	Plan(ctx context.Context, job batch.Job) (*batch.Planner, error)
	// Assign tells planner which variants the units of rows would be given that it
	// plans next. It gives and counts none.
	Assign(ctx context.Context, planner *batch.Planner, rows []batch.Row) error
	// Ask has the files of each picture fetched, several at a time, and tells
	// with the index of the proposal why one can't be had; nil where all are
	// there or can be done without. It is told of one at a time, and not of those that
	// ctx left no time for.
	Ask(ctx context.Context, job string, proposals []bindings.Proposal, told func(i int, e *batch.RowError))
	// Draw draws each proposal at once, and keeps the pictures like those of a
	// job that is over.
	Draw(ctx context.Context, job string, proposals []bindings.Proposal) ([]batch.Result, error)
}

const (
	dryPage   = 500
	askLimit  = 20 * time.Second // for all remote files together
	drawLimit = time.Minute      // for the sample

	historyJobs = 50  // of which the newest of the template tells the rate
	historyRows = 100 // that a job must have drawn to tell it
)

// answerDry checks every staged row of job, draws a sample, and says what the
// batch would come to.
func (s *Server) answerDry(ctx context.Context, w http.ResponseWriter, job batch.Job, form bindings.Template) error {
	planner, err := s.deps.Sampler.Plan(ctx, job)
	if err != nil {
		return fmt.Errorf("plan a dry run: %w", err)
	}
	check := batch.NewCheck(planner, form)
	for after := int64(-1); ; {
		rows, err := s.deps.Jobs.Sent(ctx, job.ID, after, dryPage)
		if err != nil {
			return fmt.Errorf("read staged rows: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		after = rows[len(rows)-1].Index
		if err := s.deps.Sampler.Assign(ctx, planner, rows); err != nil {
			return fmt.Errorf("look for the variants of rows: %w", err)
		}
		if err := check.Add(rows, func(f []string) ([]string, error) { return s.deps.Intake.Unrendered(ctx, f) }); err != nil {
			return fmt.Errorf("look for pictures that are there: %w", err)
		}
	}
	s.askFiles(ctx, job.ID, check)
	began := time.Now()
	sample, err := s.drawSample(ctx, job.ID, check.Sample())
	if err != nil {
		return err
	}
	rate, basis := s.rateOf(ctx, job)
	if rate == 0 && len(sample) > 0 {
		drawn := 0
		for _, r := range sample {
			drawn += len(r.Pictures)
		}
		rate, basis = float64(drawn)/time.Since(began).Seconds(), "sample"
	}
	return answer(w, http.StatusOK, check.Result(sample, rate, basis, s.imageURL))
}

func (s *Server) drawSample(ctx context.Context, job string, proposals []bindings.Proposal) ([]batch.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, drawLimit)
	defer cancel()
	sample, err := s.deps.Sampler.Draw(ctx, job, proposals)
	if err != nil {
		return nil, fmt.Errorf("draw a sample: %w", err)
	}
	return sample, nil
}

func (s *Server) askFiles(ctx context.Context, job string, check *batch.Check) {
	files := check.Files()
	proposals := make([]bindings.Proposal, len(files))
	for i, f := range files {
		proposals[i] = f.Proposal
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	told := make([]bool, len(files))
	s.deps.Sampler.Ask(ctx, job, proposals, func(i int, e *batch.RowError) {
		if e != nil && e.Field != files[i].Field {
			return // another file of the row came first
		}
		told[i] = true
		check.Asked(files[i], e)
	})
	left := len(slices.DeleteFunc(told, func(yes bool) bool { return yes }))
	check.Unasked(left)
}

// rateOf is how many pictures a second the newest batch of the template drew
// that drew enough of them.
func (s *Server) rateOf(ctx context.Context, job batch.Job) (rate float64, basis string) {
	jobs, err := s.deps.Jobs.Jobs(ctx, historyJobs)
	if err != nil {
		return 0, "" // an estimate is worth no failure
	}
	for _, j := range jobs {
		drawn := j.Succeeded - j.Deduped
		seconds := j.CompletedAt.Sub(j.StartedAt).Seconds()
		if j.Template == job.Template && drawn >= historyRows && seconds > 0 && !j.StartedAt.IsZero() {
			return float64(drawn) * float64(len(j.Outputs)) / seconds, j.ID
		}
	}
	return 0, ""
}
