package postgres_test

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"testing"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

const shopRows = `CREATE TABLE rows (sku text PRIMARY KEY, name text, price numeric(10,2), stock int, url text, words text, changed timestamptz);
INSERT INTO rows SELECT lpad(i::text, 7, '0'), 'Product ' || i, i % 1000 + 0.99, i % 7, 'https://shop.example/' || i || '.jpg', 'some words, and more', '2026-03-01 12:00+00' FROM generate_series(1, $1::int) i`

func (db *database) shop(rows string) {
	create, insert := shopRows[:len("CREATE TABLE rows (sku text PRIMARY KEY, name text, price numeric(10,2), stock int, url text, words text, changed timestamptz)")], shopRows[len("CREATE TABLE rows (sku text PRIMARY KEY, name text, price numeric(10,2), stock int, url text, words text, changed timestamptz);\n"):]
	db.Run("DROP TABLE IF EXISTS rows; " + create)
	db.Value(insert, rows)
	db.Run("ANALYZE rows")
}

// counted streams into nothing, and counts.
func counted(b *testing.B, s *streamed) (rows *atomic.Int64, peak *atomic.Uint64) {
	b.Helper()
	rows, peak = &atomic.Int64{}, &atomic.Uint64{}
	s.take = func(batch connectors.Batch) error {
		rows.Add(int64(len(batch.Rows)))
		peak.Store(max(peak.Load(), heap()))
		return nil
	}
	return rows, peak
}

// BenchmarkSnapshot reads a million rows in chunks that the stream tells the place
// of, beside a SELECT of pgx.
func BenchmarkSnapshot(b *testing.B) {
	db := newDatabase(b)
	db.shop("1000000")
	b.Run("pgx", func(b *testing.B) {
		var peak uint64
		for b.Loop() {
			peak = max(peak, readPlainly(b, db.DSN))
		}
		report(b, peak)
	})
	b.Run("stream", func(b *testing.B) {
		debug.FreeOSMemory()
		var most uint64
		for b.Loop() {
			s := newStreamed(b, db, nil)
			_, peak := counted(b, s)
			s.start()
			s.streaming()
			s.stop()
			s.keeper.drop()
			most = max(most, peak.Load())
		}
		report(b, most)
	})
}

// BenchmarkChanges takes 100,000 updates of one transaction, and of one each, beside
// a loop that has pglogrepl parse them and does nothing with them.
func BenchmarkChanges(b *testing.B) {
	const changes = 100_000
	db := newDatabase(b)
	db.shop("100000")
	update := map[string]string{
		"one transaction": "UPDATE rows SET stock = stock + 1",
		"one each":        "DO $$ BEGIN FOR n IN 1..100000 LOOP UPDATE rows SET stock = stock + 1 WHERE sku = lpad(n::text, 7, '0'); COMMIT; END LOOP; END $$",
	}
	for name, sql := range update {
		b.Run(name+"/pglogrepl", func(b *testing.B) {
			k := newKeeper(b, db)
			ready, err := k.Renew(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			var peak uint64
			for b.Loop() {
				b.StopTimer()
				db.Value("SET synchronous_commit = off")
				db.Run(sql)
				db.Run("SELECT pg_logical_emit_message(true, 'end', ''); SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'x', '')")
				b.StartTimer()
				peak = max(peak, parsed(b, db.DSN, ready.Slot, changes))
			}
			b.ReportMetric(changes*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
		})
		b.Run(name+"/stream", func(b *testing.B) {
			s := newStreamed(b, db, nil)
			rows, peak := counted(b, s)
			s.start()
			s.streaming()
			s.stop()
			debug.FreeOSMemory()
			peak.Store(0)
			for b.Loop() {
				b.StopTimer()
				db.Value("SET synchronous_commit = off")
				db.Run(sql)
				db.Run("SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'x', '')")
				rows.Store(0)
				b.StartTimer()
				s.start()
				s.until("all changes", func() bool { return rows.Load() >= changes })
				s.stop()
			}
			b.ReportMetric(changes*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(peak.Load())/1e6, "peak-MB")
		})
	}
}

// parsed reads so many changes as an example of the library does.
func parsed(b *testing.B, dsn, slot string, changes int) (peak uint64) {
	b.Helper()
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, pgtest.With(dsn, "replication", "database"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	err = pglogrepl.StartReplication(ctx, conn, slot, 0, pglogrepl.StartReplicationOptions{PluginArgs: []string{"proto_version '1'", "publication_names '" + slot + "'", "messages 'true'"}})
	if err != nil {
		b.Fatal(err)
	}
	var end pglogrepl.LSN
	for seen := 0; ; {
		message, err := conn.ReceiveMessage(ctx)
		if err != nil {
			b.Fatal(err)
		}
		data, ok := message.(*pgproto3.CopyData)
		if !ok || data.Data[0] != pglogrepl.XLogDataByteID {
			continue
		}
		record, err := pglogrepl.ParseXLogData(data.Data[1:])
		if err != nil {
			b.Fatal(err)
		}
		logical, err := pglogrepl.Parse(record.WALData)
		if err != nil {
			b.Fatal(err)
		}
		switch m := logical.(type) {
		case *pglogrepl.UpdateMessage:
			if seen++; seen%10_000 == 0 {
				peak = max(peak, heap())
			}
		case *pglogrepl.CommitMessage:
			if end = m.TransactionEndLSN; seen >= changes {
				_ = pglogrepl.SendStandbyStatusUpdate(ctx, conn, pglogrepl.StandbyStatusUpdate{WALWritePosition: end, WALFlushPosition: end, WALApplyPosition: end})
				return peak
			}
		}
	}
}
