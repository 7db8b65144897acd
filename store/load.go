package store

import (
	"context"
	"time"
)

// A Load is how much there is to do, and what went wrong lately.
type Load struct {
	Waiting, Drawing, Resting int64 // renders
	Failed                    int64 // renders since a moment
	DeadLetters               int64
	DeliveriesWaiting         int64 // also those on their way
}

const (
	loadOfState = `SELECT count(*) FROM renders WHERE state = `
	failedSince = `SELECT count(*) FROM renders WHERE state = 'failed' AND ended_at >= $1`
)

// Load counts by indexes of what is to be done, which are as large as that.
func (s *Store) Load(ctx context.Context, since time.Time) (l Load, err error) {
	for _, one := range []struct {
		to    *int64
		query string
		args  []any
	}{
		{&l.Waiting, loadOfState + `'waiting'`, nil},
		{&l.Drawing, loadOfState + `'claimed'`, nil},
		{&l.Resting, loadOfState + `'resting'`, nil},
		{&l.Failed, failedSince, []any{millis(since)}},
		{&l.DeadLetters, `SELECT count(*) FROM deliveries WHERE state = 'dead'`, nil},
		{&l.DeliveriesWaiting, `SELECT (SELECT count(*) FROM deliveries WHERE state = 'waiting') + (SELECT count(*) FROM deliveries WHERE state = 'claimed')`, nil},
	} {
		if err := s.reader().row(ctx, one.query, one.args...).Scan(one.to); err != nil {
			return l, wrap(err, "count what there is to do")
		}
	}
	return l, nil
}
