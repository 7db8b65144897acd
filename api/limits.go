package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// Limits are how much is taken at a time. In each of them 0 is no limit.
type Limits struct {
	Rate    int          `yaml:"rate"`     // requests a minute of each key that has no rate of its own
	Quota   apikey.Quota `yaml:"quota"`    // images of each key that has no quota of its own
	Uploads int          `yaml:"uploads"`  // batches that are being taken in at the same time
	Staged  config.Bytes `yaml:"staged"`   // rows that are being taken in, all together
	Backlog int64        `yaml:"backlog"`  // rows that have not ended: with so many no batch is taken
	BadKeys int          `yaml:"bad_keys"` // keys that are not known, a minute of each address; then only those that came from there before are looked at

	Subscriptions    int `yaml:"subscriptions"`     // webhook subscriptions, all together
	KeySubscriptions int `yaml:"key_subscriptions"` // of each key
}

func defaultLimits() Limits {
	return Limits{Uploads: 8, Staged: 1e9, Backlog: 1_000_000, BadKeys: 60, Subscriptions: 1000, KeySubscriptions: 100}
}

func (l Limits) validate() problem.List {
	var list problem.List
	for _, one := range []struct {
		name string
		n    int64
	}{{"rate", int64(l.Rate)}, {"uploads", int64(l.Uploads)}, {"staged", int64(l.Staged)}, {"backlog", l.Backlog}, {"bad_keys", int64(l.BadKeys)},
		{"subscriptions", int64(l.Subscriptions)}, {"key_subscriptions", int64(l.KeySubscriptions)}} {
		if one.n < 0 {
			list = append(list, problem.New(problem.Invalid, "%d is below zero", one.n).At("limits."+one.name).WithHint("0 is no limit"))
		}
	}
	return list
}

// Slugs of what is refused because of a limit.
const (
	slugRate       = "rate_limited"
	slugOverloaded = "overloaded"
)

// metered reports whether a request counts against its key's rate. What
// pictures and pages are made of does not: one page may show hundreds.
func (rt route) metered() bool {
	return rt.scope != "" || strings.Contains(rt.pattern, " /jobs/") || strings.Contains(rt.pattern, " /templates/")
}

// meter counts a request, and says in h what is left.
func (p *principal) meter(h http.Header) error {
	if p.rate == nil {
		return nil
	}
	now := time.Now()
	allowed := p.rate.AllowN(now, 1)
	tokens, burst := p.rate.TokensAt(now), p.rate.Burst()
	after := func(missing float64) time.Duration { // until so many are there again
		return time.Duration(max(0, missing) / float64(p.rate.Limit()) * float64(time.Second))
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(burst))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(int(max(0, tokens))))
	full := now.Add(after(float64(burst) - tokens))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(int64(math.Ceil(float64(full.UnixMilli())/1000)), 10))
	if allowed {
		return nil
	}
	return retry.After(problem.New(problem.Overloaded, "the key %q may ask %d times a minute", p.name, burst).
		WithSlug(slugRate).WithHint("ask again after the seconds of Retry-After"), after(1-tokens))
}

const (
	// A batch waits so long for its turn to be taken in, and so many for each
	// that is: short batches of many senders meet, and go one after the other.
	turnLimit = 2 * time.Second
	queueFor  = 4

	uploadsAgain = 2 * time.Second
	backlogAgain = 30 * time.Second
)

// A gate is an Intake that takes in no more at a time than the limits say, and
// charges the batches that it accepts to their keys.
type gate struct {
	Intake
	limits Limits
	keys   Keys

	turns   *semaphore.Weighted // nil: as many as come
	waiting atomic.Int64
	staged  atomic.Int64
}

func newGate(limits Limits, deps Deps) *gate {
	g := &gate{Intake: deps.Intake, limits: limits, keys: deps.Keys}
	if limits.Uploads > 0 {
		g.turns = semaphore.NewWeighted(int64(limits.Uploads))
	}
	return g
}

// bounded is handle, for a request that brings a batch.
func bounded(handle handler) handler {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		up, err := s.gate.enter(r.Context())
		if err != nil {
			return err
		}
		defer up.leave()
		return handle(s, w, r.WithContext(context.WithValue(r.Context(), uploadKey{}, up)))
	}
}

// An upload is one batch that is being taken in.
type upload struct {
	gate  *gate
	bytes atomic.Int64
}

type uploadKey struct{}

func (up *upload) leave() {
	up.gate.staged.Add(-up.bytes.Load())
	if up.gate.turns != nil {
		up.gate.turns.Release(1)
	}
}

func (g *gate) enter(ctx context.Context) (*upload, error) {
	if g.limits.Backlog > 0 {
		rows, err := g.keys.Backlog(ctx)
		if err != nil {
			return nil, err
		}
		if rows >= g.limits.Backlog {
			return nil, overloaded(backlogAgain, "%d rows wait to be rendered", rows)
		}
	}
	if err := g.turn(ctx); err != nil {
		return nil, err
	}
	return &upload{gate: g}, nil
}

// turn waits until one more batch may be taken in.
func (g *gate) turn(ctx context.Context) error {
	if g.turns == nil || g.turns.TryAcquire(1) {
		return nil
	}
	full := overloaded(uploadsAgain, "%d other batches are being taken in", g.limits.Uploads)
	if g.waiting.Add(1) > int64(queueFor*g.limits.Uploads) {
		g.waiting.Add(-1)
		return full
	}
	defer g.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	if g.turns.Acquire(ctx, 1) != nil {
		return full
	}
	return nil
}

func overloaded(again time.Duration, format string, args ...any) error {
	return retry.After(problem.New(problem.Overloaded, format, args...).WithSlug(slugOverloaded).
		WithHint("send it again after the seconds of Retry-After; with the same Idempotency-Key nothing is made twice"), again)
}

// rowOverhead is about what a row takes beside its values.
const rowOverhead = 100

// StageRows keeps rows while there is room for them.
func (g *gate) StageRows(ctx context.Context, job string, rows []batch.Row) error {
	if up, ok := ctx.Value(uploadKey{}).(*upload); ok && g.limits.Staged > 0 {
		size := int64(0)
		for _, r := range rows {
			size += int64(len(r.Values)+len(r.Key)) + rowOverhead
		}
		own, all, most := up.bytes.Add(size), g.staged.Add(size), int64(g.limits.Staged)
		switch {
		case own > most:
			return problem.New(problem.TooLarge, "a batch may have %s of rows", g.limits.Staged).
				WithHint("send several, or raise server.limits.staged")
		case all > most:
			return overloaded(uploadsAgain, "%s of rows are being taken in", config.Bytes(all-size))
		}
	}
	return g.Intake.StageRows(ctx, job, rows)
}

// AcceptJob charges j to the key that sent it. What its quota refuses leaves no
// rows behind.
func (g *gate) AcceptJob(ctx context.Context, j batch.Job) error {
	j.Charge = asker(ctx).charge(j.Total)
	err := g.Intake.AcceptJob(ctx, j)
	if err != nil && problem.CodeOf(err) == problem.Forbidden {
		return errors.Join(err, g.DiscardRows(ctx, j.ID))
	}
	return err
}
