package bindings

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/connectors"
)

// A helper is a testing.TB or a rapid.T.
type helper interface {
	Helper()
	Fatal(args ...any)
}

// A ledger keeps what plans change, by the rules that stores promise.
type ledger struct {
	rows        map[string]StoredRow
	items       map[string]map[string]*item // by binding and key
	quarantined []Quarantined
	seq         int64
	promoted    int // proposals that became wanted
	held        map[string]Verdict
	last        *Closing
	asked       bool // about every row, as where its rows were not planned as the bindings are
}

type item struct {
	wanted     Proposal // Digest "": nothing yet
	open       *Proposal
	openIn     string
	generation int
}

func newLedger() *ledger {
	return &ledger{rows: map[string]StoredRow{}, items: map[string]map[string]*item{}, held: map[string]Verdict{}}
}

func (l *ledger) known(keys []string, bs []*Binding) map[string]Known {
	known := map[string]Known{}
	for _, key := range keys {
		k := Known{Items: map[string]ItemState{}}
		if row, ok := l.rows[key]; ok {
			row.Values = nil
			k.Row = &row
		}
		for _, b := range bs {
			i, ok := l.items[b.Name()][key]
			if !ok {
				continue
			}
			state := ItemState{Digest: i.wanted.Digest, Removed: i.wanted.Remove}
			if i.open != nil {
				state.Proposed, state.ProposedIn = i.open.Digest, i.openIn
			}
			k.Items[b.Name()] = state
		}
		known[key] = k
	}
	return known
}

func (l *ledger) item(p Proposal) *item {
	name := p.Owner.Binding()
	if l.items[name] == nil {
		l.items[name] = map[string]*item{}
	}
	if l.items[name][p.Key] == nil {
		l.items[name][p.Key] = &item{}
	}
	return l.items[name][p.Key]
}

func (l *ledger) commit(p Plan) {
	for _, c := range p.Rows {
		before, ok := l.rows[c.Key]
		switch {
		case c.Gone && ok && c.Version >= before.Version:
			delete(l.rows, c.Key)
		case !c.Gone && (!ok || c.Version > before.Version):
			l.rows[c.Key] = StoredRow{Key: c.Key, Version: c.Version, Values: c.Values, Digest: c.Digest}
		}
	}
	l.quarantined = append(l.quarantined, p.Quarantined...)
	for _, proposal := range p.Proposals {
		i := l.item(proposal)
		if proposal.Digest == i.wanted.Digest {
			i.open = nil
			continue
		}
		i.open, i.openIn = &proposal, p.Reading
		if p.Promote[proposal.Owner.Binding()] {
			l.promote(i)
		}
	}
	if p.Closes != nil {
		l.close(p)
	}
}

func (l *ledger) promote(i *item) {
	i.wanted, i.open = *i.open, nil
	i.generation++
	l.promoted++
}

func (l *ledger) close(p Plan) {
	l.last = p.Closes
	if p.Closes.Unchanged {
		return
	}
	for key, row := range l.rows {
		if p.Closes.Whole && !row.Missing && !p.Closes.Has(key) {
			panic("a reading that lacks " + key + " says it is whole")
		}
		if p.Closes.Complete && !p.Closes.Has(key) && (p.Closes.Rows > 0 || len(l.rows) == 0) {
			row.Missing = true
			l.rows[key] = row
		}
	}
	for name, items := range l.items {
		c := Counts{Rows: p.Closes.Rows}
		for key, i := range items {
			if i.wanted.Digest == "" || i.wanted.Remove {
				continue
			}
			c.Live++
			if i.open != nil && i.openIn == p.Reading {
				c.Changed++
			}
			if l.rows[key].Missing {
				c.Gone++
			}
		}
		l.held[name] = p.Closes.Judge(name, c)
		for _, i := range items {
			switch {
			case i.open == nil || l.held[name].HoldChanges:
			case i.openIn == p.Reading:
				l.promote(i)
			case p.Closes.Complete:
				i.open = nil
			}
		}
	}
}

// read commits one reading of the batches; the last one closes it.
func (l *ledger) read(tb helper, bs []*Binding, promote bool, batches ...connectors.Batch) []Plan {
	tb.Helper()
	return l.readAs(tb, bs, promote, connectors.Closing{Complete: true}, batches...)
}

func (l *ledger) readAs(tb helper, bs []*Binding, promote bool, end connectors.Closing, batches ...connectors.Batch) []Plan {
	tb.Helper()
	l.seq++
	l.quarantined, l.last = nil, nil
	r := l.begin(bs, promote)
	var plans []Plan
	for i, b := range batches {
		if i == len(batches)-1 {
			b.Closes = &end
		}
		plans = append(plans, l.step(tb, r, bs, b))
	}
	return plans
}

func (l *ledger) begin(bs []*Binding, promote bool) *Reading {
	o := ReadingOptions{Source: "catalog", ID: fmt.Sprintf("catalog#%d", l.seq), Seq: l.seq, Bindings: bs, Now: clock, Promote: map[string]bool{}}
	for _, b := range bs {
		o.Promote[b.Name()] = promote
	}
	r := NewReading(o)
	if !l.asked {
		r.Settle(l.settled(bs))
	}
	return r
}

// settled is what a store would say before a reading.
func (l *ledger) settled(bs []*Binding) *Settled {
	s := NewSettled(len(l.rows))
	for key, row := range l.rows {
		if !row.Missing {
			s.Add(key, row.Digest)
		}
	}
	for _, b := range bs {
		for key, i := range l.items[b.Name()] {
			if i.open != nil {
				s.Open(key)
			}
		}
	}
	return s
}

func (l *ledger) step(tb helper, r *Reading, bs []*Binding, b connectors.Batch) Plan {
	tb.Helper()
	sifted, err := r.Sift(b, l.known(r.Keys(b), bs))
	if err != nil {
		tb.Fatal(err)
	}
	p := r.Plan(sifted, nil)
	l.commit(p)
	return p
}

// titles are the first slots of the live images of the only binding, by key.
func (l *ledger) titles() map[string]string {
	titles := map[string]string{}
	for key, i := range l.items["cards"] {
		if s := slots(i.wanted); len(s) > 0 {
			titles[key] = s[0]
		}
	}
	return titles
}

func (l *ledger) missing() []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(l.rows)) {
		if l.rows[key].Missing {
			keys = append(keys, key)
		}
	}
	return keys
}

// reasons are the reasons of the quarantined rows, in order.
func (l *ledger) reasons() []string {
	var all []string
	for _, q := range l.quarantined {
		all = append(all, q.Reason+" "+q.Key)
	}
	return all
}

// product is a row of the catalog.
func product(key any, title string) connectors.Row {
	return connectors.Row{Key: []any{key}, Values: map[string]any{"sku": key, "title": title, "price": "10"}, Position: fmt.Sprintf("%v=%s", key, title)}
}

func batchOf(rows ...connectors.Row) connectors.Batch { return connectors.Batch{Rows: rows} }
