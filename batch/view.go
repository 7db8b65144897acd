package batch

import (
	"encoding/json"
	"math"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// Accepted is the answer to a batch that was taken.
type Accepted struct {
	JobID      string `json:"jobId"`
	BatchID    string `json:"batchId"`
	ID         string `json:"id"`
	Status     Status `json:"status"`
	TotalItems int64  `json:"totalItems"`
	Message    string `json:"message"`
	StatusURL  string `json:"statusUrl"`
	EventsURL  string `json:"eventsUrl"`
}

// NewAccepted is the answer for job, whose state is at statusURL and whose
// progress at eventsURL.
func NewAccepted(job Job, statusURL, eventsURL string) Accepted {
	return Accepted{
		JobID: job.ID, BatchID: job.ID, ID: job.ID, Status: job.Status, TotalItems: job.Total,
		Message: "Batch queued", StatusURL: statusURL, EventsURL: eventsURL,
	}
}

// A Standing is where a job stands, without its rows.
type Standing struct {
	JobID           string   `json:"jobId"`
	TemplateUID     string   `json:"templateUid"`
	TemplateVersion int64    `json:"templateVersion"`
	Priority        Priority `json:"priority"`
	MaxErrors       int64    `json:"maxErrors,omitempty"` // that end the job; 0: none do
	Status          Status   `json:"status"`
	Progress        int      `json:"progress"` // whole percents of the rows that ended
	TotalItems      int64    `json:"totalItems"`
	Completed       int64    `json:"completedItems"`
	Failed          int64    `json:"failedItems"`
	Deduped         int64    `json:"dedupedItems"`
	Rate            float64  `json:"ratePerSecond"` // rows that ended, since the first render
	ETA             *int64   `json:"etaSeconds"`    // null when it can't be told

	CreatedAt   time.Time  `json:"createdAt"`
	StartedAt   *time.Time `json:"startedAt"`
	CompletedAt *time.Time `json:"completedAt"`

	Run *RunView `json:"run,omitempty"` // of a job that reads its rows from a binding's source
}

// NewStanding is where job stands at now.
func NewStanding(job Job, now time.Time) Standing {
	v := Standing{
		JobID: job.ID, TemplateUID: job.Template, TemplateVersion: job.Version, Priority: job.Priority, MaxErrors: job.MaxErrors,
		Status: job.Status, TotalItems: job.Total, Completed: job.Succeeded, Failed: job.Failed, Deduped: job.Deduped,
		CreatedAt: job.CreatedAt.UTC(), StartedAt: moment(job.StartedAt), CompletedAt: moment(job.CompletedAt),
		Run: newRunView(job),
	}
	if v.Priority == "" {
		v.Priority = Normal
	}
	v.Progress, v.Rate, v.ETA = progress(job, now)
	return v
}

// A View is a job as it is shown, with one page of its results.
type View struct {
	Standing

	BatchID    string          `json:"batchId"`
	Results    []RowResult     `json:"results"`
	Errors     []RowFailure    `json:"errors"`
	Pagination Pagination      `json:"pagination"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

// A RowResult is a row that has all its pictures; its first output stands for it.
type RowResult struct {
	Index       int64           `json:"index"`
	Key         string          `json:"key"`
	Success     bool            `json:"success"`
	Status      Status          `json:"status"`
	URL         string          `json:"url"`
	Width       int             `json:"width"`
	Height      int             `json:"height"`
	Format      string          `json:"format"`
	ContentHash string          `json:"contentHash"`
	Outputs     []OutputPicture `json:"outputs"`

	Layout   []bindings.LayerFit `json:"layout,omitempty"`   // of the first output
	Warnings []bindings.Warning  `json:"warnings,omitempty"` // of all outputs

	RenderMs float64 `json:"renderMs,omitempty"` // of all outputs together, where it is still known
	Attempts int64   `json:"attempts,omitempty"` // the most that an output took

	Treated
}

// Treated says as which variant of the batch's experiment a row was drawn.
type Treated struct {
	Variant  string `json:"variant,omitempty"`  // its id
	ClickURL string `json:"clickUrl,omitempty"` // what the picture is to link to: it leads to the experiment's destination, and counts
}

// An OutputPicture is one picture of a row.
type OutputPicture struct {
	Output      string `json:"output"`
	URL         string `json:"url"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	Format      string `json:"format"`
	ContentHash string `json:"contentHash"`

	Layout []bindings.LayerFit `json:"layout,omitempty"` // texts that are not as their author set them
}

// A RowFailure is a row that lacks a picture, with the reason, and with the
// pictures that it has nevertheless.
type RowFailure struct {
	Index     int64           `json:"index"`
	Key       string          `json:"key"`
	Success   bool            `json:"success"`
	Code      string          `json:"code"`
	Error     string          `json:"error"`
	Field     string          `json:"field,omitempty"`
	Retryable bool            `json:"retryable"`
	Outputs   []OutputPicture `json:"outputs,omitempty"`

	Warnings []bindings.Warning `json:"warnings,omitempty"`

	RenderMs float64 `json:"renderMs,omitempty"` // of all outputs together, where it is still known
	Attempts int64   `json:"attempts,omitempty"` // the most that an output took

	Treated
}

// Pagination says which part of a list was given.
type Pagination struct {
	Page       int   `json:"page"` // counts from 1
	Limit      int   `json:"limit"`
	Total      int64 `json:"total"`
	TotalPages int64 `json:"totalPages"`
	HasNext    bool  `json:"hasNext"`
	HasPrev    bool  `json:"hasPrev"`
}

// NewPagination is the page of that number, of limit elements out of total.
func NewPagination(page, limit int, total int64) Pagination {
	pages := (total + int64(limit) - 1) / int64(limit)
	return Pagination{Page: page, Limit: limit, Total: total, TotalPages: pages, HasNext: int64(page) < pages, HasPrev: page > 1}
}

// An ImageURLFunc is the address of the bytes with that hash.
type ImageURLFunc func(hash, ext string) string

// NewView is job as it stands at now, with the rows of results that have ended.
func NewView(job Job, now time.Time, results []Result, page Pagination, image ImageURLFunc) View {
	v := View{
		Standing: NewStanding(job, now), BatchID: job.ID,
		Results: []RowResult{}, Errors: []RowFailure{}, Pagination: page, Metadata: job.Metadata,
	}
	for _, r := range results {
		switch {
		case !r.Done:
		case r.Error != nil:
			v.Errors = append(v.Errors, NewRowFailure(r, image))
		default:
			v.Results = append(v.Results, NewRowResult(r, image))
		}
	}
	return v
}

// NewRowResult is a row without an error as it is shown.
func NewRowResult(r Result, image ImageURLFunc) RowResult {
	shown := RowResult{Index: r.Index, Key: r.Key, Success: true, Status: Completed, Outputs: pictures(r, image), Warnings: warnings(r), RenderMs: millis(r.Drawing), Attempts: r.Attempts, Treated: r.treated()}
	if len(shown.Outputs) > 0 {
		first := shown.Outputs[0]
		shown.URL, shown.Width, shown.Height = first.URL, first.Width, first.Height
		shown.Format, shown.ContentHash, shown.Layout = first.Format, first.ContentHash, first.Layout
	}
	return shown
}

// NewRowFailure is a row with an error as it is shown.
func NewRowFailure(r Result, image ImageURLFunc) RowFailure {
	return RowFailure{
		Index: r.Index, Key: r.Key, Code: r.Error.Code, Error: r.Error.Message, Field: r.Error.Field,
		Retryable: r.Error.Retryable, Outputs: pictures(r, image), Warnings: warnings(r), RenderMs: millis(r.Drawing), Attempts: r.Attempts,
		Treated: r.treated(),
	}
}

func (r Result) treated() Treated { return Treated{Variant: r.Assigned.Variant, ClickURL: r.ClickURL} }

func pictures(r Result, image ImageURLFunc) []OutputPicture {
	all := make([]OutputPicture, len(r.Pictures))
	for i, p := range r.Pictures {
		all[i] = OutputPicture{
			Output: p.Output, URL: image(p.Hash, p.Ext), Width: p.Width, Height: p.Height, Format: p.Format, ContentHash: p.Hash,
			Layout: p.Fitting.Layers,
		}
	}
	return all
}

func warnings(r Result) (all []bindings.Warning) {
	for _, p := range r.Pictures {
		all = append(all, p.Fitting.Warnings(p.Output)...)
	}
	return all
}

// progress is how far job is at now, how fast its run goes, and how long it will
// yet take. Pauses do not count.
func progress(job Job, now time.Time) (percent int, rate float64, eta *int64) {
	ended := job.Succeeded + job.Failed - job.Retrying
	if job.Total > 0 {
		percent = int(ended * 100 / job.Total)
	}
	if job.StartedAt.IsZero() || ended <= job.Before {
		return percent, 0, nil
	}
	for _, until := range []time.Time{job.PausedAt, job.CompletedAt} {
		if !until.IsZero() {
			now = until
		}
	}
	seconds := (now.Sub(job.StartedAt) - job.Idle).Seconds()
	if seconds <= 0 {
		return percent, 0, nil
	}
	rate = float64(ended-job.Before) / seconds
	if job.Status == Pending || job.Status == Processing {
		left := int64(math.Ceil(float64(job.Total-ended) / rate))
		eta = &left
	}
	return percent, tenths(rate), eta
}

// moment is t in UTC, nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func tenths(f float64) float64 { return math.Round(f*10) / 10 }

// millis is d in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
