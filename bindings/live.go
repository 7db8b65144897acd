package bindings

import (
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// What is served when a row cannot be asked for in time.
const (
	ServeStale   = "serve_stale"   // the picture from before, where there is one
	ServeError   = "serve_error"   // 502 or 504
	ServeDefault = "serve_default" // the binding's placeholder
)

// Live says how a binding asks its source for a row when its image is asked for.
// The zero value asks never.
type Live struct {
	TTL         config.Duration `yaml:"ttl"`         // so old a row may be without being asked for again
	Timeout     config.Duration `yaml:"timeout"`     // so long a request waits for the row and its picture
	OnError     string          `yaml:"on_error"`    // ServeStale, ServeError or ServeDefault
	MaxStale    config.Duration `yaml:"max_stale"`   // older than this nothing is served as stale; 0: no limit
	SWR         config.Duration `yaml:"swr"`         // so long beyond ttl the picture from before is served at once, and the row asked for behind; 0: never
	MissingTTL  config.Duration `yaml:"missing_ttl"` // how long the source's word holds that there is no such row
	Concurrency int             `yaml:"concurrency"` // rows that are asked for at the same time
}

const (
	liveTTL         = config.Duration(time.Minute)
	liveTimeout     = config.Duration(3 * time.Second)
	liveMissingTTL  = config.Duration(30 * time.Second)
	liveConcurrency = 4

	maxLiveConcurrency = 256
)

// UnmarshalNode reads live, whose fields have defaults once it is there.
func (l *Live) UnmarshalNode(n config.Node) error {
	*l = Live{TTL: liveTTL, Timeout: liveTimeout, OnError: ServeStale, MissingTTL: liveMissingTTL, Concurrency: liveConcurrency}
	type plain Live
	return n.Decode((*plain)(l))
}

// On reports whether rows are asked for at all.
func (l Live) On() bool { return l != Live{} }

func (c Config) checkLive() (problems problem.List) {
	add := func(path, hint, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path).WithHint("%s", hint))
	}
	l := c.Live
	if !l.On() {
		return nil
	}
	if l.TTL.Std() < time.Second {
		add("live.ttl", "write 60s; caches may keep the image as long", "a row can't be asked for every %s", l.TTL.Std())
	}
	if l.Timeout.Std() <= 0 || l.Timeout.Std() > time.Minute {
		add("live.timeout", "write 3s; whoever loads the image waits as long", "a request can't wait %s", l.Timeout.Std())
	}
	if l.MissingTTL.Std() < time.Second {
		add("live.missing_ttl", "write 30s", "a row that is not there can't be asked for every %s", l.MissingTTL.Std())
	}
	if l.MaxStale.Std() != 0 && l.MaxStale.Std() < l.TTL.Std() {
		add("live.max_stale", "write a longer one, or 0 for no limit", "max_stale %s is shorter than ttl %s", l.MaxStale.Std(), l.TTL.Std())
	}
	if l.Concurrency < 1 || l.Concurrency > maxLiveConcurrency {
		add("live.concurrency", "write 4; the source gets no more requests at the same time", "concurrency must be from 1 to %d", maxLiveConcurrency)
	}
	switch l.OnError {
	case ServeStale, ServeError:
	case ServeDefault:
		if c.Placeholder == "" {
			add("live.on_error", "add placeholder: to the binding, the name of a template", "serve_default needs a placeholder")
		}
	default:
		add("live.on_error", "serve_stale, serve_error or serve_default", "there is no way %q to go on after an error", l.OnError)
	}
	return problems
}
