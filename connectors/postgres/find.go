package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// SeveralRows is the slug of a key that more than one row has.
const SeveralRows = "several_rows"

// Find implements connectors.Finder: the row of that key, of those that the source
// reads. A key that its column can't even hold is no row's.
func (k keyed) Find(ctx context.Context, key []string) (row connectors.Row, found bool, err error) {
	if len(key) != len(k.cfg.Key) {
		return row, false, problem.New(problem.Invalid, "a key of %d columns was asked for, and the source has %d", len(key), len(k.cfg.Key))
	}
	for _, part := range key {
		if strings.ContainsRune(part, 0) {
			return row, false, nil // no text of PostgreSQL has it
		}
	}
	err = k.looks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		ctx, cancel := context.WithTimeout(ctx, k.cfg.patience())
		defer cancel()
		row, found, err = k.find(ctx, conn, key)
		return err
	})
	if err != nil {
		return connectors.Row{}, false, k.named(ctx, err)
	}
	return row, found, nil
}

func (k keyed) find(ctx context.Context, conn *pgconn.PgConn, key []string) (row connectors.Row, found bool, err error) {
	if err := k.begin(ctx, conn); err != nil {
		return row, false, err
	}
	var where []string
	for i, column := range k.cfg.Key {
		where = append(where, fmt.Sprintf("pictifyd.%s = $%d", pg.Quote(column), i+1))
	}
	text := fmt.Sprintf("SELECT * FROM (%s\n) pictifyd WHERE %s LIMIT 2", k.statement(k.cfg.Key), strings.Join(where, " AND "))
	params := make([][]byte, len(key))
	for i, part := range key {
		params[i] = []byte(part)
	}
	result := conn.ExecParams(ctx, text, params, nil, nil, nil).Read()
	switch state := pg.State(result.Err); {
	case strings.HasPrefix(state, "22"):
		return row, false, nil
	case result.Err != nil:
		return row, false, result.Err
	case len(result.Rows) == 0:
		return row, false, nil
	case len(result.Rows) > 1:
		return row, false, problem.New(problem.Upstream, "more than one row has the key %s", strings.Join(key, ", ")).WithSlug(SeveralRows).
			WithHint("name all columns that identify a row in key")
	}
	w := &walk{key: k.cfg.Key, named: k.title()}
	if w.columns, err = k.columnsOf(ctx, conn, result.FieldDescriptions); err != nil {
		return row, false, err
	}
	e := w.element(result.Rows[0], 1)
	if e.Fault != nil {
		return row, false, problem.New(problem.Upstream, "%s: %s", e.Fault.Position, e.Fault.Detail).WithSlug(e.Fault.Reason)
	}
	return connectors.Row{Key: connectors.KeyOf(k.cfg.Key, e.Values), Values: e.Values, Position: e.Position}, true, nil
}
