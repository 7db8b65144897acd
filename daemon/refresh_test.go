package daemon

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestForcedRefreshDrawsAgainWithoutReading(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Cup"}, [2]string{"C", "Jug"}))
	r := newSite(t, planYAML(shop, "")).reloadable()
	generation := func(key string) (n int) {
		var v struct {
			Row struct {
				Generation int
				State      string
			}
		}
		if r.get("/bindings/cards/rows/"+key, &v); v.Row.State != "ready" {
			return 0
		}
		return v.Row.Generation
	}
	eventually(t, "the images", func() bool { return generation("A") == 1 && generation("B") == 1 && generation("C") == 1 })

	var done struct {
		Status       string
		Images, Rows int
		Missing      []string
		Reading      bool
	}
	send := func(body string) {
		t.Helper()
		if err := json.Unmarshal([]byte(r.mustSend(202, "POST", "/bindings/cards/refresh", body)), &done); err != nil {
			t.Fatal(err)
		}
	}
	if send(`{"keys":["A","none"],"force":true}`); done.Status != "redrawing" || done.Images != 1 || len(done.Missing) != 1 || done.Missing[0] != "none" {
		t.Errorf("answered %+v", done)
	}
	eventually(t, "the image of A", func() bool { return generation("A") == 2 })
	if generation("B") != 1 {
		t.Error("the image of another row was drawn again")
	}
	if send(`{"force":true}`); done.Images != 3 {
		t.Errorf("answered %+v", done)
	}
	eventually(t, "all images", func() bool { return generation("A") == 3 && generation("B") == 2 && generation("C") == 2 })
	if n := shop.asks(); n != 1 {
		t.Errorf("the source was asked %d times, want once", n)
	}
	r.mustSend(200, "POST", "/bindings/cards/pause", "")
	if text := r.mustSend(409, "POST", "/bindings/cards/refresh", `{"force":true}`); !strings.Contains(text, `"binding_paused"`) {
		t.Errorf("a paused binding: %s", text)
	}
}

// A source that can't be asked for one row is read.
func TestRefreshOfRowsReadsTheSourceWhereItMust(t *testing.T) {
	t.Parallel()
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, public: true }
`)
	s.write("rows.csv", csvRows(2, "one"))
	r := s.reloadable()
	eventually(t, "the images", func() bool { return r.picture("/b/cards/SKU-001.png") != "" })
	if text := r.mustSend(202, "POST", "/bindings/cards/refresh", `{"keys":["SKU-001"]}`); !strings.Contains(text, `"reading":true`) {
		t.Errorf("answered %s", text)
	}
}

// Accepted is a ceiling: more than that is asked again, and what is held is
// shown before and after.
func TestGuardOverTheAPI(t *testing.T) {
	t.Parallel()
	rows := func(n int, name string) string {
		var all [][2]string
		for i := range n {
			all = append(all, [2]string{fmt.Sprintf("K%02d", i), fmt.Sprintf("%s %d", name, i)})
		}
		return pricedRows(all...)
	}
	shop := newShop(t, rows(20, "Mug"))
	s := newSite(t, planYAML(shop, ", on_delete: remove, delete_grace: 0s, guard: { max_changed: 20%, max_deleted: 20%, floor: 2 }"))
	r := s.reloadable()
	type held struct {
		Held *struct {
			Changes, Removals int
			Reason            string
		}
		Accepted int
		Sample   []struct {
			Key, Becomes string
			Texts        []struct{ Output, Before, After string }
			Row          map[string]any
		}
	}
	guard := func() held {
		var v struct{ Guard held }
		r.get("/bindings/cards/guard?limit=3", &v)
		return v.Guard
	}
	waitHeld := func(changes, removals int) held {
		t.Helper()
		r.mustSend(202, "POST", "/bindings/cards/refresh", "")
		eventually(t, fmt.Sprintf("%d changes and %d removals held", changes, removals), func() bool {
			h := guard().Held
			return h != nil && h.Changes == changes && h.Removals == removals
		})
		for asked := -1; asked != shop.asks(); time.Sleep(time.Second) { // another reading may have begun with the same rows
			asked = shop.asks()
		}
		return guard()
	}
	eventually(t, "the images", func() bool { return r.picture("/b/cards/K19.png") != "" && r.picture("/b/cards/K00.png") != "" })
	if g := guard(); g.Held != nil || len(g.Sample) != 0 {
		t.Errorf("without anything held it shows %+v", g)
	}
	first := r.picture("/b/cards/K00.png")

	shop.set(rows(20, "Cup"))
	g := waitHeld(20, 0)
	if !strings.Contains(g.Held.Reason, "20 of 20 images would change") || len(g.Sample) != 3 {
		t.Errorf("it shows %+v", g)
	}
	if one := g.Sample[0]; one.Key != "K00" || one.Becomes != "changed" || len(one.Texts) != 1 || one.Texts[0].Before != "Mug 0" || one.Texts[0].After != "Cup 0" || one.Row["name"] != "Cup 0" {
		t.Errorf("the sample begins with %+v", one)
	}
	if r.picture("/b/cards/K00.png") != first {
		t.Error("a held change is shown")
	}
	// Something else is held by now than was seen.
	r.mustSend(409, "POST", "/bindings/cards/guard/accept", `{"changes":19}`)
	r.mustSend(200, "POST", "/bindings/cards/guard/accept", `{"changes":20,"removals":0}`)
	eventually(t, "the accepted image", func() bool { now := r.picture("/b/cards/K00.png"); return now != "" && now != first })

	// Ten are gone; that is accepted. Then twelve are: it is asked again.
	shop.set(rows(10, "Cup"))
	if g := waitHeld(0, 10); g.Sample[0].Becomes != "gone" || g.Sample[0].Key != "K10" {
		t.Errorf("it shows %+v", g)
	}
	shop.set(rows(8, "Cup")) // which any reading from now on finds, also one before the accept
	if status, text := r.ask("POST", "/bindings/cards/guard/accept", `{"removals":10}`); status != 200 && status != 409 {
		t.Fatalf("the accept answers %d: %s", status, text)
	}
	if g := guard(); (g.Held != nil || g.Accepted != 10) && (g.Held == nil || g.Held.Removals != 12) {
		t.Errorf("after the accept it shows %+v", g)
	}
	waitHeld(0, 12)
	if r.picture("/b/cards/K19.png") == "" {
		t.Error("an image went although more are gone than were accepted")
	}
	r.mustSend(200, "POST", "/bindings/cards/guard/accept", `{"removals":12}`)
	r.mustSend(202, "POST", "/bindings/cards/refresh", "")
	eventually(t, "the removals", func() bool { return r.picture("/b/cards/K19.png") == "" && r.picture("/b/cards/K07.png") != "" })
}

// Somebody says that the shop has the row now, or no more: what was heard of it
// before counts no longer.
func TestRefreshOfARowEndsWhatWasHeardOfItBefore(t *testing.T) {
	l := newLive(t, "ttl: 1h, missing_ttl: 1h", "", ", on_delete: remove")
	p := &process{tb: t, url: l.url}
	refresh := func(key, want string) {
		t.Helper()
		if text := p.mustSend(202, "POST", "/bindings/cards/refresh", `{"keys":["`+key+`"]}`); !strings.Contains(text, want) {
			t.Errorf("the refresh of %s answers %s, want %s in it", key, text, want)
		}
	}
	if got := l.get("B").status; got != 404 {
		t.Fatalf("a row that there is not answers %d", got)
	}
	l.shop.change(func() { l.shop.titles["B"] = "Cup" })
	refresh("B", `"rows":1`)
	if got := l.get("B").status; got != 200 {
		t.Errorf("the row that there is now answers %d", got)
	}
	l.shop.change(func() { delete(l.shop.titles, "B") })
	refresh("B", `"missing":["B"]`)
	if got := l.get("B").status; got == 200 {
		t.Errorf("the row that is gone answers %d", got)
	}
}

func TestRefreshOfARowTakesNoOther(t *testing.T) {
	l := newLive(t, "ttl: 1h", ", polled: true", "")
	p := &process{tb: t, url: l.url}
	eventually(t, "the first reading", func() bool { return p.ready("cards") == 1 })
	l.shop.change(func() { l.shop.titles["B"], l.shop.as = "Cup", "A" })
	if text := p.mustSend(502, "POST", "/bindings/cards/refresh", `{"keys":["B"]}`); !strings.Contains(text, `asked for the row \"B\" and answered \"A\"`) {
		t.Errorf("answered %s", text)
	}
	if row := p.text("/bindings/cards/rows/A"); !strings.Contains(row, "Mug") {
		t.Errorf("row A is %s", row)
	}
}

// What was drawn a moment ago for somebody who waited is drawn again all the same
// when a person says so.
func TestForcedRefreshDrawsAgainWhatWasDrawnJustNow(t *testing.T) {
	l := newLive(t, "ttl: 1h", "", "")
	l.get("A").must(t, 200)
	drawn := l.null.Count()
	ask(t, "POST", l.url+"/bindings/cards/refresh", `{"keys":["A"],"force":true}`).must(t, 202)
	eventually(t, "it is drawn again", func() bool { return l.null.Count() == drawn+1 })
}
