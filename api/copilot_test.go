package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A cockpit is a copilot in memory, whose runs do what a test says.
type cockpit struct {
	mu       sync.Mutex
	runs     []copilot.Run // oldest first
	events   map[string][]copilot.Event
	pictures map[string][]byte
	orders   []copilot.Order
	said     []string // moves
	refuses  error    // every move
}

var cockpitBegan = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func (c *cockpit) add(id, template, status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := copilot.Run{
		ID: id, Template: template, Message: "Make a dark-mode variant", Author: "Ada", Model: "rules", Layers: []string{}, Status: status,
		Plan: []copilot.Item{{Text: "Tokens", State: copilot.Done, Step: 1}}, Candidates: []copilot.Candidate{}, Variants: []copilot.Variant{}, Findings: []copilot.Finding{},
		Steps: []copilot.Step{{Number: 1, Title: "Tokens", State: copilot.Kept, Revision: 4, Ops: []json.RawMessage{json.RawMessage(`{"op":"set_token"}`)}, Notes: []string{}, Changed: []string{}, Findings: []copilot.Finding{}}},
		Base:  3, Revision: 3, Budget: copilot.Budget{Steps: 12}, Spent: copilot.Spent{Steps: 1, Calls: 4, Turns: 2, Usage: model.Usage{In: 900, Out: 100}, Cost: 0.5}, CreatedAt: cockpitBegan,
	}
	if !r.Open() {
		r.EndedAt = &cockpitBegan
	}
	c.runs = append(c.runs, r)
}

func (c *cockpit) change(id string, do func(r *copilot.Run)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(&c.runs[slices.IndexFunc(c.runs, func(r copilot.Run) bool { return r.ID == id })])
}

// tell adds events KIND DATA to a run.
func (c *cockpit) tell(id string, events ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.events == nil {
		c.events = map[string][]copilot.Event{}
	}
	for _, e := range events {
		kind, data, _ := strings.Cut(e, " ")
		c.events[id] = append(c.events[id], copilot.Event{Seq: int64(len(c.events[id]) + 1), Kind: kind, Data: json.RawMessage(data)})
	}
}

func (c *cockpit) Models() []model.Info {
	return []model.Info{{Name: "rules", Provider: "rules", Can: model.Capabilities{Tools: true}},
		{Name: "claude", Provider: "anthropic", Model: "claude-x", Can: model.Capabilities{Tools: true, Vision: true}, Price: model.Price{In: 3, Out: 15}}}
}

func (c *cockpit) Budget() copilot.Budget {
	return copilot.Budget{Steps: 12, Calls: 60, Tokens: 200_000, Seconds: 120, Images: 6}
}

func (c *cockpit) Start(_ context.Context, o copilot.Order) (copilot.Run, error) {
	c.mu.Lock()
	c.orders = append(c.orders, o)
	refuses := c.refuses
	c.mu.Unlock()
	if refuses != nil {
		return copilot.Run{}, refuses
	}
	id := fmt.Sprintf("run_new%d", len(c.orders))
	c.add(id, o.Template, copilot.Running)
	return c.Run(context.Background(), id)
}

func (c *cockpit) move(id, what string) (copilot.Run, error) {
	c.mu.Lock()
	c.said = append(c.said, what)
	refuses := c.refuses
	c.mu.Unlock()
	if refuses != nil {
		return copilot.Run{}, refuses
	}
	return c.Run(context.Background(), id)
}

func (c *cockpit) Cancel(_ context.Context, id string) (copilot.Run, error) {
	return c.move(id, "cancel")
}
func (c *cockpit) Accept(_ context.Context, id string) (copilot.Run, error) {
	return c.move(id, "accept")
}
func (c *cockpit) Discard(_ context.Context, id string) (copilot.Run, error) {
	return c.move(id, "discard")
}
func (c *cockpit) Answer(_ context.Context, id, question, said string) (copilot.Run, error) {
	return c.move(id, "answer "+question+" "+said)
}
func (c *cockpit) AcceptStep(_ context.Context, id string, n int) (copilot.Run, error) {
	return c.move(id, fmt.Sprint("accept ", n))
}
func (c *cockpit) RejectStep(_ context.Context, id string, n int) (copilot.Run, error) {
	return c.move(id, fmt.Sprint("reject ", n))
}
func (c *cockpit) Pick(_ context.Context, id, name string) (copilot.Run, error) {
	return c.move(id, "pick "+name)
}

func (c *cockpit) Run(_ context.Context, id string) (copilot.Run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.runs {
		if r.ID == id {
			return r, nil
		}
	}
	return copilot.Run{}, problem.New(problem.NotFound, "there is no run %q", id).WithSlug(copilot.NotFound)
}

func (c *cockpit) Runs(_ context.Context, template, before string, limit int) (page []copilot.Run, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := before == ""
	for _, r := range slices.Backward(c.runs) {
		if passed && (template == "" || r.Template == template) && len(page) < limit {
			page = append(page, r)
		}
		passed = passed || r.ID == before
	}
	return page, nil
}

func (c *cockpit) RunEvents(_ context.Context, id string, after int64, limit int) (page []copilot.Event, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.events[id] {
		if e.Seq > after && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, nil
}

func (c *cockpit) Picture(_ context.Context, run, name string) (string, []byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.pictures[run+"/"+name]
	if !ok {
		return "", nil, problem.New(problem.NotFound, "no picture").WithSlug("picture_not_found")
	}
	return map[bool]string{true: "image/webp", false: "text/html"}[!strings.HasSuffix(name, ".html")], data, nil
}

const aRun = `{"template":"` + testTemplate + `","message":"Make a dark-mode variant"}`

// answered is the body of a call's answer, which must have that status.
func answered[T any](t *testing.T, s *Server, c call, status int) T {
	t.Helper()
	return mustAnswer[T](t, c.to(t, s), status)
}

func TestCopilotIsOrderedWhatTheRequestSays(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	run := answered[copilot.Run](t, s, post("/copilot/runs", `{"template":"`+testTemplate+`","message":"Bigger","size":"story","theme":"dark","layers":["name"],
		"model":"claude","budget":{"seconds":30},"rows":{"from":"binding:cards"},"author":"Ada"}`), 201)
	if run.ID != "run_new1" || run.Status != copilot.Running {
		t.Errorf("the run is %+v", run)
	}
	want := copilot.Order{Template: testTemplate, Message: "Bigger", Author: "Ada", Model: "claude", Size: "story", Theme: "dark", Layers: []string{"name"},
		Budget: copilot.Budget{Seconds: 30}, From: "binding:cards"}
	if diff := cmp.Diff([]copilot.Order{want}, w.cockpit.orders); diff != "" {
		t.Errorf("ordered (-want +got):\n%s", diff)
	}
}

func TestRepeatedOrderOfTheCopilotIsOneRun(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	c := post("/copilot/runs", aRun).with("Idempotency-Key", "once")
	first, second := answered[copilot.Run](t, s, c, 201), answered[copilot.Run](t, s, c, 201)
	if first.ID != second.ID || len(w.cockpit.orders) != 1 {
		t.Errorf("the runs %s and %s of %d orders", first.ID, second.ID, len(w.cockpit.orders))
	}
}

func TestCopilotOrderThatIsWrongIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		body, code string
		status     int
	}{
		"no template":           {`{"message":"x"}`, "required", 422},
		"a budget below zero":   {`{"template":"` + testTemplate + `","message":"x","budget":{"calls":-1}}`, "out_of_range", 422},
		"rows from nowhere":     {`{"template":"` + testTemplate + `","message":"x","rows":{"from":"moon"}}`, "unknown_place", 422},
		"a field there is not":  {`{"template":"` + testTemplate + `","msg":"x"}`, "malformed_body", 400},
		"too many layers":       {`{"template":"` + testTemplate + `","message":"x","layers":["a"` + strings.Repeat(`,"a"`, maxLayers) + `]}`, "out_of_range", 422},
		"rows of another's key": {`{"template":"` + testTemplate + `","message":"x","rows":{"from":"binding:none"}}`, "binding_not_found", 404},
	} {
		w := newWorld()
		d := answered[document](t, mustServer(t, open(), w), post("/copilot/runs", c.body), c.status)
		if d.Code != c.code || len(w.cockpit.orders) > 0 {
			t.Errorf("%s: %s, %d orders", name, d.Code, len(w.cockpit.orders))
		}
	}
}

func TestCopilotAnswersOnlyKeysThatMay(t *testing.T) {
	w := newWorld()
	w.templates["other"] = w.templates[testTemplate]
	w.cockpit.add("run_mine", testTemplate, copilot.Review)
	w.cockpit.add("run_other", "other", copilot.Review)
	const reads, writes, draws, boss = "key-that-reads-templates", "key-that-writes-templates", "key-that-writes-and-draws", "key-that-is-all-powerful"
	keys := []Key{
		{Name: "reads", Key: secret(reads), Scopes: []Scope{TemplatesRead}, Templates: []string{testTemplate}},
		{Name: "writes", Key: secret(writes), Scopes: []Scope{TemplatesWrite}},
		{Name: "draws", Key: secret(draws), Scopes: []Scope{TemplatesWrite, RendersWrite}, Templates: []string{testTemplate}},
		{Name: "boss", Key: secret(boss), Scopes: []Scope{Admin}},
	}
	s := mustServer(t, locked(keys...), w)
	for _, c := range []struct {
		key    string
		call   call
		status int
	}{
		{reads, get("/copilot/models"), 200},
		{reads, get("/copilot/runs/run_mine"), 200},
		{reads, get("/copilot/runs/run_other"), 404},
		{reads, get("/copilot/runs/run_other/events"), 404},
		{reads, get("/copilot/runs?template=other"), 404},
		{reads, post("/copilot/runs", aRun), 403},
		{reads, post("/copilot/runs/run_mine/accept", ""), 403},
		{reads, get("/copilot/audit"), 403},
		{writes, post("/copilot/runs", aRun), 403}, // it may not draw
		{writes, post("/copilot/runs/run_other/accept", ""), 200},
		{writes, post("/copilot/runs/run_mine/experiment", `{"slug":"x"}`), 403},
		{draws, post("/copilot/runs", aRun), 201},
		{draws, post("/copilot/runs", strings.Replace(aRun, testTemplate, "other", 1)), 404},
		{draws, post("/copilot/runs/run_other/discard", ""), 404},
		{boss, get("/copilot/audit"), 200},
	} {
		if got := c.call.bearer(c.key).to(t, s); got.Code != c.status {
			t.Errorf("%s %s with %s: %d %s, want %d", c.call.method, c.call.path, c.key, got.Code, got.Body, c.status)
		}
	}
	if o := w.cockpit.orders[0]; o.From != FromSamples || o.Author != "draws" {
		t.Errorf("a key that sees no bindings has the rows %q, and is %q", o.From, o.Author)
	}
	for _, r := range answered[copilotRunList](t, s, get("/copilot/runs").bearer(reads), 200).Runs {
		if r.Template != testTemplate {
			t.Errorf("the list has %s", r.ID)
		}
	}
}

func TestPersonsWordsReachTheCopilot(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Review)
	s := mustServer(t, open(), w)
	for _, m := range []call{
		post("/copilot/runs/run_1/cancel", ""), post("/copilot/runs/run_1/answer", `{"question":"q1","answer":"yes"}`), post("/copilot/runs/run_1/accept", ""),
		post("/copilot/runs/run_1/discard", ""), post("/copilot/runs/run_1/steps/2/accept", ""), post("/copilot/runs/run_1/steps/2/reject", ""),
		post("/copilot/runs/run_1/steps/3/undo", ""), post("/copilot/runs/run_1/candidates/mesh-2/pick", ""),
	} {
		if r := answered[copilot.Run](t, s, m, 200); r.ID != "run_1" {
			t.Errorf("%s answers %+v", m.path, r)
		}
	}
	want := []string{"cancel", "answer q1 yes", "accept", "discard", "accept 2", "reject 2", "reject 3", "pick mesh-2"}
	if diff := cmp.Diff(want, w.cockpit.said); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	for path, status := range map[string]int{
		"/copilot/runs/none/accept": 404, "/copilot/runs/run_1/steps/0/accept": 422, "/copilot/runs/run_1/steps/x/undo": 422, "/copilot/runs/run_1/answer": 422,
	} {
		if got := post(path, "").to(t, s); got.Code != status {
			t.Errorf("%s: %d %s, want %d", path, got.Code, got.Body, status)
		}
	}
}

func TestStepThatSomebodyWentOnFromIsRefusedWithBoth(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Review)
	w.cockpit.refuses = fmt.Errorf("take step 1 back: %w", &draft.ConflictError{Conflicts: []draft.Conflict{{Touched: "name", By: draft.Step{Revision: 9, Kind: draft.Edits, Author: "Ada"}}}})
	d := answered[document](t, mustServer(t, open(), w), post("/copilot/runs/run_1/steps/1/reject", ""), 409)
	if d.Code != draft.EditConflict || len(d.Conflicts) != 1 {
		t.Errorf("answered %+v", d)
	}
	w.cockpit.refuses = problem.New(problem.Conflict, "run_1 is at work").WithSlug(copilot.Busy)
	if d := answered[document](t, mustServer(t, open(), w), post("/copilot/runs", aRun), 409); d.Code != copilot.Busy || !strings.Contains(d.Detail, "run_1") {
		t.Errorf("answered %+v", d)
	}
}

func TestRunsOfTheCopilotAreListedInPages(t *testing.T) {
	w := newWorld()
	for i := range 5 {
		w.cockpit.add(fmt.Sprint("run_", i), testTemplate, copilot.Review)
	}
	s := mustServer(t, open(), w)
	var seen []string
	for path := "/copilot/runs?template=" + testTemplate + "&limit=2"; ; {
		page := answered[copilotRunList](t, s, get(path), 200)
		for _, r := range page.Runs {
			seen = append(seen, r.ID)
		}
		if page.NextAfter == nil {
			break
		}
		path = "/copilot/runs?template=" + testTemplate + "&limit=2&after=" + *page.NextAfter
	}
	if want := []string{"run_4", "run_3", "run_2", "run_1", "run_0"}; !slices.Equal(seen, want) {
		t.Errorf("listed are %v", seen)
	}
	audit := answered[copilotAudit](t, s, get("/copilot/audit?limit=1"), 200)
	want := copilotEntry{Run: "run_4", Template: testTemplate, Author: "Ada", Message: "Make a dark-mode variant", Model: "rules", Status: copilot.Review, Steps: 1, Kept: 1, Calls: 4, Turns: 2,
		Tokens: model.Usage{In: 900, Out: 100}, Cost: 0.5, CreatedAt: cockpitBegan, EndedAt: &cockpitBegan}
	if diff := cmp.Diff([]copilotEntry{want}, audit.Entries); diff != "" || audit.NextAfter == nil {
		t.Errorf("the audit (-want +got):\n%s", diff)
	}
}

func TestRunIsFollowedFromItsFirstEventToItsEnd(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Running)
	w.cockpit.tell("run_1", `plan {"items": [`+"\n"+`]}`, `tool {"step":1}`)
	address := mustServe(t, mustServer(t, open(), w))
	events := mustStream(t, address, "/copilot/runs/run_1/events")
	for _, want := range []string{`plan {"items":[]}`, `tool {"step":1}`} {
		if name, data := events.event(t); name+" "+data != want {
			t.Errorf("got %s %s, want %s", name, data, want)
		}
	}
	w.change(func() { w.cockpit.tell("run_1", `step {"number":1}`) })
	if name, data := events.event(t); name != "step" || data != `{"number":1}` {
		t.Errorf("then %s %s", name, data)
	}
	w.change(func() {
		w.cockpit.tell("run_1", `end {"status":"needs_review"}`)
		w.cockpit.change("run_1", func(r *copilot.Run) { r.Status = copilot.Review })
	})
	if name, _ := events.event(t); name != "end" {
		t.Errorf("last %s", name)
	}
	events.mustEnd(t)
}

func TestRunIsFollowedBehindTheLastEventThatCame(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Review)
	var many []string
	for i := range 2*eventPage + 3 { // several pages
		many = append(many, fmt.Sprintf(`tool {"n":%d}`, i+1))
	}
	w.cockpit.tell("run_1", many...)
	s := mustServer(t, open(), w)
	for _, c := range []struct {
		header, query string
		want          string // the first and the last
	}{
		{"", "", "1 403"}, {"0", "", "1 403"}, {"401", "", "402 403"}, {"", "?after=402", "403 403"}, {"400", "?after=1", "401 403"},
	} {
		r := get("/copilot/runs/run_1/events" + c.query)
		if c.header != "" {
			r = r.with("Last-Event-ID", c.header)
		}
		got := r.to(t, s)
		var ids []string
		for line := range strings.Lines(got.Body.String()) {
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				ids = append(ids, strings.TrimSpace(id))
			}
		}
		if got.Code != 200 || len(ids) == 0 || ids[0]+" "+ids[len(ids)-1] != c.want {
			t.Errorf("behind %q%s: %d, ids %v", c.header, c.query, got.Code, ids)
		}
	}
	for last, status := range map[string]int{"403": 204, "999": 204, "x": 422, "-1": 422} {
		if got := get("/copilot/runs/run_1/events").with("Last-Event-ID", last).to(t, s); got.Code != status {
			t.Errorf("behind %s: %d %s, want %d", last, got.Code, got.Body, status)
		}
	}
}

func TestRunIsFollowedBeyondItsEndWhereSomebodyAsks(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Review)
	w.cockpit.tell("run_1", `end {"status":"needs_review"}`)
	events := mustStream(t, mustServe(t, mustServer(t, open(), w)), "/copilot/runs/run_1/events?follow=true")
	if name, _ := events.event(t); name != "end" {
		t.Errorf("first %s", name)
	}
	w.change(func() { w.cockpit.tell("run_1", `step {"number":1,"state":"rejected"}`) })
	if name, data := events.event(t); name != "step" || !strings.Contains(data, "rejected") {
		t.Errorf("then %s %s", name, data)
	}
	w.change(func() { // its template is deleted
		w.cockpit.mu.Lock()
		defer w.cockpit.mu.Unlock()
		w.cockpit.runs = nil
	})
	for events.Scan() {
		if line := events.Text(); line != "" && !strings.HasPrefix(line, ":") {
			t.Errorf("after its end: %s", line)
		}
	}
}

func TestPictureOfARunIsKeptForEverAndNeverRuns(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Review)
	w.cockpit.pictures = map[string][]byte{"run_1/1-after": []byte("pixels"), "run_1/x.html": []byte("<script>")}
	s := mustServer(t, open(), w)
	got := get("/copilot/runs/run_1/pictures/1-after").to(t, s)
	h := got.Header()
	if got.Code != 200 || got.Body.String() != "pixels" || h.Get("Content-Type") != "image/webp" || !strings.Contains(h.Get("Cache-Control"), "immutable") ||
		!strings.HasPrefix(h.Get("Cache-Control"), "private") || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("answered %d %v %s", got.Code, h, got.Body)
	}
	if got := get("/copilot/runs/run_1/pictures/x.html").to(t, s); got.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("a page is sent as %s", got.Header().Get("Content-Type"))
	}
	if got := get("/copilot/runs/run_1/pictures/none").to(t, s); got.Code != http.StatusNotFound {
		t.Errorf("no picture: %d", got.Code)
	}
}

func TestVariantsOfARunBecomeAnExperimentWhenTheyArePublished(t *testing.T) {
	w := newWorld()
	w.cockpit.add("run_1", testTemplate, copilot.Accepted)
	s := mustServer(t, open(), w)
	ask := post("/copilot/runs/run_1/experiment", `{"slug":"story-or-not","goalConfig":{"type":"click_through","destinationUrl":"https://shop.example/"}}`)
	if d := answered[document](t, s, ask, 409); d.Code != "no_variants" {
		t.Errorf("without variants: %+v", d)
	}
	w.cockpit.change("run_1", func(r *copilot.Run) { r.Variants = []copilot.Variant{{Name: "Story form", Size: "story"}} })
	mustPatch(t, s)
	if d := answered[document](t, s, ask, 409); d.Code != slugNotPublished {
		t.Errorf("with an open draft: %+v", d)
	}
	w.ledger.Close(testTemplate, draft.Discards)
	made := answered[map[string]experimentView](t, s, ask, 201)["experiment"]
	if made.Slug != "story-or-not" || made.Status != "draft" || made.Name != "Make a dark-mode variant" || len(made.Variants) != 2 {
		t.Fatalf("made was %+v", made)
	}
	def := w.experiments.all[len(w.experiments.all)-1].Definition
	if c, v := def.Variants[0], def.Variants[1]; !c.Control || c.Size != "" || v.ID != "Story-form" || v.Size != "story" || c.Weight+v.Weight != 10_000 || def.Goal.Type != "click_through" {
		t.Errorf("variants %+v of %+v", def.Variants, def)
	}
	w.cockpit.change("run_1", func(r *copilot.Run) { r.Variants = []copilot.Variant{{Name: "dark", Theme: "dark"}} })
	if d := answered[document](t, s, ask, 409); d.Code != slugNotPublished || !strings.Contains(d.Detail, "dark") {
		t.Errorf("with a theme that is not there: %+v", d)
	}
}

// mustPatch makes the draft of the test's template another document.
func mustPatch(t *testing.T, s *Server) {
	t.Helper()
	if got := (call{method: http.MethodPatch, path: "/templates/" + testTemplate + "/draft", body: `{"ops":[{"op":"set_text","id":"name","text":"x"}]}`}).with("If-Match", `"3"`).to(t, s); got.Code != 200 {
		t.Fatalf("edit the draft: %d %s", got.Code, got.Body)
	}
}
