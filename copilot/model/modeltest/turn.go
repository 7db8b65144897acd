package modeltest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// Everything is a model that can do all there is.
var Everything = model.Capabilities{
	Tools: true, ParallelTools: true, ForcedTool: true, JSONSchema: true, Vision: true, ImagesInToolResult: true,
}

// A Script gives the n-th answer, n counting from 0 over all requests. A Server
// gives it the request as its wire says it.
type Script func(n int, r model.Request) Turn

// Turns answers by turns in their order. Who asks for more gets an error of
// status 410, which a test sees.
func Turns(turns ...Turn) Script {
	return func(n int, _ model.Request) Turn {
		if n >= len(turns) {
			return Fault(410, "script_ended", fmt.Sprintf("the script has %d turns, and this is one more", len(turns)))
		}
		return turns[n]
	}
}

// Always answers the same without end.
func Always(t Turn) Script { return func(int, model.Request) Turn { return t } }

// Then plays first for its n turns, and rest behind it.
func Then(n int, first, rest Script) Script {
	return func(i int, r model.Request) Turn {
		if i < n {
			return first(i, r)
		}
		return rest(i-n, r)
	}
}

// A Turn is one answer, and how it comes. The zero Turn is an empty reply.
type Turn struct {
	Text      string
	Reasoning string       // that came before the text, and is none of it
	Calls     []model.Call // one without an ID gets one, unless NoIDs
	Refused   bool         // Text is why
	Stop      string       // "" by what there is: calls, refused or end
	Usage     model.Usage  // zero: 100 tokens in, 20 out

	// How it comes over a wire.
	fault      *fault
	raw        *raw
	endless    string
	split      int
	cut        int
	late       time.Duration
	stall      bool
	whole      bool
	noIDs      bool
	unfinished bool
	noUsage    bool
}

type fault struct {
	status        int
	kind, message string
	retryAfter    string
}

type raw struct{ mediaType, body string }

// Say is a reply of text.
func Say(text string) Turn { return Turn{Text: text} }

// Call is a reply that calls one tool; arguments are marshalled, nil is {}.
func Call(tool string, arguments any) Turn {
	if arguments == nil {
		arguments = struct{}{}
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		panic(fmt.Sprintf("modeltest: arguments of %s: %v", tool, err))
	}
	return RawCall(tool, string(text))
}

// RawCall is Call with arguments as they stand, JSON or not.
func RawCall(tool, arguments string) Turn {
	return Turn{Calls: []model.Call{{Name: tool, Arguments: json.RawMessage(arguments)}}}
}

// Calls is one reply with the calls of all turns.
func Calls(turns ...Turn) Turn {
	var all Turn
	for _, t := range turns {
		all.Text += t.Text
		all.Calls = append(all.Calls, t.Calls...)
	}
	return all
}

// Refuse is a model that does not want to.
func Refuse(why string) Turn { return Turn{Text: why, Refused: true} }

// Endless says the same within one reply until the client goes.
func Endless(what string) Turn { return Turn{endless: what} }

// Raw answers 200 with a body as it stands.
func Raw(mediaType, body string) Turn { return Turn{raw: &raw{mediaType, body}} }

// Fault answers with an error as the wire forms it.
func Fault(status int, kind, message string) Turn {
	return Turn{fault: &fault{status: status, kind: kind, message: message}}
}

// Limited is 429 with Retry-After of so many seconds.
func Limited(seconds int) Turn {
	t := Fault(429, "rate_limit_error", "too many requests")
	t.fault.retryAfter = fmt.Sprint(seconds)
	return t
}

// Broken is a 500.
func Broken() Turn { return Fault(500, "api_error", "internal server error") }

// Denied is a key that is not taken; the message has the key in it, as some have.
func Denied(key string) Turn {
	return Fault(401, "authentication_error", "incorrect API key provided: "+key)
}

// Overflow is a conversation that is too long, in the words of vLLM and OpenAI.
func Overflow() Turn {
	return Fault(400, "invalid_request_error", "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.")
}

// NoAutoTools is vLLM without its flags for tools.
func NoAutoTools() Turn {
	return Fault(400, "BadRequestError", `"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set`)
}

// NoTools is Ollama with a model that calls no tools.
func NoTools() Turn {
	return Fault(400, "api_error", "registry.ollama.ai/library/gemma:2b does not support tools")
}

// NoModel is Ollama without the model.
func NoModel(name string) Turn {
	return Fault(404, "not_found_error", fmt.Sprintf("model %q not found, try pulling it first", name))
}

// Split writes the stream in pieces of n bytes, each flushed.
func (t Turn) Split(n int) Turn { t.split = n; return t }

// Cut ends the connection behind n bytes of the stream, or for n < 0 before its
// last -n.
func (t Turn) Cut(n int) Turn { t.cut = n; return t }

// Late waits before the first byte of the answer.
func (t Turn) Late(d time.Duration) Turn { t.late = d; return t }

// Stall says no more behind Cut's bytes, and keeps the connection until the
// client goes; without Cut it never begins.
func (t Turn) Stall() Turn { t.stall = true; return t }

// Whole answers with one JSON document in place of a stream.
func (t Turn) Whole() Turn { t.whole = true; return t }

// NoIDs leaves the ids of calls out.
func (t Turn) NoIDs() Turn { t.noIDs = true; return t }

// Unfinished leaves out why the reply ended; the marks of the stream's end stay.
func (t Turn) Unfinished() Turn { t.unfinished = true; return t }

// NoUsage leaves out what it cost.
func (t Turn) NoUsage() Turn { t.noUsage = true; return t }

// Ending sets why the reply ended, whatever is in it.
func (t Turn) Ending(stop string) Turn { t.Stop = stop; return t }

// Reply is the turn as a provider tells it: calls have ids, n-th of the script.
func (t Turn) reply(n int) model.Reply {
	return model.Reply{Text: t.Text, Calls: t.calls(n), Stop: t.stop(), Usage: t.usage()}
}

func (t Turn) calls(n int) []model.Call {
	var calls []model.Call
	for i, c := range t.Calls {
		if c.ID == "" {
			c.ID = fmt.Sprintf("call_%d_%d", n, i)
		}
		calls = append(calls, c)
	}
	return calls
}

func (t Turn) stop() string {
	switch {
	case t.Stop != "":
		return t.Stop
	case t.Refused:
		return model.Refused
	case len(t.Calls) > 0:
		return model.Calls
	}
	return model.Ended
}

func (t Turn) usage() model.Usage {
	if t.Usage == (model.Usage{}) {
		return model.Usage{In: 100, Out: 20}
	}
	return t.Usage
}
