package daemon

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	// watchInterval is how often the numbers of running experiments are looked at.
	watchInterval = time.Minute
	// rolloutAfter is how long a winner has to be one before it takes all by itself.
	rolloutAfter = 24 * time.Hour
	// leastShift is by how much a bandit has to move a weight, in basis points, for it
	// to be worth doing: its draws are right to about that.
	leastShift = 100
)

// An experimentWatch looks at running experiments now and then: it moves the weights
// of bandits, and says when the numbers name a winner or are worth nothing.
type experimentWatch struct {
	daemon   *Daemon
	drawn    map[string]time.Time // when the bandit of an experiment last drew; by id
	seedFunc func() uint64
}

func newExperimentWatch(d *Daemon) *experimentWatch {
	return &experimentWatch{daemon: d, drawn: map[string]time.Time{}, seedFunc: func() uint64 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // it never fails
		return binary.LittleEndian.Uint64(b[:])
	}}
}

// runExperiments follows the file, and looks at what runs, until ctx ends.
func (d *Daemon) runExperiments(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.fileExperiments.work(ctx) })
	wg.Go(func() { d.tellAlarms(ctx) })
	d.fileExperiments.ask()
	everyMinute(ctx, newExperimentWatch(d).look)
	return nil
}

// everyMinute looks until ctx ends.
func everyMinute(ctx context.Context, lookFunc func(ctx context.Context)) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			lookFunc(ctx)
		}
	}
}

// look looks at every experiment that runs. What stands in the way of one does not stop
// the others.
func (w *experimentWatch) look(ctx context.Context) {
	d := w.daemon
	all, err := d.store.Experiments(ctx)
	d.faults.note(d.log, "experiments", "to look at", err)
	for _, e := range all {
		if e.Status != experiment.Running || e.Retired {
			delete(w.drawn, e.ID)
			continue
		}
		err := w.review(ctx, e, time.Now())
		if ctx.Err() != nil {
			return
		}
		d.faults.note(d.log, "experiment", e.Slug, err)
	}
}

// review does what the numbers of one experiment ask for.
func (w *experimentWatch) review(ctx context.Context, e experiment.Experiment, now time.Time) error {
	d := w.daemon
	report, counts, err := d.reportOn(ctx, e, now)
	if err != nil || !compares(e) {
		return err
	}
	if !report.SRM.OK {
		news := newsOf(e, sink.ExperimentSRM, report)
		news.Number, news.Data.SRM = 1, report.SRM.P // told once
		if err := d.store.TellExperiment(ctx, e, news); err != nil {
			return err
		}
	}
	if e, err = w.settle(ctx, e, report, now); err != nil || e.Status != experiment.Running {
		return err
	}
	return w.reweigh(ctx, e, counts, report, now)
}

// settle notes since when there has been a winner, and completes an experiment that
// does so by itself.
func (w *experimentWatch) settle(ctx context.Context, e experiment.Experiment, report experiment.Report, now time.Time) (experiment.Experiment, error) {
	d := w.daemon
	ready := report.Status == experiment.WinnerReady
	switch {
	case ready && e.ReadySince.IsZero():
		e.ReadySince = now
		d.log.Info("an experiment has a winner", slog.String("experiment", e.Slug), slog.String("variant", report.Best))
		return d.keep(ctx, e, nil, newsOf(e, sink.ExperimentWinnerReady, report))
	case !ready && !e.ReadySince.IsZero():
		e.ReadySince = time.Time{}
		return d.keep(ctx, e, nil)
	case ready && e.Rollout == experiment.RolloutAutomatic && now.Sub(e.ReadySince) >= rolloutAfter:
		done, err := d.complete(ctx, e, report.Best, false)
		if err == nil {
			d.log.Info("an experiment completed itself", slog.String("experiment", e.Slug), slog.String("winner", done.Winner))
		}
		return done, err
	}
	return e, nil
}

// reweigh has the bandit of e draw the weights of new units, when it is time.
func (w *experimentWatch) reweigh(ctx context.Context, e experiment.Experiment, counts []experiment.Counts, report experiment.Report, now time.Time) error {
	b := e.Bandit
	if b == nil || !b.Enabled {
		return nil
	}
	last, ok := w.drawn[e.ID]
	if !ok { // of another process: it drew when it last moved something, or later
		allocations, err := w.daemon.store.Allocations(ctx, e.ID)
		if err != nil {
			return err
		}
		for _, a := range allocations {
			if a.At.After(last) {
				last = a.At
			}
		}
		w.drawn[e.ID] = last
	}
	if now.Sub(last) < time.Duration(b.RecomputeInterval)*time.Minute {
		return nil
	}
	for _, v := range report.Variants {
		if v.Units < b.Warmup {
			return nil
		}
	}
	w.drawn[e.ID] = now
	because, ok := experiment.Draw(e, counts, w.seedFunc(), now)
	if !ok || !shifted(e.Weights, because.Weights) {
		return nil
	}
	e.Weights = because.Weights
	news := newsOf(e, sink.ExperimentWeightsChanged, report)
	news.Data.Why = experiment.WhyBandit
	_, err := w.daemon.keep(ctx, e, &because, news)
	return err
}

// shifted reports whether a weight is so different that it is worth moving.
func shifted(before, after []int) bool {
	if len(before) != len(after) {
		return true
	}
	for i := range before {
		if max(before[i]-after[i], after[i]-before[i]) >= leastShift {
			return true
		}
	}
	return false
}

// mostAlarms wait to be told. There is one an hour for each variant that fails.
const mostAlarms = 64

// alarm has subscriptions told that a fallback stands for a variant. Whoever is shown
// the fallback does not wait for that.
func (d *Daemon) alarm(f api.FailingVariant) {
	select {
	case d.alarms <- f:
	default: // the log and the overview have it
	}
}

// tellAlarms tells of what fails until ctx ends.
func (d *Daemon) tellAlarms(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-d.alarms:
			err := d.tellFailing(ctx, f)
			if ctx.Err() == nil {
				d.faults.note(d.log, "experiments", "that fail", err)
			}
		}
	}
}

func (d *Daemon) tellFailing(ctx context.Context, f api.FailingVariant) error {
	e, err := d.store.Experiment(ctx, f.Experiment)
	if err != nil {
		return fmt.Errorf("tell of a failing variant: %w", err)
	}
	news := newsOf(e, sink.ExperimentFailing, experiment.Report{})
	news.Number = f.Last.UnixMilli()
	news.Data.Variant, news.Data.Shown, news.Data.Error = f.Variant, f.Shown, f.Why
	return d.store.TellExperiment(ctx, e, news)
}
