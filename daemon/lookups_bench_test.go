package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// A shelved is a daemon whose stages do not run, for figures about rows alone.
type shelved struct {
	d   *Daemon
	seq int64
}

// read commits a whole reading of a source.
func (s *shelved) read(b *testing.B, source string, rows []connectors.Row) {
	b.Helper()
	const perBatch = 1000
	f := s.d.roster().feeds[source]
	if err := s.d.compile(b.Context(), f); err != nil {
		b.Fatal(err)
	}
	s.seq++
	r, err := s.d.reading(b.Context(), f, bindings.ReadingOptions{ID: fmt.Sprintf("%s#%d", source, s.seq), Seq: s.seq})
	if err != nil {
		b.Fatal(err)
	}
	for at := 0; at < len(rows); at += perBatch {
		batch := connectors.Batch{Rows: rows[at:min(at+perBatch, len(rows))]}
		if at+perBatch >= len(rows) {
			batch.Closes = &connectors.Closing{Complete: true}
		}
		if err := r.emit(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

// branded are n products of so many brands.
func branded(n, brands int, word string) []connectors.Row {
	rows := make([]connectors.Row, n)
	for i := range rows {
		sku := fmt.Sprintf("P%06d", i)
		rows[i] = connectors.Row{Key: []any{sku}, Values: map[string]any{
			"sku": sku, "brand_id": fmt.Sprint(i % brands), "name": fmt.Sprintf("Trail Runner %d %s", i, word), "price": fmt.Sprint(i, ".50"),
			"description": "a description of the product, as long as it usually is", "updated_at": "2026-05-04T12:00:00Z",
		}}
	}
	return rows
}

func brandRows(n int, name string) []connectors.Row {
	rows := make([]connectors.Row, n)
	for i := range rows {
		rows[i] = connectors.Row{Key: []any{fmt.Sprint(i)}, Values: map[string]any{"id": fmt.Sprint(i), "name": fmt.Sprint("Brand ", i), "logo": "a.png"}}
	}
	rows[0].Values["name"] = name
	return rows
}

const alone = `
sources:
  products: { kind: file, path: products.csv, key: sku }
  brands: { kind: file, path: brands.csv, key: id }
bindings: [ { name: cards, source: products, template: card, map: { title: name }, guard: { max_changed: 100% } } ]
`

var withBrand = strings.Replace(alone, "map: { title: name }", `lookups: { brand: { source: brands, key: brand_id } }, map: { title: 'name + " by " + brand.name' }`, 1)

// BenchmarkJoining reads and plans 100,000 new rows, without and with a lookup of
// 1,000 rows: compared, joined, planned, committed.
func BenchmarkJoining(b *testing.B) {
	const rows = 100_000
	for _, c := range []struct{ name, yaml string }{{"alone", alone}, {"joined", withBrand}} {
		b.Run(c.name, func(b *testing.B) {
			s := shelved{d: newSite(b, c.yaml).open()}
			s.read(b, "brands", brandRows(1000, "Acme"))
			var took time.Duration
			for n := 0; b.Loop(); n++ {
				all := branded(rows, 1000, fmt.Sprint(n))
				began := time.Now()
				s.read(b, "products", all)
				took += time.Since(began)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/took.Seconds(), "rows/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkLookupChange is from the commit of one changed row to the commit that
// wants the 10,000 pictures which show it.
func BenchmarkLookupChange(b *testing.B) {
	const rows = 10_000
	s := shelved{d: newSite(b, withBrand).open()}
	s.read(b, "brands", brandRows(1000, "Acme"))
	s.read(b, "products", branded(rows, 1, ""))
	var took time.Duration
	for n := 0; b.Loop(); n++ {
		s.read(b, "brands", brandRows(1000, fmt.Sprint("Acme ", n)))
		began := time.Now()
		if err := s.d.enterToRejoin(b.Context(), s.d.roster().feeds["products"]); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
	}
	st, err := s.d.store.Bindings(b.Context(), []string{"cards"})
	if err != nil || st[0].Waiting != rows || st[0].HeldChanges != 0 {
		b.Fatalf("%+v, %v: want all wanted", st, err)
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/change")
	b.ReportMetric(float64(rows)*float64(b.N)/took.Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
}
