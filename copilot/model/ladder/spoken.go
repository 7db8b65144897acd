package ladder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/calltext"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// answerTool is how a model on a lower rung says something to the person.
const answerTool = "answer"

// spoken has one action written as JSON, and sent back once where it is none.
func (p *Provider) spoken(ctx context.Context, r model.Request, at rung, said func(string)) (model.Reply, error) {
	asked, tools := translate(r, at)
	var spent model.Usage
	for try := 0; ; try++ {
		reply, err := p.inner.Complete(ctx, asked, nil)
		spent = spent.Add(reply.Usage)
		reply.Usage = spent
		if err != nil || reply.Stop == model.Refused {
			return reply, err
		}
		found, wrong := action(reply, tools)
		if wrong == "" || try > 0 && found != nil {
			return accept(r, reply, *found, said), nil
		}
		if try > 0 {
			return unacted(r, reply, p.inner.Info().Name, wrong, said)
		}
		asked.Messages = append(asked.Messages[:len(asked.Messages):len(asked.Messages)],
			model.Message{Role: model.Assistant, Text: reply.Text},
			model.Message{Role: model.User, Text: fmt.Sprintf(repair, wrong, strings.Join(names(tools), ", "))})
	}
}

// action is what a reply wants done, and what is wrong with it: "" for nothing. A
// tool that there is not is both, since the caller can refuse it.
func action(reply model.Reply, tools []model.Tool) (*model.Call, string) {
	calls := reply.Calls
	if len(calls) == 0 {
		_, spoken := calltext.Reasoning(reply.Text)
		_, calls = calltext.Parse(unwrapped(spoken), tools)
	}
	if len(calls) == 0 {
		if found := unknown(reply.Text); found != nil {
			return found, fmt.Sprintf("there is no tool %q", found.Name)
		}
		if reply.Stop == model.Length {
			return nil, "it was cut off because it was too long: write less"
		}
		return nil, "it is not one JSON object with \"tool\" and \"arguments\""
	}
	c := calls[0]
	for _, t := range tools {
		if t.Name != c.Name {
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(c.Arguments, &object); err != nil || object == nil {
			return &c, "its \"arguments\" are no JSON object"
		}
		return &c, ""
	}
	return &c, fmt.Sprintf("there is no tool %q", c.Name)
}

// unknown is a text that is an action with a tool that there is not: as a call of
// a tool that there is would have it.
func unknown(text string) *model.Call {
	type asked struct {
		Tool      string          `json:"tool"`
		Arguments json.RawMessage `json:"arguments"`
	}
	var doc struct {
		asked
		Action asked `json:"action"`
	}
	if json.Unmarshal([]byte(unwrapped(text)), &doc) != nil {
		return nil
	}
	for _, a := range []asked{doc.asked, doc.Action} {
		if a.Tool != "" {
			return &model.Call{Name: a.Tool, Arguments: wire.Arguments(a.Arguments)}
		}
	}
	return nil
}

// unwrapped is the first JSON object in a text that has words around it, else the
// text as it is.
func unwrapped(text string) string {
	if strings.Contains(text, "<") && strings.Contains(text, ">") || strings.Contains(text, "```") {
		return text
	}
	at := strings.IndexByte(text, '{')
	if at < 0 {
		return text
	}
	var object json.RawMessage
	if json.NewDecoder(strings.NewReader(text[at:])).Decode(&object) != nil {
		return text
	}
	return string(object)
}

// accept makes a reply of an action: a call, or the words of an answer.
func accept(r model.Request, reply model.Reply, c model.Call, said func(string)) model.Reply {
	if c.Name == answerTool && !has(r.Tools, answerTool) {
		var words struct {
			Text string `json:"text"`
		}
		_ = json.Unmarshal(c.Arguments, &words) // an answer without words is an empty one
		reply.Text, reply.Calls, reply.Stop = words.Text, nil, model.Ended
		if said != nil && words.Text != "" {
			said(words.Text)
		}
		return reply
	}
	c.ID = wire.NewIDs(r.Messages).Unique(c.ID)
	reply.Text, reply.Calls, reply.Stop = "", []model.Call{c}, model.Calls
	return reply
}

// unacted is a reply that stays none after it was sent back: words are an answer
// where one may be given.
func unacted(r model.Request, reply model.Reply, name, wrong string, said func(string)) (model.Reply, error) {
	_, words := calltext.Reasoning(reply.Text)
	if !r.MustCall && strings.TrimSpace(words) != "" && reply.Stop != model.Length && !strings.ContainsAny(words[:1], "{[`<") {
		reply.Text, reply.Calls, reply.Stop = words, nil, model.Ended
		if said != nil {
			said(words)
		}
		return reply, nil
	}
	return model.Reply{Usage: reply.Usage}, problem.New(problem.Invalid, "model %q neither calls tools nor writes an action: %s", name, wrong).WithSlug(model.Malformed).
		WithHint("take a larger model, or one that was trained to call tools")
}

// translate is the request without tools: they stand in the system prompt, and
// what was called and came of it in the conversation.
func translate(r model.Request, at rung) (model.Request, []model.Tool) {
	tools := r.Tools
	if !r.MustCall && !has(tools, answerTool) {
		tools = append(tools[:len(tools):len(tools)], model.Tool{
			Name: answerTool, Description: "Says something to the person, and nothing else.",
			Schema: json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}`),
		})
	}
	out := model.Request{System: r.System + "\n\n" + protocol(tools), Messages: dialogue(r.Messages), MaxTokens: r.MaxTokens}
	if at == schema {
		out.Format = format(tools)
	}
	return out, tools
}

// dialogue is a conversation in which only two speak, in turns.
func dialogue(messages []model.Message) []model.Message {
	var out []model.Message
	called := map[string]string{}
	for _, m := range messages {
		said := model.Message{Role: m.Role, Text: m.Text, Images: m.Images}
		switch m.Role {
		case model.ToolRole:
			said.Role = model.User
			state := "Result of"
			if m.Failed {
				state = "Refused:"
			}
			said.Text = fmt.Sprintf("%s %s\n%s", state, called[m.CallID], m.Text)
		case model.Assistant:
			for _, c := range m.Calls {
				called[c.ID] = c.Name
				if said.Text != "" {
					said.Text += "\n"
				}
				said.Text += written(c)
			}
		}
		if n := len(out); n > 0 && out[n-1].Role == said.Role {
			last := &out[n-1]
			last.Text = strings.TrimLeft(last.Text+"\n\n"+said.Text, "\n")
			last.Images = append(last.Images[:len(last.Images):len(last.Images)], said.Images...)
			continue
		}
		out = append(out, said)
	}
	return out
}

// written is a call as the model has to write one.
func written(c model.Call) string {
	b, _ := json.Marshal(struct { // arguments are JSON
		Tool      string          `json:"tool"`
		Arguments json.RawMessage `json:"arguments"`
	}{c.Name, wire.Arguments(c.Arguments)})
	return string(b)
}

// format is the schema of an action: one of the tools with its own arguments.
func format(tools []model.Tool) json.RawMessage {
	type object map[string]any
	var one []object
	for _, t := range tools {
		one = append(one, object{
			"type":                 "object",
			"properties":           object{"tool": object{"type": "string", "enum": []string{t.Name}}, "arguments": arguments(t)},
			"required":             []string{"tool", "arguments"},
			"additionalProperties": false,
		})
	}
	b, _ := json.Marshal(object{ // maps of what was JSON
		"type": "object", "properties": object{"action": object{"anyOf": one}}, "required": []string{"action"}, "additionalProperties": false,
	})
	return b
}

func arguments(t model.Tool) json.RawMessage {
	if json.Valid(t.Schema) {
		return t.Schema
	}
	return json.RawMessage(`{"type":"object"}`)
}

const repair = "That was no action, and nothing was done: %s.\nWrite one JSON object and nothing else: {\"tool\": NAME, \"arguments\": {…}}. The tools are %s."

// protocol tells a model how it calls tools.
func protocol(tools []model.Tool) string {
	var b strings.Builder
	b.WriteString("You act by tools. Each of your messages is exactly one JSON object, without any word or fence around it:\n" +
		"{\"tool\": NAME, \"arguments\": {…}}\nYou are then told the result, and write the next one. The tools, each with the JSON Schema of its arguments:\n")
	for _, t := range tools {
		var compact bytes.Buffer
		if json.Compact(&compact, arguments(t)) != nil {
			continue
		}
		fmt.Fprintf(&b, "\n%s: %s\n%s\n", t.Name, t.Description, compact.String())
	}
	return b.String()
}

func names(tools []model.Tool) []string {
	out := make([]string, len(tools))
	for i, t := range tools {
		out[i] = t.Name
	}
	return out
}

func has(tools []model.Tool, name string) bool {
	for _, t := range tools {
		if t.Name == name {
			return true
		}
	}
	return false
}
