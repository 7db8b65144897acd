package daemon

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestCallersMakeRowsOfTheirOwn(t *testing.T) {
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	const team = `{"name":"team","kind":"static","key":"sku","rows":[{"sku":"A","name":"Ada","price":10.50},{"sku":"B","name":"Lin","price":2}]}`
	p.mustSend(201, "POST", "/sources", team)
	p.mustSend(201, "POST", "/bindings", `{"name":"cards","source":"team","template":"card","map":{"title":"name"},"public":true}`)
	eventually(t, "the images", func() bool { return p.ready("cards") == 2 })
	a, b := p.picture("/b/cards/A.png"), p.picture("/b/cards/B.png")

	for words, body := range map[string]string{
		"rows[1]":    strings.Replace(team, `"sku":"B",`, "", 1),
		"rows[0]":    strings.Replace(team, `"sku":"B"`, `"sku":"A"`, 1),
		"needs rows": `{"kind":"static","key":"sku"}`,
	} {
		if text := p.mustSend(422, "PUT", "/sources/team", strings.Replace(body, `"name":"team",`, "", 1)); !strings.Contains(text, words) {
			t.Errorf("%s: got %s, want %s", body, text, words)
		}
	}
	p.mustSend(200, "PUT", "/sources/team", strings.NewReplacer(`"name":"team",`, "", "10.50", "11").Replace(team))
	eventually(t, "the image of the row that changed", func() bool { now := p.picture("/b/cards/A.png"); return now != "" && now != a })
	if p.picture("/b/cards/B.png") != b {
		t.Error("the row that did not change has another image")
	}
}
