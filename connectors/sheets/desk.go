package sheets

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	sheets "google.golang.org/api/sheets/v4"
)

// gatherFor is how long a request waits for others that it could be made with.
const gatherFor = 200 * time.Millisecond

// A desk is where the sources that read one spreadsheet with one credential hand
// in what they want to read, so that those that are due together share a request.
type desk struct {
	wait time.Duration

	mu      sync.Mutex
	sources int
	open    map[string]*gathering // by how values are rendered
}

// A gathering is the ranges of a request that is not made yet.
type gathering struct {
	ranges []string
	done   chan struct{}

	values []*sheets.ValueRange
	err    error
	stale  bool // whoever made the request had to leave
}

// desks are those of the process.
var desks = struct {
	mu  sync.Mutex
	all map[string]*desk
}{all: map[string]*desk{}}

// openDesk is the desk of a spreadsheet; leave gives the place at it back.
func openDesk(name string) (d *desk, leave func()) {
	desks.mu.Lock()
	defer desks.mu.Unlock()
	d = desks.all[name]
	if d == nil {
		d = &desk{wait: gatherFor, open: map[string]*gathering{}}
		desks.all[name] = d
	}
	d.add(1)
	return d, func() {
		desks.mu.Lock()
		defer desks.mu.Unlock()
		if d.add(-1) == 0 {
			delete(desks.all, name)
		}
	}
}

func (d *desk) add(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sources += n
	return d.sources
}

// values reads ranges, in one request with those that others want meanwhile. A
// range that is refused spoils it for all; whoever asks again, with the sheets as
// they are now, has none such.
func (d *desk) values(ctx context.Context, c *client, render string, ranges ...string) ([]*sheets.ValueRange, error) {
	for {
		g, at, leads := d.join(render, ranges)
		if leads {
			d.lead(ctx, c, render, g)
		}
		select {
		case <-g.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case g.stale && ctx.Err() == nil:
			continue
		case g.err != nil:
			return nil, g.err
		}
		mine := make([]*sheets.ValueRange, len(ranges))
		for i, j := range at {
			mine[i] = g.values[j]
		}
		return mine, nil
	}
}

// join puts ranges into the open gathering, or begins one and leads it. at is
// where they stand in it.
func (d *desk) join(render string, ranges []string) (g *gathering, at []int, leads bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g = d.open[render]
	if g == nil {
		g, leads = &gathering{done: make(chan struct{})}, true
		d.open[render] = g
	}
	for _, r := range ranges {
		i := slices.Index(g.ranges, r)
		if i < 0 {
			i = len(g.ranges)
			g.ranges = append(g.ranges, r)
		}
		at = append(at, i)
	}
	return g, at, leads
}

// lead waits for others, if there can be any, and makes the request.
func (d *desk) lead(ctx context.Context, c *client, render string, g *gathering) {
	defer close(g.done)
	d.mu.Lock()
	alone := d.sources == 1
	d.mu.Unlock()
	var left error
	if !alone {
		left = sleep(ctx, d.wait)
	}
	d.mu.Lock()
	delete(d.open, render)
	d.mu.Unlock()
	if left == nil {
		g.values, g.err = c.values(ctx, render, g.ranges)
	}
	if ctx.Err() != nil {
		g.stale, g.err = true, errors.Join(g.err, ctx.Err())
	}
}
