package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// opened is a store of its own over dsn, as a process has one.
func opened(tb testing.TB, dsn string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), Config{URL: dsn}, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // it may have lost its lock
	return s
}

// standsBy opens a store when it is its turn.
func standsBy(tb testing.TB, dsn string) <-chan *Store {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready := make(chan *Store, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		s, err := Open(ctx, Config{URL: dsn}, Options{Standby: func(error) {}})
		if err == nil {
			ready <- s
		} else if ctx.Err() == nil {
			tb.Errorf("standby: %v", err)
		}
		close(ready)
	})
	tb.Cleanup(func() {
		stop()
		wg.Wait()
		if s := <-ready; s != nil {
			_ = s.Close()
		}
	})
	return ready
}

// freeze ends the beats of a holder, as SIGSTOP does, and nothing else of it.
func freeze(s *Store) *holder {
	h := s.lock.(*holder)
	h.stop()
	<-h.ended
	return h
}

// mark writes n as a process that knows nothing of locks does.
func mark(ctx context.Context, db *sql.DB, n int64) error {
	_, err := db.ExecContext(ctx, fmt.Sprintf(`INSERT INTO marks VALUES (%d)`, n))
	return err
}

func slugged(err error, slug string) bool {
	for _, p := range problem.All(err) {
		if p.Slug == slug {
			return true
		}
	}
	return false
}

// The cure is reign: expel ends what an earlier holder has open, and admit refuses
// what it opens later. A holder that was frozen and wakes, or that never knew, writes
// over open connections, over new ones and in open transactions: once Open of the next
// has returned, nothing of that is committed.
func TestHolderWhoComesLateCommitsNothing(t *testing.T) {
	schema := pgtest.New(t)
	schema.Run("CREATE TABLE marks (n BIGINT)")
	late := opened(t, schema.DSN)
	rounds := 12
	if campaign.Leaves(t) {
		rounds = 4
	}
	for round := range rounds {
		next := takeOver(t, schema, late)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		late = next
	}
}

// takeOver has another one take the ledger of late while that writes as fast as it can.
func takeOver(t *testing.T, schema *pgtest.Schema, late *Store) (next *Store) {
	t.Helper()
	late.db.SetMaxIdleConns(2) // so that most writes are over connections that are new
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var tries, after atomic.Int64
	taken := make(chan struct{})
	for range 6 {
		wg.Go(func() {
			for ctx.Err() == nil {
				err := mark(ctx, late.db, tries.Add(1))
				select {
				case <-taken:
					if err == nil {
						t.Error("the late one wrote")
						return
					}
					after.Add(1)
				default:
				}
			}
		})
	}
	open, err := late.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.ExecContext(t.Context(), `INSERT INTO marks VALUES (-1)`); err != nil {
		t.Fatal(err)
	}
	for tries.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	freeze(late).drop()
	next = opened(t, schema.DSN)
	before := schema.Value("SELECT count(*) FROM marks")
	close(taken)
	for after.Load() < 20 && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	stop()
	wg.Wait()
	if err := open.Commit(); err == nil {
		t.Error("the late one committed what it had begun before")
	}
	if now := schema.Value("SELECT count(*) FROM marks"); now != before || before == "0" {
		t.Errorf("%s marks when the other one began, %s later", before, now)
	}
	if n := schema.Value("SELECT count(*) FROM marks WHERE n < 0"); n != "0" {
		t.Errorf("%s of the open transaction are there", n)
	}
	if err := late.lock.err(); !slugged(err, Lost) || !strings.Contains(err.Error(), "has taken over") || !strings.Contains(err.Error(), place()) {
		t.Errorf("the late one knows: %v", err)
	}
	if err := mark(t.Context(), next.db, 0); err != nil {
		t.Error(err)
	}
	return next
}

// Where the server says who waits for a connection that was asked for before the
// epoch was raised, and is answered later, it does so in admit.
func TestConnectionBetweenItsLockAndItsQuestionIsEnded(t *testing.T) {
	schema := pgtest.New(t)
	late := opened(t, schema.DSN)
	h := late.lock.(*holder)
	cfg, err := pgx.ParseConfig(schema.DSN)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := h.join(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	freeze(late).drop()
	opened(t, schema.DSN)
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a connection that was admitted before lives on")
	}
	again, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.admit(t.Context(), again); !slugged(err, Lost) {
		t.Errorf("one that comes later: %v", err)
	}
	if !again.IsClosed() {
		t.Error("it is open")
	}
}

func TestEveryConnectionHasItsEpoch(t *testing.T) {
	schema := pgtest.New(t)
	dsn := pgtest.With(schema.DSN, "application_name", schema.Name)
	s := opened(t, dsn)
	idle := func(context.Context, Turn) error { return nil }
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { // with River's
		if err := s.Run(ctx, Workers{Render: idle, Deliver: idle, Poll: idle, Plan: idle}, time.Second); err != nil {
			t.Error(err)
		}
	})
	for range 30 {
		if n := schema.Value(`SELECT count(*) FROM pg_stat_activity AS a WHERE application_name = $1 AND query LIKE '%river%'`, schema.Name); n != "0" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	all := schema.Value(`SELECT count(*) FROM pg_stat_activity AS a WHERE application_name = $1`, schema.Name)
	without := schema.Value(`SELECT count(*) FROM pg_stat_activity AS a WHERE application_name = $1
		AND query NOT IN ('', '-- ping') AND query NOT LIKE '%pg_advisory_lock_shared%' -- not one that is being made
		AND NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'advisory')`, schema.Name)
	stop()
	wg.Wait()
	if without != "0" {
		t.Errorf("%s of %s connections have no lock of an epoch", without, all)
	}
}

func TestFrozenHolderIsFollowedWithinTenSeconds(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	late := opened(t, schema.DSN)
	next := standsBy(t, schema.DSN)
	freeze(late)
	began := time.Now()
	if s, ok := <-next; !ok {
		t.Fatal("nobody follows")
	} else {
		defer s.Close()
	}
	took := time.Since(began)
	t.Logf("from the freeze to the other's ledger: %s", took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := late.Certain(); !slugged(err, Lost) {
		t.Errorf("the frozen one, as soon as it wakes: %v", err)
	}
	if err := late.lock.(*holder).beat(t.Context()); !slugged(err, Lost) || !strings.Contains(err.Error(), "has taken over") {
		t.Errorf("its first beat: %v", err)
	}
}

// A process that slept, as a machine does, with nobody who waited for its ledger.
func TestHolderThatSleptAloneGoesOn(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	s := opened(t, schema.DSN)
	h := freeze(s)
	lock := `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`
	until(t, "the server ends the session", func() bool { return schema.Value(lock, fmt.Sprint(h.pid)) == "0" })
	if err := s.Certain(); !slugged(err, Lost) {
		t.Errorf("before it has looked: %v", err)
	}
	if err := h.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Certain(); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), Config{URL: schema.DSN}, Options{}); !slugged(err, Locked) {
		t.Errorf("another one: %v", err)
	}
}

// A network that swallows what the server says: the holder stops before anybody
// else can have the ledger.
func TestHolderThatIsCutOffStopsBeforeAnotherBegins(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	proxy := pgtest.NewProxy(t, schema.DSN)
	late := opened(t, pgtest.Through(schema.DSN, proxy.Address, ""))
	next := standsBy(t, schema.DSN)
	proxy.Hold()
	began := time.Now()
	until(t, "it stops", func() bool { return late.Certain() != nil })
	stopped := time.Since(began)
	select {
	case <-next:
		t.Error("another one was in charge before")
	default:
	}
	<-late.lock.lost()
	if err := late.lock.err(); !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("it was lost: %v", err)
	}
	if s, ok := <-next; !ok {
		t.Fatal("nobody follows")
	} else {
		defer s.Close()
	}
	took := time.Since(began)
	t.Logf("it stopped after %s, the other one was in charge after %s", stopped.Round(time.Millisecond), took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	proxy.Up()
	if err := late.Ping(t.Context()); !slugged(err, Lost) {
		t.Errorf("of the one that was cut off: %v", err)
	}
}

func TestConnectionsThatAreCutAreMadeAgain(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	proxy := pgtest.NewProxy(t, schema.DSN)
	s := opened(t, pgtest.Through(schema.DSN, proxy.Address, ""))
	proxy.Cut()
	stays(t, s)
}

// The holder must notice, and have it again or end.
func TestLockWhoseSessionWasKilledIsTakenAgain(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	s := opened(t, schema.DSN)
	kill(t, schema)
	stays(t, s)
	if _, err := Open(t.Context(), Config{URL: schema.DSN}, Options{}); !slugged(err, Locked) {
		t.Errorf("another one got it: %v", err)
	}
}

// The network forgot the session of the lock, and the server has not noticed.
func TestLockWhoseSessionHangsIsTakenAgain(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	s := opened(t, schema.DSN)
	h := freeze(s)
	lost := h.conn // nobody closes it
	defer closeNow(lost)
	cfg, err := pgx.ParseConfig(schema.DSN)
	if err != nil {
		t.Fatal(err)
	}
	if h.conn, err = pgx.ConnectConfig(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	closeNow(h.conn)
	if err := h.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lost.Ping(t.Context()); err == nil {
		t.Error("the session that hung lives on")
	}
}

func TestDaemonWithoutItsLockStops(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	late := opened(t, schema.DSN)
	idle := func(context.Context, Turn) error { return nil }
	ended := make(chan error, 1)
	go func() {
		ended <- late.Run(t.Context(), Workers{Render: idle, Deliver: idle, Poll: idle, Plan: idle}, time.Minute)
	}()
	freeze(late).drop()
	opened(t, schema.DSN)
	if err := <-ended; !slugged(err, Lost) {
		t.Errorf("run ended with %v", err)
	}
	if late.left != nil {
		<-late.left // River tries to resign for some seconds
	}
}

func TestOneOfTwoThatStandByGetsTheLedger(t *testing.T) {
	t.Parallel()
	for kind, dsn := range map[string]string{"postgres": pgtest.New(t).DSN, "sqlite": "sqlite:" + t.TempDir() + "/ledger.db"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			first, err := Open(t.Context(), Config{URL: dsn}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			a, b := standsBy(t, dsn), standsBy(t, dsn)
			select {
			case <-a:
				t.Fatal("there are two")
			case <-b:
				t.Fatal("there are two")
			case <-time.After(3 * standbyLook):
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			var won *Store
			rest := b
			select {
			case won = <-a:
			case won = <-b:
				rest = a
			}
			select {
			case <-rest:
				t.Fatal("both won")
			case <-time.After(3 * standbyLook):
			}
			if err := won.Close(); err != nil {
				t.Fatal(err)
			}
			last := <-rest
			if last == nil {
				t.Fatal("the other one does not follow")
			}
			if err := last.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRestartOfTheServerIsOutlived(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*pgtest.Own){"stopped": (*pgtest.Own).Stop, "killed": (*pgtest.Own).Kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.NewServer(t)
			s := opened(t, server.DSN)
			next := standsBy(t, server.DSN)
			end(server)
			server.Start()
			// Whoever is first has it, and never both.
			var other *Store
			until(t, "one of them has it", func() bool {
				select {
				case other = <-next:
				default:
				}
				return other != nil || s.Certain() == nil && s.Ping(t.Context()) == nil
			})
			if other == nil {
				stays(t, s)
				return
			}
			defer other.Close()
			until(t, "the first one ends", func() bool { return s.Certain() != nil })
			stays(t, other)
		})
	}
}

func TestHolderWhoseServerStaysAwayEnds(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	s := opened(t, server.DSN)
	server.Stop()
	began := time.Now()
	<-s.lock.lost()
	if took := time.Since(began); took > lockPatience+beatEvery {
		t.Errorf("that took %s", took)
	}
	next := standsBy(t, server.DSN)
	server.Start()
	if s, ok := <-next; !ok {
		t.Error("nobody follows when it is back")
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Roles that may not end each other's sessions.
func TestRoleThatMayNotEndTheOtherIsTold(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	first, second := schema.Name+"_a", schema.Name+"_b"
	schema.Run(fmt.Sprintf("CREATE ROLE %[1]s LOGIN; CREATE ROLE %[2]s LOGIN; GRANT ALL ON SCHEMA %[3]s TO %[1]s, %[2]s", first, second, schema.Name))
	t.Cleanup(func() {
		schema.Run(fmt.Sprintf("DROP OWNED BY %[1]s CASCADE; DROP OWNED BY %[2]s CASCADE; DROP ROLE %[1]s; DROP ROLE %[2]s", first, second))
	})
	late := opened(t, pgtest.Through(schema.DSN, "", first))
	schema.Run(fmt.Sprintf("GRANT ALL ON ALL TABLES IN SCHEMA %s TO %s", schema.Name, second))
	freeze(late).drop()
	var err error
	for range 300 { // until the server has noticed that the late one is gone
		if _, err = Open(t.Context(), Config{URL: pgtest.Through(schema.DSN, "", second)}, Options{}); !slugged(err, Locked) || strings.Contains(err.Error(), "may not end") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !slugged(err, Locked) || !strings.Contains(err.Error(), "may not end") || !strings.Contains(err.Error(), "pg_signal_backend") {
		t.Errorf("it was told %v", err)
	}
	schema.Run("GRANT pg_signal_backend TO " + second)
	opened(t, pgtest.Through(schema.DSN, "", second))
}

func TestStandbyWaitsForAServerAndNotForAPassword(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	looks := 0
	ctx, stop := context.WithCancel(t.Context())
	_, err := Open(ctx, Config{URL: "postgres://nobody@127.0.0.1:1/postgres"}, Options{Standby: func(err error) {
		if looks++; looks == 2 {
			stop()
		}
		if !slugged(err, Away) {
			t.Errorf("it waits for %v", err)
		}
	}})
	if err == nil || looks != 2 {
		t.Errorf("opened: %v after %d looks", err, looks)
	}
	_, err = Open(t.Context(), Config{URL: pgtest.Through(server, "", "no_such_role")}, Options{Standby: func(err error) { t.Errorf("it waits for %v", err) }})
	if problem.CodeOf(err) != problem.Surroundings || slugged(err, Away) {
		t.Errorf("a wrong user: %v", err)
	}
}

// stays checks that s has the ledger, or has it again, and writes.
func stays(tb testing.TB, s *Store) {
	tb.Helper()
	time.Sleep(100 * time.Millisecond) // what was cut has to be noticed
	until(tb, "it has its lock", func() bool { return s.Certain() == nil })
	until(tb, "it writes", func() bool {
		_, err := s.Setting(tb.Context(), "x", func() (string, error) { return "y", nil })
		return err == nil
	})
	if err := s.lock.err(); err != nil {
		tb.Error(err)
	}
}

// kill ends the session that has the ledger's lock.
func kill(tb testing.TB, schema *pgtest.Schema) {
	tb.Helper()
	if got := schema.Value(`SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks AS l WHERE ` + locksOf(`'pictifyd'`) +
		` AND l.objid::bigint = hashtext(current_schema())::bigint & 4294967295`); got != "t" {
		tb.Fatalf("the session of the lock was not ended: %q", got)
	}
}

func until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			tb.Fatalf("it never came to: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// How long it takes from the freeze of a holder to the other one's open ledger. The
// freeze comes at no particular moment between two beats.
func BenchmarkTakeover(b *testing.B) {
	schema := pgtest.New(b)
	s, err := Open(b.Context(), Config{URL: schema.DSN}, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		next := standsBy(b, schema.DSN)
		time.Sleep(time.Duration(time.Now().UnixNano()) % beatEvery)
		freeze(s)
		late := s
		began := time.Now()
		s = <-next
		b.ReportMetric(time.Since(began).Seconds(), "s")
		_ = late.Close()
	}
}
