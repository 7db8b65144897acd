package bindings

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

// BenchmarkPlan plans a reading of 10,000 rows of which 10 changed.
func BenchmarkPlan(b *testing.B) {
	const rows, changed, perBatch = 10_000, 10, 1000
	bs := []*Binding{mustCompile(b, func(c *Config) {
		c.Where = "stock > 0"
		c.Map = map[string]string{"price": "price * 0.9"}
	})}
	l := newLedger()
	source := make([]connectors.Row, rows)
	for i := range source {
		row := product(fmt.Sprintf("SKU-%05d", i), fmt.Sprintf("Trail Runner %d", i))
		for _, column := range []string{"brand", "category", "description", "image_url", "updated_at"} {
			row.Values[column] = fmt.Sprintf("%s of product %d, as long as it usually is", column, i)
		}
		row.Values["stock"] = json.Number("5")
		source[i] = row
	}
	l.read(b, bs, true, connectors.Batch{Rows: source})
	for i := range changed {
		source[i*997].Values["price"] = "11"
	}
	var batches []connectors.Batch
	for i := 0; i < rows; i += perBatch {
		batches = append(batches, connectors.Batch{Rows: source[i : i+perBatch]})
	}
	batches[len(batches)-1].Closes = &connectors.Closing{Complete: true}
	known := make([]map[string]Known, len(batches))
	for i, batch := range batches {
		known[i] = l.known(NewReading(ReadingOptions{}).Keys(batch), bs)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := NewReading(ReadingOptions{Source: "catalog", ID: "catalog#2", Seq: 2, Bindings: bs, Now: clock})
		proposals := 0
		for i, batch := range batches {
			r.Keys(batch)
			sifted, err := r.Sift(batch, known[i])
			if err != nil {
				b.Fatal(err)
			}
			p := r.Plan(sifted, nil)
			proposals += len(p.Proposals)
		}
		if proposals != changed {
			b.Fatalf("%d proposals, want %d", proposals, changed)
		}
	}
}

// BenchmarkPropose plans 10,000 new rows, without and with a lookup of 1,000.
func BenchmarkPropose(b *testing.B) {
	const rows, brands = 10_000, 1000
	shelf := shelf{"brands": {}}
	for i := range brands {
		shelf["brands"][fmt.Sprint(i)] = fmt.Sprintf(`{"id":"%d","name":"Brand %d","logo":"https://img.example/%d.png","country":"de"}`, i, i, i)
	}
	source := make([]connectors.Row, rows)
	for i := range source {
		source[i] = product(fmt.Sprintf("SKU-%05d", i), fmt.Sprintf("Trail Runner %d", i))
		source[i].Values["brand_id"] = fmt.Sprint(i % brands)
	}
	for name, binding := range map[string]*Binding{
		"alone":  mustCompile(b, func(c *Config) { c.Map = map[string]string{"note": `"by " + brand_id`} }),
		"joined": joining(b, brand("brand_id"), "title", func(c *Config) { c.Map["note"] = `"by " + brand.name` }),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := newLedger().begin([]*Binding{binding}, true)
				for at := 0; at < rows; at += 1000 {
					sifted, err := r.Sift(connectors.Batch{Rows: source[at : at+1000]}, nil)
					if err != nil {
						b.Fatal(err)
					}
					j, _ := shelf.join(b, sifted.Needs)
					if p := r.Plan(sifted, j); len(p.Proposals) != 1000 || p.Proposals[0].Problem != nil {
						b.Fatalf("%d proposals, the first is %+v", len(p.Proposals), p.Proposals[0])
					}
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
