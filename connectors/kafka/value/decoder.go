package value

import (
	"context"

	"github.com/pictifyd/pictifyd/connectors"
)

// A Decoded is what one record says. All of it may be empty: there are records that
// say nothing of any row.
type Decoded struct {
	Rows   []connectors.Row
	Faults []connectors.Fault
	// Truncated says that all rows that there were are gone: a batch of their
	// topic's stream begins and ends a snapshot without rows.
	Truncated bool
	// Wakes are keys of rows of the source that Config.Refresh names, which are to
	// be read anew; there are no Rows then.
	Wakes [][]any
}

// A Decoder decodes the records of one source. It is safe for concurrent use.
type Decoder struct {
	cfg Config
	key []string
}

// New is a decoder of records whose rows have the key columns key; without any, the
// key of a row is the record's key, or what Config.RowKey makes of it.
func New(cfg Config, key []string, _ connectors.Env) (*Decoder, error) {
	if err := cfg.Check(key); err != nil {
		return nil, err
	}
	return &Decoder{cfg: cfg, key: key}, nil
}

// Decode decodes a record. An error says that this cannot be done now (the registry
// is away, or ctx ended) and that it may be later; retry.Wait has what the registry
// asked for. What is wrong with the record itself is in its Faults, each of which
// has a Raw for Replay.
func (d *Decoder) Decode(ctx context.Context, r Record) (Decoded, error) {
	return Decoded{}, nil
}

var _ connectors.Replayer = (*Decoder)(nil)

// Replay implements connectors.Replayer. An error says why there is still no row; a
// record that has come to say nothing, or several rows, is one as well.
func (d *Decoder) Replay(ctx context.Context, raw []byte) (connectors.Row, error) {
	return connectors.Row{}, nil
}
