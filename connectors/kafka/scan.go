package kafka

import (
	"cmp"
	"errors"
	"slices"

	"github.com/pictifyd/pictifyd/connectors/kafka/value"
	"github.com/pictifyd/pictifyd/internal/cures"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
)

// maxBatch is what a batch of records may have, unpacked.
const maxBatch = 128 << 20

// A scanner walks through what was fetched of one partition.
type scanner struct {
	topic string
	next  int64 // the offset to be read next
	epoch int32 // of the leader that wrote what was read last
	whole int   // batches that were
	// record takes a record. An error ends the walk, in front of it.
	record func(value.Record) error
	// skip hears of offsets whose records can't be read.
	skip func(first, last int64, err error) error
}

// errStuck says that a batch is damaged, and that it is not known yet where the next
// one begins.
type errStuck struct{ error }

func (e errStuck) Unwrap() error { return e.error }

// scan reads what f has from s.next on.
func (s *scanner) scan(f wire.Fetched) error {
	aborted := newAborted(f.Aborted)
	for rest := f.Batches; len(rest) > 0; {
		b, behind, err := wire.NextBatch(rest)
		var damaged *wire.DamagedError
		switch {
		case errors.Is(err, wire.ErrCut): // the next answer has all of it
			return nil
		case errors.As(err, &damaged):
			if err := s.damaged(damaged, behind); err != nil {
				return err
			}
		case err != nil:
			return err
		case b.Last < s.next: // brokers answer whole batches
			aborted.read(b)
		case aborted.read(b) || s.isControl(b):
			s.next, s.epoch = b.Last+1, b.Epoch
		default:
			if err := s.batch(f.Number, b); err != nil {
				return err
			}
		}
		rest = behind
		s.whole++
	}
	return nil
}

// isControl: the marks of transactions are no records (P2).
func (s *scanner) isControl(b wire.Batch) bool { return b.Control && cures.KafkaControl }

// batch reads a batch's records.
func (s *scanner) batch(number int32, b wire.Batch) error {
	err := b.Records(maxBatch, func(r wire.Record) error {
		if r.Offset < s.next {
			return nil
		}
		if err := s.record(recordOf(s.topic, number, r)); err != nil {
			return err
		}
		s.next, s.epoch = r.Offset+1, b.Epoch
		return nil
	})
	var damaged *wire.DamagedError
	var large *wire.TooLargeError
	switch {
	case errors.As(err, &damaged), errors.As(err, &large):
		// Its checksum is right, so that its end can be trusted.
		err = s.skip(s.next, b.Last, err)
	}
	if err != nil {
		return err
	}
	if cures.KafkaTail { // P1: its last records may have been compacted away
		s.next, s.epoch = b.Last+1, b.Epoch
	}
	return nil
}

// damaged steps over a batch that can't be trusted, to where the next one begins.
func (s *scanner) damaged(damaged *wire.DamagedError, behind []byte) error {
	next, _, err := wire.NextBatch(behind)
	if err != nil {
		return errStuck{damaged}
	}
	first := max(s.next, damaged.First)
	if next.First <= first {
		return errStuck{damaged}
	}
	if err := s.skip(first, next.First-1, damaged); err != nil {
		return err
	}
	s.next = next.First
	return nil
}

// recordOf keeps null and empty apart (P2).
func recordOf(topic string, number int32, r wire.Record) value.Record {
	v := value.Record{Topic: topic, Partition: int(number), Offset: r.Offset, Time: r.Time, Key: r.Key, Value: r.Value}
	if !cures.KafkaNull && len(v.Value) == 0 {
		v.Value = nil
	}
	if len(r.Headers) > 0 {
		v.Headers = make([]value.Header, len(r.Headers))
		for i, h := range r.Headers {
			v.Headers[i] = value.Header{Name: h.Name, Value: h.Value}
		}
	}
	return v
}

// aborted knows which batches belong to transactions that were given up. A leader tells
// of those that have records among what it answers; which of a producer's records
// they are follows from where the transaction began and where the mark of its end is.
type aborted struct {
	begin []wire.Aborted // by offset
	open  map[int64]bool // producers whose records are void here
}

func newAborted(all []wire.Aborted) *aborted {
	begin := slices.SortedFunc(slices.Values(all), func(a, b wire.Aborted) int { return cmp.Compare(a.Offset, b.Offset) })
	return &aborted{begin, map[int64]bool{}}
}

// read takes the next batch, and reports whether its records are void (P2).
func (a *aborted) read(b wire.Batch) bool {
	for len(a.begin) > 0 && a.begin[0].Offset <= b.Last {
		a.open[a.begin[0].Producer] = true
		a.begin = a.begin[1:]
	}
	if b.Control {
		if a.open[b.Producer] && b.Aborts() {
			delete(a.open, b.Producer)
		}
		return false
	}
	return cures.KafkaAborted && b.Transactional && a.open[b.Producer]
}
