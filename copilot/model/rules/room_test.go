package rules_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/rules"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/starter"
)

// A runner does what the copilot's tools would: it notes the calls, and answers in
// their shapes. Each refusal and finding is taken once.
type runner struct {
	refuse   map[string]string // by name of the tool: why
	findings []map[string]any  // of the next finish_step
	answers  []string          // of a person, in turn
	font     float64           // of every text, until it is set
	grows    bool              // letters that are set larger are larger

	plan     []string
	log      []string // calls with their arguments, but for set_plan and finish
	summary  string
	asked    []string
	turns    int
	finished bool
	options  []string
}

// A brief is what the copilot tells first.
type brief map[string]any

func briefOf(tb testing.TB, name, message string) brief {
	tb.Helper()
	about, ok := abouts.Load(name)
	if !ok {
		about = aboutOf(tb, name)
		abouts.Store(name, about)
	}
	return brief{"message": message, "template": about, "selection": []string{}, "size": "", "theme": ""}
}

var abouts sync.Map // what is told of a template, by its name

func aboutOf(tb testing.TB, name string) map[string]any {
	tb.Helper()
	files, err := starter.Files(name)
	if err != nil {
		tb.Fatal(err)
	}
	src := files[name+".html"]
	assets := map[string]string{}
	for p := range files {
		if strings.HasPrefix(p, "assets/") {
			assets[p] = strings.Repeat("0", 64)
		}
	}
	form, err := template.Parse(name, src, assets)
	if err != nil {
		tb.Fatal(err)
	}
	var sizes []map[string]any
	for _, s := range form.Sizes() {
		sizes = append(sizes, map[string]any{"name": s.Name, "w": s.Width, "h": s.Height, "label": s.Label})
	}
	tokens := map[string]string{}
	for _, th := range edit.LookAt(src, nil).Themes {
		if th.Theme == "" {
			for _, t := range th.Tokens {
				tokens[t.Name] = t.Value
			}
		}
	}
	return map[string]any{
		"name": name, "sizes": sizes, "themes": form.Themes(), "variables": form.Vars(), "tokens": tokens, "outline": edit.Outline(src),
	}
}

// run has the rules answer until the end, or until a bound that no conversation may
// reach.
func (r *runner) run(tb testing.TB, b any) {
	tb.Helper()
	first, err := json.Marshal(b)
	if err != nil {
		tb.Fatal(err)
	}
	r.talk(tb, model.Request{System: "…", Messages: []model.Message{{Role: model.User, Text: string(first)}}, MustCall: true})
}

func (r *runner) talk(tb testing.TB, request model.Request) {
	tb.Helper()
	ids := map[string]bool{}
	for !r.finished {
		if r.turns++; r.turns > 12 {
			tb.Fatalf("no end after 12 turns: %q", r.log)
		}
		reply, err := rules.New("").Complete(tb.Context(), request, nil)
		if err != nil {
			tb.Fatal(err)
		}
		if len(reply.Calls) == 0 {
			tb.Fatalf("a reply without a call: %q", reply.Text)
		}
		request.Messages = append(request.Messages, model.Message{Role: model.Assistant, Text: reply.Text, Calls: reply.Calls})
		for _, c := range reply.Calls {
			if ids[c.ID] {
				tb.Fatalf("the id %q is twice in the conversation", c.ID)
			}
			ids[c.ID] = true
			text, failed := r.do(tb, c)
			request.Messages = append(request.Messages, model.Message{Role: model.ToolRole, CallID: c.ID, Text: text, Failed: failed})
		}
	}
}

func (r *runner) do(tb testing.TB, c model.Call) (string, bool) {
	tb.Helper()
	var args map[string]any
	if err := json.Unmarshal(c.Arguments, &args); err != nil {
		tb.Fatalf("%s: the arguments are no object: %s", c.Name, c.Arguments)
	}
	schema, ok := schemas()[c.Name]
	if !ok {
		tb.Fatalf("there is no tool %q", c.Name)
	}
	if err := schema.Validate(args); err != nil {
		tb.Errorf("%s %s: %v", c.Name, c.Arguments, err)
	}
	if len(r.plan) == 0 && c.Name != "set_plan" {
		tb.Fatalf("%s before set_plan", c.Name)
	}
	switch c.Name {
	case "set_plan":
		for _, item := range args["items"].([]any) {
			if n := len(item.(string)); n == 0 || n > 200 {
				tb.Errorf("an item of %d bytes", n)
			}
			r.plan = append(r.plan, item.(string))
		}
		return `{"ok":true}`, false
	case "finish":
		r.summary, r.finished = args["summary"].(string), true
		if n := len(r.summary); n == 0 || n > 1000 {
			tb.Errorf("a summary of %d bytes", n)
		}
		return `{"ok":true}`, false
	}
	raw, _ := json.Marshal(args)
	r.log = append(r.log, c.Name+" "+string(raw))
	if why, ok := r.refuse[c.Name]; ok {
		delete(r.refuse, c.Name)
		return why, true
	}
	return r.answer(c.Name, args), false
}

func (r *runner) answer(name string, args map[string]any) string {
	say := func(v any) string {
		raw, _ := json.Marshal(v)
		return string(raw)
	}
	switch name {
	case "ask_user":
		r.asked = append(r.asked, fmt.Sprint(args["question"], args["choices"]))
		if len(r.answers) == 0 {
			return `{"answer":""}`
		}
		a := r.answers[0]
		r.answers = r.answers[1:]
		return say(map[string]any{"answer": a})
	case "finish_step":
		found := r.findings
		r.findings = nil
		if found == nil {
			found = []map[string]any{}
		}
		return say(map[string]any{"taken": len(found) == 0, "step": 1, "findings": found})
	case "generate_backgrounds":
		var list []map[string]any
		r.options = nil
		for i := range int(args["count"].(float64)) {
			n := fmt.Sprintf("backdrop-%d", i+1)
			r.options = append(r.options, n)
			list = append(list, map[string]any{"Name": n, "Title": "Soft light", "Kind": "gradient"})
		}
		return say(map[string]any{"ok": true, "candidates": list})
	case "render_preview":
		if r.font == 0 {
			r.font = 80
		}
		text := map[string]any{"fontPx": r.font}
		var boxes []map[string]any
		for _, id := range []string{"title", "category", "publication", "author", "ground"} {
			boxes = append(boxes, map[string]any{"id": id, "tag": "div", "x": 64, "y": 128, "width": 720, "height": 330, "text": text})
		}
		return say(map[string]any{"width": 1200, "height": 630, "boxes": boxes, "texts": []any{}})
	case "set_style":
		if r.grows && args["property"] == "font-size" {
			if v, err := strconv.ParseFloat(strings.TrimSuffix(args["value"].(string), "px"), 64); err == nil {
				r.font = v
			}
		}
	case "get_layer":
		return `{"id":"title","attrs":{"p-fit":"shrink"}}`
	case "check":
		return `{"findings":[]}`
	case "tokenize_colors", "derive_dark_theme", "add_size", "relayout", "pick_background":
		return `{"ok":true,"operations":3,"notes":["a note"]}`
	}
	return `{"ok":true}`
}

// schemas are those of the copilot's tools, by name.
var schemas = sync.OnceValue(func() map[string]*jsonschema.Resolved {
	raw, err := os.ReadFile("../../prompts/tools.json")
	if err != nil {
		panic(err)
	}
	var tools []struct {
		Name   string
		Schema *jsonschema.Schema
	}
	if err := json.Unmarshal(raw, &tools); err != nil {
		panic(err)
	}
	all := map[string]*jsonschema.Resolved{}
	for _, t := range tools {
		if all[t.Name], err = t.Schema.Resolve(nil); err != nil {
			panic(err)
		}
	}
	return all
})
