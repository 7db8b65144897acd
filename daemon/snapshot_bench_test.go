package daemon

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// streamed is what the API says of a stream.
type streamed struct {
	Source struct {
		Stream struct {
			Phase    string
			Snapshot *struct{ Rows, OfRows int64 }
			Lag      map[string]int64
		}
	}
}

// BenchmarkSnapshotUnderWrites is a table of a million rows (PICTIFYD_BENCH_ROWS) that is
// read while a thousand updates a second go on, by a daemon that is killed in the
// middle: what the ledger has in the end is compared with the table, row by row.
func BenchmarkSnapshotUnderWrites(b *testing.B) {
	rows := 1_000_000
	if text := os.Getenv("PICTIFYD_BENCH_ROWS"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		r := newReplicated(b, rows, "", `, where: "stock < 0"`) // no row has an image: it is the ledger that counts
		r.run("ANALYZE products")
		stop, updates := r.hammer(rows)
		began := time.Now()
		p := r.site.start()
		look := func() (s streamed) {
			p.get("/sources/products", &s)
			return s
		}
		var at int64
		for at < int64(rows)*2/5 {
			time.Sleep(20 * time.Millisecond)
			if s := look(); s.Source.Stream.Snapshot != nil {
				at = s.Source.Stream.Snapshot.Rows
			}
		}
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
		<-p.done
		p = r.site.start()
		var from int64
		eventually(b, "the snapshot goes on", func() bool {
			if s := look(); s.Source.Stream.Snapshot != nil {
				from = s.Source.Stream.Snapshot.Rows
			}
			return from > 0
		})
		eventually(b, "all rows were read", func() bool { return look().Source.Stream.Phase == "streaming" })
		took := time.Since(began)
		stop()
		eventually(b, "all changes were told", func() bool { return r.caughtUp() })
		if code := p.terminate(); code != 0 {
			b.Fatalf("exit code %d", code)
		}
		table, n := checksum(b, r.db, "SELECT sku, name, stock FROM products", func(scan func(...any) error) (row [3]string, err error) {
			return row, scan(&row[0], &row[1], &row[2])
		})
		ledger, m := checksum(b, openLedger(b, r.dir), "SELECT key, data FROM source_rows WHERE source = 'products' AND gone = 0 AND missing_since IS NULL",
			func(scan func(...any) error) (row [3]string, err error) {
				var data []byte
				if err := scan(&row[0], &data); err != nil {
					return row, err
				}
				var v struct {
					Name  string
					Stock json.Number
				}
				err = json.Unmarshal(data, &v)
				row[1], row[2] = v.Name, v.Stock.String()
				return row, err
			})
		if table != ledger || n != m {
			b.Fatalf("the table has %d rows with the checksum %x, the ledger %d with %x", n, table, m, ledger)
		}
		if from < at/2 {
			b.Fatalf("killed at %d rows, it went on at %d", at, from)
		}
		b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
		b.ReportMetric(float64(updates.Load())/took.Seconds(), "updates/s")
		b.ReportMetric(float64(at), "killed-at")
		b.ReportMetric(float64(from), "went-on-at")
	}
}

// hammer updates, inserts and deletes rows of the table, about a thousand a second,
// until stop is called.
func (r *replicated) hammer(rows int) (stop func(), done *atomic.Int64) {
	ctx, cancel := context.WithCancel(context.Background())
	done = &atomic.Int64{}
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			keys := make([]string, 10)
			for j := range keys {
				keys[j] = tableKey(rand.IntN(rows))
			}
			_, err := r.db.Exec(`UPDATE products SET stock = stock + 1, name = name || '.' WHERE sku = ANY($1)`, keys)
			if err == nil && i%2 == 0 {
				_, err = r.db.Exec(`DELETE FROM products WHERE sku = $1`, keys[0])
			}
			if err == nil && i%2 == 1 {
				_, err = r.db.Exec(`INSERT INTO products (sku, name) VALUES ($1, 'New')`, "N"+strconv.Itoa(i))
			}
			if err != nil && ctx.Err() == nil {
				r.process.tb.Error(err)
				return
			}
			done.Add(11)
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}, done
}

// caughtUp reports whether the slot was told to forget all that was written until now.
func (r *replicated) caughtUp() bool {
	var behind int64
	err := r.db.QueryRow(`SELECT pg_current_wal_lsn() - confirmed_flush_lsn FROM pg_replication_slots WHERE database = current_database()`).Scan(&behind)
	return err == nil && behind < 2000 // a heartbeat
}

func openLedger(tb testing.TB, dir string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "data", "pictifyd.db")+"?mode=ro")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// checksum is one of rows that does not depend on their order.
func checksum(tb testing.TB, db *sql.DB, query string, rowFunc func(scan func(...any) error) ([3]string, error)) (sum [4]uint64, n int) {
	tb.Helper()
	found, err := db.Query(query)
	if err != nil {
		tb.Fatal(err)
	}
	defer found.Close()
	for ; found.Next(); n++ {
		row, err := rowFunc(found.Scan)
		if err != nil {
			tb.Fatal(err)
		}
		digest := sha256.Sum256([]byte(row[0] + "\x00" + row[1] + "\x00" + row[2]))
		for i := range sum {
			sum[i] += binary.BigEndian.Uint64(digest[8*i:])
		}
	}
	if err := found.Err(); err != nil {
		tb.Fatal(err)
	}
	return sum, n
}
