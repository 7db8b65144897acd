package daemon

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
)

// kept is what is kept out of the tape.
func (t *taped) kept() []bindings.KeptOut {
	t.site.tb.Helper()
	all, err := t.d.store.KeptOutPage(t.site.tb.Context(), "shop", bindings.KeptOut{}, 100)
	if err != nil {
		t.site.tb.Fatal(err)
	}
	return all
}

func (t *taped) replays(body string, want string) {
	t.site.tb.Helper()
	var got, wanted map[string]any
	if err := json.Unmarshal([]byte(t.mustSend(200, "POST", "/sources/shop/quarantine/replay", body)), &got); err != nil {
		t.site.tb.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.site.tb.Fatal(err)
	}
	wanted["source"] = "shop"
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		t.site.tb.Errorf("replay %s answered %v, want %v", body, got, wanted)
	}
}

func (t *taped) poisons(keys map[string]bool) {
	t.tape.do(func() {
		for key, poison := range keys {
			t.tape.poison[key] = poison
		}
	})
}

// P19: what could not become a row is kept out alone, the rest goes on, and once it is
// mended ReplayKeptOut takes it as of when it came.
func TestPoisonOfAStreamIsReplayed(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 2 })
	s.poisons(map[string]bool{"A": true, "C": true})
	s.tape.set("A", "Cup A")
	s.tape.set("C", "Cup C")
	s.tape.set("B", "Cup B")
	s.shows("B", "Cup B")
	eventually(t, "two are kept out", func() bool { return len(s.kept()) == 2 })
	if s.name("A") != "Mug A" {
		t.Errorf("A shows %q, want it as it was", s.name("A"))
	}
	s.replays("", `{"replayed":0,"stale":0,"stillBroken":2}`)
	if k := s.kept(); k[0].Tries != 1 || k[0].Detail != "still no name" || k[0].TriedAt.IsZero() {
		t.Errorf("after a try in vain it is %+v", k[0])
	}
	s.poisons(map[string]bool{"A": false})
	s.replays(fmt.Sprintf(`{"positions":[%q]}`, s.kept()[0].Position), `{"replayed":1,"stale":0,"stillBroken":0}`)
	s.shows("A", "Cup A")
	s.poisons(map[string]bool{"C": false})
	s.replays("", `{"replayed":1,"stale":0,"stillBroken":0}`)
	s.shows("C", "Cup C")
	if k := s.kept(); len(k) != 0 {
		t.Errorf("kept out are still %+v", k)
	}
	s.tape.set("C", "Bowl C") // what comes next is newer than what was replayed
	s.shows("C", "Bowl C")
}

// A row that comes as it is stored is newer than what was kept out of it before.
func TestRowThatIsAsBeforeEndsItsPoison(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 2 })
	s.poisons(map[string]bool{"A": true})
	s.tape.set("A", "Cup A")
	eventually(t, "it is kept out", func() bool { return len(s.kept()) == 1 })
	s.poisons(map[string]bool{"A": false})
	s.tape.set("A", "Mug A")
	eventually(t, "it is kept out no more", func() bool { return len(s.kept()) == 0 })
	s.replays("", `{"replayed":0,"stale":0,"stillBroken":0}`)
}

// Of what has no key nobody knows which row it is: whatever comes of any row
// meanwhile, be it as it was or a deletion, is newer than what is replayed.
func TestReplayNeverReplacesANewerState(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B", "C")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 3 })
	s.tape.do(func() { s.tape.keyless = true })
	s.poisons(map[string]bool{"A": true, "B": true, "C": true, "D": true})
	for _, key := range []string{"A", "B", "C", "D"} {
		s.tape.set(key, "old "+key)
	}
	eventually(t, "all are kept out", func() bool { return len(s.kept()) == 4 })
	s.poisons(map[string]bool{"A": false, "B": false, "C": false, "D": false})
	s.tape.set("A", "Mug A") // as it is stored
	s.tape.set("B", "new B")
	s.tape.set("D", "") // is not known
	s.tape.set("E", "last")
	s.shows("B", "new B")
	s.shows("E", "last")
	s.replays("", `{"replayed":1,"stale":3,"stillBroken":0}`)
	s.shows("C", "old C")
	if s.name("A") != "Mug A" || s.name("B") != "new B" || s.name("D") != "" {
		t.Errorf("A shows %q, B %q, D %q", s.name("A"), s.name("B"), s.name("D"))
	}
}

func TestResnapshotOverTheAPI(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 2 })
	drawn := s.null.Count()
	s.tape.do(func() { delete(s.tape.rows, "A"); s.tape.rows["B"] = "Cup B" }) // nobody told of it
	s.mustSend(202, "POST", "/sources/shop/resnapshot", "")
	s.shows("B", "Cup B")
	eventually(t, "A is gone", func() bool { return s.picture("/b/cards/A.png") == "" })
	if n := s.null.Count() - drawn; n != 1 {
		t.Errorf("%d pictures were drawn for one that is new", n)
	}
	var v struct {
		Source struct{ Stream *struct{ Phase string } }
	}
	eventually(t, "it streams", func() bool {
		s.get("/sources/shop", &v)
		return v.Source.Stream != nil && v.Source.Stream.Phase == "streaming"
	})
}
