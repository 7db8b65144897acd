package batch

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The events that the webhook of a batch may be sent.
const (
	BatchCompleted = "batch.completed"
	RowCompleted   = "render.completed"
	RowFailed      = "render.failed"
)

var events = []string{BatchCompleted, RowCompleted, RowFailed}

func (f *fields) setEvents(name string, value json.RawMessage) (problems problem.List) {
	var given []string
	if json.Unmarshal(value, &given) != nil || len(given) == 0 {
		return problem.List{wants(name, `a list of events, as in ["render.completed", "batch.completed"]`)}
	}
	for _, event := range given {
		switch {
		case !slices.Contains(events, event):
			p := problem.New(problem.Invalid, "%q is not an event of a batch", event).At(name).WithSlug("out_of_range")
			if near := expr.Nearest(event, events); near != "" {
				p.WithHint("did you mean %q?", near)
			} else {
				p.WithHint("the events are %s", strings.Join(events, ", "))
			}
			problems = append(problems, p)
		case !slices.Contains(f.events, event):
			f.events = append(f.events, event)
		}
	}
	return problems
}

// checkEvents finds events that nobody is told of.
func (f *fields) checkEvents() problem.List {
	if len(f.events) == 0 || f.webhook != "" {
		return nil
	}
	return problem.List{problem.New(problem.Invalid, "the events have no address that they could be sent to").
		At(f.given["webhookEvents"]).WithHint("give it as webhookUrl")}
}

// rowEvent is the data of an event about one row: what the seed's API says, and
// which row of which job it is.
type rowEvent struct {
	Type       string    `json:"type"`
	Source     string    `json:"source"`
	JobID      string    `json:"jobId"`
	BatchID    string    `json:"batchId"`
	TemplateID string    `json:"templateId"`
	RenderedAt time.Time `json:"renderedAt"`
}

// RowEventData is the data of RowCompleted or RowFailed for a row of job that
// ended at that time.
func RowEventData(job Job, r Result, at time.Time, image ImageURLFunc) (json.RawMessage, error) {
	e := rowEvent{Type: "image", Source: "batch", JobID: job.ID, BatchID: job.ID, TemplateID: job.Template, RenderedAt: at.UTC()}
	if r.Error == nil {
		if len(r.Pictures) > 0 && slices.Contains([]string{"gif", "pdf"}, r.Pictures[0].Format) {
			e.Type = r.Pictures[0].Format
		}
		return encode(struct {
			rowEvent
			ImageID string `json:"imageId"`
			RowResult
		}{e, imageID(r), NewRowResult(r, image)})
	}
	return encode(struct {
		rowEvent
		ErrorCode string `json:"errorCode"`
		RowFailure
	}{e, r.Error.Code, NewRowFailure(r, image)})
}

// imageID is the hash of the picture that stands for a row.
func imageID(r Result) string {
	if len(r.Pictures) == 0 {
		return ""
	}
	return r.Pictures[0].Hash
}
