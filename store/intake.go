package store

import (
	"context"

	"github.com/pictifyd/pictifyd/batch"
)

// StagedRows are rows that are staged for a job that does not exist yet, or rows
// of one that does, with an index above after, by index.
func (s *Store) StagedRows(ctx context.Context, job string, after int64, limit int) ([]batch.Row, error) {
	rows, err := collect(ctx, s.reader(), `SELECT idx, key, data, error FROM job_rows WHERE job = $1 AND idx > $2 ORDER BY idx LIMIT $3`,
		[]any{job, after, limit}, scanJobRow)
	return rows, wrap(err, "read rows of job %s", job)
}

// Unrendered are those of the fingerprints whose pictures a job would have made:
// they are neither there nor asked for.
func (s *Store) Unrendered(ctx context.Context, fingerprints []string) ([]string, error) {
	known, err := knownRenders(ctx, s.reader(), fingerprints)
	if err != nil {
		return nil, wrap(err, "look up pictures")
	}
	var missing []string
	for _, f := range fingerprints {
		if !known[f] {
			missing = append(missing, f)
		}
	}
	return missing, nil
}
