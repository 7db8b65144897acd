package store

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
)

const (
	// shownWhileWaiting is what images show that wait for some renders.
	shownWhileWaiting = `SELECT fingerprint, min(hash) FROM images WHERE fingerprint IN list($1) AND state = 'waiting' AND hash <> '' GROUP BY fingerprint`
	specsOfHashes     = `SELECT hash, spec FROM renders WHERE hash IN list($1) AND hash <> '' LIMIT $2`
)

// specsRead is how many renders are looked at for those that gave what images
// of one turn show: many rows may have the same bytes.
const specsRead = 500

// before notes for each claim what is shown in its place, where that is the same
// row as another version of the template, or another epoch, drew it.
func (t *tx) before(ctx context.Context, claims []Claim, fingerprints []string) error {
	shown := map[string]string{}
	var hashes []string
	if err := t.each(ctx, shownWhileWaiting, []any{list(fingerprints)}, func(scan func(...any) error) error {
		var f, hash string
		err := scan(&f, &hash)
		shown[f] = hash
		hashes = append(hashes, hash)
		return err
	}); err != nil || len(hashes) == 0 {
		return err
	}
	slices.Sort(hashes)
	drawn := map[string][]bindings.Spec{}
	if err := t.each(ctx, specsOfHashes, []any{list(slices.Compact(hashes)), specsRead}, func(scan func(...any) error) error {
		var hash, text string
		if err := scan(&hash, &text); err != nil {
			return err
		}
		var spec bindings.Spec
		err := decode(text, &spec)
		drawn[hash] = append(drawn[hash], spec)
		return err
	}); err != nil {
		return err
	}
	for i, c := range claims {
		hash := shown[c.Fingerprint]
		if slices.ContainsFunc(drawn[hash], c.Spec.Redraws) {
			claims[i].Before = hash
		}
	}
	return nil
}
