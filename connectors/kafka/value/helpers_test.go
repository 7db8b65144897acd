package value_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

// number is a number as rows have it.
func number(digits string) json.Number { return json.Number(digits) }

// record is a record of the topic goods; a nil text is null.
func record(key, text any) value.Record {
	bytes := func(v any) []byte {
		switch v := v.(type) {
		case nil:
			return nil
		case []byte:
			return v
		default:
			return []byte(v.(string))
		}
	}
	return value.Record{Topic: "goods", Partition: 3, Offset: 42, Time: time.Unix(1_700_000_000, 0), Key: bytes(key), Value: bytes(text)}
}

func newDecoder(tb testing.TB, key []string, set func(*value.Config)) *value.Decoder {
	tb.Helper()
	cfg := value.Defaults()
	if set != nil {
		set(&cfg)
	}
	d, err := value.New(cfg, key, connectors.Env{})
	if err != nil {
		tb.Fatalf("new decoder: %v", err)
	}
	return d
}

func mustDecode(tb testing.TB, d *value.Decoder, r value.Record) value.Decoded {
	tb.Helper()
	got, err := d.Decode(tb.Context(), r)
	if err != nil {
		tb.Fatalf("decode: %v", err)
	}
	return got
}

// mustRow is the only row of a record, and there is no fault.
func mustRow(tb testing.TB, d *value.Decoder, r value.Record) connectors.Row {
	tb.Helper()
	got := mustDecode(tb, d, r)
	if len(got.Rows) != 1 || len(got.Faults) > 0 {
		tb.Fatalf("%d rows and the faults %+v, want one row", len(got.Rows), got.Faults)
	}
	return got.Rows[0]
}

// mustFault is the only fault of a record, and there is no row.
func mustFault(tb testing.TB, d *value.Decoder, r value.Record) connectors.Fault {
	tb.Helper()
	got := mustDecode(tb, d, r)
	if len(got.Rows) > 0 || len(got.Faults) != 1 {
		tb.Fatalf("the rows %+v and %d faults, want one fault", got.Rows, len(got.Faults))
	}
	return got.Faults[0]
}

func mustEqual(tb testing.TB, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("wrong (-want +got):\n%s", diff)
	}
}
