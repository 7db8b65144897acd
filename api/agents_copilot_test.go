package api

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/mcp/mcptest"
)

// runSeen is what an agent reads of a run.
type runSeen struct {
	ID, Status string
	Steps      []struct {
		Number int
		State  string
	}
}

func TestAgentHasTheCopilotWork(t *testing.T) {
	w := newWorld()
	server := httptest.NewServer(mustServer(t, locked(), w))
	defer server.Close()
	c := mcptest.Connect(t, mcptest.Over(server.URL, fullKey), nil)
	if !slices.Contains(c.Tools(), "start_copilot_run") {
		t.Fatal("the agent is not told of the copilot")
	}
	var r runSeen
	c.Call("start_copilot_run", map[string]any{"template": "tpl_certificate", "message": "Make a dark-mode variant", "layers": []any{"name"}}, &r)
	if r.ID == "" || r.Status != copilot.Running {
		t.Fatalf("it began %+v", r)
	}
	if o := w.cockpit.orders[0]; o.Template != "tpl_certificate" || o.Message != "Make a dark-mode variant" || !slices.Equal(o.Layers, []string{"name"}) {
		t.Errorf("the copilot was asked %+v", o)
	}
	w.cockpit.tell(r.ID, `plan {"items":[]}`, `step {"number":1}`, `end {"status":"needs_review"}`)
	w.cockpit.change(r.ID, func(r *copilot.Run) { r.Status = copilot.Review })
	c.Call("get_copilot_run", map[string]any{"run": r.ID, "wait_seconds": 50}, &r)
	if r.Status != copilot.Review || len(r.Steps) != 1 || r.Steps[0].State != copilot.Kept {
		t.Errorf("it came to %+v", r)
	}
	for _, move := range []struct {
		tool string
		args map[string]any
	}{
		{"accept_copilot_run", map[string]any{"run": r.ID}}, {"accept_copilot_run", map[string]any{"run": r.ID, "step": 1}},
		{"reject_copilot_step", map[string]any{"run": r.ID, "step": 1}}, {"discard_copilot_run", map[string]any{"run": r.ID}},
		{"answer_copilot_run", map[string]any{"run": r.ID, "question": "q1", "answer": "yes"}},
	} {
		c.Call(move.tool, move.args, nil)
	}
	if diff := cmp.Diff([]string{"accept", "accept 1", "reject 1", "discard", "answer q1 yes"}, w.cockpit.said); diff != "" {
		t.Error(diff)
	}
	if p := c.Refused(t.Context(), "get_copilot_run", map[string]any{"run": "run_none"}); p.Status != 404 || !strings.Contains(p.Text, "run_none") {
		t.Errorf("a run that there is not: %+v", p)
	}
}
