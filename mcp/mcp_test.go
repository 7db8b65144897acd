package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// A desk answers requests in place of the API, and remembers them.
type desk struct {
	mu      sync.Mutex
	asked   []*http.Request
	bodies  []string
	answers map[string]string // to method and path; else {}
	status  map[string]int
}

func (d *desk) do(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
	}
	way := r.Method + " " + r.URL.EscapedPath()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked, d.bodies = append(d.asked, r), append(d.bodies, body)
	text, ok := d.answers[way]
	if !ok {
		text = "{}"
	}
	status := d.status[way]
	if status == 0 {
		status = http.StatusOK
	}
	if text == "panic" {
		panic("as it was asked for")
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
}

// connected is a client of a server that asks d.
func connected(t *testing.T, d *desk) *sdk.ClientSession {
	t.Helper()
	s := New(Options{Do: d.do, Version: "1.2.3"})
	ours, theirs := sdk.NewInMemoryTransports()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Connect(ctx, ours) }()
	c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		cancel()
		<-ended
	})
	return c
}

func called(t *testing.T, c *sdk.ClientSession, name string, args map[string]any) *sdk.CallToolResult {
	t.Helper()
	res, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return res
}

func textOf(res *sdk.CallToolResult) string {
	return res.Content[len(res.Content)-1].(*sdk.TextContent).Text
}

// sets are calls of each tool that make all requests that it may make.
var sets = map[string][]map[string]any{
	"list_templates":   {nil},
	"get_template":     {{"template": "card", "source": true}},
	"list_starters":    {nil},
	"create_template":  {{"name": "card", "starter": "badge"}},
	"list_operations":  {nil},
	"edit_template":    {{"template": "card", "revision": 1, "operations": []any{map[string]any{}}}},
	"undo_edit":        {{"template": "card"}},
	"discard_draft":    {{"template": "card", "revision": 1}},
	"forecast_publish": {{"template": "card"}},
	"publish_template": {{"template": "card", "revision": 1}},
	"render_preview":   {{"template": "card"}},
	"check_template":   {{"template": "card"}},
	"start_batch":      {{"template": "card"}},
	"get_job":          {{"job": "batch_1", "wait_seconds": 1}},
	"list_jobs":        {nil},
	"cancel_job":       {{"job": "batch_1"}},
	"list_bindings":    {nil},
	"get_binding":      {{"binding": "cards"}},
	"list_rows":        {{"binding": "cards"}},
	"get_row":          {{"binding": "cards", "key": "SKU-1"}},
	"refresh_binding":  {{"binding": "cards"}, {"binding": "cards", "keys": []any{"a"}, "dry_run": true}},
	"list_sources":     {nil},
	"list_sinks":       {nil},
	"list_deliveries":  {nil},
	"list_experiments": {nil},
	"get_experiment":   {{"experiment": "spring"}},

	"start_copilot_run":      {{"template": "card", "message": "dark"}},
	"get_copilot_run":        {{"run": "run_1", "wait_seconds": 1, "pictures": true}},
	"answer_copilot_run":     {{"run": "run_1", "question": "q1", "answer": "yes"}},
	"accept_copilot_run":     {{"run": "run_1"}, {"run": "run_1", "step": 2}},
	"reject_copilot_step":    {{"run": "run_1", "step": 2}},
	"pick_copilot_candidate": {{"run": "run_1", "candidate": "mesh-1"}},
	"discard_copilot_run":    {{"run": "run_1"}},
}

func TestToolsMakeTheRequestsThatTheySay(t *testing.T) {
	d := &desk{answers: map[string]string{
		"GET /copilot/runs/run_1":    `{"status": "running", "steps": [{"after": "after-1"}]}`,
		"GET /templates/card/rows":   `{"variables": {"title": "Mug"}}`,
		"POST /templates/card/draft": `{}`,
	}}
	c := connected(t, d)
	for _, tool := range Tools() {
		d.asked = nil
		if sets[tool.Name] == nil {
			t.Errorf("no call of %s", tool.Name)
		}
		for _, args := range sets[tool.Name] {
			called(t, c, tool.Name, args)
		}
		missing := map[string]bool{}
		for _, route := range tool.Routes {
			missing[route] = true
		}
		for _, r := range d.asked {
			i := slices.IndexFunc(tool.Routes, func(route string) bool { return fits(route, r) })
			if i < 0 {
				t.Errorf("%s asks %s %s, and does not say so", tool.Name, r.Method, r.URL.Path)
				continue
			}
			delete(missing, tool.Routes[i])
		}
		for route := range missing {
			t.Errorf("%s says that it asks %s, and does not", tool.Name, route)
		}
	}
}

var wildcard = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func fits(route string, r *http.Request) bool {
	pattern := "^" + wildcard.ReplaceAllString(regexp.QuoteMeta(route), "[^/]+") + "$"
	return regexp.MustCompile(pattern).MatchString(r.Method + " " + r.URL.EscapedPath())
}

func TestToolsSayWhatTheyAre(t *testing.T) {
	d := &desk{answers: map[string]string{"GET /session": `{"scopes": ["templates:read","templates:write","renders:read","renders:write","bindings:read","bindings:write","connections:read","experiments:read"]}`}}
	list, err := connected(t, d).ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Tools) != len(Tools()) {
		t.Errorf("%d tools are listed of %d", len(list.Tools), len(Tools()))
	}
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)
	for _, tool := range list.Tools {
		a := tool.Annotations
		if !name.MatchString(tool.Name) || tool.Title == "" || a == nil || a.DestructiveHint == nil || a.OpenWorldHint == nil || !strings.HasSuffix(strings.TrimSpace(tool.Description), ".") {
			t.Errorf("%s: %+v %+v", tool.Name, tool, a)
			continue
		}
		if *a.DestructiveHint && a.ReadOnlyHint {
			t.Errorf("%s reads only, and destroys", tool.Name)
		}
		reads := regexp.MustCompile(`^(list|get|render|check|forecast)_`).MatchString(tool.Name)
		if a.ReadOnlyHint != reads {
			t.Errorf("%s: readOnlyHint %v", tool.Name, a.ReadOnlyHint)
		}
		described(t, tool.Name+" takes", tool.InputSchema)
		described(t, tool.Name+" answers", tool.OutputSchema)
		if props := tool.InputSchema.(map[string]any)["properties"]; reads == (strings.Contains(fmt.Sprint(props), "dry_run")) && reads {
			t.Errorf("%s reads, and has dry_run", tool.Name)
		}
	}
}

// described wants an object that says what it has, and of arguments each of a word that
// is written like all others.
func described(t *testing.T, what string, schema any) {
	t.Helper()
	data, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Type       string
		Properties map[string]any
		Additional any `json:"additionalProperties"`
	}
	if err := json.Unmarshal(data, &s); err != nil || s.Type != "object" {
		t.Errorf("%s %s: %v", what, data, err)
	}
	for name := range s.Properties {
		if strings.HasSuffix(what, "takes") && !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(name) {
			t.Errorf("%s %q", what, name)
		}
	}
	if string(data) != "" && strings.HasSuffix(what, "takes") && s.Additional == nil {
		t.Errorf("%s more than it says", what)
	}
}

func TestKeySeesOnlyItsTools(t *testing.T) {
	d := &desk{answers: map[string]string{"GET /session": `{"scopes": ["experiments:read"]}`}}
	list, err := connected(t, d).ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	if diff := cmp.Diff([]string{"get_experiment", "list_experiments"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestCopilotsToolsAreThereWhereTheCopilotIs(t *testing.T) {
	const scopes = `{"scopes": ["templates:read","templates:write","renders:read","renders:write"]}`
	for status, want := range map[int]bool{200: true, 404: false, 503: true} {
		d := &desk{answers: map[string]string{"GET /session": scopes}, status: map[string]int{"GET /copilot/models": status}}
		list, err := connected(t, d).ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(list.Tools, func(tool *sdk.Tool) bool { return tool.Name == "start_copilot_run" })
		if got != want {
			t.Errorf("the models answer %d, and the tools are there: %v", status, got)
		}
	}
}

func TestRefusalSaysWhatWhereAndWhatToDo(t *testing.T) {
	d := &desk{
		answers: map[string]string{"PATCH /templates/card/draft": `{"detail": "2 problems: there is no layer \"x\"", "code": "layer_not_found", "hint": "read the outline", "requestId": "req_1",
			"errors": [{"field": "ops[0].id", "message": "there is no layer \"x\"", "code": "layer_not_found"}, {"field": "ops[1].id", "message": "there is no layer \"y\"", "line": 3, "column": 7}]}`},
		status: map[string]int{"PATCH /templates/card/draft": 422},
	}
	res := called(t, connected(t, d), "edit_template", map[string]any{"template": "card", "revision": 3, "operations": []any{map[string]any{"op": "set_text"}}})
	want := "2 problems: there is no layer \"x\" (layer_not_found)\n- ops[0].id: there is no layer \"x\"\n- ops[1].id: line 3:7: there is no layer \"y\"\nWhat to do: read the outline"
	if !res.IsError || textOf(res) != want || res.StructuredContent != nil {
		t.Errorf("refused %v: %s", res.IsError, textOf(res))
	}
	if got := d.asked[0].Header.Get("If-Match"); got != `"3"` {
		t.Errorf("If-Match %s", got)
	}
}

func TestStrangersAnswersAreProblems(t *testing.T) {
	for answer, status := range map[string]int{"<html>": 200, "": 200, "<html>Bad gateway": 502, "{}": 500, "[]": 200, "null": 404, "x": 301} {
		d := &desk{answers: map[string]string{"GET /templates": answer}, status: map[string]int{"GET /templates": status}}
		if res := called(t, connected(t, d), "list_templates", nil); !res.IsError || textOf(res) == "" {
			t.Errorf("%d %q: %+v", status, answer, res)
		}
	}
}

func TestPanicEndsItsCallAlone(t *testing.T) {
	d := &desk{answers: map[string]string{"GET /templates": "panic", "GET /session": "panic"}}
	c := connected(t, d)
	if res, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "list_templates"}); err == nil {
		t.Errorf("a panic answers %+v", res)
	}
	if _, err := c.ListTools(t.Context(), nil); err == nil {
		t.Error("a panic lists tools")
	}
	if res := called(t, c, "list_starters", nil); res.IsError {
		t.Errorf("after a panic: %s", textOf(res))
	}
}

func TestLongTemplatesComeInParts(t *testing.T) {
	source := strings.Repeat("<p>ünïcode</p>\n", 10_000)
	var nodes []string
	for i := range 400 {
		nodes = append(nodes, fmt.Sprintf(`{"address": "n%d", "tag": "p", "kind": "text", "text": %q}`, i, strings.Repeat("é", 1000)))
	}
	text, _ := json.Marshal(source)
	d := &desk{answers: map[string]string{"GET /templates/card/draft/tree": `{"revision": 1, "source": ` + string(text) + `, "nodes": [` + strings.Join(nodes, ",") + `]}`}}
	c := connected(t, d)
	var got strings.Builder
	layers, args := 0, map[string]any{"template": "card", "source": true}
	for range 20 {
		res := called(t, c, "get_template", args)
		data, _ := json.Marshal(res.StructuredContent)
		var v templateView
		if err := json.Unmarshal(data, &v); err != nil || len(data) > 250_000 {
			t.Fatalf("%d bytes: %v", len(data), err)
		}
		got.WriteString(v.Source)
		layers += len(v.Layers)
		if args["after_layer"] = v.NextAfterLayer; v.NextAfterLayer == "" {
			args["after_layer"] = "n399"
		}
		if args["source_from"] = v.NextSourceFrom; v.NextSourceFrom == 0 {
			break
		}
	}
	if got.String() != source {
		t.Errorf("%d bytes of %d came", got.Len(), len(source))
	}
	if layers != 400 {
		t.Errorf("%d layers came of 400", layers)
	}
}
