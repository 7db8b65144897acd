package openai

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A chunk is a part of a stream, or with messages in place of deltas a reply in
// one document. Its types take what servers write where OpenAI writes a text.
type chunk struct {
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`

	// As vLLM reports an error within a stream.
	Object  loose `json:"object"`
	Message loose `json:"message"`
}

type choice struct {
	Index        int     `json:"index"`
	Delta        *delta  `json:"delta"`
	Message      *delta  `json:"message"`
	Text         content `json:"text"`
	FinishReason loose   `json:"finish_reason"`
}

type delta struct {
	Content      content    `json:"content"`
	Refusal      loose      `json:"refusal"`
	ToolCalls    []toolCall `json:"tool_calls"`
	FunctionCall *function  `json:"function_call"` // as it was before there were tools
}

type toolCall struct {
	Index    *int     `json:"index"`
	ID       loose    `json:"id"`
	Function function `json:"function"`
}

type function struct {
	Name      loose     `json:"name"`
	Arguments arguments `json:"arguments"`
}

type usage struct {
	PromptTokens     float64 `json:"prompt_tokens"`
	CompletionTokens float64 `json:"completion_tokens"`
}

// loose is a text, a number's digits, or "" for null and anything else.
type loose string

func (l *loose) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case json.Unmarshal(b, &s) == nil:
		*l = loose(s)
	case len(b) > 0 && b[0] >= '0' && b[0] <= '9':
		*l = loose(b)
	default:
		*l = ""
	}
	return nil
}

// content is a text, or the texts of parts.
type content string

func (c *content) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*c = content(s)
		return nil
	}
	var parts []struct {
		Text loose `json:"text"`
	}
	if json.Unmarshal(b, &parts) != nil {
		*c = ""
		return nil
	}
	var all strings.Builder
	for _, p := range parts {
		all.WriteString(string(p.Text))
	}
	*c = content(all.String())
	return nil
}

// arguments are a text of JSON, or the JSON itself.
type arguments string

func (a *arguments) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case bytes.Equal(b, []byte("null")):
		*a = ""
	case json.Unmarshal(b, &s) == nil:
		*a = arguments(s)
	default:
		*a = arguments(b)
	}
	return nil
}
