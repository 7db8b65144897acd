package daemon

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/store"
)

// freshness is how current each source of the roster is.
func (d *Daemon) freshness(ctx context.Context) (map[string]connectors.Freshness, error) {
	times, err := d.store.SourceTimes(ctx)
	if err != nil {
		return nil, err
	}
	now := d.roster()
	all := make(map[string]connectors.Freshness, len(now.feeds))
	for name, f := range now.feeds {
		all[name] = f.freshness(times[name], now.rests(name))
	}
	return all, nil
}

// rests reports whether every binding of a source is paused, and there are some.
func (r *roster) rests(source string) bool {
	of := r.of(source)
	for _, b := range of {
		if !r.paused[b.Name] {
			return false
		}
	}
	return len(of) > 0
}

func (f *feed) freshness(st store.SourceTimes, paused bool) connectors.Freshness {
	is := connectors.Freshness{
		Expected: f.expected, Since: f.since, Paused: paused,
		BegunAt: st.BegunAt, EndedAt: st.EndedAt, ConfirmedAt: st.ConfirmedAt, ChangedAt: st.ChangedAt, ToldAt: st.ToldAt,
		Complete: st.Complete, Reason: st.Reason, Unchanged: st.Unchanged, Failures: st.Failures, Error: st.Error, Quarantined: st.Quarantined,
	}
	is = f.latest.over(is)
	if f.stream != nil {
		is.Gap = st.Gap
		state, _, halted := f.stream.now()
		is.Halted, is.Warning = textOf(halted), textOf(state.Warning)
	}
	switch {
	case f.passive || f.stream != nil:
	case f.plan != nil:
		is.NextAt = f.plan.Rule.Next(time.Now())
	default:
		is.NextAt = f.since
		if next := is.BegunAt.Add(f.every); next.After(is.NextAt) {
			is.NextAt = next
		}
		if again := f.again.Load(); again > 0 {
			is.NextAt = time.Unix(0, again)
		}
	}
	return is
}

// expect says how often something should be heard of f.
func (f *feed) expect(base *connectors.Common) {
	switch {
	case base.Expect > 0:
		f.expected = base.Expect.Std()
	case f.plan != nil:
		f.expected = f.plan.Rule.Widest(f.since, scheduledTimes)
	case f.stream != nil:
		f.expected = streamBeat
	case !f.passive:
		f.expected = f.every
	}
}

// scheduledTimes are as many as it takes to meet the longest rest of most
// schedules: a weekend, a holiday month.
const scheduledTimes = 31

// A freshnessCollector gives the figures of freshness whenever Prometheus asks.
type freshnessCollector struct{ daemon *Daemon }

var (
	sourceLabel = []string{"source"}
	stateWords  = []string{connectors.StateOK, connectors.StateWarn, connectors.StateError, connectors.StatePaused}

	confirmedAge  = prometheus.NewDesc("pictifyd_last_confirmed_age_seconds", "Time since the rows of a source were last known to be current: alert on this one first.", sourceLabel, nil)
	expectedEvery = prometheus.NewDesc("pictifyd_expected_interval_seconds", "How often something should be heard of a source.", sourceLabel, nil)
	readFailures  = prometheus.NewDesc("pictifyd_source_failures", "Readings of a source in a row that failed.", sourceLabel, nil)
	sourceState   = prometheus.NewDesc("pictifyd_source_state", "1 for the state that a source is in.", []string{"source", "state"}, nil)
	bindingState  = prometheus.NewDesc("pictifyd_binding_state", "1 for the state that a binding is in.", []string{"binding", "state"}, nil)
	imagesStale   = prometheus.NewDesc("pictifyd_images_stale", "Rows of a binding with an image that is not as it is wanted.", []string{"binding"}, nil)
	oldestWanted  = prometheus.NewDesc("pictifyd_oldest_dirty_age_seconds", "For how long the picture of a binding has been wanted that waits longest.", []string{"binding"}, nil)
)

// Describe implements prometheus.Collector.
func (c freshnessCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{confirmedAge, expectedEvery, readFailures, sourceState, bindingState, imagesStale, oldestWanted} {
		out <- desc
	}
}

// freshnessLimit is how long a scrape waits for the store.
const freshnessLimit = 5 * time.Second

// Collect implements prometheus.Collector.
func (c freshnessCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), freshnessLimit)
	defer cancel()
	d, now := c.daemon, time.Now()
	all, err := d.freshness(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(confirmedAge, err)
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	state := func(desc *prometheus.Desc, name, is string) {
		for _, word := range stateWords {
			value := 0.0
			if word == is {
				value = 1
			}
			gauge(desc, value, name, word)
		}
	}
	for name, f := range all {
		if lag := f.Lag(now); lag >= 0 {
			gauge(confirmedAge, lag.Seconds(), name)
		}
		gauge(expectedEvery, f.Expected.Seconds(), name)
		gauge(readFailures, float64(f.Failures), name)
		state(sourceState, name, f.Health(now).State)
	}
	bindings := d.configured()
	statuses, err := d.store.Bindings(ctx, namesOf(d.roster().bindings))
	if err != nil {
		out <- prometheus.NewInvalidMetric(imagesStale, err)
		return
	}
	for i, st := range statuses {
		gauge(imagesStale, float64(st.Waiting+st.Failed), st.Binding)
		age := 0.0
		if !st.WantedSince.IsZero() {
			age = now.Sub(st.WantedSince).Seconds()
		}
		gauge(oldestWanted, age, st.Binding)
		if i < len(bindings) && bindings[i].Name == st.Binding {
			state(bindingState, st.Binding, st.Health(all[bindings[i].Source].Health(now), bindings[i].Error, now).State)
		}
	}
}
