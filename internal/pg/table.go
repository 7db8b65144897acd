package pg

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Table is what the catalog says of one.
type Table struct {
	Name    Name // with its schema
	Kind    string
	Columns []Column
	Primary []string
	Unique  [][]string // the columns of each index that allows no two rows with the same ones
}

// A Column is one of a table.
type Column struct {
	Name string
	// Cast is the type that a text becomes before it is compared and assigned: the
	// base of a domain, without a length, which a cast would cut to in silence.
	Cast      string
	Text      bool // it is compared as text: its type has no equality
	NotNull   bool
	Generated bool
	MayRead   bool // by the effective rights of the user
	MayWrite  bool
	MayInsert bool
}

// relations are the kinds of what can be read like a table.
const relations = "r p v m f"

const tableSQL = `
SELECT n.nspname, c.relname, c.relkind, c.oid::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass($1)`

// The base of a domain is looked for, and of what it is an array of.
const columnsSQL = `
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.typmod END
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT a.attname,
  pg_catalog.format_type(t.oid, CASE WHEN t.typname IN ('numeric', 'timestamp', 'timestamptz', 'time', 'timetz', 'interval') THEN b.typmod ELSE -1 END),
  coalesce(e.typname, t.typname), a.attnotnull, a.attgenerated <> '' OR a.attidentity = 'a',
  pg_catalog.has_column_privilege($1::oid, a.attnum, 'SELECT'), pg_catalog.has_column_privilege($1::oid, a.attnum, 'UPDATE'),
  pg_catalog.has_column_privilege($1::oid, a.attnum, 'INSERT')
FROM base b
JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum
JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
ORDER BY a.attnum`

const uniqueSQL = `
SELECT i.indisprimary, i.indexrelid::text, a.attname
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, at)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indexrelid, k.at`

// without are the types that have no equality, or one that is not of the value.
var without = []string{"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle"}

// Look asks the catalog for a table. One that there is not, is a problem.
func Look(ctx context.Context, conn *pgconn.PgConn, name Name) (*Table, error) {
	found, err := Rows(ctx, conn, tableSQL, name.SQL())
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || !strings.Contains(relations, string(found[0][2])) {
		return nil, nowhere(ctx, conn, name)
	}
	t := &Table{Name: Name{Schema: string(found[0][0]), Table: string(found[0][1])}, Kind: string(found[0][2])}
	oid := string(found[0][3])
	columns, err := Rows(ctx, conn, columnsSQL, oid)
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		t.Columns = append(t.Columns, Column{
			Name: string(c[0]), Cast: string(c[1]), Text: slices.Contains(without, string(c[2])),
			NotNull: yes(c[3]), Generated: yes(c[4]), MayRead: yes(c[5]), MayWrite: yes(c[6]), MayInsert: yes(c[7]),
		})
	}
	return t, t.lookUnique(ctx, conn, oid)
}

func yes(value []byte) bool { return string(value) == "t" }

func (t *Table) lookUnique(ctx context.Context, conn *pgconn.PgConn, oid string) error {
	rows, err := Rows(ctx, conn, uniqueSQL, oid)
	last := ""
	for _, row := range rows {
		if string(row[1]) != last {
			t.Unique = append(t.Unique, nil)
		}
		last = string(row[1])
		i := len(t.Unique) - 1
		t.Unique[i] = append(t.Unique[i], string(row[2]))
		if yes(row[0]) {
			t.Primary = t.Unique[i]
		}
	}
	return err
}

// nowhere says which table of nearly that name there is.
func nowhere(ctx context.Context, conn *pgconn.PgConn, name Name) error {
	p := problem.New(problem.Upstream, "there is no table %s in the database, or this user may not look into its schema", name).WithSlug(TableMissing)
	near, err := Rows(ctx, conn, `
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1, 2 LIMIT 1`, name.Table)
	if err != nil {
		return err
	}
	if len(near) == 0 {
		return p.WithHint("correct the table's name, or name its schema: shop.products")
	}
	return p.WithHint(`did you mean table: '%s'?`, Name{Schema: string(near[0][0]), Table: string(near[0][1])}.SQL())
}

// Column is the column of that name.
func (t *Table) Column(name string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

// Names are those of the columns.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// IsUnique reports whether no two rows have the same values in columns: an index
// is on some of them, or where exactly is asked for, on all.
func (t *Table) IsUnique(columns []string, exactly bool) bool {
	return slices.ContainsFunc(t.Unique, func(index []string) bool {
		if exactly && len(index) != len(columns) {
			return false
		}
		return !slices.ContainsFunc(index, func(c string) bool { return !slices.Contains(columns, c) })
	})
}
