package daemon

import (
	"fmt"
	"net/http"
	"testing"
)

// A run that is killed at a named moment goes on: each row is there once, nothing
// is drawn for it twice under two jobs, and its webhook keeps its id.
func TestRunSurvivesKillAt(t *testing.T) {
	const rows = 30
	for _, c := range []struct {
		point         string
		first, second int
	}{
		{"run.asked", 1, 0},
		{"closing.tx", 1, 1},
		{"plan.committed", 1, 1},
		{"rows.staged", 1, 1},
		{"run.staged", 1, 1},
		{"run.accepted", 1, 0},
		{"job.planned", 1, 0},
		{"renders.claimed", 1, 1},
		{"blobs.written", 1, 2},
		{"delivery.claimed", 1, 1},
		{"delivery.answered", 1, 1},
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku, cron: "0 6 1 1 *" } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, on_run: [hook], public: true } ]
`)
			s.write("rows.csv", csvRows(rows, "one"))
			p := s.start(fmt.Sprintf("%s=%s:%d", childCrash, c.point, c.first))
			p.tryRun("cards")
			p.mustDie(c.point)
			if c.second > 0 {
				s.start(fmt.Sprintf("%s=%s:%d", childCrash, c.point, c.second)).mustDie(c.point)
			}
			p = s.start()
			id := p.onlyJob()
			p.mustComplete(id, rows)
			s.receiver.mustHaveOneID(t, "run.completed")
			v := p.runOf(id)
			if v.Run.Rows != rows || v.Run.Changed != rows || v.Run.Unchanged != 0 {
				t.Errorf("the run is %+v", v.Run)
			}
			if n := p.ready("cards"); n != rows {
				t.Errorf("%d cards are ready", n)
			}
		})
	}
}

// tryRun asks for a run of a daemon that may die before it answers.
func (p *process) tryRun(binding string) {
	p.tb.Helper()
	if res, err := http.Post(p.url+"/bindings/"+binding+"/run", "application/json", nil); err == nil {
		res.Body.Close()
	}
}
