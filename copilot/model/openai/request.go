package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
)

// optional are the parts of a request that some endpoints refuse, as they name them.
var optional = [...]string{streamOptions: "stream_options", maxTokens: "max_completion_tokens", toolChoice: "tool_choice"}

const (
	streamOptions = iota
	maxTokens     // is refused by those that want max_completion_tokens in its place
	toolChoice
)

type unknownOption struct{ option int }

func (u *unknownOption) Error() string { return "the endpoint does not know " + optional[u.option] }

// unknown finds which of the options that were sent an error's body is about.
func (r request) unknown(body []byte) (int, bool) {
	sent := [len(optional)]bool{streamOptions: r.StreamOptions != nil, maxTokens: r.MaxTokens > 0, toolChoice: r.ToolChoice != ""}
	for option, name := range optional {
		if sent[option] && bytes.Contains(body, []byte(name)) {
			return option, true
		}
	}
	return 0, false
}

type request struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	Tools               []tool          `json:"tools,omitempty"`
	ToolChoice          string          `json:"tool_choice,omitempty"`
	ResponseFormat      *responseFormat `json:"response_format,omitempty"`
	MaxTokens           int             `json:"max_tokens,omitempty"`
	MaxCompletionTokens int             `json:"max_completion_tokens,omitempty"`
	Stream              bool            `json:"stream"`
	StreamOptions       *usageIncluded  `json:"stream_options,omitempty"`
}

type usageIncluded struct {
	IncludeUsage bool `json:"include_usage"`
}

type responseFormat struct {
	Type       string     `json:"type"`
	JSONSchema jsonSchema `json:"json_schema"`
}

type jsonSchema struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

type message struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"` // a text, or parts
	ToolCalls  []callSent `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type part struct {
	Type     string    `json:"type"`
	Text     string    `json:"text,omitempty"`
	ImageURL *imageURL `json:"image_url,omitempty"`
}

type imageURL struct {
	URL string `json:"url"`
}

type callSent struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function functionSent `json:"function"`
}

type functionSent struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type tool struct {
	Type     string   `json:"type"`
	Function toolSent `json:"function"`
}

type toolSent struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
}

func (p *Provider) request(r model.Request) request {
	can := p.config.Capabilities
	out := request{Model: p.config.Model, Stream: true, Messages: messages(r, can)}
	for _, t := range r.Tools {
		out.Tools = append(out.Tools, tool{Type: "function", Function: toolSent{t.Name, t.Description, t.Schema}})
	}
	if r.MustCall && can.ForcedTool && len(r.Tools) > 0 && !p.refused[toolChoice].Load() {
		out.ToolChoice = "required"
	}
	if r.Format != nil && can.JSONSchema && len(r.Tools) == 0 {
		out.ResponseFormat = &responseFormat{Type: "json_schema", JSONSchema: jsonSchema{Name: "reply", Schema: r.Format}}
	}
	if p.refused[maxTokens].Load() {
		out.MaxCompletionTokens = r.MaxTokens
	} else {
		out.MaxTokens = r.MaxTokens
	}
	if !p.refused[streamOptions].Load() {
		out.StreamOptions = &usageIncluded{IncludeUsage: true}
	}
	return out
}

// Notes where a picture cannot stand.
const (
	oldPicture = "[an older picture stood here; the newest ones are below]"
	noPicture  = "[a picture stood here, which you cannot see]"
)

// messages are the conversation as the wire has it: a user who speaks twice
// speaks once, and pictures of results come behind all results of a reply, since
// nothing may stand between those.
func messages(r model.Request, can model.Capabilities) []message {
	said := r.Messages
	switch {
	case !can.Vision:
		said = model.KeepNewest(said, 0, noPicture)
	case can.MaxImages > 0:
		said = model.KeepNewest(said, can.MaxImages, oldPicture)
	}
	var out []message
	if r.System != "" {
		out = append(out, message{Role: "system", Content: r.System})
	}
	var user []part // of the user, not sent yet
	flush := func() {
		if user != nil {
			out = append(out, message{Role: model.User, Content: joined(user)})
			user = nil
		}
	}
	for _, m := range said {
		if m.Role == model.User {
			user = append(user, parts(m.Text, m.Images)...)
			continue
		}
		if m.Role == model.ToolRole {
			text := m.Text
			if m.Failed {
				text = "Error: " + text
			}
			result := message{Role: m.Role, ToolCallID: m.CallID, Content: text}
			if can.ImagesInToolResult && len(m.Images) > 0 {
				result.Content = parts(text, m.Images)
			} else if len(m.Images) > 0 {
				user = append(user, part{Type: "text", Text: fmt.Sprintf("The picture of the result of call %s:", m.CallID)})
				user = append(user, parts("", m.Images)...)
			}
			out = append(out, result)
			continue
		}
		flush()
		a := message{Role: m.Role, Content: m.Text}
		for _, c := range m.Calls {
			a.ToolCalls = append(a.ToolCalls, callSent{c.ID, "function", functionSent{c.Name, string(wire.Arguments(c.Arguments))}})
		}
		out = append(out, a)
	}
	flush()
	return out
}

func parts(text string, images []model.Image) []part {
	var out []part
	if text != "" || len(images) == 0 {
		out = append(out, part{Type: "text", Text: text})
	}
	for _, i := range images {
		url := "data:" + i.MediaType + ";base64," + base64.StdEncoding.EncodeToString(i.Bytes)
		out = append(out, part{Type: "image_url", ImageURL: &imageURL{url}})
	}
	return out
}

// joined is a text where there are only texts: some servers take no parts.
func joined(user []part) any {
	var texts []string
	for _, p := range user {
		if p.ImageURL != nil {
			return user
		}
		texts = append(texts, p.Text)
	}
	return strings.Join(texts, "\n\n")
}
