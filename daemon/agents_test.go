package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/pictifyd/pictifyd/mcp"
	"github.com/pictifyd/pictifyd/mcp/mcptest"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A blank renderer gives pictures of the right size, with nothing on them.
type blank struct{ rendertest.Null }

func (b *blank) Render(ctx context.Context, r render.Request) (render.Output, error) {
	out, err := b.Null.Render(ctx, r)
	if err != nil {
		return out, err
	}
	var data bytes.Buffer
	err = png.Encode(&data, image.NewNRGBA(image.Rect(0, 0, r.Width, r.Height)))
	out.Bytes = data.Bytes()
	return out, err
}

const (
	agentFull   = "full-key-of-sixteen-letters"
	agentReader = "reader-key-of-sixteen-letters"
	agentSlow   = "slow-key-of-sixteen-letters"
	agentCards  = "cards-key-of-sixteen-letters"
)

// agentSite is a daemon with keys, a source of some rows and a binding of them.
func agentSite(t *testing.T, r render.Renderer) *process {
	t.Helper()
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
sinks: { hook: { kind: webhook, url: "RECEIVER", secret: "a-secret-of-sixteen-letters" } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, sinks: [ hook ] } ]
`)
	s.write("rows.csv", csvRows(6, "one"))
	yaml, err := os.ReadFile(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("pictifyd.yaml", strings.Replace(string(yaml), `server: { listen: "127.0.0.1:0" }`, `server:
  listen: "127.0.0.1:0"
  keys:
    - { name: full, key: `+agentFull+` }
    - { name: reader, key: `+agentReader+`, scopes: [templates:read, bindings:read] }
    - { name: slow, key: `+agentSlow+`, rate: 2 }
    - { name: cards, key: `+agentCards+`, templates: [none] }
`, 1))
	url, _ := s.run(Options{Renderer: r})
	return &process{tb: t, url: url}
}

func TestAgentEditsATemplateFromListingToPublishing(t *testing.T) {
	p := agentSite(t, &blank{})
	mcptest.EditToPublish(mcptest.Connect(t, mcptest.Over(p.url, agentFull), nil), "card", "title", "Agent: {{ title }}")
}

// With the versions of the protocol that clients speak today, too.
func TestAgentOfAnOlderProtocolEditsATemplate(t *testing.T) {
	p := agentSite(t, &blank{})
	for _, version := range []string{"2025-11-25", "2025-06-18", "2025-03-26"} {
		body := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"old","version":"1"}}}`
		text, status := p.message(agentFull, version, body)
		if status != http.StatusOK || !strings.Contains(text, version) || !strings.Contains(text, "instructions") {
			t.Errorf("%s: %d %s", version, status, text)
		}
		text, status = p.message(agentFull, version, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_templates","arguments":{}}}`)
		if status != http.StatusOK || !strings.Contains(text, `"structuredContent"`) || !strings.Contains(text, "card") {
			t.Errorf("%s: %d %s", version, status, text)
		}
	}
}

// message posts one message as a client does, and returns the answer's text.
func (p *process) message(key, version, body string) (text string, status int) {
	p.tb.Helper()
	req, err := http.NewRequestWithContext(p.tb.Context(), http.MethodPost, p.url+"/mcp", strings.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if version != "" {
		req.Header.Set("MCP-Protocol-Version", version)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(res.Body); err != nil {
		p.tb.Fatal(err)
	}
	return out.String(), res.StatusCode
}

func TestAgentIsToldOfWhatItsKeyMayDo(t *testing.T) {
	p := agentSite(t, &blank{})
	full, reader := mcptest.Connect(t, mcptest.Over(p.url, agentFull), nil), mcptest.Connect(t, mcptest.Over(p.url, agentReader), nil)
	names := reader.Tools()
	for _, want := range []string{"list_templates", "get_template", "forecast_publish", "get_row", "list_deliveries"} {
		if !slices.Contains(names, want) {
			t.Errorf("a reader is not told of %s", want)
		}
	}
	for _, tool := range mcp.Tools() {
		reads := !slices.ContainsFunc(tool.Scopes, func(s string) bool { return s != "templates:read" && s != "bindings:read" })
		if slices.Contains(names, tool.Name) != reads && !strings.Contains(tool.Name, "copilot") {
			t.Errorf("a reader is told of %s: %v, which wants %v", tool.Name, !reads, tool.Scopes)
		}
		if !slices.Contains(full.Tools(), tool.Name) && !strings.Contains(tool.Name, "copilot") {
			t.Errorf("a full key is not told of %s", tool.Name)
		}
	}
	before := full.Draft("card")
	edit := map[string]any{"template": "card", "revision": before.Revision, "operations": []any{map[string]any{"op": "set_text", "id": "title", "text": "x"}}}
	for name, args := range map[string]map[string]any{
		"edit_template": edit, "publish_template": {"template": "card", "revision": before.Revision}, "discard_draft": {"template": "card", "revision": before.Revision},
		"start_batch": {"template": "card", "rows": []any{map[string]any{"title": "x"}}}, "refresh_binding": {"binding": "cards"},
	} {
		if r := reader.Refused(t.Context(), name, args); r.Status != 403 || r.Code != "scope_missing" || !strings.Contains(r.Text, "scope") || r.Hint == "" {
			t.Errorf("%s by a reader: %+v", name, r)
		}
	}
	if now := full.Draft("card"); now.Source != before.Source || now.Revision != before.Revision {
		t.Errorf("a reader changed the draft to revision %d", now.Revision)
	}
	other := mcptest.Connect(t, mcptest.Over(p.url, agentCards), nil)
	var listed struct{ Templates []any }
	if other.Call("list_templates", nil, &listed); len(listed.Templates) != 0 {
		t.Errorf("a key for no template of these sees %v", listed.Templates)
	}
	if r := other.Refused(t.Context(), "get_template", map[string]any{"template": "card"}); r.Status != 404 {
		t.Errorf("a template of others: %+v", r)
	}
}

func TestAgentWithoutAKeyIsToldSo(t *testing.T) {
	p := agentSite(t, &blank{})
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, key := range []string{"", "unknown-key-of-sixteen"} {
		text, status := p.message(key, "", list)
		if status != http.StatusUnauthorized || !strings.Contains(text, "Authorization: Bearer") {
			t.Errorf("with the key %q: %d %s", key, status, text)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut} {
		req, err := http.NewRequestWithContext(t.Context(), method, p.url+"/mcp", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(res.Header.Get("Allow"), "POST") {
			t.Errorf("%s: %d, Allow %q", method, res.StatusCode, res.Header.Get("Allow"))
		}
	}
}

// Nothing is kept of who asked before: a key that is revoked ends its agent at once.
func TestRevokedKeyEndsItsAgent(t *testing.T) {
	p := agentSite(t, &blank{})
	var made struct{ Key, ID string }
	if status := p.send(http.MethodPost, "/keys", map[string]any{"name": "agent"}, &made, "Authorization", "Bearer "+agentFull); status != 201 {
		t.Fatalf("make a key: %d", status)
	}
	c := mcptest.Connect(t, mcptest.Over(p.url, made.Key), nil)
	c.Call("list_templates", nil, nil)
	if status := p.send(http.MethodDelete, "/keys/agent", nil, nil, "Authorization", "Bearer "+agentFull); status != 204 && status != 200 {
		t.Fatalf("revoke it: %d", status)
	}
	if res, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "list_templates"}); err == nil {
		t.Errorf("with a revoked key: %s", mcptest.Text(res))
	}
}

func TestAgentsOfTwoKeysMeetInOneDraft(t *testing.T) {
	p := agentSite(t, &blank{})
	a, b := mcptest.Connect(t, mcptest.Over(p.url, agentFull), nil), mcptest.Connect(t, mcptest.Over(p.url, agentFull), nil)
	at := a.Draft("card").Revision
	edit := func(id, text, author string) map[string]any {
		return map[string]any{"template": "card", "revision": at, "author": author, "operations": []any{map[string]any{"op": "set_text", "id": id, "text": text}}}
	}
	a.Call("edit_template", edit("title", "A {{ title }}", "A"), nil)
	var second struct{ Rebased bool }
	if b.Call("edit_template", edit("price", "B {{ price }}", "B"), &second); !second.Rebased {
		t.Error("an edit of another layer was not put on top")
	}
	r := b.Refused(t.Context(), "edit_template", edit("title", "B", "B"))
	if r.Code != "edit_conflict" || !strings.Contains(r.Text, "changed by A") {
		t.Errorf("an edit of the same layer: %+v", r)
	}
	b.Call("undo_edit", map[string]any{"template": "card", "author": "A"}, nil)
	if d := a.Draft("card"); strings.Contains(d.Source, "A {{") || !strings.Contains(d.Source, "B {{") {
		t.Errorf("A's step taken back leaves\n%s", d.Source)
	}
}

func TestAgentIsHeldToTheRateOfItsKey(t *testing.T) {
	p := agentSite(t, &blank{})
	c := mcptest.Connect(t, mcptest.Over(p.url, agentSlow), nil)
	for range 2 {
		c.Call("list_templates", nil, nil)
	}
	if r := c.Refused(t.Context(), "list_templates", nil); r.Status != 429 || r.RetryAfter == "" || !strings.Contains(r.Text, "Ask again after") {
		t.Errorf("the third call of a minute: %+v", r)
	}
}

func TestHostileArgumentsLeadNowhere(t *testing.T) {
	p := agentSite(t, &blank{})
	c := mcptest.Connect(t, mcptest.Over(p.url, agentFull), nil)
	for _, name := range []string{"..", ".", "", "../keys", "card/../../keys", "card%2f..", "card?as=tree", "card#x", "a\x00b", "\n", strings.Repeat("x", 100_000), "/etc/passwd", "ünïcode"} {
		for tool, arg := range map[string]string{"get_template": "template", "forecast_publish": "template", "get_binding": "binding", "get_job": "job", "cancel_job": "job", "get_experiment": "experiment"} {
			if r := c.Refused(t.Context(), tool, map[string]any{arg: name}); r.Status/100 == 5 || r.Status/100 == 3 || r.Detail == "" {
				t.Errorf("%s of %.20q: %+v", tool, name, r)
			}
		}
		if r := c.Refused(t.Context(), "get_row", map[string]any{"binding": "cards", "key": name}); r.Detail == "" {
			t.Errorf("row %.20q: %+v", name, r)
		}
	}
	rev := c.Draft("card").Revision
	for _, args := range []map[string]any{
		{"template": 3, "revision": rev}, {"template": "card", "revision": "1", "operations": []any{}}, {"template": "card", "revision": rev, "operations": "x"},
		{"template": "card", "revision": rev, "operations": []any{3}}, {"template": "card", "revision": rev, "operations": []any{map[string]any{"op": "nothing"}}},
		{"template": "card", "revision": rev, "operations": []any{}}, {"template": "card", "revision": rev, "operations": []any{map[string]any{"op": "set_text", "id": "title", "text": "<script>"}}, "more": 1},
		{"template": "card", "revision": rev + 7, "operations": []any{map[string]any{"op": "set_text", "id": "title", "text": "x"}}},
		{"template": "card", "revision": -1, "operations": []any{map[string]any{"op": "set_text", "id": "title", "text": "x"}}},
	} {
		if res, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "edit_template", Arguments: args}); err == nil && !res.IsError {
			t.Errorf("%v goes well", args)
		}
	}
	if now := c.Draft("card").Revision; now != rev {
		t.Errorf("the draft has revision %d, it had %d", now, rev)
	}
	rows := make([]any, 501)
	for i := range rows {
		rows[i] = map[string]any{"title": "x"}
	}
	if r := c.Refused(t.Context(), "start_batch", map[string]any{"template": "card", "rows": rows}); r.Code != "too_many_rows" {
		t.Errorf("501 rows: %+v", r)
	}
	if text, status := p.message(agentFull, "", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_templates","arguments":{"query":"`+strings.Repeat("x", 5<<20)+`"}}}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("5 MB: %d %.200s", status, text)
	}
	if text, status := p.message(agentFull, "", strings.Repeat("[", 100_000)); status != http.StatusBadRequest {
		t.Errorf("100,000 deep: %d %.200s", status, text)
	}
	c.Call("list_templates", nil, nil)
}

func TestAgentMakesABatchAndWatchesIt(t *testing.T) {
	p := agentSite(t, &rendertest.Null{})
	heard := make(chan *sdk.ProgressNotificationParams, 100)
	c := mcptest.Connect(t, mcptest.Over(p.url, agentFull), &mcptest.Options{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { heard <- r.Params },
	})
	rows := []any{map[string]any{"title": "Mug"}, map[string]any{"title": "Cup"}, map[string]any{"price": 3}}
	var dry struct {
		DryRun                   bool
		ValidItems, InvalidItems int
		JobID                    string
	}
	c.Call("start_batch", map[string]any{"template": "card", "rows": rows, "dry_run": true}, &dry)
	var jobs struct{ Jobs []any }
	c.Call("list_jobs", map[string]any{"template": "card"}, &jobs)
	if !dry.DryRun || dry.ValidItems != 2 || dry.InvalidItems != 1 || dry.JobID != "" || len(jobs.Jobs) != 0 {
		t.Fatalf("a dry run says %+v, and there are the jobs %v", dry, jobs.Jobs)
	}
	var first, again struct{ JobID string }
	order := map[string]any{"template": "card", "rows": rows, "idempotency_key": "one"}
	c.Call("start_batch", order, &first)
	if c.Call("start_batch", order, &again); first.JobID == "" || again.JobID != first.JobID {
		t.Errorf("sent twice it is %q and %q", first.JobID, again.JobID)
	}
	var job struct {
		Status  string
		Ended   bool
		Results []struct{ URL string }
		Errors  []struct{ Field string }
	}
	params := &sdk.CallToolParams{Name: "get_job", Arguments: map[string]any{"job": first.JobID, "wait_seconds": 50}}
	params.SetProgressToken("watch")
	res, err := c.CallTool(t.Context(), params)
	if err != nil || res.IsError {
		t.Fatalf("watch it: %v %+v", err, res)
	}
	data, _ := json.Marshal(res.StructuredContent)
	if err := json.Unmarshal(data, &job); err != nil || !job.Ended || job.Status != "partial" || len(job.Results) != 2 || len(job.Errors) != 1 || job.Errors[0].Field == "" {
		t.Errorf("the job is %s: %v", data, err)
	}
	for last := -1.0; last != 3; { // what is told comes beside the answer
		h := <-heard
		if h.ProgressToken != "watch" || h.Progress <= last || h.Total != 3 {
			t.Errorf("told %+v after %v", h, last)
		}
		last = h.Progress
	}
	if r := c.Refused(t.Context(), "cancel_job", map[string]any{"job": first.JobID}); r.Status != 409 {
		t.Errorf("cancel what has ended: %+v", r)
	}
}

func TestAgentAsksWhyAnImageLooksAsItDoes(t *testing.T) {
	p := agentSite(t, &rendertest.Null{})
	c := mcptest.Connect(t, mcptest.Over(p.url, agentFull), nil)
	var b struct {
		Bindings []struct {
			Name                  string
			Items, Ready, Waiting int
		}
	}
	eventually(t, "six images", func() bool {
		c.Call("list_bindings", nil, &b)
		return len(b.Bindings) == 1 && b.Bindings[0].Ready == 6
	})
	var rows struct {
		Rows []struct{ Key string }
		Next string
	}
	c.Call("list_rows", map[string]any{"binding": "cards", "limit": 2}, &rows)
	if len(rows.Rows) != 2 || rows.Next == "" {
		t.Fatalf("rows %+v", rows)
	}
	var row struct {
		State  string
		Values map[string]any
		Images []struct {
			URL    string
			Render struct{ Template string }
		}
		Source struct{ Name string }
	}
	c.Call("get_row", map[string]any{"binding": "cards", "key": rows.Rows[0].Key}, &row)
	if row.State != "ready" || row.Source.Name != "catalog" || len(row.Images) != 1 || row.Images[0].Render.Template != "card" || row.Values == nil {
		t.Errorf("a row is %+v", row)
	}
	var would, done struct {
		DryRun, Reading bool
		Images          int
		Stored          []struct{ Drawn bool }
		Missing         []string
	}
	c.Call("refresh_binding", map[string]any{"binding": "cards", "keys": []any{rows.Rows[0].Key, "none"}, "dry_run": true}, &would)
	if !would.DryRun || len(would.Stored) != 1 || !would.Stored[0].Drawn || !slices.Equal(would.Missing, []string{"none"}) {
		t.Errorf("a dry refresh says %+v", would)
	}
	if c.Call("refresh_binding", map[string]any{"binding": "cards"}, &done); !done.Reading || done.DryRun {
		t.Errorf("a refresh says %+v", done)
	}
	var sinks struct{ Sinks []struct{ Name, Kind string } }
	if c.Call("list_sinks", nil, &sinks); len(sinks.Sinks) != 1 || sinks.Sinks[0].Kind != "webhook" {
		t.Errorf("sinks %+v", sinks)
	}
	for _, name := range []string{"list_sources", "list_deliveries", "list_experiments", "list_starters", "list_operations"} {
		res := c.Call(name, nil, nil)
		if text := mcptest.Text(res); strings.Contains(text, "a-secret-of-sixteen-letters") || len(text) > 200_000 {
			t.Errorf("%s answers %d bytes: %.300s", name, len(text), text)
		}
	}
}

// A call that its client gives up ends within the daemon as well.
func TestCancelledCallEnds(t *testing.T) {
	begun, ended := make(chan bool, 10), make(chan error, 10)
	null := &rendertest.Null{FailFunc: func(ctx context.Context, _ render.Request) error {
		begun <- true
		<-ctx.Done()
		return ctx.Err()
	}}
	null.DoneFunc = func(_ context.Context, _ render.Request, err error) { ended <- err }
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: null})
	c := mcptest.Connect(t, mcptest.Over(url, ""), nil)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := c.CallTool(ctx, &sdk.CallToolParams{Name: "check_template", Arguments: map[string]any{"template": "card", "rows": []any{map[string]any{"title": "Mug"}}}})
		gone <- err
	}()
	<-begun
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the call ends with %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the picture ends with %v", err)
	}
	c.Call("list_templates", nil, nil)
}

func TestAgentReadsTemplatesPagesAndPrompts(t *testing.T) {
	p := agentSite(t, &blank{})
	c := mcptest.Connect(t, mcptest.Over(p.url, agentReader), nil)
	list, err := c.ListResources(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, r := range list.Resources {
		if !strings.HasSuffix(r.URI, "/card") && !strings.HasSuffix(r.URI, "/keys.md") {
			continue
		}
		got, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: r.URI})
		if err != nil || len(got.Contents) != 1 || len(got.Contents[0].Text) < 100 || got.Contents[0].MIMEType != r.MIMEType {
			t.Errorf("%s: %v", r.URI, err)
		}
		read++
	}
	if read != 2 {
		t.Errorf("%d resources were read of %d", read, len(list.Resources))
	}
	if got, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "pictifyd://templates/card/draft"}); err != nil || !strings.Contains(got.Contents[0].Text, "p-template") {
		t.Errorf("the draft: %v", err)
	}
	for _, uri := range []string{"pictifyd://templates/none", "pictifyd://docs/..%2fkeys", "pictifyd://templates/..", "file:///etc/passwd", "pictifyd://templates/../keys"} {
		if got, err := c.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri}); err == nil {
			t.Errorf("%s is read: %.100q", uri, got.Contents[0].Text)
		}
	}
	for _, prompt := range mcp.Prompts() {
		args := map[string]string{}
		for _, a := range prompt.Arguments {
			args[a.Name] = "word-" + a.Name
		}
		got, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: prompt.Name, Arguments: args})
		if err != nil {
			t.Errorf("%s: %v", prompt.Name, err)
			continue
		}
		text := fmt.Sprint(got.Messages[0].Content.(*sdk.TextContent).Text)
		for _, word := range args {
			if !strings.Contains(text, word) {
				t.Errorf("%s does not say %s", prompt.Name, word)
			}
		}
		if _, err := c.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: prompt.Name}); err == nil {
			t.Errorf("%s goes without its arguments", prompt.Name)
		}
	}
}
