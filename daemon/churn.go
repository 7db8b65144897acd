package daemon

import (
	lru "container/list"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

// When a row is taken to go in a circle.
const (
	churnWithin = 10 * time.Minute // all of them
	churnRows   = 10_000           // that are watched; the ones told of longest ago are forgotten
	churnLong   = 5 * time.Minute  // for which a delivery is held back at most, to see
)

// churnRounds is how many deliveries a change of the row followed; fewer in tests.
var churnRounds = 10

// heldBack is the slug of a delivery that waits to be seen through.
const heldBack = "held_back"

func isHeldBack(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Slug == heldBack
}

// churn finds the rows that go in a circle: a picture's address is written back to
// its source, something there (a trigger, a script, a column of times) changes, on
// that, a column that the picture shows, so that there is another picture, whose
// address is written back …
//
// Rows that change by themselves look the same. So after some rounds one delivery
// is held back: if the row changes all the same, nothing is wrong; if it stays as it
// is until it is told, and changes then, our own writing does it.
type churn struct {
	holdFunc func(binding string) time.Duration  // how long to hold back, so that a change is seen
	tripFunc func(circle)                        // hears of a row in a circle
	ownFunc  func(sink, binding string) []string // the columns that the sink writes itself
	seed     maphash.Seed

	mu    sync.Mutex
	rows  map[churnRow]*lru.Element // of *circling, the one told of last in front
	order *lru.List
}

// A churnRow is a row that a sink writes back to.
type churnRow struct{ sink, binding, key string }

// A circle is a row that goes in one.
type circle struct {
	churnRow
	columns []string // that changed in each round
	rounds  int
}

// circling is what is known of a row that may go in a circle.
type circling struct {
	row        churnRow
	generation int64             // that was told of last
	columns    map[string]uint64 // digests of its values then
	rounds     []time.Time
	changed    map[string]bool // columns that changed in every round

	held  string    // the delivery that was held back
	until time.Time // till when
	calm  bool      // the row stayed as it was meanwhile
	busy  time.Time // it changes by itself, and is not looked at before then
}

func newChurn() *churn {
	return &churn{seed: maphash.MakeSeed(), rows: map[churnRow]*lru.Element{}, order: lru.New()}
}

// find is what is known of a row; nil is nothing.
func (c *churn) find(id churnRow) *circling {
	if e := c.rows[id]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*circling)
	}
	return nil
}

// watched reports whether d is about a picture of a row.
func watched(d sink.Delivery) bool {
	return d.Event == sink.RenderCompleted && d.Binding != "" && d.Key != ""
}

// before says whether a delivery has to be held back; nil lets it go.
func (c *churn) before(to string, d sink.Delivery) error {
	if !watched(d) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	row, now := c.find(churnRow{to, d.Binding, d.Key}), time.Now()
	if row == nil || now.Before(row.busy) {
		return nil
	}
	next := d.Generation == row.generation+1
	same := both(row.changed, row.differing(c.digests(to, d)))
	switch {
	case row.held == d.ID && now.Before(row.until):
		return row.holdBack(now)
	case row.held == d.ID:
		row.calm = true
	case row.held != "" && row.calm && next && len(same) > 0:
		c.tripFunc(circle{row.row, slices.Sorted(maps.Keys(same)), len(row.rounds)})
		row.start()
	case row.held != "" && !(row.calm && next): // it changed although it was not told
		row.start()
		row.busy = now.Add(churnWithin)
	case row.held != "":
		row.start()
	case next && len(same) > 0 && len(row.rounds) == churnRounds && now.Sub(row.rounds[0]) <= churnWithin:
		row.held, row.until = d.ID, now.Add(min(c.holdFunc(d.Binding), churnLong))
		return row.holdBack(now)
	}
	return nil
}

func (r *circling) holdBack(now time.Time) error {
	return retry.After(problem.New(problem.Conflict, "the row has changed each of the last %d times that it was written to, and is not now, to see whether it changes all the same", len(r.rounds)).
		WithSlug(heldBack).WithHint("see whether a trigger or a script changes %s when a picture's address is written", connectors.Quoted(slices.Sorted(maps.Keys(r.changed)))), r.until.Sub(now))
}

// start forgets the rounds.
func (r *circling) start() { r.rounds, r.changed, r.held, r.calm = nil, nil, "", false }

// arrived notes that a delivery has arrived.
func (c *churn) arrived(to string, d sink.Delivery) {
	if !watched(d) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id := churnRow{to, d.Binding, d.Key}
	columns, now := c.digests(to, d), time.Now()
	row := c.find(id)
	if row == nil {
		if c.order.Len() >= churnRows {
			last := c.order.Back()
			delete(c.rows, last.Value.(*circling).row)
			c.order.Remove(last)
		}
		c.rows[id] = c.order.PushFront(&circling{row: id, generation: d.Generation, columns: columns})
		return
	}
	if d.Generation == row.generation {
		return // told again
	}
	if n := len(row.rounds); n > 0 && now.Sub(row.rounds[n-1]) > churnWithin {
		row.start()
	}
	changed := row.differing(columns)
	if row.changed != nil {
		changed = both(row.changed, changed)
	}
	if d.Generation != row.generation+1 || len(changed) == 0 {
		row.start() // it was drawn anew for another reason, or changed while nobody was told
	} else {
		row.changed = changed
		row.rounds = append(row.rounds, now)
		row.rounds = row.rounds[max(len(row.rounds)-churnRounds, 0):]
	}
	row.generation, row.columns = d.Generation, columns
}

// digests are short stand-ins for the values of a row, but for those that the sink
// has written.
func (c *churn) digests(to string, d sink.Delivery) map[string]uint64 {
	own := c.ownFunc(to, d.Binding)
	all := make(map[string]uint64, len(d.Row))
	for name, value := range d.Row {
		if slices.Contains(own, name) {
			continue
		}
		all[name] = maphash.String(c.seed, fmt.Sprintf("%T %s", value, expr.Text(value)))
	}
	return all
}

// differing are the columns that are not as in the row that was told of last.
func (r *circling) differing(columns map[string]uint64) map[string]bool {
	differ := map[string]bool{}
	for name, digest := range columns {
		if before, there := r.columns[name]; !there || before != digest {
			differ[name] = true
		}
	}
	for name := range r.columns {
		if _, there := columns[name]; !there {
			differ[name] = true
		}
	}
	return differ
}

func both(a, b map[string]bool) map[string]bool {
	in := map[string]bool{}
	for name := range a {
		if b[name] {
			in[name] = true
		}
	}
	return in
}
