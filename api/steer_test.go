package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func (w *world) FindJobs(ctx context.Context, f batch.JobFilter, limit int) ([]batch.Job, error) {
	all, err := w.Jobs(ctx, 1<<30)
	all = slices.DeleteFunc(all, func(j batch.Job) bool {
		return f.Status != "" && j.Status != f.Status || f.Template != "" && j.Template != f.Template ||
			f.Before != nil && j.ID >= f.Before.ID // the ids of these tests rise
	})
	return all[:min(limit, len(all))], err
}

func (w *world) JobRow(_ context.Context, job, key string) (batch.Row, batch.Result, error) {
	for _, r := range w.results[job] {
		if r.Key == key {
			return batch.Row{Index: r.Index, Key: key, Values: fmt.Appendf(nil, `{"name":%q}`, key)}, r, nil
		}
	}
	return batch.Row{}, batch.Result{}, problem.New(problem.NotFound, "job %s has no row %q", job, key).WithSlug("row_not_found")
}

func (w *world) move(id string, m batch.Move, to batch.Status) (j batch.Job, err error) {
	w.change(func() {
		i := slices.IndexFunc(w.jobs, func(j batch.Job) bool { return j.ID == id })
		if err = w.jobs[i].May(m); err == nil {
			w.jobs[i].Status = to
		}
		j = w.jobs[i]
	})
	return j, err
}

func (w *world) CancelJob(_ context.Context, id string) (batch.Job, error) {
	return w.move(id, batch.MoveCancel, batch.Cancelled)
}

func (w *world) PauseJob(_ context.Context, id string) (batch.Job, error) {
	return w.move(id, batch.MovePause, batch.Paused)
}

func (w *world) ResumeJob(_ context.Context, id string) (batch.Job, error) {
	return w.move(id, batch.MoveResume, batch.Processing)
}

func (w *world) RetryJob(_ context.Context, id string) (batch.Job, error) {
	return w.move(id, batch.MoveRetry, batch.Processing)
}

func TestJobIsSteered(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 3, 1)
	w.change(func() { w.jobs[0].Status = batch.Processing })
	for _, step := range []struct {
		path, status, moves string
	}{
		{"/jobs/batch_1/pause", "paused", "resume cancel"},
		{"/jobs/batch_1/resume", "processing", "pause cancel"},
		{"/templates/batch/batch_1/cancel", "cancelled", "retry"}, // as the seed product spells it
		{"/v1/jobs/batch_1/retry", "processing", "pause cancel"},
	} {
		v := mustAnswer[jobView](t, post(step.path, "").to(t, s), 200)
		var moves []string
		for _, m := range v.Moves {
			moves = append(moves, string(m))
		}
		if string(v.Status) != step.status || strings.Join(moves, " ") != step.moves {
			t.Errorf("%s: status %s with the moves %v, want %s and %s", step.path, v.Status, moves, step.status, step.moves)
		}
	}
}

func TestMoveThatTheStateDoesNotTakeIsRefused(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 3)
	w.change(func() { w.jobs[0].Status = batch.Completed })
	d := mustProblem(t, post("/jobs/batch_1/pause", "").to(t, s), 409, "job_state")
	if !strings.Contains(d.Detail, "completed") || d.Hint == "" {
		t.Errorf("%+v names neither the state nor what is allowed", d)
	}
	mustProblem(t, post("/jobs/batch_1/retry", "").to(t, s), 409, "nothing_to_retry")
	mustProblem(t, post("/jobs/batch_2/cancel", "").to(t, s), 404, "job_not_found")
}

func TestJobOfAnotherTemplateIsNotSteered(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 3)
	w.change(func() { w.jobs[0].Status = batch.Processing })
	s := mustServer(t, locked(Key{Name: "ci", Key: secret("key-for-another-template"), Templates: []string{"card"}}), w)
	mustProblem(t, post("/jobs/batch_1/cancel", "").bearer("key-for-another-template").to(t, s), 404, "job_not_found")
	mustProblem(t, get("/jobs/batch_1/rows/C-1").bearer("key-for-another-template").to(t, s), 404, "job_not_found")
	if w.jobs[0].Status != batch.Processing {
		t.Errorf("the job is %s", w.jobs[0].Status)
	}
}

func TestMoveIsDoneOncePerIdempotencyKey(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 3)
	w.change(func() { w.jobs[0].Status = batch.Processing })
	again := post("/jobs/batch_1/cancel", "")
	again.header = map[string]string{"Idempotency-Key": "k"}
	for range 2 {
		mustAnswer[jobView](t, again.to(t, s), 200)
	}
}

func TestRowIsShownByItsKey(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 3, 1)
	w.change(func() {
		w.results["batch_1"][2].Done = false
		w.results["batch_1"][0].Key = "a/b ü"
	})
	good := mustAnswer[jobRowView](t, get("/jobs/batch_1/rows/"+url.PathEscape("a/b ü")).to(t, s), 200)
	if good.Status != batch.Completed || good.Result == nil || good.Error != nil || string(good.Values) != `{"name":"a/b ü"}` {
		t.Errorf("a row that succeeded is %+v", good)
	}
	bad := mustAnswer[jobRowView](t, get("/jobs/batch_1/rows/C-1").to(t, s), 200)
	if bad.Status != batch.Failed || bad.Result != nil || bad.Error.Field != "variables.photo" || bad.Index != 1 {
		t.Errorf("a row that failed is %+v", bad)
	}
	open := mustAnswer[jobRowView](t, get("/jobs/batch_1/rows/C-2").to(t, s), 200)
	if open.Status != batch.Pending || open.Result != nil || open.Error != nil {
		t.Errorf("a row that has not ended is %+v", open)
	}
	mustProblem(t, get("/jobs/batch_1/rows/C-9").to(t, s), 404, "row_not_found")
}

func TestRowsAreFilteredByKeyAndCode(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", maxPage+30, 2, 5, 12, maxPage+5)
	w.change(func() { w.results["batch_1"][5].Error = &batch.RowError{Code: "asset_fetch_failed"} })
	for query, want := range map[string]struct {
		results, errors []int64
		next            bool
	}{
		"?code=missing_variable":                 {nil, []int64{2, 12, maxPage + 5}, false},
		"?code=missing_variable&limit=2":         {nil, []int64{2, 12}, true},
		"?code=missing_variable&limit=2&after=2": {nil, []int64{12, maxPage + 5}, true},
		"?code=none":                             {nil, nil, false},
		"?key=C-100&status=completed&after=150":  {[]int64{1000, 1001, 1002, 1003, 1004, 1006, 1007, 1008, 1009}, nil, false},
		"?key=C-2&limit=1":                       {nil, []int64{2}, true},
		"?key=C-10&code=missing_variable":        {nil, []int64{maxPage + 5}, false},
	} {
		a := mustAnswer[jobAnswer](t, get("/jobs/batch_1"+query).to(t, s), 200)
		results, errors := a.indexes()
		if !slices.Equal(results, want.results) || !slices.Equal(errors, want.errors) || (a.NextAfter != nil) != want.next || a.Pagination.HasNext != want.next {
			t.Errorf("%s: results %v, errors %v, next %v, %+v", query, results, errors, a.NextAfter, a.Pagination)
		}
	}
}

func TestJobsArePagedAndFiltered(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for i := range 7 {
		w.acceptedJob(fmt.Sprint("batch_", i), 2)
		w.change(func() {
			w.jobs[i].CreatedAt = w.jobs[i].CreatedAt.Add(time.Duration(i) * time.Second)
			if i%2 == 1 {
				w.jobs[i].Template = "card"
			}
			if i == 4 {
				w.jobs[i].Status = batch.Paused
			}
		})
	}
	type page struct {
		Jobs       []jobView
		NextCursor *string
	}
	walk := func(query, key string) (ids []string) {
		t.Helper()
		for cursor := ""; ; {
			c := get("/jobs?limit=2" + query + "&cursor=" + url.QueryEscape(cursor))
			server := s
			if key != "" {
				server = mustServer(t, locked(Key{Name: "ci", Key: secret(key), Templates: []string{"card"}}), w)
				c = c.bearer(key)
			}
			p := mustAnswer[page](t, c.to(t, server), 200)
			for _, j := range p.Jobs {
				ids = append(ids, strings.TrimPrefix(j.JobID, "batch_"))
			}
			if p.NextCursor == nil || len(ids) > 7 {
				return ids
			}
			cursor = *p.NextCursor
		}
	}
	for query, want := range map[string]string{
		"": "6 5 4 3 2 1 0", "&template=card": "5 3 1", "&status=paused": "4", "&status=failed": "", "&status=partial&template=card": "5 3 1",
	} {
		if got := strings.Join(walk(query, ""), " "); got != want {
			t.Errorf("%q lists %s, want %s", query, got, want)
		}
	}
	if got := strings.Join(walk("", "key-for-another-template"), " "); got != "5 3 1" {
		t.Errorf("whoever may use card sees %s", got)
	}
	for _, query := range []string{"status=lost", "cursor=x", "cursor=1", "limit=0"} {
		mustProblem(t, get("/jobs?"+query).to(t, s), 422, "out_of_range")
	}
}

func TestJobShowsThatItIsPaused(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 10)
	w.change(func() {
		j := &w.jobs[0]
		j.Status, j.Succeeded, j.CompletedAt = batch.Paused, 4, time.Time{}
		j.PausedAt, j.Idle = j.StartedAt.Add(4*time.Second), 2*time.Second
	})
	var v struct {
		Status        string
		RatePerSecond float64
		ETASeconds    json.RawMessage
		Progress      int
	}
	if err := json.Unmarshal(get("/jobs/batch_1").to(t, s).Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if v.Status != "paused" || v.RatePerSecond != 2 || string(v.ETASeconds) != "null" || v.Progress != 40 {
		t.Errorf("a paused job is %+v, want 4 rows in 2 seconds of work and no end in sight", v)
	}
}
