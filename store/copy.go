package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Copied is a table that was copied, and found to be the same there.
type Copied struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// notCopied are tables that say who works with a ledger, since when, and as whom.
var notCopied = []string{"ledger_epoch", "ledger_revisions", "ledger_routes", "members"}

// Copy copies a ledger from a SQLite file to an empty PostgreSQL database, in one
// transaction there: all of it, or nothing. Both are locked meanwhile, and brought to
// the newest version. Every table is read back and compared, value by value. tell
// hears of each table; nil: nobody does.
//
// The queue is not copied: its turns are hints, which the daemon makes again of the
// rows. Bytes of images stay where store.blobs has them, and the key of sealed
// secrets in its file: the new ledger needs it as store.seal_key.
func Copy(ctx context.Context, from, to Config, opt Options, tell func(Copied)) (all []Copied, err error) {
	if from.postgres() || !to.postgres() {
		return nil, problem.New(problem.Unsupported, "a store is copied from a SQLite file to a Postgres server").
			WithHint("between Postgres servers take pg_dump and pg_restore")
	}
	source, err := Open(ctx, from, opt)
	if err != nil {
		return nil, fmt.Errorf("open the store that is copied: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := Open(ctx, to, opt)
	if err != nil {
		return nil, fmt.Errorf("open the store that is copied to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	tables, err := source.ownTables(ctx)
	if err != nil {
		return nil, err
	}
	if err := target.mustBeNew(ctx); err != nil {
		return nil, err
	}
	err = target.inPgx(ctx, func(tx pgx.Tx) error {
		for _, table := range tables {
			c, err := copyTable(ctx, source.read, tx, table)
			if err != nil {
				return fmt.Errorf("copy the table %s: %w", table, err)
			}
			if all = append(all, c); tell != nil {
				tell(c)
			}
		}
		opt.crash("store.copying")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (o Options) crash(point string) {
	if o.Crash != nil {
		o.Crash(point)
	}
}

// ownTables are the tables of a SQLite ledger that are neither the queue's, nor the
// migrations', nor those in which Litestream notes how far it is.
func (s *Store) ownTables(ctx context.Context) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'river_%' AND name NOT LIKE 'goose_%' AND name NOT GLOB '_litestream_*' ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if !slices.Contains(notCopied, name) {
			tables = append(tables, name)
		}
	}
	return tables, rows.Err()
}

// mustBeNew refuses a ledger that has been worked with.
func (s *Store) mustBeNew(ctx context.Context) error {
	for _, table := range []string{"source_rows", "items", "jobs", "templates", "renders", "deliveries"} {
		var some bool
		if err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+table+`)`).Scan(&some); err != nil {
			return fmt.Errorf("look into the store that is copied to: %w", err)
		}
		if some {
			return problem.New(problem.Conflict, "the store that is copied to has %s already", table).WithSlug("store_in_use").
				WithHint("give it a database of its own, or a schema: ?search_path=NAME")
		}
	}
	return nil
}

// inPgx does something in one transaction of the driver itself, which can COPY.
func (s *Store) inPgx(ctx context.Context, do func(pgx.Tx) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver is %T", driver)
		}
		return pgx.BeginFunc(ctx, c.Conn(), do)
	})
}

// copyTable copies a table and compares what came there.
func copyTable(ctx context.Context, from *sql.DB, to pgx.Tx, table string) (Copied, error) {
	c := Copied{Table: table}
	rows, err := from.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	kinds, err := rows.ColumnTypes()
	if err != nil {
		return c, err
	}
	// What a migration put there is in the source as well.
	if _, err := to.Exec(ctx, `DELETE FROM `+table); err != nil {
		return c, err
	}
	source := &copySource{rows: rows}
	var columns, read []string
	for _, k := range kinds {
		source.bytes = append(source.bytes, k.DatabaseTypeName() == "BYTEA" || k.DatabaseTypeName() == "BLOB")
		columns = append(columns, k.Name())
		read = append(read, pgx.Identifier{k.Name()}.Sanitize())
	}
	n, err := to.CopyFrom(ctx, pgx.Identifier{table}, columns, source)
	if err := errors.Join(source.fault, err, rows.Err()); err != nil {
		return c, err
	}
	c.Rows = n
	there, err := to.Query(ctx, `SELECT `+strings.Join(read, ", ")+` FROM `+table)
	if err != nil {
		return c, err
	}
	defer there.Close()
	var sum tableSum
	for there.Next() {
		values, err := there.Values()
		if err != nil {
			return c, err
		}
		sum.add(values)
	}
	if err := there.Err(); err != nil {
		return c, err
	}
	if sum.rows != source.sum.rows || sum.total.Cmp(&source.sum.total) != 0 {
		return c, problem.New(problem.Internal, "%d rows were copied, and what came there is not the same", source.sum.rows).
			WithHint("nothing was copied; please report it with the versions of both databases")
	}
	return c, nil
}

// A copySource hands out the rows of a table, and sums them up.
type copySource struct {
	rows  *sql.Rows
	bytes []bool // columns of bytes, not of text
	sum   tableSum
	fault error
}

func (s *copySource) Next() bool { return s.rows.Next() }

func (s *copySource) Err() error { return s.rows.Err() }

func (s *copySource) Values() ([]any, error) {
	values, into := make([]any, len(s.bytes)), make([]any, len(s.bytes))
	for i := range values {
		into[i] = &values[i]
	}
	if err := s.rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range values {
		if raw, ok := v.([]byte); ok && !s.bytes[i] {
			values[i] = string(raw)
		}
		if text, ok := values[i].(string); ok && strings.ContainsRune(text, 0) {
			s.fault = problem.New(problem.Invalid, "a value of row %d has a character NUL, which Postgres keeps in no text", s.sum.rows+1)
			return nil, s.fault
		}
	}
	s.sum.add(values)
	return values, nil
}

// A tableSum sums up rows in any order: two tables with the same one have the same
// rows, each as often.
type tableSum struct {
	rows  int64
	total big.Int
}

func (t *tableSum) add(values []any) {
	h := sha256.New()
	part := func(kind byte, data []byte) {
		var head [9]byte
		head[0] = kind
		binary.BigEndian.PutUint64(head[1:], uint64(len(data)))
		h.Write(head[:])
		h.Write(data)
	}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			part('n', nil)
		case string:
			part('t', []byte(v))
		case []byte:
			part('b', v)
		case int64:
			part('i', binary.BigEndian.AppendUint64(nil, uint64(v)))
		case int32:
			part('i', binary.BigEndian.AppendUint64(nil, uint64(int64(v))))
		default:
			part('x', fmt.Append(nil, v))
		}
	}
	t.rows++
	t.total.Add(&t.total, new(big.Int).SetBytes(h.Sum(nil)))
}
