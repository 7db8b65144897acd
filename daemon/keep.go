package daemon

import (
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Keep is the section keep of the configuration: for how long what is kept.
type Keep struct {
	Results    Term         `yaml:"results"`    // jobs with their rows, from their end on
	Superseded Term         `yaml:"superseded"` // bytes, from the moment on that no image shows them any more
	Images     Term         `yaml:"images"`     // bytes that bindings show; older ones go, and are made again when somebody asks
	Audit      Term         `yaml:"audit"`      // who changed what
	MinFree    config.Bytes `yaml:"min_free"`   // with less free disk nothing is taken in; 0: it always is
}

const day = 24 * time.Hour

// defaultKeep is the section as it is when nobody wrote it.
func defaultKeep() Keep {
	return Keep{Results: Term(30 * day), Superseded: Term(90 * day), Images: Forever, Audit: Term(400 * day), MinFree: 2e9}
}

// Validate reports every problem of k as a problem.List.
func (k Keep) Validate() error {
	var list problem.List
	least := func(path string, t Term, limit time.Duration, why string) {
		if t != Forever && time.Duration(t) < limit {
			list = append(list, problem.New(problem.Invalid, "must be at least %s, not %s: %s", Term(limit), t, why).At(path).
				WithHint("write a longer time, or forever"))
		}
	}
	least("results", k.Results, time.Hour, "whoever sent a batch asks for its results")
	least("superseded", k.Superseded, day, "caches and deliveries still name the old address")
	least("images", k.Images, day, "each that goes has to be made again")
	least("audit", k.Audit, day, "nobody would see what was changed")
	if k.MinFree < 0 {
		list = append(list, problem.New(problem.Invalid, "must not be negative").At("min_free"))
	}
	return list.Err()
}

// A Term is a span of time, or for ever.
type Term time.Duration

// Forever is the Term without an end.
const Forever Term = -1

// UnmarshalText reads "forever", or a duration as in "30d".
func (t *Term) UnmarshalText(text []byte) error {
	if string(text) == "forever" {
		*t = Forever
		return nil
	}
	d, err := config.ParseDuration(string(text))
	if err != nil {
		return problem.New(problem.Invalid, `%w, or "forever"`, err)
	}
	*t = Term(d)
	return nil
}

// String is what UnmarshalText reads as t.
func (t Term) String() string {
	if t == Forever {
		return "forever"
	}
	return config.Duration(t).String()
}

// MarshalText is String.
func (t Term) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// before is the moment that lies t before now; for ever it is before all others.
func (t Term) before(now time.Time) time.Time {
	if t == Forever {
		return time.UnixMilli(0)
	}
	return now.Add(-time.Duration(t))
}
