package replication_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server is a schema with a slot and a publication of the table rows.
type server struct {
	*pgtest.Schema
	tb testing.TB
}

func newServer(tb testing.TB, db *pgtest.Schema, table string) *server {
	tb.Helper()
	s := &server{Schema: db, tb: tb}
	s.Run(table)
	s.Run("CREATE PUBLICATION " + s.Name + " FOR TABLE rows WITH (publish_via_partition_root = true)")
	s.Value("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", s.Name)
	tb.Cleanup(s.drop)
	return s
}

func (s *server) drop() {
	s.Value("SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active", s.Name)
	s.Value("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", s.Name)
	s.Run("DROP PUBLICATION IF EXISTS " + s.Name)
}

func (s *server) start(dsn string, from replication.LSN) (*replication.Conn, error) {
	cfg, invalid := pg.Parse(dsn)
	if invalid != nil {
		s.tb.Fatal(invalid)
	}
	return replication.Start(context.Background(), cfg, replication.Options{Slot: s.Name, Publication: s.Name, From: from})
}

func (s *server) mustStart(from replication.LSN) *replication.Conn {
	s.tb.Helper()
	c, err := s.start(s.DSN, from)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(c.Close)
	return c
}

func mustNext(tb testing.TB, c *replication.Conn) replication.Event {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	e, err := c.Next(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// story is an event in words.
func story(e replication.Event) string {
	words := []string{string(e.Kind)}
	values := func(name string, row []replication.Value) {
		for i, v := range row {
			text := string(v.Kind)
			if v.Kind == replication.Text {
				text = string(v.Text)
			}
			words = append(words, fmt.Sprintf("%s.%s=%.20s", name, e.Relation.Columns[i].Name, text))
		}
	}
	switch e.Kind {
	case replication.Described:
		for _, c := range e.Relation.Columns {
			words = append(words, fmt.Sprintf("%s %d %d %v", c.Name, c.Type, c.Typmod, c.Key))
		}
	case replication.Truncate:
		words = append(words, fmt.Sprint(len(e.Others)))
	case replication.Message:
		words = append(words, e.Prefix, string(e.Content), fmt.Sprint(e.Transactional))
	}
	if e.Old != nil {
		name := "old"
		if e.OldKey {
			name = "key"
		}
		values(name, e.Old)
	}
	if e.New != nil {
		values("new", e.New)
	}
	return strings.Join(words, " ")
}

// until gives what is told until the transaction of a message with that content ended.
func until(tb testing.TB, c *replication.Conn, content string) (stories []string, end replication.LSN) {
	tb.Helper()
	described := ""
	for seen := false; ; {
		e := mustNext(tb, c)
		if e.Kind == replication.Message && string(e.Content) == content {
			seen = true
		}
		switch e.Kind {
		case replication.Begin:
			continue
		case replication.Commit:
			if seen {
				return stories, e.End
			}
			continue
		case replication.Described: // is told again whenever the server forgot that it was
			if story(e) == described {
				continue
			}
			described = story(e)
		}
		stories = append(stories, story(e))
	}
}

func (s *server) mark(content string) {
	s.Value("SELECT pg_logical_emit_message(true, 'mark', $1)", content)
}

func TestEveryKindOfChangeIsTold(t *testing.T) {
	db := pgtest.New(t)
	s := newServer(t, db, `CREATE TABLE rows (id int PRIMARY KEY, name varchar(10), big text); ALTER TABLE rows ALTER big SET STORAGE EXTERNAL`)
	c := s.mustStart(0)
	s.Run(`INSERT INTO rows VALUES (1, 'Mug', repeat('x', 9000)), (2, NULL, '')`)
	s.Run(`UPDATE rows SET name = 'Cup' WHERE id = 1`)
	s.Run(`UPDATE rows SET id = 3 WHERE id = 2`)
	s.Run(`DELETE FROM rows WHERE id = 3`)
	s.Run(`ALTER TABLE rows ADD more int; ALTER TABLE rows REPLICA IDENTITY FULL; UPDATE rows SET more = 7`)
	s.Run(`TRUNCATE rows`)
	s.mark("end")
	got, _ := until(t, c, "end")
	want := []string{
		"R id 23 -1 true name 1043 14 false big 25 -1 false",
		"I new.id=1 new.name=Mug new.big=xxxxxxxxxxxxxxxxxxxx",
		"I new.id=2 new.name=n new.big=",
		"U new.id=1 new.name=Cup new.big=u",
		"U key.id=2 key.name=n key.big=n new.id=3 new.name=n new.big=",
		"D key.id=3 key.name=n key.big=n",
		"R id 23 -1 true name 1043 14 true big 25 -1 true more 23 -1 true",
		"U old.id=1 old.name=Cup old.big=xxxxxxxxxxxxxxxxxxxx old.more=n new.id=1 new.name=Cup new.big=u new.more=7",
		"T 1",
		"M mark end true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// replication.Conn.tell is the cure of the pitfalls P4 and P5: what was received,
// also behind what was confirmed, is not what may be forgotten.
func TestOnlyConfirmIsConfirmed(t *testing.T) {
	s := newServer(t, pgtest.New(t), `CREATE TABLE rows (id int PRIMARY KEY)`)
	c := s.mustStart(0)
	s.Run("INSERT INTO rows VALUES (1)")
	s.mark("first")
	_, first := until(t, c, "first")
	s.Run("INSERT INTO rows VALUES (2)")
	s.mark("second")
	until(t, c, "second")
	c.Confirm(first)
	c.Confirm(first - 8) // never goes back
	if c.Confirmed() != first {
		t.Errorf("%s is confirmed, want %s", c.Confirmed(), first)
	}
	c.Close()
	s.gone()
	if got := s.Value("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1", s.Name); got != first.String() {
		t.Errorf("the server forgets what is before %s, want %s", got, first)
	}
	again := s.mustStart(0)
	got, _ := until(t, again, "second")
	if diff := cmp.Diff([]string{"R id 23 -1 true", "I new.id=2", "M mark second true"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// gone waits until nobody reads the slot.
func (s *server) gone() {
	s.tb.Helper()
	for until := time.Now().Add(20 * time.Second); s.Value("SELECT active FROM pg_replication_slots WHERE slot_name = $1", s.Name) == "t"; {
		if time.Now().After(until) {
			s.tb.Fatal("the slot is still read")
		}
		s.Value("SELECT pg_sleep(0.02)")
	}
}

// A consumer that is slower than the server's patience is not cut off: reports go on
// while nobody calls Next, and while nothing more fits.
func TestSlowConsumerIsNotCutOff(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("waits for longer than the server does")
	}
	s := newServer(t, pgtest.New(t), `CREATE TABLE rows (id int PRIMARY KEY, v text)`)
	c := s.mustStart(0)
	s.Run("INSERT INTO rows SELECT i, repeat('x', 1000) FROM generate_series(1, 60000) i")
	s.mark("end")
	mustNext(t, c)
	s.Value("SELECT pg_sleep(14)") // the server's patience is 10 s
	got, _ := until(t, c, "end")
	if len(got) != 60_002 {
		t.Errorf("%d events after a rest, want 60,002", len(got))
	}
}

func TestSilentServerIsNoticed(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("waits until the silence is too long")
	}
	db := pgtest.New(t)
	s := newServer(t, db, `CREATE TABLE rows (id int PRIMARY KEY)`)
	proxy := pgtest.NewProxy(t, db.DSN)
	c, err := s.start(pgtest.Through(db.DSN, proxy.Address, ""), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.mark("first")
	until(t, c, "first")
	proxy.Hold()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := c.Next(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}

func TestServerThatEndsIsAnError(t *testing.T) {
	s := newServer(t, pgtest.New(t), `CREATE TABLE rows (id int PRIMARY KEY)`)
	c := s.mustStart(0)
	if _, err := s.start(s.DSN, 0); !replication.InUse(err) {
		t.Errorf("a second reader: %v", err)
	}
	s.Value("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1", s.Name)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var err error
	for err == nil { // what was said before it, as of transactions that hold nothing
		_, err = c.Next(ctx)
	}
	if pg.State(err) != "57P01" {
		t.Errorf("a walsender that was terminated: %v", err)
	}
}
