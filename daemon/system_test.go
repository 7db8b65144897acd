package daemon

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
)

func TestSystemIsTheMachineAsItIs(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, `
secrets: { of-callers: { value: secret-of-callers, api: true } }
`), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	text := p.mustSend(http.StatusOK, "GET", "/system", "")
	var is struct {
		Ledger struct {
			Kind   string
			Schema int64
		}
		Caches []struct {
			Name         string
			Entries      int
			Hits, Misses int64
		}
		Storage struct{ LedgerBytes, FreeBytes, TotalBytes int64 }
		Queue   struct{ ByPriority map[string]int64 }
		Config  struct {
			Secrets map[string]struct{ Value string }
			Keep    struct{ Superseded string }
			Egress  struct{ Allow []string }
		}
		Findings []struct{ Check, Level, Message string }
	}
	if err := json.Unmarshal([]byte(text), &is); err != nil {
		t.Fatal(err)
	}
	if is.Ledger.Kind != "sqlite" || is.Ledger.Schema < 30 || is.Storage.LedgerBytes < 1<<12 || is.Storage.FreeBytes <= 0 || is.Storage.TotalBytes < is.Storage.FreeBytes {
		t.Errorf("the ledger is %+v, the storage %+v", is.Ledger, is.Storage)
	}
	if len(is.Caches) != 3 || is.Caches[0].Entries == 0 || is.Caches[0].Hits+is.Caches[0].Misses == 0 || len(is.Queue.ByPriority) != 4 {
		t.Errorf("the caches are %+v, the queue %+v", is.Caches, is.Queue)
	}
	if is.Config.Secrets["of-callers"].Value != "***" || is.Config.Keep.Superseded != "90d" || len(is.Config.Egress.Allow) != 1 || strings.Contains(text, "secret-of-callers") {
		t.Errorf("the configuration is %+v", is.Config)
	}
	checks := map[string]string{}
	for _, f := range is.Findings {
		checks[f.Check] = f.Level
	}
	if checks["clock"] != "ok" || checks["templates"] != "ok" || checks["data folder"] == "" {
		t.Errorf("the findings are %+v", is.Findings)
	}
}

// Whatever kind there will be, its configuration is shown whole and as JSON.
func TestConfigurationOfEveryKindIsShown(t *testing.T) {
	var none config.Node
	check := func(what string, cfg any) {
		var shown map[string]any
		if err := json.Unmarshal(none.Shown(cfg), &shown); err != nil || len(shown) == 0 {
			t.Errorf("%s is shown as %s: %v", what, none.Shown(cfg), err)
		}
	}
	for _, k := range Connectors() {
		check("source "+k.Name, k.Config())
	}
	for _, k := range Sinks() {
		check("sink "+k.Name, k.Default())
	}
}

func TestConfigurationIsShownWithoutItsSecrets(t *testing.T) {
	const src = `
server: { keys: [{ name: all, key: key-of-everything-here }], webhook_secret: signs-the-webhooks-of-batches }
store: { url: "postgres://ada:pass-of-ada@db.example/pictifyd", seal_key: "0123456789abcdef0123456789abcdef" }
templates: templates
sources:
  shop: { kind: http, url: "https://api.example/rows?api_key=key-in-the-address", key: sku, bearer: bearer-of-the-shop, headers: { X-Key: header-of-the-shop } }
sinks:
  hook: { kind: webhook, url: "https://hooks.example/in", secret: "whsec_c2VjcmV0LW9mLXRoZS1ob29rLTEyMzQ=" }
bindings:
  - { name: cards, source: shop, template: card, sinks: [hook] }
`
	s, err := decode("pictifyd.yaml", []byte(src), config.Options{Dir: t.TempDir()}, Connectors(), Sinks())
	if err != nil {
		t.Fatal(err)
	}
	text := string(s.shown())
	for _, secret := range []string{"key-of-everything", "signs-the-webhooks", "pass-of-ada", "0123456789abcdef", "key-in-the-address", "bearer-of", "header-of", "c2VjcmV0"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
	for _, part := range []string{`"url":"postgres://ada:***@db.example/pictifyd"`, `"kind":"http"`, `"name":"cards"`, `"X-Key":"***"`, `"listen":`} {
		if !strings.Contains(text, part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
}
