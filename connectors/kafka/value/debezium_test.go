package value_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

// A column is one of a table as Debezium has it in its events.
type column struct {
	name   string
	schema string // of Kafka Connect, without its field
	value  string // JSON
	want   any    // of a row
}

// A change is a change event as Debezium's connectors write it, whose columns are of
// one table.
type change struct {
	connector     string // postgresql, mysql
	columns       []column
	op            string
	before, after string // JSON
}

// structOf is the schema of the table's rows.
func (c change) structOf(field string) string {
	fields := make([]string, len(c.columns))
	for i, column := range c.columns {
		fields[i] = `{` + column.schema + `,"optional":true,"field":"` + column.name + `"}`
	}
	return `{"type":"struct","fields":[` + strings.Join(fields, ",") + `],"optional":true,"name":"dbserver1.inventory.goods.Value","field":"` + field + `"}`
}

func (c change) payload() string {
	source := map[string]string{
		"postgresql": `{"version":"3.0.7.Final","connector":"postgresql","name":"dbserver1","ts_ms":1559033904863,"snapshot":"false","db":"postgres","sequence":"[\"24023119\",\"24023128\"]","ts_us":1559033904863123,"ts_ns":1559033904863123000,"schema":"inventory","table":"goods","txId":555,"lsn":24023128,"xmin":null}`,
		"mysql":      `{"version":"3.0.7.Final","connector":"mysql","name":"dbserver1","ts_ms":1465491411000,"snapshot":"false","db":"inventory","sequence":null,"ts_us":1465491411000000,"ts_ns":1465491411000000000,"table":"goods","server_id":223344,"gtid":null,"file":"mysql-bin.000003","pos":484,"row":0,"thread":7,"query":null}`,
	}[c.connector]
	return `{"before":` + c.before + `,"after":` + c.after + `,"source":` + source + `,"transaction":null,"op":"` + c.op + `","ts_ms":1559033904961,"ts_us":1559033904961654,"ts_ns":1559033904961654000}`
}

// plain is the event with schemas.enable=false.
func (c change) plain() string { return c.payload() }

// whole is the event with its schema.
func (c change) whole() string {
	source := `{"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},{"type":"string","optional":false,"field":"connector"},{"type":"string","optional":false,"field":"name"},{"type":"int64","optional":false,"field":"ts_ms"},{"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"true,last,false,incremental"},"default":"false","field":"snapshot"}],"optional":false,"name":"io.debezium.connector.` + c.connector + `.Source","field":"source"}`
	schema := `{"type":"struct","fields":[` + c.structOf("before") + `,` + c.structOf("after") + `,` + source +
		`,{"type":"string","optional":false,"field":"op"},{"type":"int64","optional":true,"field":"ts_ms"}],"optional":false,"name":"dbserver1.inventory.goods.Envelope","version":2}`
	return `{"schema":` + schema + `,"payload":` + c.payload() + `}`
}

// row is the JSON of all the columns, and what a row of them is.
func (c change) row() (text string, want map[string]any) {
	members := make([]string, len(c.columns))
	want = map[string]any{}
	for i, column := range c.columns {
		members[i] = `"` + column.name + `":` + column.value
		want[column.name] = column.want
	}
	return "{" + strings.Join(members, ",") + "}", want
}

const keyWhole = `{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"}],"optional":false,"name":"dbserver1.inventory.goods.Key"},"payload":{"id":1001}}`

func debezium(c *value.Config) { c.Envelope = value.Debezium }

const decimal2 = `"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"}`

// postgresColumns are the types of PostgreSQL by Debezium's documentation, with what
// the source postgres has for the same values.
var postgresColumns = []column{
	{"id", `"type":"int32"`, `1001`, number("1001")},
	{"b", `"type":"boolean"`, `true`, true},
	{"small", `"type":"int16"`, `-7`, number("-7")},
	{"big", `"type":"int64"`, `9223372036854775807`, number("9223372036854775807")},
	{"f4", `"type":"float"`, `0.1`, number("0.1")},
	{"f8", `"type":"double"`, `100.0`, number("100")},
	{"f8big", `"type":"double"`, `1.0E20`, number("1e+20")},
	{"f8nan", `"type":"double"`, `"NaN"`, "NaN"},
	{"price", decimal2, `"BNI="`, number("12.34")},
	{"debt", decimal2, `"/w=="`, number("-0.01")},
	{"nothing", decimal2, `"AA=="`, number("0.00")},
	{"free", `"type":"struct","fields":[{"type":"int32","optional":false,"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],"name":"io.debezium.data.VariableScaleDecimal","version":1`, `{"scale":3,"value":"AeJA"}`, number("123.456")},
	{"day", `"type":"int32","name":"io.debezium.time.Date","version":1`, `19723`, "2024-01-01"},
	{"old", `"type":"int32","name":"io.debezium.time.Date","version":1`, `-1`, "1969-12-31"},
	{"clock", `"type":"int64","name":"io.debezium.time.MicroTime","version":1`, `36000500000`, "10:00:00.5"},
	{"clock3", `"type":"int32","name":"io.debezium.time.Time","version":1`, `36000000`, "10:00:00"},
	{"ts", `"type":"int64","name":"io.debezium.time.MicroTimestamp","version":1`, `1704067200123400`, "2024-01-01T00:00:00.123400"},
	{"ts3", `"type":"int64","name":"io.debezium.time.Timestamp","version":1`, `1704067200120`, "2024-01-01T00:00:00.120"},
	{"tsold", `"type":"int64","name":"io.debezium.time.MicroTimestamp","version":1`, `-1`, "1969-12-31T23:59:59.999999"},
	{"tsend", `"type":"int64","name":"io.debezium.time.MicroTimestamp","version":1`, `9223372036825200000`, "Infinity"},
	{"tstz", `"type":"string","name":"io.debezium.time.ZonedTimestamp","version":1`, `"2024-01-01T01:00:00.5Z"`, "2024-01-01T01:00:00.500000Z"},
	{"tstzend", `"type":"string","name":"io.debezium.time.ZonedTimestamp","version":1`, `"infinity"`, "Infinity"},
	{"timetz", `"type":"string","name":"io.debezium.time.ZonedTime","version":1`, `"10:00:00Z"`, "10:00:00+00"},
	{"doc", `"type":"string","name":"io.debezium.data.Json","version":1`, `"{\"a\": [1, 2.50]}"`, map[string]any{"a": []any{number("1"), number("2.50")}}},
	{"uid", `"type":"string","name":"io.debezium.data.Uuid","version":1`, `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
	{"mood", `"type":"string","name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"sad,ok"}`, `"ok"`, "ok"},
	{"raw", `"type":"bytes"`, `"3q2+7w=="`, "3q2+7w=="},
	{"mask", `"type":"bytes","name":"io.debezium.data.Bits","version":1,"parameters":{"length":"5"}`, `"FQ=="`, "10101"},
	{"tags", `"type":"array","items":{"type":"string","optional":true}`, `["a",null]`, []any{"a", nil}},
	{"days", `"type":"array","items":{"type":"int32","optional":true,"name":"io.debezium.time.Date","version":1}`, `[0]`, []any{"1970-01-01"}},
	{"null", decimal2, `null`, nil},
}

// mysqlColumns are those of MySQL.
var mysqlColumns = []column{
	{"id", `"type":"int32"`, `1001`, number("1001")},
	{"tiny", `"type":"int16"`, `1`, number("1")},
	{"price", decimal2, `"BNI="`, number("12.34")},
	{"as_connect", `"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1`, `1704067200120`, "2024-01-01T00:00:00.120"},
	{"day", `"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1`, `19723`, "2024-01-01"},
	{"clock", `"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1`, `36000000`, "10:00:00"},
	{"span", `"type":"int64","name":"io.debezium.time.MicroTime","version":1`, `-3020399000000`, "-838:59:59"},
	{"datetime", `"type":"int64","name":"io.debezium.time.Timestamp","version":1`, `1704067200000`, "2024-01-01T00:00:00.000"},
	{"datetime6", `"type":"int64","name":"io.debezium.time.MicroTimestamp","version":1`, `1704067200000001`, "2024-01-01T00:00:00.000001"},
	{"stamp", `"type":"string","name":"io.debezium.time.ZonedTimestamp","version":1`, `"2024-01-01T00:00:00Z"`, "2024-01-01T00:00:00.000000Z"},
	{"year", `"type":"int32","name":"io.debezium.time.Year","version":1`, `2024`, number("2024")},
	{"kinds", `"type":"string","name":"io.debezium.data.EnumSet","version":1,"parameters":{"allowed":"a,b"}`, `"a,b"`, "a,b"},
	{"doc", `"type":"string","name":"io.debezium.data.Json","version":1`, `"[1]"`, []any{number("1")}},
	{"nano", `"type":"int64","name":"io.debezium.time.NanoTimestamp","version":1`, `1704067200000000001`, "2024-01-01T00:00:00.000000001"},
	{"iso", `"type":"string","name":"io.debezium.time.IsoTimestamp","version":1`, `"2024-01-01T00:00:00.5Z"`, "2024-01-01T00:00:00.500000"},
	{"isoday", `"type":"string","name":"io.debezium.time.IsoDate","version":1`, `"2024-01-01Z"`, "2024-01-01"},
	{"isoclock", `"type":"string","name":"io.debezium.time.IsoTime","version":1`, `"10:00:00.500Z"`, "10:00:00.5"},
}

func TestEventsOfDebezium(t *testing.T) {
	for connector, columns := range map[string][]column{"postgresql": postgresColumns, "mysql": mysqlColumns} {
		t.Run(connector, func(t *testing.T) {
			c := change{connector: connector, columns: columns}
			row, want := c.row()
			d := newDecoder(t, nil, debezium)
			for _, op := range []string{"c", "u", "r"} {
				c.op, c.before, c.after = op, "null", row
				got := mustRow(t, d, record(keyWhole, c.whole()))
				mustEqual(t, connectors.Row{Key: []any{number("1001")}, Values: want, Position: "goods/3@42"}, got)
			}
			c.op, c.before, c.after = "d", row, "null"
			gone := connectors.Row{Key: []any{number("1001")}, Deleted: true, Position: "goods/3@42"}
			mustEqual(t, gone, mustRow(t, d, record(keyWhole, c.whole())))
			mustEqual(t, gone, mustRow(t, d, record(keyWhole, nil)))
			mustEqual(t, gone, mustRow(t, newDecoder(t, []string{"id"}, debezium), record(keyWhole, nil)))
			mustEqual(t, gone, mustRow(t, newDecoder(t, []string{"id"}, debezium), record(nil, c.whole())))
		})
	}
}

func TestEventsWithoutSchemas(t *testing.T) {
	d := newDecoder(t, []string{"id"}, debezium)
	c := change{connector: "postgresql", op: "u", before: "null", after: `{"id":1001,"name":"Tea","ts":1704067200123400}`}
	row := mustRow(t, d, record(`{"id":1001}`, c.plain()))
	mustEqual(t, connectors.Row{
		Key: []any{number("1001")}, Values: map[string]any{"id": number("1001"), "name": "Tea", "ts": number("1704067200123400")}, Position: "goods/3@42",
	}, row)
	c.op, c.before, c.after = "d", `{"id":1001,"name":null}`, "null"
	mustEqual(t, connectors.Row{Key: []any{number("1001")}, Deleted: true, Position: "goods/3@42"}, mustRow(t, d, record(`{"id":1001}`, c.plain())))
	// A table without replica identity has nothing in before.
	c.before = "null"
	mustEqual(t, []any{number("1001")}, mustRow(t, d, record(`{"id":1001}`, c.plain())).Key)
	mustEqual(t, []any{number("1001")}, mustRow(t, d, record(`{"schema":null,"payload":{"id":1001}}`, `{"schema":null,"payload":`+c.plain()+`}`)).Key)
}

// The schema beside a payload is read anew where it is another one, or looks like it.
func TestSchemaBesideEachPayloadCounts(t *testing.T) {
	of := func(name, more string) string {
		return `{"schema":{"type":"struct","fields":[{"type":"int32","name":"` + name + `","field":"v"},{"type":"int32","field":"id"}]},"payload":{"id":1,"v":1}` + more + `}`
	}
	d := newDecoder(t, []string{"id"}, debezium)
	for range 2 {
		for _, c := range []struct {
			text string
			want any
		}{
			{of("io.debezium.time.Date", ""), "1970-01-02"},
			{of("io.debezium.time.Date", " "), "1970-01-02"},
			{of("io.debezium.time.Year", ""), number("1")},
			{of("io.debezium.time.Date", "") + "\n", "1970-01-02"},
		} {
			mustEqual(t, c.want, mustRow(t, d, record(nil, c.text)).Values["v"])
		}
		f := mustFault(t, d, record(nil, of("io.debezium.time.Date", `,`)))
		if f.Reason != "bad_record" {
			t.Errorf("the fault %+v", f)
		}
		mustFault(t, d, record(nil, of("io.debezium.time.Date", `}`)))
	}
}

// Rows that ExtractNewRecordState took out of their events.
func TestFlatEvents(t *testing.T) {
	schema := `{"type":"struct","fields":[{"type":"int32","field":"id"},{"type":"int32","name":"io.debezium.time.Date","field":"day"},{"type":"string","optional":true,"field":"__deleted"}],"name":"dbserver1.inventory.goods.Value"}`
	d := newDecoder(t, nil, debezium)
	row := mustRow(t, d, record(keyWhole, `{"schema":`+schema+`,"payload":{"id":1001,"day":1,"__deleted":"false"}}`))
	mustEqual(t, connectors.Row{Key: []any{number("1001")}, Values: map[string]any{"id": number("1001"), "day": "1970-01-02"}, Position: "goods/3@42"}, row)
	gone := connectors.Row{Key: []any{number("1001")}, Deleted: true, Position: "goods/3@42"}
	mustEqual(t, gone, mustRow(t, d, record(keyWhole, `{"schema":`+schema+`,"payload":{"id":1001,"day":1,"__deleted":"true"}}`)))
	mustEqual(t, gone, mustRow(t, d, record(keyWhole, `{"id":1001,"day":1,"__deleted":"true","__op":"d","__source_ts_ms":1}`)))
	mustEqual(t, gone, mustRow(t, d, record(keyWhole, `{"schema":`+schema+`,"payload":null}`)))
	mustEqual(t, gone, mustRow(t, d, record(keyWhole, nil)))
	// A table may have a column that is called op.
	row = mustRow(t, d, record(keyWhole, `{"id":1001,"op":"d"}`))
	mustEqual(t, map[string]any{"id": number("1001"), "op": "d"}, row.Values)
}

// A truncated table has no rows any more, and an event has no key that would say so.
func TestTruncatedTable(t *testing.T) {
	c := change{connector: "postgresql", op: "t", before: "null", after: "null"}
	for _, text := range []string{
		c.plain(), c.whole(),
		`{"source":{"connector":"postgresql","schema":"public","table":"b"},"op":"t","ts_ms":1559033904961}`,
	} {
		mustEqual(t, value.Decoded{Truncated: true}, mustDecode(t, newDecoder(t, nil, debezium), record(nil, text)))
	}
}

func TestMessagesOfTheLogAreNoRows(t *testing.T) {
	text := `{"source":{"connector":"postgresql","schema":"","table":""},"op":"m","ts_ms":1559033904961,"message":{"prefix":"foo","content":"Ymfy"}}`
	mustEqual(t, value.Decoded{}, mustDecode(t, newDecoder(t, nil, debezium), record(`{"prefix":"foo"}`, text)))
}

// MongoDB's documents are texts in their events.
func TestDocumentsOfMongoDB(t *testing.T) {
	text := `{"before":null,"after":"{\"_id\": {\"$numberLong\": \"1004\"},\"name\": \"Anne\"}","updateDescription":null,"source":{"connector":"mongodb","rs":"rs0","collection":"customers"},"op":"u","ts_ms":1558965515240}`
	row := mustRow(t, newDecoder(t, nil, debezium), record(`{"id":"1004"}`, text))
	mustEqual(t, connectors.Row{
		Key: []any{"1004"}, Values: map[string]any{"_id": map[string]any{"$numberLong": "1004"}, "name": "Anne"}, Position: "goods/3@42",
	}, row)
}

func TestMetadataOfAnEventIsForExpressions(t *testing.T) {
	d := newDecoder(t, []string{"id"}, func(c *value.Config) {
		c.Envelope, c.When = value.Debezium, `value.source.table == "goods"`
	})
	c := change{connector: "postgresql", op: "u", before: "null", after: `{"id":1}`}
	mustRow(t, d, record(`{"id":1}`, c.plain()))
	if got := mustDecode(t, d, record(`{"id":1}`, strings.ReplaceAll(c.plain(), `"goods"`, `"other"`))); len(got.Rows)+len(got.Faults) > 0 {
		t.Errorf("the event of another table gives %+v", got)
	}
}

// What PostgreSQL stores apart and does not tell again is taken from before, or the
// row is set aside: Decoder.fill cures P8 for rows that Debezium tells.
func TestPlaceholderIsNeverAValue(t *testing.T) {
	text, _ := json.Marshal("__debezium_unavailable_value")
	for name, placeholder := range map[string]string{
		"text":    string(text),
		"bytes":   `"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="`,
		"texts":   `["__debezium_unavailable_value"]`,
		"numbers": `[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]`,
		"hstore":  `{"__debezium_unavailable_value":"__debezium_unavailable_value"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := change{connector: "postgresql", op: "u", before: "null", after: `{"id":1001,"body":` + placeholder + `}`}
			d := newDecoder(t, []string{"id"}, debezium)
			f := mustFault(t, d, record(`{"id":1001}`, c.plain()))
			if f.Reason != value.Unavailable || !strings.Contains(f.Detail, `"body"`) || f.Key == nil {
				t.Errorf("the fault %+v", f)
			}
			f = mustFault(t, d, record(`{"id":1001}`, c.after))
			if f.Reason != value.Unavailable {
				t.Errorf("the fault %+v of a flat event", f)
			}
			c.before = `{"id":1001,"body":"as it was"}` // REPLICA IDENTITY FULL
			mustEqual(t, map[string]any{"id": number("1001"), "body": "as it was"}, mustRow(t, d, record(`{"id":1001}`, c.plain())).Values)
			c.before = "null"
			d = newDecoder(t, []string{"id"}, func(cfg *value.Config) { cfg.Envelope, cfg.Without = value.Debezium, []string{"body"} })
			mustEqual(t, map[string]any{"id": number("1001")}, mustRow(t, d, record(`{"id":1001}`, c.plain())).Values)
		})
	}
}

func TestBrokenEventsAreFaults(t *testing.T) {
	c := change{connector: "postgresql", op: "u", before: "null", after: "null", columns: postgresColumns}
	for name, text := range map[string]string{
		"no after":         c.plain(),
		"another op":       `{"op":"x","source":{},"after":{"id":1}}`,
		"a number":         `7`,
		"a text":           `"x"`,
		"after a number":   `{"op":"c","source":{},"after":7}`,
		"after a text":     `{"op":"c","source":{},"after":"x"}`,
		"broken schema":    `{"schema":7,"payload":{"id":1}}`,
		"broken payload":   `{"schema":{},"payload":{]}`,
		"no base64":        strings.Replace(c.whole(), `"after":null`, `"after":{"price":"%"}`, 1),
		"decimal of parts": strings.Replace(c.whole(), `"after":null`, `"after":{"free":{"scale":3}}`, 1),
		"endless decimal":  strings.Replace(c.whole(), `"after":null`, `"after":{"free":{"scale":2000000000,"value":"AQ=="}}`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := mustFault(t, newDecoder(t, nil, debezium), record(keyWhole, text))
			if f.Reason != "bad_record" && f.Reason != value.BadSchema || f.Raw == nil {
				t.Errorf("the fault %+v", f)
			}
			mustEqual(t, []any{number("1001")}, f.Key)
		})
	}
}
