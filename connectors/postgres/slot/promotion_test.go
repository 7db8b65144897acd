package slot

import (
	"strings"
	"testing"

	"github.com/jackc/pglogrepl"

	"github.com/pictifyd/pictifyd/internal/pg"
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

// P7, cured by Keeper.gap: before 17 a standby has no slots.
func TestPromotedStandbyWithoutTheSlotIsAGap(t *testing.T) {
	primary := pgtest.NewServer(t, logical...)
	db := newOwn(t, primary)
	standby := primary.Standby()
	k := db.keeperAt(t, both(primary, standby), nil)
	r := mustPrepare(t, k, nil, 0)
	db.Run("INSERT INTO rows VALUES (1, 'a')")
	committed := db.confirm(t, r)
	promoted := db.at(t, standby.DSN)
	caught(t, db, promoted)

	onStandby := promoted.keeperAt(t, promoted.DSN, nil)
	_, err := onStandby.Prepare(t.Context(), r.Identity, committed)
	if err == nil || !strings.Contains(err.Error(), "is a standby") {
		t.Errorf("a standby: %v", err)
	}
	primary.Stop()
	if _, err := k.Prepare(t.Context(), r.Identity, committed); err == nil {
		t.Error("neither server may be written to, and it goes on")
	}
	standby.Promote()
	mustGap(t, promoted, k, r.Identity, committed, "promoted without it")
}

// P7, cured by Keeper.forked: a server that has the slot, as a copy of the disk has
// it, or a standby from 17 on, went on from a state before what was committed.
func TestServerThatBranchedOffIsAGapWhereItLostSomething(t *testing.T) {
	primary := pgtest.NewServer(t, logical...)
	db := newOwn(t, primary)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	committed := db.confirm(t, r)
	standby := primary.Standby()
	promoted := db.at(t, standby.DSN)
	caught(t, db, promoted)
	db.Run("INSERT INTO rows VALUES (1, 'on both')")
	caught(t, db, promoted)
	later := db.confirm(t, r)

	primary.Stop()
	standby.Promote()
	there := promoted.keeper(t, nil)
	// As if the slot had come along: it stands where it stood at the copy.
	promoted.Value("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", k.Slot())
	at, err := pglogrepl.ParseLSN(promoted.Value("SELECT confirmed_flush_lsn FROM pg_replication_slots"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := there.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	was := identity{Timeline: 1}
	for name, c := range map[string]struct {
		committed pglogrepl.LSN
		want      string
	}{
		"before it branched off": {committed, ""},
		"the last that both had": {later, ""},
		"behind it":              {at + 1<<20, "it left timeline 1 at"},
	} {
		why, err := there.forked(t.Context(), f.timeline, was.Timeline, c.committed)
		if err != nil || c.want == "" && why != "" || !strings.Contains(why, c.want) {
			t.Errorf("%s: want %q, got %q, %v", name, c.want, why, err)
		}
	}
	if why, err := there.forked(t.Context(), f.timeline, 7, committed); err != nil || !strings.Contains(why, "does not come from timeline 7") {
		t.Errorf("another history: %q, %v", why, err)
	}
	// What was committed lies behind the fork on a timeline that went on longer.
	promoted.Run("SELECT pg_drop_replication_slot(" + pg.Literal(k.Slot()) + ")")
	promoted.Run("SELECT pg_create_logical_replication_slot(" + pg.Literal(k.Slot()) + ", 'pgoutput')")
	promoted.Value("SELECT pg_logical_emit_message(false, 'x', repeat('x', 100000))")
	end, err := pglogrepl.ParseLSN(promoted.Value("SELECT pg_current_wal_flush_lsn()"))
	if err != nil {
		t.Fatal(err)
	}
	mustGap(t, promoted, there, r.Identity, end-1, "it left timeline 1 at")
}
