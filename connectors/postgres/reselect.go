package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A hole is a row of which a change did not tell all: large values that it left
// alone (pitfall P8).
type hole struct {
	at  int      // among the rows of the part
	key [][]byte // its cells
	xid uint32   // the transaction that the row has to show
}

// maxLooks is how often a table may change while its rows are read.
const maxLooks = 10

// unseenRest is between two looks for rows that no statement sees yet.
const unseenRest = 20 * time.Millisecond

// mend reads the rows of holes as they stand now. A change that is told of may not
// be seen yet; then it is waited for, since what was before would take its place for
// good. A row that is gone is left out: that it is gone is told later.
func (r *run) mend(ctx context.Context, rows []connectors.Row, holes []hole) (gone map[int]bool, faults []connectors.Fault, err error) {
	gone = map[int]bool{}
	defer r.unseen(nil)
	for tries := 0; len(holes) > 0; tries++ {
		if tries == longUnseen {
			r.unseen(problem.New(problem.Upstream, "a change of %s is told of and can't be read yet: its transaction waits for a synchronous standby server", r.f.table).
				WithHint("see pg_stat_replication, and synchronous_standby_names; the stream goes on when the standby does"))
		}
		if tries > 0 {
			select {
			case <-time.After(min(unseenRest<<min(tries-1, 5), time.Second)):
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			}
		}
		err = r.f.asks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
			left, more, err := r.reselect(ctx, conn, rows, holes, gone)
			if err == nil {
				holes, faults = left, append(faults, more...)
			}
			return err
		})
		if pg.State(err) == "42703" && tries < maxLooks { // a column went meanwhile
			err = r.lookAgain(ctx)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return gone, faults, nil
}

// longUnseen is after how many looks a person should know: about ten seconds.
const longUnseen = 20

// unseen warns of what is waited for, or no longer.
func (r *run) unseen(why error) {
	r.mu.Lock()
	same := r.warn["row"] == nil && why == nil
	r.warn["row"] = why
	r.mu.Unlock()
	if !same {
		r.report(func(*connectors.StreamState) {})
	}
}

// reselect gives back the holes whose change is not seen yet.
func (r *run) reselect(ctx context.Context, conn *pgconn.PgConn, rows []connectors.Row, holes []hole, gone map[int]bool) (unseen []hole, faults []connectors.Fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.f.cfg.patience())
	defer cancel()
	if err := r.f.begin(ctx, conn); err != nil {
		return nil, nil, err
	}
	m, err := snapshotOf(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	byKey := map[string][]hole{}
	var params [][]byte
	var places []string
	for _, h := range holes {
		if !m.sees(h.xid) {
			unseen = append(unseen, h)
			continue
		}
		key := string(appendKey(nil, h.key, upTo(len(h.key))))
		if byKey[key] == nil {
			var place []string
			for _, cell := range h.key {
				params = append(params, cell)
				place = append(place, fmt.Sprintf("$%d", len(params)))
			}
			places = append(places, "("+strings.Join(place, ", ")+")")
		}
		byKey[key] = append(byKey[key], h)
	}
	if len(byKey) == 0 {
		return unseen, nil, nil
	}
	t := r.table
	sql := "SELECT " + quoted(t.visible, "") + " FROM "
	if t.only {
		sql += "ONLY "
	}
	sql += t.name.SQL() + " WHERE (" + quoted(t.key, "") + ") IN (" + strings.Join(places, ", ") + ")"
	result := conn.ExecParams(ctx, sql, params, nil, nil, nil).Read()
	if result.Err != nil {
		return nil, nil, result.Err
	}
	w := &walk{key: t.key, named: r.f.title()}
	if w.columns, err = r.f.columnsOf(ctx, conn, result.FieldDescriptions); err != nil {
		return nil, nil, err
	}
	for _, cells := range result.Rows {
		key := string(appendKey(nil, cells, t.keyAt))
		e := w.element(cells, 0)
		for _, h := range byKey[key] {
			if e.Fault != nil {
				gone[h.at] = true
				fault := *e.Fault
				fault.Key, fault.Behind = connectors.KeyOf(t.key, e.Values), h.at
				faults = append(faults, fault)
				continue
			}
			rows[h.at] = connectors.Row{Key: connectors.KeyOf(t.key, e.Values), Values: e.Values, Position: e.Position}
		}
		delete(byKey, key)
	}
	for _, left := range byKey {
		for _, h := range left {
			gone[h.at] = true
		}
	}
	return unseen, faults, nil
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
