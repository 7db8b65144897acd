package sink

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The events that a delivery may tell.
const (
	RenderCompleted = "render.completed"
	RenderFailed    = "render.failed"
	ImageRemoved    = "image.removed"
	BatchCompleted  = "batch.completed" // a batch ended, and some of its rows were drawn or it was cancelled
	BatchFailed     = "batch.failed"    // a batch ended, and none of its rows was drawn or it was stopped; to subscriptions
	RunCompleted    = "run.completed"   // also to the sinks that a binding's on_run names

	BindingUpdated      = "binding.updated"       // images of it changed, and none is waited for any more
	BindingFailed       = "binding.failed"        // it works no longer
	BindingGuardTripped = "binding.guard_tripped" // its guard began to hold changes

	ExperimentStarted        = "experiment.started" // or went on
	ExperimentSRM            = "experiment.srm"     // its units are not spread as its weights have it
	ExperimentWinnerReady    = "experiment.winner_ready"
	ExperimentCompleted      = "experiment.completed"
	ExperimentWeightsChanged = "experiment.weights_changed" // of new units
	ExperimentFailing        = "experiment.failing"         // a variant's picture can't be shown, and its fallback stands for it
)

// rowEvents are about one row.
var rowEvents = []string{RenderCompleted, RenderFailed, ImageRemoved}

// bindingEvents are about a binding as a whole.
var bindingEvents = []string{BindingUpdated, BindingFailed, BindingGuardTripped}

// batchEvents are about a batch, of which no binding tells its sinks.
var batchEvents = []string{BatchCompleted, BatchFailed}

// experimentEvents are about an experiment, of which no binding tells its sinks.
var experimentEvents = []string{
	ExperimentStarted, ExperimentSRM, ExperimentWinnerReady, ExperimentCompleted, ExperimentWeightsChanged, ExperimentFailing,
}

// events are those that there are.
var events = slices.Concat(rowEvents, batchEvents, []string{RunCompleted}, bindingEvents, experimentEvents)

// Events are the words for what a subscription may ask for.
func Events() []string { return slices.Clone(events) }

// EventsOfSinks are the words for what a sink of a binding may ask for.
func EventsOfSinks() []string {
	return slices.DeleteFunc(Events(), func(e string) bool { return slices.Contains(batchEvents, e) || OfExperiment(e) })
}

// OfRow reports whether an event is about one row.
func OfRow(event string) bool { return slices.Contains(rowEvents, event) }

// OfBinding reports whether an event is about a binding as a whole.
func OfBinding(event string) bool { return slices.Contains(bindingEvents, event) }

// OfExperiment reports whether an event is about an experiment.
func OfExperiment(event string) bool { return slices.Contains(experimentEvents, event) }

// CheckEvents reports what cannot be of what every sink has: events that do not
// exist, and a wait that ends before it begins; each kind's Validate begins with it.
func (c *Common) CheckEvents() problem.List {
	var problems problem.List
	for i, event := range c.Events {
		at := fmt.Sprintf("events[%d]", i)
		near, known := config.Nearest(event, EventsOfSinks())
		switch {
		case slices.Contains(batchEvents, event):
			problems = append(problems, problem.New(problem.Invalid, "no binding tells its sinks of %s", event).
				At(at).WithHint("give the batch a webhookUrl, or subscribe: POST /webhook-subscriptions"))
		case OfExperiment(event):
			problems = append(problems, problem.New(problem.Invalid, "no binding tells its sinks of %s", event).
				At(at).WithHint("subscribe: POST /webhook-subscriptions"))
		case slices.Contains(events, event):
		case known:
			problems = append(problems, problem.New(problem.Invalid, "%q is not an event", event).At(at).WithHint("did you mean %q?", near))
		default:
			problems = append(problems, problem.New(problem.Invalid, "%q is not an event", event).
				At(at).WithHint("the events are %s", strings.Join(EventsOfSinks(), ", ")))
		}
	}
	if c.DisableAfter < 0 {
		problems = append(problems, problem.New(problem.Invalid, "must not be negative").At("disable_after").WithHint("0 never disables the sink"))
	}
	return problems
}
