package postgres_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// fill makes a table that holds exactly these rows, with the columns that any has.
func (db *database) fill(rows []map[string]any) {
	nested := len(rows) > 0 && len(rows[0]) > 2
	sql := "DROP TABLE IF EXISTS rows; CREATE TABLE rows (id text PRIMARY KEY, name text"
	if nested {
		sql += `, price numeric, "on" bool, none int, tags jsonb, parts text[], "Größe" double precision`
	}
	sql += ");"
	text := func(v any) string { return pg.Literal(fmt.Sprint(v)) }
	var values []string
	for _, row := range rows {
		cells := text(row["id"]) + ", " + text(row["name"])
		if nested {
			cells += `, 10.50, true, NULL, '["a", 1, {"x": [null]}]', '{a,NULL,"b \"c\\",NULL}', 1e400::numeric::text::numeric * 0 + 0.1`
		}
		values = append(values, "("+cells+")")
	}
	if len(values) > 0 {
		sql += "INSERT INTO rows VALUES " + strings.Join(values, ",")
	}
	db.Run(sql)
}

func TestPostgresKeepsTheContract(t *testing.T) {
	for name, change := range map[string]func(c *postgres.Config){
		"table": func(c *postgres.Config) { c.Key = []string{"id"} },
		"query": func(c *postgres.Config) {
			c.Table, c.Query, c.Key = "", "SELECT * FROM rows -- all\n;\n", []string{"id"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, connectortest.Suite{
				Kind: postgres.Kind,
				Open: func(tb testing.TB) connectortest.Source {
					db := newDatabase(tb)
					return connectortest.Source{
						Config: db.config(change),
						Set: func(tb testing.TB, rows []map[string]any) {
							tb.Helper()
							db.fill(rows)
						},
						Break: func(testing.TB) { db.Run("DROP TABLE rows") },
						// The last row divides by zero once it is reached.
						Cut: func(tb testing.TB, rows []map[string]any) {
							tb.Helper()
							db.fill(rows)
							db.Run("ALTER TABLE rows RENAME TO all_rows; CREATE VIEW rows AS SELECT id, name, 1 / nullif(id, '0699')::int AS n FROM all_rows UNION ALL SELECT 'x', 'x', 1 / (SELECT 0)")
							tb.Cleanup(func() { db.Run("DROP VIEW rows") })
						},
					}
				},
				Values: map[string]any{
					"price": json.Number("10.50"), "on": true, "none": nil, "tags": []any{"a", json.Number("1"), map[string]any{"x": []any{nil}}},
					"parts": []any{"a", nil, `b "c\`, nil}, "Größe": json.Number("0.1"),
				},
			})
		})
	}
}
