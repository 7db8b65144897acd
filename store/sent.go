package store

import (
	"context"
	"errors"

	"github.com/pictifyd/pictifyd/batch"
)

// sentBytes is about how much of rows is read at a time.
const sentBytes = 8 << 20

var errEnough = errors.New("enough was read")

// Sent are rows of a job as they were sent, also of one that is not accepted yet,
// by index, beginning behind after: at
// most limit, and fewer where they are large. None are left when there are none.
func (s *Store) Sent(ctx context.Context, job string, after int64, limit int) ([]batch.Row, error) {
	var rows []batch.Row
	size := 0
	err := s.reader().each(ctx, `SELECT idx, key, data, error FROM job_rows WHERE job = $1 AND idx > $2 ORDER BY idx LIMIT $3`,
		[]any{clean(job), after, limit}, func(scan func(...any) error) error {
			r, err := scanJobRow(scan)
			if err != nil {
				return err
			}
			rows = append(rows, r)
			if size += len(r.Values); size >= sentBytes {
				return errEnough
			}
			return nil
		})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return rows, wrap(err, "read rows of job %s", job)
}
