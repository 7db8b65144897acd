package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// A jobAnswer is what GET /jobs/{id} says.
type jobAnswer struct {
	batch.View
	NextAfter *int64 `json:"nextAfter"`
}

// indexes are those of the results and of the errors.
func (a jobAnswer) indexes() (results, errors []int64) {
	for _, r := range a.Results {
		results = append(results, r.Index)
	}
	for _, e := range a.Errors {
		errors = append(errors, e.Index)
	}
	return results, errors
}

func TestJobIsShownPageByPage(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 7, 2, 5)
	for query, want := range map[string]struct {
		results, errors []int64
		total, pages    int64
		next            int64 // -1: none
	}{
		"":                                 {[]int64{0, 1, 3, 4, 6}, []int64{2, 5}, 7, 1, -1},
		"?limit=3":                         {[]int64{0, 1}, []int64{2}, 7, 3, 2},
		"?limit=3&page=2":                  {[]int64{3, 4}, []int64{5}, 7, 3, 5},
		"?limit=3&page=3":                  {[]int64{6}, nil, 7, 3, -1},
		"?limit=3&page=4":                  {nil, nil, 7, 3, -1},
		"?limit=3&after=3":                 {[]int64{4, 6}, []int64{5}, 7, 3, 6},
		"?status=failed":                   {nil, []int64{2, 5}, 2, 1, -1},
		"?status=failed&limit=1&page=2":    {nil, []int64{5}, 2, 2, 5},
		"?status=completed&limit=2&page=2": {[]int64{3, 4}, nil, 5, 3, 4},
		"?status=completed&limit=2&page=9": {nil, nil, 5, 3, -1},
	} {
		a := mustAnswer[jobAnswer](t, get("/jobs/batch_1"+query).to(t, s), 200)
		results, errors := a.indexes()
		next := int64(-1)
		if a.NextAfter != nil {
			next = *a.NextAfter
		}
		if !slices.Equal(results, want.results) || !slices.Equal(errors, want.errors) || next != want.next ||
			a.Pagination.Total != want.total || a.Pagination.TotalPages != want.pages {
			t.Errorf("%q: results %v, errors %v, next %d, %+v; want %+v", query, results, errors, next, a.Pagination, want)
		}
	}
	a := mustAnswer[jobAnswer](t, get("/jobs/batch_1").to(t, s), 200)
	if first := a.Results[0]; first.URL != "http://127.0.0.1:8080/images/"+hashOf([]byte{0})+".png" || first.Key != "C-0" || !first.Success {
		t.Errorf("first result %+v", first)
	}
	if first := a.Errors[0]; first.Code != "missing_variable" || first.Field != "variables.photo" {
		t.Errorf("first error %+v", first)
	}
}

func TestResultsSayHowTextsCameOut(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 2)
	w.results["batch_1"][1].Pictures[0].Fitting.Layers = []bindings.LayerFit{{Layer: "title", FontPx: 16, Lines: 4, Clipped: true}}
	const said = `"layout":[{"layer":"title","fontPx":16,"lines":4,"clipped":true}],` +
		`"warnings":[{"code":"text_clipped","output":"png","layer":"title","message":"the text does not fit into its box"}]`
	for _, path := range []string{"/jobs/batch_1", "/jobs/batch_1/results.ndjson"} {
		text := strings.Join(strings.Fields(get(path).to(t, s).Body.String()), "")
		want := strings.Join(strings.Fields(said), "")
		if strings.Count(text, want) != 1 || strings.Count(text, `"warnings"`) != 1 {
			t.Errorf("%s says %s, want once %s", path, text, want)
		}
	}
}

func TestPageThatCannotBeIsRefused(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 1)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "page=0": "page", "after=-2": "after", "status=lost": "status",
	} {
		d := mustProblem(t, get("/jobs/batch_1?"+query).to(t, s), 422, "out_of_range")
		if len(d.Errors) != 1 || d.Errors[0].Field != field {
			t.Errorf("%s: %+v", query, d)
		}
	}
	mustProblem(t, get("/jobs/batch_2").to(t, s), 404, "job_not_found")
}

func TestJobsAreListedNewestFirst(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 4, 1)
	w.acceptedJob("batch_2", 1)
	got := mustAnswer[struct{ Jobs []jobView }](t, get("/jobs?limit=5").to(t, s), 200).Jobs
	if len(got) != 2 || got[0].JobID != "batch_2" || got[1].Completed != 3 || got[1].Failed != 1 || got[1].Progress != 100 {
		t.Errorf("got %+v", got)
	}
}

// mustLines are the indexes of NDJSON results.
func mustLines(tb testing.TB, body string) []int64 {
	tb.Helper()
	var indexes []int64
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		var line struct{ Index int64 }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			tb.Fatalf("line %q: %v", lines.Text(), err)
		}
		indexes = append(indexes, line.Index)
	}
	return indexes
}

func TestResultsAreStreamedAndResumed(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", maxPage+3, 1)
	out := get("/jobs/batch_1/results.ndjson").to(t, s)
	if got := mustLines(t, out.Body.String()); len(got) != maxPage+3 || !slices.IsSorted(got) || out.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d lines, type %q", len(got), out.Header().Get("Content-Type"))
	}
	for query, want := range map[string][]int64{
		"?after=1000": {1001, 1002}, "?status=failed": {1}, "?after=1002": nil, "?status=completed&after=1001": {1002},
	} {
		if got := mustLines(t, get("/jobs/batch_1/results.ndjson"+query).to(t, s).Body.String()); !slices.Equal(got, want) {
			t.Errorf("%s: lines %v, want %v", query, got, want)
		}
	}
}

func TestResultsOfARunningJobHaveNoHoles(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.acceptedJob("batch_1", 5)
	w.change(func() {
		w.jobs[0].Status = batch.Processing
		w.results["batch_1"][2].Done = false
	})
	if got := mustLines(t, get("/jobs/batch_1/results.ndjson").to(t, s).Body.String()); !slices.Equal(got, []int64{0, 1}) {
		t.Errorf("lines %v, want those before the row that has not ended", got)
	}
}

func TestResultsFollowAJobToItsEnd(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 3)
	w.change(func() {
		w.jobs[0].Status = batch.Processing
		w.results["batch_1"][1].Done = false
	})
	lines := mustStream(t, mustServe(t, mustServer(t, open(), w)), "/jobs/batch_1/results.ndjson?follow=true")
	if got := lines.next(t); !strings.HasPrefix(got, `{"index":0`) {
		t.Fatalf("first line %s", got)
	}
	w.change(func() {
		w.results["batch_1"][1].Done = true
		w.jobs[0].Status = batch.Completed
	})
	if got := lines.next(t) + lines.next(t); !strings.Contains(got, `{"index":1`) || !strings.Contains(got, `{"index":2`) {
		t.Errorf("then %s", got)
	}
	lines.mustEnd(t)
}

func TestJobEventsEndWithTheJob(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 4)
	w.change(func() { w.jobs[0].Status, w.jobs[0].Succeeded = batch.Processing, 1 })
	events := mustStream(t, mustServe(t, mustServer(t, open(), w)), "/templates/batch/batch_1/events")
	if name, data := events.event(t); name != "progress" || !strings.Contains(data, `"progress":25`) {
		t.Errorf("first %s %s", name, data)
	}
	w.change(func() { w.jobs[0].Succeeded = 2 })
	if name, data := events.event(t); name != "progress" || !strings.Contains(data, `"progress":50`) {
		t.Errorf("then %s %s", name, data)
	}
	w.change(func() { w.jobs[0].Status, w.jobs[0].Succeeded = batch.Completed, 4 })
	if name, data := events.event(t); name != "end" || !strings.Contains(data, `"status":"completed"`) {
		t.Errorf("last %s %s", name, data)
	}
	events.mustEnd(t)
}

// lines is an answer that is read as it comes.
type lines struct {
	*bufio.Scanner
	answer *http.Response
}

func mustStream(tb testing.TB, address, path string) *lines {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	transport := &http.Transport{}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		answer.Body.Close()
		transport.CloseIdleConnections()
	})
	if answer.StatusCode != http.StatusOK {
		tb.Fatalf("status %d", answer.StatusCode)
	}
	return &lines{bufio.NewScanner(answer.Body), answer}
}

func (l *lines) next(tb testing.TB) string {
	tb.Helper()
	if !l.Scan() {
		tb.Fatalf("the stream ended: %v", l.Err())
	}
	return l.Text()
}

// event is the next one that is no comment.
func (l *lines) event(tb testing.TB) (name, data string) {
	tb.Helper()
	for {
		line := l.next(tb)
		if rest, ok := strings.CutPrefix(line, "event: "); ok {
			name = rest
		}
		if rest, ok := strings.CutPrefix(line, "data: "); ok {
			return name, rest
		}
	}
}

func (l *lines) mustEnd(tb testing.TB) {
	tb.Helper()
	for l.Scan() {
		if l.Text() != "" {
			tb.Errorf("after the end: %s", l.Text())
		}
	}
	if err := l.Err(); err != nil {
		tb.Errorf("the stream broke off: %v", err)
	}
}
