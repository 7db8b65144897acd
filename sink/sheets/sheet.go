package sheets

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	sheetsource "github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	mostAtOnce = 1000        // rows that a turn writes
	gatherFor  = time.Second // for which the first of them waits
)

// A sheet is the columns that are written.
type sheet struct {
	cfg     *Config
	columns []column
	table   *sheetsource.Columns
	log     *slog.Logger
	turn    chan struct{} // held by whoever writes
	races   atomic.Int64
}

var (
	_ sink.Batcher = (*sheet)(nil)
	_ sink.Prober  = (*sheet)(nil)
	_ sink.Counter = (*sheet)(nil)
)

func newSheet(cfg *Config, env sink.Env) (*sheet, error) {
	columns, err := cfg.columns()
	if err != nil {
		return nil, err
	}
	var source connectors.Config
	if env.Source != nil {
		source = env.Source(cfg.Source)
	}
	if source == nil {
		return nil, problem.New(problem.Invalid, "there is no source %q", cfg.Source).At("source").WithHint("add it under sources:")
	}
	if err := cfg.CheckSource(source); err != nil {
		return nil, err
	}
	table, err := sheetsource.OpenColumns(source.(*sheetsource.Config), connectors.Env{Name: cfg.Source, Dir: env.Dir, Log: env.Log, Client: env.Client},
		cfg.names(), cfg.Formula == image)
	if err != nil {
		return nil, err
	}
	s := &sheet{cfg: cfg, columns: columns, table: table, log: env.Log, turn: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Close gives back the place among those that share the credential.
func (s *sheet) Close() error {
	s.table.Close()
	return nil
}

// enter waits for the turn; leave gives it back.
func (s *sheet) enter(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *sheet) leave() { <-s.turn }

// Probe implements sink.Prober: the sheet can be read, and has the columns.
func (s *sheet) Probe(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.table.Probe(ctx)
}

// Counts implements sink.Counter.
func (s *sheet) Counts() map[string]int64 {
	return map[string]int64{sink.WriteRaces: s.races.Load()}
}

// Batch implements sink.Batcher.
func (s *sheet) Batch() (int, time.Duration) { return mostAtOnce, gatherFor }

// Deliver implements sink.Sink.
func (s *sheet) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	o := s.DeliverAll(ctx, []sink.Delivery{d})[0]
	return o.Receipt, o.Err
}

// DeliverAll implements sink.Batcher.
func (s *sheet) DeliverAll(ctx context.Context, ds []sink.Delivery) []sink.Outcome {
	ended := make([]sink.Outcome, len(ds))
	var wants []*want
	for i, d := range ds {
		w, err := s.want(d)
		if w == nil {
			ended[i].Err = err
			continue
		}
		w.ended = &ended[i]
		wants = append(wants, w)
	}
	if len(wants) == 0 {
		return ended
	}
	if err := s.enter(ctx); err != nil {
		fail(wants, err)
		return ended
	}
	defer s.leave()
	for len(wants) > 0 { // two bindings may tell of one row: one after the other
		var now, later []*want
		seen := map[string]bool{}
		for _, w := range wants {
			if seen[w.key] {
				later = append(later, w)
				continue
			}
			seen[w.key] = true
			now = append(now, w)
		}
		(&writing{sheet: s, open: now}).run(ctx)
		wants = later
	}
	return ended
}

func fail(wants []*want, err error) {
	for _, w := range wants {
		w.ended.Err = err
	}
}
