package daemon

import (
	"net/http"
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
