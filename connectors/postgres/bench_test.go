package postgres_test

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
)

const million = 1_000_000

// heap is what the objects on the heap take, with those not yet collected.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// report gives rows a second and the largest heap of the loop.
func report(b *testing.B, peak uint64) {
	b.ReportMetric(float64(million)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
}

// BenchmarkMillion reads a table of a million rows: with pgx alone, which scans
// into variables; as a source reads it, which makes a map of each row and names its
// place; and as a source that finds that nothing changed.
func BenchmarkMillion(b *testing.B) {
	debug.FreeOSMemory()
	db := newDatabase(b)
	db.Run(`CREATE TABLE rows (sku text PRIMARY KEY, name text, price numeric(10,2), stock int, url text, words text, changed timestamptz);
INSERT INTO rows SELECT lpad(i::text, 7, '0'), 'Product ' || i, i % 1000 + 0.99, i % 7, 'https://shop.example/' || i || '.jpg', 'some words, and more', '2026-03-01 12:00+00' FROM generate_series(1, 1000000) i`)
	db.Run("ANALYZE rows")
	b.Run("pgx", func(b *testing.B) {
		var peak uint64
		for b.Loop() {
			peak = max(peak, readPlainly(b, db.DSN))
		}
		report(b, peak)
	})
	p := newPoller(b, db.config(nil))
	var peak uint64
	rows, batches := 0, 0
	var cursor connectors.Cursor
	poll := func(b *testing.B, from connectors.Cursor) {
		b.Helper()
		rows = 0
		err := p.Poll(b.Context(), from, func(_ context.Context, batch connectors.Batch) error {
			rows += len(batch.Rows)
			if batches++; batches%20 == 0 {
				peak = max(peak, heap())
			}
			if batch.Closes != nil && batch.Closes.Cursor != nil {
				cursor = batch.Closes.Cursor
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("source", func(b *testing.B) {
		for peak = 0; b.Loop(); {
			if poll(b, nil); rows != million {
				b.Fatalf("%d rows", rows)
			}
		}
		report(b, peak)
	})
	b.Run("unchanged", func(b *testing.B) {
		poll(b, nil)
		b.ResetTimer()
		for peak = 0; b.Loop(); peak = max(peak, heap()) {
			if poll(b, cursor); rows > 0 {
				b.Fatalf("%d rows of a table that is as it was", rows)
			}
		}
		report(b, peak)
	})
	b.Run("changed", func(b *testing.B) {
		for peak = 0; b.Loop(); {
			b.StopTimer()
			db.Run("UPDATE rows SET stock = stock + 1 WHERE sku LIKE '%000'")
			b.StartTimer()
			if poll(b, cursor); rows != million {
				b.Fatalf("%d rows", rows)
			}
		}
		report(b, peak)
	})
}

func readPlainly(b *testing.B, dsn string) (peak uint64) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	found, err := conn.Query(b.Context(), "SELECT sku, name, price::text, stock, url, words, changed::text FROM rows")
	if err != nil {
		b.Fatal(err)
	}
	defer found.Close()
	count := 0
	for ; found.Next(); count++ {
		var sku, name, price, url, words, changed string
		var stock int
		if err := found.Scan(&sku, &name, &price, &stock, &url, &words, &changed); err != nil {
			b.Fatal(err)
		}
		if count%10_000 == 0 {
			peak = max(peak, heap())
		}
	}
	if count != million || found.Err() != nil {
		b.Fatalf("%d rows, %v", count, found.Err())
	}
	return peak
}

// BenchmarkWatermark reads a table of a million rows of which 100 changed, by its watermark
// and by comparing all of them, and where nothing changed.
func BenchmarkWatermark(b *testing.B) {
	debug.FreeOSMemory()
	db := newDatabase(b)
	db.Run(`CREATE TABLE rows (sku text PRIMARY KEY, name text, price numeric(10,2), stock int, url text, words text, at timestamptz NOT NULL);
INSERT INTO rows SELECT lpad(i::text, 7, '0'), 'Product ' || i, i % 1000 + 0.99, i % 7, 'https://shop.example/' || i || '.jpg', 'some words, and more', now() - interval '1 day' - i * interval '1 second' FROM generate_series(1, 1000000) i;
CREATE INDEX ON rows (at, sku)`)
	db.Run("ANALYZE rows")
	for _, c := range []struct {
		name, watermark, change string
		want                    int
	}{
		{"watermark/100changed", "at", "UPDATE rows SET stock = stock + 1, at = now() WHERE sku LIKE '00__700'", 100},
		{"watermark/unchanged", "at", "", 0},
		{"compare/100changed", "", "UPDATE rows SET stock = stock + 1, at = now() WHERE sku LIKE '00__700'", million},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newPoller(b, db.watched(func(cfg *postgres.Config) { cfg.Watermark = c.watermark }))
			var cursor connectors.Cursor
			rows, peak := 0, uint64(0)
			poll := func() {
				rows = 0
				if err := p.Poll(b.Context(), cursor, func(_ context.Context, batch connectors.Batch) error {
					rows += len(batch.Rows)
					peak = max(peak, heap())
					if batch.Closes != nil && batch.Closes.Cursor != nil {
						cursor = batch.Closes.Cursor
					}
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
			poll()
			peak = 0
			for b.Loop() {
				if c.change != "" {
					b.StopTimer()
					db.Run(c.change)
					b.StartTimer()
				}
				if poll(); rows != c.want {
					b.Fatalf("%d rows, want %d", rows, c.want)
				}
			}
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
		})
	}
}
