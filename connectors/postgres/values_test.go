package postgres_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

func TestValuesKeepTheirDigits(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TYPE mood AS ENUM ('sad', 'so so'); CREATE DOMAIN cents AS bigint CHECK (value >= 0);
CREATE DOMAIN old_cents AS cents; CREATE TYPE pair AS (a int, b text)`)
	for sql, want := range map[string]any{
		"9223372036854775807::bigint":              json.Number("9223372036854775807"),
		"12345678901234567890.1234567890::numeric": json.Number("12345678901234567890.1234567890"),
		"1.50::numeric(10,2)":                      json.Number("1.50"),
		"0.1::float8":                              json.Number("0.1"),
		"1e300::float8":                            json.Number("1e+300"),
		"0.1::real":                                json.Number("0.1"),
		"'NaN'::numeric":                           "NaN",
		"'-Infinity'::float8":                      "-Infinity",
		"'infinity'::timestamptz":                  "Infinity",
		"'-infinity'::date":                        "-Infinity",
		"true":                                     true,
		"NULL::text":                               nil,
		"''":                                       "",
		"'2026-03-01 12:00:00.5+02'::timestamptz":                  "2026-03-01T10:00:00.500000Z",
		"'2026-03-01 12:00:00+02'::timestamptz(0)":                 "2026-03-01T10:00:00Z",
		"'2026-03-01 12:00:00.123456'::timestamp":                  "2026-03-01T12:00:00.123456",
		"'2026-03-01 12:00'::timestamp(3)":                         "2026-03-01T12:00:00.000",
		"'0044-03-15 12:00 BC'::timestamp":                         "0044-03-15 12:00:00 BC",
		"'12026-03-01 12:00'::timestamp":                           "12026-03-01 12:00:00",
		"'2026-03-01'::date":                                       "2026-03-01",
		"'18:30'::time":                                            "18:30:00",
		"'1 day 2 hours'::interval":                                "P1DT2H",
		"'ab'::char(5)":                                            "ab",
		"'so so'::mood":                                            "so so",
		"7::old_cents":                                             json.Number("7"),
		"ARRAY['so so', NULL]::mood[]":                             []any{"so so", nil},
		"ARRAY[7]::old_cents[]":                                    []any{json.Number("7")},
		"'{{1,2},{3,4}}'::int[]":                                   []any{[]any{json.Number("1"), json.Number("2")}, []any{json.Number("3"), json.Number("4")}},
		"'[0:1]={1,2}'::int[]":                                     []any{json.Number("1"), json.Number("2")},
		"'{}'::int[]":                                              []any{},
		`'{"a,b","NULL",NULL,"","{","\"\\"}'::text[]`:              []any{"a,b", "NULL", nil, "", "{", `"\`},
		"ARRAY['2026-03-01 12:00+02']::timestamptz(0)[]":           []any{"2026-03-01T10:00:00Z"},
		"'{(1,1),(0,0);(2,2),(1,1)}'::box[]":                       []any{"(1,1),(0,0)", "(2,2),(1,1)"},
		`'{"b": 1.50, "a": [1, {"x": null}], "a": 2}'::json`:       map[string]any{"b": json.Number("1.50"), "a": json.Number("2")},
		`'[12345678901234567890]'::jsonb`:                          []any{json.Number("12345678901234567890")},
		"'null'::jsonb":                                            nil,
		`'\x00ff'::bytea`:                                          "AP8=",
		"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid":             "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		"'[1,5)'::int4range":                                       "[1,5)",
		"'10.0.0.0/8'::inet":                                       "10.0.0.0/8",
		"(1,'x')::pair":                                            "(1,x)",
		"12.5::money":                                              "$12.50",
		"B'101'":                                                   "101",
		"'ключ ä€😀'::varchar(20)":                                  "ключ ä€😀",
		"array_to_json(ARRAY['2026-03-01 12:00+02'::timestamptz])": []any{"2026-03-01T10:00:00+00:00"},
	} {
		p := newPoller(t, db.config(func(c *postgres.Config) {
			c.Table, c.Query, c.Key = "", "SELECT 1 AS id, "+sql+" AS v", []string{"id"}
		}))
		r := mustPoll(t, p, nil)
		if len(r.Rows) != 1 {
			t.Errorf("%s: %d rows, faults %v", sql, len(r.Rows), r.Faults)
			continue
		}
		if diff := cmp.Diff(want, r.Rows[0].Values["v"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
	}
}

// A server, a database or a role may be configured to write values in other forms.
func TestFormsOfTheServerAreNotSeen(t *testing.T) {
	db := newDatabase(t)
	query := `SELECT 1 AS id, '2026-03-01 12:00:00.5+02'::timestamptz AS at, '2026-03-04'::date AS day, '\x00ff'::bytea AS b, 0.1::float8 + 0.2 AS f, '1 day'::interval AS i`
	change := func(c *postgres.Config) { c.Table, c.Query, c.Key = "", query, []string{"id"} }
	want := mustPoll(t, newPoller(t, db.config(change)), nil)
	for _, setting := range []string{"timezone=Asia/Kathmandu", "datestyle=SQL,DMY", "datestyle=German", "intervalstyle=postgres_verbose", "bytea_output=escape", "extra_float_digits=-3", "client_encoding=LATIN1"} {
		dsn := db.DSN
		name, value, _ := strings.Cut(setting, "=")
		db.DSN = pgtest.With(dsn, name, value)
		if got := db.Value("SHOW " + name); got == value {
			t.Fatalf("%s is the server's own %s", name, got)
		}
		p := newPoller(t, db.config(change))
		if got := mustPoll(t, p, want.Closing.Cursor); !got.Closing.Unchanged {
			t.Errorf("under %s: %s", setting, cmp.Diff(want.Rows, got.Rows))
		}
		db.DSN = dsn
	}
}

func TestBadCellsAreFaultsOfTheirRows(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v json); INSERT INTO rows SELECT i, '1' FROM generate_series(1, 3) i`)
	db.Run(`UPDATE rows SET v = (repeat('[', 5000) || repeat(']', 5000))::json WHERE id = 2; INSERT INTO rows VALUES (4, '"\ud800"')`)
	p := newPoller(t, db.config(func(c *postgres.Config) {
		c.Table, c.Query, c.Key = "", `SELECT id, v, CASE id WHEN 2 THEN repeat('x', 17000000) END AS big FROM rows`, []string{"id"}
	}))
	r := mustPoll(t, p, nil)
	if len(r.Rows) != 3 || len(r.Faults) != 1 || r.Faults[0].Reason != "too_large" || r.Faults[0].Key[0] != json.Number("2") || !r.Closing.Complete {
		t.Errorf("%d rows, faults %+v, closing %+v", len(r.Rows), r.Faults, r.Closing)
	}
}
