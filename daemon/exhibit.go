package daemon

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

const (
	// meetingLimit and eventLimit are how many go in one commit at most; a single
	// call may bring more.
	meetingLimit = 1000
	eventLimit   = 1000
	// tallyInterval is how often counts of what is no unit of its own are written
	// down. A death loses those since.
	tallyInterval = time.Second
)

// An exhibit is the experiments as the public doors show them, in memory: for a unit
// that is known nothing reads the database.
type exhibit struct {
	daemon *Daemon
	keys   unitKeys
	stands atomic.Pointer[stands]
	units  *unitCache

	meetings *convoy[experiment.Meeting, experiment.Assignment]
	events   *convoy[experiment.Event, experiment.Taken]
	tallies  tallies
	failing  failing

	again  *errand    // loads what could not be loaded when it changed
	loaded sync.Mutex // held by whoever makes other stands
}

// stands are all experiments that are shown, at one moment.
type stands struct {
	bySlug, byID map[string]*stand
}

// A stand is an experiment with its pictures. It does not change.
type stand struct {
	experiment.Experiment

	control  string                        // the id of a variant
	pictures map[string]experiment.Picture // by variant; "" is the fallback
	chooser  *experiment.Chooser

	plainFunc func() []byte // a plain PNG of its size, where even the fallback is gone
}

func newExhibit(d *Daemon) *exhibit {
	x := &exhibit{daemon: d, units: newUnitCache(unitCacheLimit)}
	x.meetings = newConvoy(meetingLimit, func(ctx context.Context, asked []experiment.Meeting) ([]experiment.Assignment, error) {
		met, err := d.store.Meet(ctx, asked)
		for _, a := range met {
			x.units.put(a)
		}
		return met, err
	})
	x.events = newConvoy(eventLimit, func(ctx context.Context, asked []experiment.Event) ([]experiment.Taken, error) {
		return d.store.TakeEvents(ctx, asked)
	})
	x.again = newErrand(x.load, func(err error) { d.faults.note(d.log, "experiments", "that changed", err) })
	return x
}

// open reads the experiments that there are, and the key of their units.
func (x *exhibit) open(ctx context.Context) error {
	secret, err := x.daemon.store.Setting(ctx, "experiment_key", func() (string, error) { return rand.Text() + rand.Text(), nil })
	if err != nil {
		return err
	}
	x.keys = newUnitKeys(secret)
	return x.load(ctx)
}

// run writes down what is counted until ctx ends, and the rest then.
func (x *exhibit) run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { x.again.work(ctx) })
	tick := time.NewTicker(tallyInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			x.writeTallies(ctx)
			x.lookAgain(ctx)
		}
	}
	wg.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordGrace)
	defer cancel()
	x.writeTallies(last)
	return nil
}

// reloadExperiments has the public doors show the experiments as they are kept. It is
// called after each change of one, and of its pictures. Where it fails it is tried
// again until it does not.
func (d *Daemon) reloadExperiments(ctx context.Context) error {
	err := d.exhibit.load(ctx)
	if err != nil {
		d.exhibit.again.ask()
	}
	return err
}

// load makes the stands of what the store has now.
func (x *exhibit) load(ctx context.Context) error {
	x.loaded.Lock() // whoever read before may not replace what was read later
	defer x.loaded.Unlock()
	all, err := x.daemon.store.Experiments(ctx)
	if err != nil {
		return err
	}
	pictures, err := x.daemon.store.ExperimentPictures(ctx)
	if err != nil {
		return err
	}
	now := &stands{bySlug: map[string]*stand{}, byID: map[string]*stand{}}
	for _, e := range all {
		if e.Status == experiment.Draft {
			continue
		}
		s := &stand{Experiment: e, control: e.ControlVariant(), pictures: pictures[e.ID], chooser: experiment.NewChooser(e)}
		s.plainFunc = sync.OnceValue(func() []byte { return x.daemon.plainPicture(context.WithoutCancel(ctx), e) })
		now.bySlug[e.Slug], now.byID[e.ID] = s, s
	}
	x.stands.Store(now)
	return nil
}

// of is the experiment of a slug or an id.
func (x *exhibit) of(name string) (*stand, error) {
	now := x.stands.Load()
	if s, ok := now.bySlug[name]; ok {
		return s, nil
	}
	if s, ok := now.byID[name]; ok {
		return s, nil
	}
	return nil, problem.New(problem.NotFound, "no experiment %q is shown", name).WithSlug(store.ExperimentNotFound).
		WithHint("the path is /s/SLUG.EXT or /s/SLUG/UNIT.EXT, and an experiment is shown from its start on")
}

// over reports whether the winner is shown to all.
func (s *stand) over() bool { return s.Status == experiment.Completed || s.Retired }

// running reports whether new units are given variants, and what they do counts.
func (s *stand) running() bool { return s.Status == experiment.Running && !s.Retired }

// last is what is shown to all when it is over.
func (s *stand) last() string {
	if s.Winner != "" {
		return s.Winner
	}
	return s.control
}
