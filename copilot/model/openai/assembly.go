package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/calltext"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
)

// mostCalls is how many one reply may have.
const mostCalls = 64

// An assembly puts a reply together from what comes of it.
type assembly struct {
	endpoint wire.Endpoint
	most     int
	speech   *speech

	size    int
	text    strings.Builder
	refusal strings.Builder
	calls   []*building
	at      map[int]*building // by the index of the stream
	finish  string
	usage   model.Usage
	done    bool // the stream says that it is
}

// A building is a call of which parts have come.
type building struct {
	id, name  string
	arguments strings.Builder
}

func (b *building) complete() bool { return json.Valid([]byte(b.arguments.String())) }

// event takes the data of one event; last is whether the stream ended within it.
func (a *assembly) event(data []byte, last bool) error {
	data = bytes.TrimSpace(data)
	if string(data) == "[DONE]" {
		a.done = true
		return nil
	}
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		if last {
			return nil // reply judges whether anything is missing
		}
		return a.endpoint.Malformed("an event holds no chunk of a completion: " + string(data))
	}
	return a.chunk(c)
}

// document takes a reply that comes in one.
func (a *assembly) document(ctx context.Context, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return a.endpoint.Broken(ctx, err)
	}
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		if json.Valid(data) {
			return a.endpoint.Malformed("it is no completion: " + string(data))
		}
		return a.endpoint.CutOff("its JSON has no end")
	}
	if len(c.Choices) == 0 && len(c.Error) == 0 {
		return a.endpoint.Malformed("it has no choices: " + string(data))
	}
	if err := a.chunk(c); err != nil {
		return err
	}
	a.done = true
	return nil
}

func (a *assembly) chunk(c chunk) error {
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return a.endpoint.Fault(0, nil, wire.ReadError(c.Error))
	}
	if c.Object == "error" {
		return a.endpoint.Fault(0, nil, wire.Said{Message: string(c.Message)})
	}
	if u := c.Usage; u != nil {
		a.usage = model.Usage{In: tokens(u.PromptTokens), Out: tokens(u.CompletionTokens)}
	}
	for _, ch := range c.Choices {
		if ch.Index != 0 {
			continue // nobody asked for a second reply
		}
		for _, d := range []*delta{ch.Delta, ch.Message, {Content: ch.Text}} {
			if d == nil {
				continue
			}
			if err := a.delta(*d); err != nil {
				return err
			}
		}
		if ch.FinishReason != "" {
			a.finish = string(ch.FinishReason)
		}
	}
	return nil
}

// tokens is a count that may be no whole number, or none that is possible.
func tokens(n float64) int64 { return wire.Tokens(int64(min(max(n, 0), 1e15))) }

func (a *assembly) delta(d delta) error {
	a.size += len(d.Content) + len(d.Refusal)
	a.text.WriteString(string(d.Content))
	a.refusal.WriteString(string(d.Refusal))
	if f := d.FunctionCall; f != nil {
		zero := 0
		d.ToolCalls = append(d.ToolCalls, toolCall{Index: &zero, Function: *f})
	}
	for _, c := range d.ToolCalls {
		a.size += len(c.Function.Arguments) + len(c.Function.Name) + len(c.ID)
		b := a.building(c)
		if len(a.calls) > mostCalls {
			return a.endpoint.Runaway()
		}
		if b.id == "" {
			b.id = string(c.ID)
		}
		if b.name == "" {
			b.name = string(c.Function.Name)
		}
		b.arguments.WriteString(string(c.Function.Arguments))
	}
	if a.size > a.most {
		return a.endpoint.Runaway()
	}
	if len(a.calls) == 0 {
		a.speech.hear(string(d.Content))
	}
	return nil
}

// building is the call that c is a part of. The index alone does not say: some
// servers give 0 to all, some give none.
func (a *assembly) building(c toolCall) *building {
	if a.at == nil {
		a.at = map[int]*building{}
	}
	var known *building
	if c.Index != nil {
		known = a.at[*c.Index]
	} else if len(a.calls) > 0 {
		known = a.calls[len(a.calls)-1]
	}
	another := known == nil ||
		c.ID != "" && known.id != "" && string(c.ID) != known.id ||
		c.Function.Name != "" && known.name != "" && (known.complete() || string(c.Function.Name) != known.name)
	if !another {
		return known
	}
	b := &building{}
	a.calls = append(a.calls, b)
	if c.Index != nil {
		a.at[*c.Index] = b
	}
	return b
}

// reply is what came, if it came to its end.
func (a *assembly) reply(r model.Request) (model.Reply, error) {
	if a.finish == "" && (!a.done || !a.whole()) {
		return model.Reply{}, a.endpoint.CutOff("the stream ended before it")
	}
	if a.finish == "error" {
		return model.Reply{}, a.endpoint.Fault(0, nil, wire.Said{Kind: "server_error", Message: "it ended with an error that it does not name"})
	}
	_, spoken := calltext.Reasoning(a.text.String())
	reply := model.Reply{Text: spoken, Usage: a.usage, Stop: model.Ended}
	for _, b := range a.calls {
		c := model.Call{ID: b.id, Name: calltext.Name(b.name, r.Tools), Arguments: json.RawMessage(b.arguments.String())}
		reply.Calls = append(reply.Calls, c)
	}
	if len(reply.Calls) == 0 && len(r.Tools) > 0 {
		reply.Text, reply.Calls = calltext.Parse(spoken, r.Tools)
	}
	a.judge(&reply)
	ids := wire.NewIDs(r.Messages)
	for i := range reply.Calls {
		c := &reply.Calls[i]
		c.ID = ids.Unique(c.ID)
		if len(bytes.TrimSpace(c.Arguments)) == 0 {
			c.Arguments = json.RawMessage("{}")
		}
	}
	if reply.Usage == (model.Usage{}) {
		reply.Usage = wire.Estimate(r, reply)
	}
	a.speech.end(reply.Text)
	return reply, nil
}

// whole reports whether no call is a half one, where no reason says so.
func (a *assembly) whole() bool {
	for _, b := range a.calls {
		if !b.complete() {
			return false
		}
	}
	return true
}

// judge says why a reply ended. What it has counts for more than what it says:
// some servers say "stop" behind calls.
func (a *assembly) judge(reply *model.Reply) {
	switch {
	case a.refusal.Len() > 0:
		reply.Stop, reply.Calls = model.Refused, nil
		if reply.Text == "" {
			reply.Text = a.refusal.String()
		}
	case a.finish == "content_filter":
		reply.Stop, reply.Calls = model.Refused, nil
	case a.finish == "length" || a.finish == "max_tokens":
		reply.Stop, reply.Calls = model.Length, wire.Whole(reply.Calls)
	case len(reply.Calls) > 0:
		reply.Stop = model.Calls
	}
}
