package value_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/twmb/avro"

	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

const benchSchema = `{"type":"record","name":"Product","fields":[{"name":"sku","type":"string"},{"name":"name","type":"string"},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},
	{"name":"stock","type":"int"},{"name":"sold","type":"long"},{"name":"rating","type":"double"},{"name":"active","type":"boolean"},{"name":"note","type":["null","string"]},
	{"name":"changed","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"tags","type":{"type":"array","items":"string"}}]}`

const benchJSON = `{"sku":"TEA-000001","name":"Green tea, first flush, 100 g","price":12.34,"stock":42,"sold":123456789,"rating":4.5,"active":true,"note":null,"changed":"2024-01-01T00:00:00.123456Z","tags":["tea","green","new"]}`

func benchAvro(b *testing.B) []byte {
	return mustEncode(b, benchSchema, map[string]any{
		"sku": "TEA-000001", "name": "Green tea, first flush, 100 g", "price": 12.34, "stock": 42, "sold": 123456789, "rating": 4.5, "active": true, "note": nil,
		"changed": "2024-01-01T00:00:00.123456Z", "tags": []any{"tea", "green", "new"},
	})
}

// What rows cost beside the decoders alone.
func BenchmarkDecode(b *testing.B) {
	body := benchAvro(b)
	event := change{connector: "postgresql", columns: postgresColumns, op: "u", before: "null"}
	event.after, _ = event.row()
	decode := func(d *value.Decoder, r value.Record) func(*testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(len(r.Value)))
			b.ReportAllocs()
			for b.Loop() {
				if got, err := d.Decode(b.Context(), r); err != nil || len(got.Rows) != 1 {
					b.Fatalf("decoded %+v, %v", got, err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		}
	}
	b.Run("json", decode(newDecoder(b, []string{"sku"}, nil), record(nil, benchJSON)))
	b.Run("json/encoding-alone", func(b *testing.B) {
		b.SetBytes(int64(len(benchJSON)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal([]byte(benchJSON), &v); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("csv", decode(newDecoder(b, []string{"sku"}, func(c *value.Config) {
		c.Format, c.Columns = value.CSV, []string{"sku", "name", "price", "stock", "sold"}
	}), record(nil, `TEA-000001,"Green tea, first flush, 100 g",12.34,42,123456789`)))
	b.Run("avro", decode(newFaked(b, nil, func(r *http.Request) (*http.Response, error) { return answer(r, 200, schemaAnswer(benchSchema)) }), record("k", framed(1, body))))
	b.Run("avro/library-alone", func(b *testing.B) {
		s, err := avro.Parse(benchSchema)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if _, err := s.Decode(body, &v); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("debezium/with-schema", decode(newDecoder(b, nil, debezium), record(keyWhole, event.whole())))
	b.Run("debezium/payload", decode(newDecoder(b, nil, debezium), record(`{"id":1001}`, event.plain())))
	avroEvent := avroChange(b, "u", nil, map[string]any{"id": 1001, "price": []byte{0x04, 0xd2}, "day": 19723, "ts": int64(1704067200123400), "body": "text"})
	b.Run("debezium/avro", decode(newFaked(b, func(c *value.Config) { c.Envelope, c.KeyFormat = value.Debezium, value.Text },
		func(r *http.Request) (*http.Response, error) { return answer(r, 200, schemaAnswer(avroEnvelope)) }), record("1001", framed(1, avroEvent))))
}
