package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// A Foresight counts what Replan would do to the images of a binding.
type Foresight struct {
	Images    int // that would be rendered
	Reused    int // that would become pictures which are made already
	Unchanged int // that stay as they are
	Held      int // of rows whose change the guard holds: they stay as well, until somebody decides
	Removed   int // that would go
	Failing   int // rows that would fail, and do not fail so now
	FailingOf []bindings.FailedRow
}

// failingShown is how many rows a Foresight names.
const failingShown = 5

// Foresee counts what Replan would do with these proposals, and changes nothing.
func (s *Store) Foresee(ctx context.Context, binding string, proposals []bindings.Proposal) (Foresight, error) {
	var f Foresight
	err := pages(proposals, pageSize, func(page []bindings.Proposal) error {
		return s.foresee(ctx, &f, binding, page)
	})
	return f, wrap(err, "foresee the images of %q", binding)
}

func (s *Store) foresee(ctx context.Context, f *Foresight, binding string, page []bindings.Proposal) error {
	keys := make([]string, len(page))
	for i, p := range page {
		keys[i] = p.Key
	}
	known := make(map[string]bindings.Known, len(page))
	if err := knownItems(ctx, s.reader(), known, keys, binding); err != nil {
		return err
	}
	var differing []bindings.Proposal
	for _, p := range page {
		item := known[clean(p.Key)].Items[binding]
		there := item.Digest != "" && !item.Removed
		switch {
		case there && item.Digest == p.Digest:
			f.Unchanged += len(p.Wants)
		case item.Proposed != "":
			f.Held += len(p.Wants)
		case p.Remove && there:
			f.Removed++
		case p.Problem != nil:
			f.Failing++
			if len(f.FailingOf) < failingShown {
				f.FailingOf = append(f.FailingOf, bindings.FailedRow{Key: p.Key, Problem: *p.Problem})
			}
		case len(p.Wants) > 0:
			differing = append(differing, p)
		}
	}
	return s.foreseeImages(ctx, f, binding, differing)
}

// An outputOf names an image of a binding.
type outputOf struct{ key, output string }

// foreseeImages looks at each output: the item may differ in one of them only.
func (s *Store) foreseeImages(ctx context.Context, f *Foresight, binding string, proposals []bindings.Proposal) error {
	if len(proposals) == 0 {
		return nil
	}
	var keys, fingerprints []string
	for _, p := range proposals {
		keys = append(keys, p.Key)
		for _, w := range p.Wants {
			fingerprints = append(fingerprints, w.Fingerprint)
		}
	}
	now := make(map[outputOf]string, len(fingerprints))
	// The owner hangs on the key, as in knownItems.
	err := s.reader().each(ctx, `SELECT i.key, i.output, i.fingerprint FROM texts($2) AS e CROSS JOIN images AS i
		WHERE i.owner = CASE WHEN e.value IS NULL THEN '' ELSE CAST($1 AS TEXT) END AND i.idx = 0 AND i.key = e.value AND i.state <> 'removed'`,
		[]any{string(bindings.BindingOwner(binding)), list(keys)}, func(scan func(...any) error) error {
			var o outputOf
			var fingerprint string
			err := scan(&o.key, &o.output, &fingerprint)
			now[o] = fingerprint
			return err
		})
	if err != nil {
		return err
	}
	made := map[string]bool{}
	err = s.reader().each(ctx, `SELECT fingerprint FROM renders WHERE state = 'done' AND fingerprint IN list($1)`, []any{list(fingerprints)},
		func(scan func(...any) error) error {
			fingerprint, err := text1(scan)
			made[fingerprint] = true
			return err
		})
	if err != nil {
		return err
	}
	for _, p := range proposals {
		for _, w := range p.Wants {
			switch {
			case now[outputOf{clean(p.Key), w.Output}] == w.Fingerprint:
				f.Unchanged++
			case made[w.Fingerprint]:
				f.Reused++
			default:
				f.Images++
				made[w.Fingerprint] = true // once for all rows that show the same
			}
		}
	}
	return nil
}
