package sink

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
)

// An Output is one picture of the row, or the reason why there is none.
type Output struct {
	Name   string `json:"output"` // of the output: card, story
	URL    string `json:"url,omitempty"`
	Latest string `json:"latestUrl,omitempty"`   // where the newest picture of the row is, whichever that is; "" for a batch's
	Hash   string `json:"contentHash,omitempty"` // SHA-256 of the bytes, hex
	Format string `json:"format,omitempty"`
	Ext    string `json:"ext,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Code   string `json:"code,omitempty"`  // of the error
	Error  string `json:"error,omitempty"` // why there is no picture
}

// A Delivery is what one sink is told about one row, or about one job or run.
type Delivery struct {
	ID         string // the idempotency key: the same at every try and after every restart
	Event      string
	Time       time.Time // when the event happened; the same at every try
	Binding    string
	Key        string
	Generation int64 // of the row's images; a receiver ignores lower ones
	Row        map[string]any
	Outputs    []Output
	Attempt    int // counts from 1

	Variant  string // id of that of an experiment as which the row is drawn; "" where it is in none
	ClickURL string // what its picture is to link to; "" likewise

	// Data replaces the body's data for events that are not about a row.
	Data json.RawMessage
}

// A Receipt is what the receiver answered, as far as a person wants to see it. It
// holds no secret, and stands also beside an error.
type Receipt struct {
	Status int               `json:"status,omitempty"` // of HTTP
	Header map[string]string `json:"header,omitempty"` // those that help
	Body   string            `json:"body,omitempty"`   // its beginning
	Ref    string            `json:"ref,omitempty"`    // where the receiver has it: an object's key, a partition and its offset

	// Sent is the request, where there was one. It is shown to who tests a sink, and not kept.
	Sent *Sent `json:"-"`
}

// Sent is a request as a sink sent it, without secrets but for its signatures.
type Sent struct {
	Method string
	URL    string // without its query
	Header map[string]string
	Body   string // "" where it was large
}

// A Sink delivers once; the daemon retries. retry.Permanent(err) ends it,
// retry.After(err, d) waits, Gone(err) ends it and disables the sink; any other
// error backs off. Deliver may be called for several rows at once, for one row
// never, and in the order of its generations. A second call with the same ID must
// have no second effect at the receiver, or let it recognise the ID.
type Sink interface {
	Deliver(ctx context.Context, d Delivery) (Receipt, error)
}

// A Batcher is a Sink that is better told of many rows at once. Then the daemon
// calls DeliverAll alone, once at a time.
type Batcher interface {
	Sink
	// Batch is how many deliveries a call takes at most, and how long the first of
	// them may wait for others; zero waits for none.
	Batch() (most int, linger time.Duration)
	// DeliverAll ends each delivery as Deliver would, in the order of ds, of which
	// no two are of one row.
	DeliverAll(ctx context.Context, ds []Delivery) []Outcome
}

// An Outcome is how one delivery of several ended.
type Outcome struct {
	Receipt
	Err error
}

// A Limiter is a Sink whose calls may take longer than the minute that one is
// given: it sends much, or many. It has to notice by itself, and sooner, that its
// receiver says nothing.
type Limiter interface {
	Sink
	Limit() time.Duration
}

// A Prober can say whether its receiver is there, without any effect on it.
type Prober interface {
	Probe(ctx context.Context) error
}

// An Env is what the daemon lends to a sink.
type Env struct {
	Name string
	Dir  string // relative paths of the configuration are relative to it
	Log  *slog.Logger
	// Client is the only way out of a sink that a caller of the API made. nil is the
	// operator's own sink, which reaches what it likes.
	Client *http.Client
	// Bytes opens the picture of that hash.
	Bytes func(ctx context.Context, hash string) (io.ReadCloser, error)
	// Source is the configuration of the source of that name in the file, for sinks
	// that write back to one; nil if there is none, and for the sinks of callers.
	Source func(name string) connectors.Config
}

// A Kind is one kind of sink.
type Kind struct {
	Name    string
	Summary string
	// Callers says that callers of the API may make such sinks: they reach nothing
	// but what Env.Client reaches, and their Config is an Addressed.
	Callers bool
	Runs    bool          // such sinks can be told of a whole run
	Config  func() Config // a pointer to a new configuration with its defaults
	New     func(cfg Config, env Env) (Sink, error)
}

// A Config is a sink's own part of the configuration, a pointer to a struct
// with yaml tags that embeds Common.
type Config interface {
	Validate() error // all problems, as a problem.List, with paths relative to the section
	Base() *Common
}

// An Addressed configuration names the addresses that it reaches, by their paths.
type Addressed interface {
	Addresses() map[string]string
}

// A WriteBack configuration writes to what a source reads. Bindings must not read
// those columns: a picture would change the row that it shows.
type WriteBack interface {
	// WritesBack names the columns of that source that the sink writes.
	WritesBack(name string, source connectors.Config) []string
}

// A Tester is a Sink that can be told of a row that there is not, as a test: it
// leaves nothing behind that would be in somebody's way.
type Tester interface {
	Sink
	Test(ctx context.Context, d Delivery) (Receipt, error)
}

// A Sourced configuration writes with what a source says: where, and as whom. The
// sink is opened anew when that source changes.
type Sourced interface {
	SourceName() string
	// CheckSource says why the sink can't use the source, with paths relative to the sink.
	CheckSource(source connectors.Config) error
}

// A Counter counts what is to be seen in the metrics, by the constants below.
type Counter interface {
	Counts() map[string]int64
}

// WriteRaces are cells that were written for a row that had moved, and put right.
const WriteRaces = "write_races"

// Common is what every sink has.
type Common struct {
	Kind   string         `yaml:"kind"`
	Events config.Strings `yaml:"events"` // empty: render.completed and image.removed
	// DisableAfter disables the sink when nothing has arrived for so long; 0 never
	// does. 5d by default.
	DisableAfter config.Duration `yaml:"disable_after"`
}

// disableAfter is as long as Standard Webhooks has endpoints fail before they are
// disabled.
const disableAfter = 5 * 24 * time.Hour

// Default is a new configuration with its defaults, those of every sink too.
func (k Kind) Default() Config {
	c := k.Config()
	c.Base().DisableAfter = config.Duration(disableAfter)
	return c
}

// Base makes a struct that embeds Common a Config but for Validate.
func (c *Common) Base() *Common { return c }

// Wants reports whether the sink asked for event.
func (c *Common) Wants(event string) bool {
	if len(c.Events) == 0 {
		return event == RenderCompleted || event == ImageRemoved || event == BatchCompleted
	}
	for _, e := range c.Events {
		if e == event {
			return true
		}
	}
	return false
}

// Kinds is the list of kinds that a daemon knows.
type Kinds []Kind

// Find is the kind of that name.
func (k Kinds) Find(name string) (Kind, bool) {
	for _, kind := range k {
		if kind.Name == name {
			return kind, true
		}
	}
	return Kind{}, false
}
