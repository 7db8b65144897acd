package value

import (
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
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
	Rows      string         `yaml:"rows"`       // of json: where the rows are: "$.items"; an object there is one row
	Columns   config.Strings `yaml:"columns"`    // of csv, in their order; an empty name is left out
	Delimiter string         `yaml:"delimiter"`  // of csv; a comma
	KeyFormat string         `yaml:"key_format"` // text, json, avro or none; text, and of debezium that of values

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

const defaultMaxSize config.Bytes = 10 << 20

// A Registry is a schema registry with the interface of Confluent's, which others
// have as well.
type Registry struct {
	URL     config.Strings  `yaml:"url"` // several are asked in turn, until one answers
	Basic   *Basic          `yaml:"basic"`
	Bearer  config.Secret   `yaml:"bearer"`
	Timeout config.Duration `yaml:"timeout"` // of a request; 10s
}

// Basic are a name and a password.
type Basic struct {
	User     string        `yaml:"user"`
	Password config.Secret `yaml:"password"`
}

// Check reports every setting that cannot work for rows with the key columns key.
func (c *Config) Check(key []string) error {
	var list problem.List
	return list.Err()
}
