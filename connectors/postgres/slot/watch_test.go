package slot

import (
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestStateOfASlotIsTold(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	db.Run("INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(1, 1000) AS n")
	s := k.state(t.Context())
	if s.Err != nil || s.Warning != nil || s.Retained < 1_000_000 || s.Unconfirmed < 1_000_000 || s.WALStatus != "reserved" || s.ActivePID != 0 || s.Safe != -1 {
		t.Errorf("got %+v", s)
	}
	db.confirm(t, r)
	read(t, k.Replication(), r)
	if s = k.state(t.Context()); s.ActivePID == 0 || s.Unconfirmed > 100_000 {
		t.Errorf("read to its end: %+v", s)
	}
}

func TestMuchThatIsKeptIsWarnedOf(t *testing.T) {
	db := newDatabase(t)
	first := db.keeper(t, nil)
	r := mustPrepare(t, first, nil, 0)
	db.Run("INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(1, 1000) AS n")
	for limit, want := range map[int64]string{1_000_000_000: "", 2_000_000: "more than half of max_retained_wal (2.0 MB)", 1_000_000: "more than max_retained_wal (1.0 MB)"} {
		k := db.keeper(t, func(c *Config) { c.MaxRetained = limit })
		s := k.state(t.Context())
		if want == "" && s.Warning != nil || want != "" && (s.Warning == nil || !strings.Contains(s.Warning.Error(), want) || !strings.Contains(s.Warning.Error(), "nobody reads it")) {
			t.Errorf("a limit of %d: got %v of %d", limit, s.Warning, s.Retained)
		}
	}
	// All is read, and a transaction keeps the server from forgetting.
	open := db.Other()
	open.Run("BEGIN")
	open.Run("INSERT INTO rows VALUES (0, 'open')")
	db.confirm(t, r)
	read(t, first.Replication(), r)
	k := db.keeper(t, func(c *Config) { c.MaxRetained = 1 << 19 })
	if s := k.state(t.Context()); s.Warning == nil || !strings.Contains(s.Warning.Error(), "a transaction is open") {
		t.Errorf("got %v of %+v", s.Warning, s)
	}
	open.Run("COMMIT")
}

func TestSlotThatKeepsTooMuchIsDroppedWhereThatIsWanted(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, func(c *Config) { c.MaxRetained, c.OnRetained = 1<<20, RetainedDrop })
	r := mustPrepare(t, k, nil, 0)
	conn := read(t, k.Replication(), r)
	var states []State
	watch := func() {
		if err := k.Watch(t.Context(), time.Millisecond, func(s State) {
			if states = append(states, s); len(states) == 1 {
				db.Run("INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) AS n")
			}
		}); err != nil {
			t.Error(err)
		}
	}
	watch()
	if last := states[len(states)-1]; states[0].Dropped || !last.Dropped || problem.CodeOf(last.Warning) != problem.Upstream {
		t.Errorf("got %+v", states)
	}
	for ended := false; !ended; { // with what was sent before
		_, err := conn.ReceiveMessage(t.Context())
		ended = err != nil
	}
	mustGap(t, db, k, r.Identity, r.From, "was dropped, as on_retained says")
	later := db.keeper(t, nil)
	if err := later.dropSlot(t.Context(), k.Slot()); err != nil {
		t.Fatal(err)
	}
	mustGap(t, db, later, r.Identity, r.From, "is gone") // another process knows no more
}

func TestSlotIsKeptWhereNobodyWantsItDropped(t *testing.T) {
	db := newDatabase(t)
	mustPrepare(t, db.keeper(t, nil), nil, 0)
	db.Run("INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) AS n")
	k := db.keeper(t, func(c *Config) { c.MaxRetained = 1 << 20 })
	states := 0
	ctx, cancel := contextOf(t)
	if err := k.Watch(ctx, time.Millisecond, func(s State) {
		if states++; s.Dropped || s.Warning == nil {
			t.Errorf("got %+v", s)
		}
		if states == 3 {
			cancel()
		}
	}); err != nil {
		t.Error(err)
	}
	foreign := db.keeper(t, func(c *Config) {
		c.Slot, c.Publication, c.MaxRetained, c.OnRetained = k.Slot(), k.Publication(), 1<<20, RetainedDrop
	})
	ctx, cancel = contextOf(t)
	if err := foreign.Watch(ctx, time.Millisecond, func(State) { cancel() }); err != nil {
		t.Error(err)
	}
	if db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", k.Slot()) != "1" {
		t.Error("the slot is gone")
	}
}

func TestSlotThatIsGoneAndServersThatAreAway(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	if s := k.state(t.Context()); s.Warning == nil || s.Err != nil || !strings.Contains(s.Warning.Error(), "is gone") {
		t.Errorf("got %+v", s)
	}
	nowhere := db.keeperAt(t, strings.Replace(db.DSN, "/postgres", "/nowhere", 1), nil)
	if s := nowhere.state(t.Context()); s.Err == nil {
		t.Errorf("got %+v", s)
	}
}

func TestSizesForAPerson(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.5 KB", DefaultMaxRetained: "10.0 GB", 5_000_000_000_000_000: "5000.0 TB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: got %s, want %s", bytes, got, want)
		}
	}
}
