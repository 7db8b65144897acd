package rules_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/rules"
)

// Whatever is asked, and whatever the tools answer, a conversation has a plan and an
// end within twelve turns.
func FuzzMessages(f *testing.F) {
	for _, m := range []string{
		"Make a dark-mode variant", "resize this for Instagram Story", "generate five backgrounds", "make the title bigger, red and bold and center it",
		"change the title to 'Hello'", "1200x630 and 99999x1 and 0x0", "use the 77th background", "don't", "l'arrière-plan d'", "„Hallo“ ‘x’ \"\"", "rgb(1,2,3) #12 #ffff",
		"move the logo 20px to the right in the square", "make it 400% bigger", "and and , , then", "hide the ground; show the ground; remove the ground", "{{ title }}",
		"twice bigger title, much smaller category, bold publication, red title, hide the category, dark mode, square", "\xff\xfe", "16:9", "a-b-c--d", "’",
	} {
		f.Add(m, byte(0), "")
		f.Add(m, byte(0xff), "title")
	}
	f.Fuzz(func(t *testing.T, message string, mood byte, answer string) {
		r := runner{refuse: map[string]string{}, answers: []string{answer, answer, answer}, grows: mood&1 != 0}
		tools := strings.Fields("set_style set_box set_text set_hidden remove_layer add_size derive_dark_theme")
		for i, tool := range tools {
			if mood>>1&(1<<i) != 0 {
				r.refuse[tool] = answer
			}
		}
		if mood&2 != 0 {
			r.findings = []map[string]any{{"code": "overflow", "level": "error", "size": answer, "message": message}}
		}
		r.run(t, briefOf(t, "og-card", strings.ToValidUTF8(message, "?")))
		if len(r.plan) == 0 || r.summary == "" {
			t.Errorf("plan %q, summary %q", r.plan, r.summary)
		}
	})
}

// A first message of another shape, and a conversation that others had, end as well.
func FuzzConversations(f *testing.F) {
	f.Add("make a dark theme", "{}", "set_plan")
	f.Add(`{"message":1,"template":[]}`, "[1]", "finish")
	f.Add(`{"message":"make it red","template":{"outline":[{"id":"a","children":[{"id":"b","parent":"a"}]}],"tokens":[],"sizes":{}}}`, `"yes"`, "get_layer")
	f.Fuzz(func(t *testing.T, first, result, tool string) {
		r := model.Request{Messages: []model.Message{
			{Role: model.User, Text: first},
			{Role: model.Assistant, Calls: []model.Call{{ID: "x", Name: tool, Arguments: json.RawMessage(result)}}},
			{Role: model.ToolRole, CallID: "x", Text: result},
			{Role: model.ToolRole, CallID: "y", Text: result, Failed: true},
		}}
		for turn := 0; ; turn++ {
			if turn > 12 {
				t.Fatal("no end")
			}
			reply, err := rules.New("").Complete(t.Context(), r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(reply.Calls) == 0 || reply.Calls[len(reply.Calls)-1].Name == "finish" {
				return
			}
			r.Messages = append(r.Messages, model.Message{Role: model.Assistant, Calls: reply.Calls})
			for _, c := range reply.Calls {
				r.Messages = append(r.Messages, model.Message{Role: model.ToolRole, CallID: c.ID, Text: result, Failed: turn%2 == 1})
			}
		}
	})
}
