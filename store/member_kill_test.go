package store

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// memberEnv has this test binary be a member of the ledger that it names.
const memberEnv = "PICTIFYD_TEST_MEMBER"

// BeMember is the process of a member that tests freeze and kill. It claims renders,
// says so, and ends them when it is told to. Then it tries whatever it can to write.
func BeMember() {
	url := os.Getenv(memberEnv)
	if url == "" {
		return
	}
	said := bufio.NewReader(os.Stdin)
	ctx := context.Background()
	s, err := Open(ctx, Config{URL: url}, Options{Member: true, Roles: []string{"render"}, Standby: func(error) {}})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	var open *sql.Tx
	err = s.Run(ctx, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		claims, err := s.ClaimRenders(ctx, turn, 100)
		if err != nil || len(claims) == 0 {
			return err
		}
		if open, err = s.db.BeginTx(context.Background(), nil); err == nil {
			err = mark(ctx, s.db, 1)
		}
		if err == nil {
			_, err = open.ExecContext(ctx, `INSERT INTO marks VALUES (2)`)
		}
		fmt.Println("claimed", len(claims), err)
		_, _ = said.ReadString('\n')
		var done []Rendered
		for _, c := range claims {
			done = append(done, Rendered{Fingerprint: c.Fingerprint, Hash: "late", Ext: "png"})
		}
		err = s.FinishRenders(context.WithoutCancel(ctx), turn, done, true)
		fmt.Println("finished:", err != nil)
		return err
	}}, time.Second)
	for range 20 { // over connections that were open, and new ones
		if mark(ctx, s.db, 3) == nil {
			fmt.Println("wrote")
		}
	}
	if open != nil && open.Commit() == nil {
		fmt.Println("committed")
	}
	fmt.Println("ended:", strings.ReplaceAll(fmt.Sprint(err), "\n", " "))
	_ = s.Close()
	os.Exit(0)
}

// A guest is a member in a process of its own.
type guest struct {
	tb    testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func guestOf(tb testing.TB, dsn string) *guest {
	tb.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), memberEnv+"="+dsn)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	g := &guest{tb: tb, cmd: cmd, in: in, lines: bufio.NewScanner(out)}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return g
}

func (g *guest) line() string {
	g.tb.Helper()
	if !g.lines.Scan() {
		g.tb.Fatal("the member says no more")
	}
	return g.lines.Text()
}

func (g *guest) signal(s syscall.Signal) {
	g.tb.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		g.tb.Fatal(err)
	}
}

// A member is killed, or frozen, with renders in its hands: another one draws them. The
// one that wakes commits nothing, and ends.
func TestRendersOfADeadMemberAreDrawnByAnother(t *testing.T) {
	for name, end := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "frozen": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema := pgtest.New(t)
			schema.Run("CREATE TABLE marks (n BIGINT)")
			holder := opened(t, schema.DSN)
			heard(t, holder)
			works(t, holder, Workers{})
			wantMany(t, holder, 4)
			late := guestOf(t, schema.DSN)
			if said := late.line(); said != "claimed 4 <nil>" {
				t.Fatalf("the member says: %s", said)
			}
			late.signal(end)
			began := time.Now()
			other := joins(t, schema.DSN, Options{})
			var d drawing
			works(t, other, Workers{Slots: 1, Render: d.draws(other, 100, nil)})
			until(t, "another one draws them", func() bool { return counters(t, holder).RendersDone == 4 })
			t.Logf("%s: drawn by another after %s", name, time.Since(began).Round(time.Millisecond))
			if len(places(t, holder)) != 2 {
				t.Errorf("members are %v", places(t, holder))
			}
			if end == syscall.SIGSTOP {
				late.signal(syscall.SIGCONT)
				if _, err := fmt.Fprintln(late.in, "go on"); err != nil {
					t.Fatal(err)
				}
				for {
					said := late.line()
					if said == "wrote" || said == "committed" || said == "finished: false" {
						t.Errorf("the one that woke says: %s", said)
					}
					if ended, ok := strings.CutPrefix(said, "ended: "); ok {
						if !strings.Contains(ended, "the store's lock was lost") {
							t.Errorf("its run ended with %s", ended)
						}
						break
					}
				}
			}
			if n := schema.Value(`SELECT count(*) FROM marks`); n != "1" {
				t.Errorf("there are %s marks", n)
			}
			if n := schema.Value(`SELECT count(*) FROM renders WHERE hash = $1`, "of "+other.self.ID); n != "4" {
				t.Errorf("%s pictures are the other one's", n)
			}
			if c := counters(t, holder); c.DeliveriesWaiting != 4 || c.RendersClaimed != 0 {
				t.Errorf("in the end there are %+v", c)
			}
		})
	}
}

// stop ends the beats of a member, as SIGSTOP does, and nothing else of it.
func silence(s *Store) *member {
	m := s.lock.(*member)
	m.stop()
	<-m.ended
	return m
}

// The cure is expelGuests: once what a silent member had is put back, nothing is committed
// of what it writes over open connections, over new ones and in open transactions.
func TestMemberWhoComesLateCommitsNothing(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	schema.Run("CREATE TABLE marks (n BIGINT)")
	holder := opened(t, schema.DSN)
	works(t, holder, Workers{})
	rounds := 6
	if campaign.Leaves(t) {
		rounds = 2
	}
	for round := range rounds {
		putsOut(t, schema, holder)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// putsOut has a member put out while it writes as fast as it can.
func putsOut(t *testing.T, schema *pgtest.Schema, holder *Store) {
	t.Helper()
	wantMany(t, holder, 3)
	late := joins(t, schema.DSN, Options{})
	has, proceed := make(chan struct{}, 10), make(chan struct{})
	defer close(proceed)
	works(t, late, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		claims, err := late.ClaimRenders(ctx, turn, 10)
		if err == nil && len(claims) > 0 {
			has <- struct{}{}
			<-proceed
		}
		return err
	}})
	<-has
	late.db.SetMaxIdleConns(2) // so that most writes are over connections that are new
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var tries, after atomic.Int64
	out := make(chan struct{})
	for range 6 {
		wg.Go(func() {
			for ctx.Err() == nil {
				err := mark(ctx, late.db, tries.Add(1))
				select {
				case <-out:
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
	until(t, "it writes", func() bool { return tries.Load() >= 50 })
	silence(late).drop()
	until(t, "what it had is put back", func() bool { return counters(t, holder).RendersWaiting == 3 })
	before := schema.Value("SELECT count(*) FROM marks")
	close(out)
	until(t, "it tries on", func() bool { return after.Load() >= 20 || t.Failed() })
	stop()
	wg.Wait()
	if err := open.Commit(); err == nil {
		t.Error("the late one committed what it had begun before")
	}
	if now := schema.Value("SELECT count(*) FROM marks"); now != before || before == "0" {
		t.Errorf("%s marks when it was put out, %s later", before, now)
	}
	if err := late.lock.err(); !slugged(err, Lost) {
		t.Errorf("the late one knows: %v", err)
	}
	claimedByNobody(t, holder)
}

// claimedByNobody has what waits be drawn, for the next round.
func claimedByNobody(t *testing.T, s *Store) {
	t.Helper()
	const turn = 2_000_000
	finishes(t, s, turn, claimed(t, s, turn))
	if err := s.write(t.Context(), func(ctx context.Context, t *tx) error {
		for _, table := range []string{"images", "items", "renders"} {
			if _, err := t.exec(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A network that swallows what the server says: the member stops before what it has is
// given to others.
func TestMemberThatIsCutOffStopsBeforeItIsPutOut(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	proxy := pgtest.NewProxy(t, schema.DSN)
	holder := opened(t, schema.DSN)
	works(t, holder, Workers{})
	wantMany(t, holder, 2)
	late := joins(t, pgtest.Through(schema.DSN, proxy.Address, ""), Options{})
	has := make(chan struct{}, 10)
	finished := make(chan error, 1)
	works(t, late, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		claims, err := late.ClaimRenders(ctx, turn, 10)
		if err != nil || len(claims) == 0 {
			return err
		}
		has <- struct{}{}
		<-late.lock.lost()
		var done []Rendered
		for _, c := range claims {
			done = append(done, Rendered{Fingerprint: c.Fingerprint, Hash: "late", Ext: "png"})
		}
		err = late.FinishRenders(context.WithoutCancel(ctx), turn, done, true)
		finished <- err
		return err
	}})
	<-has
	proxy.Hold()
	began := time.Now()
	until(t, "it stops", func() bool { return late.Certain() != nil })
	stopped := time.Since(began)
	if c := counters(t, holder); c.RendersClaimed != 2 {
		t.Errorf("what it has was given away before: %+v", c)
	}
	until(t, "what it has is put back", func() bool { return counters(t, holder).RendersWaiting == 2 })
	t.Logf("it stopped after %s, its renders waited again after %s", stopped.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	proxy.Up()
	if err := <-finished; err == nil {
		t.Error("the one that was cut off ended its renders")
	}
	if err := late.Ping(t.Context()); !slugged(err, Lost) {
		t.Errorf("of the one that was cut off: %v", err)
	}
	if n := schema.Value(`SELECT count(*) FROM renders WHERE hash = 'late'`); n != "0" {
		t.Errorf("%s pictures are the late one's", n)
	}
}

// Its session broke, or was killed: the member goes on, or, on a machine so busy that it came
// too late, ends.
func TestMemberWhoseSessionWasKilledStaysOrKnowsThatItIsOut(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	works(t, holder, Workers{})
	s := joins(t, schema.DSN, Options{})
	if got := schema.Value(`SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks AS l WHERE ` + locksOf(memberClass)); got != "t" {
		t.Fatalf("the session of the member's lock was not ended: %q", got)
	}
	// It has its lock again, or its place was taken while nobody had it.
	until(t, "it knows", func() bool { return s.lock.err() != nil || s.Certain() == nil && len(places(t, holder)) == 2 })
	if err := s.lock.err(); err != nil {
		if !slugged(err, Lost) || len(places(t, holder)) != 1 {
			t.Errorf("it was put out: %v", err)
		}
		return
	}
	until(t, "it writes", func() bool {
		_, err := s.Setting(t.Context(), "x", func() (string, error) { return "y", nil })
		return err == nil
	})
}
