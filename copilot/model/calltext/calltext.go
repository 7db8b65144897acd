// Package calltext finds calls of tools in text, where models put them that have
// no other way, or whose server does not know their way:
//
//	<tool_call>{"name": …, "arguments": …}</tool_call>         Hermes, Qwen
//	<function=NAME>{…}</function>                              Llama
//	<function=NAME><parameter=KEY>VALUE</parameter></function> Qwen Coder
//	[TOOL_CALLS][{"name": …, "arguments": …}]                  Mistral
//	<|python_tag|>{"name": …, "parameters": …}                 Llama
//	{"tool": …, "arguments": …}, also in a fence of Markdown   anybody
//
// JSON without any tag is a call only where it names a tool that there is: it may
// be an answer. What is not whole is none: nobody runs half a call.
package calltext

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// most is how many calls are taken from one text.
const most = 64

// Parse is the calls in text, in their order, and what else it says. Without
// calls rest is text itself. The calls have no IDs.
func Parse(text string, tools []model.Tool) (rest string, calls []model.Call) {
	known := map[string]bool{}
	for _, t := range tools {
		known[t.Name] = true
	}
	rest, calls = find(text, known)
	if calls == nil {
		return text, nil
	}
	for i := range calls {
		calls[i].Name = plainName(calls[i].Name, known)
	}
	return strings.TrimSpace(rest), calls[:min(len(calls), most)]
}

// A finder takes calls from the first mark of its own on.
type finder func(text string, known map[string]bool) (rest string, calls []model.Call)

var finders = map[string]finder{
	callOpen: tagged, functionOpen: functions, mistralMark: mistral, pythonMark: mistral, fence: bare,
}

// find goes by the mark that stands first: those behind it may be within a text
// that the first call sets, and be the words of somebody else.
func find(text string, known map[string]bool) (string, []model.Call) {
	if begin := strings.TrimSpace(text); isObject([]byte(begin)) || isArray([]byte(begin)) && !strings.HasPrefix(begin, mistralMark) {
		return bare(text, known)
	}
	for behind := text; ; {
		at, mark := first(behind)
		if mark == "" {
			return text, nil
		}
		if rest, calls := finders[mark](behind, known); len(calls) > 0 {
			return text[:len(text)-len(behind)] + rest, calls
		}
		behind = behind[at+len(mark):]
		if mark == fence { // what stands in it is an example
			_, behind, _ = strings.Cut(behind, fence)
		}
	}
}

func first(text string) (at int, mark string) {
	for m := range finders {
		if i := strings.Index(text, m); i >= 0 && (mark == "" || i < at) {
			at, mark = i, m
		}
	}
	return at, mark
}

// Reasoning splits text into what a model thought before it spoke, where it says
// so in a tag, and what it spoke.
func Reasoning(text string) (thought, spoken string) {
	begin := strings.TrimLeft(text, " \t\r\n")
	for _, tag := range []string{"think", "thinking", "reasoning"} {
		inner, ok := strings.CutPrefix(begin, "<"+tag+">")
		if !ok {
			continue
		}
		thought, spoken, closed := strings.Cut(inner, "</"+tag+">")
		if !closed {
			return inner, ""
		}
		return strings.TrimSpace(thought), strings.TrimLeft(spoken, " \t\r\n")
	}
	return "", text
}

// Marks are what a text has before a call that stands in a tag.
func Marks() []string {
	return slices.Collect(maps.Keys(finders))
}

const (
	callOpen, callClose         = "<tool_call>", "</tool_call>"
	functionOpen, functionClose = "<function=", "</function>"
	mistralMark                 = "[TOOL_CALLS]"
	pythonMark                  = "<|python_tag|>"
	fence                       = "```"
)

// tagged takes <tool_call> elements, the last of which may lack its end where its
// JSON does not.
func tagged(text string, known map[string]bool) (string, []model.Call) {
	var rest strings.Builder
	var calls []model.Call
	for {
		before, after, found := strings.Cut(text, callOpen)
		rest.WriteString(before)
		if !found {
			return rest.String(), calls
		}
		if strings.HasPrefix(strings.TrimSpace(after), functionOpen) {
			inner, behind, _ := strings.Cut(after, callClose)
			_, more := functions(inner, known)
			calls, text = append(calls, more...), behind
			continue
		}
		// The end of the JSON counts, not the next tag: that may be within a text of it.
		values, behind := leading(after)
		for _, v := range values {
			calls = append(calls, actions(v)...)
		}
		text = strings.TrimPrefix(strings.TrimLeft(behind, " \t\r\n"), callClose)
	}
}

func functions(text string, _ map[string]bool) (string, []model.Call) {
	var rest strings.Builder
	var calls []model.Call
	for {
		before, after, found := strings.Cut(text, functionOpen)
		rest.WriteString(before)
		if !found {
			return rest.String(), calls
		}
		name, body, named := strings.Cut(after, ">")
		if values, behind := leading(body); len(values) == 1 && isObject(values[0]) {
			behind, closed := strings.CutPrefix(strings.TrimLeft(behind, " \t\r\n"), functionClose)
			if !named || !closed {
				return rest.String(), calls
			}
			calls, text = append(calls, model.Call{Name: strings.Trim(name, ` "'`), Arguments: values[0]}), behind
			continue
		}
		inner, behind, closed := strings.Cut(body, functionClose)
		if !named || !closed {
			return rest.String(), calls
		}
		if arguments, ok := parameters(inner); ok {
			calls = append(calls, model.Call{Name: strings.Trim(name, ` "'`), Arguments: arguments})
		}
		text = behind
	}
}

// parameters reads <parameter=KEY>VALUE</parameter>, of which a value that is JSON
// is that and any other is text.
func parameters(inner string) (json.RawMessage, bool) {
	arguments := map[string]json.RawMessage{}
	for {
		before, after, found := strings.Cut(inner, "<parameter=")
		if !found {
			if strings.TrimSpace(before) != "" {
				return nil, false
			}
			raw, err := json.Marshal(arguments)
			return raw, err == nil
		}
		key, body, named := strings.Cut(after, ">")
		value, behind, closed := strings.Cut(body, "</parameter>")
		if !named || !closed {
			return nil, false
		}
		value = strings.Trim(value, "\r\n")
		if !json.Valid([]byte(value)) {
			quoted, err := json.Marshal(value)
			if err != nil {
				return nil, false
			}
			value = string(quoted)
		}
		arguments[strings.Trim(key, ` "'`)], inner = json.RawMessage(value), behind
	}
}

func mistral(text string, _ map[string]bool) (string, []model.Call) {
	for _, mark := range []string{mistralMark, pythonMark} {
		before, after, found := strings.Cut(text, mark)
		if !found {
			continue
		}
		var calls []model.Call
		if name, arguments, ok := strings.Cut(after, "{"); ok && name != "" && !strings.ContainsAny(strings.TrimSpace(name), " \n[") {
			if values, _ := leading("{" + arguments); len(values) > 0 { // [TOOL_CALLS]name{…}
				calls = append(calls, model.Call{Name: strings.TrimSuffix(strings.TrimSpace(name), "[ARGS]"), Arguments: values[0]})
				return before, calls
			}
		}
		values, _ := leading(after)
		for _, v := range values {
			calls = append(calls, actions(v)...)
		}
		return before, calls
	}
	return text, nil
}

// bare takes a text that is JSON, or ends in a fence with JSON, where all that it
// calls are tools.
func bare(text string, known map[string]bool) (string, []model.Call) {
	before, inner := "", strings.TrimSpace(text)
	end := ""
	if at := strings.Index(inner, fence); at >= 0 && !isObject([]byte(inner)) && !isArray([]byte(inner)) {
		before, end = inner[:at], fence
		_, inner, _ = strings.Cut(inner[at+len(fence):], "\n") // behind the language
	}
	values, behind := leading(inner)
	if strings.TrimSpace(behind) != end {
		return text, nil
	}
	var calls []model.Call
	for _, v := range values {
		found := actions(v)
		if found == nil {
			return text, nil
		}
		calls = append(calls, found...)
	}
	for _, c := range calls {
		if !known[plainName(c.Name, known)] {
			return text, nil
		}
	}
	return before, calls
}

// leading are the JSON values with which text begins, and what is behind them.
func leading(text string) (values []json.RawMessage, behind string) {
	dec := json.NewDecoder(strings.NewReader(text))
	end := int64(0)
	for len(values) < most {
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			break
		}
		values, end = append(values, v), dec.InputOffset()
	}
	return values, text[end:]
}

// actions are the calls that one JSON value describes: an object that names a
// tool and its arguments in any of the words in use, or several in an array or
// below "tool_calls". nil where it describes none.
func actions(v json.RawMessage) []model.Call {
	if list := []json.RawMessage(nil); json.Unmarshal(v, &list) == nil {
		var calls []model.Call
		for _, inner := range list {
			found := actions(inner)
			if found == nil || len(calls) > most {
				return nil
			}
			calls = append(calls, found...)
		}
		return calls
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(v, &object) != nil || object == nil {
		return nil
	}
	for _, wrapper := range []string{"tool_calls", "function", "function_call", "action", "tool_call"} {
		if inner, ok := object[wrapper]; ok && (isObject(inner) || isArray(inner)) {
			return actions(inner)
		}
	}
	name := ""
	for _, word := range []string{"name", "tool", "tool_name", "function", "action"} {
		if json.Unmarshal(object[word], &name) == nil && name != "" {
			break
		}
	}
	if name == "" {
		return nil
	}
	for _, word := range []string{"arguments", "parameters", "args", "input", "tool_input", "action_input"} {
		arguments, ok := object[word]
		if !ok {
			continue
		}
		var quoted string // as OpenAI has it: JSON in a string
		if json.Unmarshal(arguments, &quoted) == nil {
			arguments = json.RawMessage(quoted)
		}
		return []model.Call{{Name: name, Arguments: arguments}}
	}
	return []model.Call{{Name: name, Arguments: json.RawMessage("{}")}}
}

func isObject(v json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(v), []byte("{")) }
func isArray(v json.RawMessage) bool  { return bytes.HasPrefix(bytes.TrimSpace(v), []byte("[")) }

// plainName is a name without what models put before it out of habit.
func plainName(name string, known map[string]bool) string {
	name = strings.TrimSpace(name)
	if known[name] {
		return name
	}
	for _, habit := range []string{"functions.", "functions:", "tools.", "default_api."} {
		if plain, ok := strings.CutPrefix(name, habit); ok && known[plain] {
			return plain
		}
	}
	return name
}

// Name is the tool that a model means by name.
func Name(name string, tools []model.Tool) string {
	known := map[string]bool{}
	for _, t := range tools {
		known[t.Name] = true
	}
	return plainName(name, known)
}
