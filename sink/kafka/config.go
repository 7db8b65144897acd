package kafka

import (
	"maps"
	"net"
	"slices"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/expr"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// Config is a topic's part of the configuration.
type Config struct {
	sink.Common

	wire.Connection `yaml:",inline"`

	Topic  string  `yaml:"topic"`
	Create *Create `yaml:"create"` // makes the topic where there is none; without it somebody else does

	// Key is an expression; without one it is BINDING/KEY, as in the picture's address.
	Key string `yaml:"key"`
	// Value is the JSON object of these expressions; without any it is what a webhook sends.
	Value      map[string]string `yaml:"value"`
	IncludeRow bool              `yaml:"include_row"` // the row's columns are in what a webhook sends
	Headers    map[string]string `yaml:"headers"`     // beside those that each record has; with {{ expressions }}

	Compression string `yaml:"compression"` // none, gzip, snappy, lz4 or zstd
}

// Create is how a topic is made.
type Create struct {
	Partitions  int  `yaml:"partitions" min:"0"`  // 0 is as many as the broker makes
	Replication int  `yaml:"replication" min:"0"` // 0 is the broker's own
	Compact     bool `yaml:"compact"`             // keeps the newest record of each key, and no other for long
}

// Kind is the kafka sink.
var Kind = sink.Kind{
	Name:    "kafka",
	Summary: "a record to a topic, keyed",
	Runs:    true,
	Config: func() sink.Config {
		return &Config{Connection: wire.Defaults(), Compression: "none"}
	},
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) {
		return newTopic(c.(*Config), env, (&net.Dialer{}).DialContext)
	},
}

var compressions = map[string]segment.Compression{
	"none": 0, "gzip": segment.Gzip, "snappy": segment.Snappy, "lz4": segment.Lz4, "zstd": segment.Zstd,
}

// Validate reports every setting that cannot work.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	bad := func(path, format string, args ...any) *problem.Error {
		p := problem.New(problem.Invalid, format, args...).At(path)
		problems = append(problems, p)
		return p
	}
	problems = append(problems, c.Problems()...)
	if p := wire.TopicProblem(c.Topic); p != nil {
		problems = append(problems, p)
	}
	if _, known := compressions[c.Compression]; !known {
		bad("compression", "%q is not a compression", c.Compression).WithHint("there are none, gzip, snappy, lz4 and zstd")
	}
	if c.IncludeRow && len(c.Value) > 0 {
		bad("include_row", "stands beside a value").WithHint("put row: row into the value")
	}
	_, wrong := c.shape()
	return append(problems, wrong...).Err()
}

// shape compiles what records are made of.
func (c *Config) shape() (shape, problem.List) {
	var problems problem.List
	s := shape{includeRow: c.IncludeRow}
	options := expr.Options{Names: fields.Names()}
	compile := func(path, source string) *expr.Program {
		program, err := expr.Compile(source, options)
		if err != nil {
			problems = append(problems, problem.New(problem.Invalid, "%s: %w", source, err).At(path))
		}
		return program
	}
	if c.Key != "" {
		s.key = compile("key", c.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Value)) {
		s.value = append(s.value, member{name, compile("value."+name, c.Value[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		text, err := expr.ParseInterpolation(c.Headers[name], options)
		switch {
		case err != nil:
			problems = append(problems, problem.New(problem.Invalid, "%w", err).At("headers."+name))
		case slices.Contains(own, name):
			problems = append(problems, problem.New(problem.Invalid, "is set by the sink itself").At("headers."+name))
		}
		s.headers = append(s.headers, header{name, text})
	}
	return s, problems
}
