package store

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A member freezes in a transaction, with the routes in its hands, just before another
// daemon takes over: that one cannot do its first step, and puts it out all the same.
func TestHolderIsNotHeldUpByAMemberThatFroze(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	before := opened(t, schema.DSN)
	sessions := make([]*pgx.Conn, 2)
	for i := range sessions {
		conn, err := pgx.Connect(t.Context(), schema.DSN)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeNow(conn) })
		sessions[i] = conn
	}
	life, guest := sessions[0], sessions[1]
	mustExec := func(conn *pgx.Conn, query string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	mustExec(life, `SELECT pg_advisory_lock(hashtext(`+memberClass+`), 77)`)
	mustExec(life, `INSERT INTO members (id, number, place, version, roles, address, slots, since, noted) VALUES ('frozen', 77, 'here', '', '[]', '', 1, 0, 1)`)
	mustExec(guest, `SELECT pg_advisory_lock_shared(hashtext(`+guestClass+`), 77)`)
	mustExec(guest, `BEGIN`)
	mustExec(guest, `SELECT pg_advisory_xact_lock_shared(`+routesLock+`)`)

	ready := standsBy(t, schema.DSN)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	next := <-ready
	if next == nil {
		t.Fatal("nobody took over")
	}
	t.Cleanup(func() { _ = next.Close() })
	next.SetSinks(map[string][]string{"cards": {"hook"}}, nil)
	ended := make(chan error, 1)
	go func() {
		_, err := next.ConfigureSinks(t.Context(), map[string]string{"hook": "1"})
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("it was not held up: %v", err)
	case <-time.After(2 * sweepEvery): // by one that gives signs of life
	}
	closeNow(life) // the server does it after serverPatience
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the one that froze holds it up for ever")
	}
	if _, err := guest.Exec(t.Context(), `COMMIT`); err == nil {
		t.Error("the one that froze commits")
	}
}
