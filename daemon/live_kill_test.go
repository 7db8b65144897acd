package daemon

import (
	"fmt"
	"testing"
)

// A row that was asked for is committed before its picture is: whoever asks after
// the restart gets the picture of it, and the sink is told once.
func TestRowThatWasAskedForSurvivesAKill(t *testing.T) {
	for _, point := range []string{"plan.committed", "row.found", "asked.recorded"} {
		t.Run(point, func(t *testing.T) {
			shop := newCounter(t)
			s := newSite(t, fmt.Sprintf(`
sources: { shop: { kind: finder, url: %q, key: sku } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: shop, template: card, sinks: [hook], public: true, live: { ttl: 60s, timeout: 20s } } ]
`, shop.server.URL))
			p := s.start(childCrash + "=" + point + ":1")
			if a, err := tryAsk(t.Context(), "GET", p.url+"/b/cards/A.png", ""); err == nil {
				t.Errorf("a daemon that was killed answered %s", a.body)
			}
			p.mustDie(point)
			p = s.start()
			ask(t, "GET", p.url+"/b/cards/A.png", "").must(t, 200)
			eventually(t, "the sink is told", func() bool { return len(s.receiver.all("render.completed")) > 0 })
			if n := len(s.receiver.all("render.completed")); n != 1 {
				t.Errorf("the sink was told %d times", n)
			}
			if row := p.row("cards", "A"); row == "" {
				t.Error("the row is not stored")
			}
		})
	}
}
