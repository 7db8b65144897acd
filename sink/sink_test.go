package sink_test

import (
	"testing"

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
	c := sink.Common{Events: []string{sink.ImageRemoved, "render.complete", sink.BatchCompleted, ""}}
	problems := c.CheckEvents()
	if len(problems) != 2 || problems[0].Path != "events[1]" || problems[1].Path != "events[3]" || problems[0].Hint == "" {
		t.Errorf("problems = %v, want events[1] and events[3] with a hint", problems)
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
