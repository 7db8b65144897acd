package anthropic

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/calltext"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
)

// mostCalls is how many one reply may have.
const mostCalls = 64

// An assembly puts a reply together from its events.
type assembly struct {
	endpoint wire.Endpoint
	most     int
	said     func(string)

	size  int
	text  strings.Builder
	calls []*block
	at    map[int64]*block
	usage model.Usage
	stop  anthropic.StopReason
	done  bool // the stream says that it is
}

// A block is a call of which parts have come.
type block struct {
	id, name  string
	given     json.RawMessage // arguments that it began with
	arguments strings.Builder
}

func (b *block) raw() json.RawMessage {
	switch {
	case strings.TrimSpace(b.arguments.String()) != "":
		return json.RawMessage(b.arguments.String())
	case len(b.given) > 0:
		return b.given
	}
	return json.RawMessage("{}")
}

func (a *assembly) event(e anthropic.MessageStreamEventUnion) error {
	switch e.Type {
	case "message_start":
		u := e.Message.Usage
		a.usage = model.Usage{In: tokens(u.InputTokens, u.CacheCreationInputTokens, u.CacheReadInputTokens), Out: tokens(u.OutputTokens)}
	case "content_block_start":
		return a.start(e)
	case "content_block_delta":
		return a.delta(e)
	case "message_delta":
		if e.Delta.StopReason != "" {
			a.stop = e.Delta.StopReason
		}
		if u := e.Usage; u.OutputTokens > 0 {
			a.usage.Out = tokens(u.OutputTokens)
		}
		if in := tokens(e.Usage.InputTokens, e.Usage.CacheCreationInputTokens, e.Usage.CacheReadInputTokens); in > 0 {
			a.usage.In = in
		}
	case "message_stop":
		a.done = true
	}
	return nil
}

// tokens is all that was read or written: what comes of the cache is cheaper, so
// that a cost is rather too high than too low.
func tokens(counts ...int64) int64 {
	var all int64
	for _, n := range counts {
		all += wire.Tokens(n)
	}
	return wire.Tokens(all)
}

func (a *assembly) start(e anthropic.MessageStreamEventUnion) error {
	switch c := e.ContentBlock; c.Type {
	case "text":
		return a.say(c.Text)
	case "tool_use":
		b := &block{id: c.ID, name: c.Name}
		if raw := c.JSON.Input.Raw(); raw != "" && raw != "null" {
			b.given = json.RawMessage(raw)
		}
		a.calls = append(a.calls, b)
		a.at[e.Index] = b
		if len(a.calls) > mostCalls {
			return a.endpoint.Runaway()
		}
		return a.grow(len(b.id) + len(b.name) + len(b.given))
	}
	return nil
}

func (a *assembly) delta(e anthropic.MessageStreamEventUnion) error {
	switch e.Delta.Type {
	case "text_delta":
		return a.say(e.Delta.Text)
	case "input_json_delta":
		b, ok := a.at[e.Index]
		if !ok {
			return a.endpoint.Malformed("it has arguments of no call")
		}
		b.arguments.WriteString(e.Delta.PartialJSON)
		return a.grow(len(e.Delta.PartialJSON))
	}
	return nil
}

func (a *assembly) say(text string) error {
	text = strings.ToValidUTF8(text, "\uFFFD")
	a.text.WriteString(text)
	if a.said != nil && text != "" {
		a.said(text)
	}
	return a.grow(len(text))
}

func (a *assembly) grow(by int) error {
	if a.size += by; a.size > a.most {
		return a.endpoint.Runaway()
	}
	return nil
}

// reply is what came, if it came to its end.
func (a *assembly) reply(r model.Request) (model.Reply, error) {
	if a.stop == "" && (!a.done || !a.whole()) {
		return model.Reply{}, a.endpoint.CutOff("the stream ended before it")
	}
	reply := model.Reply{Text: a.text.String(), Usage: a.usage, Stop: model.Ended}
	for _, b := range a.calls {
		arguments := json.RawMessage(bytes.ToValidUTF8(b.raw(), []byte("\uFFFD")))
		reply.Calls = append(reply.Calls, model.Call{ID: b.id, Name: calltext.Name(strings.ToValidUTF8(b.name, "\uFFFD"), r.Tools), Arguments: arguments})
	}
	switch {
	case a.stop == anthropic.StopReasonRefusal:
		reply.Stop, reply.Calls = model.Refused, nil
	case a.stop == anthropic.StopReasonMaxTokens, a.stop == anthropic.StopReasonModelContextWindowExceeded:
		reply.Stop, reply.Calls = model.Length, a.finished(reply.Calls)
	case len(reply.Calls) > 0:
		reply.Stop = model.Calls
	}
	ids := wire.NewIDs(r.Messages)
	for i := range reply.Calls {
		c := &reply.Calls[i]
		if !validID(c.ID) {
			c.ID = ""
		}
		c.ID = ids.Unique(c.ID)
	}
	if reply.Usage.In == 0 {
		reply.Usage = wire.Estimate(r, reply)
	}
	return reply, nil
}

// finished are the calls of a reply that was too long, without half ones: also
// the last one where none of its arguments came.
func (a *assembly) finished(calls []model.Call) []model.Call {
	if n := len(calls); n > 0 && a.calls[n-1].arguments.Len() == 0 {
		calls = calls[:n-1]
	}
	return wire.Whole(calls)
}

// whole reports whether no call is a half one, where no reason says so.
func (a *assembly) whole() bool {
	for _, b := range a.calls {
		if !json.Valid(b.raw()) {
			return false
		}
	}
	return true
}

// validID is whether the endpoint will take the id back.
func validID(id string) bool {
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}
