package daemon

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestFileWithCalledSourcesThatDoNotGoTogether(t *testing.T) {
	const guarded = `secret: "` + crmSecret + `"`
	for name, c := range map[string]struct{ server, sources, path, words string }{
		"same path": {"", `a: { kind: webhook, path: crm, key: id, ` + guarded + ` }
  b: { kind: webhook, path: crm, key: id, ` + guarded + ` }`, "sources.b.path", `the source "a" has the path "crm" as well`},
		"no such source": {"", `a: { kind: webhook, path: crm, refresh: shpo, ` + guarded + ` }
  shop: { kind: file, path: shop.csv, key: id }`, "sources.a.refresh", `there is no source "shpo"`},
		"itself":         {"", `a: { kind: webhook, path: crm, refresh: a, ` + guarded + ` }`, "sources.a.refresh", "can't be read"},
		"nobody asks":    {"", `a: { kind: webhook, path: crm, key: id }`, "sources.a", "nothing says who may call"},
		"open to all":    {`server: { listen: "0.0.0.0:8080", keys: ["0123456789abcdef0123456789abcdef"] }`, `a: { kind: webhook, path: crm, key: id, open: true }`, "sources.a.open", "reached from other machines"},
		"open by proxy":  {`server: { public_url: "https://pictures.example" }`, `a: { kind: webhook, path: crm, key: id, open: true }`, "sources.a.open", "reached from other machines"},
		"unknown key":    {"", `a: { kind: webhook, path: crm, key: id, verify: { gihub: "long enough" } }`, "sources.a.verify", `unknown key "gihub"`},
		"empty variable": {"", `a: { kind: webhook, path: crm, key: id, secret: "${PICTIFYD_TEST_UNSET:-}" }`, "sources.a.secret", "0 characters"},
	} {
		path := filepath.Join(t.TempDir(), "pictifyd.yaml")
		if err := os.WriteFile(path, []byte(c.server+"\nsources:\n  "+c.sources+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		found := false
		for _, p := range problem.All(err) {
			found = found || p.Path == c.path && strings.Contains(p.Message, c.words) && p.Pos.Line > 0
		}
		if !found {
			t.Errorf("%s: %v; want at %s that %s", name, err, c.path, c.words)
		}
	}
}

func TestOpenSourceOfAServerThatOnlyThisMachineReaches(t *testing.T) {
	p, _ := crm(t, `
sources: { crm: { kind: webhook, path: crm, key: id, open: true } }
bindings: [ { name: cards, source: crm, template: card, map: { title: name } } ]
`)
	for range 2 { // without ids there are no repetitions: the state is the same
		if code, text := p.ask(http.MethodPost, "/hooks/crm", record("a", "Ada")); code != http.StatusOK || !strings.Contains(text, `"accepted"`) {
			t.Errorf("%d %s", code, text)
		}
	}
	if code, text := p.ask(http.MethodPost, "/hooks/crm", record("a", "Eve"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); code != http.StatusForbidden {
		t.Errorf("a page of another origin: %d %s", code, text)
	}
	if name := p.nameOf("cards", "a"); name != "Ada" {
		t.Errorf("a is %q", name)
	}
}

func TestCallersMakeSourcesThatAreCalled(t *testing.T) {
	s := newSite(t, crmSite)
	url, _ := s.run(Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	text := p.mustSend(201, "POST", "/sources", `{"name":"mine","kind":"webhook","path":"mine","key":"id","secret":"`+crmSecret+`"}`)
	if strings.Contains(text, crmSecret) || !strings.Contains(text, `"hookUrl":"`+url+`/hooks/mine"`) {
		t.Errorf("the answer is %s", text)
	}
	p.mustSend(201, "POST", "/bindings", `{"name":"minecards","source":"mine","template":"card","map":{"title":"name"}}`)
	p.mustTell("mine", "msg_1", record("a", "Ada"), "accepted")
	eventually(t, "the card", func() bool { return p.ready("minecards") == 1 })

	for name, c := range map[string]struct {
		status                   int
		method, path, body, code string
	}{
		"path of the file's":  {409, "POST", "/sources", `{"name":"other","kind":"webhook","path":"crm","key":"id","secret":"long enough"}`, "hook_path_taken"},
		"path of a caller's":  {409, "POST", "/sources", `{"name":"other","kind":"webhook","path":"mine","key":"id","secret":"long enough"}`, "hook_path_taken"},
		"no check":            {422, "POST", "/sources", `{"name":"other","kind":"webhook","path":"other","key":"id"}`, "hook_unguarded"},
		"no such source":      {422, "POST", "/sources", `{"name":"other","kind":"webhook","path":"other","secret":"long enough","refresh":"shop"}`, "there is no source"},
		"environment":         {422, "POST", "/sources", `{"name":"other","kind":"webhook","path":"other","key":"id","secret":"${HOME}"}`, "not put in here"},
		"moved to a used one": {409, "PUT", "/sources/mine", `{"kind":"webhook","path":"dated","key":"id","secret":"***"}`, "hook_path_taken"},
	} {
		if text := p.mustSend(c.status, c.method, c.path, c.body); !strings.Contains(text, c.code) {
			t.Errorf("%s: %s", name, text)
		}
	}

	// The secret stays, and so does what was taken: another path is another address.
	p.mustSend(200, "PUT", "/sources/mine", `{"kind":"webhook","path":"moved","key":"id","secret":"***"}`)
	if code, _ := p.ask(http.MethodPost, "/hooks/mine", "{}"); code != http.StatusNotFound {
		t.Errorf("the path of before: %d", code)
	}
	p.mustTell("moved", "msg_1", record("a", "Ada"), "duplicate")
}
