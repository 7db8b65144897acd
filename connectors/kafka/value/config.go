package value

import (
	"slices"
	"strconv"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// The formats of values and keys.
const (
	JSON = "json"
	CSV  = "csv"  // a line; of values only
	Avro = "avro" // as the schema registry frames it
	Text = "text" // of keys only
	None = "none" // is not looked at
)

// Debezium is the envelope of change events.
const Debezium = "debezium"

// Config is what a source says about its records. The keys stand beside those of
// the kind.
type Config struct {
	Format    string         `yaml:"format"`     // of values: json, csv, avro or none
	Envelope  string         `yaml:"envelope"`   // debezium, where values are its change events; none: they are rows
	Rows      string         `yaml:"rows"`       // of json and avro: where the rows are: "$.items"; an object there is one row
	Columns   config.Strings `yaml:"columns"`    // of csv, in their order; an empty name is left out
	Delimiter string         `yaml:"delimiter"`  // of csv; a comma
	KeyFormat string         `yaml:"key_format"` // text, json, avro or none; text, and of debezium that of values
	Without   config.Strings `yaml:"without"`    // columns that are left out

	RowKey  string `yaml:"row_key"` // an expression, in place of key
	When    string `yaml:"when"`    // records for which it is false bring no rows
	Deleted string `yaml:"deleted"` // the row is deleted

	// Refresh is a source to be asked for the rows that records name by their keys,
	// in place of rows.
	Refresh string `yaml:"refresh"`

	SchemaRegistry *Registry    `yaml:"schema_registry"`
	MaxSize        config.Bytes `yaml:"max_size"` // of a record's key and value
}

// Defaults are those of Config.
func Defaults() Config { return Config{Format: JSON, MaxSize: defaultMaxSize} }

const (
	defaultMaxSize config.Bytes = 10 << 20
	largestMaxSize config.Bytes = 100 << 20
)

// Check reports every setting that cannot work for rows with the key columns key.
func (c *Config) Check(key []string) error {
	list := poll.Layout{Rows: c.Rows}.Problems()
	bad := func(path, format string, args ...any) *problem.Error {
		p := problem.New(problem.Invalid, format, args...).At(path)
		list = append(list, p)
		return p
	}
	if !slices.Contains([]string{JSON, CSV, Avro, None}, c.Format) {
		bad("format", "%q is not a format of values", c.Format).WithHint("there are json, csv, avro and none")
	}
	switch c.Envelope {
	case "":
	case Debezium:
		if c.Format != JSON && c.Format != Avro {
			bad("envelope", "change events come as json or avro, not as %s", c.Format).WithHint("set format, or leave envelope out")
		}
		if c.Rows != "" {
			bad("rows", "a change event is of one row").WithHint("leave rows or envelope out")
		}
	default:
		bad("envelope", "%q is not an envelope", c.Envelope).WithHint("there is debezium; leave it out where values are rows")
	}
	if c.Rows != "" && c.Format != JSON && c.Format != Avro {
		bad("rows", "a value of format %s has no path", c.Format).WithHint("leave rows out")
	}
	c.checkCSV(bad)
	switch c.KeyFormat {
	case "", Text, JSON, Avro, None:
	default:
		bad("key_format", "%q is not a format of keys", c.KeyFormat).WithHint("there are text, json, avro and none")
	}
	switch {
	case c.RowKey != "" && len(key) > 0:
		bad("row_key", "key is there too").WithHint("keep one of them")
	case c.RowKey == "" && len(key) == 0 && c.keyFormat() == None:
		bad("key_format", "the records' keys are not looked at, and nothing else says the key of a row").
			WithHint("name key columns of the value, or write row_key")
	}
	if c.MaxSize <= 0 || c.MaxSize > largestMaxSize {
		bad("max_size", "must be more than 0, and %s at most", largestMaxSize)
	}
	for i, column := range c.Without {
		if slices.Contains(key, column) {
			bad("without["+strconv.Itoa(i)+"]", "%q is a key column", column).WithHint("keep it")
		}
	}
	if c.Format == Avro || c.keyFormat() == Avro {
		if c.SchemaRegistry == nil {
			bad("schema_registry", "is missing: avro can't be read without its schemas").
				WithHint("as in schema_registry: { url: http://registry:8081 }")
		}
	} else if c.SchemaRegistry != nil {
		bad("schema_registry", "nothing is avro").WithHint("leave it out, or set format or key_format to avro")
	}
	if c.SchemaRegistry != nil {
		list = append(list, c.SchemaRegistry.check()...)
	}
	_, problems := c.programs()
	return append(list, problems...).Err()
}

func (c *Config) checkCSV(bad func(path, format string, args ...any) *problem.Error) {
	if c.Format != CSV {
		if len(c.Columns) > 0 {
			bad("columns", "%s has names of its own", c.Format).WithHint("leave columns out, or set format: csv")
		}
		if c.Delimiter != "" {
			bad("delimiter", "is for csv, not for %s", c.Format).WithHint("leave it out, or set format: csv")
		}
		return
	}
	if _, wrong := rows.ParseDelimiter(c.Delimiter); wrong != nil {
		bad("delimiter", "%s", wrong.Message).Hint = wrong.Hint
	}
	named := 0
	for i, column := range c.Columns {
		switch {
		case column == "":
			continue
		case slices.Contains(c.Columns[:i], column):
			bad("columns["+strconv.Itoa(i)+"]", "%q is there twice", column)
		}
		named++
	}
	if named == 0 {
		bad("columns", "a line of csv has no names").WithHint("name its cells in their order, as in columns: [sku, name, price]")
	}
}

// keyFormat is that of the records' keys.
func (c *Config) keyFormat() string {
	switch {
	case c.KeyFormat != "":
		return c.KeyFormat
	case c.Envelope == Debezium:
		return c.Format
	}
	return Text
}
