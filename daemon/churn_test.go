package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/sink"
)

// A circus delivers generation after generation of rows to a watched sink.
type circus struct {
	*churn
	tripped []circle
	held    int
	rows    map[string]*sink.Delivery
}

func newCircus() *circus {
	c := &circus{rows: map[string]*sink.Delivery{}}
	c.churn = newChurn()
	c.holdFunc = func(string) time.Duration { return time.Minute }
	c.tripFunc = func(found circle) { c.tripped = append(c.tripped, found) }
	c.ownFunc = func(string, string) []string { return []string{"url"} }
	return c
}

// change gives the row of key other values, so many generations on.
func (c *circus) change(key string, generations int64, set map[string]any) {
	d := c.rows[key]
	if d == nil {
		d = &sink.Delivery{Event: sink.RenderCompleted, Binding: "cards", Key: key, Row: map[string]any{"sku": key}}
		c.rows[key] = d
	}
	d.Generation += generations
	d.ID = fmt.Sprintf("dlv_%s_%d", key, d.Generation)
	row := map[string]any{}
	for name, value := range d.Row {
		row[name] = value
	}
	for name, value := range set {
		row[name] = value
	}
	d.Row = row
}

// deliver delivers the newest state of key, as soon as it may be.
func (c *circus) deliver(key string) {
	for {
		wait, held := retry.Wait(c.before("back", *c.rows[key]))
		if !held {
			break
		}
		c.held++
		time.Sleep(wait)
	}
	c.arrived("back", *c.rows[key])
}

func TestARowThatOurWritingChangesTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCircus()
		for i := range 20 {
			if len(c.tripped) > 0 {
				break
			}
			// The column changes each time, and another one now and then.
			c.change("a", 1, map[string]any{"updated": i, "url": fmt.Sprint("https://x.example/", i), "note": i / 3})
			c.deliver("a")
			time.Sleep(15 * time.Second)
		}
		if len(c.tripped) != 1 || c.held != 1 {
			t.Fatalf("tripped %v, held back %d times", c.tripped, c.held)
		}
		found := c.tripped[0]
		if !slices.Equal(found.columns, []string{"updated"}) || found.key != "a" || found.binding != "cards" || found.sink != "back" {
			t.Errorf("%+v", found)
		}
	})
}

// It changes while it is not written to, too.
func TestAHotRowNeverTrips(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 15 * time.Second, 55 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newCircus()
			end := time.Now().Add(2 * time.Hour)
			for i := 0; time.Now().Before(end); i++ {
				c.change("a", 1, map[string]any{"price": i})
				for {
					wait, held := retry.Wait(c.before("back", *c.rows["a"]))
					if !held {
						c.arrived("back", *c.rows["a"])
						break
					}
					c.held++
					for ; wait > 0; wait -= every { // the source goes on
						time.Sleep(every)
						i++
						c.change("a", 1, map[string]any{"price": i})
					}
				}
				time.Sleep(every)
			}
			if len(c.tripped) > 0 {
				t.Errorf("every %v: tripped after %v", every, c.tripped)
			}
			if c.held > 13 {
				t.Errorf("every %v: held back %d times in two hours", every, c.held)
			}
		})
	}
}

func TestWhatDoesNotCircleNeverTrips(t *testing.T) {
	for name, test := range map[string]struct {
		generations int64
		every       time.Duration
		set         func(i int) map[string]any
	}{
		"slow":                        {1, 2 * time.Minute, func(i int) map[string]any { return map[string]any{"price": i} }},
		"changed between deliveries":  {2, time.Second, func(i int) map[string]any { return map[string]any{"price": i} }},
		"drawn anew":                  {1, time.Second, func(int) map[string]any { return nil }},
		"never twice the same column": {1, time.Second, func(i int) map[string]any { return map[string]any{fmt.Sprint("c", i): i} }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCircus()
				for i := range 200 {
					c.change("a", test.generations, test.set(i))
					c.deliver("a")
					time.Sleep(test.every)
				}
				if len(c.tripped) > 0 || c.held > 0 {
					t.Errorf("tripped %v, held back %d times", c.tripped, c.held)
				}
			})
		})
	}
}

func TestRowsThatAreWatchedAreBounded(t *testing.T) {
	c := newCircus()
	for i := range churnRows + 500 {
		key := fmt.Sprint(i)
		c.change(key, 1, nil)
		c.arrived("back", *c.rows[key])
	}
	if len(c.churn.rows) != churnRows || c.order.Len() != churnRows {
		t.Errorf("%d rows are remembered", len(c.churn.rows))
	}
}

// Somebody's script notes when a row was edited last, and the card shows it: each
// picture makes another one.
func TestAScriptThatGoesInACircleIsStoppedAndNamed(t *testing.T) {
	suspectSoon(t)
	e, sheet, address := newSheet(t)
	sheet.Set([]any{"sku", "title", "edits", "Image URL"}, []any{"a", "Mug", 0}, []any{"b", "Tent", 0})
	circling := true
	sheet.OnEdit(func(edit sheetstest.Edit) {
		if n, ok := edit.Value(3).(float64); ok && circling && edit.Row == 2 {
			edit.Set(3, n+1)
		}
	})
	s := newSite(t, strings.ReplaceAll(`
sources:
  goods: { kind: sheets, spreadsheet: BOOK, range: Goods, key: sku, every: 1s, endpoint: "SHEETS" }
sinks:
  back: { kind: sheets, source: goods, column: Image URL }
bindings:
  - { name: cards, source: goods, template: card, public: true, map: { price: edits }, sinks: [back], guard: { floor: 100 } }
`, "SHEETS", address))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	var of struct {
		Binding struct{ Status, PausedReason string }
	}
	eventually(t, "the binding is paused", func() bool {
		p.get("/bindings/cards", &of)
		return of.Binding.Status == "paused"
	})
	if !strings.Contains(of.Binding.PausedReason, `the sink "back" writes to row "a", "edits" changes`) || strings.Contains(of.Binding.PausedReason, "Image URL") {
		t.Errorf("it is paused because %q", of.Binding.PausedReason)
	}
	for path, want := range map[string]string{
		"/bindings/cards/rows/a": `"edits\" changes`, "/bindings": `"edits\" changes`, "/metrics": `pictifyd_churn_tripped_total{binding="cards"} 1`,
	} {
		if _, text := p.ask("GET", path, ""); !strings.Contains(text, want) {
			t.Errorf("%s does not say %q: %s", path, want, text)
		}
	}
	if v, _ := sheet.Entered("D3").(string); !strings.Contains(v, "/images/") {
		t.Errorf("the other row has %q", v)
	}
	edits := sheet.Entered("C2")
	calls := len(e.Calls())
	eventually(t, "some readings", func() bool { return len(e.Calls()) > calls+1 })
	if again := sheet.Entered("C2"); again != edits {
		t.Errorf("it goes on: %v edits, then %v", edits, again)
	}
	sheet.OnEdit(func(sheetstest.Edit) {})
	circling = false
	p.mustSend(200, "POST", "/bindings/cards/resume", "")
	before := sheet.Entered("D2")
	sheet.Write("B2", "Cup")
	eventually(t, "the row is drawn and written again", func() bool { return sheet.Entered("D2") != before })
	of.Binding.PausedReason = ""
	if p.get("/bindings/cards", &of); of.Binding.Status != "active" || of.Binding.PausedReason != "" {
		t.Errorf("it is %+v", of.Binding)
	}
}

// So it is with a trigger of the user's: it touches a column that the picture shows.
func TestATriggerThatGoesInACircleIsStoppedAndNamed(t *testing.T) {
	suspectSoon(t)
	shop := countedTable(t, 2)
	s := newSite(t, strings.Replace(writeBackYAML(shop), "{ title: name }", `{ title: 'name + " of " + updated_at' }`, 1))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	var of struct {
		Binding struct{ Status, PausedReason string }
	}
	eventually(t, "the binding is paused", func() bool {
		p.get("/bindings/cards", &of)
		return of.Binding.Status == "paused"
	})
	if why := of.Binding.PausedReason; !strings.Contains(why, `the sink "back" writes to row "SKU-`) || !strings.Contains(why, `"updated_at" changes`) {
		t.Errorf("it is paused because %q", why)
	}
	rest := func() (writes string) {
		_, before := polls(t, url)
		eventually(t, "three readings that find nothing new", func() bool {
			_, now := polls(t, url)
			return now >= before+3
		})
		return shop.Value("SELECT count(*) FROM writes")
	}
	writes := rest() // what was under way is told yet
	if now := rest(); now != writes {
		t.Errorf("it goes on: %s writes, then %s", writes, now)
	}
	shop.Run("DROP TRIGGER touched ON products")
	was := shop.Value("SELECT image_url FROM products WHERE sku = 'SKU-1'")
	p.mustSend(200, "POST", "/bindings/cards/resume", "")
	shop.Run("UPDATE products SET name = 'Cup' WHERE sku = 'SKU-1'")
	eventually(t, "the row is drawn and written again", func() bool {
		return shop.Value("SELECT image_url FROM products WHERE sku = 'SKU-1'") != was
	})
}

// Without such a script, writing back comes to rest at once.
func TestWritingBackToASheetIsNoEcho(t *testing.T) {
	e, sheet, address := newSheet(t)
	sheet.Set([]any{"sku", "title", "price", "Image URL"}, []any{"a", "Mug", 14.9}, []any{"b", "Tent", 199}, []any{"c", "Lamp", 25})
	s := newSite(t, strings.ReplaceAll(`
sources:
  goods: { kind: sheets, spreadsheet: BOOK, range: Goods, key: sku, every: 1s, endpoint: "SHEETS" }
sinks:
  back: { kind: sheets, source: goods, column: Image URL }
bindings:
  - { name: cards, source: goods, template: card, public: true, sinks: [back], on_delete: remove, delete_grace: 0s }
`, "SHEETS", address))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	written := func() bool {
		return sheet.Entered("D2") != nil && sheet.Entered("D3") != nil && sheet.Entered("D4") != nil
	}
	eventually(t, "three addresses in the sheet", written)
	writes := func() (n int) {
		for _, c := range e.Calls() {
			if c.Write {
				n++
			}
		}
		return n
	}
	drawn, wrote, calls := len(null.Requests()), writes(), len(e.Calls())
	eventually(t, "some readings", func() bool { return len(e.Calls()) > calls+4 })
	if len(null.Requests()) != drawn || writes() != wrote || drawn != 3 {
		t.Errorf("%d drawn, then %d; %d writes, then %d", drawn, len(null.Requests()), wrote, writes())
	}
	if _, text := (&process{tb: t, url: url}).ask("GET", "/metrics", ""); !strings.Contains(text, `pictifyd_sheet_write_races_total{sink="back"} 0`) {
		t.Error("the metrics do not show the races")
	}
	if v := sheet.Entered("D3").(string); fetch(t, v) == nil || !strings.HasPrefix(v, url) {
		t.Errorf("the sheet has %q", v)
	}
	sheet.Sort(2, true)
	before := sheet.Entered("D2") // of Tent, which is the first now
	sheet.Write("C2", 150)
	eventually(t, "the new address of Tent, where it stands now", func() bool { return sheet.Entered("D2") != before })
	if sheet.Entered("A2") != "b" || sheet.Entered("D2") == nil {
		t.Errorf("row 2 is of %v and has %v", sheet.Entered("A2"), sheet.Entered("D2"))
	}
}

// suspectSoon makes a circle one after a few rounds, and a held delivery short.
func suspectSoon(t *testing.T) {
	t.Helper()
	hold, rounds := churnHold, churnRounds
	t.Cleanup(func() { churnHold, churnRounds = hold, rounds }) // after the daemon has ended
	churnHold, churnRounds = 2*time.Second, 4
}
