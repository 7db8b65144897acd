package store

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// What others know by heart has a revision in the ledger, which is raised in the very
// transaction that changes it. Members look each second, and where it matters in each
// transaction: what a member plans by is never older than what was committed.
const (
	revisionOfRoutes        = "routes"
	revisionOfSubscriptions = "subscriptions"
	revisionOfResources     = "resources"
	revisionOfTemplates     = "templates"
	revisionOfKeys          = "keys"
)

// raise has all others look anew at something that this change changes.
func (t *tx) raise(ctx context.Context, name string) error {
	t.raised = true
	_, err := t.exec(ctx, `UPDATE ledger_revisions SET number = number + 1 WHERE name = $1`, name)
	return err
}

// routesLock is the lock of routes and subscriptions. Who plans by them has it shared
// until the commit; who changes them waits for those, and has it alone. A lock of a row
// would let those who plan pass by the one who waits, for ever, and be a write each time.
const routesLock = `hashtext('pictifyd routes ' || current_schema()), 0`

// alone makes this change of routes or subscriptions the only one, and has those who
// plan by them wait for it. It comes before all other locks of a transaction.
func (t *tx) alone(ctx context.Context) error {
	if !t.dialect.postgres {
		return nil
	}
	_, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(`+routesLock+`)`)
	return err
}

// errMoved says that a transaction of a member began to plan by routes that are no more.
var errMoved = errors.New("the routes were changed meanwhile")

// still refuses routes that are no more, and keeps them as they are until the commit.
// The second statement sees what was committed before the first one was done.
func (t *tx) still(ctx context.Context, at int64) error {
	if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock_shared(`+routesLock+`)`); err != nil {
		return err
	}
	var now int64
	if err := t.row(ctx, routesRevision).Scan(&now); err != nil {
		return err
	}
	if now != at {
		return errMoved
	}
	return nil
}

// routesRevision grows with each change of routes or subscriptions.
const routesRevision = `SELECT CAST(sum(number) AS BIGINT) FROM ledger_revisions WHERE name IN ('` + revisionOfRoutes + `', '` + revisionOfSubscriptions + `')`

// lookForChanges tells what has got another revision since the last look.
func (s *Store) lookForChanges(ctx context.Context) error {
	now, err := s.revisions(ctx)
	if err != nil {
		return err
	}
	before := s.seen
	moved := slices.DeleteFunc(slices.Sorted(maps.Keys(now)), func(name string) bool { return now[name] == before[name] })
	if slices.Contains(moved, revisionOfRoutes) || slices.Contains(moved, revisionOfSubscriptions) {
		if err := s.loadRoutes(ctx); err != nil {
			return err
		}
	}
	s.seen = now
	for _, name := range moved {
		if s.changed != nil {
			s.changed(name)
		}
	}
	return nil
}

// revisions are those of what others know by heart.
func (s *Store) revisions(ctx context.Context) (map[string]int64, error) {
	now := map[string]int64{}
	err := s.reader().each(ctx, `SELECT name, number FROM ledger_revisions WHERE name <> 'members'`, nil, func(scan func(...any) error) error {
		var name string
		var number int64
		err := scan(&name, &number)
		now[name] = number
		return err
	})
	return now, wrap(err, "look what has changed in the store")
}
