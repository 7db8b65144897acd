package postgres_test

import (
	"testing"
)

func TestSnapshotThenChanges(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, name text, price numeric(10,2)); INSERT INTO rows SELECT i, 'n' || i, i FROM generate_series(1, 3000) i`)
	s := newStreamed(t, db, nil)
	s.start()
	s.streaming()
	db.Run(`INSERT INTO rows VALUES (-1, 'new', 1.5); UPDATE rows SET name = 'other' WHERE id = 7; DELETE FROM rows WHERE id = 8; UPDATE rows SET id = -9 WHERE id = 9`)
	s.caughtUp()
	s.equal()
	s.stop()
	db.Run(`INSERT INTO rows VALUES (-2, 'new', 1.5); UPDATE rows SET name = 'third' WHERE id = 7`)
	before := s.emitted
	s.start()
	s.caughtUp()
	s.equal()
	if got := s.emitted - before; got != 2 {
		t.Errorf("%d rows were told after the restart, want the 2 that changed", got)
	}
	db.Run("TRUNCATE rows; INSERT INTO rows VALUES (1, 'again', NULL)")
	s.caughtUp()
	s.streaming()
	s.equal()
}
