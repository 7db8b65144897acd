package daemon

import (
	"fmt"
	"strings"
	"testing"
)

// A streamKill is a moment at which a daemon is killed: when it passes a point for the
// n-th time, while it reads all rows as they stand or while it hears of changes.
type streamKill struct {
	point   string
	n       int
	reading bool
}

func (k streamKill) String() string {
	when := "told"
	if k.reading {
		when = "read"
	}
	return fmt.Sprint(strings.Replace(k.point, "committed", "in", 1), " ", when, k.n)
}

// dies kills a daemon at a moment, changes rows while it is dead, and starts it again.
// Nothing is lost, and what the ledger had of pictures is not drawn again.
func (k streamKill) dies(t *testing.T, f *followed) {
	t.Helper()
	crash := fmt.Sprint(k.point, ":", k.n)
	if k.reading {
		f.begin(crash)
		f.p.mustDie(k.point)
	} else {
		f.begin("")
		eventually(t, "all is drawn", func() bool { return f.p.ready("cards") == len(f.rows) })
		if code := f.p.terminate(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		f.begin(crash)
		f.changeUntilDead(k.point)
	}
	f.change(tableKey(1), "changed meanwhile")
	f.change(tableKey(2), "")
	f.change("NEW", "made meanwhile")
	before, recorded := len(f.drawn()), f.recorded()
	known := 0
	for _, hash := range f.drawn() {
		if recorded[hash] {
			known++
		}
	}
	if !k.reading && known == 0 {
		t.Fatal("the test does not know what was recorded")
	}
	f.begin("")
	f.agrees()
	if f.p.picture("/b/cards/"+tableKey(2)+".png") != "" {
		t.Error("a row that was deleted meanwhile has its image")
	}
	for _, hash := range f.drawn()[before:] {
		if recorded[hash] {
			t.Errorf("a picture that was recorded is drawn again: %s", hash)
		}
	}
	if code := f.p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTableSurvivesKillAt(t *testing.T) {
	for _, k := range []streamKill{
		{"plan.committed", 1, true}, {"plan.committed", 2, true}, {"plan.committed", 2, false},
		{"closing.tx", 1, true}, {"closing.tx", 2, true}, {"closing.tx", 2, false},
		{"stream.committed", 1, true}, {"stream.committed", 2, true}, {"stream.committed", 3, true},
		{"stream.committed", 1, false}, {"stream.committed", 5, false},
	} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			rows := 60
			if k.reading {
				rows = 700 // more than the first chunk has
			}
			f, _ := followTable(t, rows, "")
			k.dies(t, f)
		})
	}
}

func TestTopicSurvivesKillAt(t *testing.T) {
	for _, k := range []streamKill{
		{"plan.committed", 1, true}, {"plan.committed", 2, false},
		{"closing.tx", 1, true}, {"closing.tx", 2, false},
		{"stream.committed", 1, true}, {"stream.committed", 2, true}, {"stream.committed", 1, false}, {"stream.committed", 5, false},
	} {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			f, _ := followTopic(t, 60)
			k.dies(t, f)
		})
	}
}

// Killed between a slot that was dropped and its note: it is dropped again, which
// changes nothing, and a binding that comes back reads all rows anew.
func TestReleaseOfASlotSurvivesAKill(t *testing.T) {
	t.Parallel()
	f, r := followTable(t, 20, "")
	f.begin("")
	eventually(t, "all is drawn", func() bool { return f.p.ready("cards") == 20 })
	if code := f.p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	with := f.read("pictifyd.yaml")
	f.write("pictifyd.yaml", chromeFor("")+"\nserver: { listen: \"127.0.0.1:0\" }\ntemplates: templates\n")
	f.begin("stream.released:1")
	f.p.mustDie("stream.released")
	kept := func() (n int) {
		if err := r.db.QueryRow(`SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()) + (SELECT count(*) FROM pg_publication)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := kept(); n != 0 || f.count(t, "stream_holds") != 1 {
		t.Fatalf("%d are kept at the server, and %d are noted", n, f.count(t, "stream_holds"))
	}
	f.change(tableKey(1), "changed meanwhile")
	f.change(tableKey(2), "")
	f.begin("")
	eventually(t, "it is noted", func() bool { return f.count(t, "stream_holds") == 0 })
	f.p.terminate()
	f.write("pictifyd.yaml", with)
	f.begin("")
	f.agrees()
	if n := kept(); n != 2 || f.count(t, "stream_holds") != 1 {
		t.Errorf("%d are kept at the server, and %d are noted", n, f.count(t, "stream_holds"))
	}
}
