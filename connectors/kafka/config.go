package kafka

import (
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Kind is "kind: kafka".
var Kind = connectors.Kind{
	Name:    "kafka",
	Summary: "a Kafka topic, as it is written",
	Config: func() connectors.Config {
		return &Config{
			Connection: wire.Defaults(), Config: value.Defaults(),
			Start: Earliest, OnGap: string(connectors.OnGapResnapshot),
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config), env, nil)
	},
}

// Where reading starts.
const (
	Earliest = "earliest"
	Latest   = "latest"
)

// Config is a source of kind kafka.
type Config struct {
	connectors.Common
	wire.Connection `yaml:",inline"`
	value.Config    `yaml:",inline"`

	Topic string `yaml:"topic"`
	// Group is a consumer group that is told how far reading came, for tools that
	// show it; it is never asked. Empty: none.
	Group string `yaml:"group"`
	Start string `yaml:"start"`  // earliest, latest, or a time as 2026-01-01T00:00:00Z
	OnGap string `yaml:"on_gap"` // resnapshot or halt, where records were removed before they were read
}

var (
	_ connectors.Streaming = (*Config)(nil)
	_ connectors.Holding   = (*Config)(nil)
	_ connectors.Waking    = (*Config)(nil)
)

// Streams implements connectors.Streaming.
func (c *Config) Streams() bool { return true }

// Rereads implements connectors.Waking.
func (c *Config) Rereads() string { return c.Refresh }

// Holds implements connectors.Holding: a group's offsets are ours to take back.
func (c *Config) Holds() string {
	if c.Group == "" {
		return ""
	}
	return strings.Join(append(slices.Sorted(slices.Values(c.Brokers)), c.Topic, c.Group), "\x00")
}

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	problems := c.Problems()
	bad := func(path, format string, args ...any) *problem.Error {
		p := problem.New(problem.Invalid, format, args...).At(path)
		problems = append(problems, p)
		return p
	}
	if p := wire.TopicProblem(c.Topic); p != nil {
		problems = append(problems, p)
	}
	if _, _, err := c.start(); err != nil {
		bad("start", "%q is no place to start at", c.Start).WithHint("there are earliest, latest, and a time as 2026-01-01T00:00:00Z")
	}
	switch connectors.GapPolicy(c.OnGap) {
	case connectors.OnGapResnapshot, connectors.OnGapHalt:
	default:
		bad("on_gap", "%q is not a policy", c.OnGap).WithHint("there are resnapshot and halt")
	}
	if c.Every != 0 {
		bad("every", "a kafka source is never polled").WithHint("leave it out: rows come as they are written")
	}
	if c.Cron != "" {
		bad("cron", "a kafka source is never polled").WithHint("leave it out: rows come as they are written")
	}
	return append(problems, problem.All(c.Check(c.Key))...).Err()
}

// start is where to start: a name, or else a time.
func (c *Config) start() (name string, at time.Time, err error) {
	if c.Start == Earliest || c.Start == Latest {
		return c.Start, time.Time{}, nil
	}
	at, err = time.Parse(time.RFC3339, c.Start)
	return "", at, err
}
