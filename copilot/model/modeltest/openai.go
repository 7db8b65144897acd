package modeltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// pieceLength is how many bytes of a text or of arguments come in a chunk.
const pieceLength = 12

const chunkHead = `{"id":"chatcmpl-%d","object":"chat.completion.chunk","created":1764000000,"model":"scripted-1",`

func openaiStream(n int, t Turn) []byte {
	var b bytes.Buffer
	chunk := func(delta, finish string) {
		fmt.Fprintf(&b, "data: "+chunkHead+`"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`+"\n\n", n, delta, finish)
	}
	chunk(`{"role":"assistant","content":""}`, "null")
	if t.Reasoning != "" {
		chunk(`{"reasoning_content":`+quote(t.Reasoning)+`}`, "null")
	}
	field := "content"
	if t.Refused {
		field = "refusal"
	}
	if t.Text != "" {
		for _, piece := range pieces(t.Text, max(pieceLength, len(t.Text)/1000)) {
			chunk(`{"`+field+`":`+quote(piece)+`}`, "null")
		}
	}
	for i, c := range t.calls(n) {
		id := `"id":` + quote(c.ID) + `,`
		if t.noIDs {
			id = ""
		}
		chunk(fmt.Sprintf(`{"tool_calls":[{"index":%d,%s"type":"function","function":{"name":%s,"arguments":""}}]}`, i, id, quote(c.Name)), "null")
		for _, piece := range pieces(string(c.Arguments), pieceLength) {
			chunk(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(piece)), "null")
		}
	}
	if !t.unfinished {
		chunk("{}", quote(openaiFinish(t)))
	}
	if !t.noUsage {
		fmt.Fprintf(&b, "data: "+chunkHead+`"choices":[],"usage":%s}`+"\n\n", n, openaiUsage(t))
	}
	b.WriteString("data: [DONE]\n\n")
	return b.Bytes()
}

func openaiEndless(what string) (begin, piece []byte) {
	head := fmt.Sprintf(chunkHead, 0)
	return nil, []byte("data: " + head + `"choices":[{"index":0,"delta":{"content":` + quote(what) + `},"finish_reason":null}]}` + "\n\n")
}

func openaiWhole(n int, t Turn) []byte {
	message := `"content":` + quote(t.Text)
	if t.Refused {
		message = `"content":null,"refusal":` + quote(t.Text)
	}
	var calls []string
	for i, c := range t.calls(n) {
		id := `"id":` + quote(c.ID) + `,`
		if t.noIDs {
			id = ""
		}
		calls = append(calls, fmt.Sprintf(`{"index":%d,%s"type":"function","function":{"name":%s,"arguments":%s}}`, i, id, quote(c.Name), quote(string(c.Arguments))))
	}
	if calls != nil {
		message += `,"tool_calls":[` + strings.Join(calls, ",") + `]`
	}
	finish, usage := quote(openaiFinish(t)), openaiUsage(t)
	if t.unfinished {
		finish = "null"
	}
	if t.noUsage {
		usage = "null"
	}
	return fmt.Appendf(nil, `{"id":"chatcmpl-%d","object":"chat.completion","model":"scripted-1","choices":[{"index":0,"message":{"role":"assistant",%s},"finish_reason":%s}],"usage":%s}`,
		n, message, finish, usage)
}

func openaiFinish(t Turn) string {
	switch t.stop() {
	case model.Calls:
		return "tool_calls"
	case model.Length:
		return "length"
	case model.Refused:
		if t.Refused {
			return "stop" // the refusal itself says so
		}
		return "content_filter"
	}
	return "stop"
}

func openaiUsage(t Turn) string {
	u := t.usage()
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, u.In, u.Out, u.In+u.Out)
}

// decodeOpenAI is strict where servers are: a tool's message answers a call of
// the assistant before it, and arguments are JSON.
func decodeOpenAI(body []byte) (model.Request, bool, error) {
	var in struct {
		Model    string
		Stream   bool
		Messages []struct {
			Role      string
			Content   json.RawMessage
			ToolCalls []struct {
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
			ToolCallID string `json:"tool_call_id"`
		}
		Tools []struct {
			Function struct {
				Name, Description string
				Parameters        json.RawMessage
			}
		}
		ToolChoice          json.RawMessage `json:"tool_choice"`
		MaxTokens           int             `json:"max_tokens"`
		MaxCompletionTokens int             `json:"max_completion_tokens"`
		ResponseFormat      struct {
			JSONSchema struct{ Schema json.RawMessage } `json:"json_schema"`
		} `json:"response_format"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return model.Request{}, false, fmt.Errorf("read request: %w", err)
	}
	if in.Model == "" {
		return model.Request{}, false, fmt.Errorf("the request names no model")
	}
	r := model.Request{
		MustCall: string(in.ToolChoice) == `"required"`, MaxTokens: max(in.MaxTokens, in.MaxCompletionTokens),
		Format: in.ResponseFormat.JSONSchema.Schema,
	}
	open := map[string]bool{}
	for i, m := range in.Messages {
		text, images, err := openaiContent(m.Content)
		if err != nil {
			return r, false, fmt.Errorf("messages[%d]: %w", i, err)
		}
		out := model.Message{Role: m.Role, Text: text, Images: images, CallID: m.ToolCallID}
		switch m.Role {
		case "system":
			r.System = text
			continue
		case model.User, model.Assistant:
			if len(open) > 0 {
				return r, false, fmt.Errorf("messages[%d]: %d calls before it have no result", i, len(open))
			}
		case model.ToolRole:
			if !open[m.ToolCallID] {
				return r, false, fmt.Errorf("messages[%d]: no call %q waits for a result", i, m.ToolCallID)
			}
			delete(open, m.ToolCallID)
		default:
			return r, false, fmt.Errorf("messages[%d]: role %q", i, m.Role)
		}
		for _, c := range m.ToolCalls {
			var arguments map[string]any
			if err := json.Unmarshal([]byte(c.Function.Arguments), &arguments); err != nil {
				return r, false, fmt.Errorf("messages[%d]: arguments of %s: %w", i, c.Function.Name, err)
			}
			open[c.ID] = true
			out.Calls = append(out.Calls, model.Call{ID: c.ID, Name: c.Function.Name, Arguments: json.RawMessage(c.Function.Arguments)})
		}
		r.Messages = append(r.Messages, out)
	}
	for _, t := range in.Tools {
		r.Tools = append(r.Tools, model.Tool{Name: t.Function.Name, Description: t.Function.Description, Schema: t.Function.Parameters})
	}
	return r, in.Stream, nil
}

func openaiContent(raw json.RawMessage) (string, []model.Image, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil, nil
	}
	var parts []struct {
		Type, Text string
		ImageURL   struct{ URL string } `json:"image_url"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", nil, fmt.Errorf("content is neither text nor parts: %w", err)
	}
	var texts []string
	var images []model.Image
	for _, p := range parts {
		if p.Type == "text" {
			texts = append(texts, p.Text)
			continue
		}
		rest, ok := strings.CutPrefix(p.ImageURL.URL, "data:")
		mediaType, data, isBase64 := strings.Cut(rest, ";base64,")
		if !ok || !isBase64 {
			return "", nil, fmt.Errorf("an image is no data: URL")
		}
		decoded, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			return "", nil, fmt.Errorf("an image is no base64: %w", err)
		}
		images = append(images, model.Image{MediaType: mediaType, Bytes: decoded})
	}
	return strings.Join(texts, "\n"), images, nil
}
