package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

const (
	// galleryLooks is through how many images one page of the gallery looks, so that a
	// filter that hardly any image passes costs no more than another.
	galleryLooks = 5000
	galleryChunk = 500
)

const (
	shownColumns = `n.owner, n.idx, n.key, n.output, n.generation, n.hash, n.ext, n.format, n.width, n.height, n.rendered_at, n.state, n.problem, n.fingerprint`

	behindImage = ` n.rendered_at >= $7 AND n.rendered_at <= $1 AND (n.rendered_at < $1 OR (n.owner, n.idx, n.key, n.output) > ($2, $3, $4, $5))
		ORDER BY n.rendered_at DESC, n.owner, n.idx, n.key, n.output LIMIT $6`

	galleryOfAll   = `SELECT ` + shownColumns + ` FROM images AS n WHERE` + behindImage
	galleryOfOwner = `SELECT ` + shownColumns + ` FROM images AS n WHERE n.owner = $8 AND` + behindImage
	// galleryOfRow keeps SQLite from the index of all images of the binding: a row has a few.
	galleryOfRow = `SELECT ` + shownColumns + ` FROM (SELECT * FROM images WHERE owner = $8 AND idx = 0 AND key = $9 AND rendered_at IS NOT NULL LIMIT 1000) AS n WHERE` + behindImage

	imagesOfBytes = `SELECT ` + shownColumns + ` FROM images AS n WHERE n.hash = $1 AND n.hash <> '' AND n.state <> 'removed'
		ORDER BY n.rendered_at DESC, n.owner, n.idx, n.key, n.output LIMIT $2`

	makingColumns = `r.fingerprint, r.hash, r.spec, r.bytes, r.duration, r.lane, r.attempts, r.state, r.layout, r.created_at, r.ended_at`
	makingsOf     = `SELECT ` + makingColumns + ` FROM renders AS r WHERE r.fingerprint IN list($1)`
	makingsOfHash = `SELECT ` + makingColumns + ` FROM renders AS r WHERE r.hash IN list($1) AND r.hash <> '' AND r.state = 'done'
		ORDER BY r.ended_at DESC LIMIT $2`

	pastOfImage = `SELECT hash, ext, width, height, generation, rendered_at, fingerprint FROM past_images
		WHERE owner = $1 AND idx = $2 AND key = $3 AND output = $4 AND generation > 0 AND hash <> '' AND hash <> $5
		ORDER BY generation DESC LIMIT 1`
)

// A shownImage is a row of images as the gallery reads it.
type shownImage struct {
	bindings.Shown

	fingerprint string
	current     bool // what is shown is what is wanted
}

func scanShown(scan func(...any) error) (g shownImage, err error) {
	var rendered sql.NullInt64
	var state, text string
	if err := scan(&g.Owner, &g.Index, &g.Key, &g.Output, &g.Generation, &g.Hash, &g.Ext, &g.Format, &g.Width, &g.Height, &rendered,
		&state, &text, &g.fingerprint); err != nil {
		return g, err
	}
	g.RenderedAt, g.Waiting, g.Removed, g.current = moment(rendered), state == stateWaiting, state == stateRemoved, state == stateReady
	g.Problem, err = problemOf(text)
	return g, err
}

// Gallery are images with bytes that a filter takes, newest first, and how each was
// made. next is where the next page begins; nil: there are no more. A page looks
// through a bounded number of images, so that it may have fewer than limit, or none,
// and next all the same.
func (s *Store) Gallery(ctx context.Context, f bindings.ImageFilter, limit int) (page []bindings.Shown, next *bindings.ImagePlace, err error) {
	found, next, err := s.gallery(ctx, f, limit)
	if err == nil && !f.ByRender() {
		err = s.addMakings(ctx, found)
	}
	for _, g := range found {
		page = append(page, g.Shown)
	}
	return page, next, wrap(err, "list images")
}

func (s *Store) gallery(ctx context.Context, f bindings.ImageFilter, limit int) (page []shownImage, next *bindings.ImagePlace, err error) {
	gone, err := s.goneOwners(ctx)
	if err != nil {
		return nil, nil, err
	}
	behind := placeOf(f)
	for looked := 0; looked < galleryLooks; {
		chunk := min(max(limit+1, looked), galleryChunk, galleryLooks-looked)
		seen, err := s.galleryChunk(ctx, f, behind, chunk)
		if err != nil {
			return nil, nil, err
		}
		looked += len(seen)
		kept := slices.DeleteFunc(slices.Clone(seen), func(g shownImage) bool { return g.Hash == "" || g.Removed || gone[g.Owner] || !fits(f, g) })
		if f.ByRender() {
			if err := s.addMakings(ctx, kept); err != nil {
				return nil, nil, err
			}
			kept = slices.DeleteFunc(kept, func(g shownImage) bool { return !fitsRender(f, g.Shown) })
		}
		if len(page)+len(kept) > limit {
			page = append(page, kept[:limit-len(page)]...)
			last := page[limit-1].Place()
			return page, &last, nil
		}
		page = append(page, kept...)
		if len(seen) < chunk {
			return page, nil, nil
		}
		behind = seen[len(seen)-1].Place()
	}
	return page, &behind, nil
}

// goneOwners are the bindings that are configured no longer.
func (s *Store) goneOwners(ctx context.Context) (map[bindings.Owner]bool, error) {
	gone := map[bindings.Owner]bool{}
	err := s.reader().each(ctx, `SELECT name FROM bindings WHERE gone = 1`, nil, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		gone[bindings.BindingOwner(name)] = true
		return err
	})
	return gone, err
}

// placeOf is behind which image a page of f begins.
func placeOf(f bindings.ImageFilter) bindings.ImagePlace {
	first := bindings.ImagePlace{RenderedAt: time.UnixMilli(1 << 52)}
	if !f.Until.IsZero() {
		first.RenderedAt = f.Until.Add(-time.Millisecond)
	}
	if f.Behind != nil && !f.Behind.RenderedAt.After(first.RenderedAt) {
		return *f.Behind
	}
	return first
}

func (s *Store) galleryChunk(ctx context.Context, f bindings.ImageFilter, behind bindings.ImagePlace, chunk int) ([]shownImage, error) {
	since := int64(0)
	if !f.Since.IsZero() {
		since = millis(f.Since)
	}
	query, args := galleryOfAll, []any{millis(behind.RenderedAt), clean(string(behind.Owner)), behind.Index, clean(behind.Key), clean(behind.Output), chunk, since}
	if f.Owner != "" {
		query, args = galleryOfOwner, append(args, clean(string(f.Owner)))
		if f.Key != "" && f.Owner.Job() == "" {
			query, args = galleryOfRow, append(args, clean(f.Key))
		}
	}
	return collect(ctx, s.reader(), query, args, scanShown)
}

// fits reports whether f takes an image, as far as its own row says.
func fits(f bindings.ImageFilter, g shownImage) bool {
	return (f.Format == "" || f.Format == g.Format) && (f.Key == "" || f.Key == g.Key)
}

// fitsRender reports whether f takes an image by how it was made.
func fitsRender(f bindings.ImageFilter, g bindings.Shown) bool {
	if g.Made == nil {
		return false
	}
	spec := g.Made.Spec
	return (f.Template == "" || f.Template == spec.Template) && (f.Size == "" || f.Size == spec.Size) &&
		(len(f.Templates) == 0 || slices.Contains(f.Templates, spec.Template)) &&
		(f.Warning == "" || slices.ContainsFunc(g.Warnings(), func(w bindings.Warning) bool {
			return f.Warning == bindings.AnyWarning || f.Warning == w.Code
		}))
}

// addMakings adds to images how their bytes were made. Of one that is wanted anew,
// or could not be made so, that is another render than the wanted one.
func (s *Store) addMakings(ctx context.Context, images []shownImage) error {
	var fingerprints, hashes []string
	for _, g := range images {
		if g.current {
			fingerprints = append(fingerprints, g.fingerprint)
		} else {
			hashes = append(hashes, g.Hash)
		}
	}
	made := map[string]*bindings.Making{}
	keep := func(of func(fingerprint, hash string) string) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			m, hash, err := scanMaking(scan)
			if name := of(m.Fingerprint, hash); err == nil && made[name] == nil {
				made[name] = &m
			}
			return err
		}
	}
	if len(fingerprints) > 0 {
		if err := s.reader().each(ctx, makingsOf, []any{list(fingerprints)}, keep(func(f, _ string) string { return f })); err != nil {
			return err
		}
	}
	if len(hashes) > 0 {
		if err := s.reader().each(ctx, makingsOfHash, []any{list(hashes), specsRead}, keep(func(_, h string) string { return "bytes " + h })); err != nil {
			return err
		}
	}
	for i, g := range images {
		if images[i].Made = made[g.fingerprint]; !g.current {
			images[i].Made = made["bytes "+g.Hash]
		}
	}
	return nil
}

func scanMaking(scan func(...any) error) (m bindings.Making, hash string, err error) {
	var spec, layout string
	var micros int64
	var wanted, ended sql.NullInt64
	if err := scan(&m.Fingerprint, &hash, &spec, &m.Bytes, &micros, &m.Lane, &m.Attempts, &m.State, &layout, &wanted, &ended); err != nil {
		return m, hash, err
	}
	m.Duration, m.WantedAt, m.EndedAt = time.Duration(micros)*time.Microsecond, moment(wanted), moment(ended)
	return m, hash, errors.Join(decode(spec, &m.Spec), decode(layout, &m.Fitting))
}

// ImagesOf are the places that show the bytes of a hash, newest first, at most limit.
func (s *Store) ImagesOf(ctx context.Context, hash string, limit int) ([]bindings.Shown, error) {
	found, err := collect(ctx, s.reader(), imagesOfBytes, []any{clean(hash), limit}, scanShown)
	if err == nil {
		err = s.addMakings(ctx, found)
	}
	all := make([]bindings.Shown, len(found))
	for i, g := range found {
		all[i] = g.Shown
	}
	return all, wrap(err, "look for the images of %s", hash)
}

// PastOf is what an image showed before, in other bytes; nil where nobody knows.
func (s *Store) PastOf(ctx context.Context, g bindings.Shown) (*bindings.Past, error) {
	p, err := s.pastOf(ctx, g)
	return p, wrap(err, "read what an image of %s was before", g.Owner)
}

func (s *Store) pastOf(ctx context.Context, g bindings.Shown) (*bindings.Past, error) {
	var p bindings.Past
	var rendered sql.NullInt64
	var fingerprint string
	err := s.reader().row(ctx, pastOfImage, string(g.Owner), g.Index, clean(g.Key), clean(g.Output), g.Hash).
		Scan(&p.Hash, &p.Ext, &p.Width, &p.Height, &p.Generation, &rendered, &fingerprint)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p.RenderedAt = moment(rendered)
	m, _, err := scanMaking(s.reader().row(ctx, makingsOf, list([]string{fingerprint})).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return &p, nil
	}
	p.Made = &m
	return &p, err
}
