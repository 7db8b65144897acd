package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A held server keeps commits back: they are in its log, and the stream tells of
// them, while no statement sees them. That is what waiting for a standby does.
type held struct {
	*streamed
	writer *pgtest.Schema
	wg     sync.WaitGroup
}

func newHeld(t *testing.T, rows int) *held {
	t.Helper()
	own := pgtest.NewServer(t, "wal_level=logical")
	db := &database{pgtest.In(t, pgtest.With(own.DSN, "synchronous_commit", "local"))}
	db.Run(fmt.Sprintf(`CREATE TABLE rows (id int PRIMARY KEY, v text, big text); ALTER TABLE rows ALTER big SET STORAGE EXTERNAL;
INSERT INTO rows SELECT i, 'old', repeat('x', 20) FROM generate_series(1, %d) i; UPDATE rows SET big = repeat('x', 5000) WHERE id = %[1]d`, rows))
	h := &held{streamed: newStreamed(t, db, nil), writer: db.Other()}
	h.small = true
	h.writer.Run("SET synchronous_commit = on")
	t.Cleanup(func() { h.standby(""); h.wg.Wait() })
	return h
}

// standby says for which server commits wait.
func (h *held) standby(name string) {
	h.tb.Helper()
	h.db.Value("SELECT set_config('search_path', '', false)")
	h.db.Run("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'")
	h.db.Value("SELECT pg_reload_conf()")
	h.db.Run("SET search_path = " + h.db.Name)
	for h.db.Other().Value("SHOW synchronous_standby_names") != name {
		h.db.Value("SELECT pg_sleep(0.01)")
	}
}

// hold begins a commit that does not end.
func (h *held) hold(sql string) { h.wg.Go(func() { h.writer.Run(sql) }) }

func (h *held) release() {
	h.tb.Helper()
	h.standby("")
	h.wg.Wait()
}

func (h *held) value(key int) any {
	row := h.rows[fmt.Sprintf("%q", []any{fmt.Sprint(key)})]
	return row.Values["v"]
}

// postgres.window.add is the cure of the visibility hole (pitfall P3): a row that is
// read after its change was told, and before anybody sees the change, is old.
func TestRowOfAChunkGivesWayToAChangeThatNobodySees(t *testing.T) {
	const last = 20_000
	h := newHeld(t, last)
	h.start()
	// A change that was told of before the first chunk is waited for.
	h.until("the first rows of a snapshot", func() bool { return h.begun == 1 && len(h.rows) > 0 })
	h.standby("nobody")
	h.hold(fmt.Sprintf("UPDATE rows SET v = 'new', big = '' WHERE id = %d", last))
	h.until("the change", func() bool { return h.value(last) == "new" })
	h.mu.Lock()
	over := h.ended > 0
	h.mu.Unlock()
	if over {
		t.Fatal("the snapshot was over before the change: the test shows nothing")
	}
	h.streaming()
	if got := h.db.Value("SELECT v FROM rows ORDER BY id DESC LIMIT 1"); got != "old" {
		t.Fatalf("a statement sees %q: the test shows nothing", got)
	}
	h.release()
	h.caughtUp()
	h.equal()
}

// Neither does a later snapshot bring back what was before a change that was told of
// by an earlier process.
func TestSnapshotWaitsForWhatNobodySees(t *testing.T) {
	h := newHeld(t, 50)
	h.start()
	h.streaming()
	h.standby("nobody")
	h.hold("UPDATE rows SET v = 'new', big = '' WHERE id = 50")
	h.until("the change", func() bool { return h.value(50) == "new" })
	h.stop()
	h.run(true)
	h.until("another snapshot", func() bool { return h.begun == 2 })
	time.Sleep(3 * 100 * time.Millisecond) // several looks for what it waits for
	h.release()
	h.streaming()
	h.caughtUp()
	h.equal()
}

// postgres.run.mend waits for a change before it reads what the change left out: what
// was before would stay (pitfall P8).
func TestUnchangedValueIsReadWhenItsChangeIsSeen(t *testing.T) {
	h := newHeld(t, 50)
	h.start()
	h.streaming()
	h.standby("nobody")
	h.hold("UPDATE rows SET v = 'new' WHERE id = 50")
	time.Sleep(200 * time.Millisecond) // it is told meanwhile, and can't be seen
	h.release()
	h.caughtUp()
	h.equal()
}
