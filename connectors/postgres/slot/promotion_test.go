package slot

import (
	"strings"
	"testing"

	"github.com/jackc/pglogrepl"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// both is a DSN of two servers, of which the one that may be written to counts.
func both(one, two *pgtest.Own) string {
	return pgtest.With(strings.Replace(one.DSN, one.Address(), one.Address()+","+two.Address(), 1), "target_session_attrs", "read-write")
}

// caught waits until a standby has all that its primary wrote.
func caught(tb testing.TB, db, standby *database) {
	tb.Helper()
	at := db.Value("SELECT pg_current_wal_lsn()")
	eventually(tb, "the standby has caught up", func() bool { return standby.Value("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", at) == "t" })
}

// at is a schema that there is already, at another server.
func (db *database) at(tb testing.TB, dsn string) *database {
	tb.Helper()
	moved := &pgtest.Schema{Name: db.Name, DSN: pgtest.With(dsn, "search_path", db.Name)}
	return &database{Schema: pgtest.Again(tb, moved), own: true}
}

// P7, cured by Keeper.gap and Keeper.forked: before 17 a standby has no slots; one
// that has them, or a copy of a disk, may have gone on from a state before what was
// committed.
func TestPromotedStandbyIsAGapWhereItLostSomething(t *testing.T) {
	primary := pgtest.NewServer(t, logical...)
	db := newOwn(t, primary)
	standby := primary.Standby()
	k := db.keeperAt(t, both(primary, standby), nil)
	r := mustPrepare(t, k, nil, 0)
	db.Run("INSERT INTO rows VALUES (1, 'a')")
	committed := db.confirm(t, r)
	promoted := db.at(t, standby.DSN)
	caught(t, db, promoted)
	later := db.confirm(t, r)

	there := promoted.keeper(t, nil)
	if _, err := there.Prepare(t.Context(), r.Identity, committed); err == nil || !strings.Contains(err.Error(), "is a standby") {
		t.Errorf("a standby: %v", err)
	}
	primary.Stop()
	if _, err := k.Prepare(t.Context(), r.Identity, committed); err == nil {
		t.Error("neither server may be written to, and it goes on")
	}
	standby.Promote()
	mustGap(t, promoted, k, r.Identity, committed, "promoted without it")

	// What follows is as if the slot had come along.
	promoted.Value("SELECT pg_logical_emit_message(false, 'x', repeat('x', 100000))")
	end := promoted.lsn(t, "SELECT pg_current_wal_flush_lsn()")
	for name, c := range map[string]struct {
		timeline  int32
		committed pglogrepl.LSN
		want      string
	}{
		"before it branched off": {1, committed, ""},
		"the last that both had": {1, later, ""},
		"behind it":              {1, end, "it left timeline 1 at"},
		"another history":        {7, committed, "does not come from timeline 7"},
	} {
		why, err := there.forked(t.Context(), 2, c.timeline, c.committed)
		if err != nil || c.want == "" && why != "" || !strings.Contains(why, c.want) {
			t.Errorf("%s: want %q, got %q, %v", name, c.want, why, err)
		}
	}
	mustGap(t, promoted, there, r.Identity, end, "it left timeline 1 at")
}

// lsn is a place in the server's log that a statement gives.
func (db *database) lsn(tb testing.TB, sql string, args ...string) pglogrepl.LSN {
	tb.Helper()
	at, err := pglogrepl.ParseLSN(db.Value(sql, args...))
	if err != nil {
		tb.Fatal(err)
	}
	return at
}
