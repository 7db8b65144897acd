package daemon

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// shared has the ledger at dsn, to which each daemon comes by its name.
func (f *followed) shared(dsn string) (start func(name string, env ...string) *process) {
	f.tb.Helper()
	f.write("pictifyd.yaml", f.read("pictifyd.yaml")+"\nstore: { url: LEDGER, seal_key: an-old-tree-in-a-garden-of-64-yews }\n")
	yaml := f.read("pictifyd.yaml")
	return func(name string, env ...string) *process {
		f.tb.Helper()
		url := pgtest.With(dsn, "application_name", name)
		f.write("pictifyd.yaml", strings.Replace(yaml, "LEDGER", fmt.Sprintf("%q", url), 1))
		return f.site.start(append(env, childHaste+"=1")...)
	}
}

// walsenders is how many processes of the database's server tell of its changes.
func walsenders(tb testing.TB, r *replicated) (n int) {
	tb.Helper()
	if err := r.db.QueryRow(`SELECT count(*) FROM pg_replication_slots WHERE database = current_database() AND active`).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// The holder of a stream is frozen, and wakes when another one goes on with it: the
// late one commits nothing, and its walsender does not come back.
func TestFrozenHolderOfAStreamIsFollowed(t *testing.T) {
	t.Run("a table", func(t *testing.T) {
		t.Parallel()
		f, r := followTable(t, 12, "")
		freezeHolder(t, f)
		if n := walsenders(t, r); n != 1 {
			t.Errorf("%d walsenders tell of the table, want one", n)
		}
	})
	t.Run("a topic", func(t *testing.T) {
		t.Parallel()
		f, _ := followTopic(t, 12)
		freezeHolder(t, f)
	})
}

func freezeHolder(t *testing.T, f *followed) {
	t.Helper()
	ledger := newDatabase(t)
	start := f.shared(ledger)
	f.p = start("first")
	eventually(t, "all is drawn", func() bool { return f.p.ready("cards") == len(f.rows) })
	f.p.terminate() // there are tables now, and nobody who uses them
	wrote := noteWriters(t, ledger)
	late := start("late")
	f.p = late
	f.change(tableKey(6), "changed at first")
	f.agrees()
	next := start("next", childStand+"=1")
	if err := late.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	frozen := time.Now()
	f.change(tableKey(3), "changed meanwhile")
	f.change(tableKey(4), "")
	<-next.runs
	f.p = next
	want := f.draw("changed meanwhile")
	eventually(t, "the other one shows the change", func() bool { return next.picture("/b/cards/"+tableKey(3)+".png") == want })
	t.Logf("from the freeze to the other's image: %s", time.Since(frozen).Round(time.Millisecond))
	f.agrees()
	before := wrote("late")
	if err := late.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	late.mustEndLost()
	f.change(tableKey(5), "changed at last")
	f.agrees()
	if after := wrote("late"); after != before {
		t.Errorf("the late one committed %d changes", after-before)
	}
}

// From a commit that is made at the SIGSTOP of the holder of a stream until the one
// that stood by shows the new image.
func BenchmarkStreamTakeover(b *testing.B) {
	for _, kind := range []string{"Postgres", "Kafka"} {
		b.Run(kind, func(b *testing.B) {
			var f *followed
			if kind == "Kafka" {
				f, _ = followTopic(b, 12)
			} else {
				f, _ = followTable(b, 12, "")
			}
			start := f.shared(newDatabase(b))
			holder := start("holder")
			eventually(b, "all is drawn", func() bool { return holder.ready("cards") == 12 })
			var took []time.Duration
			for round := range 5 {
				next := start(fmt.Sprint("next", round), childStand+"=1")
				time.Sleep(5 * time.Second) // between two beats
				f.p = holder
				name := fmt.Sprint("Cup ", round)
				want := f.draw(name)
				if err := holder.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
					b.Fatal(err)
				}
				frozen := time.Now()
				f.change(tableKey(3), name)
				<-next.runs
				eventually(b, "the image", func() bool { return next.picture("/b/cards/"+tableKey(3)+".png") == want })
				took = append(took, time.Since(frozen))
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
		})
	}
}
