package sink

import (
	"fmt"
	"slices"
	"strings"

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
)

// rowEvents are about one row.
var rowEvents = []string{RenderCompleted, RenderFailed, ImageRemoved}

// bindingEvents are about a binding as a whole.
var bindingEvents = []string{BindingUpdated, BindingFailed, BindingGuardTripped}

// events are those that there are.
var events = slices.Concat(rowEvents, []string{BatchCompleted, BatchFailed, RunCompleted}, bindingEvents)

// Events are the words for what a sink, or a subscription, may ask for.
func Events() []string { return slices.Clone(events) }

// OfRow reports whether an event is about one row.
func OfRow(event string) bool { return slices.Contains(rowEvents, event) }

// OfBinding reports whether an event is about a binding as a whole.
func OfBinding(event string) bool { return slices.Contains(bindingEvents, event) }

// CheckEvents reports what cannot be of what every sink has: events that do not
// exist, and a wait that ends before it begins; each kind's Validate begins with it.
func (c *Common) CheckEvents() problem.List {
	var problems problem.List
	for i, event := range c.Events {
		if !slices.Contains(events, event) {
			problems = append(problems, problem.New(problem.Invalid, "%q is not an event", event).
				At(fmt.Sprintf("events[%d]", i)).WithHint("the events are %s", strings.Join(events, ", ")))
		}
	}
	if c.DisableAfter < 0 {
		problems = append(problems, problem.New(problem.Invalid, "must not be negative").At("disable_after").WithHint("0 never disables the sink"))
	}
	return problems
}
