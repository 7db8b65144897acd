package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// A RowRender is the work that one output of a row waits for, or came from.
type RowRender struct {
	Output      string
	Fingerprint string
	Spec        bindings.Spec
	State       string // waiting, resting, claimed, done, failed
	Attempts    int64
	Bytes       int64
	Duration    time.Duration // in the engine
	Lane        string        // the way that it took there

	WantedAt, EndedAt time.Time

	Before *bindings.Spec // of the picture that stood there before, where that is still known
}

// RowRenders are the renders of a binding's row, in the order of its outputs.
// One that is kept no longer is not among them.
func (s *Store) RowRenders(ctx context.Context, binding, key string) ([]RowRender, error) {
	owner, key := string(bindings.BindingOwner(binding)), clean(key)
	all, err := collect(ctx, s.reader(), `SELECT g.output, g.fingerprint, r.spec, r.state, r.attempts, r.bytes, r.duration, r.lane, r.created_at, r.ended_at
		FROM images AS g JOIN renders AS r ON r.fingerprint = g.fingerprint WHERE g.owner = $1 AND g.idx = 0 AND g.key = $2 ORDER BY g.place`,
		[]any{owner, key}, func(scan func(...any) error) (v RowRender, err error) {
			var spec string
			var micros int64
			var wanted, ended sql.NullInt64
			if err := scan(&v.Output, &v.Fingerprint, &spec, &v.State, &v.Attempts, &v.Bytes, &micros, &v.Lane, &wanted, &ended); err != nil {
				return v, err
			}
			v.Duration, v.WantedAt, v.EndedAt = time.Duration(micros)*time.Microsecond, moment(wanted), moment(ended)
			err = decode(spec, &v.Spec)
			return v, err
		})
	if err != nil {
		return nil, wrap(err, "read the renders of row %s", key)
	}
	past, err := s.pastSpecs(ctx, owner, key)
	for i := range all {
		all[i].Before = newestOf(past, all[i])
	}
	return all, wrap(err, "read what row %s was before", key)
}

// A pastSpec is what an earlier picture of a row was made of.
type pastSpec struct {
	fingerprint string
	spec        bindings.Spec
}

// pastSpecs are those of a row's earlier pictures, and of those that are shown
// while newer ones are made, newest first.
func (s *Store) pastSpecs(ctx context.Context, owner, key string) ([]pastSpec, error) {
	return collect(ctx, s.reader(), `SELECT r.fingerprint, r.spec FROM renders AS r WHERE r.state = 'done' AND r.fingerprint IN (
			SELECT p.fingerprint FROM past_images AS p WHERE p.owner = $1 AND p.idx = 0 AND p.key = $2
			UNION SELECT h.fingerprint FROM images AS g JOIN renders AS h ON h.hash = g.hash
				WHERE g.owner = $1 AND g.idx = 0 AND g.key = $2 AND g.hash <> '' AND g.state = 'waiting')
		ORDER BY r.ended_at DESC, r.fingerprint LIMIT 50`, []any{owner, key}, func(scan func(...any) error) (p pastSpec, err error) {
		var text string
		if err := scan(&p.fingerprint, &text); err != nil {
			return p, err
		}
		err = decode(text, &p.spec)
		return p, err
	})
}

// newestOf is the newest of the pictures of the same output as v.
func newestOf(past []pastSpec, v RowRender) *bindings.Spec {
	for _, p := range past {
		if p.fingerprint != v.Fingerprint && p.spec.Size == v.Spec.Size && p.spec.Theme == v.Spec.Theme && p.spec.Number == v.Spec.Number && p.spec.Format == v.Spec.Format {
			return &p.spec
		}
	}
	return nil
}
