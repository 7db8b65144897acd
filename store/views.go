package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Bindings are the states of bindings, in the order of names. One that the
// store does not know yet has no more than its name.
func (s *Store) Bindings(ctx context.Context, names []string) ([]bindings.Status, error) {
	all := make([]bindings.Status, len(names))
	at := make(map[string]*bindings.Status, len(names))
	for i, name := range names {
		all[i].Binding = name
		at[name] = &all[i]
	}
	err := s.reader().each(ctx, `SELECT b.name, b.source, b.held_changes, b.held_removal, b.held_reason, b.paused, COALESCE(p.value, ''),
			s.read_at, COALESCE(s.complete, 0), COALESCE(s.error, ''), s.error_at,
			(SELECT count(*) FROM quarantine AS q WHERE q.source = b.source)
		FROM bindings AS b LEFT JOIN sources AS s ON s.name = b.source
			LEFT JOIN settings AS p ON p.name = CAST($2 AS TEXT) || b.name WHERE b.name IN list($1)`,
		[]any{list(names), pausedSetting}, func(scan func(...any) error) error {
			var b bindings.Status
			var read, failed sql.NullInt64
			var complete, paused int64
			if err := scan(&b.Binding, &b.Source, &b.HeldChanges, &b.HeldRemoval, &b.HeldReason, &paused, &b.PausedReason,
				&read, &complete, &b.Error, &failed, &b.Quarantined); err != nil {
				return err
			}
			b.Paused, b.ReadAt, b.Complete, b.ErrorAt = paused == 1, moment(read), complete == 1, moment(failed)
			*at[b.Binding] = b
			return nil
		})
	if err == nil {
		err = s.tally(ctx, names, at)
	}
	if err == nil {
		err = s.oldestWanted(ctx, all)
	}
	return all, wrap(err, "read the state of bindings")
}

// tally counts the items of bindings.
func (s *Store) tally(ctx context.Context, names []string, at map[string]*bindings.Status) error {
	owners := make([]string, len(names))
	for i, name := range names {
		owners[i] = string(bindings.BindingOwner(name))
	}
	return s.reader().each(ctx, `SELECT owner, state, count(*) FROM items WHERE owner IN list($1)
		AND idx = 0 AND generation > 0 AND state <> 'removed' GROUP BY owner, state`, []any{list(owners)},
		func(scan func(...any) error) error {
			var owner bindings.Owner
			var state string
			var n int64
			if err := scan(&owner, &state, &n); err != nil {
				return err
			}
			b := at[owner.Binding()]
			b.Live += n
			switch state {
			case stateReady:
				b.Ready = n
			case stateWaiting:
				b.Waiting = n
			case stateFailed:
				b.Failed = n
			}
			return nil
		})
}

const imageColumns = `g.owner, g.key, g.output, g.generation, g.hash, g.ext, g.format, g.width, g.height, g.rendered_at,
	g.state, g.problem, i.problem`

const imagesOfItems = ` FROM images AS g CROSS JOIN items AS i WHERE i.owner = g.owner AND i.idx = g.idx AND i.key = g.key `

const (
	problemByKey = `SELECT problem FROM items WHERE owner = $1 AND key = $2 AND generation > 0 AND state <> 'removed' LIMIT 1`
	problemOfRow = `SELECT problem FROM items WHERE owner = $1 AND idx = 0 AND key = $2 AND generation > 0 AND state <> 'removed' LIMIT 1`

	imagesOfRow = `SELECT ` + imageColumns + imagesOfItems + `
		AND g.owner = $1 AND g.idx = 0 AND g.key = $2 ORDER BY g.place`
	// imagesByKey looks through all images of a job, which has no index by key.
	imagesByKey = `SELECT ` + imageColumns + imagesOfItems + `
		AND g.owner = $1 AND g.key = $2 ORDER BY g.idx, g.place`

	// newestImages takes the newest before it sorts them, or SQLite sorts all.
	newestImages = `SELECT ` + imageColumns + ` FROM (SELECT * FROM images AS n WHERE n.rendered_at IS NOT NULL AND n.state <> 'removed'
			AND NOT EXISTS (SELECT 1 FROM bindings AS b WHERE b.gone = 1 AND n.owner = 'binding/' || b.name)
			ORDER BY n.rendered_at DESC LIMIT $1) AS g
		CROSS JOIN items AS i WHERE i.owner = g.owner AND i.idx = g.idx AND i.key = g.key
		ORDER BY g.rendered_at DESC, g.owner, g.idx, g.key, g.place`

	failedRows = `SELECT i.key, CASE WHEN i.problem <> '' THEN i.problem ELSE COALESCE((SELECT g.problem
			FROM images AS g WHERE g.owner = i.owner AND g.idx = i.idx AND g.key = i.key AND g.state = 'failed'
			ORDER BY g.place LIMIT 1), '') END
		FROM items AS i WHERE i.owner = $1 AND i.idx = 0 AND i.state = 'failed' AND i.generation > 0 ORDER BY i.key LIMIT $2`
)

func scanImage(scan func(...any) error) (g bindings.Image, err error) {
	var rendered sql.NullInt64
	var state, imageProblem, itemProblem string
	if err := scan(&g.Owner, &g.Key, &g.Output, &g.Generation, &g.Hash, &g.Ext, &g.Format, &g.Width, &g.Height, &rendered,
		&state, &imageProblem, &itemProblem); err != nil {
		return g, err
	}
	g.RenderedAt, g.Waiting, g.Removed = moment(rendered), state == stateWaiting, state == stateRemoved
	if itemProblem != "" {
		imageProblem = itemProblem
	}
	g.Problem, err = problemOf(imageProblem)
	return g, err
}

// Image is one output of an item as it is served: the newest picture that there
// is. Output "" is the first one, in the item's order, with that ext. An image
// that nobody knows is the problem image_not_found, one that has no bytes yet
// not_ready.
func (s *Store) Image(ctx context.Context, o bindings.Owner, key, output string, ext string) (bindings.Image, error) {
	k := latelyKey{string(o), key, output, ext}
	if g, ok := s.lately.get(k); ok {
		return g, nil
	}
	before, still := s.lately.moment()
	g, err := s.image(ctx, o, key, output, ext)
	if err == nil && still {
		s.lately.put(k, g, before)
	}
	return g, err
}

func (s *Store) image(ctx context.Context, o bindings.Owner, key, output string, ext string) (bindings.Image, error) {
	query := imagesByKey
	if o.Job() == "" {
		query = imagesOfRow
	}
	all, err := collect(ctx, s.reader(), query, []any{clean(string(o)), clean(key)}, scanImage)
	if err == nil && len(all) == 0 {
		return bindings.Image{}, s.unpictured(ctx, o, key)
	}
	if err != nil {
		return bindings.Image{}, wrap(err, "read image %q of %s", key, o)
	}
	return choose(all, output, ext)
}

// choose finds an image among the outputs of an item. One without bytes has no
// ext yet.
func choose(all []bindings.Image, output, ext string) (bindings.Image, error) {
	match := func(ready bool) func(g bindings.Image) bool {
		return func(g bindings.Image) bool {
			return (output == "" || g.Output == output) && (g.Hash != "" || g.Removed) == ready && (!ready || ext == "" || g.Ext == ext)
		}
	}
	if i := slices.IndexFunc(all, match(true)); i >= 0 {
		return all[i], nil
	}
	i := slices.IndexFunc(all, match(false))
	if i < 0 {
		return bindings.Image{}, problem.New(problem.NotFound, "there is no such image").WithSlug("image_not_found")
	}
	return all[i], notReady(all[i].Problem)
}

func notReady(p *bindings.Problem) error {
	if p != nil {
		return problem.New(problem.NotFound, "there is no picture of this row: %s", p.Message).WithSlug("not_ready")
	}
	return problem.New(problem.NotFound, "this picture is being made").WithSlug("not_ready").WithHint("ask again in a moment")
}

// unpictured says why an item has no images: nobody knows it, or its row was
// never fit for one.
func (s *Store) unpictured(ctx context.Context, o bindings.Owner, key string) error {
	var text string
	query := problemByKey
	if o.Job() == "" {
		query = problemOfRow
	}
	err := s.reader().row(ctx, query, clean(string(o)), clean(key)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(problem.NotFound, "there is no such image").WithSlug("image_not_found")
	}
	if err != nil {
		return wrap(err, "read item %q of %s", key, o)
	}
	p, err := problemOf(text)
	return cmp.Or(err, notReady(p))
}

// Images are the newest pictures, of bindings that are configured and of jobs.
func (s *Store) Images(ctx context.Context, limit int) ([]bindings.Image, error) {
	all, err := collect(ctx, s.reader(), newestImages, []any{limit}, scanImage)
	return all, wrap(err, "list images")
}

// Quarantine are the rows of source that are kept out, with their reasons.
func (s *Store) Quarantine(ctx context.Context, source string, limit int) ([]bindings.Quarantined, error) {
	all, err := collect(ctx, s.reader(), `SELECT key, position, reason, detail, raw FROM quarantine WHERE source = $1
		ORDER BY seq, reading, position, key LIMIT $2`, []any{source, limit},
		func(scan func(...any) error) (q bindings.Quarantined, err error) {
			var raw string
			if err := scan(&q.Key, &q.Position, &q.Reason, &q.Detail, &raw); err != nil {
				return q, err
			}
			if q.Raw, err = base64.StdEncoding.DecodeString(raw); len(q.Raw) == 0 {
				q.Raw = nil
			}
			return q, err
		})
	return all, wrap(err, "read the quarantine of %q", source)
}

// FailedRows are rows of binding whose wanted picture could not be made, by key.
func (s *Store) FailedRows(ctx context.Context, binding string, limit int) ([]bindings.FailedRow, error) {
	all, err := collect(ctx, s.reader(), failedRows,
		[]any{string(bindings.BindingOwner(binding)), limit},
		func(scan func(...any) error) (f bindings.FailedRow, err error) {
			var text string
			if err := scan(&f.Key, &text); err != nil {
				return f, err
			}
			p, err := problemOf(text)
			if p != nil {
				f.Problem = *p
			}
			return f, err
		})
	return all, wrap(err, "read the failed rows of %q", binding)
}

// Counters are the figures of the whole ledger, for monitoring.
type Counters struct {
	Rows, Missing, Quarantined                                                int64
	ItemsReady, ItemsWaiting, ItemsFailed, ItemsRemoved                       int64
	RendersWaiting, RendersClaimed, RendersDone, RendersFailed                int64
	DeliveriesWaiting, DeliveriesClaimed, DeliveriesDelivered, DeliveriesDead int64
	JobsOpen                                                                  int64
}

// Counters reads the figures.
func (s *Store) Counters(ctx context.Context) (Counters, error) {
	var c Counters
	var ignored int64
	into := map[string]*int64{
		"row": &c.Rows, "missing": &c.Missing, "quarantine": &c.Quarantined, "job": &c.JobsOpen,
		"item ready": &c.ItemsReady, "item waiting": &c.ItemsWaiting, "item failed": &c.ItemsFailed, "item removed": &c.ItemsRemoved,
		"render waiting": &c.RendersWaiting, "render resting": &c.RendersWaiting, "render claimed": &c.RendersClaimed, "render done": &c.RendersDone, "render failed": &c.RendersFailed,
		"delivery waiting": &c.DeliveriesWaiting, "delivery claimed": &c.DeliveriesClaimed,
		"delivery delivered": &c.DeliveriesDelivered, "delivery dead": &c.DeliveriesDead,
	}
	err := s.reader().each(ctx, `SELECT 'row', count(*) FROM source_rows WHERE gone = 0
		UNION ALL SELECT 'missing', count(*) FROM source_rows WHERE missing_since IS NOT NULL
		UNION ALL SELECT 'quarantine', count(*) FROM quarantine
		UNION ALL SELECT 'job', count(*) FROM jobs WHERE completed_at IS NULL
		UNION ALL SELECT 'item ' || state, count(*) FROM items WHERE generation > 0 GROUP BY state
		UNION ALL SELECT 'render ' || state, count(*) FROM renders GROUP BY state
		UNION ALL SELECT 'delivery ' || state, count(*) FROM deliveries GROUP BY state`, nil, func(scan func(...any) error) error {
		var name string
		var n int64
		if err := scan(&name, &n); err != nil {
			return err
		}
		target, ok := into[name]
		if !ok {
			target = &ignored
		}
		*target += n
		return nil
	})
	return c, wrap(err, "count")
}
