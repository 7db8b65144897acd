package prometheus

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// A rule is one alert of alerts.yaml.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func mustRules(tb testing.TB) []rule {
	tb.Helper()
	text, err := os.ReadFile("alerts.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		tb.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// A past is what Prometheus has scraped.
type past struct {
	series []storage.Series
}

type sample struct {
	at   int64
	what float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) F() float64                    { return s.what }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// mustPast reads lines of the notation of promtool's unit tests, one value a minute.
func mustPast(tb testing.TB, lines ...string) *past {
	tb.Helper()
	p := &past{}
	for _, line := range lines {
		name, values, err := parser.ParseSeriesDesc(line)
		if err != nil {
			tb.Fatalf("%s: %v", line, err)
		}
		var samples []chunks.Sample
		for i, v := range values {
			if !v.Omitted {
				samples = append(samples, sample{int64(i) * time.Minute.Milliseconds(), v.Value})
			}
		}
		p.series = append(p.series, storage.NewListSeries(name, samples))
	}
	return p
}

// Querier implements storage.Queryable.
func (p *past) Querier(_, _ int64) (storage.Querier, error) { return pastQuerier{past: p}, nil }

type pastQuerier struct {
	storage.LabelQuerier

	past *past
}

func (q pastQuerier) Close() error { return nil }

func (q pastQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &pastSet{at: -1}
	for _, s := range q.past.series {
		fits := true
		for _, m := range matchers {
			fits = fits && m.Matches(s.Labels().Get(m.Name))
		}
		if fits {
			found.all = append(found.all, s)
		}
	}
	return found
}

type pastSet struct {
	all []storage.Series
	at  int
}

func (s *pastSet) Next() bool                        { s.at++; return s.at < len(s.all) }
func (s *pastSet) At() storage.Series                { return s.all[s.at] }
func (s *pastSet) Err() error                        { return nil }
func (s *pastSet) Warnings() annotations.Annotations { return nil }

// firing are the labels of the alerts of a rule that fire so many minutes after the
// beginning: as in Prometheus, what the expression has given at each evaluation since for.
func (p *past) firing(tb testing.TB, r rule, minutes int) []labels.Labels {
	tb.Helper()
	wait := time.Duration(0)
	if r.For != "" {
		var err error
		if wait, err = time.ParseDuration(r.For); err != nil {
			tb.Fatal(err)
		}
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})
	defer func() {
		if err := engine.Close(); err != nil {
			tb.Error(err)
		}
	}()
	since := map[string]time.Time{}
	var fires []labels.Labels
	for minute := range minutes + 1 {
		now := time.UnixMilli(0).Add(time.Duration(minute) * time.Minute)
		query, err := engine.NewInstantQuery(tb.Context(), p, nil, r.Expr, now)
		if err != nil {
			tb.Fatalf("%s: %v", r.Alert, err)
		}
		result := query.Exec(tb.Context())
		vector, err := result.Vector()
		if err != nil {
			tb.Fatalf("%s: %v", r.Alert, err)
		}
		if warnings := result.Warnings.AsErrors(); len(warnings) > 0 {
			tb.Errorf("%s: %v", r.Alert, warnings)
		}
		active := map[string]time.Time{}
		fires = nil
		for _, sample := range vector {
			id := fmt.Sprint(sample.Metric)
			began, ok := since[id]
			if !ok {
				began = now
			}
			active[id] = began
			if now.Sub(began) >= wait {
				fires = append(fires, sample.Metric)
			}
		}
		since = active
		query.Close()
	}
	return fires
}
