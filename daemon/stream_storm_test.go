package daemon

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// streamPoints are the durable steps of a stream, and of what follows from it.
var streamPoints = []string{"plan.committed", "closing.tx", "stream.committed", "renders.claimed", "renders.recorded", "delivery.answered"}

// A streamStorm changes what a daemon streams, and kills it.
type streamStorm struct {
	*followed
	rng    *rand.Rand
	faults []func() // of the source
	calm   func()   // ends them
}

// Whatever happens to a table or a topic, to the way there, and whenever the daemon is
// killed: in the end the images, and what the receiver knows, are the rows.
func TestImagesAreTheRowsAfterAnyStormOfAStream(t *testing.T) {
	seeds := uint64(2)
	if campaign.Whole() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("table ", seed), func(t *testing.T) {
			t.Parallel()
			tableStorm(t, rand.New(rand.NewPCG(seed, 3))).blow()
		})
		t.Run(fmt.Sprint("topic ", seed), func(t *testing.T) {
			t.Parallel()
			f, _ := followTopic(t, 12)
			s := &streamStorm{followed: f, rng: rand.New(rand.NewPCG(seed, 4)), calm: func() {}}
			s.blow()
		})
	}
}

func tableStorm(t *testing.T, rng *rand.Rand) *streamStorm {
	t.Helper()
	f, r := followTable(t, 12, "")
	proxy := pgtest.NewProxy(t, r.dsn)
	f.write("pictifyd.yaml", strings.Replace(f.read("pictifyd.yaml"), fmt.Sprintf("%q", r.dsn), fmt.Sprintf("%q", pgtest.Through(r.dsn, proxy.Address, "")), 1))
	s := &streamStorm{followed: f, rng: rng, calm: proxy.Up}
	s.faults = []func(){
		proxy.Cut, proxy.Hold, proxy.Up, proxy.Up,
		func() { // another key for a row
			from, to := tableKey(rng.IntN(12)), fmt.Sprint("moved", rng.IntN(4))
			name, there := f.rows[from]
			if _, taken := f.rows[to]; !there || taken {
				return
			}
			r.run(fmt.Sprintf(`UPDATE products SET sku = '%s' WHERE sku = '%s'`, to, from))
			delete(f.rows, from)
			f.rows[to] = name
		},
		func() { // the table is emptied and filled in one transaction
			r.run(`BEGIN; TRUNCATE products; INSERT INTO products (sku, name) VALUES ('K0000001', 'anew'), ('K0000002', 'anew as well'); COMMIT`)
			clear(f.rows)
			f.rows[tableKey(0)], f.rows[tableKey(1)] = "anew", "anew as well"
		},
	}
	return s
}

func (s *streamStorm) blow() {
	s.tb.Helper()
	s.begin("")
	for range 100 {
		s.step()
	}
	s.calm()
	select {
	case <-s.p.done: // killed by itself
	default:
		s.p.kill()
	}
	s.begin("")
	eventually(s.tb, fmt.Sprintf("%d rows have their pictures", len(s.rows)), func() bool {
		// A table that was emptied is held.
		code, text := s.p.ask(http.MethodPost, "/bindings/cards/guard/accept", "")
		if code >= http.StatusInternalServerError {
			s.tb.Errorf("accept answers %d %s", code, text)
		}
		return s.p.ready("cards") == len(s.rows)
	})
	s.agrees()
}

func (s *streamStorm) step() {
	s.tb.Helper()
	select {
	case <-s.p.done: // killed by itself
		s.begin("")
	default:
	}
	switch n := s.rng.IntN(20); {
	case n == 0:
		s.p.kill()
		s.begin("")
	case n == 1:
		s.p.kill()
		if s.begin(fmt.Sprint(streamPoints[s.rng.IntN(len(streamPoints))], ":", 1+s.rng.IntN(3))); s.p.url == "" {
			s.begin("")
		}
	case n < 5 && s.faults != nil:
		s.faults[s.rng.IntN(len(s.faults))]()
	case n < 8:
		s.change(tableKey(s.rng.IntN(12)), "")
	default:
		s.change(tableKey(s.rng.IntN(12)), fmt.Sprint("Mug ", s.rng.IntN(6)))
	}
}
