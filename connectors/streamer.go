package connectors

import (
	"context"
	"errors"
	"time"
)

// A Streamer is a source that tells of its changes as they happen. It is held by
// one process at a time. Its Poll is called by checks alone: it reads rows as they
// stand, some or all, and tells the server nothing; or it returns ErrNotPolled. A
// Streamer that is an Adviser says with its error all that keeps its server from
// telling of changes; it makes nothing there.
type Streamer interface {
	Poller

	// Stream emits what the source tells behind the cursor, in its order, until ctx
	// ends; then it returns nil. An error says that the stream broke: the daemon
	// begins again behind the cursor that was committed last, after a rest that
	// grows, or that retry.Wait of the error asks for. A Halt waits for a person.
	//
	// Each batch closes: with Closing.Cursor behind its rows, which are committed
	// together, so that nothing is told twice and nothing is left out. Whatever the
	// source is told to forget (a confirmed LSN, a committed offset) is told after
	// Emit returned nil, never before. Rows have no Version: their order is that in
	// which they are emitted, and a key may stand in a batch several times.
	//
	// Where nothing can be said about what there was before the cursor (there is
	// none, or what was behind it is lost), all rows are read as they stand: a
	// snapshot, as Closing.Snapshot says.
	Stream(ctx context.Context, from Cursor, s Stream) error

	// Release gives back what the source's server keeps for its reader, such as a
	// replication slot: the source is read no more. It is called again until it
	// returns nil; that there is nothing to give back is none of its errors.
	Release(ctx context.Context) error
}

// A Stream is what the daemon lends to a Streamer while it runs.
type Stream struct {
	Emit Emit
	// Report says how the stream fares, whenever that has changed, and at least as
	// often as something is heard of the source. It does not block.
	Report func(StreamState)
	// Resnapshot says that a person wants all rows to be read again, whatever the
	// cursor says. The wish is over with the first batch that begins a snapshot.
	Resnapshot bool
}

// A StreamState is how a stream fares.
type StreamState struct {
	Phase Phase
	// HeardAt is when the source last vouched that nothing was left to tell, or
	// that what it told was as of then: a heartbeat that came back, the end of a log.
	HeardAt time.Time
	// Snapshot: rows that were read, and how many there are about; 0 is not known.
	Rows, OfRows int64
	// Lag is how much is still to be told by part of the source: records by
	// partition, or bytes of WAL.
	Lag map[string]int64
	// Retained is how many bytes the source's server keeps only for this reader.
	Retained int64
	// Warning is what a person should look after although the stream goes on; its
	// hint says how.
	Warning error
}

// A Phase is what a stream is about.
type Phase string

// The phases of a stream.
const (
	PhaseConnecting Phase = "connecting"
	PhaseSnapshot   Phase = "snapshot" // rows are read as they stand, beside what changes
	PhaseStreaming  Phase = "streaming"
	PhaseHalted     Phase = "halted" // it waits for a person; the daemon says so
)

// A SnapshotMark says how a batch of a stream stands to a snapshot, a reading of
// all rows as they stand, of which a stream may tell in many batches and between
// what changes meanwhile.
type SnapshotMark struct {
	// Begins: rows that are in no batch from this one to the one that Ends are gone.
	// A snapshot that was under way is given up.
	Begins bool
	// Ends: every row that the source has was in a batch since the snapshot began,
	// or was told of as a change since. A batch that begins and ends one says that
	// there are no rows but its own: the table was emptied.
	Ends bool
	// Partial, of one that Ends: the source does not hold all rows any more, so that those
	// that were in no batch are not gone.
	Partial bool
}

// A Halted is an error after which only a person can say how to go on.
type Halted struct{ Err error }

// Halt is err as a Halted.
func Halt(err error) error { return &Halted{err} }

func (h *Halted) Error() string { return h.Err.Error() }

// Unwrap is the reason.
func (h *Halted) Unwrap() error { return h.Err }

// IsHalt reports whether err says that a person has to decide.
func IsHalt(err error) bool {
	var h *Halted
	return errors.As(err, &h)
}

// A Streaming configuration says whether its source is a Streamer as it is configured.
type Streaming interface {
	Streams() bool
}

// A Holding configuration is of a Streamer for which a server keeps something. What
// Holds says is the same for two configurations that hold the same thing, whatever
// else they say; it is empty where nothing is kept.
type Holding interface {
	Holds() string
}

// A Waking configuration is of a Streamer that names rows of another source, in
// Batch.Wakes, in place of rows of its own. Rereads is that source; "" is that it has
// rows of its own.
type Waking interface {
	Rereads() string
}

// Streams reports whether a source of cfg is a Streamer.
func Streams(cfg Config) bool {
	s, ok := cfg.(Streaming)
	return ok && s.Streams()
}

// A Replayer can make a row once more of what could not become one.
type Replayer interface {
	// Replay is the row in raw, as Fault.Raw had it; an error says why there is still none.
	Replay(ctx context.Context, raw []byte) (Row, error)
}

// ErrNotPolled is what Poll of a Streamer returns that can't read its rows as they stand.
var ErrNotPolled = errors.New("this source tells of its changes, and is never read")

// GapPolicy says what a stream does when what happened behind its cursor is lost.
type GapPolicy string

// The policies.
const (
	OnGapResnapshot GapPolicy = "resnapshot" // all rows are read again; what is as it was renders nothing
	OnGapHalt       GapPolicy = "halt"       // a person decides
)
