package modeltest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestProviderPlaysItsTurnsAndKeepsWhatWasAsked(t *testing.T) {
	p := modeltest.NewProvider(modeltest.Everything, modeltest.Turns(
		modeltest.Calls(modeltest.Say("both"), modeltest.Call("a", map[string]int{"n": 1}), modeltest.RawCall("b", `{"id":`)),
		modeltest.Refuse("no"),
		modeltest.Limited(7),
	))
	var said string
	got, err := p.Complete(t.Context(), model.Request{System: "first"}, func(s string) { said += s })
	if err != nil {
		t.Fatal(err)
	}
	want := model.Reply{Text: "both", Stop: model.Calls, Usage: model.Usage{In: 100, Out: 20}, Calls: []model.Call{
		{ID: "call_0_0", Name: "a", Arguments: []byte(`{"n":1}`)}, {ID: "call_0_1", Name: "b", Arguments: []byte(`{"id":`)},
	}}
	if d := cmp.Diff(want, got); d != "" || said != "both" {
		t.Errorf("reply (-want +got), said %q:\n%s", said, d)
	}
	if got, err := p.Complete(t.Context(), model.Request{}, nil); err != nil || got.Stop != model.Refused {
		t.Errorf("refusal = %+v, %v", got, err)
	}
	if _, err := p.Complete(t.Context(), model.Request{}, nil); problem.CodeOf(err) != problem.Overloaded {
		t.Errorf("429 = %v", err)
	}
	if _, err := p.Complete(t.Context(), model.Request{}, nil); err == nil || !strings.Contains(err.Error(), "3 turns") {
		t.Errorf("behind the script's end = %v", err)
	}
	if seen := p.Requests(); len(seen) != 4 || seen[0].System != "first" {
		t.Errorf("requests = %+v", seen)
	}
}

func TestServerRefusesWhatARealOneWould(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say("fine")))
	for what, c := range map[string]struct{ url, body string }{
		"no model":                {s.OpenAI() + "/chat/completions", `{"messages":[]}`},
		"a result without a call": {s.OpenAI() + "/chat/completions", `{"model":"m","messages":[{"role":"tool","tool_call_id":"x","content":"y"}]}`},
		"arguments that are none": {s.OpenAI() + "/chat/completions", `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{"}}]}]}`},
		"a call without a result": {s.Anthropic() + "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"f","input":{}}]},{"role":"user","content":"y"}]}`},
		"a user who speaks twice": {s.Anthropic() + "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"user","content":"y"}]}`},
	} {
		resp, err := http.Post(c.url, "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", what, resp.StatusCode)
		}
	}
	if n := len(s.Seen()); n != 0 {
		t.Errorf("%d requests counted, want none of the refused", n)
	}
}

func TestCutStreamHasNoEndOnTheWire(t *testing.T) {
	whole := modeltest.Stream(modeltest.OpenAI, 0, modeltest.Say("hello there"))
	s := modeltest.NewServer(t, modeltest.Turns(modeltest.Say("hello there").Cut(-5).Split(1)))
	resp, err := http.Post(s.OpenAI()+"/chat/completions", "application/json", strings.NewReader(`{"model":"m","stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != string(whole[:len(whole)-5]) {
		t.Errorf("read %d of %d bytes, %v; want all but 5, and an unexpected end", len(got), len(whole), err)
	}
}
