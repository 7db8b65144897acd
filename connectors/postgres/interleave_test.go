package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
)

// seedOf is the seed of a random test: of PICTIFYD_TEST_SEED, to see a failure again.
func seedOf(tb testing.TB) uint64 {
	tb.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("PICTIFYD_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Logf("PICTIFYD_TEST_SEED=%d", seed)
	return seed
}

// A writer changes a table at random.
type writer struct {
	*rand.Rand
	keys int
}

func (w *writer) key() string { return "'k" + strconv.Itoa(w.IntN(w.keys)) + "'" }

// statement is one that may change any row.
func (w *writer) statement() string {
	switch n := w.IntN(100); {
	case n < 25:
		return fmt.Sprintf("INSERT INTO rows VALUES (%s, %d, repeat('%c', 3000)) ON CONFLICT DO NOTHING", w.key(), w.Int32(), 'a'+w.IntN(26))
	case n < 55: // the large value stays as it is
		return fmt.Sprintf("UPDATE rows SET v = %d WHERE id = %s", w.Int32(), w.key())
	case n < 62:
		return fmt.Sprintf("UPDATE rows SET v = v + 1 WHERE id LIKE 'k%d%%'", w.IntN(100))
	case n < 70:
		return fmt.Sprintf("UPDATE rows SET big = repeat('%c', 4000) WHERE id = %s", 'a'+w.IntN(26), w.key())
	case n < 85:
		return "DELETE FROM rows WHERE id = " + w.key()
	case n < 99:
		to := w.key()
		return fmt.Sprintf("UPDATE rows SET id = %s WHERE id = %s AND NOT EXISTS (SELECT 1 FROM rows WHERE id = %s)", to, w.key(), to)
	}
	if w.IntN(4) > 0 {
		return "SELECT 1"
	}
	return "TRUNCATE rows"
}

func (w *writer) transaction() string {
	var list []string
	for range 1 + w.IntN(4)*w.IntN(4) {
		list = append(list, w.statement())
	}
	return strings.Join(list, ";")
}

// Whatever is written while a table is read, whenever the process dies and however
// often all is read again: in the end there is what the table has (pitfall P3).
func TestBackfillAndChangesInAnyOrder(t *testing.T) {
	seed := seedOf(t)
	db := newDatabase(t)
	for round := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, round))
		w := &writer{Rand: random, keys: 300}
		db.Run(`DROP TABLE IF EXISTS rows; CREATE TABLE rows (id text PRIMARY KEY, v bigint, big text); ALTER TABLE rows ALTER big SET STORAGE EXTERNAL;
INSERT INTO rows SELECT 'k' || i, i, repeat('x', 3000) FROM generate_series(0, 299, 2) i`)
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			s := newStreamed(t, db, func(c *postgres.Config) {
				if round%2 == 1 {
					c.Columns = []string{"v"}
				}
			})
			s.small = true
			dies := rand.New(rand.NewPCG(seed, round+100))
			var dying atomic.Bool
			dying.Store(true)
			die := func(connectors.Batch) error {
				if dying.Load() && dies.IntN(40) == 0 {
					return errKilled
				}
				return nil
			}
			s.before, s.after = die, die
			s.start()
			deaths := 0
			for range 300 {
				db.Run(w.transaction())
				if random.IntN(10) == 0 {
					time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond) // lets the reader come between
				}
				select {
				case err := <-s.done:
					if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					deaths++
					s.run(random.IntN(6) == 0)
				default:
				}
			}
			dying.Store(false)
			at := db.Value("SELECT pg_current_wal_insert_lsn()")
			s.again("the end of the log and of the snapshot", func() bool { return s.reached(at) })
			s.equal()
			s.stop()
			t.Logf("%d deaths, %d snapshots of which %d ended, %d batches, %d rows", deaths, s.begun, s.ended, s.batches, s.emitted)
		})
	}
}
