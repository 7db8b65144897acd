package postgres_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
)

// What is done to a table's columns shows in all its rows, also in those of which
// the server tells nothing.
func TestChangedColumnsShowInEveryRow(t *testing.T) {
	for name, c := range map[string]struct{ sql, warning string }{
		"a new column":             {"ALTER TABLE rows ADD extra int DEFAULT 7", "extra is new"},
		"a column less":            {"ALTER TABLE rows DROP name", "name is gone"},
		"another name":             {"ALTER TABLE rows RENAME name TO title", "name is gone, title is new"},
		"another type":             {"ALTER TABLE rows ALTER n TYPE text USING 'n' || n", "n was integer and is text"},
		"other values":             {"ALTER TABLE rows ALTER name TYPE text USING upper(name)", ""},
		"another name of the key":  {"ALTER TABLE rows RENAME id TO number", "id is gone, number is new, the key is number"},
		"another key":              {"ALTER TABLE rows DROP CONSTRAINT rows_pkey, ADD PRIMARY KEY (name)", "the key is name"},
		"another type of the key":  {"ALTER TABLE rows ALTER id TYPE bigint", "id was integer and is bigint"},
		"a digit less of a second": {"ALTER TABLE rows ALTER at TYPE timestamptz(0)", "at was timestamp with time zone and is timestamp(0) with time zone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			db.Run(`CREATE TABLE rows (id int PRIMARY KEY, name text NOT NULL, n int, at timestamptz DEFAULT '2026-03-01 12:00:00.25+00'); INSERT INTO rows SELECT i, 'n' || i, i FROM generate_series(1, 200) i`)
			s := newStreamed(t, db, nil)
			s.small = true
			s.start()
			s.streaming()
			db.Run("UPDATE rows SET n = 0 WHERE n = 3")
			db.Run(c.sql)
			db.Run("DELETE FROM rows WHERE at > '2027-01-01' OR ctid = (SELECT max(ctid) FROM rows)")
			s.until("another snapshot", func() bool { return s.begun > 1 })
			s.streaming()
			s.caughtUp()
			s.equal()
			if got := s.warned(); c.warning == "" && got != "" || !strings.Contains(got, c.warning) {
				t.Errorf("warned %q, want %q", got, c.warning)
			}
			s.stop()
			db.Run("ALTER TABLE rows ADD later int DEFAULT 8")
			s.start()
			s.until("another snapshot", func() bool { return s.begun > 2 })
			s.streaming()
			s.caughtUp()
			s.equal()
		})
	}
}

// A table that is changed while it is looked at is seen before it or after it.
func TestTableIsNotSeenHalfChanged(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, name text)`)
	source, err := postgres.NewStreamer(db.config(func(c *postgres.Config) { c.Mode = "cdc" }), connectors.Env{Name: db.Name, Instance: "t"}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.(interface{ Close() error }).Close() }()
	looked := make(chan error, 1)
	go func() { looked <- postgres.LookUp(t.Context(), source, 1000) }()
	for {
		db.Run("ALTER TABLE rows RENAME id TO number")
		db.Run("ALTER TABLE rows RENAME number TO id")
		select {
		case err := <-looked:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

func TestChangedColumnsMayHalt(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, name text); INSERT INTO rows VALUES (1, 'a')`)
	s := newStreamed(t, db, func(c *postgres.Config) { c.OnSchemaChange = "halt" })
	s.start()
	s.streaming()
	db.Run("ALTER TABLE rows RENAME name TO title")
	for range 2 { // it halts again until a person has seen to it
		if err := s.failed(); !connectors.IsHalt(err) || !strings.Contains(err.Error(), "name is gone") && !strings.Contains(err.Error(), "nobody listened") {
			t.Errorf("got %v", err)
		}
		s.start()
	}
	if err := s.failed(); !connectors.IsHalt(err) {
		t.Errorf("got %v", err)
	}
	s.run(true)
	s.until("another snapshot", func() bool { return s.begun > 1 })
	s.streaming()
	s.equal()
}

func TestKeyThatIsGoneHalts(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, name text); INSERT INTO rows VALUES (1, 'a')`)
	s := newStreamed(t, db, nil)
	s.start()
	s.streaming()
	db.Run("ALTER TABLE rows DROP CONSTRAINT rows_pkey")
	if err := s.failed(); !connectors.IsHalt(err) || !strings.Contains(err.Error(), "has no primary key") {
		t.Errorf("got %v", err)
	}
}

// Not every end of rows of a partition is told.
func TestPartitionsThatComeAndGo(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int, shop text, v int, PRIMARY KEY (id, shop)) PARTITION BY LIST (shop);
CREATE TABLE eu PARTITION OF rows FOR VALUES IN ('eu'); CREATE TABLE us PARTITION OF rows FOR VALUES IN ('us');
INSERT INTO rows SELECT i, CASE i % 2 WHEN 0 THEN 'eu' ELSE 'us' END, i FROM generate_series(1, 100) i`)
	s := newStreamed(t, db, nil)
	s.small = true
	s.start()
	s.streaming()
	db.Run("UPDATE rows SET v = -1 WHERE id = 5; UPDATE rows SET shop = 'eu' WHERE id = 7; DELETE FROM rows WHERE id = 8; UPDATE eu SET v = -2 WHERE id = 10")
	s.caughtUp()
	s.equal()
	for n, sql := range []string{"TRUNCATE eu", "ALTER TABLE rows DETACH PARTITION us", "ALTER TABLE rows ATTACH PARTITION us FOR VALUES IN ('us')", "DROP TABLE eu"} {
		db.Run(sql)
		s.until("another snapshot", func() bool { return s.begun > n+1 })
		s.streaming()
		s.caughtUp()
		s.equal()
	}
	db.Run("UPDATE us SET v = 9; TRUNCATE rows; INSERT INTO rows VALUES (1, 'us', 1)")
	s.caughtUp()
	s.streaming()
	s.equal()
}
