package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A shape is what the statements have to know of the table.
type shape struct {
	name       string // as it stands in SQL
	key, set   []pg.Column
	generation string // its column as it stands in SQL; "" for none
	insert     bool
	deletes    bool // on removal
}

// look asks the catalog for the columns that are configured.
func (t *table) look(ctx context.Context, conn *pgconn.PgConn) (*shape, *pg.Table, error) {
	found, err := pg.Look(ctx, conn, t.name)
	if err != nil {
		return nil, nil, err
	}
	s := &shape{name: found.Name.SQL(), insert: t.cfg.Insert, deletes: t.cfg.OnRemove == remove}
	if s.key, err = columnsOf(found, "key", t.key); err != nil {
		return nil, nil, err
	}
	if s.set, err = columnsOf(found, "set", t.set); err != nil {
		return nil, nil, err
	}
	if g := t.cfg.GenerationColumn; g != "" {
		if _, ok := found.Column(g); !ok {
			return nil, nil, missing(found, g, "generation_column")
		}
		s.generation = pg.Quote(g)
	}
	return s, found, nil
}

func columnsOf(found *pg.Table, path string, cells []cell) ([]pg.Column, error) {
	var columns []pg.Column
	for _, c := range cells {
		column, ok := found.Column(c.column)
		if !ok {
			return nil, missing(found, c.column, path+"."+c.column)
		}
		columns = append(columns, column)
	}
	return columns, nil
}

func missing(found *pg.Table, column, path string) error {
	return problem.New(problem.Invalid, "%s has no column %q; there are %s", found.Name, column, connectors.Quoted(found.Names())).
		At(path).WithSlug(pg.NoColumn).WithHint("correct the name, which is as in the catalog, also in its case, or add the column")
}

// statement makes all changes of a part, and tells of each how many rows have its
// key, whether the one had these values already, or newer ones, and whether it was
// written.
func (s *shape) statement(part []*change) string {
	of := part[0]
	var set []pg.Column
	for _, i := range of.columns {
		set = append(set, s.set[i])
	}
	given := s.given(set)
	switch {
	case of.removes && s.deletes:
		return given + s.hit(nil) + s.changed("DELETE FROM "+s.name+" t USING given g, hit h", nil) + told
	case s.insert && !of.removes:
		return given + s.upsert(set) + "SELECT g.n, 1, false, false, true FROM given g ORDER BY g.n"
	}
	var to []string
	for i, c := range set {
		to = append(to, fmt.Sprintf("%s = g.s%d", pg.Quote(c.Name), i))
	}
	if s.generation != "" {
		to = append(to, s.generation+" = g.gen")
	}
	return given + s.hit(set) + s.changed("UPDATE "+s.name+" t SET "+strings.Join(to, ", ")+" FROM given g, hit h", set) + told
}

const told = `SELECT h.n, h.found, h.same, h.newer, w.n IS NOT NULL FROM hit h LEFT JOIN written w ON w.n = h.n ORDER BY h.n`

// given is the values of the parameters, in the types of the columns.
func (s *shape) given(set []pg.Column) string {
	var params, names, typed []string
	take := func(name string, c pg.Column) {
		params = append(params, fmt.Sprintf("$%d::text[]", len(params)+1))
		names = append(names, name)
		typed = append(typed, fmt.Sprintf("g.%s::%s AS %s", name, c.Cast, name))
	}
	for i, c := range s.key {
		take(fmt.Sprintf("k%d", i), c)
	}
	for i, c := range set {
		take(fmt.Sprintf("s%d", i), c)
	}
	take("gen", pg.Column{Cast: "bigint"})
	return fmt.Sprintf("WITH given AS MATERIALIZED (SELECT %s, g.n FROM unnest(%s) WITH ORDINALITY AS g(%s, n)),\n",
		strings.Join(typed, ", "), strings.Join(params, ", "), strings.Join(names, ", "))
}

// hit is how many rows have each key, and what the one has.
func (s *shape) hit(set []pg.Column) string {
	newer := "false"
	if s.generation != "" {
		newer = "coalesce(bool_or(t." + s.generation + " >= g.gen), false)"
	}
	return fmt.Sprintf("hit AS (SELECT g.n, count(t.%s) AS found, coalesce(bool_and(NOT (%s)), false) AS same, %s AS newer FROM given g LEFT JOIN %s t ON %s GROUP BY g.n),\n",
		pg.Quote(s.key[0].Name), differs(set, "t", func(i int) string { return fmt.Sprintf("g.s%d", i) }), newer, s.name, s.matches())
}

// changed writes those whose key one row has, and that are not as they should be.
func (s *shape) changed(verb string, set []pg.Column) string {
	when := differs(set, "t", func(i int) string { return fmt.Sprintf("g.s%d", i) })
	if s.generation != "" {
		when = fmt.Sprintf("t.%[1]s IS NULL OR t.%[1]s < g.gen", s.generation)
	}
	if s.deletes && set == nil {
		when = "true"
		if s.generation != "" {
			when = fmt.Sprintf("t.%[1]s IS NULL OR t.%[1]s <= g.gen", s.generation)
		}
	}
	return fmt.Sprintf("written AS (%s WHERE h.n = g.n AND h.found = 1 AND %s AND (%s) RETURNING g.n)\n", verb, s.matches(), when)
}

func (s *shape) matches() string {
	var all []string
	for i, c := range s.key {
		all = append(all, fmt.Sprintf("t.%s = g.k%d", pg.Quote(c.Name), i))
	}
	return strings.Join(all, " AND ")
}

// differs is whether any of set is not what it should be.
func differs(set []pg.Column, of string, should func(i int) string) string {
	all := []string{}
	for i, c := range set {
		text := ""
		if c.Text {
			text = "::text"
		}
		all = append(all, fmt.Sprintf("%s.%s%s IS DISTINCT FROM %s%s", of, pg.Quote(c.Name), text, should(i), text))
	}
	if len(all) == 0 {
		return "false"
	}
	return strings.Join(all, " OR ")
}

// upsert makes rows, or writes those that are there and not as they should be.
func (s *shape) upsert(set []pg.Column) string {
	var into, from, target, to []string
	for i, c := range s.key {
		into, from = append(into, pg.Quote(c.Name)), append(from, fmt.Sprintf("g.k%d", i))
		target = append(target, pg.Quote(c.Name))
	}
	for i, c := range set {
		name := pg.Quote(c.Name)
		into, from, to = append(into, name), append(from, fmt.Sprintf("g.s%d", i)), append(to, name+" = excluded."+name)
	}
	when := differs(set, "t", func(i int) string { return "excluded." + pg.Quote(set[i].Name) })
	if s.generation != "" {
		into, from, to = append(into, s.generation), append(from, "g.gen"), append(to, s.generation+" = excluded."+s.generation)
		when = fmt.Sprintf("t.%[1]s IS NULL OR t.%[1]s < excluded.%[1]s", s.generation)
	}
	return fmt.Sprintf("written AS (INSERT INTO %s AS t (%s) SELECT %s FROM given g ORDER BY g.n ON CONFLICT (%s) DO UPDATE SET %s WHERE %s)\n",
		s.name, strings.Join(into, ", "), strings.Join(from, ", "), strings.Join(target, ", "), strings.Join(to, ", "), when)
}

// arguments are the parameters of the statement, column by column.
func arguments(part []*change) [][]byte {
	var params [][]byte
	column := func(of func(c *change) *string) {
		values := make([]*string, len(part))
		for i, c := range part {
			values[i] = of(c)
		}
		params = append(params, pg.Array(values))
	}
	for i := range part[0].key {
		column(func(c *change) *string { return c.key[i] })
	}
	for i := range part[0].values {
		column(func(c *change) *string { return c.values[i] })
	}
	column(func(c *change) *string { return &c.gen })
	return slices.Clip(params)
}
