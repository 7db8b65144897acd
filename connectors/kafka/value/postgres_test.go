package value_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A row is the same whether the source postgres reads it or Debezium tells of it: else
// changing from one to the other would draw every picture again.
func TestDebeziumRowIsThatOfThePostgresSource(t *testing.T) {
	db := pgtest.New(t)
	db.Run(`CREATE TYPE mood AS ENUM ('sad', 'ok')`)
	sql := map[string]string{
		"id": "1001", "b": "true", "small": "(-7)::smallint", "big": "9223372036854775807::bigint", "f4": "0.1::real", "f8": "100::float8", "f8big": "1e20::float8",
		"f8nan": "'NaN'::float8", "price": "12.34::numeric(10,2)", "debt": "(-0.01)::numeric(10,2)", "nothing": "0::numeric(10,2)", "free": "123.456::numeric",
		"day": "'2024-01-01'::date", "old": "'1969-12-31'::date", "clock": "'10:00:00.5'::time", "clock3": "'10:00'::time(3)",
		"ts": "'2024-01-01 00:00:00.1234'::timestamp", "ts3": "'2024-01-01 00:00:00.12'::timestamp(3)", "tsold": "'1969-12-31 23:59:59.999999'::timestamp",
		"tsend": "'infinity'::timestamp", "tstz": "'2024-01-01 02:00:00.5+01'::timestamptz", "tstzend": "'infinity'::timestamptz", "timetz": "'10:00+00'::timetz",
		"doc": `'{"a": [1, 2.50]}'::jsonb`, "uid": "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "mood": "'ok'::mood", "raw": `'\xdeadbeef'::bytea`, "mask": "B'10101'",
		"tags": "ARRAY['a', NULL]", "days": "ARRAY['1970-01-01'::date]", "null": "NULL::numeric(10,2)",
		"span": "'1 year 2 days 3 hours 4.50 seconds'::interval", "nospan": "'0'::interval",
	}
	columns := append(postgresColumns[:len(postgresColumns):len(postgresColumns)],
		column{name: "span", schema: `"type":"string","name":"io.debezium.time.Interval","version":1`, value: `"P1Y0M2DT3H0M4.5S"`},
		column{name: "nospan", schema: `"type":"string","name":"io.debezium.time.Interval","version":1`, value: `"P0Y0M0DT0H0M0S"`})
	var selected []string
	for _, c := range columns {
		if sql[c.name] == "" {
			t.Fatalf("no SQL for %s", c.name)
		}
		selected = append(selected, fmt.Sprintf("%s AS %q", sql[c.name], c.name))
	}
	cfg := postgres.Kind.Config().(*postgres.Config)
	cfg.DSN, cfg.Query, cfg.Key = config.NewSecret(db.DSN), "SELECT "+strings.Join(selected, ", "), []string{"id"}
	source, err := postgres.Kind.New(cfg, connectors.Env{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.(interface{ Close() error }).Close() })
	var read connectortest.Recorder
	if err := source.Poll(t.Context(), nil, read.Emit); err != nil {
		t.Fatal(err)
	}
	rows := read.Rows
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	c := change{connector: "postgresql", columns: columns, op: "u", before: "null"}
	c.after, _ = c.row()
	mustEqual(t, rows[0].Values, mustRow(t, newDecoder(t, []string{"id"}, debezium), record(keyWhole, c.whole())).Values)
}
