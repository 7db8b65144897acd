package api

import (
	"encoding/json"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/openapi"
)

var jobOperations = operations{
	"GET /jobs": {
		id: "listJobs", tag: tagJobs, summary: "The newest jobs",
		query: []queryParam{
			limitParam, {"cursor", "The `nextCursor` of the page before.", anyText()}, {"template", "Only those of this template.", anyText()},
			{"status", "Only those that stand so.", of[batch.Status]()},
			{"binding", "Only runs of this binding.", anyText()}, {"kind", "`batch`: only those whose rows were sent. `run`: only those whose rows were read from a source.", oneOf(batch.KindBatch, batch.KindRun)},
		},
		answers: answers{200: sends("", object(property{"jobs", "", of[[]jobView]()}, property{"nextCursor", "Null at the end.", of[*string]()}))},
	},
	"GET /jobs/{id}": {
		id: "getJob", tag: tagJobs, summary: "A job and a page of its results",
		detail: "Rows that have ended are in `results` or in `errors`, those that are still worked on in neither. Read page by page, or with `after` = `nextAfter` of the page before.",
		query: append([]queryParam{{"page", "Which page, from 1.", wholeFrom(1, batch.MaxRows)}, limitParam,
			{"key", "Only rows whose key begins so.", anyText()}, {"code", "Only rows that failed so.", anyText()}}, resultParams...),
		answers: answers{200: sends("", of[jobPage]())},
	},
	"GET /jobs/{id}/rows/{key}": {
		id: "getJobRow", tag: tagJobs, summary: "A row: what was sent, and what became of it",
		answers: answers{200: sends("", of[jobRowView]())},
	},
	"POST /jobs/{id}/cancel": {
		id: "cancelJob", tag: tagJobs, summary: "Cancel a job", detail: "Pictures that are made stay. " + moveNote, headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("The job as it stands then.", of[jobView]())},
	},
	"POST /jobs/{id}/pause": {
		id: "pauseJob", tag: tagJobs, summary: "Pause a job", detail: moveNote, headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("The job as it stands then.", of[jobView]())},
	},
	"POST /jobs/{id}/resume": {
		id: "resumeJob", tag: tagJobs, summary: "Resume a paused job", detail: moveNote, headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("The job as it stands then.", of[jobView]())},
	},
	"POST /jobs/{id}/retry": {
		id: "retryJob", tag: tagJobs, summary: "Retry the failed rows", detail: "Only those, without sending them again. " + moveNote, headers: []string{"IdempotencyKey"},
		answers: answers{200: sends("The job as it stands then.", of[jobView]())},
	},
	"GET /jobs/{id}/events": {
		id: "watchJob", tag: tagJobs, summary: "A job's progress as it happens",
		detail:  "Server-sent events: `progress`, and at last `end`. The data of each is the job as a whole, so that whoever comes back has missed nothing.",
		answers: answers{200: streams("One event after each change.", "text/event-stream", of[jobView]())},
	},
	"GET /jobs/{id}/results.ndjson": {
		id: "streamResults", tag: tagJobs, summary: "All results, a line each",
		detail: "In the order of their index, without holes. The stream ends before the first row that has not ended; with `follow=true` it waits for it. " +
			"After a broken connection go on with `after` = the last index that came.",
		query: append([]queryParam{{"follow", "Wait for rows that have not ended.", yesNo()}}, resultParams...),
		scope: RendersRead, signed: true,
		answers: answers{200: streams("", "application/x-ndjson", either(of[batch.RowResult](), of[batch.RowFailure]()))},
	},
	"GET /jobs/{id}/results.csv": {
		id: "downloadResults", tag: tagJobs, summary: "The rows with their URLs as CSV",
		detail: "The caller's own columns in their order, then `url`, one column for each output, and `error`. " + madeOnce,
		query:  append([]queryParam{partialParam}, csvParams...), headers: []string{"Range", "IfNoneMatchETag"}, scope: RendersRead, signed: true,
		answers: fileAnswers("text/csv"),
	},
	"GET /jobs/{id}/failed.csv": {
		id: "downloadFailed", tag: tagJobs, summary: "The rows that failed as CSV",
		detail: "The caller's own columns, and why: to be corrected and sent again. " + madeOnce,
		query:  append([]queryParam{partialParam}, csvParams...), headers: []string{"Range", "IfNoneMatchETag"}, scope: RendersRead, signed: true,
		answers: fileAnswers("text/csv"),
	},
	"GET /jobs/{id}/results.zip": {
		id: "downloadArchive", tag: tagJobs, summary: "All pictures as a ZIP",
		detail: "In the order of the rows, named by their keys, and `manifest.csv`, which is the CSV with the names of files. " + madeOnce,
		query:  append([]queryParam{partialParam, {"folders", "A folder for each output.", yesNo()}}, csvParams...), headers: []string{"Range", "IfNoneMatchETag"},
		scope: RendersRead, signed: true, answers: fileAnswers("application/zip"),
	},
	"GET /jobs/{id}/results.pdf": {
		id: "downloadPDF", tag: tagJobs, summary: "All PDFs as one",
		detail: "In the order of the rows, with a bookmark for each. " + madeOnce,
		query:  []queryParam{partialParam, {"output", "Only those of this output.", anyText()}}, headers: []string{"Range", "IfNoneMatchETag"},
		scope: RendersRead, signed: true, answers: fileAnswers("application/pdf"),
	},
}

const moveNote = "`moves` of a job has the moves that its state takes; another is a 409 `job_state`."

// madeOnce is said of every file of a job.
const madeOnce = "A download that broke off goes on with `Range`. Of a job that has not ended it is a 409 `job_not_ended` with `Retry-After`."

var (
	partialParam = queryParam{"partial", "What there is of a job that has not ended.", yesNo()}
	csvParams    = []queryParam{
		{"delimiter", "Between columns.", oneOf(",", ";", "\t", "comma", "semicolon", "tab")},
		{"bom", "Begin with the mark that has Excel read UTF-8.", yesNo()},
		{"escapeFormulas", "Put an apostrophe before what a spreadsheet would compute.", yesNo()},
	}
)

// inParts are the answers of what can be had in parts, and only where it changed.
func inParts(whole reply) answers {
	return answers{
		200: whole, 206: whole, 304: {about: "You have the newest."}, 412: {about: "It has changed since."},
		416: {about: "It has no such part.", kinds: map[string]shape{"text/plain": anyText()}},
	}
}

// fileAnswers are those of a file that can be had in parts.
func fileAnswers(kind string) answers {
	whole := files("", kind).tagged("A digest of the file.")
	return inParts(whole)
}

var (
	limitParam   = queryParam{"limit", "At most so many.", wholeFrom(1, maxPage)}
	resultParams = []queryParam{
		{"after", "Only rows behind this index.", wholeFrom(-1, batch.MaxRows)},
		{"status", "Only rows that ended so.", oneOf("completed", "failed", "success")},
	}
)

// A jobPage is a job with a page of its results.
type jobPage struct {
	batch.View
	NextAfter *int64 `json:"nextAfter"` // the after of the next page, null at the end
}

// either is one of some shapes.
func either(shapes ...shape) shape {
	return func(s *openapi.Schemas, closed bool) (*jsonschema.Schema, error) {
		all := &jsonschema.Schema{}
		for _, one := range shapes {
			schema, err := one(s, closed)
			if err != nil {
				return nil, err
			}
			all.AnyOf = append(all.AnyOf, schema)
		}
		return all, nil
	}
}

// A rowCompleted is the body of the webhook of a row that has its pictures.
type rowCompleted struct {
	Event     string       `json:"event"` // render.completed
	Timestamp string       `json:"timestamp"`
	Data      completedRow `json:"data"`
}

// A rowFailed is the body of the webhook of a row that has failed.
type rowFailed struct {
	Event     string    `json:"event"` // render.failed
	Timestamp string    `json:"timestamp"`
	Data      failedRow `json:"data"`
}

// An endedRow is what both have in common.
type endedRow struct {
	Type       string    `json:"type"`   // image, gif or pdf
	Source     string    `json:"source"` // batch
	JobID      string    `json:"jobId"`
	BatchID    string    `json:"batchId"`
	TemplateID string    `json:"templateId"`
	RenderedAt time.Time `json:"renderedAt"`
}

// A completedRow is a row that has its pictures.
type completedRow struct {
	endedRow
	ImageID string `json:"imageId"` // the hash of its first picture
	batch.RowResult
}

// A failedRow is a row that lacks a picture.
type failedRow struct {
	endedRow
	ErrorCode string `json:"errorCode"`
	batch.RowFailure
}

// A batchCompleted is the body of the webhook that ends a batch.
type batchCompleted struct {
	Event     string         `json:"event"` // batch.completed
	Timestamp string         `json:"timestamp"`
	Data      completedBatch `json:"data"`
}

// A completedBatch is a batch whose rows have all ended.
type completedBatch struct {
	JobID       string             `json:"jobId"`
	BatchID     string             `json:"batchId"`
	TemplateUID string             `json:"templateUid"`
	Status      batch.Status       `json:"status"`
	Total       int64              `json:"totalCount"`
	Completed   int64              `json:"completedCount"`
	Failed      int64              `json:"failedCount"`
	DurationMs  int64              `json:"durationMs"`
	Results     []batch.RowResult  `json:"results"`
	Errors      []batch.RowFailure `json:"errors"`
	Truncated   bool               `json:"truncated"`           // there are more than stand here
	ResultsURL  string             `json:"resultsUrl"`          // all of them, without a key
	CSVURL      string             `json:"csvUrl,omitempty"`    // the same as a CSV, without a key
	ZipURL      string             `json:"zipUrl,omitempty"`    // the pictures, without a key
	FailedURL   string             `json:"failedUrl,omitempty"` // the rows that failed, without a key
	Metadata    json.RawMessage    `json:"metadata,omitempty"`

	DeliveryID string `json:"deliveryId,omitempty"` // of a test
	Test       bool   `json:"test,omitempty"`
}
