package static_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/static"
)

func newConfig(rows []map[string]any, key ...string) *static.Config {
	cfg := static.Kind.Config().(*static.Config)
	cfg.Key, cfg.Rows = key, rows
	return cfg
}

func TestStaticKeepsTheContract(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Kind: static.Kind,
		Open: func(testing.TB) connectortest.Source {
			cfg := newConfig([]map[string]any{}, "id")
			return connectortest.Source{
				Config: cfg,
				Set:    func(_ testing.TB, rows []map[string]any) { cfg.Rows = append([]map[string]any{}, rows...) },
			}
		},
		Values: map[string]any{
			"price": json.Number("10.50"), "on": true, "none": nil, "tags": []any{"a", json.Number("1"), map[string]any{"x": []any{nil}}},
		},
	})
}

func mustPoll(tb testing.TB, cfg *static.Config, from connectors.Cursor) *connectortest.Recorder {
	tb.Helper()
	p, err := static.Kind.New(cfg, connectors.Env{})
	if err != nil {
		tb.Fatal(err)
	}
	var r connectortest.Recorder
	if err := p.Poll(tb.Context(), from, r.Emit); err != nil {
		tb.Fatal(err)
	}
	return &r
}

const section = `
kind: static
key: id
rows:
  - { id: 1, name: Ada, price: 10.50, zip: "007", on: true, day: 2026-03-01, none: null, big: 12345678901234567890 }
  - id: 2
    name: ${NAME}
    tags: [a, 1, { x: [2.0] }]
`

func mustDecode(tb testing.TB, text string) *static.Config {
	tb.Helper()
	cfg := static.Kind.Config().(*static.Config)
	if err := decode(text, cfg); err != nil {
		tb.Fatal(err)
	}
	return cfg
}

func decode(text string, cfg *static.Config) error {
	node, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{Env: func(string) (string, bool) { return "Grace", true }})
	if err != nil {
		return err
	}
	return node.Decode(cfg)
}

func TestRowsOfTheConfigurationKeepTheirTypes(t *testing.T) {
	r := mustPoll(t, mustDecode(t, section), nil)
	want := []map[string]any{
		{
			"id": json.Number("1"), "name": "Ada", "price": json.Number("10.50"), "zip": "007", "on": true, "day": "2026-03-01", "none": nil,
			"big": json.Number("12345678901234567890"),
		},
		{"id": json.Number("2"), "name": "Grace", "tags": []any{"a", json.Number("1"), map[string]any{"x": []any{json.Number("2.0")}}}},
	}
	for i, row := range r.Rows {
		if diff := cmp.Diff(want[i], row.Values); diff != "" || row.Position != fmt.Sprintf("rows[%d]", i) {
			t.Errorf("%s (-want +got):\n%s", row.Position, diff)
		}
	}
}

func TestChangedConfigurationIsAChangedSource(t *testing.T) {
	cursor := mustPoll(t, mustDecode(t, section), nil).Closing.Cursor
	if again := mustPoll(t, mustDecode(t, section+"# the same\n"), cursor); !again.Closing.Unchanged {
		t.Errorf("the same rows: %+v", again.Closing)
	}
	for name, text := range map[string]string{
		"a value":   strings.Replace(section, "10.50", "10.5", 1),
		"a type":    strings.Replace(section, `"007"`, "7", 1),
		"the key":   strings.Replace(section, "key: id", "key: name", 1),
		"a row":     section + "  - { id: 3 }\n",
		"the order": strings.Replace(strings.Replace(strings.Replace(section, "id: 1", "id: 9", 1), "id: 2", "id: 1", 1), "id: 9", "id: 2", 1),
	} {
		if strings.Contains(name, "key") {
			text = strings.ReplaceAll(text, "id: 3", "name: x")
		}
		if r := mustPoll(t, mustDecode(t, text), cursor); r.Closing.Unchanged || len(r.Rows) < 2 {
			t.Errorf("%s: %d rows, closing %+v; want all rows", name, len(r.Rows), r.Closing)
		}
	}
}

func TestCallersMayMakeStaticSources(t *testing.T) {
	node, err := config.ParseJSON([]byte(`{"kind":"static","key":["user_id"],"rows":[{"user_id":1,"unit_price":1.50,"text":"1"}]}`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := static.Kind.Config().(*static.Config)
	if err := node.Decode(cfg); err != nil {
		t.Fatal(err)
	}
	r := mustPoll(t, cfg, nil)
	want := map[string]any{"user_id": json.Number("1"), "unit_price": json.Number("1.50"), "text": "1"}
	if diff := cmp.Diff(want, r.Rows[0].Values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if addressed, ok := connectors.Config(cfg).(connectors.Addressed); !static.Kind.Callers || !ok || len(addressed.Addresses()) > 0 {
		t.Error("a static source is not for callers, or reaches something")
	}
}

func TestOneRowNeedsNoKeyColumn(t *testing.T) {
	cfg := mustDecode(t, "kind: static\none: current\nrows: [{ name: Ada }]\n")
	r := mustPoll(t, cfg, nil)
	if len(r.Rows) != 1 || r.Rows[0].Key[0] != "current" || r.Rows[0].Values["name"] != "Ada" || !r.Closing.Complete {
		t.Errorf("read %+v, closing %+v", r.Rows, r.Closing)
	}
	if again := mustPoll(t, cfg, r.Closing.Cursor); !again.Closing.Unchanged {
		t.Errorf("the same again: %+v", again.Closing)
	}
	if none := mustPoll(t, mustDecode(t, "kind: static\none: current\nrows: []\n"), r.Closing.Cursor); len(none.Rows) != 0 || !none.Closing.Complete {
		t.Errorf("none: %+v", none.Closing)
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"no rows":          {"kind: static\nkey: id\n", []string{"rows: ", "needs rows", "[] is none"}},
		"no key":           {"kind: static\nrows: []\n", []string{"key: "}},
		"no key column":    {"kind: static\nkey: id\nrows:\n- {id: 1}\n- {name: x}\n", []string{"pictifyd.yaml:5", "rows[1]", "no id"}},
		"null key":         {"kind: static\nkey: id\nrows:\n- {id: null, name: x}\n", []string{"rows[0]", "no id"}},
		"twice":            {"kind: static\nkey: id\nrows:\n- {id: 1}\n- {id: \"1\"}\n", []string{"pictifyd.yaml:5", "rows[1]", "the key of rows[0]"}},
		"key beside one":   {"kind: static\nkey: id\none: current\nrows:\n- {id: 1}\n", []string{"key: ", `the key "current"`}},
		"two beside one":   {"kind: static\none: current\nrows:\n- {id: 1}\n- {id: 2}\n", []string{"rows: ", "2 rows are not the one row"}},
		"a row of nothing": {"kind: static\nkey: id\nrows:\n- {}\n-\n", []string{"rows[0]", "rows[1]", "no columns"}},
		"a text":           {"kind: static\nkey: id\nrows:\n- x\n", []string{"rows[0]", "mapping"}},
		"a column twice":   {"kind: static\nkey: id\nrows:\n- {id: 1, id: 2}\n", []string{"pictifyd.yaml:4", "id", "duplicate key"}},
		"every":            {"kind: static\nkey: id\nevery: 1ms\nrows: []\n", []string{"every: "}},
	} {
		t.Run(name, func(t *testing.T) {
			err := decode(c.text, static.Kind.Config().(*static.Config))
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not mention %q", err, w)
				}
			}
		})
	}
}

func TestTooManyRowsAreRefused(t *testing.T) {
	many := make([]map[string]any, 10_001)
	for i := range many {
		many[i] = map[string]any{"id": fmt.Sprint(i)}
	}
	large := []map[string]any{{"id": "1", "text": strings.Repeat("x", 1_000_000)}}
	for want, rows := range map[string][]map[string]any{"10001 rows": many, "1000022 bytes": large} {
		if err := newConfig(rows, "id").Validate(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kind: file") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := newConfig(many[:10_000], "id").Validate(); err != nil {
		t.Error(err)
	}
}
