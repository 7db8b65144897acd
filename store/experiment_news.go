package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/sink"
)

// ExperimentNews is something that subscriptions are told of an experiment, once for
// its event and number.
type ExperimentNews struct {
	Event  string
	Number int64 // 0: the revision that it has then
	Data   sink.ExperimentNews
}

// KeepExperiment is SaveExperiment, and in the same commit what goes with it: the
// weights that new units have from now on, unless because is nil, and what
// subscriptions are told.
func (s *Store) KeepExperiment(ctx context.Context, e experiment.Experiment, because *experiment.Allocation, news ...ExperimentNews) (kept experiment.Experiment, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if kept, err = t.saveExperiment(ctx, e); err != nil {
			return err
		}
		if because != nil {
			if err := t.addAllocation(ctx, e.ID, *because); err != nil {
				return err
			}
		}
		return t.tellExperiment(ctx, kept, news)
	})
	if err != nil {
		return e, wrap(err, "keep the experiment %s", e.Slug)
	}
	s.crash("experiment.kept")
	return kept, nil
}

// TellExperiment tells subscriptions of something that changes nothing of e.
func (s *Store) TellExperiment(ctx context.Context, e experiment.Experiment, news ...ExperimentNews) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.tellExperiment(ctx, e, news) })
	return wrap(err, "tell of the experiment %s", e.Slug)
}

func (t *tx) tellExperiment(ctx context.Context, e experiment.Experiment, news []ExperimentNews) error {
	if len(news) == 0 {
		return nil
	}
	to, err := t.routes(ctx)
	if err != nil {
		return err
	}
	templates := make([]string, len(e.Variants))
	for i, v := range e.Variants {
		templates[i] = v.Template
	}
	owner := bindings.Owner("experiment/" + e.ID)
	var rows [][]any
	for _, one := range news {
		number := one.Number
		if number == 0 {
			number = e.Revision
		}
		key := wholeKey + one.Event
		if one.Data.Variant != "" {
			key += "/" + one.Data.Variant
		}
		for _, s := range to.subs {
			if !s.HearsExperiment(one.Event, templates) {
				continue
			}
			name := SinkOfSubscription(s.ID)
			rows = append(rows, []any{deliveryID(name, owner, key, number), name, string(owner), key, number, one.Event, "", encode(one.Data), ""})
			t.wantSinks[name] = true
		}
	}
	return t.insertDeliveries(ctx, rows)
}
