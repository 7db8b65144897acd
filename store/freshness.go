package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// SourceTimes is how the readings of a source went.
type SourceTimes struct {
	BegunAt, EndedAt, ConfirmedAt, ChangedAt, ToldAt time.Time // as in connectors.Freshness

	Complete    bool
	Reason      string
	Unchanged   int64
	Failures    int64
	Error       string
	Quarantined int64
	Gap         string // of a stream: why changes may have been missed; empty when all rows were read since
}

// SourceTimes are those of the sources that were read or told of, by name.
func (s *Store) SourceTimes(ctx context.Context) (map[string]SourceTimes, error) {
	all := map[string]SourceTimes{}
	err := s.reader().each(ctx, `SELECT name, begun_at, ended_at, confirmed_at, changed_at, told_at, complete, reason, unchanged, failures, error, gap,
		(SELECT count(*) FROM quarantine AS q WHERE q.source = sources.name) FROM sources`, nil, func(scan func(...any) error) error {
		var name string
		var st SourceTimes
		var begun, ended, confirmed, changed, told sql.NullInt64
		var complete int64
		if err := scan(&name, &begun, &ended, &confirmed, &changed, &told, &complete, &st.Reason, &st.Unchanged, &st.Failures, &st.Error, &st.Gap, &st.Quarantined); err != nil {
			return err
		}
		st.BegunAt, st.EndedAt, st.ConfirmedAt = moment(begun), moment(ended), moment(confirmed)
		st.ChangedAt, st.ToldAt, st.Complete = moment(changed), moment(told), complete == 1
		all[name] = st
		return nil
	})
	return all, wrap(err, "read how current the sources are")
}

// noteChanged notes that rows of a source are not as they were.
func (t *tx) noteChanged(ctx context.Context, source string, rows int) error {
	if rows == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE sources SET changed_at = $2, unchanged = 0 WHERE name = $1`, source, millis(t.now))
	return err
}

// noteCurrent notes that a reading was closed, and confirms that the stored rows
// are all that there are, or all that the source was asked for.
func (t *tx) noteCurrent(ctx context.Context, p bindings.Plan) error {
	_, err := t.exec(ctx, `UPDATE sources SET confirmed_at = CASE WHEN $2 = 1 THEN $3 ELSE confirmed_at END,
		ended_at = $3, unchanged = CASE WHEN changed_at >= begun_at THEN 0 ELSE unchanged + 1 END WHERE name = $1`,
		p.Source, flag(p.Closes.Complete || p.Closes.Unchanged || connectors.OnPurpose(p.Closes.Reason)), millis(t.now))
	return err
}

// oldestWanted adds to bindings since when the picture is wanted that waits longest.
func (s *Store) oldestWanted(ctx context.Context, all []bindings.Status) error {
	for i := range all {
		if all[i].Waiting == 0 {
			continue
		}
		owner := string(bindings.BindingOwner(all[i].Binding))
		var oldest sql.NullInt64
		// One look into the index for each priority, however many wait.
		for priority := bindings.PriorityNow; priority <= bindings.PriorityReplan; priority++ {
			var at sql.NullInt64
			if err := s.reader().row(ctx, `SELECT min(created_at) FROM renders WHERE state = 'waiting' AND priority = $2 AND owner = $1`,
				owner, priority).Scan(&at); err != nil {
				return err
			}
			oldest = earlier(oldest, at)
		}
		var at sql.NullInt64
		if err := s.reader().row(ctx, `SELECT min(created_at) FROM renders WHERE state = 'claimed' AND owner = $1`, owner).Scan(&at); err != nil {
			return err
		}
		all[i].WantedSince = moment(earlier(oldest, at))
	}
	return nil
}

func earlier(a, b sql.NullInt64) sql.NullInt64 {
	if !a.Valid || b.Valid && b.Int64 < a.Int64 {
		return b
	}
	return a
}
