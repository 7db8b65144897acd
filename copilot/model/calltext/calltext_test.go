package calltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/calltext"
)

var tools = []model.Tool{{Name: "set_text"}, {Name: "finish"}}

func call(name, arguments string) model.Call {
	return model.Call{Name: name, Arguments: []byte(arguments)}
}

func TestCallsAreFoundInEveryManner(t *testing.T) {
	one := []model.Call{call("set_text", `{"id": "a"}`)}
	for text, want := range map[string]struct {
		rest  string
		calls []model.Call
	}{
		`<tool_call>{"name": "set_text", "arguments": {"id": "a"}}</tool_call>`:                                                  {"", one},
		"I do it.\n<tool_call>\n{\"name\": \"set_text\", \"arguments\": {\"id\": \"a\"}}\n</tool_call>":                          {"I do it.", one},
		`<tool_call>{"name": "set_text", "arguments": {"id": "a"}}`:                                                              {"", one},
		`<tool_call>{"name":"set_text","arguments":{"id": "a"}}</tool_call> and <tool_call>{"name":"nothing_known"}</tool_call>`: {"and", append(one[:1:1], call("nothing_known", "{}"))},
		`<tool_call><function=set_text><parameter=id>a</parameter></function></tool_call>`:                                       {"", []model.Call{call("set_text", `{"id":"a"}`)}},
		"<function=set_text>\n<parameter=id>\na\n</parameter>\n<parameter=n>\n3\n</parameter>\n</function>":                      {"", []model.Call{call("set_text", `{"id":"a","n":3}`)}},
		`<function=set_text>{"id": "a"}</function>`:                                                                              {"", one},
		`[TOOL_CALLS][{"name": "set_text", "arguments": {"id": "a"}}, {"name":"finish","arguments":{}}]`:                         {"", append(one[:1:1], call("finish", "{}"))},
		`[TOOL_CALLS]set_text{"id": "a"}`:                                                                                        {"", one},
		`<|python_tag|>{"name": "set_text", "parameters": {"id": "a"}}`:                                                          {"", one},
		`{"name": "set_text", "arguments": {"id": "a"}}`:                                                                         {"", one},
		`{"tool": "functions.set_text", "args": {"id": "a"}}`:                                                                    {"", one},
		`{"tool_calls": [{"type": "function", "function": {"name": "set_text", "arguments": "{\"id\": \"a\"}"}}]}`:               {"", one},
		`{"action": {"tool": "set_text", "arguments": {"id": "a"}}}`:                                                             {"", one},
		"So:\n```json\n{\"name\": \"set_text\", \"arguments\": {\"id\": \"a\"}}\n```\n":                                          {"So:", one},
		"{\"name\": \"set_text\", \"arguments\": {\"id\": \"a\"}}\n{\"name\": \"finish\"}":                                       {"", append(one[:1:1], call("finish", "{}"))},
	} {
		rest, calls := calltext.Parse(text, tools)
		if d := cmp.Diff(want.calls, calls); d != "" || rest != want.rest {
			t.Errorf("%s\nrest %q, want %q; calls (-want +got):\n%s", text, rest, want.rest, d)
		}
	}
}

func TestTextThatIsNoCallStaysText(t *testing.T) {
	for _, text := range []string{
		"", "Done.", "a < b and b > c", `{"answer": 42}`, `{"name": "Ada", "arguments": {}}`, `[1, 2]`, "[]", "null",
		"```json\n{\"name\": \"set_text\"}\n```\nis how a call looks",
		"`<b>` is bold", `{"name": "set_text", "arguments": {"id": "a"`, `<tool_call>{"name": "set_text", "argu`,
		`<function=set_text><parameter=id>a`, `<function=set_text`, `[TOOL_CALLS]`, `[TOOL_CALLS][{"name": "set_te`,
		`{"action": {"action": {"action": 1}}}`, "I would say {\"name\": \"set_text\"}",
	} {
		if rest, calls := calltext.Parse(text, tools); calls != nil || rest != text {
			t.Errorf("%q: rest %q, calls %v; want the text as it was", text, rest, calls)
		}
	}
}

func TestHalfACallIsNone(t *testing.T) {
	for _, whole := range []string{
		`<tool_call>{"name": "set_text", "arguments": {"id": "a"}}</tool_call>`,
		`<function=set_text><parameter=id>a</parameter></function>`,
		`[TOOL_CALLS][{"name": "set_text", "arguments": {"id": "a"}}]`,
		`{"name": "set_text", "arguments": {"id": "a"}}`,
		"```json\n{\"name\": \"set_text\", \"arguments\": {\"id\": \"a\"}}\n```",
	} {
		_, want := calltext.Parse(whole, tools)
		for n := range len(whole) {
			if _, calls := calltext.Parse(whole[:n], tools); calls != nil {
				if d := cmp.Diff(want, calls); d != "" {
					t.Errorf("%q: half a call (-whole +half):\n%s", whole[:n], d)
				}
			}
		}
	}
}

func TestCallWithinATextThatIsSetIsText(t *testing.T) {
	for _, hidden := range []string{
		`<tool_call><function=finish></function></tool_call>`, `</tool_call><tool_call><function=finish></function></tool_call>`, "</function><function=finish></function>",
		"[TOOL_CALLS]finish{}", "<function=finish></function>", "```", "```\\n{}```",
	} {
		arguments := `{"id": "a", "text": "` + hidden + `"}`
		for _, text := range []string{
			`{"tool": "set_text", "arguments": ` + arguments + `}`,
			`[{"tool": "set_text", "arguments": ` + arguments + `}]`,
			`<tool_call>{"name": "set_text", "arguments": ` + arguments + `}</tool_call>`,
			`<function=set_text>` + arguments + `</function>`,
			"```json\n" + `{"tool": "set_text", "arguments": ` + arguments + "}\n```",
		} {
			_, calls := calltext.Parse(text, tools)
			if d := cmp.Diff([]model.Call{call("set_text", arguments)}, calls); d != "" {
				t.Errorf("%s (-want +got):\n%s", text, d)
			}
		}
	}
}

func TestThoughtIsNotSpoken(t *testing.T) {
	for text, want := range map[string][2]string{
		"<think>hm\n</think>\n\nDone.": {"hm", "Done."},
		"<think>hm":                    {"hm", ""},
		"Done. <think> is a tag":       {"", "Done. <think> is a tag"},
		"</think>Done.":                {"", "</think>Done."},
	} {
		if thought, spoken := calltext.Reasoning(text); thought != want[0] || spoken != want[1] {
			t.Errorf("%q = %q, %q; want %q", text, thought, spoken, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`<tool_call>{"name": "set_text", "arguments": {"id": "a"}}</tool_call>`, `[TOOL_CALLS]finish{}`,
		"```json\n{\"tool\": \"finish\"}\n```", `<function=finish><parameter=a>1</parameter></function>`, strings.Repeat("[", 100),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rest, calls := calltext.Parse(text, tools)
		if calls == nil && rest != text {
			t.Errorf("text changed from %q to %q without any call", text, rest)
		}
		if len(calls) > 64 {
			t.Errorf("%d calls", len(calls))
		}
		for _, c := range calls {
			if c.ID != "" {
				t.Errorf("a call has the ID %q", c.ID)
			}
		}
	})
}
