package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A row of a batch that is killed at a named moment is neither lost nor made
// twice, and the webhook keeps its id. Each case kills the daemon twice: once
// early, and once more in what is left.
func TestBatchSurvivesKillAt(t *testing.T) {
	for _, c := range []struct {
		point         string
		first, second int
	}{
		{"job.accepted", 1, 0},
		{"job.planned", 1, 1},
		{"renders.claimed", 2, 2},
		{"blobs.written", 1, 2},
		{"renders.recorded", 1, 0},
		{"turn.ending", 1, 2},
		{"delivery.claimed", 1, 1}, // its end is planned, and nobody was told
		{"delivery.answered", 1, 1},
		{"delivery.recorded", 1, 0},
		{"delivery.finish", 1, 1},
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			const rows = 700
			p := s.start(fmt.Sprintf("%s=%s:%d", childCrash, c.point, c.first))
			id, err := p.postBatch(batchRows(rows), s.receiver.server.URL)
			if err != nil && c.point != "job.accepted" {
				t.Fatal(err)
			}
			p.mustDie(c.point)
			if c.second > 0 {
				s.start(fmt.Sprintf("%s=%s:%d", childCrash, c.point, c.second)).mustDie(c.point)
			}
			p = s.start()
			if id == "" { // accepted, but the answer was never sent
				id = p.onlyJob()
			}
			p.mustComplete(id, rows)
			s.receiver.mustHaveOneID(t, "batch.completed")
		})
	}
}

func TestReadingSurvivesKillAt(t *testing.T) {
	for _, point := range []string{"plan.committed", "closing.tx", "renders.claimed", "blobs.written", "delivery.claimed", "delivery.answered", "delivery.finish", "delivery.recorded"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, sinks: [hook], public: true } ]
`)
			const rows = 30
			s.write("rows.csv", csvRows(rows, "one"))
			s.start(childCrash + "=" + point + ":1").mustDie(point)

			// The second reading is killed as well, with other values in it.
			s.write("rows.csv", csvRows(rows, "two"))
			s.start(childCrash + "=" + point + ":1").mustDie(point)

			p := s.start()
			eventually(t, "every card has the second values", func() bool { return p.ready("cards") == rows })
			for i := range rows {
				if status := p.get(fmt.Sprintf("/b/cards/SKU-%03d.png", i), nil); status != http.StatusOK {
					t.Errorf("card %d: status %d", i, status)
				}
			}
			eventually(t, "each card's last state was delivered", func() bool {
				return len(s.receiver.lastGenerations(t)) == rows
			})
			eventually(t, "every delivery is accounted for", func() bool { return p.owes("hook") == 0 })
		})
	}
}

func batchRows(n int) []map[string]any {
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{"title": fmt.Sprintf("Card %d", i), "price": i}
	}
	return rows
}

func csvRows(n int, word string) string {
	var b strings.Builder
	b.WriteString("sku,name,price,stock\n")
	for i := range n {
		fmt.Fprintf(&b, "SKU-%03d,%s %d,%d.50,7\n", i, word, i, i)
	}
	return b.String()
}

// onlyJob is the id of the one job that there is.
func (p *process) onlyJob() string {
	p.tb.Helper()
	var list struct{ Jobs []struct{ JobID string } }
	p.get("/jobs", &list)
	if len(list.Jobs) != 1 {
		p.tb.Fatalf("there are %d jobs, want 1", len(list.Jobs))
	}
	return list.Jobs[0].JobID
}

// mustComplete waits for the end of a job and checks that every row is there
// once, and every picture can be had.
func (p *process) mustComplete(id string, rows int) {
	p.tb.Helper()
	eventually(p.tb, "the job completes", func() bool {
		var v jobView
		p.get("/jobs/"+id+"?limit=1", &v)
		return v.Status == "completed"
	})
	v := p.job(id)
	if v.TotalItems != rows || v.CompletedItems != rows || v.FailedItems != 0 || len(v.Results) != rows {
		p.tb.Fatalf("job has %d items, %d completed, %d failed, %d results; want %d rows", v.TotalItems, v.CompletedItems, v.FailedItems, len(v.Results), rows)
	}
	seen := map[int]bool{}
	for _, r := range v.Results {
		if seen[r.Index] || !r.Success {
			p.tb.Errorf("row %d: twice or failed: %+v", r.Index, r)
		}
		seen[r.Index] = true
		res, err := http.Get(p.url + r.URL[strings.Index(r.URL, "/images/"):])
		if err != nil {
			p.tb.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			p.tb.Errorf("row %d: its image answers %d", r.Index, res.StatusCode)
		}
	}
}

// ready is how many items of a binding have their wanted images.
func (p *process) ready(binding string) int {
	v := p.binding(binding)
	if v.Waiting > 0 {
		return 0
	}
	return v.Ready
}

// mustHaveOneID waits for the event and checks that all its deliveries carry
// one and the same id.
func (r *receiver) mustHaveOneID(t *testing.T, event string) {
	t.Helper()
	eventually(t, event+" arrives", func() bool { return len(r.all(event)) > 0 })
	hooks := r.all(event)
	for _, h := range hooks {
		if h.ID == "" || h.ID != hooks[0].ID {
			t.Errorf("%s arrived with the ids %q and %q", event, hooks[0].ID, h.ID)
		}
	}
	if len(hooks) > 3 { // one per daemon that was killed after the answer, and the last
		t.Errorf("%s arrived %d times", event, len(hooks))
	}
}

// lastGenerations is the newest generation per key, of keys whose delivery ids
// are one per generation and whose order was kept.
func (r *receiver) lastGenerations(t *testing.T) map[string]int64 {
	t.Helper()
	last := map[string]int64{}
	ids := map[string]string{}
	for _, h := range r.all("render.completed") {
		var d struct {
			Key        string
			Generation int64
		}
		if err := json.Unmarshal(h.Data, &d); err != nil {
			t.Fatal(err)
		}
		if d.Generation < last[d.Key] {
			t.Errorf("%s: generation %d came after %d", d.Key, d.Generation, last[d.Key])
		}
		last[d.Key] = d.Generation
		at := fmt.Sprint(d.Key, "#", d.Generation)
		if ids[at] != "" && ids[at] != h.ID {
			t.Errorf("%s: delivered as %s and as %s", at, ids[at], h.ID)
		}
		ids[at] = h.ID
	}
	return last
}
