package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A shape says how the rows of a relation are read, as it was when they changed.
type shape struct {
	relation *replication.Relation
	walk     *walk
	at       []int // in the relation, of each column that rows have
	key      []int // among those, of the key; nil where it is not there
	identity bool  // the old row tells the key
}

// shapeOf is the shape of a relation. Its types are looked up once.
func (r *run) shapeOf(ctx context.Context, relation *replication.Relation) (*shape, error) {
	if r.shape != nil && (r.shape.relation == relation || slices.Equal(r.shape.relation.Columns, relation.Columns) && r.shape.relation.Identity == relation.Identity) {
		r.shape.relation = relation
		return r.shape, nil
	}
	t := r.table
	s := &shape{relation: relation, walk: &walk{key: t.key, named: r.f.title()}, identity: true}
	var fields []pgconn.FieldDescription
	err := r.f.asks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		ctx, cancel := context.WithTimeout(ctx, r.f.cfg.patience())
		defer cancel()
		for i, c := range relation.Columns {
			if len(r.f.cfg.Columns) > 0 && !slices.Contains(r.f.cfg.Columns, c.Name) && !slices.Contains(t.key, c.Name) {
				continue
			}
			field, err := r.f.fieldOf(ctx, conn, c)
			if err != nil {
				return err
			}
			s.at = append(s.at, i)
			fields = append(fields, field)
		}
		s.walk.columns, err = r.f.columnsOf(ctx, conn, fields)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range t.key {
		i := slices.IndexFunc(s.walk.columns, func(c column) bool { return c.name == name })
		if i < 0 {
			s.key = nil
			break
		}
		s.key = append(s.key, i)
		s.identity = s.identity && relation.Columns[s.at[i]].Key
	}
	if s.key != nil && !s.identity {
		now, err := r.ask(ctx)
		if err != nil {
			return nil, err
		}
		if now.columns != t.columns { // the key is another one by now
			s.key, r.shape = nil, s
			return s, nil
		}
		return nil, problem.New(problem.Invalid, "the replica identity of %s does not have all columns of the key, so that it is not told which row is gone", t.name).
			At("key").WithSlug(NoIdentity).WithHint("leave key out to have the primary key, or: ALTER TABLE %s REPLICA IDENTITY FULL", t.name.SQL())
	}
	if r.shape != nil { // it was described otherwise
		signal(r.suspect)
	}
	r.shape = s
	return s, nil
}

// NoIdentity is the slug of a key that changes don't tell of.
const NoIdentity = "no_replica_identity"

// cells are those of a row as a SELECT gives them. What the change left alone is
// taken from the old row, where that has it; else hole is true.
func (s *shape) cells(row, old []replication.Value, oldKey bool) (cells [][]byte, hole bool) {
	cells = make([][]byte, len(s.at))
	for i, at := range s.at {
		v := row[at]
		if v.Kind == replication.Unchanged && old != nil && (!oldKey || s.relation.Columns[at].Key) {
			v = old[at]
		}
		hole = hole || v.Kind == replication.Unchanged
		cells[i] = v.Text
	}
	return cells, hole
}

// keyCells are a copy of those of the key.
func (s *shape) keyCells(cells [][]byte) [][]byte {
	key := make([][]byte, len(s.key))
	for i, at := range s.key {
		key[i] = slices.Clone(cells[at])
	}
	return key
}
