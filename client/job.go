package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/batch"
)

// A Job is where a batch stands.
type Job struct {
	ID          string       `json:"jobId"`
	TemplateUID string       `json:"templateUid"`
	Status      batch.Status `json:"status"`
	Total       int64        `json:"totalItems"`
	Completed   int64        `json:"completedItems"`
	Failed      int64        `json:"failedItems"`
	Deduped     int64        `json:"dedupedItems"`
	Rate        float64      `json:"ratePerSecond"`
	ETA         *int64       `json:"etaSeconds"` // nil when it can't be told

	Run *batch.RunView `json:"run,omitempty"` // nil of a batch
}

// Whole reports whether every row has its images.
func (j Job) Whole() bool { return j.Status == batch.Completed }

// SourceAway reports whether a run ended because its source could not be read.
func (j Job) SourceAway() bool { return j.Run != nil && j.Run.ErrorCode == batch.SourceFailed }

const (
	lookEvery = 500 * time.Millisecond
	jobSize   = 4 << 20
)

// Follow looks at a job until it has ended, and shows each look to watch. It
// bears a daemon that does not answer for as long as patience.
func Follow(ctx context.Context, r Remote, id string, patience time.Duration, watch func(Job)) (j Job, err error) {
	for {
		err := persist(ctx, patience, func() error {
			data, err := r.Ask(ctx, http.MethodGet, jobPath(id)+"?limit=1", nil, nil, jobSize)
			if err != nil {
				return err
			}
			return r.Decode(data, &j)
		})
		if err != nil {
			return j, err
		}
		watch(j)
		if j.Status.Ended() {
			return j, nil
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

func jobPath(id string) string { return "/jobs/" + url.PathEscape(id) }
