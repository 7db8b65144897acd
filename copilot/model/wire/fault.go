package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A Said is an endpoint's own account of what is wrong.
type Said struct {
	Kind    string // a word: rate_limit_error, context_length_exceeded; "" where it gave none
	Message string
}

// ReadFault finds the account in a body, in whichever form servers write it.
func ReadFault(body []byte) Said {
	var doc struct {
		Error   json.RawMessage
		Message json.RawMessage
		Detail  json.RawMessage
		Type    json.RawMessage
		Code    json.RawMessage
	}
	if json.Unmarshal(body, &doc) == nil {
		if said := ReadError(doc.Error); said.Message != "" || said.Kind != "" {
			return said
		}
		message := text(doc.Message)
		if message == "" {
			message = text(doc.Detail)
		}
		if message != "" {
			return Said{Kind: strings.TrimSpace(text(doc.Type) + " " + text(doc.Code)), Message: message}
		}
	}
	plain := bytes.TrimSpace(body)
	if bytes.HasPrefix(plain, []byte("<")) {
		return Said{Message: "a page of HTML"}
	}
	return Said{Message: string(plain)}
}

// ReadError reads the value of an "error" member: an object or a text.
func ReadError(raw json.RawMessage) Said {
	var object struct{ Message, Type, Code json.RawMessage }
	if json.Unmarshal(raw, &object) == nil {
		return Said{Kind: strings.TrimSpace(text(object.Type) + " " + text(object.Code)), Message: text(object.Message)}
	}
	return Said{Message: text(raw)}
}

// IsJSON reports whether err is of JSON that is none, or not what was wanted.
func IsJSON(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind)
}

// text is a JSON value as text: a string's content, a number's digits, anything
// else as it stands.
func text(raw json.RawMessage) string {
	var s string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return s
	}
	return string(raw)
}

// Fault makes a problem of a status and what was said with it. A stream that
// reports an error has no status: 0.
func (e Endpoint) Fault(status int, header http.Header, said Said) error {
	words := strings.ToLower(said.Kind + " " + said.Message)
	has := func(any ...string) bool {
		for _, w := range any {
			if strings.Contains(words, w) {
				return true
			}
		}
		return false
	}
	message := e.Scrub(said.Message)
	if message == "" {
		message = e.Scrub(said.Kind)
	}
	switch {
	case status == http.StatusPaymentRequired, has("insufficient_quota", "credit balance is too low", "billing_error"):
		return problem.New(problem.Unauthorized, "model %q: the account has no credit: %s", e.Name, message).
			WithHint("see to the account at %s, or choose another model", e.host())
	case status == http.StatusUnauthorized, status == http.StatusForbidden, has("authentication_error", "permission_error", "invalid_api_key"):
		return problem.New(problem.Unauthorized, "model %q: %s does not take the key: %s", e.Name, e.host(), message).At(e.path("key")).
			WithHint("give the key of a model that it may use")
	case status == http.StatusTooManyRequests, has("rate_limit"):
		return e.later(status, header, message)
	case status == http.StatusRequestEntityTooLarge, has(tooLong...):
		return problem.New(problem.Invalid, "the conversation does not fit into model %q: %s", e.Name, message).WithSlug(model.TooLong).
			WithHint("select fewer layers, ask for less at once, or give the model a larger context")
	case status == http.StatusNotFound, has("model_not_found"):
		return e.notFound(words, message)
	}
	if p := e.incapable(has, message); p != nil {
		return p
	}
	if status >= 500 || status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooEarly ||
		status == 0 && has("overloaded", "api_error", "server_error", "internal", "timeout", "unavailable") {
		return e.later(status, header, message)
	}
	return e.unsupported("does not take the request: " + message)
}

// tooLong are the words in which servers say that a conversation is too long.
var tooLong = []string{
	"context length", "context_length", "maximum context", "context window", "context size", "context limit",
	"prompt is too long", "input is too long", "exceeds the available context", "request_too_large",
	"exceed_context_size", "too many input tokens", "reduce the length of the messages",
}

// incapable knows the refusals of which the setting that mends them is known.
func (e Endpoint) incapable(has func(...string) bool, message string) error {
	switch {
	case has("enable-auto-tool-choice", "tool-call-parser"):
		return e.unsupported("is served without tools: " + message).At(e.path("tools")).
			WithHint("start vLLM with --enable-auto-tool-choice --tool-call-parser NAME (hermes for Qwen, llama3_json, mistral, …), or set tools: false")
	case has("does not support tool", "tools are not supported", "tools is not supported", "tool use is not supported", "tool calling is not supported",
		"does not support function", "requires --jinja", "tools param requires"):
		return e.unsupported("calls no tools: " + message).At(e.path("tools")).WithHint("set tools: false, or take a model that does")
	case has("image(s) may be provided", "too many images", "images per prompt", "maximum number of images"):
		return e.unsupported("takes fewer pictures at once: " + message).At(e.path("max_images")).WithHint("set max_images to what it takes")
	case has("image", "vision", "multimodal", "mmproj") && has("support", "not a multimodal", "not available", "invalid type", "expected a string", "unknown variant", "missing"):
		return e.unsupported("sees no pictures: " + message).At(e.path("vision")).WithHint("set vision: false, or take a model that does")
	case has("response_format", "json_schema", "guided decoding", "guided_json", "grammar"):
		return e.unsupported("keeps to no schema: " + message)
	}
	return nil
}

func (e Endpoint) notFound(words, message string) error {
	p := e.unsupported("is not found: " + message).At(e.path("model"))
	switch {
	case strings.Contains(words, "pull") || e.local():
		return p.WithHint("ollama pull %s", e.Model)
	case strings.Contains(words, "model"):
		return p.WithHint("the endpoint's /models lists what it serves")
	}
	return p.At(e.path("url")).WithHint("does the address end as the endpoint wants it? Most end in /v1")
}

func (e Endpoint) unsupported(what string) *problem.Error {
	return problem.New(problem.Invalid, "model %q at %s %s", e.Name, e.host(), what).WithSlug(model.Unsupported)
}

// later is an endpoint that may answer the same another time.
func (e Endpoint) later(status int, header http.Header, message string) error {
	what := "reports a fault"
	if status != 0 {
		what = fmt.Sprintf("answers %d", status)
	}
	p := problem.New(problem.Overloaded, "model %q: %s %s: %s", e.Name, e.host(), what, message)
	if wait, said := retryAfter(header, time.Now()); said {
		return retry.After(p.WithHint("it asks to wait for %s", wait.Round(time.Second)), wait)
	}
	return p.WithHint("try again later; the log of the endpoint says more")
}

// longestWait is as long as an endpoint is believed that it wants to be left alone.
const longestWait = time.Hour

func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	if ms, err := strconv.ParseFloat(header.Get("Retry-After-Ms"), 64); err == nil && ms >= 0 {
		return time.Duration(min(ms, float64(longestWait/time.Millisecond)) * float64(time.Millisecond)), true
	}
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, longestWait.Seconds()) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestWait), true
	}
	return 0, false
}

// CutOff is a reply that ended before its end. It counts as overloaded: the same
// conversation may be answered another time.
func (e Endpoint) CutOff(why string) error {
	return problem.New(problem.Overloaded, "the reply of model %q was cut off: %s", e.Name, why).WithSlug(model.CutOff).
		WithHint("nothing of it was done; try again")
}

// Malformed is a reply that is none of the protocol.
func (e Endpoint) Malformed(why string) error {
	return problem.New(problem.Invalid, "the reply of model %q is none: %s", e.Name, e.Scrub(why)).WithSlug(model.Malformed).At(e.path("url")).
		WithHint("does the endpoint speak the protocol that kind says, and does its address end as it wants it?")
}

// Runaway is a reply without end.
func (e Endpoint) Runaway() error {
	return problem.New(problem.Invalid, "the reply of model %q is larger than any answer is: it repeats itself without end", e.Name).WithSlug(model.Malformed).
		WithHint("nothing of it was done; give the model a limit of tokens, or take another one")
}
