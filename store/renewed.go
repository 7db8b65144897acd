package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// A Renewed is a row whose images got another generation: it changed, was removed, or is drawn again.
type Renewed struct {
	Owner      bindings.Owner
	Index      int64 // of a job's row
	Key        string
	Generation int64
	Removed    bool
}

func (t *tx) noteRenewed(items []changedItem, removed bool) {
	if t.store.renewed == nil {
		return
	}
	for _, c := range items {
		t.renewed = append(t.renewed, Renewed{c.owner, c.idx, c.key, c.generation, removed})
	}
}

// A WaitingImage is an image of a row that waits for a render.
type WaitingImage struct {
	Fingerprint string // of the render
	Output      string
	Owner       bindings.Owner
	Index       int64 // of a job's row
	Key         string
	Generation  int64
}

// WaitingImages are those that wait for the renders of fingerprints, at most so many.
func (s *Store) WaitingImages(ctx context.Context, fingerprints []string, most int) ([]WaitingImage, error) {
	images, err := collect(ctx, s.reader(), `SELECT fingerprint, output, owner, idx, key, generation FROM images
		WHERE fingerprint IN list($1) AND state = 'waiting' ORDER BY fingerprint, owner, idx, key LIMIT $2`,
		[]any{list(fingerprints), most}, func(scan func(...any) error) (g WaitingImage, err error) {
			return g, scan(&g.Fingerprint, &g.Output, &g.Owner, &g.Index, &g.Key, &g.Generation)
		})
	return images, wrap(err, "read which images wait for %d renders", len(fingerprints))
}
