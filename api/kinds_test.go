package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// Kinds are two of which callers may make one.
func (s *shelf) Kinds() (Kinds, error) {
	return Kinds{
		Sources: []Kind{{"http", "an API", true, json.RawMessage(`{"type":"object"}`)}, {"file", "a file", false, json.RawMessage(`{"type":"object"}`)}},
		Sinks:   []Kind{{"webhook", "a webhook", true, json.RawMessage(`{"type":"object"}`)}},
	}, nil
}

func (s *shelf) TryConnection(_ context.Context, kind string, body []byte) (Trial, error) {
	if !json.Valid(body) {
		return Trial{}, problem.New(problem.Invalid, "this is no JSON").WithSlug("bad_json")
	}
	switch {
	case strings.Contains(string(body), "secret inside"):
		return Trial{Steps: []TrialStep{{Name: StepConnection, Err: errors.New("secret inside")}}}, nil
	case strings.Contains(string(body), "wrong"):
		return Trial{Steps: []TrialStep{{Name: StepConfiguration, Err: problem.List{
			problem.New(problem.Invalid, "is missing").At("url").WithHint("write url:"), problem.New(problem.Invalid, "is no time").At("every"),
		}}}}, nil
	case kind == kindSink:
		return Trial{Steps: []TrialStep{{Name: StepConfiguration}, {Name: StepConnection}}, Sink: &SinkTest{Event: "render.completed", Delivery: "dlv_test", Receipt: sink.Receipt{Status: 204}}}, nil
	}
	return Trial{
		Steps:   []TrialStep{{Name: StepConfiguration}, {Name: StepAddresses}, {Name: StepConnection}, {Name: StepRows}, {Name: StepKey, Skipped: "the source names its rows itself"}},
		Columns: []string{"sku"}, Rows: []json.RawMessage{[]byte(`{"sku":"A"}`)},
	}, nil
}

func (s *shelf) TrySource(ctx context.Context, name string) (Trial, error) {
	if name != "shop" {
		return Trial{}, problem.New(problem.NotFound, "there is no source %q", name).WithSlug("source_not_found")
	}
	return s.TryConnection(ctx, kindSource, []byte("{}"))
}

func TestTrialsSayWhereItFailed(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	good := mustAnswer[trialView](t, post("/sources/test", `{}`).to(t, s), http.StatusOK)
	if !good.OK || len(good.Steps) != 5 || !good.Steps[4].Skipped || !good.Steps[4].OK || len(good.Rows) != 1 || good.Columns[0] != "sku" {
		t.Errorf("a good source is %+v", good)
	}
	bad := mustAnswer[trialView](t, post("/sources/test", `{"url":"wrong"}`).to(t, s), http.StatusOK)
	if bad.OK || len(bad.Steps) != 1 {
		t.Fatalf("a wrong source is %+v", bad)
	}
	if step := bad.Steps[0]; step.OK || step.Path != "url" || step.Message != "is missing" || step.Hint != "write url:" || step.More != 1 || step.Code == "" {
		t.Errorf("the step that failed is %+v", step)
	}
	inside := post("/sinks/test", `"secret inside"`).to(t, s)
	if strings.Contains(inside.Body.String(), "secret") || mustAnswer[trialView](t, inside, http.StatusOK).OK {
		t.Errorf("what went wrong inside is told: %s", inside.Body)
	}
	sent := mustAnswer[trialView](t, post("/sinks/test", `{}`).to(t, s), http.StatusOK)
	if !sent.OK || sent.Test == nil || sent.Test.Answer.Status != 204 {
		t.Errorf("a good sink is %+v", sent)
	}
	mustProblem(t, post("/sources/test", `{`).to(t, s), http.StatusUnprocessableEntity, "bad_json")
	mustProblem(t, post("/sources/none/test", "").to(t, s), http.StatusNotFound, "source_not_found")
}
