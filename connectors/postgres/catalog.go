package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	polling "github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A table is what the catalog says of the one that is streamed.
type table struct {
	oid     uint32
	name    pg.Name
	only    bool     // tables that inherit from it are others
	key     []string // the columns of the source's key
	visible []string // the columns that rows have: none that are generated, which no stream tells
	keyAt   []int    // of the key among the visible
	page    []string // the columns in whose order a backfill goes
	// pageUnique: no two rows have the same values there; nullable are those of page
	// that may have none.
	pageUnique bool
	nullable   []string
	indexed    bool
	fields     []field
	columns    string // a digest of what the columns are, and the key
	files      string // a digest of where the rows are
	about      int64  // rows
}

// A field is a column as a person knows it.
type field struct{ name, kind string }

const fieldsSQL = `
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> ''
FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

// The files say that rows were written anew without a word: by an ALTER TABLE, by
// a TRUNCATE of one partition, or with a partition that came or went.
const filesSQL = `
SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, coalesce(string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid), ''),
  (SELECT relkind FROM pg_catalog.pg_class WHERE oid = $1::oid)
FROM pg_catalog.pg_class c
WHERE c.relkind = 'r' AND c.oid IN (SELECT $1::oid UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass))`

// lookUp asks the catalog for the table. All its answers are of one moment, so that
// what is done to the table meanwhile is not half seen.
func (f *follower) lookUp(ctx context.Context, conn *pgconn.PgConn, oid uint32) (t *table, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.patience())
	defer cancel()
	if err := f.begin(ctx, conn); err != nil {
		return nil, err
	}
	defer func() {
		if _, end := conn.Exec(ctx, "ROLLBACK").ReadAll(); err == nil {
			err = end
		}
	}()
	return f.tableNow(ctx, conn, oid)
}

func (f *follower) tableNow(ctx context.Context, conn *pgconn.PgConn, oid uint32) (*table, error) {
	found, err := pg.Look(ctx, conn, f.table)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprint(oid)
	same, err := pg.Rows(ctx, conn, "SELECT pg_catalog.to_regclass($1)::oid::text", f.table.SQL())
	if err != nil {
		return nil, err
	}
	if string(same[0][0]) != id {
		return nil, fmt.Errorf("%w: another one has its name now", errNoTable)
	}
	fields, err := pg.Rows(ctx, conn, fieldsSQL, id)
	if err != nil {
		return nil, err
	}
	files, err := pg.Rows(ctx, conn, filesSQL, id)
	if err != nil {
		return nil, err
	}
	t := &table{oid: oid, name: found.Name, only: string(files[0][2]) == "r"}
	t.about, _ = strconv.ParseInt(string(files[0][0]), 10, 64)
	return t, f.fit(t, found, fields, string(files[0][1]))
}

// fit chooses the columns that are read.
func (f *follower) fit(t *table, found *pg.Table, fields [][][]byte, files string) error {
	t.key = f.cfg.Key
	if len(t.key) == 0 {
		t.key = found.Primary
	}
	if len(t.key) == 0 {
		return problem.New(problem.Invalid, "%s has no primary key", t.name).At("key").WithSlug(NoPrimaryKey).
			WithHint("name the columns that identify a row, as in key: %s", found.Columns[0].Name)
	}
	var names []string
	for _, c := range fields {
		if string(c[2]) == "t" {
			continue
		}
		name := string(c[0])
		names = append(names, name)
		if len(f.cfg.Columns) == 0 || slices.Contains(f.cfg.Columns, name) || slices.Contains(t.key, name) {
			t.fields = append(t.fields, field{name, string(c[1])})
			t.visible = append(t.visible, name)
		}
	}
	if err := hasColumns(names, "columns", f.cfg.Columns); err != nil {
		return err
	}
	if err := hasColumns(names, "key", t.key); err != nil {
		return err
	}
	for _, name := range t.key {
		t.keyAt = append(t.keyAt, slices.Index(t.visible, name))
	}
	t.order(found)
	var parts []string
	for _, c := range t.fields {
		parts = append(parts, c.name, c.kind)
	}
	t.columns = digestOf(append(parts, t.key...))
	t.files = digestOf([]string{files})
	return nil
}

func digestOf(parts []string) string {
	return polling.Digest([]byte(strings.Join(parts, "\x00")))[:16]
}

// digest is what the rows that were read depend on.
func (t *table) digest() string { return t.columns + t.files }

// sameColumns reports whether rows were read under these columns, by the digest.
func (t *table) sameColumns(digest string) bool { return strings.HasPrefix(digest, t.columns) }

// changed says what of the columns is another than in an older table: what is gone
// or became something else, which pictures may miss.
func (t *table) changed(older *table) (what []string) {
	for _, c := range older.fields {
		i := slices.IndexFunc(t.fields, func(now field) bool { return now.name == c.name })
		switch {
		case i < 0:
			what = append(what, fmt.Sprintf("%s is gone", c.name))
		case t.fields[i].kind != c.kind:
			what = append(what, fmt.Sprintf("%s was %s and is %s", c.name, c.kind, t.fields[i].kind))
		}
	}
	for _, c := range t.fields {
		if !slices.ContainsFunc(older.fields, func(was field) bool { return was.name == c.name }) {
			what = append(what, fmt.Sprintf("%s is new", c.name))
		}
	}
	if !slices.Equal(t.key, older.key) {
		what = append(what, "the key is "+strings.Join(t.key, ", "))
	}
	return what
}

// order chooses the columns in whose order a backfill goes: of a key that every row
// has, else of the source's key.
func (t *table) order(found *pg.Table) {
	always := func(columns []string) bool {
		return !slices.ContainsFunc(columns, func(name string) bool {
			c, ok := found.Column(name)
			return !ok || !c.NotNull
		})
	}
	t.page, t.pageUnique, t.indexed = found.Primary, true, true
	if len(t.page) == 0 {
		if i := slices.IndexFunc(found.Unique, always); i >= 0 {
			t.page = found.Unique[i]
		}
	}
	if len(t.page) > 0 {
		return
	}
	t.page, t.pageUnique = t.key, found.IsUnique(t.key, false)
	t.indexed = t.pageUnique
	for _, name := range t.key {
		if c, _ := found.Column(name); !c.NotNull {
			t.nullable = append(t.nullable, name)
		}
	}
}

// The base of a domain has the modifier that the innermost domain says.
const baseSQL = `
WITH RECURSIVE base AS (
  SELECT oid, typtype, typbasetype, typtypmod, -1 AS typmod FROM pg_catalog.pg_type WHERE oid = $1::oid
  UNION ALL
  SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, b.typtypmod FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT oid::text, typmod::text FROM base WHERE typtype <> 'd'`

// fieldOf is a column of a relation as the result of a SELECT would describe it: as
// one of the base of its domain.
func (f *follower) fieldOf(ctx context.Context, conn *pgconn.PgConn, c replication.Column) (pgconn.FieldDescription, error) {
	d := pgconn.FieldDescription{Name: c.Name, DataTypeOID: c.Type, TypeModifier: c.Typmod}
	if builtin[c.Type] != nil {
		return d, nil
	}
	rows, err := pg.Rows(ctx, conn, baseSQL, fmt.Sprint(c.Type))
	if err != nil || len(rows) != 1 {
		return d, err // a type that is gone is a text
	}
	base, err := strconv.ParseUint(string(rows[0][0]), 10, 32)
	if err != nil || uint32(base) == c.Type {
		return d, err
	}
	typmod, err := strconv.ParseInt(string(rows[0][1]), 10, 32)
	d.DataTypeOID, d.TypeModifier = uint32(base), int32(typmod)
	return d, err
}

// errNoTable is a table that is not the one that the slot's publication has.
var errNoTable = errors.New("the table was made anew")
