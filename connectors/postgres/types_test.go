package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// typed are columns of every type, with values of each.
var typed = map[string][]string{
	"smallint": {"-32768", "0"}, "int": {"2147483647"}, "bigint": {"-9223372036854775808"},
	"numeric": {"12345678901234567890.1234567890", "NaN", "Infinity", "-Infinity", "0.00", "1e-20"}, "numeric(10,2)": {"1.5", "NaN"},
	"real": {"0.1", "NaN", "-Infinity", "1e20"}, "float8": {"0.1", "1e300", "NaN", "Infinity", "-0"},
	"bool": {"t", "f"}, "text": {"", "ключ ä€😀", `a"b\c`, "{}", "NULL"}, "varchar(3)": {"abc", ""}, "char(5)": {"ab", ""}, `"char"`: {"x"}, "name": {"n"},
	"bytea": {`\x00ff`, ""}, "uuid": {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
	"date": {"2026-03-01", "infinity", "-infinity", "0044-03-15 BC", "12026-03-01"}, "time": {"18:30", "24:00"}, "time(2)": {"18:30:00.128"}, "timetz": {"18:30:00.5+02"},
	"timestamp": {"2026-03-01 12:00", "infinity", "0044-03-15 12:00 BC"}, "timestamp(3)": {"2026-03-01 12:00:00.1239"},
	"timestamptz": {"2026-03-01 12:00:00.5+02", "-infinity"}, "timestamptz(0)": {"2026-03-01 12:00:00.7+02"}, "interval": {"1 day 2 hours", "-1 year 3 mons 00:00:00.5", "0"},
	"json": {`{"b": 1.50, "a": [1, {"x": null}], "a": 2}`, "null", `"\u00e4"`}, "jsonb": {`[12345678901234567890, 1.50]`, "null"}, "xml": {"<a/>"},
	"inet": {"10.0.0.0/8", "::1"}, "cidr": {"10.0.0.0/8"}, "macaddr": {"08:00:2b:01:02:03"}, "int4range": {"[1,5)", "empty"}, "tstzrange": {"[2026-03-01 12:00+02,)"},
	"point": {"(1,2)"}, "box": {"(1,1),(0,0)"}, "bit(3)": {"101"}, "varbit": {"1", ""}, "money": {"12.5", "-1234.5"}, "tsvector": {"a b:1"}, "oid": {"7"},
	"int[]": {"{1,NULL,3}", "{}", "{{1,2},{3,4}}", "[0:1]={1,2}"}, "text[]": {`{"a,b","NULL",NULL,"","{","\"\\"}`}, "timestamptz(0)[]": {"{2026-03-01 12:00:00.7+02,NULL}"},
	"numeric(6,2)[]": {"{1.5,NaN}"}, "box[]": {"{(1,1),(0,0);(2,2),(1,1)}"}, "jsonb[]": {`{"{\"a\": 1.50}","null"}`}, "bytea[]": {`{"\\x00ff"}`}, "bool[]": {"{t,f}"},
	"mood": {"so so"}, "mood[]": {"{sad,NULL}"}, "cents": {"7"}, "old_cents": {"8"}, "old_cents[]": {"{9}"}, "moment": {"2026-03-01 12:00:00.123456+02"}, "moments": {"{2026-03-01 12:00:00.123456+02}"},
	"pair": {"(1,x)"}, "pair[]": {`{"(1,x)"}`}, "label": {"ab"}, "span": {"[2026-03-01 12:00,2026-03-02)"},
}

const typesOfOurOwn = `CREATE TYPE mood AS ENUM ('sad', 'so so'); CREATE DOMAIN cents AS bigint; CREATE DOMAIN old_cents AS cents; CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN moment AS timestamptz(2); CREATE DOMAIN moments AS timestamptz(1)[]; CREATE DOMAIN label AS char(4); CREATE TYPE span AS RANGE (subtype = timestamp);`

// One decoder reads what a snapshot, a stream and a poll bring, whatever forms the
// server is configured to write: the same row is the same.
func TestSnapshotStreamAndPollReadTheSame(t *testing.T) {
	for name, settings := range map[string][]string{
		"plain":  nil,
		"german": {"timezone=Asia/Kathmandu", "datestyle=German", "intervalstyle=postgres_verbose", "bytea_output=escape", "extra_float_digits=-3", "xmlbinary=hex"},
	} {
		t.Run(name, func(t *testing.T) {
			seed := seedOf(t)
			random := rand.New(rand.NewPCG(seed, 0))
			db := newDatabase(t)
			db.Run(typesOfOurOwn)
			var names, columns []string
			var values [][]string
			for kind, of := range typed {
				columns = append(columns, fmt.Sprintf("c%d %s", len(names), kind))
				names = append(names, fmt.Sprintf("c%d", len(names)))
				values = append(values, of)
			}
			db.Run("CREATE TABLE rows (id int PRIMARY KEY, " + strings.Join(columns, ", ") + ")")
			insert := func(id int) string {
				cells := []string{fmt.Sprint(id)}
				for _, of := range values {
					if random.IntN(8) == 0 {
						cells = append(cells, "NULL")
						continue
					}
					cells = append(cells, pg.Literal(of[random.IntN(len(of))]))
				}
				return "INSERT INTO rows VALUES (" + strings.Join(cells, ", ") + ");"
			}
			for id := range 40 {
				db.Run(insert(id))
			}
			dsn := db.DSN
			for _, setting := range settings {
				key, value, _ := strings.Cut(setting, "=")
				dsn = pgtest.With(dsn, key, value)
			}
			s := newStreamed(t, db, func(c *postgres.Config) { c.DSN = config.NewSecret(dsn) })
			s.keeper.dsn = dsn
			s.start()
			s.streaming()
			s.equal()
			for id := range 40 {
				db.Run(insert(100 + id))
			}
			db.Run("DELETE FROM rows WHERE id < 20; INSERT INTO rows SELECT id - 500, " + strings.Join(names, ", ") + " FROM rows; UPDATE rows SET id = -id WHERE id > 30")
			s.caughtUp()
			s.equal()
			s.stop()
			streamed := s.rows
			if len(s.faults) > 0 {
				t.Errorf("faults %+v", s.faults[:1])
			}
			again := newLedger(t)
			s.ledger = again
			s.keeper.drop()
			s.start()
			s.streaming()
			s.equal()
			s.stop()
			if len(again.rows) != len(streamed) {
				t.Errorf("%d rows, want %d", len(again.rows), len(streamed))
			}
		})
	}
}

// Any type can be the key of a backfill.
func TestBackfillGoesInTheOrderOfAnyKey(t *testing.T) {
	for kind, value := range map[string]string{
		"text": "'k' || i || 'Ä'", "text COLLATE \"C\"": "'k' || i", "varchar(20)": "'K' || i", "char(9)": "'k' || i", "uuid": "md5(i::text)::uuid", "numeric": "i / 3.0",
		"float8": "i / 3.0::float8", "timestamptz": "'2026-03-01'::timestamptz + i * '1.000001 s'::interval", "date": "'2026-03-01'::date + i", "bytea": "('\\x' || lpad(to_hex(i), 8, '0'))::bytea",
		"int[]": "ARRAY[i % 7, i]", "inet": "'10.0.0.0'::inet + i", "jsonb": "to_jsonb(i)", "cents": "i", "interval": "i * '1 h'::interval",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			db.Run(typesOfOurOwn + "CREATE TABLE rows (id " + kind + ", part int, v text, PRIMARY KEY (id, part)); INSERT INTO rows SELECT " + value + ", i % 3, 'v' || i FROM generate_series(1, 300) i")
			s := newStreamed(t, db, nil)
			s.small = true
			s.start()
			s.streaming()
			db.Run("UPDATE rows SET v = 'new' WHERE part = 1; DELETE FROM rows WHERE part = 2; UPDATE rows SET part = 5 WHERE part = 0 AND v LIKE '%9'")
			s.caughtUp()
			s.equal()
		})
	}
}

// A key that no index has, and one that may be null, are read in full too.
func TestBackfillOfAKeyThatIsNotThePrimary(t *testing.T) {
	for name, table := range map[string]string{
		"no index":        "CREATE TABLE rows (sku text, v int); ALTER TABLE rows REPLICA IDENTITY FULL",
		"a nullable one":  "CREATE TABLE rows (sku text UNIQUE, v int); ALTER TABLE rows REPLICA IDENTITY FULL",
		"beside another":  "CREATE TABLE rows (sku text, v int PRIMARY KEY); ALTER TABLE rows REPLICA IDENTITY FULL",
		"an index of two": "CREATE TABLE rows (sku text NOT NULL, v int NOT NULL, UNIQUE (v, sku)); ALTER TABLE rows REPLICA IDENTITY FULL",
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(table + "; INSERT INTO rows SELECT 'k' || i, i FROM generate_series(1, 300) i")
			s := newStreamed(t, db, func(c *postgres.Config) { c.Key = []string{"sku"} })
			s.small = true
			s.start()
			s.streaming()
			db.Run("UPDATE rows SET sku = 'new' WHERE v = 7; DELETE FROM rows WHERE v = 8; UPDATE rows SET v = -1 WHERE v = 9")
			s.caughtUp()
			s.equal()
		})
	}
}
