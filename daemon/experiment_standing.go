package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// reportOn is what the numbers of an experiment say now, and the numbers.
func (d *Daemon) reportOn(ctx context.Context, e experiment.Experiment, now time.Time) (experiment.Report, []experiment.Counts, error) {
	counts, err := d.store.ExperimentCounts(ctx, e.ID)
	if err != nil {
		return experiment.Report{}, nil, err
	}
	allocations, err := d.store.Allocations(ctx, e.ID)
	return experiment.Judge(e, counts, allocations, now), counts, err
}

// Standing implements api.ExperimentDesk.
func (d experimentDesk) Standing(ctx context.Context, e experiment.Experiment, whole bool) (st api.Standing, err error) {
	st.WriteKey = d.writeKey(e)
	if shown, err := d.exhibit.of(e.ID); err == nil { // a draft is not
		st.Pictures = shown.pictures
	}
	if st.Report, st.Counts, err = d.reportOn(ctx, e, time.Now()); err != nil || !whole {
		return st, err
	}
	st.Series = experiment.Series(e, st.Counts)
	st.Allocations, err = d.store.Allocations(ctx, e.ID)
	return st, err
}

// newsOf is what subscriptions are told of an experiment.
func newsOf(e experiment.Experiment, event string, report experiment.Report) store.ExperimentNews {
	news := store.ExperimentNews{Event: event, Data: sink.ExperimentNews{
		Experiment: e.Slug, ID: e.ID, Name: e.Name, Status: string(e.Status), Verdict: string(report.Status), Reasons: report.Reasons,
		Winner: e.Winner, Weights: map[string]int{},
	}}
	if e.Winner == "" && report.Status == experiment.WinnerReady {
		news.Data.Winner = report.Best
	}
	for i, v := range e.Variants {
		if i < len(e.Weights) {
			news.Data.Weights[v.ID] = e.Weights[i]
		}
	}
	return news
}
