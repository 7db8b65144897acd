package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// underway knows what is on its way to sinks, and what each was sent last.
type underway struct {
	tb testing.TB

	mu   sync.Mutex
	now  map[[2]string]string // sink and key to the delivery's id
	last map[[2]string]int64  // generations
}

// begin notes claims. Keys that somebody erases are left out: what begins anew
// there has no order.
func (u *underway) begin(claims []store.DeliveryClaim) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range claims {
		thread := [2]string{c.Sink, c.Key}
		if c.Key[0] == 'e' {
			continue
		}
		if other := u.now[thread]; other != "" {
			u.tb.Errorf("%s is on its way to %v beside %s", c.ID, thread, other)
		}
		if c.Generation < u.last[thread] {
			u.tb.Errorf("generation %d goes to %v after %d", c.Generation, thread, u.last[thread])
		}
		u.now[thread], u.last[thread] = c.ID, c.Generation
	}
}

func (u *underway) end(claims []store.DeliveryClaim) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range claims {
		delete(u.now, [2]string{c.Sink, c.Key})
	}
}

// haunt delivers like a turn with bad luck: some arrive, some fail, some are given
// back, some are given up.
func haunt(s *store.Store, turn store.Turn, rng *rand.Rand, u *underway, stop <-chan struct{}) {
	var hold []store.DeliveryClaim
	for {
		over := false
		select {
		case <-stop:
			over = true
		default:
		}
		r := store.Round{Room: rng.IntN(5), Policy: brief, End: rng.IntN(4) == 0}
		if over {
			r.Room, r.End = 0, true
		}
		n := rng.IntN(len(hold) + 1)
		for _, c := range hold[:n] {
			d := store.Delivered{ID: c.ID, At: time.Now()}
			switch rng.IntN(8) {
			case 0:
				d.Err, d.Retry = errDown, time.Hour
			case 1:
				d.Err = errDown
			case 2:
				d.Err, d.Dead, d.OfRow = errDown, true, true
			case 3:
				r.Untried = append(r.Untried, c.ID)
				continue
			}
			r.Done = append(r.Done, d)
		}
		if r.End {
			r.Room, n = 0, len(hold)
		}
		u.end(hold[:n])
		hold = hold[n:]
		went, err := s.DeliverRound(u.tb.Context(), turn, r)
		if err != nil {
			u.tb.Errorf("round: %v", err)
			return
		}
		u.begin(went.Claims)
		hold = append(hold, went.Claims...)
		if over {
			return
		}
	}
}

var counts = map[string]func(*testing.T, Open){
	"DeliveriesAddUpWhateverHappens": func(t *testing.T, open Open) {
		s := newStore(t, open)
		events := []string{sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved}
		s.SetSinks(map[string][]string{"cards": {"hook", "other"}}, map[string][]string{"hook": events, "other": events})
		read(t, s, reading{seq: 1, rows: map[string]string{"e0": "1", "e1": "1"}, promote: true})
		tellingJob(t, s, "j1", 10, sink.RenderCompleted, sink.RenderFailed, sink.BatchCompleted)
		tellingJob(t, s, "j2", 10, sink.RenderCompleted, sink.BatchCompleted)

		u := &underway{tb: t, now: map[[2]string]string{}, last: map[[2]string]int64{}}
		stop := make(chan struct{})
		var g sync.WaitGroup
		for i := range 6 {
			turn := store.Turn{ID: int64(5000 + i), Sink: []string{"hook", "other"}[i%2]}
			g.Go(func() { haunt(s, turn, rand.New(rand.NewPCG(uint64(i), 1)), u, stop) })
		}
		g.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				counts, err := s.DeliveryCounts(t.Context())
				if err != nil {
					t.Errorf("count: %v", err)
				}
				mustAddUp(t, counts)
			}
		})
		rng := rand.New(rand.NewPCG(7, 7))
		for step := range 60 {
			key := fmt.Sprint([]string{"a", "e"}[rng.IntN(2)], rng.IntN(4))
			switch rng.IntN(9) {
			case 0:
				replan(t, s, removes(key))
			case 1:
				replan(t, s, fails(key, fmt.Sprint("fault_", step)))
			case 2:
				got(s.DeleteRow(t.Context(), source, fmt.Sprint("e", rng.IntN(4)), false))(t)
			case 3:
				must(t, s.PauseSink(t.Context(), "hook"))
			case 4:
				must(t, s.ResumeSink(t.Context(), []string{"hook", "other"}[rng.IntN(2)]))
			default:
				replan(t, s, wants(key, fmt.Sprint(rng.IntN(6))))
			}
			draw(t, s)
			switch step {
			case 10:
				deliver(t, s, "rows:j1", errDown)
				got(s.DeleteJob(t.Context(), "j1"))(t)
				got(s.EmptyJobs(t.Context()))(t)
			case 20:
				got(s.GiveUpRowEvents(t.Context(), "rows:j2"))(t)
				deliver(t, s, hook("j2"), errDown)
				got(s.RetryJob(t.Context(), "j2"))(t)
			}
		}
		must(t, s.ResumeSink(t.Context(), "hook"))
		close(stop)
		g.Wait()
		for _, name := range []string{"hook", "other"} { // in the end each knows the last
			must(t, s.ResumeSink(t.Context(), name))
			for range 30 {
				deliver(t, s, name, nil)
			}
		}
		all := got(s.DeliveryCounts(t.Context()))(t)
		mustAddUp(t, all)
		for _, c := range all {
			if c.Planned == 0 || c.Superseded == 0 || c.Waiting > 0 && !isJobs(c.Sink) {
				t.Errorf("at last %+v", c)
			}
		}
	},
}

func isJobs(sink string) bool { return sink == "batch" || sink == "batch_rows" }
