package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func newSQLite(tb testing.TB) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), Config{URL: "sqlite:pictifyd.db"}, Options{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func put(name, value string) change {
	return func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, name, value)
		return err
	}
}

func has(tb testing.TB, s *Store, name string) bool {
	tb.Helper()
	_, err := setting(tb.Context(), s.reader(), name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		tb.Fatal(err)
	}
	return err == nil
}

// together runs changes such that all but the first wait while it runs. It is
// called in a bubble.
func together(tb testing.TB, s *Store, changes ...change) (errs []error) {
	tb.Helper()
	errs = make([]error, len(changes))
	goOn := make(chan struct{})
	var g sync.WaitGroup
	g.Go(func() {
		errs[0] = s.write(tb.Context(), func(ctx context.Context, t *tx) error {
			<-goOn
			return changes[0](ctx, t)
		})
	})
	synctest.Wait()
	for i, c := range changes[1:] {
		g.Go(func() { errs[i+1] = s.write(tb.Context(), c) })
		synctest.Wait() // so that they wait in their order
	}
	close(goOn)
	g.Wait()
	return errs
}

func TestWaitingWritersShareACommit(t *testing.T) {
	s := newSQLite(t)
	w := s.writer.(*serialWriter)
	before := w.commits.Load()
	const writers = 400
	var g sync.WaitGroup
	for i := range writers {
		g.Go(func() {
			if err := s.write(t.Context(), put(string(rune('a'+i)), "")); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if n := w.commits.Load() - before; n >= writers/2 {
		t.Errorf("%d writers made %d commits", writers, n)
	} else {
		t.Logf("%d writers made %d commits", writers, n)
	}
}

func TestErrorUndoesOnlyItsOwnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSQLite(t)
		before := s.writer.(*serialWriter).commits.Load()
		broken := errors.New("broken")
		errs := together(t, s, put("a", ""), func(ctx context.Context, t *tx) error {
			return errors.Join(put("b", "")(ctx, t), broken)
		}, put("c", ""))
		if errs[0] != nil || !errors.Is(errs[1], broken) || errs[2] != nil {
			t.Errorf("answers are %v", errs)
		}
		if !has(t, s, "a") || has(t, s, "b") || !has(t, s, "c") {
			t.Errorf("there are a %v, b %v, c %v; want a and c", has(t, s, "a"), has(t, s, "b"), has(t, s, "c"))
		}
		if n := s.writer.(*serialWriter).commits.Load() - before; n != 1 {
			t.Errorf("there were %d commits, want one for all", n)
		}
	})
}

func TestChangesUndoneThroughAnothersFaultAreRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSQLite(t)
		broken, runs := errors.New("broken"), 0
		errs := together(t, s, func(ctx context.Context, t *tx) error {
			runs++
			return put("a", "")(ctx, t)
		}, func(ctx context.Context, t *tx) error {
			// As SQLite does when the disk is full in the middle of a statement.
			_, err := t.raw.ExecContext(ctx, `ROLLBACK`)
			return errors.Join(err, broken)
		}, put("c", ""))
		if errs[0] != nil || !errors.Is(errs[1], broken) || errs[2] != nil {
			t.Errorf("answers are %v", errs)
		}
		if !has(t, s, "a") || !has(t, s, "c") || runs != 2 {
			t.Errorf("there are a %v after %d runs, c %v; want both", has(t, s, "a"), runs, has(t, s, "c"))
		}
	})
}

func TestWriterWhoGoesAwayLeavesTheOthersAlone(t *testing.T) {
	s := newSQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		cancel() // too late: the change is being made
		return put("a", "")(ctx, t)
	})
	if err != nil || !has(t, s, "a") {
		t.Errorf("a change in hand gave %v", err)
	}
	if err := s.write(ctx, put("b", "")); !errors.Is(err, context.Canceled) || has(t, s, "b") {
		t.Errorf("a change of somebody who went away gave %v", err)
	}
}

func TestFullDiskIsAProblemThatPasses(t *testing.T) {
	s := newSQLite(t)
	limit := func(pages string) {
		t.Helper()
		if _, err := s.db.ExecContext(t.Context(), `PRAGMA max_page_count = `+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // no more than there are
	big := string(make([]rune, 1<<20))
	err := s.write(t.Context(), put("big", big))
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != "disk_full" || p.Code != problem.Surroundings || p.Hint == "" {
		t.Fatalf("a full disk gave %v", err)
	}
	if has(t, s, "big") {
		t.Error("what had no place is there")
	}
	limit("1000000")
	if err := s.write(t.Context(), put("big", big)); err != nil || !has(t, s, "big") {
		t.Errorf("with place again it gave %v", err)
	}
}

func TestClosedStoreTakesNothing(t *testing.T) {
	s, err := Open(t.Context(), Config{URL: "sqlite:pictifyd.db"}, Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), put("a", "")); !errors.Is(err, errClosed) {
		t.Errorf("a write after Close gave %v", err)
	}
}

// The texts of this package bind $n by number: the drivers must too. One that
// bound them in the order of their appearance would swap values silently.
func TestParametersAreBoundByNumber(t *testing.T) {
	s := newSQLite(t)
	var got string
	if err := s.reader().row(t.Context(), `SELECT $3 || $1 || $2 || $1`, "a", "b", "c").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != "caba" {
		t.Errorf("$3 $1 $2 $1 of a, b, c is %q, want caba", got)
	}
}

func TestLedgerIsDurableAndItsViewsCannotWrite(t *testing.T) {
	s := newSQLite(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1"} {
		var got string
		if err := s.db.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), `INSERT INTO settings (name, value) VALUES ('a', '')`); err == nil {
		t.Error("the views' connections can write")
	}
}

func TestSecondDaemonOnOneLedgerIsRefused(t *testing.T) {
	dir := t.TempDir()
	open := func() (*Store, error) {
		return Open(t.Context(), Config{URL: "sqlite:" + filepath.Join(dir, "pictifyd.db")}, Options{})
	}
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	_, err = open()
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Surroundings || p.Slug != "store_locked" {
		t.Errorf("the second one got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = open(); err != nil {
		t.Fatalf("after the first one closed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
