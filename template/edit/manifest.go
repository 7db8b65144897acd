package edit

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A member is one key and value of a JSON object, by places in its text.
type member struct {
	key                string
	start              int // of the key
	valueStart, valEnd int
}

// members reads the object that text is.
func members(text string) ([]member, bool) {
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, false
	}
	dec := json.NewDecoder(strings.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil, false
	}
	var list []member
	for dec.More() {
		m := member{start: pass(text, int(dec.InputOffset()), " \t\r\n,")}
		key, err := dec.Token()
		if err != nil {
			return nil, false
		}
		m.key, _ = key.(string)
		m.valueStart = pass(text, int(dec.InputOffset()), " \t\r\n:")
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, false
		}
		m.valEnd = int(dec.InputOffset())
		list = append(list, m)
	}
	return list, true
}

func pass(text string, i int, set string) int {
	for i < len(text) && strings.IndexByte(set, text[i]) >= 0 {
		i++
	}
	return i
}

// setMember gives the object that text is a member, or takes one away (""). A
// new one goes before the member before, else to the end.
func setMember(text, key, value, before, indent string) string {
	list, _ := members(text)
	at := indexOf(list, key)
	switch {
	case at >= 0 && value != "":
		return text[:list[at].valueStart] + value + text[list[at].valEnd:]
	case at >= 0:
		return withoutMember(text, list, at)
	case value == "":
		return text
	}
	written := quoted(key) + ": " + value
	open := strings.IndexByte(text, '{') + 1
	switch next := indexOf(list, before); {
	case len(list) == 0:
		return text[:open] + "\n" + indent + "  " + written + "\n" + indent + "}" + text[strings.LastIndexByte(text, '}')+1:]
	case next >= 0:
		return text[:list[next].start] + written + "," + spaceBefore(text, list, next) + text[list[next].start:]
	}
	last := len(list) - 1
	return text[:list[last].valEnd] + "," + spaceBefore(text, list, last) + written + text[list[last].valEnd:]
}

func withoutMember(text string, list []member, at int) string {
	switch {
	case len(list) == 1:
		return text[:strings.IndexByte(text, '{')+1] + text[strings.LastIndexByte(text, '}'):]
	case at+1 < len(list):
		return text[:list[at].start] + text[list[at+1].start:]
	}
	return text[:list[at-1].valEnd] + text[list[at].valEnd:]
}

// spaceBefore is the white space before a member.
func spaceBefore(text string, list []member, i int) string {
	head := text[:list[i].start]
	space := head[len(strings.TrimRight(head, " \t\r\n")):]
	if space == "" {
		return " "
	}
	return space
}

func indexOf(list []member, key string) int {
	for i, m := range list {
		if m.key == key && key != "" {
			return i
		}
	}
	return -1
}

func quoted(s string) string {
	raw, _ := json.Marshal(s) // a string always encodes
	out, _ := markup.InlineJSON(raw)
	return out
}

// manifest is the script of the manifest and its text.
func (e *editor) manifest() (*markup.Node, string, *problem.Error) {
	n := e.doc.Find(manifestID)
	if n == nil || n.Name != "script" {
		return nil, "", problem.New(problem.NotFound, "the document has no manifest").
			WithHint(`write <script type="application/json" id="p-template">{}</script> into the head`)
	}
	text := n.Inner()
	if _, ok := members(text); !ok {
		return nil, "", problem.New(problem.Invalid, "the manifest is not a JSON object")
	}
	return n, text, nil
}

// entry is the text of a member of a section ("vars", "sizes"), "" if there is
// none, and the key of the member behind it.
func entry(text, section, key string) (value, after string) {
	list, _ := members(text)
	at := indexOf(list, section)
	if at < 0 {
		return "", ""
	}
	inner := text[list[at].valueStart:list[at].valEnd]
	entries, _ := members(inner)
	i := indexOf(entries, key)
	if i < 0 {
		return "", ""
	}
	if i+1 < len(entries) {
		after = entries[i+1].key
	}
	return inner[entries[i].valueStart:entries[i].valEnd], after
}

// keys are the members of a section, in their order.
func keys(text, section string) []string {
	list, _ := members(text)
	at := indexOf(list, section)
	if at < 0 {
		return nil
	}
	entries, _ := members(text[list[at].valueStart:list[at].valEnd])
	var names []string
	for _, m := range entries {
		names = append(names, m.key)
	}
	return names
}

// setEntry changes a member of a section, which is made if there is none.
func setEntry(text, section, key, value, before string) (string, *problem.Error) {
	list, _ := members(text)
	at := indexOf(list, section)
	if at < 0 {
		if value == "" {
			return text, nil
		}
		return setMember(text, section, setMember("{}", key, value, "", "  "), "", ""), nil
	}
	inner := text[list[at].valueStart:list[at].valEnd]
	if _, ok := members(inner); !ok {
		return "", problem.New(problem.Invalid, "%s in the manifest is not an object", section)
	}
	return text[:list[at].valueStart] + setMember(inner, key, value, before, "  ") + text[list[at].valEnd:], nil
}

func (e *editor) setVar(op Op) ([]way, *problem.Error) {
	if strings.TrimSpace(op.Name) != op.Name || op.Name == "" || strings.HasPrefix(op.Name, "$") {
		return nil, problem.New(problem.Invalid, "%q cannot be the name of a variable", op.Name).At("name")
	}
	value := ""
	if raw := bytes.TrimSpace(op.Var); len(raw) > 0 && string(raw) != "null" {
		var err error
		if value, err = markup.InlineJSON(raw); err != nil || raw[0] != '{' {
			return nil, problem.New(problem.Invalid, "a variable must be an object of JSON").At("var")
		}
	}
	n, text, p := e.manifest()
	if p != nil {
		return nil, p.At("name")
	}
	e.touch("var:" + op.Name)
	old, after := entry(text, "vars", op.Name)
	changed, p := setEntry(text, "vars", op.Name, value, op.Before)
	if p != nil {
		return nil, p.At("name")
	}
	undo := Op{Op: "set_var", Name: op.Name, Before: after}
	if old != "" {
		undo.Var = json.RawMessage(old)
	}
	return []way{{undo.bare()}, {undo}}, e.edit(n, changed)
}

// unquoted is the text that a JSON string is; "" of anything else.
func unquoted(raw string) (s string) {
	if json.Unmarshal([]byte(raw), &s) != nil {
		return ""
	}
	return s
}
