package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/mcp"
	"github.com/pictifyd/pictifyd/template/drafttest"
)

// What a client is told of a tool's scopes is what the routes want that it asks.
func TestToolsOfAgentsWantTheScopesOfTheirRoutes(t *testing.T) {
	scopeOf := map[string]Scope{}
	copilot := false
	for _, rt := range routes() {
		scopeOf[rt.pattern] = rt.scope
		copilot = copilot || strings.Contains(rt.pattern, "/copilot/")
	}
	for _, tool := range mcp.Tools() {
		if !copilot && strings.Contains(tool.Name, "_copilot_") {
			continue // which is not listed then
		}
		p := &principal{}
		for _, scope := range tool.Scopes {
			if !slices.Contains(scopes, Scope(scope)) {
				t.Errorf("%s wants the scope %s, which there is not", tool.Name, scope)
			}
			p.scopes = append(p.scopes, Scope(scope))
		}
		for _, route := range tool.Routes {
			scope, ok := scopeOf[route]
			if !ok {
				t.Errorf("%s asks %s, which is no route", tool.Name, route)
			} else if scope != "" && !p.may(scope) {
				t.Errorf("%s asks %s, which wants %s; it says %v", tool.Name, route, scope, tool.Scopes)
			}
		}
	}
}

func rpc(key, body string) call {
	c := call{method: http.MethodPost, path: agentsPath, body: body, header: map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}}
	if key != "" {
		return c.bearer(key)
	}
	return c
}

func TestAgentsAreJudgedAsEverybodyIs(t *testing.T) {
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_templates","arguments":{}}}`
	local := mustServer(t, open(), newWorld())
	foreign := rpc("", list)
	foreign.host = "evil.example"
	mustProblem(t, foreign.to(t, local), 403, "host_refused")
	mustProblem(t, rpc("", list).with("Sec-Fetch-Site", "cross-site").with("Origin", "https://evil.example").to(t, local), 403, "origin_refused")
	if out := rpc("", list).to(t, local); out.Code != 200 || !strings.Contains(out.Body.String(), "tpl_certificate") || out.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("on this machine: %d %v %s", out.Code, out.Header(), out.Body)
	}

	s := mustServer(t, locked(), newWorld())
	out := rpc("", list).to(t, s)
	mustProblem(t, out, 401, "missing_authorization")
	if got := out.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") {
		t.Errorf("WWW-Authenticate %q", got)
	}
	opened := post("/session", `{"key":"`+fullKey+`"}`).to(t, s)
	cookie, _, _ := strings.Cut(opened.Header().Get("Set-Cookie"), ";")
	mustProblem(t, rpc("", list).with("Cookie", cookie).to(t, s), 401, "missing_authorization")
	mustProblem(t, rpc("nobody-has-this-key", list).to(t, s), 401, "invalid_api_key")
	if out := rpc(fullKey, list).to(t, s); out.Code != 200 || !strings.Contains(out.Body.String(), "tpl_certificate") {
		t.Errorf("with a key: %d %s", out.Code, out.Body)
	}
}

// Messages that are none end with an answer, and the next is answered.
func TestHostileMessagesOfAgentsAreAnswered(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	for _, body := range []string{
		``, `{`, `null`, `[]`, `3`, `"x"`, `{}`, `[[]]`, `{"jsonrpc":"1.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":{},"method":"ping"}`,
		`{"jsonrpc":"2.0","id":1,"method":"nothing/there"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nothing"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_templates","arguments":[1]}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_templates","arguments":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"%%%"}}`, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"pictifyd://templates/%zz"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read"}`, `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"change_template","arguments":{"goal":3}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{}}`, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":7}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_templates","arguments":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000) + `}}`,
		"\x00\xff", strings.Repeat(" ", 1<<20),
	} {
		if out := rpc(fullKey, body).to(t, s); out.Code == 0 || out.Code >= 500 {
			t.Errorf("%.80q: %d %s", body, out.Code, out.Body)
		}
	}
	if out := rpc(fullKey, `{"jsonrpc":"2.0","id":1,"method":"ping"}`).to(t, s); out.Code != 200 {
		t.Errorf("after all: %d %s", out.Code, out.Body)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestWhatModelsReadLeadsToWhatThereIs(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	text := get("/llms.txt").to(t, s).Body.String()
	if !strings.HasPrefix(text, "# pictifyd\n\n> ") {
		t.Errorf("it begins %.60q", text)
	}
	found := link.FindAllStringSubmatch(text, -1)
	if len(found) < 25 {
		t.Errorf("%d links", len(found))
	}
	for _, l := range found {
		path := strings.TrimPrefix(l[1], s.base)
		if path == agentsPath {
			continue // it wants a message
		}
		if out := get(path).bearer(fullKey).to(t, s); out.Code != http.StatusOK {
			t.Errorf("%s: %d", l[1], out.Code)
		}
	}
	full := get("/llms-full.txt").to(t, s).Body.String()
	if !strings.HasPrefix(full, text) || !strings.Contains(full, "# Keys, limits, and what caches may keep") {
		t.Error("the whole text is not what the short one promises")
	}
	for _, path := range []string{"/docs/none.md", "/docs/..%2fREADME.md", "/docs/docs.go"} {
		if out := get(path).to(t, s); out.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, out.Code)
		}
	}
}

func TestADryRunOfAnEditTakesNoStep(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	before := get("/templates/tpl_certificate/draft").to(t, s)
	edit := call{method: http.MethodPatch, path: "/templates/tpl_certificate/draft", body: `{"ops":[` + string(drafttest.SetText("name", "Otherwise")) + `],"dryRun":true}`}
	out := edit.with("If-Match", before.Header().Get("ETag")).to(t, s)
	if out.Code != 200 || out.Header().Get("ETag") != before.Header().Get("ETag") || !strings.Contains(out.Body.String(), "Otherwise") {
		t.Errorf("%d %v %s", out.Code, out.Header(), out.Body)
	}
	if after := get("/templates/tpl_certificate/draft").to(t, s); after.Body.String() != before.Body.String() {
		t.Errorf("it left %s", after.Body)
	}
}
