package value_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

func TestRowKeepsTypesAndDigits(t *testing.T) {
	row := mustRow(t, newDecoder(t, nil, nil), record("TEA-01", `{"n":10.00,"big":12345678901234567890,"b":true,"z":null,"l":[1,{"x":"y"}]}`))
	mustEqual(t, connectors.Row{
		Key: []any{"TEA-01"}, Position: "goods/3@42",
		Values: map[string]any{
			"n": number("10.00"), "big": number("12345678901234567890"), "b": true, "z": nil, "l": []any{number("1"), map[string]any{"x": "y"}},
		},
	}, row)
}

// A record's key is a row's key, in each of its formats.
func TestKeyOfARecord(t *testing.T) {
	for name, c := range map[string]struct {
		format, key string
		want        []any
	}{
		"text":             {"", "TEA-01", []any{"TEA-01"}},
		"text of a number": {value.Text, "7", []any{"7"}},
		"JSON text":        {value.JSON, `"TEA-01"`, []any{"TEA-01"}},
		"JSON number":      {value.JSON, `7`, []any{number("7")}},
		"object of one":    {value.JSON, `{"id":7}`, []any{number("7")}},
		"by name":          {value.JSON, `{"shop":"b","id":7}`, []any{number("7"), "b"}},
		"array":            {value.JSON, `["b",7]`, []any{"b", number("7")}},
		"framed":           {value.JSON, "\x00\x00\x00\x00\x09" + `{"id":7}`, []any{number("7")}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(t, nil, func(c2 *value.Config) { c2.KeyFormat = c.format })
			mustEqual(t, c.want, mustRow(t, d, record(c.key, `{}`)).Key)
			gone := mustRow(t, d, record(c.key, nil))
			mustEqual(t, connectors.Row{Key: c.want, Deleted: true, Position: "goods/3@42"}, gone)
		})
	}
}

// Key columns that the value lacks come from the record's key, and stand in the row.
func TestKeyColumnsOfTheRecordsKey(t *testing.T) {
	d := newDecoder(t, []string{"sku"}, nil)
	row := mustRow(t, d, record("TEA-01", `{"name":"Tea"}`))
	mustEqual(t, map[string]any{"sku": "TEA-01", "name": "Tea"}, row.Values)
	mustEqual(t, []any{"TEA-01"}, row.Key)
	mustEqual(t, []any{"B"}, mustRow(t, d, record("TEA-01", `{"sku":"B"}`)).Key)
	mustEqual(t, []any{"TEA-01"}, mustRow(t, d, record("TEA-01", nil)).Key)

	d = newDecoder(t, []string{"shop", "id"}, func(c *value.Config) { c.KeyFormat = value.JSON })
	row = mustRow(t, d, record(`{"id":7,"shop":"b"}`, `{"name":"Tea"}`))
	mustEqual(t, []any{"b", number("7")}, row.Key)
	mustEqual(t, map[string]any{"shop": "b", "id": number("7"), "name": "Tea"}, row.Values)
	mustEqual(t, []any{"b", number("7")}, mustRow(t, d, record(`{"id":7,"shop":"b"}`, nil)).Key)
	mustEqual(t, []any{"b", number("7")}, mustRow(t, d, record(`no JSON`, `{"shop":"b","id":7}`)).Key)
}

func TestKeyByAnExpression(t *testing.T) {
	for name, c := range map[string]struct {
		expression string
		want       []any
	}{
		"of the key":   {`key`, []any{"TEA-01"}},
		"of the row":   {`shop + "-" + key`, []any{"b-TEA-01"}},
		"of the value": {`[value.shop, id + 1]`, []any{"b", "8"}},
		"of the place": {`topic + "/" + text(partition) + "/" + text(offset)`, []any{"goods/3/42"}},
		"of a header":  {`headers["tenant"] + "/" + row.key`, []any{"acme/column"}},
		"of the time":  {`timestamp`, []any{"2023-11-14T22:13:20.000Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(t, nil, func(cfg *value.Config) { cfg.RowKey = c.expression })
			r := record("TEA-01", `{"shop":"b","id":7,"key":"column"}`)
			r.Headers = []value.Header{{Name: "tenant", Value: []byte("first")}, {Name: "tenant", Value: []byte("acme")}}
			mustEqual(t, c.want, mustRow(t, d, r).Key)
		})
	}
}

// A tombstone has no value from which a key could be told.
func TestTombstoneWithoutAKeyIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		columns        []string
		set            func(*value.Config)
		key            any
		reason, detail string
	}{
		"no key":             {nil, nil, nil, value.NullKey, "the record has no key"},
		"an empty key":       {nil, nil, "", value.NullKey, "the record has no key"},
		"other columns":      {[]string{"shop", "id"}, nil, "TEA-01", value.KeylessTombstone, `key columns "shop", "id"`},
		"a column less":      {[]string{"shop", "id"}, func(c *value.Config) { c.KeyFormat = value.JSON }, `{"id":7}`, value.KeylessTombstone, "an object"},
		"a column that null": {[]string{"id"}, func(c *value.Config) { c.KeyFormat = value.JSON }, `{"id":null}`, value.KeylessTombstone, "an object"},
		"no format":          {[]string{"id"}, func(c *value.Config) { c.KeyFormat = value.None }, "7", value.KeylessTombstone, "key_format: none"},
		"of the value":       {nil, func(c *value.Config) { c.RowKey = "id" }, "7", value.KeylessTombstone, "row_key reads the value"},
		"no JSON":            {nil, func(c *value.Config) { c.KeyFormat = value.JSON }, "{", value.BadKey, "breaks off"},
		"no text":            {nil, nil, "\xff", value.BadKey, "no UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustFault(t, newDecoder(t, c.columns, c.set), record(c.key, nil))
			if f.Reason != c.reason || !strings.Contains(f.Detail, c.detail) || f.Raw == nil || f.Position != "goods/3@42" {
				t.Errorf("the fault %+v, want the reason %s and %q in its detail", f, c.reason, c.detail)
			}
		})
	}
}

// A value of no bytes is a value: only null deletes. Record.tombstone cures P2 as far
// as it is the decoder's.
func TestEmptyValueIsNoTombstone(t *testing.T) {
	f := mustFault(t, newDecoder(t, nil, nil), record("TEA-01", ""))
	if f.Reason != "bad_record" || !strings.Contains(f.Detail, "empty") {
		t.Errorf("the fault %+v of an empty value", f)
	}
	mustEqual(t, []any{"TEA-01"}, f.Key)
	none := newDecoder(t, []string{"sku"}, func(c *value.Config) { c.Format = value.None })
	row := mustRow(t, none, record("TEA-01", ""))
	mustEqual(t, connectors.Row{Key: []any{"TEA-01"}, Values: map[string]any{"sku": "TEA-01"}, Position: "goods/3@42"}, row)
	if gone := mustRow(t, none, record("TEA-01", nil)); !gone.Deleted {
		t.Error("null does not delete")
	}
}

// Whatever is wrong with a record is a fault with what tries it again, never an error
// that would stop the others (P10, row 19 of the test matrix).
func TestPoisonIsAFault(t *testing.T) {
	csv := func(c *value.Config) { c.Format, c.Columns = value.CSV, []string{"sku", "name"} }
	for name, c := range map[string]struct {
		set            func(*value.Config)
		key, text      any
		reason, detail string
	}{
		"cut JSON":        {nil, "k", `{"a":`, "bad_record", "breaks off"},
		"no JSON":         {nil, "k", `hello`, "bad_record", "not JSON"},
		"two values":      {nil, "k", `{} {}`, "bad_record", "more after"},
		"a number":        {nil, "k", `7`, "bad_record", "a number"},
		"the word null":   {nil, "k", `null`, "bad_record", "null"},
		"an array":        {nil, "k", `[{"a":1}]`, "bad_record", "key columns"},
		"no UTF-8":        {nil, "k", "{\"a\":\"\xff\"}", "bad_record", "no UTF-8"},
		"deep":            {nil, "k", strings.Repeat("[", 300) + strings.Repeat("]", 300), "bad_record", "deeper than 200"},
		"an open string":  {nil, "k", `{"a":"` + `\`, "bad_record", "breaks off"},
		"no key":          {nil, nil, `{}`, value.NullKey, "no key"},
		"key of no UTF-8": {nil, "\xff", `{}`, value.BadKey, "no UTF-8"},
		"cells":           {csv, "k", `TEA-01`, "bad_record", "1 cells where columns names 2"},
		"lines":           {csv, "k", "a,b\nc,d\n", "bad_record", "more than one line"},
		"an open quote":   {csv, "k", `a,"b`, "bad_record", "CSV"},
		"no line":         {csv, "k", "", "bad_record", "empty"},
		"no such path":    {func(c *value.Config) { c.Rows = "$.items" }, "k", `{}`, "bad_record", "items"},
		"an expression":   {func(c *value.Config) { c.When = "a / 0 > 1" }, "k", `{"a":1}`, "bad_record", "when"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(t, nil, c.set)
			f := mustFault(t, d, record(c.key, c.text))
			if f.Reason != c.reason || !strings.Contains(f.Detail, c.detail) || f.Position != "goods/3@42" {
				t.Errorf("the fault %+v, want the reason %s and %q in its detail", f, c.reason, c.detail)
			}
			if _, err := d.Replay(t.Context(), f.Raw); err == nil || !strings.Contains(err.Error(), c.detail) {
				t.Errorf("tried again it says %v", err)
			}
		})
	}
}

func TestLargeRecordIsAFault(t *testing.T) {
	d := newDecoder(t, nil, func(c *value.Config) { c.MaxSize = 1 << 20 })
	f := mustFault(t, d, record("k", `{"a":"`+strings.Repeat("x", 10<<20)+`"}`))
	mustEqual(t, connectors.Fault{
		Position: "goods/3@42", Reason: "too_large", Detail: "the record has 10485769 bytes, and max_size is 1MiB", Key: []any{"k"},
	}, f)
}

func TestRowsOfOneRecord(t *testing.T) {
	text := `[{"id":1},7,{"id":null},{"id":4,"gone":true}]`
	d := newDecoder(t, []string{"id"}, func(c *value.Config) { c.Deleted = "gone" })
	got := mustDecode(t, d, record(nil, text))
	mustEqual(t, []connectors.Row{
		{Key: []any{number("1")}, Values: map[string]any{"id": number("1")}, Position: "goods/3@42 [0]"},
		{Key: []any{number("4")}, Deleted: true, Position: "goods/3@42 [3]"},
	}, got.Rows)
	var faults []string
	for _, f := range got.Faults {
		faults = append(faults, f.Position+" "+f.Reason)
	}
	mustEqual(t, []string{"goods/3@42 [1] bad_record", "goods/3@42 [2] null_key"}, faults)

	d = newDecoder(t, []string{"id"}, func(c *value.Config) { c.Rows = "$.items" })
	got = mustDecode(t, d, record(nil, `{"items":[{"id":1},{"id":2}]}`))
	if len(got.Rows) != 2 || len(got.Faults) > 0 {
		t.Errorf("decoded %+v", got)
	}
}

func TestRecordsThatAreNotWanted(t *testing.T) {
	d := newDecoder(t, nil, func(c *value.Config) { c.When = `headers["kind"] != "ping" && type != "audit"` })
	for text, want := range map[string]int{`{"type":"row"}`: 1, `{"type":"audit"}`: 0} {
		if got := mustDecode(t, d, record("k", text)); len(got.Rows) != want || len(got.Faults) > 0 {
			t.Errorf("%s gives %+v", text, got)
		}
	}
	if row := mustRow(t, d, record("k", nil)); !row.Deleted {
		t.Error("a condition over the value keeps a tombstone back")
	}
	d = newDecoder(t, nil, func(c *value.Config) { c.When = `headers["kind"] != "ping"` })
	r := record("k", nil)
	r.Headers = []value.Header{{Name: "kind", Value: []byte("ping")}}
	if got := mustDecode(t, d, r); len(got.Rows)+len(got.Faults) > 0 {
		t.Errorf("a tombstone that is not wanted gives %+v", got)
	}
}

func TestLineOfCSV(t *testing.T) {
	d := newDecoder(t, []string{"sku"}, func(c *value.Config) {
		c.Format, c.Columns, c.Delimiter, c.Without = value.CSV, []string{"sku", "", "name", "note"}, ";", []string{"note"}
	})
	mustEqual(t, map[string]any{"sku": "TEA-01", "name": `Te"a; green`}, mustRow(t, d, record(nil, "TEA-01;x;\"Te\"\"a; green\";n\r\n")).Values)
}

// What was wrong may be mended: by a configuration, or at the registry.
func TestFaultIsTriedAgain(t *testing.T) {
	r := record("k", `[{"id":1,"n":0},{"id":2,"n":5}]`)
	r.Headers = []value.Header{{Name: "h", Value: []byte("v")}, {Name: "null"}}
	f := mustDecode(t, newDecoder(t, []string{"id"}, func(c *value.Config) { c.When = "10 / n > 1" }), r).Faults
	if len(f) != 1 {
		t.Fatalf("%d faults, want one", len(f))
	}
	row, err := newDecoder(t, []string{"id"}, nil).Replay(t.Context(), f[0].Raw)
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, connectors.Row{Key: []any{number("1")}, Values: map[string]any{"id": number("1"), "n": number("0")}, Position: "goods/3@42 [0]"}, row)

	empty := mustFault(t, newDecoder(t, nil, nil), record("", ""))
	row, err = newDecoder(t, nil, func(c *value.Config) { c.Format, c.RowKey = value.None, `"only"` }).Replay(t.Context(), empty.Raw)
	if err != nil || row.Deleted {
		t.Errorf("an empty value tried again is %+v, %v: null and empty are one", row, err)
	}
	for name, raw := range map[string]string{"nothing": "", "no JSON": "{", "another JSON": "[]"} {
		if _, err := newDecoder(t, nil, nil).Replay(t.Context(), []byte(raw)); err == nil {
			t.Errorf("%s is taken for a record", name)
		}
	}
}

func TestLargeFaultHasNoRaw(t *testing.T) {
	f := mustFault(t, newDecoder(t, nil, nil), record("k", strings.Repeat("x", 300<<10)))
	if f.Raw != nil {
		t.Errorf("it keeps %d bytes", len(f.Raw))
	}
	f = mustFault(t, newDecoder(t, nil, nil), record("k", strings.Repeat("x", 180<<10)))
	if f.Raw == nil || len(f.Raw) > 256<<10 {
		t.Errorf("it keeps %d bytes", len(f.Raw))
	}
}

// Events that only name rows of another source bring no rows.
func TestKeysOfRowsOfAnotherSource(t *testing.T) {
	d := newDecoder(t, nil, func(c *value.Config) { c.Refresh, c.RowKey = "products", "product.sku" })
	got := mustDecode(t, d, record("e-1", `{"product":{"sku":"TEA-01"},"event":"price"}`))
	mustEqual(t, value.Decoded{Wakes: [][]any{{"TEA-01"}}}, got)
	d = newDecoder(t, nil, func(c *value.Config) { c.Refresh, c.Format = "products", value.None })
	mustEqual(t, value.Decoded{Wakes: [][]any{{"TEA-01"}}}, mustDecode(t, d, record("TEA-01", "anything")))
	mustEqual(t, value.Decoded{Wakes: [][]any{{"TEA-01"}}}, mustDecode(t, d, record("TEA-01", nil)))
	if f := mustFault(t, d, record(nil, "anything")); f.Reason != value.NullKey {
		t.Errorf("the fault %+v", f)
	}
}
