package daemon

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/store"
)

const convergeYAML = `
sources:
  products: { kind: file, path: products.csv, key: sku, every: 1h }
  brands: { kind: file, path: brands.csv, key: id, every: 1h }
  lands: { kind: file, path: lands.csv, key: id, every: 1h }
bindings:
  - name: cards
    source: products
    template: card
    where: 'brand?.hidden != "yes"'
    lookups: { brand: { source: brands, key: brand_id }, land: { source: lands, key: brand?.land } }
    map: { title: 'sku + " of " + (brand?.name ?? "nobody") + " in " + (land?.name ?? "nowhere")', price: "1" }
    guard: { max_changed: 100%, max_deleted: 100% }
`

// A world is what the sources have, and the readings of theirs that are under way.
type world struct {
	d    *Daemon
	t    *rapid.T
	rows map[string]map[string]map[string]any // by source and key
	seq  int64
	open map[string]*openReading
}

// An openReading has been begun, and has batches left.
type openReading struct {
	reading *reading
	left    []connectors.Row
}

// Property: whatever is read first, in whatever parts, whatever changes and whoever
// dies meanwhile: when all is quiet, each row wants what its own values and the rows
// that they name now say.
func TestOrderOfReadingsDoesNotMatter(t *testing.T) {
	s := newSite(t, convergeYAML)
	d := s.open()
	runs := 0
	campaign.Leaves(t) // rapid takes a fifth of the cases under -short
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		w := &world{d: d, t: rt, rows: map[string]map[string]map[string]any{"products": {}, "brands": {}, "lands": {}}, seq: int64(runs) * 1000, open: map[string]*openReading{}}
		w.clear()
		id := rapid.SampledFrom([]string{"a", "b", "c"})
		source := rapid.SampledFrom([]string{"products", "brands", "lands"})
		word := rapid.SampledFrom([]string{"one", "two", "three"})
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			of, key := source.Draw(rt, "source"), id.Draw(rt, "key")
			switch rapid.IntRange(0, 6).Draw(rt, "step") {
			case 0, 1: // a row is as it is now
				w.rows[of][key] = map[string]any{
					"sku": key, "id": key, "name": word.Draw(rt, "name"), "brand_id": id.Draw(rt, "brand"), "land": id.Draw(rt, "land"),
					"hidden": rapid.SampledFrom([]string{"yes", "no", "no"}).Draw(rt, "hidden"),
				}
			case 2:
				delete(w.rows[of], key)
				w.finish(of)
			case 3: // a reading goes on
				w.step(of)
			case 4:
				w.finish(of)
			case 5: // it dies
				delete(w.open, of)
			case 6:
				w.rejoin()
			}
		}
		for _, name := range rapid.Permutation([]string{"products", "brands", "lands"}).Draw(rt, "last readings") {
			delete(w.open, name)
			w.finish(name)
		}
		w.rejoin()
		w.rejoin()
		w.mustBeAsTheRowsSay()
	})
}

// A row that is planned while what it joins changes is in no index yet, by which the
// change could find it.
func TestReadingUnderWayWhileALookupChanges(t *testing.T) {
	s := newSite(t, convergeYAML)
	d := s.open()
	campaign.Leaves(t) // rapid takes a fifth of the cases under -short
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{d: d, t: rt, rows: map[string]map[string]map[string]any{"products": {}, "brands": {}, "lands": {}}, open: map[string]*openReading{}}
		w.seq = 1000 * rapid.Int64Range(1, 1<<40).Draw(rt, "readings before")
		for _, name := range []string{"products", "brands", "lands"} {
			w.finish(name)
		}
		w.clear()
		w.rows["brands"]["b"] = map[string]any{"id": "b", "name": "before"}
		w.finish("brands")
		w.rows["products"]["a"] = map[string]any{"sku": "a", "brand_id": "b"}
		w.step("products")
		if rapid.Bool().Draw(rt, "the brand goes") {
			delete(w.rows["brands"], "b")
			w.rows["brands"]["c"] = map[string]any{"id": "c"}
		} else {
			w.rows["brands"]["b"] = map[string]any{"id": "b", "name": "after"}
		}
		w.finish("brands")
		w.finish("products")
		w.rejoin()
		w.mustBeAsTheRowsSay()
	})
}

// clear makes the ledger as if nothing had been read.
func (w *world) clear() {
	ctx := w.t.Context()
	for source := range w.rows {
		for _, key := range []string{"a", "b", "c"} {
			if _, err := w.d.store.DeleteRow(ctx, source, key, false); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.rejoin()
}

func (w *world) feed() *feed { return w.d.roster().feeds["products"] }

// begin starts a reading of what the source has now.
func (w *world) begin(source string) *openReading {
	if w.open[source] != nil {
		return w.open[source]
	}
	ctx, f := w.t.Context(), w.d.roster().feeds[source]
	if err := w.d.compile(ctx, f); err != nil {
		w.t.Fatal(err)
	}
	w.seq++
	r, err := w.d.reading(ctx, f, bindings.ReadingOptions{ID: fmt.Sprintf("%s#%d", source, w.seq), Seq: w.seq})
	if err != nil {
		w.t.Fatal(err)
	}
	o := &openReading{reading: r}
	for _, key := range slices.Sorted(maps.Keys(w.rows[source])) {
		o.left = append(o.left, connectors.Row{Key: []any{key}, Values: w.rows[source][key]})
	}
	w.open[source] = o
	return o
}

// step reads one row.
func (w *world) step(source string) {
	o := w.begin(source)
	if len(o.left) == 0 {
		return
	}
	if err := o.reading.emit(w.t.Context(), connectors.Batch{Rows: o.left[:1]}); err != nil {
		w.t.Fatal(err)
	}
	o.left = o.left[1:]
}

// finish reads what is left, and has rows go that are no more. An emptied source is
// as it was: nobody accepts that here.
func (w *world) finish(source string) {
	o := w.begin(source)
	delete(w.open, source)
	if err := o.reading.emit(w.t.Context(), connectors.Batch{Rows: o.left, Closes: &connectors.Closing{Complete: true}}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.d.store.Reap(w.t.Context(), source, time.Now().Add(time.Hour), nil); err != nil {
		w.t.Fatal(err)
	}
}

// rejoin is what the daemon does when nobody reads the products.
func (w *world) rejoin() {
	if w.open["products"] != nil {
		return
	}
	if err := w.d.bind(w.t.Context(), w.feed()); err != nil {
		w.t.Fatal(err)
	}
}

// mustBeAsTheRowsSay holds what is wanted against what follows from the stored rows.
func (w *world) mustBeAsTheRowsSay() {
	ctx := w.t.Context()
	for _, b := range w.feed().bindings {
		var due []store.LookupChange
		due, err := w.d.store.LookupChanges(ctx, b.Name())
		if err != nil || len(due) > 0 {
			w.t.Fatalf("left to do: %v, %v", due, err)
		}
		stored, err := w.d.store.Rows(ctx, "products", "", 100)
		if err != nil {
			w.t.Fatal(err)
		}
		want, err := w.d.proposeStored(ctx, b, stored, w.d.foreseeUnits)
		if err != nil {
			w.t.Fatal(err)
		}
		var keys []string
		for _, p := range want {
			keys = append(keys, p.Key)
		}
		known, err := w.d.store.Known(ctx, "products", keys, []string{b.Name()})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, p := range want {
			item, there := known[p.Key].Items[b.Name()]
			switch {
			case p.Remove && (!there || item.Removed) && item.Proposed == "":
			case !p.Remove && item.Digest == p.Digest && !item.Removed && item.Proposed == "":
			default:
				w.t.Fatalf("row %s is %+v, want %s (removed: %v)", p.Key, item, p.Digest, p.Remove)
			}
		}
	}
	if len(w.feed().bindings) != 1 {
		w.t.Fatal("the binding is left out, so that nothing was looked at")
	}
}
