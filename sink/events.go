package sink

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// events are those that a sink may ask for.
var events = []string{RenderCompleted, RenderFailed, ImageRemoved, BatchCompleted, RunCompleted}

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

// Events are the words for what a sink may ask for.
func Events() []string { return slices.Clone(events) }
