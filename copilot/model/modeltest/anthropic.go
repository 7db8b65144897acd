package modeltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
)

func anthropicStream(n int, t Turn) []byte {
	var b bytes.Buffer
	event := func(kind, rest string) {
		fmt.Fprintf(&b, "event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, rest)
	}
	u := t.usage()
	if t.noUsage {
		u = model.Usage{}
	}
	event("message_start", fmt.Sprintf(`,"message":{"id":"msg_%d","type":"message","role":"assistant","model":"scripted-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":%d,"output_tokens":1}}`, n, u.In))
	event("ping", "")
	block := 0
	add := func(start, deltaKind, deltaField string, parts []string) {
		event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":%s`, block, start))
		for _, piece := range parts {
			event("content_block_delta", fmt.Sprintf(`,"index":%d,"delta":{"type":%q,%q:%s}`, block, deltaKind, deltaField, quote(piece)))
		}
		event("content_block_stop", fmt.Sprintf(`,"index":%d`, block))
		block++
	}
	if t.Reasoning != "" {
		add(`{"type":"thinking","thinking":"","signature":""}`, "thinking_delta", "thinking", pieces(t.Reasoning, pieceLength))
	}
	if t.Text != "" {
		add(`{"type":"text","text":""}`, "text_delta", "text", pieces(t.Text, max(pieceLength, len(t.Text)/1000)))
	}
	for _, c := range t.calls(n) {
		id := c.ID
		if t.noIDs {
			id = ""
		}
		add(fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":{}}`, quote(id), quote(c.Name)), "input_json_delta", "partial_json", pieces(string(c.Arguments), pieceLength))
	}
	if !t.unfinished {
		event("message_delta", fmt.Sprintf(`,"delta":{"stop_reason":%s,"stop_sequence":null},"usage":{"output_tokens":%d}`, quote(anthropicStop(t)), u.Out))
	}
	event("message_stop", "")
	return b.Bytes()
}

func anthropicEndless(what string) (begin, piece []byte) {
	whole := string(anthropicStream(0, Say("x")))
	at := strings.Index(whole, "event: content_block_delta")
	return []byte(whole[:at]), []byte(`event: content_block_delta` + "\n" +
		`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":` + quote(what) + `}}` + "\n\n")
}

func anthropicWhole(n int, t Turn) []byte {
	var blocks []string
	if t.Text != "" {
		blocks = append(blocks, `{"type":"text","text":`+quote(t.Text)+`}`)
	}
	for _, c := range t.calls(n) {
		blocks = append(blocks, fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":%s}`, quote(c.ID), quote(c.Name), object(c.Arguments)))
	}
	u := t.usage()
	return fmt.Appendf(nil, `{"id":"msg_%d","type":"message","role":"assistant","model":"scripted-1","content":[%s],"stop_reason":%s,"stop_sequence":null,"usage":{"input_tokens":%d,"output_tokens":%d}}`,
		n, strings.Join(blocks, ","), quote(anthropicStop(t)), u.In, u.Out)
}

func anthropicStop(t Turn) string {
	switch t.stop() {
	case model.Calls:
		return "tool_use"
	case model.Length:
		return "max_tokens"
	case model.Refused:
		return "refusal"
	}
	return "end_turn"
}

// decodeAnthropic is strict as the endpoint is: roles alternate, the results of
// calls stand first in the message behind them, an image has a known type.
func decodeAnthropic(body []byte) (model.Request, bool, error) {
	var in struct {
		Model     string
		Stream    bool
		MaxTokens int `json:"max_tokens"`
		System    json.RawMessage
		Messages  []struct {
			Role    string
			Content json.RawMessage
		}
		Tools []struct {
			Name, Description string
			InputSchema       json.RawMessage `json:"input_schema"`
		}
		ToolChoice struct{ Type string } `json:"tool_choice"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return model.Request{}, false, fmt.Errorf("read request: %w", err)
	}
	if in.Model == "" || in.MaxTokens <= 0 {
		return model.Request{}, false, fmt.Errorf("model and max_tokens are required")
	}
	r := model.Request{MustCall: in.ToolChoice.Type == "any", MaxTokens: in.MaxTokens}
	system, err := anthropicBlocks(in.System)
	if err != nil {
		return r, false, fmt.Errorf("system: %w", err)
	}
	for _, b := range system {
		r.System += b.Text
	}
	open := map[string]bool{}
	last := ""
	for i, m := range in.Messages {
		if m.Role == last {
			return r, false, fmt.Errorf("messages[%d]: %s speaks twice", i, m.Role)
		}
		last = m.Role
		blocks, err := anthropicBlocks(m.Content)
		if err != nil {
			return r, false, fmt.Errorf("messages[%d]: %w", i, err)
		}
		if len(blocks) == 0 {
			return r, false, fmt.Errorf("messages[%d]: is empty", i)
		}
		said, err := anthropicMessages(m.Role, blocks, open)
		if err != nil {
			return r, false, fmt.Errorf("messages[%d]: %w", i, err)
		}
		r.Messages = append(r.Messages, said...)
	}
	for _, t := range in.Tools {
		r.Tools = append(r.Tools, model.Tool{Name: t.Name, Description: t.Description, Schema: t.InputSchema})
	}
	return r, in.Stream, nil
}

type anthropicBlock struct {
	Type, Text, ID, Name string
	Input                json.RawMessage
	ToolUseID            string `json:"tool_use_id"`
	IsError              bool   `json:"is_error"`
	Content              json.RawMessage
	Source               struct {
		Type, Data string
		MediaType  string `json:"media_type"`
	}
}

func anthropicBlocks(raw json.RawMessage) ([]anthropicBlock, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []anthropicBlock{{Type: "text", Text: text}}, nil
	}
	var blocks []anthropicBlock
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return nil, fmt.Errorf("content is neither text nor blocks: %w", err)
	}
	return blocks, nil
}

// anthropicMessages takes one message apart; open are calls without a result.
func anthropicMessages(role string, blocks []anthropicBlock, open map[string]bool) ([]model.Message, error) {
	var out []model.Message
	rest := model.Message{Role: role}
	for _, b := range blocks {
		switch b.Type {
		case "text":
			if strings.TrimSpace(b.Text) == "" {
				return nil, fmt.Errorf("a text block is empty")
			}
			rest.Text += b.Text
		case "image":
			image, err := b.image()
			if err != nil {
				return nil, err
			}
			rest.Images = append(rest.Images, image)
		case "tool_use":
			open[b.ID] = true
			rest.Calls = append(rest.Calls, model.Call{ID: b.ID, Name: b.Name, Arguments: b.Input})
		case "tool_result":
			if !open[b.ToolUseID] || rest.Text != "" || rest.Images != nil {
				return nil, fmt.Errorf("result of %q: no call waits for it, or something stands before it", b.ToolUseID)
			}
			delete(open, b.ToolUseID)
			m := model.Message{Role: model.ToolRole, CallID: b.ToolUseID, Failed: b.IsError}
			inner, err := anthropicBlocks(b.Content)
			if err != nil {
				return nil, err
			}
			for _, c := range inner {
				if c.Type == "text" {
					m.Text += c.Text
					continue
				}
				image, err := c.image()
				if err != nil {
					return nil, err
				}
				m.Images = append(m.Images, image)
			}
			out = append(out, m)
		default:
			return nil, fmt.Errorf("block of type %q", b.Type)
		}
	}
	if role == model.User && len(open) > 0 {
		return nil, fmt.Errorf("%d calls have no result", len(open))
	}
	if rest.Text != "" || rest.Images != nil || rest.Calls != nil {
		out = append(out, rest)
	}
	return out, nil
}

func (b anthropicBlock) image() (model.Image, error) {
	if b.Type != "image" || b.Source.Type != "base64" {
		return model.Image{}, fmt.Errorf("block of type %q with a source of %q", b.Type, b.Source.Type)
	}
	switch b.Source.MediaType {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
	default:
		return model.Image{}, fmt.Errorf("image of type %q", b.Source.MediaType)
	}
	data, err := base64.StdEncoding.DecodeString(b.Source.Data)
	if err != nil {
		return model.Image{}, fmt.Errorf("image: %w", err)
	}
	return model.Image{MediaType: b.Source.MediaType, Bytes: data}, nil
}
