package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// An eraser deletes for persons: rows first, then at once the bytes that only
// they had.
type eraser struct{ daemon *Daemon }

// DeleteJob implements api.Deletions.
func (e eraser) DeleteJob(ctx context.Context, id string) (api.Deletion, error) {
	erased, err := e.daemon.store.DeleteJob(ctx, id)
	return e.finish(ctx, erased, err)
}

// DeleteJobRow implements api.Deletions.
func (e eraser) DeleteJobRow(ctx context.Context, job, key string) (api.Deletion, error) {
	erased, err := e.daemon.store.DeleteJobRow(ctx, job, key)
	return e.finish(ctx, erased, err)
}

// DeleteRow implements api.Deletions.
func (e eraser) DeleteRow(ctx context.Context, source, key string, forget bool) (api.Deletion, error) {
	erased, err := e.daemon.store.DeleteRow(ctx, source, key, forget)
	return e.finish(ctx, erased, err)
}

// RecallRow implements api.Deletions.
func (e eraser) RecallRow(ctx context.Context, source, key string) (bool, error) {
	recalled, err := e.daemon.store.Recall(ctx, source, key)
	if err != nil || !recalled {
		return recalled, err
	}
	return true, e.daemon.store.WantPoll(ctx, source)
}

// DeleteKey implements api.Deletions.
func (e eraser) DeleteKey(ctx context.Context, k api.DeletedKey) (api.Deletion, error) {
	var total store.Erased
	for _, source := range k.Sources {
		erased, err := e.daemon.store.DeleteRow(ctx, source, k.Canonical, k.Forget)
		total.Add(erased)
		if err != nil {
			return e.finish(ctx, total, err)
		}
	}
	jobs, err := e.daemon.store.JobsWithKey(ctx, k.Text)
	for _, job := range jobs {
		erased, err := e.daemon.store.DeleteJobRow(ctx, job, k.Text)
		var known *problem.Error
		switch is := errors.As(err, &known); {
		case is && known.Code == problem.Conflict:
			total.Running = append(total.Running, job)
		case is && known.Code == problem.NotFound: // it went meanwhile
		case err != nil:
			return e.finish(ctx, total, err)
		}
		total.Add(erased)
	}
	return e.finish(ctx, total, err)
}

// finish removes the bytes of what was erased.
func (e eraser) finish(ctx context.Context, erased store.Erased, err error) (api.Deletion, error) {
	d := e.daemon
	done := api.Deletion{
		Rows: erased.Rows, Images: erased.Images, Renders: erased.Renders, Deliveries: erased.Deliveries, Files: erased.Files,
		Bindings: erased.Bindings, Sinks: erased.Sinks, Jobs: erased.Jobs, Running: erased.Running,
	}
	if err != nil {
		return done, err
	}
	d.unscrubbed.Store(true)
	d.spool.Forget("") // files that were made to be sent have the values of rows
	left, err := d.removeMarked(ctx, time.UnixMilli(0), time.Now())
	done.FilesLeft = int64(left)
	return done, err // the store's file is written anew at the next look
}
