package api

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// A freshnessView is how current a source is.
type freshnessView struct {
	State string `json:"state"`           // ok, warn, error, paused
	Cause string `json:"cause,omitempty"` // why it is not ok
	Next  string `json:"next,omitempty"`  // what a person does about it

	LagSeconds      *float64 `json:"lagSeconds"`      // for how long nobody has known whether its rows are current; null: they never were
	ExpectedSeconds float64  `json:"expectedSeconds"` // something should be heard of it so often; 0: nobody knows

	Reading     bool       `json:"reading"` // one is under way
	BeganAt     *time.Time `json:"beganAt"` // the newest reading
	EndedAt     *time.Time `json:"endedAt"` // the newest that ended, however
	ConfirmedAt *time.Time `json:"confirmedAt"`
	ChangedAt   *time.Time `json:"changedAt"`
	ToldAt      *time.Time `json:"toldAt"` // a row last came outside of a reading
	NextAt      *time.Time `json:"nextAt"` // the next reading, at the latest; null: none is planned
	Unchanged   int64      `json:"unchangedReadings"`
	Failures    int64      `json:"failures"` // readings in a row that died
	Error       string     `json:"error,omitempty"`
	Quarantined int64      `json:"quarantined"`
}

func viewOfFreshness(f connectors.Freshness, now time.Time) *freshnessView {
	h := f.Health(now)
	return &freshnessView{
		State: h.State, Cause: h.Cause, Next: h.Next, LagSeconds: secondsOrNull(f.Lag(now)), ExpectedSeconds: f.Expected.Seconds(),
		Reading: f.Reading(), BeganAt: moment(f.BegunAt), EndedAt: moment(f.EndedAt), ConfirmedAt: moment(f.ConfirmedAt),
		ChangedAt: moment(f.ChangedAt), ToldAt: moment(f.ToldAt), NextAt: moment(f.NextAt),
		Unchanged: f.Unchanged, Failures: f.Failures, Error: f.Error, Quarantined: f.Quarantined,
	}
}

// secondsOrNull is d to the millisecond, or null where it is negative.
func secondsOrNull(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// A bindingFreshness is how current the images of a binding are.
type bindingFreshness struct {
	State string `json:"state"`           // ok, warn, error, paused
	Cause string `json:"cause,omitempty"` // why it is not ok
	Next  string `json:"next,omitempty"`  // what a person does about it

	LagSeconds      *float64 `json:"lagSeconds"`      // of its source
	ExpectedSeconds float64  `json:"expectedSeconds"` // of its source

	ImagesStale         int64      `json:"imagesStale"` // rows with an image that is not as it is wanted
	OldestWantedAt      *time.Time `json:"oldestWantedAt"`
	OldestWantedSeconds float64    `json:"oldestWantedSeconds"` // for how long the picture has been wanted that waits longest
}

func freshnessOfBinding(b Binding, st bindings.Status, f connectors.Freshness, now time.Time) *bindingFreshness {
	st.Source = b.Source
	h := st.Health(f.Health(now), b.Error, now)
	v := &bindingFreshness{
		State: h.State, Cause: h.Cause, Next: h.Next, LagSeconds: secondsOrNull(f.Lag(now)), ExpectedSeconds: f.Expected.Seconds(),
		ImagesStale: st.Waiting + st.Failed, OldestWantedAt: moment(st.WantedSince),
	}
	if !st.WantedSince.IsZero() {
		v.OldestWantedSeconds = max(now.Sub(st.WantedSince), 0).Round(time.Millisecond).Seconds()
	}
	return v
}

// freshness is how current each source is; nothing where nobody knows.
func (s *Server) freshness(ctx context.Context) (map[string]connectors.Freshness, error) {
	if s.deps.FreshnessFunc == nil {
		return nil, nil
	}
	return s.deps.FreshnessFunc(ctx)
}

// freshnessOf is freshness where connections of a kind have one.
func (s *Server) freshnessOf(ctx context.Context, kind string) (map[string]connectors.Freshness, error) {
	if kind != kindSource {
		return nil, nil
	}
	return s.freshness(ctx)
}
