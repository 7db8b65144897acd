package value_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

// mustBeSound holds what is true of every record, whatever is in it: rows have only
// what rows may have, and what is at fault says so again when it is tried again.
func mustBeSound(t *testing.T, d *value.Decoder, r value.Record) {
	t.Helper()
	got, err := d.Decode(t.Context(), r)
	if err != nil {
		t.Fatalf("it is to be tried again: %v", err)
	}
	for _, row := range got.Rows {
		if len(row.Key) == 0 {
			t.Errorf("the row %+v has no key", row)
		}
		for _, part := range row.Key {
			mustBeOfARow(t, part)
		}
		mustBeOfARow(t, row.Values)
		if _, err := json.Marshal(row.Values); err != nil {
			t.Errorf("the row %+v is no JSON: %v", row, err)
		}
		if row.Deleted != (row.Values == nil) {
			t.Errorf("the row %+v is deleted with values, or is without any", row)
		}
	}
	for _, f := range got.Faults {
		if f.Reason == "" || f.Detail == "" || f.Position == "" || f.Raw == nil || !utf8.ValidString(f.Detail) {
			t.Errorf("the fault %+v", f)
		}
		if row, err := d.Replay(t.Context(), f.Raw); err == nil {
			t.Errorf("the fault %+v is the row %+v", f, row)
		}
	}
}

func mustBeOfARow(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil, bool:
	case map[string]any:
		for name, one := range v {
			mustBeOfARow(t, name)
			mustBeOfARow(t, one)
		}
	case []any:
		for _, one := range v {
			mustBeOfARow(t, one)
		}
	case string:
		if !utf8.ValidString(v) {
			t.Errorf("%q is no text", v)
		}
	case json.Number:
		if !json.Valid([]byte(v)) {
			t.Errorf("%q is no number", v)
		}
	default:
		t.Errorf("a row has a %T", v)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte("k"), []byte(`{"a":[1,null,{"b":"x"}]}`))
	f.Add([]byte(`{"id":1}`), []byte("\x00\x00\x00\x00\x01[{},7]"))
	f.Add([]byte(""), []byte(`{"a":1e400,"\u0000":"\ud800"}`))
	var decoders []*value.Decoder
	for _, set := range []func(*value.Config){
		nil,
		func(c *value.Config) { c.KeyFormat = value.JSON },
		func(c *value.Config) { c.Rows, c.RowKey = "$.a", "[key, row.b]" },
		func(c *value.Config) { c.When, c.Deleted = "a != 1", "row.gone" },
	} {
		decoders = append(decoders, newDecoder(f, nil, set))
	}
	decoders = append(decoders, newDecoder(f, []string{"id"}, nil))
	f.Fuzz(func(t *testing.T, key, text []byte) {
		for _, d := range decoders {
			mustBeSound(t, d, record(key, text))
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,\"b\nc\""))
	f.Add([]byte("a;b\r\n"))
	d := newDecoder(f, nil, func(c *value.Config) { c.Format, c.Columns = value.CSV, []string{"a", "b"} })
	f.Fuzz(func(t *testing.T, text []byte) { mustBeSound(t, d, record("k", text)) })
}

func FuzzDebezium(f *testing.F) {
	for _, columns := range [][]column{postgresColumns, mysqlColumns} {
		c := change{connector: "postgresql", columns: columns, op: "u", before: "null"}
		c.after, _ = c.row()
		f.Add([]byte(keyWhole), []byte(c.whole()))
		f.Add([]byte(`{"id":1}`), []byte(c.plain()))
		f.Add([]byte(`{"id":1}`), []byte(c.after))
	}
	f.Add([]byte(`{"id":1}`), []byte(`{"schema":{"fields":[null,{"field":"a","type":"int64","name":"io.debezium.time.MicroTime"}]},"payload":{"a":-9223372036854775808}}`))
	d, columns := newDecoder(f, nil, debezium), newDecoder(f, []string{"id"}, debezium)
	f.Fuzz(func(t *testing.T, key, text []byte) {
		mustBeSound(t, d, record(key, text))
		mustBeSound(t, columns, record(key, text))
	})
}

// FuzzAvro has hostile values of schemas that have all types.
func FuzzAvro(f *testing.F) {
	all := `{"type":"record","name":"All","fields":[
		{"name":"id","type":"long"},{"name":"u","type":["null","string","double",{"type":"map","values":"bytes"}]},
		{"name":"a","type":{"type":"array","items":["null","All"]}},
		{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},
		{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},
		{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},
		{"name":"v","type":{"type":"record","name":"V","fields":[{"name":"scale","type":"int"},{"name":"value","type":"bytes"}],"connect.name":"io.debezium.data.VariableScaleDecimal"}},
		{"name":"f","type":{"type":"fixed","name":"F","size":12,"logicalType":"duration"}},{"name":"n","type":{"type":"array","items":"null"}}]}`
	f.Add(goodTea, false)
	f.Add([]byte{2, 2, 2, 'x', 0, 2, 1, 2, 0, 2, 2, 1}, true)
	f.Add([]byte(strings.Repeat("\x02", 100)), true)
	newOf := func(schema string, envelope string) *value.Decoder {
		cfg := value.Defaults()
		cfg.Format, cfg.KeyFormat, cfg.Envelope = value.Avro, value.Text, envelope
		cfg.SchemaRegistry = &value.Registry{URL: config.Strings{"http://registry.test"}}
		d, err := value.New(cfg, nil, connectors.Env{Client: &http.Client{
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return answer(r, 200, schemaAnswer(schema)) }),
		}})
		if err != nil {
			f.Fatal(err)
		}
		return d
	}
	rows, events := newOf(all, ""), newOf(avroEnvelope, value.Debezium)
	f.Fuzz(func(t *testing.T, body []byte, event bool) {
		d := rows
		if event {
			d = events
		}
		mustBeSound(t, d, record("k", framed(1, body)))
	})
}

// FuzzSchema has hostile schemas.
func FuzzSchema(f *testing.F) {
	f.Add(goods, goodTea)
	f.Add(avroEnvelope, []byte{0})
	f.Add(`{"type":"bytes","logicalType":"decimal","precision":1,"scale":9}`, []byte{2, 1})
	f.Add(`["null",{"type":"record","name":"N","fields":[{"name":"n","type":"N"}]}]`, []byte{2, 2})
	f.Fuzz(func(t *testing.T, schema string, body []byte) {
		if schema == "" || !utf8.ValidString(schema) {
			return
		}
		cfg := value.Defaults()
		asAvro("http://registry.test")(&cfg)
		d, err := value.New(cfg, nil, connectors.Env{Client: &http.Client{
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return answer(r, 200, schemaAnswer(schema)) }),
		}})
		if err != nil {
			t.Fatal(err)
		}
		mustBeSound(t, d, record("k", framed(1, body)))
	})
}

func FuzzReplay(f *testing.F) {
	f.Add([]byte(`{"topic":"t","partition":1,"offset":2,"time":3,"key":"aw==","value":"e30=","headers":[{"Name":"n","Value":null}],"element":1}`))
	d := newDecoder(f, nil, nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if row, err := d.Replay(t.Context(), raw); err == nil {
			mustBeOfARow(t, row.Values)
		}
	})
}
