package daemon

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/webhook"
	"github.com/pictifyd/pictifyd/store"
)

// nullSink takes everything at once.
var nullSink = sinkFunc(func(context.Context, sink.Delivery) error { return nil })

// mustOwe leaves n deliveries to hook waiting, of rows of the usual length.
func (d *Daemon) mustOwe(tb testing.TB, n int) {
	tb.Helper()
	const binding = "cards"
	owed := time.Now().UnixNano()
	const page = 2000
	for from := 0; from < n; from += page {
		p := bindings.Plan{Source: "catalog", Reading: fmt.Sprint(owed, from), Promote: map[string]bool{binding: true}}
		for i := from; i < min(from+page, n); i++ {
			key := fmt.Sprintf("%d-%06d", owed, i)
			p.Rows = append(p.Rows, bindings.RowChange{Key: key, Version: 1, Digest: key, Values: fmt.Appendf(nil, `{"sku":%q,"name":"A product with a name of usual length","price":"14.99","stock":"7"}`, key)})
			p.Proposals = append(p.Proposals, bindings.Proposal{Owner: bindings.BindingOwner(binding), Key: key, Digest: key,
				Problem: &bindings.Problem{Code: "missing_variable", Field: "title", Message: "the title is missing"}})
		}
		p.Closes = &bindings.Closing{At: time.Now(), Rows: len(p.Rows), Has: func(string) bool { return true }}
		if _, err := d.store.Commit(tb.Context(), p); err != nil {
			tb.Fatal(err)
		}
	}
}

const oweYAML = `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
sinks: { hook: { kind: webhook, url: "RECEIVER", events: [render.completed, render.failed] } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, sinks: [hook], public: true } ]
`

// mustCount checks that so many deliveries to hook arrived, and that none is lost.
func (d *Daemon) mustCount(tb testing.TB, delivered, waiting int64) {
	tb.Helper()
	counts, err := d.store.DeliveryCounts(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range counts {
		if c.Planned != c.Delivered+c.Waiting+c.Dead+c.Superseded {
			tb.Errorf("%+v does not add up", c)
		}
		if c.Sink == "hook" && (c.Delivered != delivered || c.Waiting != waiting) {
			tb.Errorf("%+v, want %d delivered and %d waiting", c, delivered, waiting)
		}
	}
}

// BenchmarkDeliveries is 20,000 deliveries to a sink that takes each at once, from
// waiting to recorded, on SQLite. plain is the same commits as bare SQL: the rows claimed,
// read and recorded, many at a time.
func BenchmarkDeliveries(b *testing.B) {
	const n = 20_000
	b.Run("null", func(b *testing.B) {
		s := newSite(b, oweYAML)
		s.write("rows.csv", csvRows(1, "one"))
		d := s.open()
		d.roster().sinks["hook"] = nullSink
		b.ReportAllocs()
		for round := int64(1); b.Loop(); round++ {
			b.StopTimer()
			d.mustOwe(b, n)
			b.StartTimer()
			if err := d.deliver(b.Context(), store.Turn{ID: round, Sink: "hook"}); err != nil {
				b.Fatal(err)
			}
			d.mustCount(b, n*round, 0)
		}
		perDelivery(b, n)
	})
	b.Run("plain", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "p.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		exec := func(tx interface {
			Exec(string, ...any) (sql.Result, error)
		}, query string, args ...any) {
			if _, err := tx.Exec(query, args...); err != nil {
				b.Fatal(err)
			}
		}
		exec(db, `CREATE TABLE deliveries (id INTEGER PRIMARY KEY, state TEXT, data TEXT)`)
		for b.Loop() {
			b.StopTimer()
			exec(db, `DELETE FROM deliveries`)
			exec(db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) INSERT INTO deliveries SELECT i, 'waiting', hex(randomblob(100)) FROM n`, n)
			b.StartTimer()
			for from := 0; from < n; from += mostInHand {
				for _, state := range []string{"claimed", "delivered"} {
					if err := moveOn(db, state, from, from+mostInHand); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		perDelivery(b, n)
	})
}

// moveOn gives the rows behind from up to to another state, and reads them.
func moveOn(db *sql.DB, state string, from, to int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of what was committed: nothing
	rows, err := tx.Query(`UPDATE deliveries SET state = $3 WHERE id > $1 AND id <= $2 RETURNING id, data`, from, to, state)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var data string
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return tx.Commit()
}

func perDelivery(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWebhooks50ms is webhooks to a server that takes 50 ms for each.
func BenchmarkWebhooks50ms(b *testing.B) {
	const n = 2000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(50 * time.Millisecond) }))
	defer server.Close()
	s := newSite(b, oweYAML)
	s.write("rows.csv", csvRows(1, "one"))
	d := s.open()
	d.roster().sinks["hook"] = webhook.New(server.URL, []string{"a secret"}, d.guarded)
	for round := int64(1); b.Loop(); round++ {
		b.StopTimer()
		d.mustOwe(b, n)
		b.StartTimer()
		if err := d.deliver(b.Context(), store.Turn{ID: round, Sink: "hook"}); err != nil {
			b.Fatal(err)
		}
		d.mustCount(b, n*round, 0)
	}
	perDelivery(b, n)
}

// BenchmarkHundredThousandWaiting is a start with 100,000 deliveries that wait, until
// all are recorded. heap-MB is the most that was in use, of what a collection leaves.
func BenchmarkHundredThousandWaiting(b *testing.B) {
	const n, limit = 100_000, 48 << 20
	for b.Loop() {
		b.StopTimer()
		s := newSite(b, oweYAML)
		s.write("rows.csv", csvRows(1, "one"))
		d := s.open()
		d.mustOwe(b, n)
		var most uint64
		var sent atomic.Int64
		d.roster().sinks["hook"] = sinkFunc(func(context.Context, sink.Delivery) error {
			if sent.Add(1)%(n/8) == 1 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return nil
		})
		b.StartTimer()
		if err := d.deliver(b.Context(), store.Turn{ID: 1, Sink: "hook"}); err != nil {
			b.Fatal(err)
		}
		d.mustCount(b, n, 0)
		if most > limit {
			b.Errorf("%d MB of heap are in use", most>>20)
		}
		b.ReportMetric(float64(most)/(1<<20), "heap-MB")
	}
	perDelivery(b, n)
}
