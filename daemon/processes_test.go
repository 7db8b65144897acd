package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/store"
)

// aProcess is one that was heard just now.
func aProcess(place, version string, roles ...string) store.Process {
	return store.Process{Member: store.Member{Place: place, Version: version, Roles: roles, Since: time.Unix(1e9, 0)}, HeardAt: time.Now()}
}

func TestProcessesAreSpokenOf(t *testing.T) {
	holder, pencil, postman := aProcess("pid 1 on a", "1.2", "api", "connect"), aProcess("pid 2 on b", "1.2", "render"), aProcess("pid 3 on c", "1.2", "deliver")
	holder.Holder = true
	silent := pencil
	silent.Late = true
	newer := aProcess("pid 4 on d", "1.3", "render")
	gone := aProcess("pid 5 on e", "1.1", "render", "deliver")
	gone.GoneAt = time.Now()
	for _, c := range []struct {
		what string
		all  []store.Process
		want []string // as level: part of the text
	}{
		{"one that does everything", []store.Process{aProcess("pid 1 on a", "1.2", "api", "connect", "render", "deliver")}, nil},
		{"three of one version", []store.Process{holder, pencil, postman}, []string{"ok: 3 are at work, all of version 1.2"}},
		{"two versions", []store.Process{holder, pencil, postman, newer}, []string{"warn: 1.2 (pid 1 on a, pid 2 on b, pid 3 on c); 1.3 (pid 4 on d)"}},
		{"nobody draws", []store.Process{holder, postman}, []string{"missing: none with the role render"}},
		{"nobody tells", []store.Process{holder, pencil}, []string{"warn: none with the role deliver"}},
		{"the only one that draws is silent", []store.Process{holder, silent, postman}, []string{"missing: none with the role render", "warn: no sign of life in time from pid 2 on b"}},
		{"one that is gone does nothing", []store.Process{holder, gone}, []string{"missing: none with the role render", "warn: none with the role deliver"}},
		{"one that is gone has no version", []store.Process{holder, pencil, postman, gone}, []string{"ok: 3 are at work"}},
	} {
		signs := processSigns(c.all)
		if len(signs) != len(c.want) {
			t.Errorf("of %s it says %+v", c.what, signs)
			continue
		}
		for i, sign := range signs {
			health, text, _ := strings.Cut(c.want[i], ": ")
			if sign.Name != "processes" || string(sign.Health) != health || !strings.Contains(sign.Says, text) || (sign.Do == "") != (sign.Health == Well) {
				t.Errorf("of %s it says %+v, want %s", c.what, sign, c.want[i])
			}
		}
	}
}

func TestProcessThatIsNotWellHasACauseAndANextStep(t *testing.T) {
	late, gone, former, unheard := aProcess("a", "1", "render"), aProcess("b", "1", "render"), aProcess("c", "1", "connect"), aProcess("d", "1", "api")
	late.Late, late.Hand = true, store.Hand{Turns: 1, Renders: 9}
	gone.GoneAt, former.GoneAt, former.Holder = time.Now(), time.Now(), true
	unheard.HeardAt = time.Time{}
	for i, is := range processStates([]store.Process{late, gone, former, unheard}) {
		if want := []string{"late", "gone", "gone", "well"}[i]; is.State != want || (is.Cause == "") != (want == "well") || (is.Next == "") != (want == "well") {
			t.Errorf("%s is %+v", is.Place, is)
		}
		if is.Holder {
			t.Errorf("%s holds the ledger", is.Place)
		}
		if (is.GoneAt != nil) != (is.State == "gone") || (is.HeardAt == nil) != (is.Place == "d") {
			t.Errorf("the times of %s are %v, %v", is.Place, is.HeardAt, is.GoneAt)
		}
	}
	if is := processStates([]store.Process{late}); is[0].InHand.Renders != 9 {
		t.Errorf("in hand are %+v", is[0].InHand)
	}
	if a, b := processStates([]store.Process{gone})[0].Cause, processStates([]store.Process{former})[0].Cause; a == b {
		t.Errorf("of one that held the ledger is said %q too", a)
	}
}
