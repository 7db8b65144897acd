package daemon

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A busyTable is one that is streamed into the binding "shelf", and whose rows change
// all the time. What is told of them goes to a receiver of its own.
type busyTable struct {
	t        *testing.T
	db       *sql.DB
	dsn      string
	way      *way // of whoever streams it
	receiver *receiver
	changes  int           // that the table has taken; known once it is closed
	closing  func()        // ends the changes
	closed   chan struct{} // no more changes come
}

const (
	shelfRows  = 24
	shelfEvery = 50 * time.Millisecond
)

// newBusyTable makes the table in a database beside the ledger's.
func newBusyTable(t *testing.T, server *pgtest.Own) *busyTable {
	t.Helper()
	if _, err := openDatabase(t, server.DSN).Exec(`CREATE DATABASE shop`); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/shop"
	s := &busyTable{t: t, dsn: u.String(), db: openDatabase(t, u.String()), way: newWay(t, server.Address()), receiver: newReceiver(t)}
	s.db.SetMaxIdleConns(0) // its server may have been started again
	if _, err := s.db.Exec(fmt.Sprintf(`CREATE TABLE products (sku text PRIMARY KEY, name text NOT NULL);
		INSERT INTO products SELECT 'K' || lpad(i::text, 7, '0'), 'Mug ' || i FROM generate_series(1, %d) i`, shelfRows)); err != nil {
		t.Fatal(err)
	}
	return s
}

// yaml is the source of the shelf, its sink and its binding, each a line of its section.
func (s *busyTable) yaml() (source, sink, binding string) {
	return fmt.Sprintf("products: { kind: postgres, dsn: %q, table: products, mode: cdc }", pgtest.Through(s.dsn, s.way.address(), "")),
		fmt.Sprintf("shelf: { kind: webhook, url: %q }", s.receiver.server.URL),
		`{ name: shelf, source: products, template: card, map: { title: name }, sinks: [shelf], public: true, on_delete: remove, delete_grace: 0s, guard: { max_changed: 100%, max_deleted: 100% } }`
}

// open has its rows change from now on, in the order that a seed says.
func (s *busyTable) open(seed uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	s.closed = make(chan struct{})
	s.closing = func() { cancel(); <-s.closed }
	s.t.Cleanup(s.closing)
	go func() {
		defer close(s.closed)
		s.change(ctx, rand.New(rand.NewPCG(seed, 13)))
	}()
}

// change changes one row after the other until ctx ends. What a server that dies has
// taken, and what it has not, the table itself says at the end.
func (s *busyTable) change(ctx context.Context, rng *rand.Rand) {
	tick := time.NewTicker(shelfEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		key, statement := tableKey(rng.IntN(shelfRows)), `INSERT INTO products VALUES ($1, $2) ON CONFLICT (sku) DO UPDATE SET name = excluded.name`
		if rng.IntN(8) == 0 {
			statement = `DELETE FROM products WHERE sku = $1 AND $2 <> ''`
		}
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		if _, err := s.db.ExecContext(limited, statement, key, fmt.Sprint("Cup ", n)); err == nil {
			s.changes++
		}
		cancel()
	}
}

// rows are those of the table, by their keys.
func (s *busyTable) rows() map[string]string {
	s.t.Helper()
	found, err := s.db.Query(`SELECT sku, name FROM products`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer found.Close()
	rows := map[string]string{}
	for found.Next() {
		var key, name string
		if err := found.Scan(&key, &name); err != nil {
			s.t.Fatal(err)
		}
		rows[key] = name
	}
	if err := found.Err(); err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// mustAgree waits until each row has its image, and checks that the receiver was told
// of it as it is at last. Those that are gone have none, and the receiver knows it.
func (s *busyTable) mustAgree(f *fleet) {
	s.t.Helper()
	rows, door := s.rows(), f.at["door"]
	s.t.Logf("the table has taken %d changes, and has %d rows", s.changes, len(rows))
	want := map[string]string{}
	for key, name := range rows {
		eventually(s.t, "a picture of "+name, func() bool { want[key] = door.draw(name); return want[key] != "" })
	}
	for i := range shelfRows {
		key := tableKey(i)
		eventually(s.t, fmt.Sprintf("%s shows %q", key, rows[key]), func() bool { return door.picture("/b/shelf/"+key+".png") == want[key] })
	}
	told := func(key string) string {
		address, err := url.Parse(s.receiver.told(s.t)[key])
		if err != nil {
			s.t.Fatal(err)
		}
		if address.Path == "" {
			return ""
		}
		return door.picture(address.Path)
	}
	for i := range shelfRows {
		key := tableKey(i)
		eventually(s.t, fmt.Sprintf("the receiver knows that %s shows %q", key, rows[key]), func() bool { return told(key) == want[key] })
	}
	s.receiver.lastGenerations(s.t)
}
