package connectors

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Row is one element of a source as it was seen there.
type Row struct {
	// Key holds the values of the source's key columns, in their order. A
	// column that the row does not have is nil. The connector does not judge
	// it: null and duplicate keys are the matter of bindings.
	Key []any

	// Values are the row's columns. Only these types occur, at any depth: nil,
	// bool, string, json.Number (with the digits of the source), []any and
	// map[string]any. A cell of a text format (CSV) is a string.
	Values map[string]any

	// Version orders the states of one row within its source; higher is newer.
	// Zero means that the reading orders them: then the number of the reading
	// is the version.
	Version int64

	// Deleted says that the source itself reports the row gone. Values may be nil.
	Deleted bool

	// Position tells a person where the row stands: "line 14", "$.items[3]".
	Position string
}

// A Fault is an element that could not become a row; it is quarantined with
// its reason, and a reading that has one is still complete.
type Fault struct {
	Position string // as in Row
	Reason   string // a slug: "bad_record", "too_large"
	Detail   string // for a person
	// Key, where it could be read, is the element's key, as in Row: its row is there
	// still and stays as it was, so that what else is missing may count as gone.
	Key []any
	// Behind, of a stream, is how many rows of its batch came before it. Of a row and
	// a fault with one key the later one counts. The faults of a batch stand in order.
	Behind int
	// Raw, of a stream, is what a Replayer takes to try again once whatever was wrong
	// is mended; nil where that is in vain.
	Raw []byte
}

// A Cursor is where a source was read to: opaque to everyone but the connector
// that made it. nil is the beginning.
type Cursor []byte

// A Batch is a part of a reading; the last one, and only it, has Closes.
type Batch struct {
	// Reading is the same in all batches of one reading. The daemon sets it on
	// the way of the batch; a connector leaves it empty.
	Reading string
	Rows    []Row
	Faults  []Fault
	// Wakes, of streams only, are the keys of rows of the source that Waking.Rereads
	// names, which are to be asked for anew once the batch is committed.
	Wakes  [][]any
	Closes *Closing
}

// A Closing ends a reading.
type Closing struct {
	Complete bool   // every row that the source has was in it
	Reason   string // why it is not complete; empty when it is
	Cursor   Cursor // committed with the reading; nil keeps the one before
	// Unchanged says that the source itself vouches that nothing changed since
	// the cursor (304, same bytes): the reading carries no rows, infers no
	// deletes, and only confirms that the last state is current.
	Unchanged bool

	// Snapshot is of streams only, as Gap is.
	Snapshot SnapshotMark
	// Gap is why changes before this batch may have been missed, as a person is told;
	// empty where none can have been. A snapshot that ends closes the gap.
	Gap string
}

// Emit returns nil only when the batch is durably committed, the closing one
// with its cursor. Whoever acknowledges upstream does so after that, never
// before. It blocks while there is too much to do: that is the back-pressure.
// The slices of the batch may be reused by the caller after Emit returned; the
// values of its rows are not touched again.
type Emit func(ctx context.Context, b Batch) error

// A Poller reads its source once; the daemon decides when. Poll returns nil
// when the reading was closed (complete or not) through emit. An error means
// that the reading died: nothing is closed, the cursor stays, the daemon
// reports it and polls again later. Poll never emits an empty complete reading
// because it could not read.
type Poller interface {
	Poll(ctx context.Context, from Cursor, emit Emit) error
}

// A Waker hints that its source may have changed. Wake blocks until ctx ends,
// then returns nil; an error says that there can be no hints here. It calls
// poll, which never blocks, once it has begun to listen (so that a change from
// before is not missed) and then for each hint. Hints may be lost; the safety
// poll stays.
type Waker interface {
	Wake(ctx context.Context, poll func()) error
}

// A Timed poller reads what its address names for a moment, as in
// "usage-{{ run.month }}.csv". The daemon calls PollAt instead of Poll. What such
// a reading does not have is of another time and not gone: it is never complete.
type Timed interface {
	Poller
	PollAt(ctx context.Context, at time.Time, from Cursor, emit Emit) error
}

// A Finder can read one row by its key, without the rest. key are the values of
// the key columns, in their order. found is false where the source says that
// there is no such row; an error says that it could not be asked.
type Finder interface {
	Find(ctx context.Context, key []string) (row Row, found bool, err error)
}

// An Adviser can say what would make its readings better, or more current, as its server is
// now: each with what to do. What keeps it from being read is none of that.
type Adviser interface {
	Advise(ctx context.Context) (problem.List, error)
}

// An Env is what the daemon lends to a source.
type Env struct {
	Name string // of the source
	Dir  string // of the configuration: relative paths start there
	Log  *slog.Logger
	// Instance is a short word of lower-case letters and digits that only the
	// processes of one ledger share, to name what a source makes at its server.
	Instance string
	// Client is the only way out of a source that a caller of the API made. nil is
	// the operator's own source, which reaches what it likes.
	Client *http.Client
	// RowsFunc calls row for each stored row of another source, by its key, for
	// sources whose configuration is a Dependent. nil where there are none.
	RowsFunc func(ctx context.Context, source string, row func(key string, values map[string]any) error) error
}

// A Kind is one kind of source: the same value feeds the daemon, check and the
// reference pages.
type Kind struct {
	Name    string // the word after "kind:"
	Summary string // one line
	// Callers says that callers of the API may make such sources: they reach
	// nothing but what Env.Client reaches, and their Config is an Addressed.
	Callers bool
	// Config returns a pointer to a new configuration with its defaults, for
	// config.Node.Decode.
	Config func() Config
	New    func(cfg Config, env Env) (Poller, error)
}

// A Config is a source's own part of the configuration, a pointer to a struct
// with yaml tags that embeds Common.
type Config interface {
	// Validate returns all problems, as a problem.List, with paths relative to
	// the section.
	Validate() error
	// Base is the part that all kinds share.
	Base() *Common
}

// An Addressed configuration names the addresses that it reaches, by their paths.
type Addressed interface {
	Addresses() map[string]string
}

// A Single configuration may say that its source has one row only, and its key.
type Single interface {
	OnlyKey() string // "" where there may be many
}

// A Passive configuration is of a source that is never polled: its rows come when
// somebody sends them or asks for them.
type Passive interface {
	Passive() bool
}

// A Findable configuration says whether its source is a Finder as it is configured;
// no source of another configuration is one.
type Findable interface {
	Finds() bool
}

// Finds reports whether a source of cfg can find one row by its key.
func Finds(cfg Config) bool {
	if Streams(cfg) { // what its rows are is heard at once, and asking would overtake it
		return false
	}
	if f, ok := cfg.(Findable); ok {
		return f.Finds()
	}
	return false
}

// A Dependent configuration names the sources whose rows it reads by Env.RowsFunc.
// A change of those is a reason to read it again.
type Dependent interface {
	Sources() []string
}

// Common is what every source has.
type Common struct {
	Kind  string          `yaml:"kind"`
	Key   config.Strings  `yaml:"key"`   // the columns that identify a row, in order
	Every config.Duration `yaml:"every"` // between polls; zero is the kind's default
	// Expect is how often something is heard of the source when all is well; zero is
	// how often it is read, and never of one that is not.
	Expect config.Duration `yaml:"expect"`

	Schedule `yaml:",inline"`
}

// Base makes a struct that embeds Common a Config but for Validate.
func (c *Common) Base() *Common { return c }

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

// KeyOf picks the key columns out of values.
func KeyOf(columns []string, values map[string]any) []any {
	key := make([]any, len(columns))
	for i, c := range columns {
		key[i] = values[c]
	}
	return key
}
