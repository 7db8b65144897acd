package store

import (
	"context"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/experiment"
)

// ShowExperiment notes which bytes an experiment shows from now on, by variant, and as
// "" its fallback: they stay, whatever else becomes of what made them. ok is false
// where some of them are being given up meanwhile, or a person had them erased: then
// nothing is noted, and they are to be made again.
func (s *Store) ShowExperiment(ctx context.Context, id string, pictures map[string]experiment.Picture) (ok bool, err error) {
	rows, hashes := make([][]any, 0, len(pictures)), map[string]bool{}
	var fingerprints []string
	for _, variant := range slices.Sorted(maps.Keys(pictures)) {
		p := pictures[variant]
		rows = append(rows, []any{id, variant, p.Ext, p.Fingerprint, p.Hash})
		hashes[p.Hash] = true
		if p.Fingerprint != "" {
			fingerprints = append(fingerprints, p.Fingerprint)
		}
	}
	slices.Sort(fingerprints)
	fingerprints = slices.Compact(fingerprints)
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		// Renders are locked before marks, as in Condemn.
		if err := t.lockRenders(ctx, fingerprints); err != nil {
			return err
		}
		if ok, err = t.stillMade(ctx, fingerprints); err != nil || !ok {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM experiment_pictures WHERE experiment = $1`, clean(id)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO experiment_pictures (experiment, variant, ext, fingerprint, hash)
			SELECT e.value->>0, e.value->>1, e.value->>2, e.value->>3, e.value->>4 FROM rows($1) AS e`, table(rows)); err != nil {
			return err
		}
		return t.unmark(ctx, slices.Sorted(maps.Keys(hashes)))
	})
	return ok, wrap(err, "note the pictures of the experiment %s", id)
}

// stillMade is whether all of these renders give bytes that stay.
func (t *tx) stillMade(ctx context.Context, fingerprints []string) (bool, error) {
	var made int
	err := t.row(ctx, `SELECT count(*) FROM renders AS r WHERE fingerprint IN list($1) AND state = 'done'
		AND NOT EXISTS (SELECT 1 FROM blob_marks AS m WHERE m.hash = r.hash AND m.marked_at <= $2)`, list(fingerprints), erasedAt).Scan(&made)
	return made == len(fingerprints), err
}

// ExperimentPictures are the bytes that experiments show, by experiment and variant.
func (s *Store) ExperimentPictures(ctx context.Context) (map[string]map[string]experiment.Picture, error) {
	all := map[string]map[string]experiment.Picture{}
	err := s.reader().each(ctx, `SELECT experiment, variant, ext, fingerprint, hash FROM experiment_pictures`, nil, func(scan func(...any) error) error {
		var id, variant string
		var p experiment.Picture
		if err := scan(&id, &variant, &p.Ext, &p.Fingerprint, &p.Hash); err != nil {
			return err
		}
		if all[id] == nil {
			all[id] = map[string]experiment.Picture{}
		}
		all[id][variant] = p
		return nil
	})
	return all, wrap(err, "read the pictures of experiments")
}
