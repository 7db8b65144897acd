package daemon

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const brandedYAML = `
sources:
  products: { kind: file, path: products.csv, key: sku, every: 1h }
  brands: { kind: file, path: brands.csv, key: id, every: 1h }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings:
  - name: cards
    source: products
    template: card
    lookups: { brand: { source: brands, key: brand_id } }
    map: { title: 'sku + " of " + (brand?.name ?? "nobody")', price: "1" }
    sinks: [hook]
    public: true
    guard: { max_changed: 50%, floor: 20 }
`

// products are n rows, of which each brand has every len(brands)th.
func products(n int, brands ...string) string {
	var b strings.Builder
	b.WriteString("sku,brand_id\n")
	for i := range n {
		fmt.Fprintf(&b, "P%04d,%s\n", i, brands[i%len(brands)])
	}
	return b.String()
}

const twoBrands = "id,name,logo\nx,Acme,a.png\ny,Bolt,b.png\n"

// pictures are what the binding cards shows of n products, by key.
func (p *process) pictures(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		key := fmt.Sprintf("P%04d", i)
		all[key] = p.picture("/b/cards/" + key + ".png")
	}
	return all
}

// changedSince are the keys whose pictures differ, by the brand that products gave them.
func changedSince(before, after map[string]string) (n int, of map[string]int) {
	of = map[string]int{}
	for key, picture := range after {
		if picture != before[key] {
			n++
			of[[]string{"x", "y"}[int(key[len(key)-1]-'0')%2]]++
		}
	}
	return n, of
}

func TestChangedLookupRowRendersExactlyItsRows(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(10, "x", "y"))
	s.write("brands.csv", twoBrands)
	null := &rendertest.Null{}
	url, d := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "ten images", func() bool { return p.ready("cards") == 10 && len(s.receiver.all("render.completed")) == 10 })
	if null.Count() != 10 {
		t.Fatalf("%d pictures were made of ten products: some without their brand", null.Count())
	}
	before := p.pictures(10)

	// A column that nothing shows, then one that the title shows: when the second is
	// there, the first has had its chance.
	s.write("brands.csv", strings.Replace(twoBrands, "a.png", "new.png", 1))
	eventually(t, "the logo is read", func() bool { return p.storedRow(d, "brands", "x")["logo"] == "new.png" })
	s.write("brands.csv", strings.Replace(strings.Replace(twoBrands, "a.png", "new.png", 1), "Acme", "Acme & Co", 1))
	eventually(t, "five webhooks more", func() bool { return len(s.receiver.all("render.completed")) == 15 })
	after := p.pictures(10)
	if n, of := changedSince(before, after); n != 5 || of["x"] != 5 || null.Count() != 15 {
		t.Errorf("%v pictures changed, and %d were made; want the five of brand x", of, null.Count())
	}

	// A brand that goes, and comes back.
	s.write("brands.csv", "id,name,logo\nx,Acme & Co,new.png\n")
	eventually(t, "the products without their brand", func() bool { return len(s.receiver.all("render.completed")) == 20 })
	gone := p.pictures(10)
	if n, of := changedSince(after, gone); n != 5 || of["y"] != 5 {
		t.Errorf("%v pictures changed, want the five of brand y", of)
	}
	s.write("brands.csv", strings.Replace(strings.Replace(twoBrands, "a.png", "new.png", 1), "Acme", "Acme & Co", 1))
	eventually(t, "the products as they were", func() bool { return cmp.Equal(p.pictures(10), after) && p.ready("cards") == 10 })
	if null.Count() != 20 {
		t.Errorf("%d pictures were made, want 20: those of before are there", null.Count())
	}
}

// storedRow is a row of a source as the ledger has it.
func (p *process) storedRow(d *Daemon, source, key string) map[string]any {
	p.tb.Helper()
	rows, err := d.store.RowsByKey(p.tb.Context(), source, []string{key})
	if err != nil || len(rows) == 0 {
		return nil
	}
	var values map[string]any
	if err := json.Unmarshal(rows[0].Values, &values); err != nil {
		p.tb.Fatal(err)
	}
	return values
}

func TestGuardHoldsWhatALookupRowWouldChange(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(40, "x", "x", "x", "y"))
	s.write("brands.csv", twoBrands)
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "forty images", func() bool { return p.ready("cards") == 40 })
	before := p.pictures(40)
	s.write("brands.csv", strings.Replace(twoBrands, "Acme", "Acme & Co", 1))
	eventually(t, "the change is held", func() bool { return p.binding("cards").Held.Changes == 30 })
	v := p.binding("cards")
	if want := "after a change in brands 30 of 40 images would change (limit 50 %)"; v.Held.Reason != want || v.Ready != 40 {
		t.Errorf("held is %+v, want the reason %q", v, want)
	}

	// What another brand changes goes through meanwhile, and stays in its bounds.
	s.write("brands.csv", strings.NewReplacer("Acme", "Acme & Co", "Bolt", "Bolt & Co").Replace(twoBrands))
	eventually(t, "ten pictures of the other brand", func() bool { return null.Count() == 50 })
	if v := p.binding("cards"); v.Held.Changes != 30 || v.Held.Reason == "" {
		t.Errorf("held is %+v, want the 30 as before", v.Held)
	}
	p.mustSend(200, "POST", "/bindings/cards/guard/accept", "")
	eventually(t, "all are made", func() bool { return null.Count() == 80 && p.ready("cards") == 40 })
	if v := p.binding("cards"); v.Held.Changes != 0 || v.Held.Reason != "" {
		t.Errorf("after accept: %+v", v.Held)
	}
	if n, _ := changedSince(before, p.pictures(40)); n != 40 {
		t.Errorf("%d pictures changed, want all", n)
	}
}

func TestBindingWaitsForTheFirstReadingOfItsLookup(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(4, "x", "y"))
	null := &rendertest.Null{}
	log := &logbook{}
	url, _ := s.run(Options{Renderer: null, Log: slog.New(slog.NewTextHandler(log, nil))})
	p := &process{tb: t, url: url}
	eventually(t, "it says for what it waits", func() bool {
		return strings.Contains(p.binding("cards").Error, `the source "brands", whose rows it needs, has not been read yet`)
	})
	eventually(t, "its own rows are read", func() bool { return strings.Contains(p.text("/bindings/cards/rows"), "P0003") })
	if null.Count() != 0 {
		t.Errorf("%d pictures were made without their brands", null.Count())
	}
	s.write("brands.csv", twoBrands)
	eventually(t, "the images", func() bool { return p.ready("cards") == 4 })
	if null.Count() != 4 || p.binding("cards").Error != "" {
		t.Errorf("%d pictures were made, and %q is shown", null.Count(), p.binding("cards").Error)
	}
	if log.count("not been read yet") > 0 {
		t.Error("to wait is logged as a fault")
	}
}

func TestOnceJoinsWhateverIsReadFirst(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(50, "x", "y"))
	s.write("brands.csv", twoBrands)
	settings, err := Load(s.dir + "/pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	null := &rendertest.Null{}
	if err := Run(t.Context(), settings, Options{Log: quiet(t), Renderer: null, Once: true}); err != nil {
		t.Fatal(err)
	}
	if null.Count() != 50 || len(s.receiver.all("render.completed")) != 50 {
		t.Errorf("%d pictures and %d webhooks, want 50 of each", null.Count(), len(s.receiver.all("")))
	}
	s.write("brands.csv", strings.Replace(twoBrands, "Acme", "Acme & Co", 1))
	if err := Run(t.Context(), settings, Options{Log: quiet(t), Renderer: null, Once: true}); err != nil {
		t.Fatal(err)
	}
	if null.Count() != 75 {
		t.Errorf("%d pictures, want 25 more for one brand", null.Count())
	}
}

func TestOnceSaysForWhatABindingWaits(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(5, "x"))
	settings, err := Load(s.dir + "/pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), settings, Options{Log: quiet(t), Renderer: &rendertest.Null{}, Once: true})
	if err == nil || !strings.Contains(err.Error(), "brands.csv") || !strings.Contains(err.Error(), `"cards"`) {
		t.Errorf("got %v, want errors about brands.csv and the binding", err)
	}
}

func TestLookupChangeSurvivesKillAt(t *testing.T) {
	for _, c := range []struct {
		point string
		n     int
	}{{"lookups.noted", 1}, {"lookups.noted", 2}, {"lookups.judged", 1}} {
		t.Run(fmt.Sprint(c.point, c.n), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, strings.Replace(brandedYAML, "max_changed: 50%", "max_changed: 100%", 1))
			const rows = 600 // two pages
			s.write("products.csv", products(rows, "x"))
			s.write("brands.csv", twoBrands)
			p := s.start()
			eventually(t, "the first images", func() bool { return p.ready("cards") == rows && len(s.receiver.all("render.completed")) == rows })
			p.terminate()
			s.write("brands.csv", strings.Replace(twoBrands, "Acme", "Acme & Co", 1))
			s.start(fmt.Sprintf("%s=%s:%d", childCrash, c.point, c.n)).mustDie(c.point)

			p = s.start()
			eventually(t, "every product was delivered with its new brand", func() bool {
				last := s.receiver.lastGenerations(t)
				for _, generation := range last {
					if generation != 2 {
						return false
					}
				}
				return len(last) == rows && p.ready("cards") == rows
			})
			if n := len(s.receiver.all("render.completed")); n != 2*rows {
				t.Errorf("%d webhooks, want %d: none twice", n, 2*rows)
			}
		})
	}
}

func TestLookupIsJoinedWhereverRowsArePlanned(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(4, "x", "none"))
	s.write("brands.csv", twoBrands)
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 4 })

	for body, want := range map[string]string{
		`{"key":"P0000"}`:                        "P0000 of Acme",
		`{"key":"P0001"}`:                        "P0001 of nobody",
		`{"row":{"sku":"new","brand_id":"y"}}`:   "new of Bolt",
		`{"row":{"sku":"new","brand_id":null}}`:  "new of nobody",
		`{"row":{"sku":"new","brand_id":"\n?"}}`: "new of nobody",
	} {
		var v struct {
			Preview struct {
				Values  map[string]any
				Changed bool
				Key     string
			}
		}
		if err := json.Unmarshal([]byte(p.mustSend(200, "POST", "/bindings/cards/preview", body)), &v); err != nil {
			t.Fatal(err)
		}
		if v.Preview.Values["title"] != want || v.Preview.Changed != (v.Preview.Key == "") {
			t.Errorf("the preview of %s is %+v, want the title %q", body, v.Preview, want)
		}
	}

	titles := map[string]string{}
	if err := (origins{d}).BindingRows(t.Context(), "cards", func(r batch.Row) error {
		var values struct{ Title string }
		titles[r.Key] = ""
		if err := json.Unmarshal(r.Values, &values); err != nil {
			return err
		}
		titles[r.Key] = values.Title
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"P0000": "P0000 of Acme", "P0001": "P0001 of nobody", "P0002": "P0002 of Acme", "P0003": "P0003 of nobody"}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("rows of the binding for a batch (-want +got):\n%s", diff)
	}

	// Another version of the template plans the stored rows again.
	before := p.pictures(4)
	s.write("templates/card.html", strings.Replace(cardTemplate, "700 32px", "700 33px", 1))
	eventually(t, "new pictures", func() bool { n, _ := changedSince(before, p.pictures(4)); return n == 4 })
	s.write("brands.csv", strings.Replace(twoBrands, "Acme", "Acme & Co", 1))
	between := p.pictures(4)
	eventually(t, "the products of the brand", func() bool { n, _ := changedSince(between, p.pictures(4)); return n == 2 })
}

func TestSourceThatABindingJoinsIsInUse(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	brands := newShop(t, `[{"id":"x","name":"Acme"}]`)
	p.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"brands","kind":"http","url":%q,"key":"id","every":"1s"}`, brands.server.URL))
	binding := `{"name":"branded","source":"shop","template":"card","lookups":{"brand":{"source":"brands","key":"\"x\"","required":true}},"map":{"title":"brand.name"},"public":true}`
	p.mustSend(201, "POST", "/bindings", binding)
	eventually(t, "the image", func() bool { return p.picture("/b/branded/A.png") != "" })
	before := p.picture("/b/branded/A.png")
	if text := p.mustSend(409, "DELETE", "/sources/brands", ""); !strings.Contains(text, "is used by branded") {
		t.Errorf("deleting it: %s", text)
	}
	if text := p.mustSend(200, "GET", "/sources/brands", ""); !strings.Contains(text, "branded") {
		t.Errorf("the source: %s", text)
	}
	brands.set(`[{"id":"x","name":"Bolt"}]`)
	eventually(t, "the new picture", func() bool { return p.picture("/b/branded/A.png") != before })
	brands.set(`[{"id":"z","name":"Bolt"}]`)
	eventually(t, "the row's own problem", func() bool { return p.binding("branded").Failed == 1 })
	if text := p.text("/bindings/branded/rows/A"); !strings.Contains(text, "lookup_missing") || !strings.Contains(text, `no row with the key \"x\"`) {
		t.Errorf("the row says %s", text)
	}
	wrong := strings.Replace(binding, `"source":"brands"`, `"source":"brnads"`, 1)
	if text := p.mustSend(422, "PUT", "/bindings/branded", wrong); !strings.Contains(text, "lookups.brand.source") || !strings.Contains(text, `did you mean \"brands\"`) {
		t.Errorf("an unknown source: %s", text)
	}
	p.mustSend(204, "DELETE", "/bindings/branded", "")
	p.mustSend(204, "DELETE", "/sources/brands", "")
}

func TestDeletedRowLeavesNothingInTheIndexOfLookups(t *testing.T) {
	s := newSite(t, brandedYAML)
	s.write("products.csv", products(4, "x", "y"))
	s.write("brands.csv", twoBrands)
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 4 })
	before := p.pictures(4)
	p.mustSend(200, "DELETE", "/bindings/cards/rows/P0000?forget=permanent", "")
	if _, err := (eraser{d}).DeleteRow(t.Context(), "brands", "x", true); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other product of the brand is without it", func() bool {
		return p.picture("/b/cards/P0002.png") != before["P0002"] && p.ready("cards") == 3
	})
	if now := p.pictures(4); now["P0001"] != before["P0001"] || now["P0000"] != "" {
		t.Errorf("pictures are %v, they were %v", now, before)
	}
}
