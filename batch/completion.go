package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// What a completion webhook holds: everything while its body stays below
// MaxCompletion, else the first CompletionRows results and errors.
const (
	MaxCompletion  = 4 << 20
	CompletionRows = 1000

	// envelope is what the event's name, time and form add to the data.
	envelope = 256
)

// URLs are the addresses in a completion webhook.
type URLs struct {
	Image   ImageURLFunc
	Results string // where all results can be read, also without a key

	// Where they can be taken as files, in the same way; Failed has the rows that
	// failed, "" for none.
	CSV, Zip, Failed string
}

// completion is the data of the webhook, in the order of its fields.
type completion struct {
	JobID       string          `json:"jobId"`
	BatchID     string          `json:"batchId"`
	TemplateUID string          `json:"templateUid"`
	Status      Status          `json:"status"`
	Total       int64           `json:"totalCount"`
	Completed   int64           `json:"completedCount"`
	Failed      int64           `json:"failedCount"`
	DurationMs  int64           `json:"durationMs"`
	Results     json.RawMessage `json:"results"`
	Errors      json.RawMessage `json:"errors"`
	Truncated   bool            `json:"truncated"`
	ResultsURL  string          `json:"resultsUrl"`
	CSVURL      string          `json:"csvUrl,omitempty"`
	ZipURL      string          `json:"zipUrl,omitempty"`
	FailedURL   string          `json:"failedUrl,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`

	*runCompletion
}

// runCompletion is what the end of a run says beside that of a batch.
type runCompletion struct {
	Binding      string    `json:"binding"`
	Source       string    `json:"source"`
	Cause        Cause     `json:"cause"`
	ScheduledFor time.Time `json:"scheduledFor"`
	Changed      int64     `json:"changedCount"`
	Unchanged    int64     `json:"unchangedCount"`
	Note         string    `json:"note,omitempty"`
	Error        string    `json:"error,omitempty"`
	ErrorCode    string    `json:"errorCode,omitempty"`
}

func newRunCompletion(j Job) *runCompletion {
	v := newRunView(j)
	if v == nil {
		return nil
	}
	return &runCompletion{
		Binding: v.Binding, Source: v.Source, Cause: v.Cause, ScheduledFor: v.ScheduledFor,
		Changed: v.Changed, Unchanged: v.Unchanged, Note: v.Note, Error: v.Error, ErrorCode: v.ErrorCode,
	}
}

// CompletionData is the data of the event batch.completed, or run.completed, for a job that has
// ended, whose results come in the order of their index. The same job gives the
// same bytes each time, so that a delivery that is tried again says the same. It
// holds at most about MaxCompletion in memory, however many results there are.
func CompletionData(job Job, results iter.Seq2[Result, error], urls URLs) (json.RawMessage, error) {
	c := completion{
		JobID: job.ID, BatchID: job.ID, TemplateUID: job.Template, Status: job.Status,
		Total: job.Total, Completed: job.Succeeded, Failed: job.Failed,
		DurationMs: job.CompletedAt.Sub(job.CreatedAt).Milliseconds(),
		ResultsURL: urls.Results, CSVURL: urls.CSV, ZipURL: urls.Zip, FailedURL: urls.Failed, Metadata: job.Metadata,
		runCompletion: newRunCompletion(job),
	}
	frame, err := encode(c)
	if err != nil {
		return nil, fmt.Errorf("encode the end of job %s: %w", job.ID, err)
	}
	var done, failed list
	room := MaxCompletion - envelope - len(frame)
	for r, err := range results {
		if err != nil {
			return nil, fmt.Errorf("read the results of job %s: %w", job.ID, err)
		}
		switch {
		case !r.Done:
			continue
		case r.Error != nil:
			err = failed.add(NewRowFailure(r, urls.Image), c.Truncated)
		default:
			err = done.add(NewRowResult(r, urls.Image), c.Truncated)
		}
		if err != nil {
			return nil, fmt.Errorf("encode row %d of job %s: %w", r.Index, job.ID, err)
		}
		if !c.Truncated && done.size()+failed.size() > room {
			c.Truncated = true
			done.cut()
			failed.cut()
		}
		if c.Truncated && done.full() && failed.full() {
			break
		}
	}
	c.Results, c.Errors = done.json(), failed.json()
	return encode(c)
}

// A list is a JSON array in the making that remembers the end of its first
// CompletionRows elements.
type list struct {
	text  bytes.Buffer
	count int
	head  int // bytes of the first CompletionRows elements
}

// add appends v, but for one too many of a list that is cut.
func (l *list) add(v any, cut bool) error {
	if cut && l.full() {
		return nil
	}
	text, err := encode(v)
	if err != nil {
		return err
	}
	if l.count > 0 {
		l.text.WriteByte(',')
	}
	l.text.Write(text)
	if l.count++; l.count <= CompletionRows {
		l.head = l.text.Len()
	}
	return nil
}

func (l *list) cut() {
	l.text.Truncate(l.head)
	l.count = min(l.count, CompletionRows)
}

func (l *list) full() bool { return l.count >= CompletionRows }
func (l *list) size() int  { return l.text.Len() }

func (l *list) json() json.RawMessage {
	return append(append(json.RawMessage{'['}, l.text.Bytes()...), ']')
}

// encode is v as JSON, with the signs & < > as they are: the text goes into no
// HTML, and people read URLs in it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
