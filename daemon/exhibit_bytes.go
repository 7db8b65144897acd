package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// rowFormats are those in which a row's image may be shown, the likeliest first.
var rowFormats = []string{"png", "jpg", "webp", "gif"}

// picture opens what a choice shows. It always is something: failed says that it
// should have been something else.
func (x *exhibit) picture(ctx context.Context, s *stand, c choice) (shown api.Shown, failed bool) {
	shown.Variant = c.variant
	fallback := func(why error, lost string) (api.Shown, bool) {
		shown.Fallback = true
		if why != nil {
			x.failed(s, c.variant, lost, why, time.Now())
		}
		if p, ok := s.pictures[""]; ok && x.opened(ctx, &shown, p) == nil {
			return shown, why != nil
		}
		data := s.plainFunc()
		digest := sha256.Sum256(data)
		shown.Hash, shown.Ext, shown.Unkept = hex.EncodeToString(digest[:]), "png", true
		shown.Bytes = inMemory{bytes.NewReader(data)}
		return shown, why != nil
	}
	if c.place.Owner != "" {
		p, err := x.placed(ctx, s, c.place)
		if err == nil {
			if err = x.opened(ctx, &shown, p); err == nil {
				return shown, false
			}
		}
		if waits(err) { // the row is being drawn: nothing is wrong
			return fallback(nil, "")
		}
		return fallback(fmt.Errorf("the image of a row cannot be shown: %w", err), p.Hash)
	}
	p, ok := s.pictures[c.variant]
	switch {
	case !ok && s.Rows:
		return fallback(nil, "")
	case !ok:
		return fallback(errors.New("its picture was never made"), "")
	}
	if err := x.opened(ctx, &shown, p); err != nil {
		return fallback(err, p.Hash)
	}
	return shown, false
}

// opened opens the bytes of a picture into shown.
func (x *exhibit) opened(ctx context.Context, shown *api.Shown, p experiment.Picture) error {
	file, _, err := x.daemon.blobs.Open(ctx, p.Hash)
	if err != nil {
		return err
	}
	shown.Hash, shown.Ext, shown.Bytes = p.Hash, p.Ext, file
	return nil
}

// placed is the image of a row that was planned for a unit.
func (x *exhibit) placed(ctx context.Context, s *stand, at experiment.Place) (p experiment.Picture, err error) {
	var found bindings.Image
	for _, ext := range append([]string{formatOf(s.Experiment)}, rowFormats...) {
		found, err = x.daemon.store.Image(ctx, bindings.Owner(at.Owner), at.Key, "", ext)
		if problem.CodeOf(err) != problem.NotFound || waits(err) {
			break
		}
	}
	switch {
	case err != nil:
		return p, err
	case found.Hash == "" && found.Waiting:
		return p, errWaits
	case found.Hash == "" && found.Problem != nil:
		return p, errors.New(found.Problem.Message)
	case found.Hash == "" || found.Removed:
		return p, problem.New(problem.NotFound, "the row is gone, and its image with it")
	}
	return experiment.Picture{Hash: found.Hash, Ext: found.Ext}, nil
}

const slugWaits = "not_ready"

var errWaits = problem.New(problem.NotFound, "the image is being made").WithSlug(slugWaits)

func waits(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Slug == slugWaits
}

// inMemory is bytes that need no closing.
type inMemory struct{ io.ReadSeeker }

func (inMemory) Close() error { return nil }
