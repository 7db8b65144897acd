package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// BenchmarkTenThousand writes 10,000 rows: with pgx alone, each by its own UPDATE
// in a pipeline of 500; as the sink is told of them one by one; as it is told of
// many; and of many that are so already.
func BenchmarkTenThousand(b *testing.B) {
	const rows, few = 10_000, 500
	db := pgtest.New(b)
	db.Run("CREATE TABLE products (sku text PRIMARY KEY, name text, image_url text, image_hash text)")
	db.Run("INSERT INTO products SELECT 'sku-' || i FROM generate_series(0, 9999) i")
	db.Run("ANALYZE products")
	s := mustSink(b, newConfig(db.DSN, nil))
	generation := int64(0)
	report := func(b *testing.B) {
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("pgx", func(b *testing.B) {
		conn, err := pgx.Connect(b.Context(), db.DSN)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close(context.Background())
		for b.Loop() {
			generation++
			ds := deliveries(rows, generation)
			for len(ds) > 0 {
				var batch pgx.Batch
				for _, d := range ds[:500] {
					batch.Queue("UPDATE products SET image_url = $2, image_hash = $3 WHERE sku = $1", d.Key, d.Outputs[0].URL, d.Outputs[0].Hash)
				}
				if err := conn.SendBatch(b.Context(), &batch).Close(); err != nil {
					b.Fatal(err)
				}
				ds = ds[500:]
			}
		}
		report(b)
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			generation++
			for _, d := range deliveries(few, generation) {
				if _, err := s.Deliver(b.Context(), d); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(few)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	many := func(b *testing.B, next int64) {
		for b.Loop() {
			generation += next
			for i, o := range deliverAll(b, s, deliveries(rows, generation)) {
				if o.Err != nil {
					b.Fatalf("row %d: %v", i, o.Err)
				}
			}
		}
		report(b)
	}
	b.Run("many", func(b *testing.B) { many(b, 1) })
	b.Run("unchanged", func(b *testing.B) { many(b, 0) })
}
