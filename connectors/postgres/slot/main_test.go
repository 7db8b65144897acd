package slot

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A database is a schema of its own for one test, with a table.
type database struct {
	*pgtest.Schema
	own bool // its server goes with the test
}

const table = "CREATE TABLE rows (id int PRIMARY KEY, name text)"

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	db := &database{Schema: pgtest.New(tb)}
	db.Run(table)
	return db
}

// newOwn is a database in a server of the test's own.
func newOwn(tb testing.TB, s *pgtest.Own) *database {
	tb.Helper()
	db := &database{Schema: pgtest.In(tb, s.DSN), own: true}
	db.Run(table)
	return db
}

var logical = []string{"wal_level=logical", "max_replication_slots=4", "max_wal_senders=6"}

// keeper is one for the table rows, whose objects go with the test.
func (db *database) keeper(tb testing.TB, change func(*Config)) *Keeper {
	tb.Helper()
	return db.keeperAt(tb, db.DSN, change)
}

func (db *database) keeperAt(tb testing.TB, dsn string, change func(*Config)) *Keeper {
	tb.Helper()
	server, invalid := pg.Parse(dsn)
	if invalid != nil {
		tb.Fatal(invalid)
	}
	cfg := Config{Server: server, Table: pg.Name{Schema: db.Name, Table: "rows"}, Source: db.mark(), Instance: "t"}
	if change != nil {
		change(&cfg)
	}
	k := New(cfg)
	tb.Cleanup(func() {
		if !db.own {
			db.clean(tb)
		}
		if err := k.Close(); err != nil {
			tb.Error(err)
		}
	})
	return k
}

// clean drops what a test made beside its schema, also where it failed.
func (db *database) clean(tb testing.TB) {
	tb.Helper()
	like := pg.Literal("%" + db.mark() + "%")
	for deadline := time.Now().Add(10 * time.Second); ; {
		db.Value("SELECT count(pg_terminate_backend(active_pid, 1000)) FROM pg_replication_slots WHERE active_pid IS NOT NULL AND slot_name LIKE " + like)
		if db.Value("SELECT count(*) FROM pg_replication_slots WHERE active_pid IS NOT NULL AND slot_name LIKE "+like) == "0" || time.Now().After(deadline) {
			break
		}
	}
	db.Value("SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name LIKE " + like)
	for name := db.Value("SELECT min(pubname) FROM pg_publication WHERE pubname LIKE " + like); name != ""; name = db.Value("SELECT min(pubname) FROM pg_publication WHERE pubname LIKE " + like) {
		db.Run("DROP PUBLICATION " + pg.Quote(name))
	}
}

// mark is what stands in every name that is a test's own: its process, and the hash
// of its name.
func (db *database) mark() string {
	parts := strings.Split(db.Name, "_")
	return strings.Join(parts[len(parts)-2:], "_")
}

func mustPrepare(tb testing.TB, k *Keeper, identity []byte, committed pglogrepl.LSN) Ready {
	tb.Helper()
	r, err := k.Prepare(tb.Context(), identity, committed)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// changes is what a slot tells, without confirming it.
func (db *database) changes(r Ready) int {
	n := db.Value(`SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2) WHERE get_byte(data, 0) IN (73, 85, 68, 84)`,
		r.Slot, pg.Quote(r.Publication))
	var count int
	_, _ = fmt.Sscan(n, &count)
	return count
}

// confirm reads a slot to its end, and says where that is.
func (db *database) confirm(tb testing.TB, r Ready) pglogrepl.LSN {
	tb.Helper()
	db.Value(`SELECT count(*) FROM pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)`, r.Slot, pg.Quote(r.Publication))
	return db.lsn(tb, "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1", r.Slot)
}

// read begins to read a slot as a stream does, and gives its connection.
func read(tb testing.TB, cfg *pgconn.Config, r Ready) *pgconn.PgConn {
	tb.Helper()
	var conn *pgconn.PgConn
	var err error
	eventually(tb, "a sender is free", func() bool { // the one of a keeper's question may not have ended yet
		conn, err = pgconn.ConnectConfig(tb.Context(), cfg)
		return pg.State(err) != "53300"
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // the server may have ended it
	})
	args := []string{"proto_version '1'", "publication_names '" + pg.Quote(r.Publication) + "'", "messages 'true'"}
	if err := pglogrepl.StartReplication(tb.Context(), conn, r.Slot, r.From, pglogrepl.StartReplicationOptions{Mode: pglogrepl.LogicalReplication, PluginArgs: args}); err != nil {
		tb.Fatal(err)
	}
	return conn
}

// eventually waits until something is so.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(deadline) {
			tb.Fatalf("it never came that %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func contextOf(tb testing.TB) (context.Context, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	return ctx, cancel
}
