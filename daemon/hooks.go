package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

var _ api.Hooks = (*Daemon)(nil)

const (
	// hookPatience is how long a call waits for its source: most senders give up
	// soon after.
	hookPatience = 5 * time.Second
	hookAgain    = 5 * time.Second
	// commitLimit is how long a commit may take that others wait for.
	commitLimit = 30 * time.Second
	// messagesKept is how long a message is known that comes again: longer than
	// any sender tries.
	messagesKept = 8 * day
)

// hook is the feed of the source that is called under path.
func (r *roster) hook(path string) *feed {
	for _, f := range r.feeds {
		if f.told != nil && f.told.HookPath() == path {
			return f
		}
	}
	return nil
}

// Receive takes in one call. When it returned nil, what the call brings is durable.
func (d *Daemon) Receive(path string, r *http.Request) (api.HookTaken, error) {
	f := d.roster().hook(path)
	if f == nil {
		d.metrics.called("", api.HookTaken{}, errNoHook)
		return api.HookTaken{}, problem.New(problem.NotFound, "no source is called at /hooks/%s", path).WithSlug("hook_not_found")
	}
	taken, err := d.receive(f, r)
	d.metrics.called(f.name, taken, err)
	return taken, err
}

var errNoHook = problem.New(problem.NotFound, "no source has this path")

func (d *Daemon) receive(f *feed, r *http.Request) (api.HookTaken, error) {
	receiver, ok := f.poller.(connectors.Receiver)
	if !ok {
		return api.HookTaken{}, fmt.Errorf("source %q has a path and receives nothing", f.name)
	}
	m, err := receiver.Receive(r)
	if err != nil {
		return api.HookTaken{}, err
	}
	if err := d.room(r.Context()); err != nil {
		return api.HookTaken{}, hookBusy("little disk is left")
	}
	if f.told.Rereads() != "" {
		return d.reread(r.Context(), f, m)
	}
	c := &call{message: m, done: make(chan struct{})}
	err = d.await(r.Context(), f, c)
	if err != nil && problem.CodeOf(err) == problem.Surroundings { // a full disk
		d.faults.note(d.log, "hook", f.name, err)
		return api.HookTaken{}, hookBusy("it cannot be kept")
	}
	if err != nil {
		return api.HookTaken{}, err
	}
	d.faults.note(d.log, "hook", f.name, nil)
	d.crash("hook.committed")
	return c.taken, nil
}

// hookBusy has the sender try again. It says no more: senders are not operators.
func hookBusy(why string) error {
	return retry.After(problem.New(problem.Overloaded, "nothing can be taken in now: %s", why).WithSlug("overloaded").
		WithHint("send it again after the seconds of Retry-After, with the same id"), hookAgain)
}

// reread has a source read that a call says has changed. The wish is durable, and
// wishes that come before the reading begins are one.
func (d *Daemon) reread(ctx context.Context, f *feed, m connectors.Message) (api.HookTaken, error) {
	taken := api.HookTaken{Source: f.name}
	if m.ID != "" {
		seen, err := d.store.Seen(ctx, f.name, []string{m.ID})
		if err != nil || seen[m.ID] {
			taken.Duplicate = seen[m.ID]
			return taken, err
		}
	}
	if m.Wakes {
		taken.Rereads = f.told.Rereads()
		if err := d.store.WantPoll(ctx, taken.Rereads); err != nil {
			return taken, err
		}
	}
	if m.ID == "" {
		return taken, nil
	}
	// Noted after the wish: killed in between, the message comes again and the
	// source is read once more.
	return taken, d.store.TakeMessage(ctx, f.name, m.ID)
}

// await has c committed, by itself or by another call that has the gate. One
// whose sender has gone is not taken, unless that has begun.
func (d *Daemon) await(ctx context.Context, f *feed, c *call) error {
	if !f.calls.add(c) {
		return hookBusy("too many calls wait")
	}
	patience := time.NewTimer(hookPatience)
	defer patience.Stop()
	gaveUp := func(err error) error {
		if f.calls.withdraw(c) {
			return err
		}
		<-c.done
		return c.err
	}
	for {
		select {
		case <-c.done:
			return c.err
		case f.gate <- struct{}{}:
			d.takeCalls(ctx, f)
			f.gate.leave()
		case <-ctx.Done():
			return gaveUp(ctx.Err())
		case <-patience.C:
			return gaveUp(hookBusy("the source is being planned again"))
		}
	}
}

// takeCalls commits the calls that wait. The caller is inside the gate.
func (d *Daemon) takeCalls(ctx context.Context, f *feed) {
	waiting := f.calls.next()
	if len(waiting) == 0 {
		return
	}
	// They are others' calls as well: it goes on when its own sender has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	err := d.takeAll(ctx, f, waiting)
	if errors.Is(err, errFeedEnded) {
		err = hookBusy("the source is being changed")
	}
	for _, c := range waiting {
		select {
		case <-c.done:
		default:
			c.err = err
			close(c.done)
		}
	}
}

// takeAll takes calls in their order. Those that are done are answered.
func (d *Daemon) takeAll(ctx context.Context, f *feed, waiting []*call) error {
	if f.ended() {
		return errFeedEnded
	}
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	fresh, again, err := d.fresh(ctx, f, waiting)
	if err != nil {
		return err
	}
	floor := f.floor()
	for len(fresh) > 0 {
		n := 1
		alone := fresh[0].alone(floor)
		for !alone && n < len(fresh) && !fresh[n].alone(floor) {
			n++
		}
		if err := d.takeGroup(ctx, f, group{calls: fresh[:n], alone: alone}); err != nil {
			return err
		}
		fresh = fresh[n:]
	}
	for _, c := range again { // now that the first of the same id is durable
		c.taken = api.HookTaken{Source: f.name, Duplicate: true}
		close(c.done)
	}
	return nil
}

// fresh parts calls from those that were taken before, or come twice.
func (d *Daemon) fresh(ctx context.Context, f *feed, waiting []*call) (fresh, again []*call, err error) {
	var ids []string
	for _, c := range waiting {
		if c.message.ID != "" {
			ids = append(ids, c.message.ID)
		}
	}
	seen, err := d.store.Seen(ctx, f.name, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range waiting {
		id := c.message.ID
		if id != "" && seen[id] {
			again = append(again, c)
			continue
		}
		if id != "" {
			seen[id] = true
		}
		fresh = append(fresh, c)
	}
	return fresh, again, nil
}

// floor is the number of rows up to which no guard holds anything.
func (f *feed) floor() int {
	floor := groupRows
	for _, b := range f.bindings {
		floor = min(floor, b.Config().Guard.Floor)
	}
	return floor
}

// forgetMessages ends the memory of messages that no sender repeats any more.
func (d *Daemon) forgetMessages(ctx context.Context, now time.Time) error {
	return d.store.ForgetMessages(ctx, now.Add(-messagesKept))
}
