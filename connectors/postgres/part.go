package postgres

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/connectors/stream"
	"github.com/pictifyd/pictifyd/internal/cures"
)

// A part is rows that are committed together.
type part struct {
	extent
	list   []connectors.Row
	wrong  []connectors.Fault
	gaps   []hole
	whole  extent // so far it is of whole transactions
	closed bool   // the end of a transaction is to be committed, with rows or without
}

// An extent is how much there is.
type extent struct{ rows, faults, holes, bytes int }

func (e extent) len() int { return e.rows + e.faults }

// large reports whether it is as much as should be committed together.
func (e extent) large(rows int) bool { return e.len() >= rows || e.bytes >= partBytes }

// element adds the row of these cells, or its fault.
func (p *part) element(w *walk, cells [][]byte) {
	e := w.element(cells, 0)
	p.bytes += int(e.Size) + 64
	key := connectors.KeyOf(w.key, e.Values)
	if e.Fault != nil {
		e.Fault.Key, e.Fault.Behind = key, p.rows
		p.wrong = append(p.wrong, *e.Fault)
		p.faults++
		return
	}
	p.row(connectors.Row{Key: key, Values: e.Values, Position: e.Position})
}

func (p *part) row(row connectors.Row) {
	p.list = append(p.list, row)
	p.rows++
}

// hole adds a row of which not all was told.
func (p *part) hole(h hole) {
	h.at = p.rows
	p.row(connectors.Row{})
	p.gaps = append(p.gaps, h)
	p.holes++
}

// gone adds that the row of a key is no more.
func (p *part) gone(s *shape, cells [][]byte) {
	values := map[string]any{}
	for _, i := range s.key {
		c := s.walk.columns[i]
		value, err := c.value(cells[i])
		if err != nil {
			value = string(cells[i])
		}
		values[c.name] = value
		p.bytes += len(cells[i]) + 64
	}
	p.row(connectors.Row{Key: connectors.KeyOf(s.walk.key, values), Deleted: true, Position: s.walk.position(values, 0)})
}

// take divides what there is of upTo from the rest.
func (p *part) take(upTo extent) (taken part) {
	taken = part{extent: upTo, list: p.list[:upTo.rows], wrong: p.wrong[:upTo.faults], gaps: p.gaps[:upTo.holes]}
	rest := part{list: slices.Clone(p.list[upTo.rows:]), wrong: slices.Clone(p.wrong[upTo.faults:]), gaps: slices.Clone(p.gaps[upTo.holes:])}
	for i := range rest.gaps {
		rest.gaps[i].at -= upTo.rows
	}
	for i := range rest.wrong {
		rest.wrong[i].Behind -= upTo.rows
	}
	rest.extent = extent{p.rows - upTo.rows, p.faults - upTo.faults, p.holes - upTo.holes, p.bytes - upTo.bytes}
	*p = rest
	return taken
}

func (p *part) streamed() stream.Part {
	return stream.Part{Rows: p.list, Faults: p.wrong, Bytes: p.bytes}
}

// change takes an insert, an update or a delete.
func (r *run) change(ctx context.Context, e replication.Event) error {
	s, err := r.shapeOf(ctx, e.Relation)
	if err != nil {
		return err
	}
	taken := r.taken(e.LSN)
	if cures.TransactionSlices && !taken && r.part.large(r.f.sizes.part) && e.LSN != r.tx.last {
		if err := r.cut(ctx); err != nil {
			return err
		}
	}
	r.tx.last = e.LSN
	if s.key == nil { // it is of before or after a change of the key's columns
		r.window.lost(r.tx.xid)
		signal(r.suspect)
		return nil
	}
	var was, is rowCells
	if e.Old != nil {
		was.cells, _ = s.cells(e.Old, nil, false)
		was.key = appendKey(nil, was.cells, s.key)
		r.window.saw(was.key, r.tx.xid)
	}
	if e.New != nil {
		is.cells, is.hole = s.cells(e.New, e.Old, e.OldKey)
		is.key = appendKey(nil, is.cells, s.key)
		r.window.saw(is.key, r.tx.xid)
	}
	if taken {
		return nil
	}
	if e.Old != nil && string(was.key) != string(is.key) {
		r.part.gone(s, was.cells)
	}
	switch {
	case e.New == nil:
	case is.hole && cures.UnchangedValues:
		r.part.hole(hole{key: s.keyCells(is.cells), xid: r.tx.xid})
	default:
		r.part.element(s.walk, is.cells)
	}
	return nil
}

// rowCells is a row as it was told.
type rowCells struct {
	cells [][]byte
	key   []byte
	hole  bool
}

// cut has what was taken of a transaction committed before its end.
func (r *run) cut(ctx context.Context) error {
	if r.tx.last > 0 {
		r.pos.Inside = &inside{Commit: lsn(r.tx.commit), UpTo: lsn(r.tx.last)}
	}
	return r.flush(ctx, r.part.extent)
}

// flush has what was taken committed, as far as upTo.
func (r *run) flush(ctx context.Context, upTo extent) error {
	r.part.closed = false
	p := r.part.take(upTo)
	gone, faults, err := r.mend(ctx, p.list, p.gaps)
	if err != nil {
		return err
	}
	sent := p.streamed()
	sent.Rows, sent.Faults = without(gone, sent.Rows, append(sent.Faults, faults...))
	return r.add(ctx, sent)
}

// without leaves out the rows that are gone. The faults stand in the order in which
// they came between the others.
func without(gone map[int]bool, rows []connectors.Row, faults []connectors.Fault) ([]connectors.Row, []connectors.Fault) {
	left, before := rows[:0], make([]int, len(rows)+1) // how many are left of those before each
	for i, row := range rows {
		before[i] = len(left)
		if !gone[i] {
			left = append(left, row)
		}
	}
	before[len(rows)] = len(left)
	for i := range faults {
		faults[i].Behind = before[faults[i].Behind]
	}
	slices.SortStableFunc(faults, func(a, b connectors.Fault) int { return a.Behind - b.Behind })
	return left, faults
}
