package stream

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/pictifyd/pictifyd/connectors"
)

// A sea takes batches, each when it is told to.
type sea struct {
	batches   []connectors.Batch
	committed []string
	let       chan error
}

func (s *sea) emit(ctx context.Context, b connectors.Batch) error {
	select {
	case err := <-s.let:
		if err == nil {
			s.batches = append(s.batches, b)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// collect runs test with a Collector whose batches commit when sea.let is sent to.
func collect(t *testing.T, o Options, test func(t *testing.T, c *Collector, s *sea, ended <-chan error)) {
	synctest.Test(t, func(t *testing.T) {
		s := &sea{let: make(chan error)}
		o.CommittedFunc = func(c connectors.Cursor) { s.committed = append(s.committed, string(c)) }
		c := NewCollector(s.emit, o)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		test(t, c, s, ended)
		stop()
		synctest.Wait()
	})
}

func part(key string) Part {
	return Part{
		Rows: []connectors.Row{{Key: []any{key}}}, Bytes: 10,
		Closes: connectors.Closing{Cursor: connectors.Cursor("behind " + key)},
	}
}

func mustAdd(t *testing.T, c *Collector, parts ...Part) {
	t.Helper()
	for _, p := range parts {
		if err := c.Add(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *sea) keys() (all []string) {
	for _, b := range s.batches {
		keys := ""
		for _, r := range b.Rows {
			keys += fmt.Sprint(r.Key[0])
		}
		all = append(all, keys)
	}
	return all
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestWhatComesWhileABatchCommitsSharesTheNext(t *testing.T) {
	collect(t, Options{}, func(t *testing.T, c *Collector, s *sea, _ <-chan error) {
		mustAdd(t, c, part("a"))
		synctest.Wait() // a is being committed
		mustAdd(t, c, part("b"), part("c"))
		flushed := make(chan error, 1)
		go func() { flushed <- c.Flush(t.Context()) }()
		s.let <- nil
		synctest.Wait()
		select {
		case <-flushed:
			t.Error("Flush did not wait for b and c")
		default:
		}
		s.let <- nil
		expect(t, "Flush", <-flushed, nil)
		expect(t, "batches", s.keys(), []string{"a", "bc"})
		expect(t, "cursors", s.committed, []string{"behind a", "behind c"})
	})
}

func TestAddWaitsWhileAWholeBatchWaits(t *testing.T) {
	for name, o := range map[string]Options{"rows": {Rows: 2}, "bytes": {Bytes: 20}} {
		t.Run(name, func(t *testing.T) {
			collect(t, o, func(t *testing.T, c *Collector, s *sea, _ <-chan error) {
				mustAdd(t, c, part("a"))
				synctest.Wait()
				mustAdd(t, c, part("b"), part("c"))
				added := make(chan error, 1)
				go func() { added <- c.Add(t.Context(), part("d")) }()
				synctest.Wait()
				select {
				case <-added:
					t.Fatal("a third batch began to grow")
				default:
				}
				s.let <- nil
				expect(t, "Add", <-added, nil)
				s.let <- nil
				s.let <- nil
				expect(t, "Flush", c.Flush(t.Context()), nil)
				expect(t, "batches", s.keys(), []string{"a", "bc", "d"})
			})
		})
	}
}

func TestRefusedBatchEndsAllThatWaits(t *testing.T) {
	collect(t, Options{Rows: 1}, func(t *testing.T, c *Collector, s *sea, ended <-chan error) {
		full := errors.New("the disk is full")
		mustAdd(t, c, part("a"))
		synctest.Wait()
		mustAdd(t, c, part("b"))
		added, flushed := make(chan error, 1), make(chan error, 1)
		go func() { added <- c.Add(t.Context(), part("c")) }()
		go func() { flushed <- c.Flush(t.Context()) }()
		synctest.Wait()
		s.let <- full
		for what, err := range map[string]error{"Add": <-added, "Flush": <-flushed, "Run": <-ended, "the next Add": c.Add(t.Context(), part("d"))} {
			if !errors.Is(err, full) {
				t.Errorf("%s says %v", what, err)
			}
		}
		expect(t, "cursors", s.committed, []string{})
	})
}

func TestMarkSharesNoBatchWithWhatStandsBefore(t *testing.T) {
	collect(t, Options{}, func(t *testing.T, c *Collector, s *sea, _ <-chan error) {
		begins, ends, gap := part("c"), part("e"), part("g")
		begins.Closes.Snapshot.Begins, ends.Closes.Snapshot.Ends, gap.Closes.Gap = true, true, "lost"
		go func() {
			for range 7 {
				s.let <- nil
			}
		}()
		for _, p := range []Part{part("a"), part("b"), begins, part("d"), ends, part("f"), gap} {
			if err := c.Add(t.Context(), p); err != nil {
				t.Error(err)
			}
		}
		expect(t, "Flush", c.Flush(t.Context()), nil)
		for _, b := range s.batches {
			if marked := b.Closes.Snapshot != (connectors.SnapshotMark{}) || b.Closes.Gap != ""; marked && len(b.Rows) != 1 {
				t.Errorf("a batch with %+v has %d rows", *b.Closes, len(b.Rows))
			}
		}
		for range 7 - len(s.batches) { // let go of what lets
			<-s.let
		}
	})
}

func TestFaultsKeepTheirPlaceBetweenRows(t *testing.T) {
	collect(t, Options{}, func(t *testing.T, c *Collector, s *sea, _ <-chan error) {
		mustAdd(t, c, part("a"))
		synctest.Wait()
		poison := Part{Faults: []connectors.Fault{{Position: "1"}}, Closes: connectors.Closing{}}
		mixed := part("c")
		mixed.Faults = []connectors.Fault{{Position: "2", Behind: 1}}
		mustAdd(t, c, part("b"), poison, mixed)
		s.let <- nil
		s.let <- nil
		expect(t, "Flush", c.Flush(t.Context()), nil)
		b := s.batches[1]
		if len(b.Faults) != 2 || b.Faults[0].Behind != 1 || b.Faults[1].Behind != 2 || string(b.Closes.Cursor) != "behind c" {
			t.Errorf("the batch is %+v, %+v", b.Faults, b.Closes)
		}
	})
}
