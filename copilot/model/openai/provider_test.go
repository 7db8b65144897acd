package openai_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/copilot/model/openai"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const key = "sk-4eC39HqLyjWDarjtT1zdp7dc"

// asked is a request in the middle of a conversation.
func asked() model.Request {
	return model.Request{
		System: "You edit templates.",
		Messages: []model.Message{
			{Role: model.User, Text: "Make it dark"},
			{Role: model.Assistant, Calls: []model.Call{{ID: "c00000001", Name: "render_preview", Arguments: []byte(`{}`)}}},
			{Role: model.ToolRole, CallID: "c00000001", Text: "drawn"},
		},
		Tools:     []model.Tool{{Name: "set_text", Description: "sets a text", Schema: []byte(`{"type":"object"}`)}, {Name: "finish", Schema: []byte(`{"type":"object"}`)}},
		MaxTokens: 500,
	}
}

func newProvider(tb testing.TB, url string, change func(*openai.Config)) *openai.Provider {
	tb.Helper()
	c := openai.Config{Name: "local", URL: url, Model: "scripted-1", Key: key, Capabilities: openai.Can(true, true, 0)}
	if change != nil {
		change(&c)
	}
	p, err := openai.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestReplyIsTextCallsAndCost(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Calls(modeltest.Say("I write “Ünï”."),
		modeltest.Call("set_text", map[string]string{"id": "title", "text": "héllo"}), modeltest.Call("finish", nil)).Split(1)))
	var said strings.Builder
	got, err := newProvider(t, s.OpenAI(), nil).Complete(t.Context(), asked(), func(text string) { said.WriteString(text) })
	if err != nil {
		t.Fatal(err)
	}
	want := model.Reply{Text: "I write “Ünï”.", Stop: model.Calls, Usage: model.Usage{In: 100, Out: 20}, Calls: []model.Call{
		{ID: "call_0_0", Name: "set_text", Arguments: []byte(`{"id":"title","text":"héllo"}`)},
		{ID: "call_0_1", Name: "finish", Arguments: []byte(`{}`)},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("reply (-want +got):\n%s", d)
	}
	if said.String() != want.Text {
		t.Errorf("said %q, want %q", said.String(), want.Text)
	}
}

func TestRequestHasWhatWasAsked(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say("ok")))
	r := asked()
	if _, err := newProvider(t, s.OpenAI()+"/", nil).Complete(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	seen := s.Seen()[0]
	if d := cmp.Diff(r, seen.Request); d != "" {
		t.Errorf("request (-want +got):\n%s", d)
	}
	if got := seen.Header.Get("Authorization"); got != "Bearer "+key {
		t.Errorf("Authorization = %q", got)
	}
}

func TestCallIsForcedOnlyWhereTheModelCan(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say("ok")))
	for _, can := range []bool{true, false} {
		p := newProvider(t, s.OpenAI(), func(c *openai.Config) { c.Capabilities.ForcedTool = can })
		r := asked()
		r.MustCall = true
		if _, err := p.Complete(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
		seen := s.Seen()
		if got := seen[len(seen)-1].Request.MustCall; got != can {
			t.Errorf("ForcedTool %v: forced %v", can, got)
		}
	}
}

func TestSchemaIsAskedForWithoutTools(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say(`{"a":1}`)))
	r := model.Request{Messages: []model.Message{{Role: model.User, Text: "x"}}, Format: []byte(`{"type":"object"}`)}
	if _, err := newProvider(t, s.OpenAI(), nil).Complete(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	if got := string(s.Seen()[0].Request.Format); got != `{"type":"object"}` {
		t.Errorf("format = %s", got)
	}
}

func TestPicturesOfResultsComeBehindAllResults(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say("ok")))
	png := func(n byte) []model.Image { return []model.Image{{MediaType: "image/png", Bytes: []byte{n}}} }
	r := model.Request{Messages: []model.Message{
		{Role: model.User, Text: "look", Images: png(1)},
		{Role: model.Assistant, Calls: []model.Call{{ID: "a", Name: "render_preview"}, {ID: "b", Name: "render_preview", Arguments: []byte(`{"size":`)}}},
		{Role: model.ToolRole, CallID: "a", Text: "first", Images: png(2)},
		{Role: model.ToolRole, CallID: "b", Text: "no such size", Failed: true, Images: png(3)},
		{Role: model.User, Text: "go on"},
	}}
	p := newProvider(t, s.OpenAI(), func(c *openai.Config) { c.Capabilities.MaxImages = 2 })
	if _, err := p.Complete(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	want := []model.Message{
		{Role: model.User, Text: "look\n[an older picture stood here; the newest ones are below]"},
		{Role: model.Assistant, Calls: []model.Call{{ID: "a", Name: "render_preview", Arguments: []byte(`{}`)}, {ID: "b", Name: "render_preview", Arguments: []byte(`{"malformed_arguments":"{\"size\":"}`)}}},
		{Role: model.ToolRole, CallID: "a", Text: "first"},
		{Role: model.ToolRole, CallID: "b", Text: "Error: no such size"},
		{Role: model.User, Text: "The picture of the result of call a:\nThe picture of the result of call b:\ngo on", Images: append(png(2), png(3)...)},
	}
	if d := cmp.Diff(want, s.Seen()[0].Request.Messages); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	blind := newProvider(t, s.OpenAI(), func(c *openai.Config) { c.Capabilities.Vision = false })
	if _, err := blind.Complete(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range s.Seen()[1].Request.Messages {
		if m.Images != nil {
			t.Errorf("a model without vision gets the picture of %+v", m)
		}
	}
}

func TestMissingAndDoubleIDsAreMade(t *testing.T) {
	twice := modeltest.Calls(modeltest.Call("finish", nil), modeltest.Call("finish", nil), modeltest.Call("finish", nil))
	s := modeltest.NewServer(t, modeltest.Turns(twice.NoIDs(), modeltest.Turn{Calls: []model.Call{
		{ID: "c00000001", Name: "finish", Arguments: []byte("{}")}, {ID: "x", Name: "finish", Arguments: []byte("{}")}, {ID: "x", Name: "set_text", Arguments: []byte("{}")},
	}}))
	p := newProvider(t, s.OpenAI(), nil)
	for range 2 {
		got, err := p.Complete(t.Context(), asked(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{"": true, "c00000001": true} // the conversation has the second
		for _, c := range got.Calls {
			if ids[c.ID] {
				t.Errorf("the id %q of %+v is not its own", c.ID, got.Calls)
			}
			ids[c.ID] = true
		}
		if len(got.Calls) != 3 {
			t.Errorf("%d calls, want 3", len(got.Calls))
		}
	}
}

// chunks is a stream of deltas as some server writes them.
func chunks(finish string, deltas ...string) string {
	var b strings.Builder
	for _, d := range deltas {
		fmt.Fprintf(&b, "data: {\"choices\":[{\"index\":0,\"delta\":%s}]}\n\n", d)
	}
	fmt.Fprintf(&b, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%q}]}\n\ndata: [DONE]\n\n", finish)
	return b.String()
}

func TestOddStreamsAreUnderstood(t *testing.T) {
	a, b := model.Call{Name: "set_text", Arguments: []byte(`{"id":"a"}`)}, model.Call{Name: "finish", Arguments: []byte(`{}`)}
	for what, c := range map[string]struct {
		stream string
		text   string
		calls  []model.Call
		stop   string
	}{
		"two calls with one index, no ids": {stream: chunks("stop",
			`{"tool_calls":[{"index":0,"function":{"name":"set_text","arguments":"{\"id\":\"a\"}"}}]}`,
			`{"tool_calls":[{"index":0,"function":{"name":"finish","arguments":"{}"}}]}`), calls: []model.Call{a, b}, stop: model.Calls},
		"two calls with one index, ids": {stream: chunks("tool_calls",
			`{"tool_calls":[{"index":0,"id":"p","function":{"name":"set_text","arguments":""}}]}`,
			`{"tool_calls":[{"index":0,"id":"p","function":{"arguments":"{\"id\":\"a\"}"}}]}`,
			`{"tool_calls":[{"index":0,"id":"q","function":{"name":"finish","arguments":"{}"}}]}`), calls: []model.Call{a, b}, stop: model.Calls},
		"no index": {stream: chunks("tool_calls",
			`{"tool_calls":[{"id":"p","function":{"name":"set_text","arguments":"{\"id\""}}]}`,
			`{"tool_calls":[{"function":{"arguments":":\"a\"}"}}]}`), calls: []model.Call{a}, stop: model.Calls},
		"the name in every part": {stream: chunks("tool_calls",
			`{"tool_calls":[{"index":0,"id":"p","function":{"name":"set_text","arguments":"{\"id\""}}]}`,
			`{"tool_calls":[{"index":0,"id":"p","function":{"name":"set_text","arguments":":\"a\"}"}}]}`), calls: []model.Call{a}, stop: model.Calls},
		"arguments that are an object": {stream: chunks("tool_calls",
			`{"tool_calls":[{"index":0,"id":7,"function":{"name":"set_text","arguments":{"id":"a"}}}]}`), calls: []model.Call{a}, stop: model.Calls},
		"arguments that are null": {stream: chunks("tool_calls",
			`{"content":null,"tool_calls":[{"index":0,"id":null,"function":{"name":"functions.finish","arguments":null}}]}`), calls: []model.Call{b}, stop: model.Calls},
		"a call as it was before tools": {stream: chunks("function_call",
			`{"function_call":{"name":"set_text","arguments":"{\"id\""}}`, `{"function_call":{"arguments":":\"a\"}"}}`), calls: []model.Call{a}, stop: model.Calls},
		"content in parts":     {stream: chunks("stop", `{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`), text: "ab", stop: model.Ended},
		"a thought":            {stream: chunks("stop", `{"content":"<thi"}`, `{"content":"nk>hm</think>"}`, `{"content":"\n\nDone."}`), text: "Done.", stop: model.Ended},
		"another choice":       {stream: `data: {"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"},"finish_reason":"stop"}]}` + "\n\n", text: "yes", stop: model.Ended},
		"no mark of the end":   {stream: strings.TrimSuffix(chunks("stop", `{"content":"a"}`), "data: [DONE]\n\n"), text: "a", stop: model.Ended},
		"no reason of the end": {stream: "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]", text: "a", stop: model.Ended},
		"comments, names, CRLF and a mark of byte order": {stream: "\xEF\xBB\xBF: hello\r\n\r\nevent: message\r\nid: 1\r\ndata:{\"choices\":\r\ndata: [{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\r\n\r\n: PROCESSING\r\n\r\ndata: [DONE]\r\n\r\n", text: "a", stop: model.Ended},
		"a call in the text":                             {stream: chunks("stop", `{"content":"Now:\n<tool_"}`, `{"content":"call>{\"name\":\"set_text\",\"arguments\":{\"id\":\"a\"}}</tool_call>"}`), text: "Now:", calls: []model.Call{a}, stop: model.Calls},
		"a text that is a call":                          {stream: chunks("stop", `{"content":"{\"name\":\"set_text\","}`, `{"content":"\"arguments\":{\"id\":\"a\"}}"}`), calls: []model.Call{a}, stop: model.Calls},
		"too long, half a call": {stream: chunks("length", `{"content":"x"}`, `{"tool_calls":[{"index":0,"function":{"name":"set_text","arguments":"{\"id\":\"a\"}"}},{"index":1,"function":{"name":"set_text","arguments":"{\"id\":"}}]}`,
			`{"tool_calls":[{"index":2,"function":{"name":"finish","arguments":""}}]}`), text: "x", calls: []model.Call{a}, stop: model.Length},
		"a filter":            {stream: chunks("content_filter", `{"content":"I"}`), text: "I", stop: model.Refused},
		"a refusal":           {stream: chunks("stop", `{"refusal":"I will "}`, `{"refusal":"not"}`), text: "I will not", stop: model.Refused},
		"bytes that are none": {stream: chunks("stop", "{\"content\":\"a\xff\xfeb\"}"), text: "a\uFFFD\uFFFDb", stop: model.Ended},
		"nothing":             {stream: chunks("stop"), stop: model.Ended},
	} {
		for _, split := range []int{0, 1, 7} {
			turn := modeltest.Raw("text/event-stream", c.stream).Split(split)
			s := modeltest.NewServer(t, modeltest.Always(turn))
			var said strings.Builder
			got, err := newProvider(t, s.OpenAI(), nil).Complete(t.Context(), asked(), func(s string) { said.WriteString(s) })
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			for i := range got.Calls {
				if got.Calls[i].ID == "" {
					t.Errorf("%s: a call without an id", what)
				}
				got.Calls[i].ID = ""
			}
			if got.Usage.In <= 0 || got.Usage.Out <= 0 {
				t.Errorf("%s: usage %+v, want an estimate", what, got.Usage)
			}
			got.Usage = model.Usage{}
			if d := cmp.Diff(model.Reply{Text: c.text, Calls: c.calls, Stop: c.stop}, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
			if told := strings.TrimSpace(said.String()); told != c.text && c.stop != model.Refused || strings.Contains(told, "<") {
				t.Errorf("%s: said %q, want %q", what, told, c.text)
			}
		}
	}
}

func TestReplyInOneDocumentIsUnderstood(t *testing.T) {
	turn := modeltest.Calls(modeltest.Say("ok"), modeltest.Call("finish", nil)).Whole()
	s := modeltest.NewServer(t, modeltest.Turns(turn, turn.Cut(-1), turn.Cut(40), modeltest.Turn{}.Whole()))
	p := newProvider(t, s.OpenAI(), nil)
	got, err := p.Complete(t.Context(), asked(), nil)
	if err != nil || got.Text != "ok" || len(got.Calls) != 1 || got.Usage.In != 100 {
		t.Errorf("got %+v, %v", got, err)
	}
	for range 2 {
		if _, err := p.Complete(t.Context(), asked(), nil); kind(err) != model.CutOff {
			t.Errorf("cut document: %v, want %s", err, model.CutOff)
		}
	}
	if got, err := p.Complete(t.Context(), asked(), nil); err != nil || got.Stop != model.Ended || got.Calls != nil {
		t.Errorf("empty document: %+v, %v", got, err)
	}
}

func kind(err error) string {
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return p.Kind()
	}
	return fmt.Sprint(err)
}

// A played is a transport that answers with a stream, and breaks off or ends
// behind it.
type played struct {
	stream []byte
	err    error // at its end; nil is a clean one
	n      int   // bytes of a read; 0 is any
}

func (p played) RoundTrip(*http.Request) (*http.Response, error) {
	var body io.Reader = bytes.NewReader(p.stream)
	if p.err != nil {
		body = io.MultiReader(body, failing{p.err})
	}
	if p.n > 0 {
		body = small{body, p.n}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body)}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type small struct {
	r io.Reader
	n int
}

func (s small) Read(p []byte) (int, error) { return s.r.Read(p[:min(s.n, len(p))]) }

func TestStreamSplitAnywhereIsTheSameReply(t *testing.T) {
	stream := modeltest.Stream(modeltest.OpenAI, 0, modeltest.Calls(modeltest.Say("“Ü” <b>"), modeltest.Call("set_text", map[string]string{"id": "ä\n\"€𝄞"}), modeltest.Call("finish", nil)))
	var want model.Reply
	for _, n := range []int{0, 1, 2, 3, 5, 7, 11, 64, 199} {
		p := newProvider(t, "http://model.example/v1", func(c *openai.Config) {
			c.HTTPClient = &http.Client{Transport: played{stream: stream, n: n}}
		})
		got, err := p.Complete(t.Context(), asked(), nil)
		if err != nil {
			t.Fatalf("reads of %d bytes: %v", n, err)
		}
		if n == 0 {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("reads of %d bytes (-want +got):\n%s", n, d)
		}
	}
}

func TestStreamCutAnywhereIsCutOffOrWhole(t *testing.T) {
	for what, turn := range map[string]modeltest.Turn{
		"calls":         modeltest.Calls(modeltest.Say("a"), modeltest.Call("set_text", map[string]string{"id": "ä"}), modeltest.Call("finish", nil)),
		"call in text":  modeltest.Say(`<tool_call>{"name":"set_text","arguments":{"id":"a"}}</tool_call>`),
		"no finish":     modeltest.Call("set_text", map[string]string{"id": "a"}).Unfinished(),
		"text":          modeltest.Say("Done. All of it."),
		"no ids at all": modeltest.Calls(modeltest.Call("set_text", nil), modeltest.Call("finish", nil)).NoIDs().NoUsage(),
	} {
		stream := modeltest.Stream(modeltest.OpenAI, 0, turn)
		for _, end := range []error{nil, io.ErrUnexpectedEOF} {
			var want model.Reply
			wholes := 0
			for n := len(stream); n >= 0; n-- {
				p := newProvider(t, "http://model.example/v1", func(c *openai.Config) {
					c.HTTPClient = &http.Client{Transport: played{stream: stream[:n], err: end}}
				})
				got, err := p.Complete(t.Context(), asked(), nil)
				if n == len(stream) {
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					want = got
				}
				if err != nil {
					if kind(err) != model.CutOff || problem.CodeOf(err) != problem.Overloaded {
						t.Errorf("%s cut at %d of %d: %v, want %s", what, n, len(stream), err, model.CutOff)
					}
					continue
				}
				wholes++
				got.Usage = want.Usage // which comes behind the end
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s cut at %d of %d is another reply (-want +got):\n%s", what, n, len(stream), d)
				}
			}
			if wholes == 0 || wholes == len(stream)+1 {
				t.Errorf("%s: %d of %d cuts were whole replies", what, wholes, len(stream)+1)
			}
		}
	}
}

func TestBrokenConnectionIsCutOff(t *testing.T) {
	turn := modeltest.Call("set_text", map[string]string{"id": "a"})
	s := modeltest.NewServer(t, modeltest.Turns(turn.Cut(200), turn.Cut(-400).Split(3)))
	p := newProvider(t, s.OpenAI(), nil)
	for range 2 {
		if got, err := p.Complete(t.Context(), asked(), nil); kind(err) != model.CutOff {
			t.Errorf("got %+v, %v; want %s", got, err, model.CutOff)
		}
	}
}

func TestFaultsAreProblemsWithTheNextStep(t *testing.T) {
	for _, c := range []struct {
		turn modeltest.Turn
		code problem.Code
		slug string
		path string
		want string
	}{
		{modeltest.Limited(7), problem.Overloaded, "", "", "wait for 7s"},
		{modeltest.Broken(), problem.Overloaded, "", "", "500"},
		{modeltest.Fault(529, "overloaded_error", "Overloaded"), problem.Overloaded, "", "", "529"},
		{modeltest.Fault(503, "", "<html>bad gateway</html>"), problem.Overloaded, "", "", "503"},
		{modeltest.Denied(key), problem.Unauthorized, "", "copilot.models[local].key", "does not take the key"},
		{modeltest.Fault(403, "", "forbidden"), problem.Unauthorized, "", "copilot.models[local].key", "give the key"},
		{modeltest.Fault(429, "insufficient_quota", "You exceeded your current quota"), problem.Unauthorized, "", "", "no credit"},
		{modeltest.Overflow(), problem.Invalid, model.TooLong, "", "8192 tokens"},
		{modeltest.Fault(400, "exceed_context_size_error", "the request exceeds the available context size"), problem.Invalid, model.TooLong, "", "does not fit"},
		{modeltest.Fault(413, "", "too large"), problem.Invalid, model.TooLong, "", "does not fit"},
		{modeltest.NoAutoTools(), problem.Invalid, model.Unsupported, "copilot.models[local].tools", "--enable-auto-tool-choice --tool-call-parser"},
		{modeltest.NoTools(), problem.Invalid, model.Unsupported, "copilot.models[local].tools", "tools: false"},
		{modeltest.NoModel("scripted-1"), problem.Invalid, model.Unsupported, "copilot.models[local].model", "ollama pull scripted-1"},
		{modeltest.Fault(404, "", "Not Found"), problem.Invalid, model.Unsupported, "copilot.models[local].url", "/v1"},
		{modeltest.Fault(400, "", "At most 1 image(s) may be provided in one request."), problem.Invalid, model.Unsupported, "copilot.models[local].max_images", "max_images"},
		{modeltest.Fault(400, "", "this model does not support image input"), problem.Invalid, model.Unsupported, "copilot.models[local].vision", "vision: false"},
		{modeltest.Fault(500, "", "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"), problem.Invalid, model.Unsupported, "copilot.models[local].vision", "vision: false"},
		{modeltest.Fault(400, "", "temperature has to be 1"), problem.Invalid, model.Unsupported, "", "temperature has to be 1"},
		{modeltest.Raw("text/html", "<html><title>Sign in</title>"), problem.Overloaded, model.CutOff, "", ""},
		{modeltest.Raw("text/event-stream", "data: <html>\n\ndata: x\n\n"), problem.Invalid, model.Malformed, "copilot.models[local].url", "<html>"},
		{modeltest.Raw("application/json", `[1]`), problem.Invalid, model.Malformed, "", "no completion"},
		{modeltest.Raw("application/json", `{"models":[]}`), problem.Invalid, model.Malformed, "", "no choices"},
		{modeltest.Raw("application/json", `{"error":"model requires more system memory"}`), problem.Invalid, model.Unsupported, "", "more system memory"},
		{modeltest.Raw("text/event-stream", `data: {"error":{"message":"Rate limit reached","type":"rate_limit_error"}}`+"\n\n"), problem.Overloaded, "", "", "Rate limit reached"},
		{modeltest.Raw("text/event-stream", `data: {"object":"error","message":"Internal server error","code":500}`+"\n\n"), problem.Overloaded, "", "", "Internal server error"},
		{modeltest.Raw("text/event-stream", chunks("error", `{"content":"a"}`)), problem.Overloaded, "", "", "an error that it does not name"},
	} {
		s := modeltest.NewServer(t, modeltest.Always(c.turn))
		got, err := newProvider(t, s.OpenAI(), nil).Complete(t.Context(), asked(), nil)
		p := (*problem.Error)(nil)
		if !errors.As(err, &p) {
			t.Errorf("%+v: %+v, %v, which is no problem", c.turn, got, err)
			continue
		}
		if p.Code != c.code || p.Slug != c.slug || c.path != "" && p.Path != c.path || !strings.Contains(p.Error(), c.want) {
			t.Errorf("%+v:\n%s %s %s: %v\nwant %s %s %s with %q", c.turn, p.Code, p.Slug, p.Path, p, c.code, c.slug, c.path, c.want)
		}
		if p.Hint == "" && p.Slug != model.Unsupported {
			t.Errorf("%v: no next step", p)
		}
	}
}

func TestWaitIsTheOneThatTheEndpointAsksFor(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Turns(modeltest.Limited(7), modeltest.Limited(1e6), modeltest.Broken()))
	p := newProvider(t, s.OpenAI(), nil)
	for _, want := range []time.Duration{7 * time.Second, time.Hour, 0} {
		_, err := p.Complete(t.Context(), asked(), nil)
		if wait, said := retry.Wait(err); wait != want || said != (want > 0) {
			t.Errorf("%v: wait %v, %v; want %v", err, wait, said, want)
		}
	}
}

func TestWhatAnEndpointDoesNotKnowIsLeftOut(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Turns(
		modeltest.Fault(400, "", "Unrecognized request argument supplied: stream_options"),
		modeltest.Fault(400, "", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
		modeltest.Fault(422, "", "tool_choice: only 'auto' is supported"),
		modeltest.Say("ok"), modeltest.Say("ok"),
	))
	p := newProvider(t, s.OpenAI(), func(c *openai.Config) { c.Capabilities.ForcedTool = true })
	r := asked()
	r.MustCall = true
	for range 2 {
		if _, err := p.Complete(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	seen := s.Seen()
	for _, last := range seen[3:] {
		for _, gone := range []string{"stream_options", `"max_tokens"`, "tool_choice"} {
			if bytes.Contains(last.Body, []byte(gone)) {
				t.Errorf("%s is still sent: %s", gone, last.Body)
			}
		}
		if last.Request.MaxTokens != 500 {
			t.Errorf("max_completion_tokens = %d, want 500", last.Request.MaxTokens)
		}
	}
	stubborn := modeltest.NewServer(t, modeltest.Always(modeltest.Fault(400, "", "stream_options, max_completion_tokens and tool_choice are wrong")))
	if _, err := newProvider(t, stubborn.OpenAI(), nil).Complete(t.Context(), r, nil); kind(err) != model.Unsupported {
		t.Errorf("an endpoint that refuses whatever comes: %v", err)
	}
	if n := len(stubborn.Seen()); n > 4 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestEndlessReplyEnds(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Turns(
		modeltest.Endless("na "), modeltest.Say(strings.Repeat("x", 2<<20)),
		modeltest.Raw("text/event-stream", "data: "+strings.Repeat("x", 4<<20)), modeltest.Raw("text/event-stream", strings.Repeat(": x\n", 1<<20)),
		modeltest.Raw("text/event-stream", chunks("stop", manyCalls(1000))),
		modeltest.Raw("application/json", `{"choices":[{"message":{"content":"`+strings.Repeat("x", 2<<20)+`"}}]}`),
	))
	p := newProvider(t, s.OpenAI(), func(c *openai.Config) { c.Bounds.Bytes = 4 << 20 })
	for i := range 6 {
		got, err := p.Complete(t.Context(), asked(), nil)
		if kind(err) != model.Malformed || !strings.Contains(err.Error(), "without end") {
			t.Errorf("turn %d: %d bytes of text, %v; want %s", i, len(got.Text), err, model.Malformed)
		}
	}
}

func manyCalls(n int) string {
	var calls []string
	for i := range n {
		calls = append(calls, fmt.Sprintf(`{"index":%d,"function":{"name":"finish","arguments":"{}"}}`, i))
	}
	return `{"tool_calls":[` + strings.Join(calls, ",") + `]}`
}

// A silent is a transport whose answer begins with some bytes and then waits.
type silent struct {
	said  string
	never bool
}

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.never {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	read, write := io.Pipe()
	go func() {
		_, _ = io.WriteString(write, s.said)
		<-r.Context().Done()
		_ = write.CloseWithError(r.Context().Err())
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: read}, nil
}

func TestSilenceEndsTheReply(t *testing.T) {
	for what, c := range map[string]struct {
		silent
		after time.Duration
		code  problem.Code
		slug  string
	}{
		"no answer":         {silent{never: true}, 5 * time.Minute, problem.Overloaded, ""},
		"nothing of a body": {silent{}, 5 * time.Minute, problem.Overloaded, model.CutOff},
		"half of a stream":  {silent{said: "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"}, time.Minute, problem.Overloaded, model.CutOff},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newProvider(t, "http://model.example/v1", func(o *openai.Config) { o.HTTPClient = &http.Client{Transport: c.silent} })
			begun := time.Now()
			_, err := p.Complete(t.Context(), asked(), nil)
			if problem.CodeOf(err) != c.code || c.slug != "" && kind(err) != c.slug {
				t.Errorf("%s: %v, want %s", what, err, c.code)
			}
			if took := time.Since(begun); took != c.after {
				t.Errorf("%s: ended after %v, want %v", what, took, c.after)
			}
		})
	}
}

func TestWhoWantsItNoMoreGetsItNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, "http://model.example/v1", func(o *openai.Config) {
			o.HTTPClient = &http.Client{Transport: silent{said: "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"}}
		})
		ctx, cancel := context.WithCancel(t.Context())
		_, err := p.Complete(ctx, asked(), func(string) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = p.Complete(ctx, asked(), nil); problem.CodeOf(err) != problem.Timeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("late: %v", err)
		}
	})
}

func TestNobodyThereIsSaidWithTheNextStep(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:1/v1":                 "start the endpoint",
		"http://model.invalid/v1?key=" + key:    "start the endpoint",
		"http://127.0.0.1:11434/v1?refuse=this": "ollama serve",
	} {
		p := newProvider(t, url, func(c *openai.Config) {
			if strings.Contains(url, "11434") { // somebody may run one
				c.HTTPClient = &http.Client{Transport: refusing{}}
			}
		})
		_, err := p.Complete(t.Context(), asked(), nil)
		if problem.CodeOf(err) != problem.Surroundings || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "?") && !strings.Contains(err.Error(), "Ollama") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := modeltest.NewServer(t, modeltest.Always(modeltest.Say("ok")))
	p := newProvider(t, "http://model.example/v1", func(c *openai.Config) {
		c.HTTPClient = &http.Client{Transport: redirecting(elsewhere.OpenAI() + "/chat/completions")}
	})
	_, err := p.Complete(t.Context(), asked(), nil)
	if kind(err) != model.Unsupported || !strings.Contains(err.Error(), "redirect") {
		t.Errorf("got %v", err)
	}
	if n := len(elsewhere.Seen()); n != 0 {
		t.Errorf("the redirect was followed with the key, %d times", n)
	}
}

type redirecting string

func (to redirecting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "model.example" {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {string(to)}}, Body: http.NoBody, Request: r}, nil
}

func TestKeyIsInNoError(t *testing.T) {
	echo := "your request had Authorization: Bearer " + key + strings.Repeat("x", 240) + key
	turns := []modeltest.Turn{
		modeltest.Denied(key), modeltest.Fault(403, key, key), modeltest.Fault(429, key, echo), modeltest.Fault(500, key, echo), modeltest.Fault(400, key, echo),
		modeltest.Fault(404, key, echo), modeltest.Fault(400, key, echo+" context length"), modeltest.Fault(400, key, echo+" does not support tools"), modeltest.Fault(418, "", key),
		modeltest.Raw("text/html", echo), modeltest.Raw("application/json", `{"error":"`+echo+`"}`), modeltest.Raw("application/json", `["`+echo+`"]`), modeltest.Raw("application/json", `{"x":"`+echo+`"}`),
		modeltest.Raw("text/event-stream", "data: "+echo+"\n\ndata: x\n\n"), modeltest.Raw("text/event-stream", `data: {"error":{"message":"`+echo+`"}}`+"\n\n"),
		modeltest.Raw("text/event-stream", `data: {"object":"error","message":"`+echo+`"}`+"\n\n"), modeltest.Say(key).Cut(300),
	}
	for i, turn := range turns {
		s := modeltest.NewServer(t, modeltest.Always(turn))
		_, err := newProvider(t, s.OpenAI(), nil).Complete(t.Context(), asked(), nil)
		if err == nil {
			t.Errorf("turn %d: no error", i)
		}
		mustNotHold(t, err, key)
	}
	for _, err := range []error{
		ask(t, func(c *openai.Config) { c.HTTPClient = &http.Client{Transport: leaky{}} }),
		ask(t, func(c *openai.Config) {
			c.HTTPClient = &http.Client{Transport: redirecting("http://x.example/?key=" + key)}
		}),
		ask(t, func(c *openai.Config) {
			c.HTTPClient = &http.Client{Transport: played{err: errors.New("read with " + key)}}
		}),
		ask(t, func(c *openai.Config) { c.URL = "http://127.0.0.1:1/v1?key=" + key }),
	} {
		if err == nil {
			t.Error("no error")
		}
		mustNotHold(t, err, key)
	}
	for _, url := range []string{"://" + key, "http://user:" + key + "@model.example", "ftp://" + key, "http://model.example/%zz" + key} {
		_, err := openai.New(openai.Config{Name: "local", URL: url, Model: "m", Key: key + "\n"})
		if err == nil {
			t.Errorf("%s is taken", url)
		}
		mustNotHold(t, err, key)
	}
}

func ask(t *testing.T, change func(*openai.Config)) error {
	t.Helper()
	_, err := newProvider(t, "http://model.example/v1", change).Complete(t.Context(), asked(), nil)
	return err
}

type leaky struct{}

func (leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("dial with %s", r.Header.Get("Authorization"))
}

// mustNotHold looks for a secret in an error and in all that it wraps.
func mustNotHold(tb testing.TB, err error, secret string) {
	tb.Helper()
	if err == nil {
		return
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) || strings.Contains(text, secret[:12]) {
		tb.Errorf("the key is in %s", text)
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked by hand
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			mustNotHold(tb, inner, secret)
		}
	case interface{ Unwrap() error }:
		mustNotHold(tb, e.Unwrap(), secret)
	}
}

func TestConfigurationIsJudgedWithoutTheNetwork(t *testing.T) {
	_, err := openai.New(openai.Config{Name: "local", URL: "127.0.0.1:11434"})
	got := err.Error()
	for _, want := range []string{"copilot.models[local].url", "copilot.models[local].model", "http://127.0.0.1:11434/v1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nhas no %q", got, want)
		}
	}
	p := newProvider(t, "http://model.example/v1", func(c *openai.Config) { c.Price = model.Price{In: 1} })
	if info := p.Info(); info.Provider != "openai" || info.Name != "local" || info.Model != "scripted-1" || info.Price.In != 1 || !info.Can.Tools {
		t.Errorf("info = %+v", info)
	}
}

func FuzzStream(f *testing.F) {
	for _, turn := range []modeltest.Turn{
		modeltest.Say("hello"), modeltest.Calls(modeltest.Call("set_text", map[string]int{"a": 1}), modeltest.Call("finish", nil)), modeltest.Refuse("no"),
		modeltest.Say(`<tool_call>{"name":"finish"}</tool_call>`), modeltest.Raw("", `data: {"error":{"message":"x"}}`+"\n\n"),
		modeltest.Raw("", `{"choices":[{"message":{"content":"x","tool_calls":[{"function":{"name":"finish","arguments":{}}}]},"finish_reason":"stop"}]}`),
	} {
		f.Add(modeltest.Stream(modeltest.OpenAI, 0, turn), false)
	}
	f.Add([]byte("data: [DONE]\n\n"), true)
	f.Fuzz(func(t *testing.T, stream []byte, breaks bool) {
		var end error
		if breaks {
			end = io.ErrUnexpectedEOF
		}
		p := newProvider(t, "http://model.example/v1", func(c *openai.Config) {
			c.Bounds = wire.Bounds{Bytes: 64 << 10, Reply: 16 << 10}
			c.HTTPClient = &http.Client{Transport: played{stream: stream, err: end}}
		})
		var said strings.Builder
		reply, err := p.Complete(t.Context(), asked(), func(s string) { said.WriteString(s) })
		if err != nil {
			mustNotHold(t, err, key)
			if p := (*problem.Error)(nil); !errors.As(err, &p) {
				t.Errorf("%v is no problem", err)
			}
			return
		}
		ids := map[string]bool{"": true, "c00000001": true}
		for _, c := range reply.Calls {
			if ids[c.ID] {
				t.Errorf("the id %q is not its own", c.ID)
			}
			ids[c.ID] = true
		}
		switch reply.Stop {
		case model.Ended, model.Refused:
			if reply.Calls != nil {
				t.Errorf("calls with stop %q", reply.Stop)
			}
		case model.Calls, model.Length:
		default:
			t.Errorf("stop = %q", reply.Stop)
		}
		if reply.Usage.In < 0 || reply.Usage.Out < 0 {
			t.Errorf("usage = %+v", reply.Usage)
		}
	})
}
