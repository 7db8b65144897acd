package value_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

func TestWhatCannotWorkIsRefused(t *testing.T) {
	registry := func(address ...string) *value.Registry { return &value.Registry{URL: address} }
	for name, c := range map[string]struct {
		key  []string
		set  func(*value.Config)
		want string // "" is good
	}{
		"defaults":             {nil, nil, ""},
		"a format":             {nil, func(c *value.Config) { c.Format = "xml" }, `format: "xml" is not a format`},
		"an envelope":          {nil, func(c *value.Config) { c.Envelope = "maxwell" }, `envelope: "maxwell"`},
		"an envelope of csv":   {nil, func(c *value.Config) { c.Format, c.Columns, c.Envelope = value.CSV, []string{"a"}, value.Debezium }, "envelope: change events"},
		"rows of events":       {nil, func(c *value.Config) { c.Envelope, c.Rows = value.Debezium, "$.x" }, "rows: a change event"},
		"rows of nothing":      {nil, func(c *value.Config) { c.Format, c.Rows = value.None, "$.x" }, "rows: a value of format none"},
		"a path":               {nil, func(c *value.Config) { c.Rows = "x" }, `rows: "x" is not a path`},
		"no columns":           {nil, func(c *value.Config) { c.Format, c.Columns = value.CSV, []string{""} }, "columns: a line of csv has no names"},
		"a column twice":       {nil, func(c *value.Config) { c.Format, c.Columns = value.CSV, []string{"a", "", "", "a"} }, `columns[3]: "a" is there twice`},
		"columns of json":      {nil, func(c *value.Config) { c.Columns = []string{"a"} }, "columns: json has names of its own"},
		"a delimiter of json":  {nil, func(c *value.Config) { c.Delimiter = ";" }, "delimiter: is for csv"},
		"a delimiter":          {nil, func(c *value.Config) { c.Format, c.Columns, c.Delimiter = value.CSV, []string{"a"}, ";;" }, `delimiter: ";;" can't separate`},
		"a key format":         {nil, func(c *value.Config) { c.KeyFormat = "csv" }, `key_format: "csv"`},
		"no key at all":        {nil, func(c *value.Config) { c.KeyFormat = value.None }, "key_format: the records' keys are not looked at"},
		"key columns instead":  {[]string{"id"}, func(c *value.Config) { c.KeyFormat = value.None }, ""},
		"two keys":             {[]string{"id"}, func(c *value.Config) { c.RowKey = "id" }, "row_key: key is there too"},
		"without the key":      {[]string{"id"}, func(c *value.Config) { c.Without = []string{"a", "id"} }, `without[1]: "id" is a key column`},
		"an expression":        {nil, func(c *value.Config) { c.RowKey = "a +" }, "row_key: "},
		"the clock":            {nil, func(c *value.Config) { c.When = "at < now()" }, "when: the expression reads the clock"},
		"a size":               {nil, func(c *value.Config) { c.MaxSize = 1 << 40 }, "max_size: must be"},
		"no registry":          {nil, func(c *value.Config) { c.Format = value.Avro }, "schema_registry: is missing"},
		"no registry for keys": {nil, func(c *value.Config) { c.KeyFormat = value.Avro }, "schema_registry: is missing"},
		"a registry":           {nil, func(c *value.Config) { c.SchemaRegistry = registry("http://r:8081") }, "schema_registry: nothing is avro"},
		"an address":           {nil, func(c *value.Config) { c.Format, c.SchemaRegistry = value.Avro, registry("r:8081") }, "schema_registry.url: is not an http"},
		"one of addresses":     {nil, func(c *value.Config) { c.Format, c.SchemaRegistry = value.Avro, registry("http://r", "ftp://r") }, "schema_registry.url[1]: is not an http"},
		"a password in it":     {nil, func(c *value.Config) { c.Format, c.SchemaRegistry = value.Avro, registry("http://me:secret@r") }, "schema_registry.url: has a password"},
		"a query":              {nil, func(c *value.Config) { c.Format, c.SchemaRegistry = value.Avro, registry("http://r?x=y") }, "schema_registry.url: has more than a path"},
		"two of us": {nil, func(c *value.Config) {
			c.Format, c.SchemaRegistry = value.Avro, registry("http://r")
			c.SchemaRegistry.Basic, c.SchemaRegistry.Bearer = &value.Basic{User: "me"}, config.NewSecret("x")
		}, "schema_registry.bearer: basic says"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := value.Defaults()
			if c.set != nil {
				c.set(&cfg)
			}
			err := cfg.Check(c.key)
			switch {
			case err == nil && c.want != "":
				t.Errorf("nothing is wrong, want %q", c.want)
			case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
				t.Errorf("it says %q, want %q", err, c.want)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("it says %q", err)
			}
		})
	}
}
