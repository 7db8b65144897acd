package daemon

import (
	"context"
)

// looks is how many readings sources begin by themselves, at a time.
const looks = 8

// look reads f as its interval or a hint wants it. It takes no turn: should the
// process die, the next one looks at its start. A source that has not changed
// costs a question and no commit. It returns an error only where the store fails;
// what is wrong with the source is noted.
func (d *Daemon) look(ctx context.Context, f *feed) error {
	select {
	case d.looking <- struct{}{}:
		defer func() { <-d.looking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	if f.ended() || f.resting() {
		return nil
	}
	if err := d.readyToRead(ctx, f); isUnread(err) {
		d.setPolled(f.name, err)
		return d.notePoll(ctx, f, err)
	} else if err != nil {
		return err
	}
	from, err := d.store.Position(ctx, f.name)
	if err != nil {
		return err
	}
	v := &visit{daemon: d, feed: f}
	err = v.pay(ctx, from)
	if ctx.Err() != nil || f.ended() {
		return ctx.Err()
	}
	if err := d.notePoll(ctx, f, err); err != nil {
		return err
	}
	f.read(err)
	d.setPolled(f.name, err)
	return nil
}

// readyToRead has f ready to be read. A source that reads rows of another one which
// nobody has read is not; the error is one for isUnread.
func (d *Daemon) readyToRead(ctx context.Context, f *feed) error {
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	if err := d.rejoin(ctx, f); err != nil {
		return err
	}
	return d.unread(ctx, f.reads)
}

// notePoll has the store know how the newest poll ended, unless it does.
func (d *Daemon) notePoll(ctx context.Context, f *feed, failure error) error {
	message := textOf(failure)
	if f.noted != nil && *f.noted == message {
		return nil
	}
	err := d.store.NotePoll(ctx, f.name, failure)
	if err == nil {
		f.noted = &message
	}
	return err
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
