package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// A subscribedRow is what a subscription is told about a row of a binding. The
// names are also those of other products.
type subscribedRow struct {
	DeliveryID string `json:"deliveryId"`
	Type       string `json:"type"`   // image, gif, pdf
	Source     string `json:"source"` // binding
	TemplateID string `json:"templateId"`
	Binding    string `json:"binding"`
	BindingID  string `json:"bindingId"`
	Key        string `json:"key"`
	Generation int64  `json:"generation"`

	ImageID string `json:"imageId,omitempty"`
	URL     string `json:"url,omitempty"`
	Hash    string `json:"contentHash,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Format  string `json:"format,omitempty"`

	ErrorCode string `json:"errorCode,omitempty"`
	Error     string `json:"error,omitempty"`

	Variant  string `json:"variant,omitempty"`
	ClickURL string `json:"clickUrl,omitempty"`

	Outputs    []sink.Output `json:"outputs"`
	RenderedAt time.Time     `json:"renderedAt"`
	Test       bool          `json:"test,omitempty"`
}

func newSubscribedRow(d sink.Delivery, template string) subscribedRow {
	r := subscribedRow{
		DeliveryID: d.ID, Type: sink.TypeImage, Source: "binding", TemplateID: template, Binding: d.Binding, BindingID: d.Binding,
		Key: d.Key, Generation: d.Generation, Outputs: d.Outputs, RenderedAt: d.Time.UTC(),
		Variant: d.Variant, ClickURL: d.ClickURL,
	}
	if r.Outputs == nil {
		r.Outputs = []sink.Output{}
	}
	for _, o := range d.Outputs {
		switch {
		case o.Error != "" && r.Error == "":
			r.ErrorCode, r.Error = o.Code, o.Error
		case o.Error == "" && r.URL == "":
			r.Type, r.ImageID, r.URL, r.Hash, r.Width, r.Height, r.Format = sink.TypeOf(o.Format), o.Hash, o.URL, o.Hash, o.Width, o.Height, o.Format
		}
	}
	return r
}

// subscribedData is what a subscription is told: the same at every try.
func (d *Daemon) subscribedData(ctx context.Context, c store.DeliveryClaim, delivery sink.Delivery) (json.RawMessage, error) {
	switch {
	case sink.OfBinding(c.Event), sink.OfExperiment(c.Event):
		return wholeData(c)
	case !sink.OfRow(c.Event):
		job, err := d.endedJob(ctx, c.Owner.Job())
		if err != nil {
			return nil, err
		}
		return d.completion(ctx, job)
	case c.Owner.Job() != "":
		return d.rowOfBatch(ctx, c)
	}
	template, _ := c.Row["template"].(string)
	return encodeData(newSubscribedRow(delivery, template))
}

// wholeData is the data of an event about a binding as a whole, as it was planned.
func wholeData(c store.DeliveryClaim) (json.RawMessage, error) {
	data := map[string]any{"deliveryId": c.ID}
	for name, v := range c.Row {
		data[name] = v
	}
	return encodeData(data)
}

// rowOfBatch is the data of an event about a row of a batch.
func (d *Daemon) rowOfBatch(ctx context.Context, c store.DeliveryClaim) (json.RawMessage, error) {
	job, err := d.store.Job(ctx, c.Owner.Job())
	if err != nil {
		return nil, err
	}
	fault := c.Fault
	if fault == nil && c.Row != nil {
		text, err := json.Marshal(c.Row)
		if err == nil {
			fault = new(batch.RowError)
			err = json.Unmarshal(text, fault)
		}
		if err != nil {
			return nil, retry.Permanent(fmt.Errorf("read why row %d failed: %w", c.Index, err))
		}
	}
	r := batch.Result{Index: c.Index, Key: c.Key, Done: true, Error: fault, Assigned: c.Assigned, ClickURL: d.clickURL(c.Assigned)}
	for _, o := range c.Outputs {
		r.Pictures = append(r.Pictures, batch.Picture{Output: o.Name, Hash: o.Hash, Ext: o.Ext, Format: o.Format, Width: o.Width, Height: o.Height})
	}
	data, err := batch.RowEventData(job, r, c.CreatedAt, d.urls.Image)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	return data, nil
}

// endedJob is a job whose end is told of. One that is being retried tells of its
// next end instead.
func (d *Daemon) endedJob(ctx context.Context, id string) (batch.Job, error) {
	job, err := d.store.Job(ctx, id)
	if err == nil && !job.Status.Ended() {
		what := "job"
		if job.Origin != nil {
			what = "run"
		}
		err = retry.Permanent(problem.New(problem.Conflict, "%s %s is being retried, and this was of its end before", what, job.ID).WithSlug("job_retried"))
	}
	return job, err
}

func encodeData(v any) (json.RawMessage, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // & in addresses stays legible
	if err := e.Encode(v); err != nil {
		return nil, retry.Permanent(fmt.Errorf("encode what is told: %w", err))
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// sampleData is the data of a test event: in the form of a real one, with test: true.
func (d *Daemon) sampleData(ctx context.Context, delivery sink.Delivery) (json.RawMessage, error) {
	delivery.Binding, delivery.Key, delivery.Generation = "test", "test", 1
	if !sink.OfRow(delivery.Event) {
		data, err := sampleWhole(delivery)
		if err != nil {
			return nil, err
		}
		return encodeData(data)
	}
	if delivery.Event == sink.RenderFailed {
		delivery.Outputs = []sink.Output{{Name: "test", Code: "test", Error: "this is a test"}}
	} else {
		hash, err := d.blobs.Put(ctx, []byte(testPicture))
		if err != nil {
			return nil, fmt.Errorf("keep the test picture: %w", err)
		}
		delivery.Outputs = []sink.Output{{Name: "test", URL: d.urls.Image(hash, "gif"), Hash: hash, Format: "gif", Ext: "gif", Width: 1, Height: 1}}
	}
	row := newSubscribedRow(delivery, "test")
	row.Test = true
	return encodeData(row)
}

// sampleWhole is the data of a test event about a binding, a batch or a run as a whole.
func sampleWhole(delivery sink.Delivery) (map[string]any, error) {
	const name = "test"
	of := sink.Whole{Binding: name, BindingID: name, TemplateID: name}
	var like any
	switch delivery.Event {
	case sink.BindingUpdated:
		like = sink.Updated{Whole: of, Changed: 1}
	case sink.BindingFailed:
		like = sink.Failed{Whole: of, Reason: "source", Source: name, Code: name, Error: "this is a test"}
	case sink.BindingGuardTripped:
		like = sink.Tripped{Whole: of, HeldChanges: 1, Reason: "this is a test"}
	case sink.ExperimentStarted, sink.ExperimentSRM, sink.ExperimentWinnerReady, sink.ExperimentCompleted, sink.ExperimentWeightsChanged, sink.ExperimentFailing:
		like = sink.ExperimentNews{Experiment: name, ID: name, Name: name, Status: string(experiment.Running), Reasons: []string{"this is a test"}}
	default:
		job := batch.Job{ID: name, Template: name, Status: batch.Completed}
		switch delivery.Event {
		case sink.BatchFailed:
			job.Status = batch.Failed
		case sink.RunCompleted:
			job.Origin = &batch.Run{Binding: name, Source: name, Cause: batch.ByAsking, For: delivery.Time}
		}
		data, err := batch.CompletionData(job, func(func(batch.Result, error) bool) {}, batch.URLs{})
		if err != nil {
			return nil, fmt.Errorf("write a test event: %w", err)
		}
		like = data
	}
	text, err := encodeData(like)
	if err != nil {
		return nil, err
	}
	var data map[string]any
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, fmt.Errorf("write a test event: %w", err)
	}
	data["deliveryId"], data["test"] = delivery.ID, true
	return data, nil
}
