package daemon

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckOfLiveBindings(t *testing.T) {
	for name, one := range map[string]struct{ binding, want string }{
		"a source that finds no row":     {`source: rows, live: { ttl: 60s }`, `bindings[0].live: the source "rows" can't be asked for one row by its key`},
		"too short":                      {`source: shop, live: { ttl: 10ms }`, "bindings[0].live.ttl"},
		"no wait":                        {`source: shop, live: { timeout: 0s }`, "bindings[0].live.timeout"},
		"a way that is none":             {`source: shop, live: { on_error: serve_nothing }`, "serve_stale, serve_error or serve_default"},
		"a default without one":          {`source: shop, live: { on_error: serve_default }`, "serve_default needs a placeholder"},
		"staleness below ttl":            {`source: shop, live: { max_stale: 5s }`, "max_stale 5s is shorter than ttl 1m"},
		"too many at a time":             {`source: shop, live: { concurrency: 1000 }`, "bindings[0].live.concurrency"},
		"missing for no time":            {`source: shop, live: { missing_ttl: 0s }`, "bindings[0].live.missing_ttl"},
		"an unknown field":               {`source: shop, live: { tll: 60s }`, `did you mean "ttl"?`},
		"an unknown placeholder":         {`source: shop, placeholder: crad`, `did you mean "card"?`},
		"a placeholder that needs a row": {`source: shop, placeholder: card`, `the template "card" can't be the placeholder`},
		"good":                           {`source: shop, live: {}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, `
sources:
  rows: { kind: file, path: rows.csv, key: sku }
  shop: { kind: finder, url: "http://127.0.0.1:1", key: sku }
bindings: [ { name: cards, template: card, `+one.binding+` } ]
`)
			settings, err := loadWithFinder(filepath.Join(s.dir, "pictifyd.yaml"))
			if err == nil {
				parsed, _ := checkTemplates(filepath.Join(s.dir, "templates"))
				err = settings.checkBinding(settings.Bindings[0], parsed).Err()
			}
			switch {
			case one.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case one.want != "" && (err == nil || !strings.Contains(err.Error(), one.want)):
				t.Errorf("it says %v, want %q", err, one.want)
			}
			if err == nil && settings.Bindings[0].Live.TTL != 60e9 {
				t.Errorf("live is %+v", settings.Bindings[0].Live)
			}
		})
	}
}
