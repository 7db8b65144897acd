package daemon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/store"
)

// The states of a process.
const (
	processWell = "well"
	processLate = "late" // a sign of life is overdue
	processGone = "gone" // it was put out, as it gave none
)

// processStates are the processes of a ledger as the API has them.
func processStates(all []store.Process) []api.ProcessState {
	var states []api.ProcessState
	for _, p := range all {
		is := api.ProcessState{
			Place: p.Place, State: processWell, Roles: p.Roles, Version: p.Version, Address: p.Address, Holder: p.Holder && p.GoneAt.IsZero(), Since: p.Since.UTC(),
			HeardAt: instant(p.HeardAt), GoneAt: instant(p.GoneAt), InHand: api.HandState(p.Hand),
		}
		switch {
		case !p.GoneAt.IsZero():
			is.State, is.Next = processGone, "see its log and its machine, and start it again where nobody has"
			is.Cause = "it ended without leaving, or froze, or was cut off: it gave no sign of life, and what it had in hand was put back for others"
			if p.Holder {
				is.Cause = "it read the sources and planned, and gave no sign of life: another one has taken over"
			}
		case p.Late:
			is.State, is.Next = processLate, "see its machine and its way to the database; it goes on by itself if it is heard in time, and joins anew if not"
			is.Cause = "it gives no sign of life: seconds from now it is put out, and what it has in hand waits for others"
			if p.Holder {
				is.Cause = "it gives no sign of life: seconds from now whoever stands by takes over"
			}
		}
		states = append(states, is)
	}
	return states
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// processSigns are what there is to say of the processes together. Of one that does
// everything there is nothing.
func processSigns(all []store.Process) []Sign {
	var late []string
	at := map[string][]string{} // by version
	has := map[Role]bool{}
	n := 0
	for _, p := range all {
		if !p.GoneAt.IsZero() {
			continue
		}
		n++
		at[p.Version] = append(at[p.Version], p.Place)
		if p.Late {
			late = append(late, p.Place)
			continue
		}
		for _, role := range p.Roles {
			has[Role(role)] = true
		}
	}
	var signs []Sign
	say := func(health Health, says, do string) {
		signs = append(signs, Sign{Name: "processes", Health: health, Says: says, Do: do})
	}
	if !has[RoleRender] {
		say(Missing, "none with the role render is at work: nothing is drawn but what somebody waits for", "start one: pictifyd run --roles render")
	}
	if !has[RoleDeliver] {
		say(Warn, "none with the role deliver is at work: no sink is told of anything", "start one: pictifyd run --roles deliver")
	}
	if len(late) > 0 {
		say(Warn, "no sign of life in time from "+strings.Join(late, ", "), "the list of processes says what that means")
	}
	if len(at) > 1 {
		var versions []string
		for version, places := range at {
			versions = append(versions, fmt.Sprintf("%s (%s)", orUnknown(version), strings.Join(places, ", ")))
		}
		slices.Sort(versions)
		say(Warn, "different versions are at work: "+strings.Join(versions, "; "), "right while you upgrade one after the other; end it, and never leave an older one with the role connect behind a newer one")
	}
	if len(signs) == 0 && n > 1 {
		say(Well, fmt.Sprintf("%d are at work, all of version %s", n, orUnknown(all[0].Version)), "")
	}
	return signs
}

func orUnknown(version string) string {
	if version == "" {
		return "unknown"
	}
	return version
}
