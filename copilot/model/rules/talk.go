package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// A talk is a conversation that is gone through again from its beginning: what was
// called and answered is looked up, and the first call without an answer is what
// is to be said next. So a reply follows from the conversation alone.
type talk struct {
	brief
	past  []exchange
	turns int // replies so far
	tools map[string]model.Tool

	next    []model.Call // calls without an answer
	last    string       // layer that was spoken of last
	told    []string     // what was done
	apart   []string     // what was not, and why
	found   []finding    // by the last checks
	options []string     // backgrounds to pick one of
	checked bool         // the checks have said something
	late    bool         // no turns are left
}

// An exchange is a call with its answer.
type exchange struct {
	name     string
	answer   result
	answered bool
}

// A result is the answer to a call.
type result struct {
	text   string
	failed bool
}

// maxTurns is after how many replies a conversation comes to its end, whatever
// happens in it.
const maxTurns = 12

func listen(r model.Request) *talk {
	t := &talk{brief: read(r.Messages), tools: map[string]model.Tool{}}
	for _, tool := range r.Tools {
		t.tools[tool.Name] = tool
	}
	at := map[string]int{} // by id of the call
	for _, m := range r.Messages {
		switch m.Role {
		case model.Assistant:
			t.turns++
			for _, c := range m.Calls {
				at[c.ID] = len(t.past)
				t.past = append(t.past, exchange{name: c.Name})
			}
		case model.ToolRole:
			if i, ok := at[m.CallID]; ok && !t.past[i].answered {
				t.past[i].answer, t.past[i].answered = result{m.Text, m.Failed}, true
			}
		}
	}
	// What was called and never answered was not done.
	t.past = slices.DeleteFunc(t.past, func(e exchange) bool { return !e.answered })
	return t
}

// A want is a call before it is made.
type want struct {
	name string
	args map[string]any
}

// do has calls made, in one reply. It is false as long as one of them has no answer:
// then whoever called returns, and the reply is made of t.next.
func (t *talk) do(wants ...want) ([]result, bool) {
	if t.late || len(t.next) > 0 {
		return nil, false
	}
	var answers []result
	for _, w := range wants {
		if len(t.tools) > 0 && t.tools[w.name].Name == "" {
			answers = append(answers, result{text: fmt.Sprintf("the tool %s is not offered here", w.name), failed: true})
			continue
		}
		i := slices.IndexFunc(t.past, func(e exchange) bool { return e.name == w.name })
		if i >= 0 && len(t.next) == 0 {
			answers = append(answers, t.past[i].answer)
			t.past = t.past[i+1:]
			continue
		}
		args, _ := json.Marshal(w.args) // of texts, numbers and lists
		t.next = append(t.next, model.Call{ID: fmt.Sprintf("rules-%d-%d", t.turns+1, len(t.next)+1), Name: w.name, Arguments: args})
	}
	if len(t.next) == 0 {
		return answers, true
	}
	if t.turns >= maxTurns-1 && !slices.ContainsFunc(t.next, func(c model.Call) bool { return c.Name == "finish" }) {
		t.next, t.late = nil, true
	}
	return nil, false
}

func (t *talk) one(name string, args map[string]any) (result, bool) {
	all, ok := t.do(want{name, args})
	if !ok {
		return result{}, false
	}
	return all[0], true
}

// why is a result in one line.
func (r result) why() string {
	text := r.text
	var said struct {
		Error   any    `json:"error"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}
	if json.Unmarshal([]byte(text), &said) == nil {
		if m, ok := said.Error.(map[string]any); ok {
			said.Message, _ = m["message"].(string)
		} else if s, ok := said.Error.(string); ok {
			said.Message = s
		}
		if said.Message != "" {
			text = said.Message
		}
		if said.Hint != "" {
			text += ": " + said.Hint
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "…"
	}
	return strings.TrimRight(text, ".")
}

// value is a result as JSON; nil where it is none.
func (r result) value() any {
	var v any
	if json.Unmarshal([]byte(r.text), &v) != nil {
		return nil
	}
	return v
}

// A finding is one of the checks'.
type finding struct {
	Code    string `json:"code"`
	Level   string `json:"level"`
	Layer   string `json:"layer"`
	Size    string `json:"size"`
	Theme   string `json:"theme"`
	Message string `json:"message"`
}

// findings are those in the answer of finish_step or check.
func (r result) findings() (list []finding, said bool) {
	var answer struct {
		Findings *[]finding `json:"findings"`
	}
	if json.Unmarshal([]byte(r.text), &answer) == nil && answer.Findings != nil {
		return *answer.Findings, true
	}
	if json.Unmarshal([]byte(r.text), &list) == nil {
		return list, true
	}
	return nil, false
}

// finishStep commits the item. Where the checks have something against it, mend is
// called, once, and the item is committed as it is then: the summary says what is
// left. taken says whether it is a step now, or had nothing in it.
func (t *talk) finishStep(title string, mend *want) (taken, ok bool) {
	before := slices.Clone(t.found)
	for range 3 { // the third time it is taken as it is
		r, ok := t.one("finish_step", map[string]any{"title": title})
		if !ok {
			return false, false
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", title, r.why()))
			return false, true
		}
		t.found = before
		t.heed(r)
		if said, _ := r.value().(map[string]any); said["taken"] != false {
			return true, true
		}
		if mend == nil {
			continue
		}
		w := *mend
		mend = nil
		if w.args == nil { // of the size in which something was found
			w.args = map[string]any{"size": t.ailing()}
		}
		if _, ok := t.do(w); !ok {
			return false, false
		}
	}
	return false, true
}

// ailing is the size of the first thing that was found.
func (t *talk) ailing() string {
	for _, f := range t.found {
		if f.Level == "error" && f.Size != "" {
			return f.Size
		}
	}
	return t.Size
}

// heed notes what the checks say now.
func (t *talk) heed(r result) {
	list, said := r.findings()
	if !said {
		return
	}
	t.checked = true
	for _, f := range list {
		if !slices.Contains(t.found, f) {
			t.found = append(t.found, f)
		}
	}
}
