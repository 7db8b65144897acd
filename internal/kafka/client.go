package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A Client asks the brokers what a reader of one topic has to know. It is safe for
// concurrent use. Close ends it.
type Client struct {
	// Admin is kafka-go's, for what it can ask itself.
	Admin *segment.Client

	topic     string
	clientID  string
	timeout   time.Duration
	transport *segment.Transport

	mu       sync.Mutex
	versions map[int32]map[protocol.ApiKey]int16 // the highest that a broker knows; -1 is whichever answers
}

// Open makes a client for a topic. It connects when it is asked something.
func (c *Connection) Open(topic string, dial DialFunc) (*Client, error) {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	transport, err := c.Transport(topic, dial)
	if err != nil {
		return nil, err
	}
	return &Client{
		Admin: &segment.Client{Addr: segment.TCP(c.Brokers...), Timeout: c.Timeout.Std(), Transport: transport},
		topic: topic, clientID: c.ClientID, timeout: c.Timeout.Std(), transport: transport,
		versions: map[int32]map[protocol.ApiKey]int16{},
	}, nil
}

// Close gives up the connections. What is under way ends within its time.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Forget has the brokers asked anew where they are and what they know.
func (c *Client) Forget() {
	c.transport.CloseIdleConnections()
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.versions)
}

// anyBroker is whichever answers.
const anyBroker int32 = -1

// A question is a request with its answer, which kafka-go carries to a broker and back.
type question struct {
	api      protocol.ApiKey
	broker   int32
	clientID string
	known    map[protocol.ApiKey]int16 // nil: asked for first
	least    int16                     // that is understood here
	// version picks that of the request from the highest that the broker knows.
	version func(highest int16) (version int16, flexible bool)
	write   func(version int16, e *encoder)
	read    func(version int16, d *decoder)
	err     error // of the answer, once it was read whole
}

var (
	_ protocol.RawExchanger  = (*question)(nil)
	_ protocol.BrokerMessage = (*brokerQuestion)(nil)
)

// ApiKey implements protocol.Message.
func (q *question) ApiKey() protocol.ApiKey { return q.api } //nolint:revive,staticcheck // kafka-go calls it so

// Required implements protocol.RawExchanger.
func (q *question) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange implements protocol.RawExchanger.
func (q *question) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if q.known == nil {
		known, err := askVersions(rw, q.clientID)
		if err != nil {
			return nil, fmt.Errorf("ask for the versions of requests: %w", err)
		}
		q.known = known
	}
	highest, ok := q.known[q.api]
	if !ok || highest < q.least {
		return nil, fmt.Errorf("the broker is too old: it knows no %s requests of version %d", q.api, q.least)
	}
	version, flexible := q.version(highest)
	e := header(q.api, version, q.clientID, flexible)
	q.write(version, e)
	d, err := exchange(rw, e)
	if err != nil {
		return nil, err
	}
	d.tags(nil)
	q.read(version, d)
	if d.err != nil { // the connection itself is as it was
		q.err = fmt.Errorf("read the answer to %s: %w", q.api, d.err)
	}
	return q, nil
}

// A brokerQuestion is for one broker.
type brokerQuestion struct{ *question }

// Broker implements protocol.BrokerMessage.
func (q brokerQuestion) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: q.broker}, nil
}

func header(api protocol.ApiKey, version int16, clientID string, flexible bool) *encoder {
	e := &encoder{b: make([]byte, 4, 256)}
	e.int16(int16(api))
	e.int16(version)
	e.int32(1) // one request at a time is under way on a connection
	e.string(clientID)
	e.flexible = flexible
	e.end()
	return e
}

// exchange sends a request and reads its answer, behind the number of the request.
func exchange(rw io.ReadWriter, e *encoder) (*decoder, error) {
	binary.BigEndian.PutUint32(e.b, uint32(len(e.b)-4))
	if _, err := rw.Write(e.b); err != nil {
		return nil, err
	}
	answer, err := readFrame(rw)
	if err != nil {
		return nil, err
	}
	d := &decoder{flexible: e.flexible, b: answer}
	if number := d.int32(); number != 1 {
		return nil, fmt.Errorf("the answer is to the request %d", number)
	}
	return d, nil
}

// askVersions is the highest version of each request that the broker knows.
func askVersions(rw io.ReadWriter, clientID string) (map[protocol.ApiKey]int16, error) {
	d, err := exchange(rw, header(protocol.ApiVersions, 0, clientID, false))
	if err != nil {
		return nil, err
	}
	if code := d.int16(); code != 0 {
		return nil, segment.Error(code)
	}
	known := map[protocol.ApiKey]int16{}
	d.each(func() {
		key := protocol.ApiKey(d.int16())
		d.int16()
		known[key] = d.int16()
	})
	return known, d.err
}

// ask has q answered within the timeout and wait.
func (c *Client) ask(ctx context.Context, broker int32, wait time.Duration, q *question) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout+wait)
	defer cancel()
	c.mu.Lock()
	known := c.versions[broker]
	c.mu.Unlock()
	q.broker, q.clientID, q.known = broker, c.clientID, known
	var request protocol.Message = q
	if broker != anyBroker {
		request = brokerQuestion{q}
	}
	if _, err := c.transport.RoundTrip(ctx, c.Admin.Addr, request); err != nil {
		c.mu.Lock()
		delete(c.versions, broker) // another may stand there now
		c.mu.Unlock()
		return err
	}
	if known == nil && broker != anyBroker {
		c.mu.Lock()
		c.versions[broker] = q.known
		c.mu.Unlock()
	}
	return q.err
}
