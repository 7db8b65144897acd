package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
)

func image(hash, ext string) string { return "https://img.example/images/" + hash + "." + ext }

func done(index int64, hash string) Result {
	return Result{Index: index, Key: fmt.Sprint("k", index), Done: true, Pictures: []Picture{
		{Output: "png", Hash: hash, Ext: "png", Format: "png", Width: 1200, Height: 630},
		{Output: "story", Hash: hash + "2", Ext: "jpg", Format: "jpeg", Width: 1080, Height: 1920},
	}}
}

func failed(index int64) Result {
	return Result{Index: index, Key: fmt.Sprint("k", index), Done: true, Error: &RowError{
		Code: "asset_fetch_failed", Field: "variables.photo", Message: "404 from <https://a.example/?a&b>", Retryable: true,
	}}
}

func sample() Job {
	return Job{
		ID: "batch_1", Template: "card", Version: 17, MaxErrors: 5, Status: Processing, Total: 10, Succeeded: 3, Failed: 1, Deduped: 2,
		CreatedAt: accepted, StartedAt: accepted.Add(time.Second), Metadata: json.RawMessage(`{"run":"a&b"}`),
	}
}

func mustJSON(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestAcceptedBatchAnswersInTheWordsOfTheSeed(t *testing.T) {
	got := mustJSON(t, NewAccepted(Job{ID: "batch_1", Status: Pending, Total: 2}, "https://h/jobs/batch_1", "https://h/jobs/batch_1/events"))
	want := `{
  "jobId": "batch_1",
  "batchId": "batch_1",
  "id": "batch_1",
  "status": "pending",
  "totalItems": 2,
  "message": "Batch queued",
  "statusUrl": "https://h/jobs/batch_1",
  "eventsUrl": "https://h/jobs/batch_1/events"
}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestJobIsShownWithItsProgress(t *testing.T) {
	waiting := Result{Index: 1, Key: "k1"}
	v := NewView(sample(), accepted.Add(3*time.Second), []Result{done(0, "aa"), waiting, failed(2)}, NewPagination(1, 100, 10), image)
	want := `{
  "jobId": "batch_1",
  "templateUid": "card",
  "templateVersion": 17,
  "priority": "normal",
  "maxErrors": 5,
  "status": "processing",
  "progress": 40,
  "totalItems": 10,
  "completedItems": 3,
  "failedItems": 1,
  "dedupedItems": 2,
  "ratePerSecond": 2,
  "etaSeconds": 3,
  "createdAt": "2026-11-24T12:00:00Z",
  "startedAt": "2026-11-24T12:00:01Z",
  "completedAt": null,
  "batchId": "batch_1",
  "results": [
    {
      "index": 0,
      "key": "k0",
      "success": true,
      "status": "completed",
      "url": "https://img.example/images/aa.png",
      "width": 1200,
      "height": 630,
      "format": "png",
      "contentHash": "aa",
      "outputs": [
        {
          "output": "png",
          "url": "https://img.example/images/aa.png",
          "width": 1200,
          "height": 630,
          "format": "png",
          "contentHash": "aa"
        },
        {
          "output": "story",
          "url": "https://img.example/images/aa2.jpg",
          "width": 1080,
          "height": 1920,
          "format": "jpeg",
          "contentHash": "aa2"
        }
      ]
    }
  ],
  "errors": [
    {
      "index": 2,
      "key": "k2",
      "success": false,
      "code": "asset_fetch_failed",
      "error": "404 from \u003chttps://a.example/?a\u0026b\u003e",
      "field": "variables.photo",
      "retryable": true
    }
  ],
  "pagination": {
    "page": 1,
    "limit": 100,
    "total": 10,
    "totalPages": 1,
    "hasNext": false,
    "hasPrev": false
  },
  "metadata": {
    "run": "a\u0026b"
  }
}`
	if diff := cmp.Diff(want, mustJSON(t, v)); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
}

func TestRowIsShownWithHowItsTextsCameOut(t *testing.T) {
	r := done(0, "aa")
	r.Pictures[0].Fitting.Layers = []bindings.LayerFit{{Layer: "title", FontPx: 27.25, Lines: 3}, {Layer: "note", FontPx: 16, Lines: 9, Clipped: true}}
	r.Pictures[1].Fitting.Layers = []bindings.LayerFit{{Layer: "title", FontPx: 40, Lines: 1, Cut: true}}
	r.Pictures[1].Fitting.Problems = []bindings.LayerProblem{{Layer: "photo", Problem: "what it says"}, {Code: bindings.GlyphMissing, Layer: "title", Problem: "no font"}}
	shown := NewRowResult(r, image)
	got, err := json.Marshal([]any{shown.Layout, shown.Outputs[1].Layout, shown.Warnings})
	if err != nil {
		t.Fatal(err)
	}
	want := `[[{"layer":"title","fontPx":27.25,"lines":3,"clipped":false},{"layer":"note","fontPx":16,"lines":9,"clipped":true}],` +
		`[{"layer":"title","fontPx":40,"lines":1,"clipped":false,"cut":true}],` +
		`[{"code":"text_clipped","output":"png","layer":"note","message":"the text does not fit into its box"},` +
		`{"code":"layout_ignored","output":"story","layer":"photo","message":"what it says"},` +
		`{"code":"glyph_missing","output":"story","layer":"title","message":"no font"}]]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	r.Error = failed(0).Error
	if f := NewRowFailure(r, image); len(f.Warnings) != 3 {
		t.Errorf("a row that failed has the warnings %+v", f.Warnings)
	}
}

func TestProgressIsToldOnlyWhenItIsKnown(t *testing.T) {
	eta := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name   string
		change func(*Job)
		after  time.Duration
		want   Standing // Progress, Rate, ETA
	}{
		{"not begun", func(j *Job) { j.StartedAt, j.Succeeded, j.Failed = time.Time{}, 0, 0 }, time.Minute, Standing{}},
		{"begun, nothing ended", func(j *Job) { j.Succeeded, j.Failed = 0, 0 }, time.Minute, Standing{}},
		{"clock went back", func(*Job) {}, 0, Standing{Progress: 40}},
		{"slow", func(*Job) {}, 41 * time.Second, Standing{Progress: 40, Rate: 0.1, ETA: eta(60)}},
		{"ended", func(j *Job) {
			j.Status, j.Succeeded, j.CompletedAt = Partial, 9, accepted.Add(6*time.Second)
		}, time.Hour, Standing{Progress: 100, Rate: 2}},
		{"almost", func(j *Job) { j.Total, j.Succeeded, j.Failed = 1000, 999, 0 }, 2 * time.Second, Standing{Progress: 99, Rate: 999, ETA: eta(1)}},
		{"no rows", func(j *Job) { *j = Job{Status: Completed} }, 0, Standing{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := sample()
			c.change(&job)
			got := NewView(job, accepted.Add(c.after), nil, Pagination{}, image)
			if diff := cmp.Diff(c.want, Standing{Progress: got.Progress, Rate: got.Rate, ETA: got.ETA}); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagesAreCounted(t *testing.T) {
	for _, c := range []struct {
		page, limit int
		total       int64
		want        Pagination
	}{
		{1, 100, 0, Pagination{1, 100, 0, 0, false, false}},
		{1, 100, 100, Pagination{1, 100, 100, 1, false, false}},
		{1, 100, 101, Pagination{1, 100, 101, 2, true, false}},
		{2, 100, 101, Pagination{2, 100, 101, 2, false, true}},
	} {
		if diff := cmp.Diff(c.want, NewPagination(c.page, c.limit, c.total)); diff != "" {
			t.Errorf("page %d of %d (-want +got):\n%s", c.page, c.total, diff)
		}
	}
}

func each(results ...Result) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		for _, r := range results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// many are n results, every tenth of them failed, that take about size bytes each.
func many(n, size int) iter.Seq2[Result, error] {
	hash := strings.Repeat("f", max(1, (size-400)/4))
	return func(yield func(Result, error) bool) {
		for i := range int64(n) {
			r := done(i, hash)
			if i%10 == 9 {
				r = failed(i)
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func ended() Job {
	job := sample()
	job.Status, job.CompletedAt, job.Succeeded, job.Failed = Partial, accepted.Add(90*time.Second), 9, 1
	return job
}

var hookURLs = URLs{Image: image, Results: "https://img.example/jobs/batch_1/results.ndjson?sig=a&b"}

func TestCompletionHasEveryRow(t *testing.T) {
	got, err := CompletionData(ended(), each(done(0, "aa"), failed(1), Result{Index: 2}), hookURLs)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"jobId":"batch_1","batchId":"batch_1","templateUid":"card","status":"partial","totalCount":10,"completedCount":9,"failedCount":1,` +
		`"durationMs":90000,"results":[{"index":0,"key":"k0","success":true,"status":"completed","url":"https://img.example/images/aa.png","width":1200,` +
		`"height":630,"format":"png","contentHash":"aa","outputs":[{"output":"png","url":"https://img.example/images/aa.png","width":1200,"height":630,` +
		`"format":"png","contentHash":"aa"},{"output":"story","url":"https://img.example/images/aa2.jpg","width":1080,"height":1920,"format":"jpeg",` +
		`"contentHash":"aa2"}]}],"errors":[{"index":1,"key":"k1","success":false,"code":"asset_fetch_failed","error":"404 from <https://a.example/?a&b>",` +
		`"field":"variables.photo","retryable":true}],"truncated":false,"resultsUrl":"https://img.example/jobs/batch_1/results.ndjson?sig=a&b",` +
		`"metadata":{"run":"a&b"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestCompletionOfAJobWithoutResultsHasEmptyLists(t *testing.T) {
	got, err := CompletionData(ended(), each(), hookURLs)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), `"results":[],"errors":[],"truncated":false`) {
		t.Errorf("data %s", got)
	}
}

// counted is how much of a completion is there.
type counted struct {
	Results, Errors []struct{ Index int64 }
	Truncated       bool
}

func TestCompletionAboveItsLimitHasTheFirstThousandOfEach(t *testing.T) {
	for _, c := range []struct {
		name            string
		rows, size      int
		results, errors int
		truncated       bool
	}{
		{"few large rows", 600, 2000, 540, 60, false},
		{"more than a thousand, below the limit", 4000, 600, 3600, 400, false},
		{"above the limit", 20000, 600, 1000, 1000, true},
		{"above the limit with few errors", 8000, 1200, 1000, 800, true},
		{"above the limit with the first rows", 900, 12000, 810, 90, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := CompletionData(ended(), many(c.rows, c.size), hookURLs)
			if err != nil {
				t.Fatal(err)
			}
			var got counted
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Results) != c.results || len(got.Errors) != c.errors || got.Truncated != c.truncated {
				t.Errorf("%d results, %d errors, truncated %v", len(got.Results), len(got.Errors), got.Truncated)
			}
			if !got.Truncated && len(data) > MaxCompletion-envelope {
				t.Errorf("complete with %d bytes", len(data))
			}
			for i, r := range got.Results {
				if want := int64(i + i/9); r.Index != want {
					t.Fatalf("result %d is of row %d, want %d", i, r.Index, want)
				}
			}
			again, err := CompletionData(ended(), many(c.rows, c.size), hookURLs)
			if err != nil || string(again) != string(data) {
				t.Errorf("another time the bytes are others (%v)", err)
			}
		})
	}
}

func TestCompletionStopsReadingWhenItHasEnough(t *testing.T) {
	read := 0
	results := func(yield func(Result, error) bool) {
		for r, err := range many(100_000, 600) {
			read++
			if !yield(r, err) {
				return
			}
		}
	}
	if _, err := CompletionData(ended(), results, hookURLs); err != nil {
		t.Fatal(err)
	}
	if read > 20_000 {
		t.Errorf("read %d results", read)
	}
}

func TestCompletionFailsWithItsResults(t *testing.T) {
	broken := errors.New("connection lost")
	results := func(yield func(Result, error) bool) {
		_ = yield(done(0, "aa"), nil) && yield(Result{}, broken)
	}
	if _, err := CompletionData(ended(), results, hookURLs); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestJobIsFinalByItsRows(t *testing.T) {
	for _, c := range []struct {
		succeeded, failed int64
		want              Status
	}{{3, 0, Completed}, {0, 3, Failed}, {1, 2, Partial}} {
		if got := Final(c.succeeded, c.failed); got != c.want || !got.Ended() {
			t.Errorf("Final(%d, %d) = %s", c.succeeded, c.failed, got)
		}
	}
	if Pending.Ended() || Processing.Ended() {
		t.Error("a job at work has ended")
	}
}
