package daemon

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// startOn starts a daemon whose ledger is at dsn, and whose connections are named.
func (s *site) startOn(dsn, name, yaml string, env ...string) *process {
	s.tb.Helper()
	s.write("pictifyd.yaml", chromeFor(yaml)+`
server: { listen: "127.0.0.1:0" }
egress: { allow: ["127.0.0.1"] }
templates: templates
`+fmt.Sprintf("store: { url: %q }\n", pgtest.With(dsn, "application_name", name))+strings.ReplaceAll(yaml, "RECEIVER", s.receiver.server.URL))
	return s.start(env...)
}

// noteWriters has the ledger note the name of each connection that commits a change.
func noteWriters(tb testing.TB, dsn string) (count func(name string) int) {
	tb.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE wrote (name TEXT, at TIMESTAMPTZ);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO wrote VALUES (current_setting('application_name'), clock_timestamp()); RETURN NULL; END $$;
		DO $$ DECLARE t regclass; BEGIN
			FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname <> 'wrote' LOOP
				EXECUTE format('CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON %s EXECUTE FUNCTION note()', t);
			END LOOP;
		END $$`); err != nil {
		tb.Fatal(err)
	}
	return func(name string) (n int) {
		tb.Helper()
		if err := db.QueryRow(`SELECT count(*) FROM wrote WHERE name = $1`, name).Scan(&n); err != nil {
			tb.Fatal(err)
		}
		return n
	}
}

// mustEndLost waits until a daemon has ended because another one has its ledger.
func (p *process) mustEndLost() {
	p.tb.Helper()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.tb.Fatalf("the late daemon goes on\n%s", p.log.String())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.log.String(), "the store's lock was lost") {
		p.tb.Errorf("the late daemon ended with %v\n%s", p.cmd.ProcessState, p.log.String())
	}
}

// state is that of a process, as the kernel has it: T is stopped.
func (p *process) state() string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[:1]
}

// frozen waits until the daemon has stopped itself.
func (p *process) frozen() {
	p.tb.Helper()
	eventually(p.tb, "it is frozen", func() bool { return p.state() == "T" })
}

// A daemon is frozen between two durable steps, or inside one, and wakes when another
// one has made everything. It commits nothing, sends nothing twice under another id,
// and ends.
func TestFrozenDaemonIsFollowedAndCommitsNothing(t *testing.T) {
	for _, point := range []string{"closing.tx", "renders.claimed", "delivery.claimed", "delivery.finish"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dsn := newDatabase(t)
			s := newSite(t, "store: {}\n")
			const rows = 12 // fewer than the guard looks at
			s.write("rows.csv", csvRows(rows, "one"))
			s.startOn(dsn, "first", "").terminate() // there are tables now
			wrote := noteWriters(t, dsn)
			late := s.startOn(dsn, "late", catalogWithHook, childFreeze+"="+point+":1")
			late.frozen()
			frozen := time.Now()
			next := s.startOn(dsn, "next", catalogWithHook, childStand+"=1")
			s.write("rows.csv", csvRows(rows, "two"))
			<-next.runs
			inCharge := time.Since(frozen)
			eventually(t, "the other one commits", func() bool { return wrote("next") > 0 })
			t.Logf("from the freeze to the other's first commit: %s, to its requests: %s", time.Since(frozen).Round(time.Millisecond), inCharge.Round(time.Millisecond))
			if inCharge > 30*time.Second { // ten on a machine that is not busy
				t.Errorf("it took %s", inCharge)
			}
			eventually(t, "all images are made", func() bool { return next.ready("cards") == rows })
			eventually(t, "everybody is told", func() bool { return len(s.receiver.lastGenerations(t)) == rows && next.owes("hook") == 0 })
			s.receiver.mustRest(t, next)

			before, told := wrote("late"), len(s.receiver.all(""))
			if err := late.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			late.mustEndLost()
			if !strings.Contains(late.log.String(), "another pictifyd (pid") {
				t.Errorf("the late one does not say who has its ledger:\n%s", late.log.String())
			}
			if after := wrote("late"); after != before {
				t.Errorf("the late one committed %d changes", after-before)
			}
			// What it had begun to send when it was frozen may come, under the same id.
			if more := len(s.receiver.all("")) - told; more > leastFlights {
				t.Errorf("%d deliveries came from the late one", more)
			}
			s.receiver.lastGenerations(t)
			if n := next.ready("cards"); n != rows {
				t.Errorf("%d images are ready, want %d", n, rows)
			}
		})
	}
}

// mustRest waits until nothing has been told for a while.
func (r *receiver) mustRest(t *testing.T, p *process) {
	t.Helper()
	heard, since := 0, time.Now()
	eventually(t, "nothing is told any more", func() bool {
		if n := len(r.all("")); n != heard || p.owes("hook") > 0 {
			heard, since = n, time.Now()
		}
		return time.Since(since) > 2*time.Second
	})
}

// A network that swallows all that the ledger's server says.
func TestDaemonThatIsCutOffEndsAndIsFollowed(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	proxy := pgtest.NewProxy(t, dsn)
	s := newSite(t, "store: {}\n")
	const rows = 12 // fewer than the guard looks at
	s.write("rows.csv", csvRows(rows, "one"))
	late := s.startOn(pgtest.Through(dsn, proxy.Address, ""), "late", catalogWithHook)
	eventually(t, "all images", func() bool { return late.ready("cards") == rows })
	wrote := noteWriters(t, dsn)
	next := s.startOn(dsn, "next", catalogWithHook, childStand+"=1")
	proxy.Hold()
	s.write("rows.csv", csvRows(rows, "two"))
	cut := time.Now()
	<-next.runs
	t.Logf("from the cut to the other's requests: %s", time.Since(cut).Round(time.Millisecond))
	before := wrote("late")
	late.mustEndLost()
	t.Logf("the one that was cut off ended after %s", time.Since(cut).Round(time.Millisecond))
	eventually(t, "the new rows are drawn", func() bool {
		generations := s.receiver.lastGenerations(t)
		return len(generations) == rows && generations["SKU-003"] == 2
	})
	if after := wrote("late"); after != before {
		t.Errorf("the one that was cut off committed %d changes", after-before)
	}
}

func TestOneOfTwoDaemonsWorksAfterFaultsOfTheLedger(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	s := newSite(t, "store: {}\n")
	const rows = 12 // fewer than the guard looks at
	s.write("rows.csv", csvRows(rows, "0"))
	a := s.startOn(server.DSN, "a", catalogWithHook, childStand+"=1")
	eventually(t, "all images", func() bool { return a.ready("cards") == rows && a.owes("hook") == 0 })
	b := s.startOn(server.DSN, "b", catalogWithHook, childStand+"=1")
	both := []*process{a, b}
	// One that lost its ledger is started again, as a supervisor does it.
	again := func() {
		for i, p := range both {
			select {
			case <-p.done:
				p.mustEndLost()
				both[i] = s.startOn(server.DSN, fmt.Sprint("again", i), catalogWithHook, childStand+"=1")
			default:
			}
		}
	}
	working := func() *process {
		again()
		able := slices.DeleteFunc(slices.Clone(both), func(p *process) bool { return p.status("/readyz") != http.StatusOK })
		if len(able) == 2 {
			t.Error("both of them work")
		}
		if len(able) == 0 {
			return nil
		}
		return able[0]
	}
	for n, fault := range []func(){
		func() { server.Stop(); server.Start() },
		func() { server.Kill(); server.Start() },
		func() { killLock(t, server.DSN) },
		func() { killLock(t, server.DSN); server.Stop(); server.Start(); killLock(t, server.DSN) },
	} {
		fault()
		word := fmt.Sprint(n + 1)
		s.write("rows.csv", csvRows(rows, word))
		eventually(t, "one of them works", func() bool { return working() != nil })
		eventually(t, "all rows are drawn as they are", func() bool {
			generations := s.receiver.lastGenerations(t)
			for _, g := range generations {
				if g != int64(n+2) {
					working()
					return false
				}
			}
			return len(generations) == rows && working() != nil
		})
		if t.Failed() {
			return
		}
	}
}

// status is of the answer to a path, 0 where there is none.
func (p *process) status(path string) int {
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get(p.url + path)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// killLock ends the session that has the lock of a ledger.
func killLock(tb testing.TB, dsn string) {
	tb.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted`); err != nil {
		tb.Error(err)
	}
}

// With SQLite it is the end of the holder's process that lets the next one in.
func TestStandbyWithSQLiteFollowsAKill(t *testing.T) {
	s := newSite(t, catalogWithHook)
	const rows = 12
	s.write("rows.csv", csvRows(rows, "one"))
	first := s.start()
	eventually(t, "all images", func() bool { return first.ready("cards") == rows })
	next := s.start(childStand + "=1")
	var ready struct {
		Status     string
		WaitingFor []string
	}
	if status := next.get("/readyz", &ready); status != http.StatusServiceUnavailable || ready.Status != "standby" || len(ready.WaitingFor) != 1 {
		t.Errorf("/readyz is %d %+v", status, ready)
	}
	if status := next.status("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz is %d", status)
	}
	var refused struct{ Code string }
	if status := next.get("/bindings", &refused); status != http.StatusServiceUnavailable || refused.Code != "standing_by" {
		t.Errorf("/bindings is %d %+v", status, refused)
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-next.runs
	eventually(t, "it works", func() bool { return next.status("/readyz") == http.StatusOK })
	if n := next.ready("cards"); n != rows {
		t.Errorf("it has %d images, want %d", n, rows)
	}
	for _, line := range []string{"pictifyd stands by", "pictifyd takes over"} {
		if n := strings.Count(next.log.String(), line); n != 1 {
			t.Errorf("the log says %d times: %s", n, line)
		}
	}
	if code := next.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStandbyEndsAtASignal(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(3, "one"))
	s.start()
	if code := s.start(childStand + "=1").terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// From the SIGSTOP of a daemon, at any moment between two beats, to the first commit
// of the one that stood by, with the real Chrome: ten times.
func BenchmarkTakeover(b *testing.B) {
	dsn := newDatabase(b)
	s := newSite(b, "store: {}\n")
	s.write("rows.csv", csvRows(12, "one"))
	s.startOn(dsn, "first", "").terminate()
	wrote := noteWriters(b, dsn)
	holder := s.startOn(dsn, "holder", catalogWithHook, childChrome+"=1")
	<-holder.runs
	var took []time.Duration
	for round := range 10 {
		name := fmt.Sprint("next", round)
		next := s.startOn(dsn, name, catalogWithHook, childChrome+"=1", childStand+"=1")
		time.Sleep(4*time.Second + rand.N(2*time.Second))
		if err := holder.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			b.Fatal(err)
		}
		frozen := time.Now()
		eventually(b, "the other one commits", func() bool { return wrote(name) > 0 })
		took = append(took, time.Since(frozen))
		<-next.runs
		if err := holder.cmd.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		<-holder.done
		holder = next
	}
	slices.Sort(took)
	b.Logf("takeovers, sorted: %v", took)
	b.ReportMetric(took[len(took)/2].Seconds(), "s-median")
	b.ReportMetric(took[len(took)-1].Seconds(), "s-max")
	b.ReportMetric(0, "ns/op")
}
