package ladder_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/ladder"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/copilot/model/openai"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// asked is a conversation in which one call was made and one refused.
func asked() model.Request {
	return model.Request{
		System: "You edit templates.",
		Messages: []model.Message{
			{Role: model.User, Text: "Make it dark"},
			{Role: model.Assistant, Text: "I look.", Calls: []model.Call{{ID: "c00000001", Name: "set_text", Arguments: []byte(`{"id":"a"}`)}, {ID: "c00000002", Name: "finish", Arguments: []byte(`{`)}}},
			{Role: model.ToolRole, CallID: "c00000001", Text: "drawn", Images: []model.Image{{MediaType: "image/png", Bytes: []byte{1}}}},
			{Role: model.ToolRole, CallID: "c00000002", Text: "not yet", Failed: true},
		},
		Tools: []model.Tool{
			{Name: "set_text", Description: "sets a text", Schema: []byte(`{"type":"object", "properties":{"id":{"type":"string"}}}`)},
			{Name: "finish", Schema: []byte(`{"type":"object"}`)},
		},
		MustCall: true, MaxTokens: 500,
	}
}

var (
	all     = model.Capabilities{Tools: true, JSONSchema: true, Vision: true}
	schemas = model.Capabilities{JSONSchema: true}
	nothing = model.Capabilities{}
)

func kind(err error) string {
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return p.Kind()
	}
	return fmt.Sprint(err)
}

// rungs are those on which the requests were made.
func rungs(requests []model.Request) string {
	var on []string
	for _, r := range requests {
		switch {
		case r.Tools != nil:
			on = append(on, "native")
		case r.Format != nil:
			on = append(on, "schema")
		default:
			on = append(on, "text")
		}
	}
	return strings.Join(on, " ")
}

func act(tool, arguments string) modeltest.Turn {
	return modeltest.Say(`{"action":{"tool":"` + tool + `","arguments":` + arguments + `}}`)
}

func TestConversationBeginsOnTheHighestRung(t *testing.T) {
	for want, can := range map[string]model.Capabilities{"native": all, "schema": schemas, "text": nothing} {
		turn := act("set_text", `{"id":"b"}`)
		if can.Tools {
			turn = modeltest.Call("set_text", map[string]string{"id": "b"})
		}
		inner := modeltest.NewProvider(can, modeltest.Always(turn))
		p := ladder.New(inner)
		got, err := p.Complete(t.Context(), asked(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Calls) != 1 || got.Calls[0].Name != "set_text" || string(got.Calls[0].Arguments) != `{"id":"b"}` || got.Calls[0].ID == "" || got.Stop != model.Calls || got.Text != "" {
			t.Errorf("%s: %+v", want, got)
		}
		if on := rungs(inner.Requests()); on != want {
			t.Errorf("asked on %s, want %s", on, want)
		}
		if got := p.Info(); got != inner.Info() {
			t.Errorf("%s: info = %+v", want, got)
		}
	}
}

func TestLowerRungTellsTheConversationInWords(t *testing.T) {
	inner := modeltest.NewProvider(schemas, modeltest.Always(act("finish", "{}")))
	if _, err := ladder.New(inner).Complete(t.Context(), asked(), nil); err != nil {
		t.Fatal(err)
	}
	r := inner.Requests()[0]
	want := []model.Message{
		{Role: model.User, Text: "Make it dark"},
		{Role: model.Assistant, Text: "I look.\n{\"tool\":\"set_text\",\"arguments\":{\"id\":\"a\"}}\n{\"tool\":\"finish\",\"arguments\":{\"malformed_arguments\":\"{\"}}"},
		{Role: model.User, Text: "Result of set_text\ndrawn\n[a picture stood here, which you cannot see: check and get_outline give numbers]\n\nRefused: finish\nnot yet", Images: nil},
	}
	want[2].Images = r.Messages[2].Images[:0:0]
	if len(r.Messages[2].Images) != 0 {
		t.Error("a model without vision has a picture")
	}
	r.Messages[2].Images = want[2].Images
	if d := cmp.Diff(want, r.Messages); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	for _, text := range []string{"You edit templates.", "set_text: sets a text", `{"type":"object","properties":{"id":{"type":"string"}}}`} {
		if !strings.Contains(r.System, text) {
			t.Errorf("the system prompt has no %s:\n%s", text, r.System)
		}
	}
	var format struct {
		Properties struct {
			Action struct {
				AnyOf []struct {
					Properties struct {
						Tool      struct{ Enum []string }
						Arguments json.RawMessage
					}
				}
			}
		}
	}
	if err := json.Unmarshal(r.Format, &format); err != nil || len(format.Properties.Action.AnyOf) != 2 || format.Properties.Action.AnyOf[0].Properties.Tool.Enum[0] != "set_text" {
		t.Errorf("format = %s, %v", r.Format, err)
	}
	if r.MaxTokens != 500 {
		t.Errorf("MaxTokens = %d", r.MaxTokens)
	}
}

func TestActionIsFoundInWhatModelsWrite(t *testing.T) {
	for _, text := range []string{
		`{"tool":"set_text","arguments":{"id":"b"}}`, "```json\n{\"tool\":\"set_text\",\"arguments\":{\"id\":\"b\"}}\n```",
		"Sure! Here is the next step:\n{\"tool\":\"set_text\",\"arguments\":{\"id\":\"b\"}}\nI hope this helps.",
		"<think>hm {\"tool\":\"finish\"}</think>{\"name\":\"set_text\",\"parameters\":{\"id\":\"b\"}}",
		`<tool_call>{"name":"set_text","arguments":{"id":"b"}}</tool_call>`,
		"{\"tool\":\"set_text\",\"arguments\":{\"id\":\"b\"}}\n{\"tool\":\"finish\",\"arguments\":{}}",
	} {
		inner := modeltest.NewProvider(nothing, modeltest.Always(modeltest.Say(text)))
		got, err := ladder.New(inner).Complete(t.Context(), asked(), nil)
		if err != nil || len(got.Calls) != 1 || got.Calls[0].Name != "set_text" || string(got.Calls[0].Arguments) != `{"id":"b"}` {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if n := len(inner.Requests()); n != 1 {
			t.Errorf("%s: asked %d times", text, n)
		}
	}
}

func TestReplyThatIsNoActionIsSentBackOnce(t *testing.T) {
	for wrong, said := range map[string]string{
		"it is not one JSON object":          "I would set the text.",
		`there is no tool "paint"`:           `{"tool":"paint","arguments":{}}`,
		`its "arguments" are no JSON object`: `{"tool":"set_text","arguments":"red"}`,
		"it was cut off":                     `{"tool":"set_text","argum`,
	} {
		first := modeltest.Say(said)
		if strings.HasSuffix(said, "argum") {
			first = first.Ending(model.Length)
		}
		inner := modeltest.NewProvider(nothing, modeltest.Turns(first, act("set_text", `{"id":"b"}`)))
		got, err := ladder.New(inner).Complete(t.Context(), asked(), nil)
		if err != nil || len(got.Calls) != 1 || got.Usage != (model.Usage{In: 200, Out: 40}) {
			t.Errorf("%s: %+v, %v; want one call, and the cost of both", said, got, err)
		}
		messages := inner.Requests()[1].Messages
		last := messages[len(messages)-1]
		if last.Role != model.User || !strings.Contains(last.Text, wrong) || messages[len(messages)-2].Text != said {
			t.Errorf("sent back with %q, want %q", last.Text, wrong)
		}
	}
}

func TestToolThatThereIsNotIsTheCallersToRefuse(t *testing.T) {
	for _, turn := range []modeltest.Turn{act("paint", `{"a":1}`), modeltest.Say(`{"tool":"paint","arguments":{"a":1}}`)} {
		inner := modeltest.NewProvider(nothing, modeltest.Always(turn))
		got, err := ladder.New(inner).Complete(t.Context(), asked(), nil)
		if err != nil || len(got.Calls) != 1 || got.Calls[0].Name != "paint" || len(inner.Requests()) != 2 {
			t.Errorf("got %+v, %v after %d requests; want the call, and that it was sent back once", got, err, len(inner.Requests()))
		}
	}
}

func TestModelThatNeverActsIsAClearEnd(t *testing.T) {
	inner := modeltest.NewProvider(all, modeltest.Always(modeltest.Say("I think that dark would be nice.")))
	p := ladder.New(inner)
	var err error
	asks := 0
	for ; err == nil && asks < 10; asks++ {
		_, err = p.Complete(t.Context(), asked(), nil)
	}
	if kind(err) != model.Malformed || !strings.Contains(err.Error(), "neither calls tools") || asks != 2 {
		t.Errorf("after %d requests: %v", asks, err)
	}
	if on := rungs(inner.Requests()); !strings.HasPrefix(on, "native native schema schema") || !strings.HasSuffix(on, "text text") || len(inner.Requests()) > 12 {
		t.Errorf("asked on %s", on)
	}
}

func TestAnswerIsTextWhereNoCallIsAsked(t *testing.T) {
	r := asked()
	r.MustCall = false
	for _, turn := range []modeltest.Turn{act("answer", `{"text":"It is dark."}`), modeltest.Say("It is dark.")} {
		inner := modeltest.NewProvider(nothing, modeltest.Always(turn))
		var said string
		got, err := ladder.New(inner).Complete(t.Context(), r, func(s string) { said += s })
		if err != nil || got.Text != "It is dark." || got.Calls != nil || got.Stop != model.Ended || said != "It is dark." {
			t.Errorf("got %+v, %v; said %q", got, err, said)
		}
	}
}

func TestEndpointWithoutToolsIsAskedOnTheNextRungAtOnce(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Script(func(_ int, r model.Request) modeltest.Turn {
		switch {
		case r.Tools != nil:
			return modeltest.NoAutoTools()
		case r.Format != nil:
			return modeltest.Fault(400, "", "response_format is not supported")
		}
		return act("finish", "{}").Split(1)
	}))
	inner, err := openai.New(openai.Config{Name: "local", URL: s.OpenAI(), Model: "m", Capabilities: openai.Can(true, true, 0)})
	if err != nil {
		t.Fatal(err)
	}
	p := ladder.New(inner)
	for range 2 {
		got, err := p.Complete(t.Context(), asked(), nil)
		if err != nil || len(got.Calls) != 1 || got.Calls[0].Name != "finish" {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	var requests []model.Request
	for _, seen := range s.Seen() {
		requests = append(requests, seen.Request)
	}
	if on := rungs(requests); on != "native schema text text" {
		t.Errorf("asked on %s", on)
	}
	other := asked()
	other.Messages[0].Text = "Another conversation"
	if _, err := p.Complete(t.Context(), other, nil); err != nil || len(s.Seen()) != 7 {
		t.Errorf("another conversation: %v, %d requests; want it to begin at the top", err, len(s.Seen()))
	}
}

func TestTwoBadRepliesRunningLeadDown(t *testing.T) {
	bad := modeltest.RawCall("set_text", `{"id":`)
	inner := modeltest.NewProvider(all, modeltest.Turns(bad, modeltest.Call("finish", nil), bad, bad, act("finish", "{}"), act("finish", "{}")))
	p := ladder.New(inner)
	for i, want := range []string{`{"id":`, `{}`, `{"id":`, `{}`, `{}`} {
		got, err := p.Complete(t.Context(), asked(), nil)
		if err != nil || len(got.Calls) != 1 || string(got.Calls[0].Arguments) != want {
			t.Fatalf("request %d: %+v, %v; want arguments %s", i, got, err, want)
		}
	}
	if on := rungs(inner.Requests()); on != "native native native native schema schema" {
		t.Errorf("asked on %s", on)
	}
}

func TestReplyThatIsNoneIsAskedForAgain(t *testing.T) {
	inner := modeltest.NewProvider(all, modeltest.Turns(modeltest.Raw("", "x"), modeltest.Raw("", "x"), act("finish", "{}")))
	got, err := ladder.New(inner).Complete(t.Context(), asked(), nil)
	if err != nil || len(got.Calls) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if on := rungs(inner.Requests()); on != "native native schema" {
		t.Errorf("asked on %s", on)
	}
	inner = modeltest.NewProvider(all, modeltest.Always(modeltest.Raw("", "x")))
	if _, err := ladder.New(inner).Complete(t.Context(), asked(), nil); kind(err) != model.Malformed || len(inner.Requests()) > 6 {
		t.Errorf("after %d requests: %v", len(inner.Requests()), err)
	}
}

func TestWhatNoRungMendsIsToldAsItIs(t *testing.T) {
	for want, turn := range map[string]modeltest.Turn{
		"overloaded": modeltest.Limited(3), "unauthorized": modeltest.Denied("x"), model.TooLong: modeltest.Overflow(), model.CutOff: modeltest.Say("x").Cut(1),
	} {
		inner := modeltest.NewProvider(all, modeltest.Always(turn))
		if _, err := ladder.New(inner).Complete(t.Context(), asked(), nil); kind(err) != want || len(inner.Requests()) != 1 {
			t.Errorf("%s: %v after %d requests", want, err, len(inner.Requests()))
		}
	}
	inner := modeltest.NewProvider(all, modeltest.Always(modeltest.Refuse("no")))
	if got, err := ladder.New(inner).Complete(t.Context(), asked(), nil); err != nil || got.Stop != model.Refused || len(inner.Requests()) != 1 {
		t.Errorf("refusal: %+v, %v", got, err)
	}
	inner = modeltest.NewProvider(nothing, modeltest.Always(modeltest.Refuse("no")))
	if got, err := ladder.New(inner).Complete(t.Context(), asked(), nil); err != nil || got.Stop != model.Refused || len(inner.Requests()) != 1 {
		t.Errorf("refusal on the last rung: %+v, %v", got, err)
	}
}

func TestPicturesThatAreNotTakenAreLeftOut(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Script(func(_ int, r model.Request) modeltest.Turn {
		for _, m := range r.Messages {
			if len(m.Images) > 0 {
				return modeltest.Fault(400, "", "this model does not support image input")
			}
		}
		return modeltest.Call("finish", nil)
	}))
	inner, err := openai.New(openai.Config{Name: "local", URL: s.OpenAI(), Model: "m", Capabilities: openai.Can(true, true, 0)})
	if err != nil {
		t.Fatal(err)
	}
	p := ladder.New(inner)
	for range 2 {
		if got, err := p.Complete(t.Context(), asked(), nil); err != nil || len(got.Calls) != 1 {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if n := len(s.Seen()); n != 3 {
		t.Errorf("asked %d times, want a second time for the first only", n)
	}
	if tools := s.Seen()[2].Request.Tools; len(tools) != 2 {
		t.Errorf("the model lost its tools with the pictures")
	}
}

func TestOnlyTheNewestPicturesAreShown(t *testing.T) {
	can := all
	can.MaxImages = 2
	inner := modeltest.NewProvider(can, modeltest.Always(modeltest.Call("finish", nil)))
	r := asked()
	for n := range byte(4) {
		r.Messages = append(r.Messages, model.Message{Role: model.User, Images: []model.Image{{Bytes: []byte{n}}}})
	}
	if _, err := ladder.New(inner).Complete(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	var shown []byte
	for _, m := range inner.Requests()[0].Messages {
		for _, i := range m.Images {
			shown = append(shown, i.Bytes...)
		}
	}
	if d := cmp.Diff([]byte{2, 3}, shown); d != "" {
		t.Errorf("shown (-want +got):\n%s", d)
	}
	if len(r.Messages[2].Images) != 1 {
		t.Error("the caller's conversation lost a picture")
	}
}

func TestConversationsAtOnceDoNotMix(t *testing.T) {
	inner := modeltest.NewProvider(all, modeltest.Script(func(_ int, r model.Request) modeltest.Turn {
		if strings.HasPrefix(r.Messages[0].Text, "good") {
			return modeltest.Call("finish", nil)
		}
		if r.Tools != nil {
			return modeltest.Fault(400, "", "does not support tools")
		}
		return act("finish", "{}")
	}))
	p := ladder.New(inner)
	var wg sync.WaitGroup
	for i := range 600 { // more than are remembered
		wg.Go(func() {
			r := asked()
			r.Messages = append([]model.Message(nil), r.Messages...)
			r.Messages[0].Text = fmt.Sprint([]string{"good ", "bad "}[i%2], i)
			if got, err := p.Complete(t.Context(), r, nil); err != nil || len(got.Calls) != 1 {
				t.Errorf("%s: %+v, %v", r.Messages[0].Text, got, err)
			}
		})
	}
	wg.Wait()
	for _, r := range inner.Requests() {
		if strings.HasPrefix(r.Messages[0].Text, "good") && r.Tools == nil {
			t.Errorf("%q lost its tools to another", r.Messages[0].Text)
		}
	}
}
