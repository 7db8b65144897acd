package sink_test

import (
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

func TestSinkWantsTheEventsThatItNames(t *testing.T) {
	some := sink.Common{Events: []string{sink.RenderFailed}}
	var none sink.Common
	for event, want := range map[string]struct{ some, none bool }{
		sink.RenderCompleted: {false, true},
		sink.RenderFailed:    {true, false},
		sink.ImageRemoved:    {false, true},
		sink.BatchCompleted:  {false, true},
		"unknown":            {false, false},
	} {
		if got := some.Wants(event); got != want.some {
			t.Errorf("with a list: Wants(%s) = %v", event, got)
		}
		if got := none.Wants(event); got != want.none {
			t.Errorf("without a list: Wants(%s) = %v", event, got)
		}
	}
}

func TestUnknownEventsAreNamed(t *testing.T) {
	c := sink.Common{Events: []string{sink.ImageRemoved, "render.complete", sink.RunCompleted, sink.BatchCompleted, ""}}
	want := problem.List{
		problem.New(problem.Invalid, `"render.complete" is not an event`).At("events[1]").WithHint(`did you mean "render.completed"?`),
		problem.New(problem.Invalid, "no binding tells its sinks of batch.completed").At("events[3]").WithHint("give the batch a webhookUrl, or subscribe: POST /webhook-subscriptions"),
		problem.New(problem.Invalid, `"" is not an event`).At("events[4]").WithHint("the events are render.completed, render.failed, image.removed, run.completed, binding.updated, binding.failed, binding.guard_tripped"),
	}
	if problems := c.CheckEvents(); problems.Error() != want.Error() {
		t.Errorf("problems = %v\nwant %v", problems, want)
	}
	if problems := new(sink.Common).CheckEvents(); problems.Err() != nil {
		t.Errorf("without events: %v", problems)
	}
}

func TestKindsAreFoundByName(t *testing.T) {
	kinds := sink.Kinds{{Name: "webhook"}, {Name: "file"}}
	if k, ok := kinds.Find("file"); !ok || k.Name != "file" {
		t.Errorf("Find(file) = %q, %v", k.Name, ok)
	}
	if _, ok := kinds.Find("fil"); ok {
		t.Error("Find(fil) finds one")
	}
}
