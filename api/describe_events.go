package api

import (
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/sink"
)

const signedAlike = "Signed by Standard Webhooks, and again with the same `webhook-id` until it is answered with a 2xx. "

// webhooks are the calls that pictifyd makes. What they bring is described here and
// made elsewhere: tests hold what is sent against it.
var webhooks = map[string]webhook{
	sink.BatchCompleted: {
		id: "batchCompleted", tag: tagBatches, summary: "Every row of a batch has ended",
		detail: "Sent to the batch's `webhookUrl` and to subscriptions. " + signedAlike +
			"`results` and `errors` are complete up to 4 MiB; above that they are the first 1,000 each, `truncated` is true, and `resultsUrl`, which needs no key, has all. " +
			"Subscriptions are told of one that failed by `batch.failed` instead.",
		shape: of[batchCompleted](),
	},
	sink.BatchFailed: {
		id: "batchFailed", tag: tagSubscriptions, summary: "No row of a batch was drawn, or it was stopped",
		detail: "Sent to subscriptions, in place of `batch.completed`.",
		shape:  of[batchFailed](),
	},
	sink.RenderCompleted: {
		id: "rowCompleted", tag: tagSubscriptions, summary: "A row has its pictures",
		detail: "Of a batch it is sent where `webhookEvents` has it, and to subscriptions; of a binding to its sinks and to subscriptions. " + signedAlike,
		shape:  either(of[rowCompleted](), of[imageEvent](), of[sinkEvent]()),
	},
	sink.RenderFailed: {
		id: "rowFailed", tag: tagSubscriptions, summary: "A row has no picture, or lacks one",
		detail: "Sent as `render.completed` is, to sinks that name it under `events`.",
		shape:  either(of[rowFailed](), of[imageEvent](), of[sinkEvent]()),
	},
	sink.ImageRemoved: {
		id: "imageRemoved", tag: tagSubscriptions, summary: "A row is gone, and its pictures with it",
		detail: "Sent to the sinks of the binding and to subscriptions, with the pictures that there were last.",
		shape:  either(of[imageEvent](), of[sinkEvent]()),
	},
	sink.RunCompleted: {
		id: "runCompleted", tag: tagSubscriptions, summary: "A run of a binding has ended, however",
		detail: "Sent to the sinks of `on_run`, to those that name it under `events`, and to subscriptions.",
		shape:  of[runCompleted](),
	},
	sink.BindingUpdated: {
		id: "bindingUpdated", tag: tagSubscriptions, summary: "Images of a binding changed, and none is waited for any more",
		detail: "Sent to subscriptions, and to sinks that name it under `events`.",
		shape:  of[bindingUpdated](),
	},
	sink.BindingFailed: {
		id: "bindingFailed", tag: tagSubscriptions, summary: "A binding works no longer",
		detail: "Sent as `binding.updated` is, once until it works again.",
		shape:  of[bindingFailed](),
	},
	sink.BindingGuardTripped: {
		id: "bindingGuardTripped", tag: tagSubscriptions, summary: "The guard of a binding began to hold changes",
		detail: "Sent as `binding.updated` is, once until it holds nothing.",
		shape:  of[bindingGuardTripped](),
	},
	sink.ExperimentStarted: {
		id: "experimentStarted", tag: tagExperiments, summary: "An experiment runs",
		detail: "Sent to subscriptions, also when it goes on after a pause.", shape: of[experimentEvent](),
	},
	sink.ExperimentSRM: {
		id: "experimentSRM", tag: tagExperiments, summary: "The units of an experiment are not spread as its weights have it",
		detail: "Sent to subscriptions, once for each experiment: its numbers are worth nothing until the cause is found.", shape: of[experimentEvent](),
	},
	sink.ExperimentWinnerReady: {
		id: "experimentWinnerReady", tag: tagExperiments, summary: "The numbers of an experiment name a winner",
		detail: "Sent to subscriptions.", shape: of[experimentEvent](),
	},
	sink.ExperimentCompleted: {
		id: "experimentCompleted", tag: tagExperiments, summary: "An experiment ended: all get one variant",
		detail: "Sent to subscriptions.", shape: of[experimentEvent](),
	},
	sink.ExperimentWeightsChanged: {
		id: "experimentWeightsChanged", tag: tagExperiments, summary: "New units of an experiment get other weights",
		detail: "Sent to subscriptions.", shape: of[experimentEvent](),
	},
	sink.ExperimentFailing: {
		id: "experimentFailing", tag: tagExperiments, summary: "The picture of a variant can't be shown, and its fallback stands for it",
		detail: "Sent to subscriptions, at most once an hour for each variant.", shape: of[experimentEvent](),
	},
}

// An experimentEvent is the body of the webhook that tells of an experiment.
type experimentEvent struct {
	Event     string         `json:"event"` // experiment.started, .srm, .winner_ready, .completed, .weights_changed or .failing
	Timestamp string         `json:"timestamp"`
	Data      toldExperiment `json:"data"`
}

// A toldExperiment is what a subscription is told of an experiment.
type toldExperiment struct {
	toldWhole
	sink.ExperimentNews
}

// A batchFailed is the body of the webhook of a batch that failed.
type batchFailed struct {
	Event     string         `json:"event"` // batch.failed
	Timestamp string         `json:"timestamp"`
	Data      completedBatch `json:"data"`
}

// A runCompleted is the body of the webhook that ends a run.
type runCompleted struct {
	Event     string       `json:"event"` // run.completed
	Timestamp string       `json:"timestamp"`
	Data      completedRun `json:"data"`
}

// A completedRun is a run of a binding that has ended.
type completedRun struct {
	completedBatch

	Binding      string      `json:"binding"`
	Source       string      `json:"source"`
	Cause        batch.Cause `json:"cause"`
	ScheduledFor time.Time   `json:"scheduledFor"`   // the moment that it is for
	Changed      int64       `json:"changedCount"`   // rows that were drawn for it
	Unchanged    int64       `json:"unchangedCount"` // rows that look as before
	Note         string      `json:"note,omitempty"`
	Error        string      `json:"error,omitempty"` // why it failed
	ErrorCode    string      `json:"errorCode,omitempty"`
}

// An imageEvent is the body of the webhook that tells a subscription of a row of a binding.
type imageEvent struct {
	Event     string     `json:"event"` // render.completed, render.failed, image.removed
	Timestamp string     `json:"timestamp"`
	Data      imageOfRow `json:"data"`
}

// An imageOfRow is what a subscription is told of a row of a binding. The first of
// its pictures stands beside all of them.
type imageOfRow struct {
	DeliveryID string `json:"deliveryId"`
	Type       string `json:"type"`   // image, gif or pdf
	Source     string `json:"source"` // binding
	TemplateID string `json:"templateId"`
	Binding    string `json:"binding"`
	BindingID  string `json:"bindingId"` // the same
	Key        string `json:"key"`
	Generation int64  `json:"generation"` // a lower one than the last is old news

	ImageID string `json:"imageId,omitempty"`
	URL     string `json:"url,omitempty"`
	Hash    string `json:"contentHash,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Format  string `json:"format,omitempty"`

	ErrorCode string `json:"errorCode,omitempty"` // why there is none
	Error     string `json:"error,omitempty"`

	Variant  string `json:"variant,omitempty"`  // of the binding's experiment
	ClickURL string `json:"clickUrl,omitempty"` // what the picture is to link to

	Outputs    []deliveryOutput `json:"outputs"`
	RenderedAt time.Time        `json:"renderedAt"`
	Test       bool             `json:"test,omitempty"`
}

// A sinkEvent is the body of the webhook that tells a sink of a row of a binding.
type sinkEvent struct {
	Event     string  `json:"event"` // render.completed, render.failed, image.removed
	Timestamp string  `json:"timestamp"`
	Data      sinkRow `json:"data"`
}

// A sinkRow is what a sink is told of a row of a binding. The first of its pictures
// stands beside all of them.
type sinkRow struct {
	DeliveryID string `json:"deliveryId"`
	Binding    string `json:"binding"`
	Key        string `json:"key"`
	Generation int64  `json:"generation"` // a lower one than the last is old news

	URL    string `json:"url,omitempty"`
	Hash   string `json:"contentHash,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Format string `json:"format,omitempty"`

	Variant  string `json:"variant,omitempty"`  // of the binding's experiment
	ClickURL string `json:"clickUrl,omitempty"` // what the picture is to link to

	Outputs   []deliveryOutput `json:"outputs"`
	Row       map[string]any   `json:"row,omitempty"`       // where the sink includes it
	Truncated bool             `json:"truncated,omitempty"` // the row was too large to be sent along
}

// A toldWhole is what the events about a binding as a whole have in common.
type toldWhole struct {
	DeliveryID string `json:"deliveryId"`
	Test       bool   `json:"test,omitempty"`
}

// A bindingUpdated is the body of the webhook of a binding whose images changed.
type bindingUpdated struct {
	Event     string         `json:"event"` // binding.updated
	Timestamp string         `json:"timestamp"`
	Data      updatedBinding `json:"data"`
}

// An updatedBinding counts the rows whose images changed since it was last told.
type updatedBinding struct {
	toldWhole
	sink.Updated
}

// A bindingFailed is the body of the webhook of a binding that works no longer.
type bindingFailed struct {
	Event     string        `json:"event"` // binding.failed
	Timestamp string        `json:"timestamp"`
	Data      failedBinding `json:"data"`
}

// A failedBinding is why a binding works no longer.
type failedBinding struct {
	toldWhole
	sink.Failed
}

// A bindingGuardTripped is the body of the webhook of a guard that holds changes.
type bindingGuardTripped struct {
	Event     string         `json:"event"` // binding.guard_tripped
	Timestamp string         `json:"timestamp"`
	Data      trippedBinding `json:"data"`
}

// A trippedBinding is what the guard of a binding holds.
type trippedBinding struct {
	toldWhole
	sink.Tripped
}
