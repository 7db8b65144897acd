package batch

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestEventsOfABatchAreThoseThatThereAre(t *testing.T) {
	const rows = `{"variables":[{}],"webhookUrl":"https://h.example/x","webhookEvents":`
	for list, want := range map[string][]string{
		`["render.completed"]`:                                {RowCompleted},
		`["render.failed","batch.completed","render.failed"]`: {RowFailed, BatchCompleted},
		`null`: nil,
	} {
		request, _, err := decoded(rows+list+"}", Limits{})
		if err != nil || !slices.Equal(request.Events, want) {
			t.Errorf("%s gives %q, %v, want %q", list, request.Events, err, want)
		}
	}
	for body, want := range map[string][2]string{
		rows + `["render.complete"]}`: {"webhookEvents", `did you mean "render.completed"?`},
		rows + `["image.removed"]}`:   {"webhookEvents", "the events are batch.completed, render.completed, render.failed"},
		rows + `[]}`:                  {"webhookEvents", ""},
		rows + `"render.failed"}`:     {"webhookEvents", ""},
		rows + `[7]}`:                 {"webhookEvents", ""},
		`{"variables":[{}],"webhookEvents":["render.failed"]}`: {"webhookEvents", "give it as webhookUrl"},
	} {
		_, _, err := decoded(body, Limits{})
		var p *problem.Error
		if !errors.As(err, &p) || p.Path != want[0] || p.Hint != want[1] {
			t.Errorf("%s: %v, want a problem at %s with the hint %q", body, err, want[0], want[1])
		}
	}
}

func TestRowEventsHaveTheWordsOfTheSeedAndTheRow(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("CET", 3600))
	good := Result{Index: 7, Key: "C-7", Done: true, Pictures: []Picture{{Output: "png", Hash: "aa", Ext: "png", Format: "png", Width: 12, Height: 6}}}
	bad := Result{Index: 8, Key: "C-8", Done: true, Error: &RowError{Code: "asset_fetch_failed", Field: "variables.photo", Message: "404 & gone", Retryable: true}}
	job := Job{ID: "batch_1", Template: "card"}
	for name, c := range map[string]struct {
		row  Result
		want string
	}{
		"completed": {good, `{"type":"image","source":"batch","jobId":"batch_1","batchId":"batch_1","templateId":"card","renderedAt":"2026-03-01T12:00:00Z",` +
			`"imageId":"aa","index":7,"key":"C-7","success":true,"status":"completed","url":"https://img.example/images/aa.png","width":12,"height":6,"format":"png",` +
			`"contentHash":"aa","outputs":[{"output":"png","url":"https://img.example/images/aa.png","width":12,"height":6,"format":"png","contentHash":"aa"}]}`},
		"failed": {bad, `{"type":"image","source":"batch","jobId":"batch_1","batchId":"batch_1","templateId":"card","renderedAt":"2026-03-01T12:00:00Z",` +
			`"errorCode":"asset_fetch_failed","index":8,"key":"C-8","success":false,"code":"asset_fetch_failed","error":"404 & gone","field":"variables.photo","retryable":true}`},
	} {
		got, err := RowEventData(job, c.row, at, image)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCompletionLeadsToTheFilesThatThereAre(t *testing.T) {
	job := Job{ID: "batch_1", Status: Completed, CreatedAt: accepted, CompletedAt: accepted.Add(time.Second)}
	nothing := func(func(Result, error) bool) {}
	for want, urls := range map[string]URLs{
		`"resultsUrl":"r","csvUrl":"c","zipUrl":"z","failedUrl":"f"}`: {Results: "r", CSV: "c", Zip: "z", Failed: "f"},
		`"resultsUrl":"r","csvUrl":"c","zipUrl":"z"}`:                 {Results: "r", CSV: "c", Zip: "z"},
	} {
		got, err := CompletionData(job, nothing, urls)
		if err != nil || !strings.HasSuffix(string(got), want) {
			t.Errorf("got %s, %v, want an end of %s", got, err, want)
		}
	}
}
