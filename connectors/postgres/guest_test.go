package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// until asks every few milliseconds whether something is so by now.
func until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			tb.Errorf("%s: not within 30 seconds", what)
			return
		}
	}
}

// A user who may SELECT and no more, and whose transactions are read-only, is enough; and
// nothing is left behind in the database.
func TestReaderNeedsNoMoreThanSelect(t *testing.T) {
	db := newDatabase(t)
	db.Run(watchedTable)
	user := db.Role()
	db.Run(fmt.Sprintf("GRANT SELECT ON rows TO %s; ALTER ROLE %s SET default_transaction_read_only = on", user, user))
	objects := func() string {
		return db.Value("SELECT count(*)::text || ' ' || (SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%' || $1 || '%') FROM pg_class WHERE relnamespace = $1::regnamespace", db.Name)
	}
	before := objects()
	f := newFollower(t, db.watched(func(c *postgres.Config) { c.DSN = config.NewSecret(pgtest.Through(db.DSN, "", user)) }))
	f.mustReadAll("the first reading", 1000)
	db.Run("UPDATE rows SET v = 'new', at = now() WHERE id = 7")
	f.mustChange("a change", "7=new")
	if after := objects(); after != before {
		t.Errorf("there were %s objects and slots, and are %s", before, after)
	}
	// Whoever may write does not either.
	db.Run(`CREATE FUNCTION sneak() RETURNS timestamptz LANGUAGE sql AS 'INSERT INTO rows VALUES (-1, $$x$$, now()) RETURNING at'`)
	var r connectortest.Recorder
	err := newPoller(t, db.watched(func(c *postgres.Config) {
		c.Table, c.Query, c.Key = "", "SELECT 1 AS id, sneak() AS at", []string{"id"}
	})).Poll(t.Context(), nil, r.Emit)
	if err == nil || r.Batches > 0 || db.Value("SELECT count(*) FROM rows") != "1000" {
		t.Errorf("a query that writes: %v", err)
	}
}

// A user's ALTER TABLE waits for no reading: one that is under way ends, and one that
// would begin behind it is over before anybody waits for long.
func TestAlterTableGetsItsLock(t *testing.T) {
	for name, changes := range map[string]bool{"all rows": false, "changes": true} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(watchedTable)
			f := newFollower(t, db.watched(nil))
			f.mustReadAll("the first reading", 1000)
			db.Run("UPDATE rows SET v = repeat('x', 20000), at = now()")
			if !changes {
				f.cursor = nil
			}
			other := db.Other()
			altered := make(chan struct{})
			var r connectortest.Recorder
			err := f.poller.Poll(t.Context(), f.cursor, func(ctx context.Context, b connectors.Batch) error {
				if r.Batches == 0 {
					go func() {
						defer close(altered)
						other.Run("ALTER TABLE rows ADD COLUMN more int")
					}()
					until(t, "ALTER TABLE waits", func() bool {
						return db.Value("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'rows'::regclass") == "1"
					})
				}
				return r.Emit(ctx, b)
			})
			<-altered
			var p *problem.Error
			if !errors.As(err, &p) || p.Slug != postgres.GaveWay || r.Closing != nil {
				t.Errorf("the reading ended with %v, closing %+v", err, r.Closing)
			}
			f.mustReadAll("after it", 1000)
		})
	}
}

// A replica ends a reading whose rows are cleaned away on its primary. One that has not
// taken any rows is begun again at once.
func TestReplicaThatEndsAReadingIsReadAgain(t *testing.T) {
	primary := pgtest.NewServer(t, "max_standby_streaming_delay=0", "hot_standby_feedback=off")
	db := &database{pgtest.In(t, primary.DSN)}
	db.Run(watchedTable)
	standby := primary.Standby()
	dsn := pgtest.With(standby.DSN, "search_path", db.Name)
	replica := &database{pgtest.Again(t, &pgtest.Schema{Name: db.Name, DSN: dsn})}
	f := newFollower(t, db.watched(func(c *postgres.Config) {
		c.DSN = config.NewSecret(dsn)
		c.Table, c.Query, c.Key = "", "SELECT rows.* FROM rows, (SELECT pg_sleep(2)) slowly", []string{"id"}
	}))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		until(t, "a reading is under way", func() bool {
			return replica.Value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"
		})
		db.Run("DELETE FROM rows WHERE id > 990")
		db.Run("VACUUM rows")
	}()
	rows, whole, _ := f.next()
	<-ended
	if n := replica.Value("SELECT sum(confl_snapshot) FROM pg_stat_database_conflicts"); n == "0" || !whole || len(rows) != 990 {
		t.Errorf("%d rows after %s conflicts", len(rows), n)
	}
}
