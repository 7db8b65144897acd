package sink

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// events are those that a sink may ask for.
var events = []string{RenderCompleted, RenderFailed, ImageRemoved, BatchCompleted, RunCompleted}

// CheckEvents reports the events that do not exist; each kind's Validate
// begins with it.
func (c *Common) CheckEvents() problem.List {
	var problems problem.List
	for i, event := range c.Events {
		if !slices.Contains(events, event) {
			problems = append(problems, problem.New(problem.Invalid, "%q is not an event", event).
				At(fmt.Sprintf("events[%d]", i)).WithHint("the events are %s", strings.Join(events, ", ")))
		}
	}
	return problems
}

// Events are the words for what a sink may ask for.
func Events() []string { return slices.Clone(events) }
