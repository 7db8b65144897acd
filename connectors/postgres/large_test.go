package postgres_test

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

// place is what a cursor says of the log.
type place struct {
	LSN    string                         `json:"lsn"`
	Inside *struct{ Commit, UpTo string } `json:"inside"`
}

func placeOf(tb testing.TB, cursor connectors.Cursor) place {
	tb.Helper()
	var c struct{ State place }
	if err := json.Unmarshal(cursor, &c); err != nil {
		tb.Fatal(err)
	}
	return c.State
}

// postgres.run.cut is the cure of pitfall P11: a large transaction is committed in
// slices, so that memory is bounded, and its place in the log is not confirmed before
// its end. After a death inside of it, it goes on behind the last slice.
func TestLargeTransactionIsTakenInSlices(t *testing.T) {
	rows := 100_000
	if os.Getenv("PICTIFYD_TEST_ROWS") == "1M" {
		rows = 1_000_000
	}
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text)`)
	s := newStreamed(t, db, nil)
	s.rows = nil // of a million
	count, told := 0, map[int32]bool{}
	var peak atomic.Uint64
	var before, within place
	slices, deaths, twice := 0, 0, 0
	s.take = func(b connectors.Batch) error {
		at := placeOf(t, b.Closes.Cursor)
		for _, row := range b.Rows {
			n, _ := row.Key[0].(json.Number).Int64()
			if told[int32(n)] {
				twice++
			}
			told[int32(n)] = true
			count++
		}
		if at.Inside == nil {
			before = at
			return nil
		}
		slices++
		within = at
		if within.LSN != before.LSN {
			t.Errorf("inside of a transaction %s is confirmed, want %s", within.LSN, before.LSN)
		}
		peak.Store(max(peak.Load(), heap()))
		if slices == 20 {
			deaths++
			return errKilled // it is committed
		}
		return nil
	}
	s.start()
	s.streaming()
	s.caughtUp()
	begun := time.Now()
	db.Value("INSERT INTO rows SELECT i, repeat('x', 100) FROM generate_series(1, $1::int) i", strconv.Itoa(rows))
	if err := s.failed(); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	s.start()
	s.caughtUp()
	if count != rows || twice > 0 || slices < rows/3000 || deaths != 1 {
		t.Errorf("%d rows of %d, %d of them twice, in %d slices", count, rows, twice, slices)
	}
	t.Logf("%d rows in %d slices, %v, peak heap %d MB", rows, slices, time.Since(begun), peak.Load()>>20)
	if limit := uint64(200 << 20); peak.Load() > limit {
		t.Errorf("the heap grew to %d MB", peak.Load()>>20)
	}
}
