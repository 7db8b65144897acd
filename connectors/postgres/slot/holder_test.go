package slot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// P10, cured by Keeper.take: a process that was frozen, or cut off, leaves a stream
// that the server goes on with.
func TestStreamOfOurOwnThatHangsIsEnded(t *testing.T) {
	db := newDatabase(t)
	proxy := pgtest.NewProxy(t, db.DSN)
	k := db.keeperAt(t, pgtest.Through(db.DSN, proxy.Address, ""), nil)
	r := mustPrepare(t, k, nil, 0)
	read(t, k.Replication(), r)
	proxy.Hold() // it takes in what comes and hands nothing on, and ends nothing

	later := db.keeper(t, nil)
	later.takeLimit = 3 * time.Second
	again, err := later.Prepare(t.Context(), r.Identity, r.From)
	if err != nil {
		t.Fatal(err)
	}
	if again.Gap != "" {
		t.Errorf("a gap: %s", again.Gap)
	}
	conn := read(t, later.Replication(), again)
	if pid := db.Value("SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1", k.Slot()); pid == "" || conn.IsClosed() {
		t.Error("nobody reads the slot")
	}
	if err := later.Release(t.Context()); err != nil { // ends it too
		t.Error(err)
	}
}

// A person who looks at the slot is not sent away.
func TestSlotThatSomebodyElseReadsIsLeftAlone(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	other := k.Replication()
	other.RuntimeParams["application_name"] = "pg_recvlogical"
	conn := read(t, other, r)
	for name, do := range map[string]func() error{
		"a start":   func() error { _, err := k.Prepare(t.Context(), r.Identity, r.From); return err },
		"an end":    func() error { return k.Release(t.Context()) },
		"a renewal": func() error { _, err := k.Renew(t.Context()); return err },
	} {
		err := do()
		if err == nil || !strings.Contains(err.Error(), `of "pg_recvlogical", user pictifyd`) || !strings.Contains(err.Error(), "pg_terminate_backend") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if db.Value("SELECT active FROM pg_replication_slots WHERE slot_name = $1", k.Slot()) != "t" || conn.IsClosed() {
		t.Error("its reader was ended")
	}
}

func TestTakingASlotEndsWithItsContext(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.take(ctx, k.Slot()); err == nil {
		t.Error("it goes on")
	}
}

func TestNamesFitSlotsAndStayApart(t *testing.T) {
	seen := map[string]string{}
	for _, source := range []string{"shop", "Shop", "shop-a", "shop_a", "shop.a", "ü", "ö", strings.Repeat("x", 60), strings.Repeat("x", 61), strings.Repeat("x", 200), ""} {
		name := nameOf("ab12", source)
		if len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || !strings.HasPrefix(name, "pictifyd_ab12_") {
			t.Errorf("%q is called %q", source, name)
		}
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q are both called %q", source, other, name)
		}
		seen[name] = source
	}
	if name := nameOf("ab12", "shop"); name != "pictifyd_ab12_shop" {
		t.Errorf("a plain name became %q", name)
	}
}

func TestReplicationConnectionsAreNamed(t *testing.T) {
	server := &pgconn.Config{RuntimeParams: map[string]string{"application_name": "mine"}}
	k := New(Config{Server: server, Source: "shop", Instance: "ab"})
	if got := k.Replication().RuntimeParams; got["application_name"] != "pictifyd_ab_shop" || got["replication"] != "database" {
		t.Errorf("got %v", got)
	}
	if len(server.RuntimeParams) != 1 || server.RuntimeParams["application_name"] != "mine" {
		t.Error("what was lent was changed")
	}
}
