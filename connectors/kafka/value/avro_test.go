package value_test

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

// mustRead is the row of an Avro value of a schema.
func mustRead(tb testing.TB, schema string, body []byte) map[string]any {
	tb.Helper()
	d := newFaked(tb, nil, func(r *http.Request) (*http.Response, error) { return answer(r, 200, schemaAnswer(schema)) })
	return mustRow(tb, d, record("k", framed(1, body))).Values
}

func TestTypesOfAvro(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		body   []byte
		want   any
	}{
		"null":                   {`"null"`, nil, nil},
		"boolean":                {`"boolean"`, []byte{1}, true},
		"int":                    {`"int"`, []byte{0x0d}, number("-7")},
		"long":                   {`"long"`, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, number("9223372036854775807")},
		"float":                  {`"float"`, []byte{0xcd, 0xcc, 0xcc, 0x3d}, number("0.1")},
		"double":                 {`"double"`, []byte{0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f}, number("0.1")},
		"bytes":                  {`"bytes"`, []byte{8, 0xde, 0xad, 0xbe, 0xef}, "3q2+7w=="},
		"string":                 {`"string"`, []byte{6, 'T', 'e', 'a'}, "Tea"},
		"enum":                   {`{"type":"enum","name":"E","symbols":["A","B"]}`, []byte{2}, "B"},
		"fixed":                  {`{"type":"fixed","name":"F","size":2}`, []byte{1, 2}, "AQI="},
		"array":                  {`{"type":"array","items":"int"}`, []byte{4, 2, 4, 0}, []any{number("1"), number("2")}},
		"no array":               {`{"type":"array","items":"int"}`, []byte{0}, []any{}},
		"map":                    {`{"type":"map","values":"int"}`, []byte{2, 2, 'a', 2, 0}, map[string]any{"a": number("1")}},
		"record":                 {`{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`, []byte{2}, map[string]any{"a": number("1")}},
		"union of null":          {`["null","string"]`, []byte{0}, nil},
		"union of text":          {`["null","string"]`, []byte{2, 2, 'x'}, "x"},
		"union of many":          {`["int","string",{"type":"array","items":"int"}]`, []byte{4, 2, 2, 0}, []any{number("1")}},
		"recursion":              {`{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}`, []byte{2, 2, 0}, map[string]any{"next": map[string]any{"next": map[string]any{"next": nil}}}},
		"decimal":                {`{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}`, []byte{4, 0x04, 0xd2}, number("12.34")},
		"negative decimal":       {`{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}`, []byte{2, 0xff}, number("-0.01")},
		"decimal of more digits": {`{"type":"bytes","logicalType":"decimal","precision":38,"scale":0}`, []byte{24, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, number("309485009821345068724781057")},
		"fixed decimal":          {`{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":9,"scale":3}`, []byte{0xff, 0xff, 0xff, 0x9c}, number("-0.100")},
		"broken decimal":         {`{"type":"bytes","logicalType":"decimal","precision":2,"scale":5}`, []byte{2, 1}, "AQ=="},
		"Oracle's decimal":       {`{"type":"bytes","scale":5,"precision":2,"connect.version":1,"connect.parameters":{"scale":"5"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`, []byte{2, 1}, number("0.00001")},
		"uuid":                   {`{"type":"string","logicalType":"uuid"}`, []byte{2, 'u'}, "u"},
		"fixed uuid":             {`{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`, []byte("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"), "01234567-89ab-cdef-0123-456789abcdef"},
		"date":                   {`{"type":"int","logicalType":"date"}`, []byte{2}, "1970-01-02"},
		"time-millis":            {`{"type":"int","logicalType":"time-millis"}`, []byte{0xe8, 0x07}, "00:00:00.5"},
		"time-micros":            {`{"type":"long","logicalType":"time-micros"}`, []byte{2}, "00:00:00.000001"},
		"timestamp-millis":       {`{"type":"long","logicalType":"timestamp-millis"}`, []byte{2}, "1970-01-01T00:00:00.001Z"},
		"timestamp-micros":       {`{"type":"long","logicalType":"timestamp-micros"}`, []byte{1}, "1969-12-31T23:59:59.999999Z"},
		"timestamp-nanos":        {`{"type":"long","logicalType":"timestamp-nanos"}`, []byte{2}, "1970-01-01T00:00:00.000000001Z"},
		"local-timestamp-millis": {`{"type":"long","logicalType":"local-timestamp-millis"}`, []byte{2}, "1970-01-01T00:00:00.001"},
		"local-timestamp-micros": {`{"type":"long","logicalType":"local-timestamp-micros"}`, []byte{2}, "1970-01-01T00:00:00.000001"},
		"duration":               {`{"type":"fixed","name":"P","size":12,"logicalType":"duration"}`, []byte{1, 0, 0, 0, 2, 0, 0, 0, 0xe8, 3, 0, 0}, "P1M2DT1S"},
		"another logical type":   {`{"type":"string","logicalType":"color"}`, []byte{2, 'u'}, "u"},
		"Connect's timestamp":    {`{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}`, []byte{2}, "1970-01-01T00:00:00.001Z"},
		"Connect's int8":         {`{"type":"int","connect.type":"int8"}`, []byte{2}, number("1")},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRead(t, `{"type":"record","name":"Row","fields":[{"name":"v","type":`+c.schema+`}]}`, c.body)
			mustEqual(t, map[string]any{"v": c.want}, got)
		})
	}
}

func TestFloatsAsPostgresWritesThem(t *testing.T) {
	schema := `{"type":"record","name":"Row","fields":[{"name":"f","type":"float"},{"name":"d","type":"double"}]}`
	for _, c := range []struct {
		f    float32
		d    float64
		want map[string]any
	}{
		{1, 1, map[string]any{"f": number("1"), "d": number("1")}},
		{999999, 123456789012345, map[string]any{"f": number("999999"), "d": number("123456789012345")}},
		{1e6, 1e15, map[string]any{"f": number("1e+06"), "d": number("1e+15")}},
		{0.0001, 0.0001, map[string]any{"f": number("0.0001"), "d": number("0.0001")}},
		{1e-5, 1e-5, map[string]any{"f": number("1e-05"), "d": number("1e-05")}},
		{0, math.Copysign(0, -1), map[string]any{"f": number("0"), "d": number("-0")}},
		{float32(math.NaN()), math.Inf(-1), map[string]any{"f": "NaN", "d": "-Infinity"}},
	} {
		mustEqual(t, c.want, mustRead(t, schema, mustEncode(t, schema, map[string]any{"f": c.f, "d": c.d})))
	}
}

// The schemas that Debezium's connectors register, by Confluent's converter.
const avroValue = `{"type":"record","name":"Value","fields":[
	{"name":"id","type":"int"},
	{"name":"price","type":["null",{"type":"bytes","scale":2,"precision":10,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"10"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],"default":null},
	{"name":"free","type":["null",{"type":"record","name":"VariableScaleDecimal","namespace":"io.debezium.data","fields":[{"name":"scale","type":"int"},{"name":"value","type":"bytes"}],"connect.version":1,"connect.doc":"Variable scaled decimal","connect.name":"io.debezium.data.VariableScaleDecimal"}],"default":null},
	{"name":"day","type":["null",{"type":"int","connect.version":1,"connect.name":"io.debezium.time.Date"}],"default":null},
	{"name":"ts","type":["null",{"type":"long","connect.version":1,"connect.name":"io.debezium.time.MicroTimestamp"}],"default":null},
	{"name":"as_connect","type":["null",{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}],"default":null},
	{"name":"tstz","type":["null",{"type":"string","connect.version":1,"connect.name":"io.debezium.time.ZonedTimestamp"}],"default":null},
	{"name":"doc","type":["null",{"type":"string","connect.version":1,"connect.name":"io.debezium.data.Json"}],"default":null},
	{"name":"mask","type":["null",{"type":"bytes","connect.version":1,"connect.parameters":{"length":"5"},"connect.name":"io.debezium.data.Bits"}],"default":null},
	{"name":"body","type":["null","string"],"default":null}
],"connect.name":"dbserver1.inventory.goods.Value"}`

const avroEnvelope = `{"type":"record","name":"Envelope","namespace":"dbserver1.inventory.goods","fields":[
	{"name":"before","type":["null",` + avroValue + `],"default":null},
	{"name":"after","type":["null","Value"],"default":null},
	{"name":"source","type":{"type":"record","name":"Source","namespace":"io.debezium.connector.postgresql","fields":[
		{"name":"version","type":"string"},{"name":"connector","type":"string"},{"name":"name","type":"string"},{"name":"ts_ms","type":"long"},
		{"name":"snapshot","type":[{"type":"string","connect.version":1,"connect.parameters":{"allowed":"true,last,false,incremental"},"connect.default":"false","connect.name":"io.debezium.data.Enum"},"null"],"default":"false"},
		{"name":"db","type":"string"},{"name":"schema","type":"string"},{"name":"table","type":"string"},{"name":"txId","type":["null","long"],"default":null},{"name":"lsn","type":["null","long"],"default":null}
	],"connect.name":"io.debezium.connector.postgresql.Source"}},
	{"name":"transaction","type":["null",{"type":"record","name":"block","namespace":"event","fields":[{"name":"id","type":"string"},{"name":"total_order","type":"long"},{"name":"data_collection_order","type":"long"}],"connect.version":1,"connect.name":"event.block"}],"default":null},
	{"name":"op","type":"string"},
	{"name":"ts_ms","type":["null","long"],"default":null}
],"connect.version":2,"connect.name":"dbserver1.inventory.goods.Envelope"}`

const avroKey = `{"type":"record","name":"Key","namespace":"dbserver1.inventory.goods","fields":[{"name":"id","type":"int"}],"connect.name":"dbserver1.inventory.goods.Key"}`

// avroChange is an event in Avro.
func avroChange(tb testing.TB, op string, before, after any) []byte {
	return mustEncode(tb, strings.NewReplacer("connect.name", "x", `"logicalType":"decimal"`, `"x2":1`, `"logicalType":"timestamp-millis"`, `"x2":1`).Replace(avroEnvelope), map[string]any{
		"before": before, "after": after, "op": op, "ts_ms": 1559033904961, "transaction": nil,
		"source": map[string]any{
			"version": "3.0.7.Final", "connector": "postgresql", "name": "dbserver1", "ts_ms": 1559033904863, "snapshot": "false",
			"db": "postgres", "schema": "inventory", "table": "goods", "txId": 555, "lsn": 24023128,
		},
	})
}

func TestEventsOfDebeziumInAvro(t *testing.T) {
	registry := mustRegistry(t)
	valueID := mustRegister(t, registry, subjectOf(t, "value"), avroEnvelope)
	keyID := mustRegister(t, registry, subjectOf(t, "key"), avroKey)
	key := framed(keyID, []byte{0xd2, 0x0f})
	d := newDecoder(t, nil, func(c *value.Config) {
		asAvro(registry)(c)
		c.Envelope = value.Debezium
	})
	after := map[string]any{
		"id": 1001, "price": []byte{0x04, 0xd2}, "free": map[string]any{"scale": 3, "value": []byte{0x01, 0xe2, 0x40}}, "day": 19723, "ts": int64(1704067200123400),
		"as_connect": int64(1704067200120), "tstz": "2024-01-01T01:00:00.5Z", "doc": `{"a": [1, 2.50]}`, "mask": []byte{0x15}, "body": nil,
	}
	want := map[string]any{
		"id": number("1001"), "price": number("12.34"), "free": number("123.456"), "day": "2024-01-01", "ts": "2024-01-01T00:00:00.123400",
		"as_connect": "2024-01-01T00:00:00.120", "tstz": "2024-01-01T01:00:00.500000Z", "doc": map[string]any{"a": []any{number("1"), number("2.50")}}, "mask": "10101", "body": nil,
	}
	row := mustRow(t, d, record(key, framed(valueID, avroChange(t, "c", nil, after))))
	mustEqual(t, connectors.Row{Key: []any{number("1001")}, Values: want, Position: "goods/3@42"}, row)
	gone := connectors.Row{Key: []any{number("1001")}, Deleted: true, Position: "goods/3@42"}
	mustEqual(t, gone, mustRow(t, d, record(key, framed(valueID, avroChange(t, "d", after, nil)))))
	mustEqual(t, gone, mustRow(t, d, record(key, nil)))
	mustEqual(t, value.Decoded{Truncated: true}, mustDecode(t, d, record(nil, framed(valueID, avroChange(t, "t", nil, nil)))))

	placeholder := map[string]any{"id": 1001, "body": "__debezium_unavailable_value"}
	if f := mustFault(t, d, record(key, framed(valueID, avroChange(t, "u", nil, placeholder)))); f.Reason != value.Unavailable {
		t.Errorf("the fault %+v", f)
	}
	row = mustRow(t, d, record(key, framed(valueID, avroChange(t, "u", map[string]any{"id": 1001, "body": "as it was"}, placeholder))))
	mustEqual(t, "as it was", row.Values["body"])
}

// JSON that a serializer of the registry framed needs no schema of it.
func TestFramedJSON(t *testing.T) {
	d := newDecoder(t, nil, nil)
	mustEqual(t, map[string]any{"a": number("1")}, mustRow(t, d, record("k", "\x00\x00\x00\x00\x07"+`{"a":1}`)).Values)
	if f := mustFault(t, d, record("k", "\x00\x00\x00")); f.Reason != "bad_record" {
		t.Errorf("the fault %+v", f)
	}
	d = newDecoder(t, nil, debezium)
	c := change{connector: "mysql", op: "c", before: "null", after: `{"id":1001}`}
	mustEqual(t, []any{number("1001")}, mustRow(t, d, record("\x00\x00\x00\x00\x08"+`{"id":1001}`, "\x00\x00\x00\x00\x07"+c.plain())).Key)
}

// What is hostile costs no more than its length.
func TestHostileAvro(t *testing.T) {
	nested := `{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}`
	nulls := `{"type":"record","name":"R","fields":[{"name":"v","type":{"type":"array","items":"null"}}]}`
	for name, c := range map[string]struct {
		schema string
		body   []byte
	}{
		"deep":         {nested, []byte(strings.Repeat("\x02", 1<<20))},
		"many nothing": {nulls, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
		"blocks":       {nulls, []byte(strings.Repeat("\x02", 1<<20))},
	} {
		t.Run(name, func(t *testing.T) {
			d := newFaked(t, nil, func(r *http.Request) (*http.Response, error) { return answer(r, 200, schemaAnswer(c.schema)) })
			if f := mustFault(t, d, record("k", framed(1, c.body))); f.Reason != "bad_record" {
				t.Errorf("the fault %+v", f)
			}
		})
	}
}

// A number that rows have is one that JSON has.
func TestNumbersAreJSON(t *testing.T) {
	row := mustRead(t, goods, goodTea)
	if text, err := json.Marshal(row); err != nil || string(text) != `{"price":12.34,"sku":"TEA-01"}` {
		t.Errorf("it is %s, %v", text, err)
	}
}
