package store

import "context"

// Unrendered are those of the fingerprints whose pictures a job would have made:
// they are neither there nor asked for.
func (s *Store) Unrendered(ctx context.Context, fingerprints []string) ([]string, error) {
	known, err := knownRenders(ctx, s.reader(), fingerprints, endOfTime)
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
