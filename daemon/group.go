package daemon

import (
	"context"
	"fmt"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// A group is calls that are committed together.
type group struct {
	calls []*call
	alone bool // it is one, that must be by itself

	from map[string]origin // by the position under which it is planned
}

// An origin is where an element stood in its call.
type origin struct {
	call     *call
	position string
}

// takeGroup commits calls together and answers them.
func (d *Daemon) takeGroup(ctx context.Context, f *feed, g group) error {
	places := 0
	for _, c := range g.calls {
		places += len(c.message.Rows)
	}
	id, seq, err := d.store.BeginReading(ctx, f.name, max(1, places))
	if err != nil {
		return err
	}
	r, err := d.reading(ctx, f, bindings.ReadingOptions{ID: id, Seq: seq, Told: true, Settles: f.passive})
	if err != nil {
		return err
	}
	batch := g.batch(seq - int64(places) + 1)
	for _, c := range g.calls {
		if c.message.ID != "" {
			r.messages = append(r.messages, c.message.ID)
		}
	}
	if g.alone {
		r.promote(arrival{rows: batch.Rows})
	} else {
		r.promote(arrival{}) // each of them is below the floor
	}
	d.learnColumns(ctx, f)
	plan, _, err := r.commit(ctx, batch)
	if err != nil {
		return err
	}
	d.watchColumns(f, batch.Rows, plan.Quarantined)
	if g.alone || f.holds() {
		d.faults.note(d.log, "guard", f.name, d.logHeld(ctx, f, r.bindings))
	}
	g.settle(f.name, plan.Quarantined)
	return nil
}

// batch is what the calls bring, in places from first on. Positions are told
// apart by their calls.
func (g *group) batch(first int64) connectors.Batch {
	b := connectors.Batch{Closes: &connectors.Closing{}}
	g.from = map[string]origin{}
	for i, c := range g.calls {
		place := fmt.Sprintf("call %d ", i+1)
		if c.message.ID != "" {
			place = c.message.ID + " "
		}
		for _, row := range c.message.Rows {
			g.from[place+row.Position] = origin{c, row.Position}
			row.Position = place + row.Position
			switch at := first + int64(len(b.Rows)); {
			case row.Version != 0:
				row.Version = ordered(row.Version, at)
			case !g.alone: // alone, what stands twice is nobody's newest
				row.Version = at
			}
			b.Rows = append(b.Rows, row)
		}
		for _, fault := range c.message.Faults {
			g.from[place+fault.Position] = origin{c, fault.Position}
			fault.Position = place + fault.Position
			b.Faults = append(b.Faults, fault)
		}
	}
	return b
}

// settle tells each call what became of its rows.
func (g *group) settle(source string, quarantined []bindings.Quarantined) {
	for _, c := range g.calls {
		c.taken = api.HookTaken{Source: source, Rows: len(c.message.Rows) + len(c.message.Faults)}
	}
	for _, q := range quarantined {
		at, ok := g.from[q.Position]
		if !ok {
			continue
		}
		q.Position = at.position
		at.call.taken.Quarantined = append(at.call.taken.Quarantined, q)
		at.call.taken.Rows--
	}
	for _, c := range g.calls {
		close(c.done)
	}
}

// ordered is the version of a row whose sender numbers its states: of two with
// the same number the one that came later, in a later place, is newer. Senders
// count in seconds, and two changes in one are not rare. Numbers too large for
// that are finer than calls come.
func ordered(version, place int64) int64 {
	const shared, ties = 1 << 42, 20
	if version < shared {
		return version<<ties | place&(1<<ties-1)
	}
	return 1<<62 + version
}
