package daemon

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sender of a call that was killed sends it again, with the same id, and it
// has its effect once.
func TestCallSurvivesKillAt(t *testing.T) {
	for _, c := range []struct {
		point, again string
	}{
		{"closing.tx", "accepted"}, // it was never committed
		{"plan.committed", "duplicate"},
		{"hook.committed", "duplicate"}, // its answer was never sent
	} {
		t.Run(c.point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, crmSite)
			p := s.start(childCrash + "=" + c.point + ":1")
			body := records(record("a", "Ada"))
			if code, answer, err := p.tell("crm", "msg_1", body); err == nil {
				t.Fatalf("it answered %d %+v", code, answer)
			}
			p.mustDie(c.point)

			p = s.start()
			p.mustTell("crm", "msg_1", body, c.again)
			p.mustTell("crm", "msg_1", body, "duplicate")
			eventually(t, "the card", func() bool { return p.ready("cards") == 1 && len(s.receiver.all("render.completed")) > 0 })
			p.mustTell("crm", "msg_2", records(record("b", "Bob")), "accepted")
			eventually(t, "the next card", func() bool { return p.ready("cards") == 2 })
			if code := p.get("/b/cards/a.png", nil); code != http.StatusOK {
				t.Errorf("the card of a: %d", code)
			}
			if last := s.receiver.lastGenerations(t); last["a"] != 1 {
				t.Errorf("generations are %v, want a drawn once", last)
			}
		})
	}
}

// On a full disk nothing is taken, and nothing is said to be.
func TestCallsToAFullDiskAreToComeAgain(t *testing.T) {
	s := newSite(t, "\nkeep: { min_free: 0 }"+crmSite)
	p := s.start(childDisk + "=6m")
	p.mustTell("crm", "msg_1", records(record("a", "Ada")), "accepted")
	eventually(t, "the card", func() bool { return p.ready("cards") == 1 })

	filler := filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "root", s.dir, "data", "filler")
	fill(t, filler)
	taken := map[string]bool{"a": true}
	for i := range 200 { // what is left of the last page is used up on the way
		key := fmt.Sprint("row-", i)
		code, answer, err := p.tell("crm", "msg_"+key, records(record(key, strings.Repeat("x", 4000))))
		if err != nil {
			t.Fatal(err)
		}
		if code == http.StatusOK {
			taken[key] = true
		} else if code != http.StatusServiceUnavailable || strings.Contains(fmt.Sprint(answer), "disk") {
			t.Fatalf("%s: %d %+v", key, code, answer)
		}
	}
	if len(taken) > 150 {
		t.Fatalf("%d calls were taken, so that the disk was not full", len(taken))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "calls are taken again", func() bool {
		code, _, err := p.tell("crm", "msg_row-199", records(record("row-199", "late")))
		return err == nil && code == http.StatusOK
	})
	taken["row-199"] = true
	eventually(t, "the cards of all that was taken", func() bool { return p.ready("cards") == len(taken) })
}
