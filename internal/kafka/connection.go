package kafka

import (
	"net"
	"strconv"
	"strings"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/trust"
)

// Connection is the part of a configuration that says where the brokers are and who
// we are to them.
type Connection struct {
	Brokers  config.Strings  `yaml:"brokers"` // host:port of those that are asked for the others
	ClientID string          `yaml:"client_id"`
	Timeout  config.Duration `yaml:"timeout"` // of one request; 30s

	TLS  *TLS  `yaml:"tls"`  // none: not encrypted
	SASL *SASL `yaml:"sasl"` // none: not authenticated
}

// TLS is that of the brokers.
type TLS = trust.TLS

// Defaults are those of a Connection.
func Defaults() Connection {
	return Connection{ClientID: "pictifyd", Timeout: config.Duration(30 * time.Second)}
}

// Problems are the settings that cannot work. What is wrong with TLS and SASL they say
// themselves.
func (c *Connection) Problems() problem.List {
	var problems problem.List
	bad := func(path, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path))
	}
	if len(c.Brokers) == 0 {
		problems = append(problems, problem.New(problem.Invalid, "is missing").At("brokers").WithHint(`write "brokers: [host:9092]"`))
	}
	for i, broker := range c.Brokers {
		if !isAddress(broker) {
			bad("brokers["+strconv.Itoa(i)+"]", "%q is not host:port", broker)
		}
	}
	if c.Timeout <= 0 {
		bad("timeout", "must be longer than nothing")
	}
	return problems
}

func isAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// Shown is the brokers, as a person is told.
func (c *Connection) Shown() string { return strings.Join(c.Brokers, ", ") }

// TopicProblem is what is wrong with the name of a topic; nil where nothing is.
func TopicProblem(name string) *problem.Error {
	if name == "" {
		return problem.New(problem.Invalid, "is missing").At("topic")
	}
	legal := strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == "" && len(name) <= 249
	for _, r := range name {
		legal = legal && (r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	if legal && name != "." && name != ".." {
		return nil
	}
	return problem.New(problem.Invalid, "%q is not the name of a topic", name).At("topic").
		WithHint("a name is of letters, digits, dots, underscores and hyphens, 249 at most")
}

// idle is when connections are given up, with the goroutine that keeps looking where
// the partitions are.
const idle = 30 * time.Second

// Transport is kafka-go's for c and one topic. Whoever made it closes its connections.
func (c *Connection) Transport(topic string, dial DialFunc) (*segment.Transport, error) {
	timeout := c.Timeout.Std()
	t := &segment.Transport{
		Dial: bound(dial, timeout), DialTimeout: min(timeout, 10*time.Second), IdleTimeout: idle,
		ClientID: c.ClientID, MetadataTopics: []string{topic},
	}
	var err error
	if c.TLS != nil {
		if t.TLS, err = c.TLS.Client(); err != nil {
			return nil, err
		}
	}
	if c.SASL != nil {
		if t.SASL, err = c.SASL.client(); err != nil {
			return nil, err
		}
	}
	return t, nil
}
