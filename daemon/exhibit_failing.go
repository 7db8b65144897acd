package daemon

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	// alarmInterval is how often a variant that keeps failing is told of.
	alarmInterval = time.Hour
	// failingFor is how long after its last failure a variant is called failing.
	failingFor = 24 * time.Hour
)

// failing are the variants whose pictures could not be shown lately.
type failing struct {
	// alarmFunc hears of a variant when it begins to fail, and once an hour as long
	// as it does; nil: nobody does. It is set before the exhibit runs.
	alarmFunc func(api.FailingVariant)

	mu  sync.Mutex
	all map[variantID]*failure
}

type variantID struct{ experiment, variant string }

type failure struct {
	api.FailingVariant

	told time.Time
	lost string // the hash of bytes that are gone, until they are there again
}

// failed notes that the fallback stood for a variant, and tells of it where it is time.
func (x *exhibit) failed(s *stand, variant, lost string, why error, now time.Time) {
	f := &x.failing
	f.mu.Lock()
	id := variantID{s.ID, variant}
	one, ok := f.all[id]
	if !ok || now.Sub(one.Last) >= failingFor {
		one = &failure{FailingVariant: api.FailingVariant{Experiment: s.ID, Slug: s.Slug, Variant: variant, Since: now}}
	}
	if f.all == nil {
		f.all = map[variantID]*failure{}
	}
	f.all[id] = one
	one.Name, one.Last, one.Why, one.lost = s.Name, now, why.Error(), lost
	one.Shown++
	alarm := now.Sub(one.told) >= alarmInterval
	if alarm {
		one.told = now
	}
	told := one.FailingVariant
	f.mu.Unlock()
	if !alarm {
		return
	}
	x.daemon.log.Warn("variant fails, its fallback is shown", slog.String("experiment", s.Slug), slog.String("variant", variant),
		slog.Int64("shown", told.Shown), slog.Any("err", why))
	if f.alarmFunc != nil {
		f.alarmFunc(told)
	}
}

// Failing implements api.Exhibit: the newest first.
func (x *exhibit) Failing() []api.FailingVariant {
	now := time.Now()
	x.failing.mu.Lock()
	defer x.failing.mu.Unlock()
	var all []api.FailingVariant
	for _, one := range x.failing.all {
		if now.Sub(one.Last) < failingFor {
			all = append(all, one.FailingVariant)
		}
	}
	slices.SortFunc(all, func(a, b api.FailingVariant) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Variant, b.Variant))
	})
	return all
}

// mended ends what is said of the variants of an experiment: it has new pictures.
func (f *failing) mended(experiment string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.all {
		if id.experiment == experiment {
			delete(f.all, id)
		}
	}
}

// lookAgain looks for bytes that were lost: a turn may have made them again, under
// another hash where the machine draws them otherwise by now.
func (x *exhibit) lookAgain(ctx context.Context) {
	x.failing.mu.Lock()
	lost := map[variantID]string{}
	for id, one := range x.failing.all {
		if one.lost != "" {
			lost[id] = one.lost
		}
	}
	x.failing.mu.Unlock()
	if len(lost) == 0 {
		return
	}
	if err := x.load(ctx); err != nil {
		return // it is noted where it is tried
	}
	for id, hash := range lost {
		s, ok := x.stands.Load().byID[id.experiment]
		if ok {
			file, _, err := x.daemon.blobs.Open(ctx, s.pictures[id.variant].Hash)
			if err != nil {
				if problem.CodeOf(err) == problem.NotFound {
					_, _ = x.daemon.store.Remake(ctx, hash)
				}
				continue
			}
			_ = file.Close()
		}
		x.failing.found(id)
	}
}

// found notes that the bytes of a variant are there again.
func (f *failing) found(id variantID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, id)
}
