package anthropic_test

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
	"github.com/pictifyd/pictifyd/copilot/model/anthropic"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const key = "sk-ant-4eC39HqLyjWDarjtT1zdp7dc"

// asked is a request in the middle of a conversation.
func asked() model.Request {
	return model.Request{
		System: "You edit templates.",
		Messages: []model.Message{
			{Role: model.User, Text: "Make it dark"},
			{Role: model.Assistant, Text: "I look.", Calls: []model.Call{{ID: "c00000001", Name: "render_preview", Arguments: []byte(`{}`)}}},
			{Role: model.ToolRole, CallID: "c00000001", Text: "drawn"},
		},
		Tools:     []model.Tool{{Name: "set_text", Description: "sets a text", Schema: []byte(`{"type":"object","properties":{"id":{"type":"string"}},"additionalProperties":false}`)}, {Name: "finish", Schema: []byte(`{"type":"object"}`)}},
		MaxTokens: 500,
	}
}

func newProvider(tb testing.TB, url string, change func(*anthropic.Config)) *anthropic.Provider {
	tb.Helper()
	c := anthropic.Config{Name: "claude", URL: url, Model: "scripted-1", Key: key, Capabilities: anthropic.Can()}
	if change != nil {
		change(&c)
	}
	p, err := anthropic.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func kind(err error) string {
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return p.Kind()
	}
	return fmt.Sprint(err)
}

func TestReplyIsTextCallsAndCost(t *testing.T) {
	turn := modeltest.Calls(modeltest.Say("I write “Ünï”."), modeltest.Call("set_text", map[string]string{"id": "title", "text": "héllo"}), modeltest.Call("finish", nil))
	turn.Reasoning = "hm"
	s := modeltest.NewServer(t, modeltest.Always(turn.Split(1)))
	var said strings.Builder
	got, err := newProvider(t, s.Anthropic(), nil).Complete(t.Context(), asked(), func(text string) { said.WriteString(text) })
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
	r.MustCall = true
	for _, url := range []string{s.Anthropic(), s.Anthropic() + "/v1/"} {
		if _, err := newProvider(t, url, nil).Complete(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, seen := range s.Seen() {
		if d := cmp.Diff(r, seen.Request); d != "" {
			t.Errorf("request (-want +got):\n%s", d)
		}
		if got := seen.Header.Get("X-Api-Key"); got != key {
			t.Errorf("X-Api-Key = %q", got)
		}
		if n := bytes.Count(seen.Body, []byte(`"cache_control":{"type":"ephemeral"}`)); n != 1 {
			t.Errorf("%d marks for the cache, want 1: %s", n, seen.Body)
		}
	}
}

func TestEnvironmentIsNotRead(t *testing.T) {
	for name, value := range map[string]string{
		"ANTHROPIC_API_KEY": "of-the-environment", "ANTHROPIC_AUTH_TOKEN": "of-the-environment", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "ANTHROPIC_CUSTOM_HEADERS": "X-Mine: of-the-environment",
	} {
		t.Setenv(name, value)
	}
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say("ok")))
	p := newProvider(t, s.Anthropic(), func(c *anthropic.Config) { c.Key = "" })
	if _, err := p.Complete(t.Context(), asked(), nil); err != nil {
		t.Fatal(err)
	}
	if header := fmt.Sprint(s.Seen()[0].Header); strings.Contains(header, "of-the-environment") {
		t.Errorf("the environment is in %s", header)
	}
}

func TestPicturesStandInResults(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Always(modeltest.Say("ok")))
	png := func(n byte) []model.Image { return []model.Image{{MediaType: "image/png", Bytes: []byte{n}}} }
	r := model.Request{Messages: []model.Message{
		{Role: model.User, Text: "look", Images: png(1)},
		{Role: model.Assistant, Calls: []model.Call{{ID: "a", Name: "render_preview"}, {ID: "b", Name: "render_preview", Arguments: []byte(`{"size":`)}}},
		{Role: model.ToolRole, CallID: "a", Text: "first", Images: png(2)},
		{Role: model.ToolRole, CallID: "b", Text: "no such size", Failed: true, Images: png(3)},
		{Role: model.User, Text: "go on"},
		{Role: model.Assistant},
		{Role: model.User, Text: "and on"},
	}}
	calls := []model.Call{{ID: "a", Name: "render_preview", Arguments: []byte(`{}`)}, {ID: "b", Name: "render_preview", Arguments: []byte(`{"malformed_arguments":"{\"size\":"}`)}}
	for what, c := range map[string]struct {
		change func(*model.Capabilities)
		want   []model.Message
	}{
		"natively": {func(c *model.Capabilities) { c.MaxImages = 2 }, []model.Message{
			{Role: model.User, Text: "look\n[an older picture stood here; the newest ones are below]"}, {Role: model.Assistant, Calls: calls},
			{Role: model.ToolRole, CallID: "a", Text: "first", Images: png(2)}, {Role: model.ToolRole, CallID: "b", Text: "no such size", Failed: true, Images: png(3)},
			{Role: model.User, Text: "go onand on"},
		}},
		"behind": {func(c *model.Capabilities) { c.ImagesInToolResult = false }, []model.Message{
			{Role: model.User, Text: "look", Images: png(1)}, {Role: model.Assistant, Calls: calls},
			{Role: model.ToolRole, CallID: "a", Text: "first"}, {Role: model.ToolRole, CallID: "b", Text: "no such size", Failed: true},
			{Role: model.User, Text: "The picture of the result of call a:The picture of the result of call b:go onand on", Images: append(png(2), png(3)...)},
		}},
		"not at all": {func(c *model.Capabilities) { c.Vision = false }, []model.Message{
			{Role: model.User, Text: "look\n[a picture stood here, which you cannot see]"}, {Role: model.Assistant, Calls: calls},
			{Role: model.ToolRole, CallID: "a", Text: "first\n[a picture stood here, which you cannot see]"}, {Role: model.ToolRole, CallID: "b", Text: "no such size\n[a picture stood here, which you cannot see]", Failed: true},
			{Role: model.User, Text: "go onand on"},
		}},
	} {
		p := newProvider(t, s.Anthropic(), func(o *anthropic.Config) { c.change(&o.Capabilities) })
		if _, err := p.Complete(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
		seen := s.Seen()
		if d := cmp.Diff(c.want, seen[len(seen)-1].Request.Messages); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
}

func TestMissingAndDoubleIDsAreMade(t *testing.T) {
	s := modeltest.NewServer(t, modeltest.Turns(
		modeltest.Calls(modeltest.Call("finish", nil), modeltest.Call("finish", nil), modeltest.Call("finish", nil)).NoIDs(),
		modeltest.Turn{Calls: []model.Call{{ID: "c00000001", Name: "finish", Arguments: []byte("{}")}, {ID: "no id: x", Name: "finish", Arguments: []byte("{}")}, {ID: "no id: x", Name: "set_text", Arguments: []byte("{}")}}}))
	for range 2 {
		got, err := newProvider(t, s.Anthropic(), nil).Complete(t.Context(), asked(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{"": true, "c00000001": true, "no id: x": true}
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

// events is a stream of what stands in its parts.
func events(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		kind, _, _ := strings.Cut(strings.TrimPrefix(p, `{"type":"`), `"`)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, p)
	}
	return b.String()
}

func TestEndsAreWhatTheyAre(t *testing.T) {
	start := `{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":4,"cache_creation_input_tokens":5,"output_tokens":1}}}`
	full := `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"x","name":"set_text","input":{"id":"a"}}}`
	half := `{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"y","name":"finish","input":{}}}`
	part := `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"id\":\"b\"}"}}`
	end := func(reason string) string {
		return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `"},"usage":{"output_tokens":7}}`
	}
	given := model.Call{ID: "x", Name: "set_text", Arguments: []byte(`{"id":"a"}`)}
	spelled := model.Call{ID: "x", Name: "set_text", Arguments: []byte(`{"id":"b"}`)}
	for what, c := range map[string]struct {
		stream string
		want   model.Reply
	}{
		"arguments at the beginning": {events(start, full, end("tool_use"), `{"type":"message_stop"}`), model.Reply{Calls: []model.Call{given}, Stop: model.Calls}},
		"no mark of the end":         {events(start, full, part, end("tool_use")), model.Reply{Calls: []model.Call{spelled}, Stop: model.Calls}},
		"too long":                   {events(start, full, part, half, end("max_tokens"), `{"type":"message_stop"}`), model.Reply{Calls: []model.Call{spelled}, Stop: model.Length}},
		"the context is full":        {events(start, full, part, half, end("model_context_window_exceeded")), model.Reply{Calls: []model.Call{spelled}, Stop: model.Length}},
		"a refusal":                  {events(start, full, part, end("refusal")), model.Reply{Stop: model.Refused}},
		"an unknown event":           {events(start, `{"type":"from_the_future","x":[1]}`, end("end_turn")), model.Reply{Stop: model.Ended}},
	} {
		s := modeltest.NewServer(t, modeltest.Always(modeltest.Raw("text/event-stream; charset=utf-8", c.stream)))
		got, err := newProvider(t, s.Anthropic(), nil).Complete(t.Context(), asked(), nil)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		c.want.Usage = model.Usage{In: 12, Out: 7}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
}

// A played is a transport that answers with a stream, and breaks off or ends
// behind it.
type played struct {
	stream []byte
	err    error // at its end; nil is a clean one
	n      int   // bytes of a read; 0 is any
}

func (p played) RoundTrip(r *http.Request) (*http.Response, error) {
	var body io.Reader = bytes.NewReader(p.stream)
	if p.err != nil {
		body = io.MultiReader(body, failing{p.err})
	}
	if p.n > 0 {
		body = small{body, p.n}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body), Request: r}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type small struct {
	r io.Reader
	n int
}

func (s small) Read(p []byte) (int, error) { return s.r.Read(p[:min(s.n, len(p))]) }

func playedBy(tb testing.TB, p played) *anthropic.Provider {
	tb.Helper()
	return newProvider(tb, "http://model.example", func(c *anthropic.Config) {
		c.Bounds = wire.Bounds{Bytes: 64 << 10, Reply: 16 << 10}
		c.HTTPClient = &http.Client{Transport: p}
	})
}

func TestStreamSplitAnywhereIsTheSameReply(t *testing.T) {
	stream := modeltest.Stream(modeltest.Anthropic, 0, modeltest.Calls(modeltest.Say("“Ü” <b>"), modeltest.Call("set_text", map[string]string{"id": "ä\n\"€𝄞"}), modeltest.Call("finish", nil)))
	var want model.Reply
	for _, n := range []int{0, 1, 2, 3, 5, 7, 11, 64, 199} {
		got, err := playedBy(t, played{stream: stream, n: n}).Complete(t.Context(), asked(), nil)
		if err != nil {
			t.Fatalf("reads of %d bytes: %v", n, err)
		}
		if n == 0 {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" || len(got.Calls) != 2 {
			t.Fatalf("reads of %d bytes (-want +got):\n%s", n, d)
		}
	}
}

func TestStreamCutAnywhereIsCutOffOrWhole(t *testing.T) {
	for what, turn := range map[string]modeltest.Turn{
		"calls":     modeltest.Calls(modeltest.Say("a"), modeltest.Call("set_text", map[string]string{"id": "ä"}), modeltest.Call("finish", nil)),
		"no finish": modeltest.Call("set_text", map[string]string{"id": "a"}).Unfinished(),
		"text":      modeltest.Say("Done. All of it.").NoUsage(),
	} {
		stream := modeltest.Stream(modeltest.Anthropic, 0, turn)
		for _, end := range []error{nil, io.ErrUnexpectedEOF} {
			want, err := playedBy(t, played{stream: stream}).Complete(t.Context(), asked(), nil)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			wholes := 0
			for n := range len(stream) {
				got, err := playedBy(t, played{stream: stream[:n], err: end}).Complete(t.Context(), asked(), nil)
				if err != nil {
					if kind(err) != model.CutOff || problem.CodeOf(err) != problem.Overloaded {
						t.Errorf("%s cut at %d of %d: %v, want %s", what, n, len(stream), err, model.CutOff)
					}
					continue
				}
				wholes++
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s cut at %d of %d is another reply (-want +got):\n%s", what, n, len(stream), d)
				}
			}
			if most := len("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"); wholes > most {
				t.Errorf("%s: %d of %d cuts were whole replies", what, wholes, len(stream))
			}
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
		{modeltest.Denied(key), problem.Unauthorized, "", "copilot.models[claude].key", "does not take the key"},
		{modeltest.Fault(403, "permission_error", "no"), problem.Unauthorized, "", "", "give the key"},
		{modeltest.Fault(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."), problem.Unauthorized, "", "", "no credit"},
		{modeltest.Fault(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), problem.Invalid, model.TooLong, "", "210000"},
		{modeltest.Fault(413, "request_too_large", "Request exceeds the maximum size"), problem.Invalid, model.TooLong, "", "does not fit"},
		{modeltest.Fault(404, "not_found_error", "model: scripted-1"), problem.Invalid, model.Unsupported, "copilot.models[claude].model", "/models"},
		{modeltest.Fault(400, "invalid_request_error", "temperature has to be 1"), problem.Invalid, model.Unsupported, "", "temperature has to be 1"},
		{modeltest.Raw("text/html", "<html><title>Sign in</title>"), problem.Invalid, model.Malformed, "copilot.models[claude].url", "text/html"},
		{modeltest.Say("x").Whole(), problem.Invalid, model.Malformed, "", "application/json"},
		{modeltest.Raw("text/event-stream", "event: message_start\ndata: <html>\n\n"), problem.Invalid, model.Malformed, "", "no part of a message"},
		{modeltest.Raw("text/event-stream", events(`{"type":"content_block_delta","index":7,"delta":{"type":"input_json_delta","partial_json":"{"}}`)), problem.Invalid, model.Malformed, "", "no call"},
		{modeltest.Raw("text/event-stream", events(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`)), problem.Overloaded, "", "", "Overloaded"},
		{modeltest.Raw("text/event-stream", events(`{"type":"error","error":{"type":"invalid_request_error","message":"odd"}}`)), problem.Invalid, model.Unsupported, "", "odd"},
		{modeltest.Call("finish", nil).Cut(300), problem.Overloaded, model.CutOff, "", "cut off"},
		{modeltest.Endless("na "), problem.Invalid, model.Malformed, "", "without end"},
		{modeltest.Raw("text/event-stream", "data: "+strings.Repeat("x", 3<<20)), problem.Invalid, model.Malformed, "", "without end"},
		{modeltest.RawCall("finish", strings.Repeat(" ", 2<<20)), problem.Invalid, model.Malformed, "", "without end"},
	} {
		s := modeltest.NewServer(t, modeltest.Always(c.turn))
		got, err := newProvider(t, s.Anthropic(), func(o *anthropic.Config) { o.Bounds.Bytes = 2 << 20 }).Complete(t.Context(), asked(), nil)
		p := (*problem.Error)(nil)
		if !errors.As(err, &p) {
			t.Errorf("%.80v: %+v, %v, which is no problem", c.turn, got, err)
			continue
		}
		if p.Code != c.code || p.Slug != c.slug || c.path != "" && p.Path != c.path || !strings.Contains(p.Error(), c.want) {
			t.Errorf("%.80v:\n%s %s %s: %v\nwant %s %s %s with %q", c.turn, p.Code, p.Slug, p.Path, p, c.code, c.slug, c.path, c.want)
		}
		if n := len(s.Seen()); n != 1 {
			t.Errorf("%.80v: asked %d times", c.turn, n)
		}
		if wait, _ := retry.Wait(err); c.want == "wait for 7s" && wait != 7*time.Second {
			t.Errorf("wait = %v", wait)
		}
	}
}

func TestKeyIsInNoError(t *testing.T) {
	echo := "your request had X-Api-Key: " + key + strings.Repeat("x", 240) + key
	for i, turn := range []modeltest.Turn{
		modeltest.Denied(key), modeltest.Fault(429, key, echo), modeltest.Fault(500, key, echo), modeltest.Fault(400, key, echo), modeltest.Fault(404, key, echo), modeltest.Fault(413, key, echo), modeltest.Fault(418, "", key),
		modeltest.Raw("text/html", echo), modeltest.Raw("text/event-stream", "event: message_start\ndata: "+echo+"\n\n"), modeltest.Raw(key, "x"),
		modeltest.Raw("text/event-stream", events(`{"type":"error","error":{"type":"`+key+`","message":"`+echo+`"}}`)), modeltest.Say(key).Cut(500),
	} {
		s := modeltest.NewServer(t, modeltest.Always(turn))
		_, err := newProvider(t, s.Anthropic(), nil).Complete(t.Context(), asked(), nil)
		if err == nil {
			t.Errorf("turn %d: no error", i)
		}
		mustNotHold(t, err, key)
	}
	for i, change := range []func(*anthropic.Config){
		func(c *anthropic.Config) { c.HTTPClient = &http.Client{Transport: leaky{}} },
		func(c *anthropic.Config) { c.HTTPClient = &http.Client{Transport: redirecting{}} },
		func(c *anthropic.Config) {
			c.HTTPClient = &http.Client{Transport: played{err: errors.New("read with " + key)}}
		},
		func(c *anthropic.Config) { c.URL = "http://127.0.0.1:1?key=" + key },
	} {
		_, err := newProvider(t, "http://model.example", change).Complete(t.Context(), asked(), nil)
		if err == nil {
			t.Errorf("change %d: no error", i)
		}
		mustNotHold(t, err, key)
	}
}

type leaky struct{}

func (leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("dial with %s", r.Header.Get("X-Api-Key"))
}

type redirecting struct{}

func (redirecting) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"http://x.example/?key=" + key}}, Body: http.NoBody, Request: r}, nil
}

// mustNotHold looks for a secret in an error and in all that it wraps.
func mustNotHold(tb testing.TB, err error, secret string) {
	tb.Helper()
	if err == nil {
		return
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) || strings.Contains(text, secret[:15]) {
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

// A silent is a transport whose answer begins with some bytes and then waits.
type silent struct{ said string }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	read, write := io.Pipe()
	go func() {
		_, _ = io.WriteString(write, s.said)
		<-r.Context().Done()
		_ = write.CloseWithError(r.Context().Err())
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: read, Request: r}, nil
}

func TestSilenceAndTheCallerEndTheReply(t *testing.T) {
	begun := string(modeltest.Stream(modeltest.Anthropic, 0, modeltest.Say("hello there, you")))[:600]
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, "http://model.example", func(c *anthropic.Config) { c.HTTPClient = &http.Client{Transport: silent{begun}} })
		at := time.Now()
		if _, err := p.Complete(t.Context(), asked(), nil); kind(err) != model.CutOff || time.Since(at) != time.Minute {
			t.Errorf("silent: %v after %v", err, time.Since(at))
		}
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := p.Complete(ctx, asked(), func(string) { cancel() }); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Complete(ctx, asked(), nil); problem.CodeOf(err) != problem.Timeout {
			t.Errorf("late: %v", err)
		}
	})
}

func TestConfigurationIsJudgedWithoutTheNetwork(t *testing.T) {
	if _, err := anthropic.New(anthropic.Config{Name: "claude"}); err == nil || !strings.Contains(err.Error(), "copilot.models[claude].model") {
		t.Errorf("no model: %v", err)
	}
	p, err := anthropic.New(anthropic.Config{Name: "claude", Model: "m", Key: key, Capabilities: anthropic.Can(), Price: model.Price{In: 3, Out: 15}})
	if err != nil {
		t.Fatal(err)
	}
	want := model.Info{Name: "claude", Provider: "anthropic", Model: "m", Can: anthropic.Can(), Price: model.Price{In: 3, Out: 15}}
	if d := cmp.Diff(want, p.Info()); d != "" {
		t.Errorf("info (-want +got):\n%s", d)
	}
}

func FuzzStream(f *testing.F) {
	for _, turn := range []modeltest.Turn{
		modeltest.Say("hello"), modeltest.Calls(modeltest.Call("set_text", map[string]int{"a": 1}), modeltest.Call("finish", nil)), modeltest.Refuse("no"),
		modeltest.Raw("", events(`{"type":"error","error":{"message":"x"}}`)),
	} {
		f.Add(modeltest.Stream(modeltest.Anthropic, 0, turn), false)
	}
	f.Add([]byte("event: message_stop\ndata: {}\n\n"), true)
	f.Fuzz(func(t *testing.T, stream []byte, breaks bool) {
		var end error
		if breaks {
			end = io.ErrUnexpectedEOF
		}
		reply, err := playedBy(t, played{stream: stream, err: end}).Complete(t.Context(), asked(), func(string) {})
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
		if reply.Usage.In < 0 || reply.Usage.Out < 0 {
			t.Errorf("usage = %+v", reply.Usage)
		}
	})
}
