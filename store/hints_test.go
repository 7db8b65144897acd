package store

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// Nobody here has workers, so that what rings is heard by the test alone.
func TestProcessesHearOfEachOthersTurns(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	works(t, holder, Workers{})
	member := joins(t, schema.DSN, Options{})
	works(t, member, Workers{})
	until(t, "the member listens", func() bool {
		return schema.Value(`SELECT count(*) FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid) WHERE a.query LIKE 'LISTEN%' AND `+locksOf(guestClass)) == "1"
	})
	until(t, "the holder knows it", func() bool { return holder.lately.others.Load() })
	changes, stop := member.Changes()
	defer stop()
	want(t, holder, "a")
	if rung := <-member.bell.rung; !strings.Contains(rung.Payload, queueRender) {
		t.Errorf("rung was %v", rung)
	}
	<-changes
	// The end of a member's turn, in which a delivery becomes due.
	heard(t, holder)
	for len(holder.bell.rung) > 0 {
		<-holder.bell.rung
	}
	finishes(t, member, 1, claimed(t, member, 1))
	for {
		if rung := <-holder.bell.rung; strings.Contains(rung.Payload, queueDeliver) {
			break
		}
	}
}
