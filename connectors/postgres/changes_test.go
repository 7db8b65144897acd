package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
)

// watched is a configuration with a watermark.
func (db *database) watched(change func(c *postgres.Config)) *postgres.Config {
	return db.config(func(c *postgres.Config) {
		c.Watermark = "at"
		if change != nil {
			change(c)
		}
	})
}

// A follower is a poller that goes on from the cursor of its last reading.
type follower struct {
	tb     testing.TB
	poller connectors.Poller
	cursor connectors.Cursor
}

func newFollower(tb testing.TB, cfg *postgres.Config) *follower {
	tb.Helper()
	return &follower{tb: tb, poller: newPoller(tb, cfg)}
}

// next is what the next reading has, as id=v, in order; whole tells that it is of all rows,
// and same that nothing is as it was not before.
func (f *follower) next() (rows []string, whole, same bool) {
	f.tb.Helper()
	r := mustPoll(f.tb, f.poller, f.cursor)
	if r.Closing.Cursor != nil {
		f.cursor = r.Closing.Cursor
	}
	for _, row := range r.Rows {
		rows = append(rows, fmt.Sprintf("%v=%v", row.Values["id"], row.Values["v"]))
	}
	slices.Sort(rows)
	if !r.Closing.Complete && r.Closing.Reason != connectors.OfChanges {
		f.tb.Errorf("a reading is not complete because %q", r.Closing.Reason)
	}
	return rows, r.Closing.Complete && !r.Closing.Unchanged, r.Closing.Unchanged
}

// mustChange expects a reading of changes with exactly these rows; none is a reading that
// says that nothing changed.
func (f *follower) mustChange(what string, want ...string) {
	f.tb.Helper()
	rows, whole, same := f.next()
	if whole || !slices.Equal(rows, want) || same != (len(want) == 0) {
		f.tb.Errorf("%s: got %v, of all rows: %t, unchanged: %t; want %v", what, rows, whole, same, want)
	}
}

// mustReadAll expects a reading of all rows, of which there are so many.
func (f *follower) mustReadAll(what string, want int) {
	f.tb.Helper()
	if rows, whole, same := f.next(); !whole || len(rows) != want || same {
		f.tb.Errorf("%s: %d rows, of all rows: %t, unchanged: %t; want %d", what, len(rows), whole, same, want)
	}
}

const watchedTable = `CREATE TABLE rows (id int PRIMARY KEY, v text, at timestamptz NOT NULL);
INSERT INTO rows SELECT i, 'old', now() - interval '1 day' FROM generate_series(1, 1000) i;`

func TestOnlyChangesAreRead(t *testing.T) {
	for name, change := range map[string]func(c *postgres.Config){
		"table": nil, "with a key": func(c *postgres.Config) { c.Key, c.Columns = []string{"id"}, []string{"v"} },
		"query": func(c *postgres.Config) { c.Table, c.Query, c.Key = "", "SELECT * FROM rows", []string{"id"} },
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(watchedTable)
			f := newFollower(t, db.watched(change))
			f.mustReadAll("the first reading", 1000)
			f.mustChange("nothing")
			db.Run("UPDATE rows SET v = 'new', at = now() WHERE id IN (7, 8)")
			f.mustChange("two changed", "7=new", "8=new")
			f.mustChange("nothing since")
			db.Run("UPDATE rows SET v = 'newer', at = now() WHERE id = 8; INSERT INTO rows VALUES (1001, 'more', now())")
			f.mustChange("of three that are read, two changed", "1001=more", "8=newer")
			db.Run("UPDATE rows SET v = 'new', at = now() WHERE id = 8")
			f.mustChange("back again", "8=new")
			f.poller = newPoller(t, db.watched(change))
			f.mustChange("nothing, after a restart")
			db.Run("UPDATE rows SET v = 'last', at = now() WHERE id = 1")
			f.mustChange("who remembers nothing reads the lookback", "1001=more", "1=last", "7=new", "8=new")
		})
	}
}

// A transaction gives its rows the time of its begin, and they are seen at its end, behind
// rows with later times: markSQL cures that by looking back. Pitfall P12.
func TestRowThatIsCommittedLateIsFoundByLookback(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable)
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("the first reading", 1000)
	late, err := pgx.Connect(t.Context(), db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close(context.Background())
	for _, sql := range []string{"BEGIN", "UPDATE rows SET v = 'late', at = now() WHERE id = 1"} {
		if _, err := late.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	db.Run("UPDATE rows SET v = 'early', at = now() WHERE id = 2")
	f.mustChange("the row that was committed first", "2=early")
	if _, err := late.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	f.mustChange("the row that was committed late", "1=late")

	// As far back as nobody looks: the comparison of all rows has it, in an hour.
	now := time.Now()
	postgres.SetClock(f.poller, func() time.Time { return now })
	db.Run("UPDATE rows SET v = 'stray', at = at - interval '6 hours' WHERE id = 3")
	f.mustChange("a row whose time did not grow")
	now = now.Add(2 * time.Hour)
	f.mustReadAll("the comparison", 1000)
}

// Rows of one transaction have one time. More of them than fit on a page are gone through
// by their keys: keyset.statement. Pitfall P12.
func TestMoreRowsOfOneWatermarkThanAPageHas(t *testing.T) {
	for name, key := range map[string]string{"primary key": "PRIMARY KEY (shop, id)", "no constraint": "CHECK (true)"} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(`CREATE TABLE rows (shop text, id int, v text, at timestamptz NOT NULL, ` + key + `);
INSERT INTO rows SELECT 's' || i % 3, i, 'old', now() - interval '1 day' FROM generate_series(1, 12000) i`)
			f := newFollower(t, db.watched(func(c *postgres.Config) { c.Key = []string{"shop", "id"} }))
			f.mustReadAll("the first reading", 12000)
			db.Run("UPDATE rows SET v = 'new', at = now() WHERE id > 100")
			rows, whole, _ := f.next()
			if slices.Sort(rows); whole || len(slices.Compact(rows)) != 11_900 {
				t.Errorf("%d rows in a reading, want 11900 of changes", len(rows))
			}
			f.mustChange("nothing since")
		})
	}
}

// Where key columns may be null, or are no key, no row is lost between pages.
func TestPagesHaveRowsOfAnyKey(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int, part text, v text, at timestamptz);
INSERT INTO rows SELECT i, CASE WHEN i % 5 > 0 THEN 'p' || i % 5 END, 'old', now() - interval '1 day' FROM generate_series(1, 1000) i`)
	f := newFollower(t, db.watched(func(c *postgres.Config) { c.Key = []string{"part"} }))
	f.mustReadAll("the first reading", 1000)
	db.Run("UPDATE rows SET v = 'new', at = now()")
	r := mustPoll(t, f.poller, f.cursor)
	keys := map[string]int{}
	for _, row := range r.Rows {
		keys[fmt.Sprint(row.Key[0])]++
	}
	if len(r.Rows) != 1000 || len(keys) != 5 || keys["<nil>"] != 200 {
		t.Errorf("%d rows of the keys %v", len(r.Rows), keys)
	}
}

// A row that is dated ahead, or the time before a clock was set back, does not carry the
// cursor behind which rows of today are not looked for: markSQL. Pitfall P12.
func TestRowDatedAheadDoesNotHideOthers(t *testing.T) {
	for name, column := range map[string]string{"timestamptz": "timestamptz", "date": "date", "timestamp": "timestamp"} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text, at ` + column + `); INSERT INTO rows SELECT i, 'old', now() - interval '9 days' FROM generate_series(1, 10) i`)
			f := newFollower(t, db.watched(func(c *postgres.Config) { c.Lookback = "2d" }))
			f.mustReadAll("the first reading", 10)
			db.Run("UPDATE rows SET v = 'far', at = '2999-01-01' WHERE id = 1; UPDATE rows SET v = 'never', at = 'infinity' WHERE id = 2")
			f.mustChange("rows of another age", "1=far", "2=never")
			db.Run("UPDATE rows SET v = 'today', at = now() WHERE id = 3")
			f.mustChange("a row of today", "3=today")
			f.mustChange("nothing since")
		})
	}
}

// The cursor is what the last row has. By the clock, a row that comes later with an
// earlier time would be behind it: markSQL. Pitfall P12.
func TestCursorIsTheLastRowAndNotTheClock(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable)
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("the first reading", 1000)
	db.Run("UPDATE rows SET v = 'slow', at = now() - interval '1 hour' WHERE id = 1")
	f.mustChange("a row that took an hour to come", "1=slow")
}

// What is deleted, no watermark tells of: source.due has all rows compared. Pitfall P12.
func TestDeletedRowIsFoundByReconcile(t *testing.T) {
	for name, reconcile := range map[string]string{"every hour": "", "cron": "0 * * * *"} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(watchedTable)
			f := newFollower(t, db.watched(func(c *postgres.Config) { c.Reconcile = reconcile }))
			now := time.Date(2026, 3, 1, 10, 0, 1, 0, time.UTC)
			postgres.SetClock(f.poller, func() time.Time { return now })
			f.mustReadAll("the first reading", 1000)
			db.Run("DELETE FROM rows WHERE id = 7")
			now = now.Add(59 * time.Minute)
			f.mustChange("within the hour")
			now = now.Add(time.Minute)
			f.mustReadAll("after it", 999)
			f.mustChange("nothing since")
			now = now.Add(time.Hour)
			cursor := string(f.cursor)
			f.mustChange("an hour later nothing is gone")
			if string(f.cursor) == cursor {
				t.Error("nothing says that all rows were compared")
			}
			if reconcile == "" {
				now = now.Add(-30 * time.Minute)
				if f.mustChange("after the clock was set back"); string(f.cursor) == cursor {
					t.Error("a comparison in the future counts")
				}
			}
		})
	}
}

// A number says nothing of time: lost and late ones are looked for so many before.
func TestNumbersAreWatermarks(t *testing.T) {
	for _, column := range []string{"smallint", "int", "bigint", "numeric", "numeric(20, 0)"} {
		t.Run(column, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text, at ` + column + ` NOT NULL); INSERT INTO rows SELECT i, 'old', i FROM generate_series(1, 1000) i`)
			f := newFollower(t, db.watched(func(c *postgres.Config) { c.Lookback = "10" }))
			f.mustReadAll("the first reading", 1000)
			db.Run("UPDATE rows SET v = 'new', at = 1001 WHERE id = 1; UPDATE rows SET v = 'late', at = 995 WHERE id = 2; UPDATE rows SET v = 'too late', at = 980 WHERE id = 3")
			f.mustChange("rows from ten before the last", "1=new", "2=late")
			db.Run("DELETE FROM rows; INSERT INTO rows VALUES (1, 'anew', 1)")
			f.mustChange("a table that begins anew", "1=anew")
			db.Run("INSERT INTO rows VALUES (2, 'low', -32768)")
			f.mustChange("below where is looked")
		})
	}
}

// Rows without a watermark are found when all are compared, and a table in which none has
// one is compared each time.
func TestRowsWithoutAWatermark(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text, at timestamptz)`)
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("an empty table", 0)
	f.mustChange("which is as it was")
	db.Run("INSERT INTO rows SELECT i, 'none', NULL FROM generate_series(1, 10) i")
	f.mustReadAll("none has one", 10)
	f.mustChange("nothing since")
	db.Run("UPDATE rows SET v = 'some', at = now() WHERE id = 1")
	f.mustReadAll("the first that has one", 10)
	db.Run("UPDATE rows SET v = 'more', at = now() WHERE id = 2; UPDATE rows SET v = 'unseen' WHERE id = 3")
	f.mustChange("from then on", "2=more")
}

// A cursor holds for what it was made with: another watermark, other columns or rows, or a
// table that was changed are read as if for the first time.
func TestChangedConfigurationReadsAllRows(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable + "ALTER TABLE rows ADD COLUMN also timestamptz NOT NULL DEFAULT now()")
	for name, change := range map[string]func(c *postgres.Config){
		"watermark": func(c *postgres.Config) { c.Watermark = "also" }, "columns": func(c *postgres.Config) { c.Columns = []string{"v"} },
		"where": func(c *postgres.Config) { c.Where = "id > 0" }, "key": func(c *postgres.Config) { c.Key = []string{"id"} },
		"no watermark": func(c *postgres.Config) { c.Watermark = "" },
	} {
		f := newFollower(t, db.watched(nil))
		f.mustReadAll("the first reading", 1000)
		f.poller = newPoller(t, db.watched(change))
		f.mustReadAll("another "+name, 1000)
	}
	for name, change := range map[string]func(c *postgres.Config){
		"lookback": func(c *postgres.Config) { c.Lookback = "10m" }, "reconcile": func(c *postgres.Config) { c.Reconcile = "30m" },
	} {
		f := newFollower(t, db.watched(nil))
		f.mustReadAll("the first reading", 1000)
		f.poller = newPoller(t, db.watched(change))
		if _, whole, _ := f.next(); whole {
			t.Errorf("another %s has all rows read", name)
		}
	}
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("the first reading", 1000)
	db.Run("ALTER TABLE rows ADD COLUMN more text DEFAULT 'x'")
	f.mustReadAll("another column", 1000)
}

// A reading that dies between two pages closes nothing, and the next one has its rows.
func TestReadingOfChangesThatDiesIsReadAgain(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable)
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("the first reading", 1000)
	db.Run("UPDATE rows SET v = repeat('x', 20000), at = now()")
	killed := errors.New("killed")
	var r connectortest.Recorder
	err := f.poller.Poll(t.Context(), f.cursor, func(ctx context.Context, b connectors.Batch) error {
		if r.Batches == 1 {
			return killed
		}
		return r.Emit(ctx, b)
	})
	if !errors.Is(err, killed) || r.Closing != nil || len(r.Rows) == 0 {
		t.Fatalf("%v, %d rows, closing %+v", err, len(r.Rows), r.Closing)
	}
	if rows, whole, _ := f.next(); whole || len(rows) != 1000 {
		t.Errorf("%d rows after it", len(rows))
	}
	db.Run("UPDATE rows SET v = 'y', at = now() WHERE id = 1")
	f.mustChange("and then what changes", "1=y")
}

// A reading of changes is of one moment, whatever is written between its pages.
func TestReadingOfChangesIsOneMoment(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable)
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("the first reading", 1000)
	db.Run("UPDATE rows SET v = repeat('x', 20000), at = now()")
	var r connectortest.Recorder
	if err := f.poller.Poll(t.Context(), f.cursor, func(ctx context.Context, b connectors.Batch) error {
		if r.Batches == 0 {
			db.Run("UPDATE rows SET v = 'other', at = now(); DELETE FROM rows WHERE id > 900")
		}
		return r.Emit(ctx, b)
	}); err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if row.Values["v"] == "other" {
			t.Fatalf("%s is of another moment", row.Position)
		}
	}
	if f.cursor = r.Closing.Cursor; len(r.Rows) != 1000 {
		t.Errorf("%d rows", len(r.Rows))
	}
	if rows, whole, _ := f.next(); whole || len(rows) != 900 || !strings.HasSuffix(rows[0], "=other") {
		t.Errorf("%d rows of the next moment", len(rows))
	}
}

// One row that can't be read is no reason to take the source for broken.
func TestChangedRowThatCannotBeReadIsAFault(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable)
	f := newFollower(t, db.watched(nil))
	f.mustReadAll("the first reading", 1000)
	db.Run("UPDATE rows SET v = repeat('x', 17000000), at = now() WHERE id = 7")
	r := mustPoll(t, f.poller, f.cursor)
	if len(r.Faults) != 1 || r.Faults[0].Key[0] != json.Number("7") || r.Closing.Reason != connectors.OfChanges {
		t.Errorf("faults %+v, closing %+v", r.Faults, r.Closing)
	}
}

func TestWatermarkThatIsNoneIsSaid(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text, at timestamptz)`)
	for want, change := range map[string]func(c *postgres.Config){
		`there is no column "changed"`:   func(c *postgres.Config) { c.Watermark = "changed" },
		`the column "v" is no watermark`: func(c *postgres.Config) { c.Watermark = "v" },
		`there is no column "at"`:        func(c *postgres.Config) { c.Table, c.Query, c.Key = "", "SELECT id, v FROM rows", []string{"id"} },
		"wants a unit":                   func(c *postgres.Config) { c.Lookback = "10" },
		`"5m" is no number`:              func(c *postgres.Config) { c.Watermark, c.Lookback = "id", "5m" },
	} {
		var r connectortest.Recorder
		err := newPoller(t, db.watched(change)).Poll(t.Context(), nil, r.Emit)
		if err == nil || !strings.Contains(err.Error(), want) || r.Batches > 0 {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for want, change := range map[string]func(c *postgres.Config){
		"lookback: there is no watermark":    func(c *postgres.Config) { c.Watermark, c.Lookback = "", "5m" },
		"reconcile: every reading compares":  func(c *postgres.Config) { c.Watermark, c.Reconcile = "", "1h" },
		"watermark: a schedule's runs":       func(c *postgres.Config) { c.Cron = "@daily" },
		"lookback: \"-5\" is neither":        func(c *postgres.Config) { c.Lookback = "-5" },
		"reconcile: wants a unit":            func(c *postgres.Config) { c.Reconcile = "10" },
		"reconcile: must be more than 0":     func(c *postgres.Config) { c.Reconcile = "0s" },
		"reconcile: must not be less":        func(c *postgres.Config) { c.Reconcile = "5s" },
		"reconcile: a schedule has 5 fields": func(c *postgres.Config) { c.Reconcile = "0 3 *" },
	} {
		if err := db.watched(change).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
