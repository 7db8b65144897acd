package batch

import (
	"encoding/json"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/apikey"
)

// A Status is where a job stands.
type Status string

// The statuses. Completed: every row succeeded. Partial: some rows failed.
// Failed: none succeeded, or more failed than the job allows. Paused: nothing
// more is planned or drawn until somebody resumes it.
const (
	Pending    Status = "pending"
	Processing Status = "processing"
	Paused     Status = "paused"
	Completed  Status = "completed"
	Partial    Status = "partial"
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
)

// Ended reports whether nothing more will happen to a job of status s, unless
// somebody has it retried.
func (s Status) Ended() bool { return s != Pending && s != Processing && s != Paused }

// Final is the status of a job whose rows have all ended.
func Final(succeeded, failed int64) Status {
	switch {
	case failed == 0:
		return Completed
	case succeeded == 0:
		return Failed
	}
	return Partial
}

// An Output is what is made of each row.
type Output struct {
	Name  string `json:"name"`
	Size  string `json:"size,omitempty"`
	Theme string `json:"theme,omitempty"`
	Page  int    `json:"page,omitempty"`

	bindings.Encoding
	bindings.Language
}

// A Job is a batch: one template, many rows.
type Job struct {
	ID             string
	Template       string
	Version        int64 // of the template, pinned when the job was accepted
	Outputs        []Output
	RowKey         string            // variable that names a row; "" is its index
	Mapping        map[string]string // of variables to expressions over the columns of a row; the others are the columns of their name
	Test           *Test             // the experiment by which its rows are drawn; nil of none
	Metadata       json.RawMessage   // the caller's, echoed
	WebhookURL     string
	WebhookEvents  []string // that are sent there; none: BatchCompleted. Only for acceptance: Store.Job leaves it out
	IdempotencyKey string
	BodyDigest     string // tells a repeated request from another one under the same key
	Priority       Priority
	MaxErrors      int64 // more failed rows than this end the job; 0 is as many as there are

	Charge apikey.Charge // of its acceptance; not kept
	Origin *Run          // nil of a batch

	Status      Status
	Total       int64
	Planned     int64 // rows whose renders were planned
	Succeeded   int64 // rows with every output
	Failed      int64
	Deduped     int64 // rows that needed no render of their own
	CreatedAt   time.Time
	StartedAt   time.Time // of the first render of the run; zero before
	CompletedAt time.Time

	Stop     *Stop // why rows end that have not; nil while the job goes on
	Run      int64 // which of its ends the job works for, from 1; a retry is another one
	Retrying int64 // failed rows that the run has still to plan again
	Before   int64 // rows that had ended when the run began
	PausedAt time.Time
	Idle     time.Duration // of the run, in pauses that are over
}

// A Row is one row of a job as the caller sent it.
type Row struct {
	Index  int64
	Key    string // of the place that the row came from, or the index in decimal
	Values []byte // JSON object as sent; nil when Error is set and nothing could be read
	Error  *RowError
}

// A RowError is why a row has no picture.
type RowError struct {
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	Message   string `json:"error"`
	Retryable bool   `json:"retryable"`
}

// A Picture is one finished output of a row.
type Picture struct {
	Output string
	Hash   string
	Ext    string
	Format string
	Width  int
	Height int

	Fitting bindings.Fitting
}

// A Result is how one row ended.
type Result struct {
	Index    int64
	Key      string
	Done     bool // it ended, one way or the other
	Pictures []Picture
	Error    *RowError

	Assigned bindings.Assigned // as which variant it is drawn; none where it is in no experiment
	ClickURL string            // where a click on its picture leads and counts; "" where it is in none

	// How its pictures were made, as far as that is still known. Pictures that
	// other rows show too count for each.
	Attempts int64         // the most that one of them took
	Drawing  time.Duration // all of them together
}
