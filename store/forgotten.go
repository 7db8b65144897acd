package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
)

// forgetSetting is the key of the digests of forgotten rows: without it nobody
// can try out which key a digest stands for.
const forgetSetting = "forget_key"

func (s *Store) forgetDigest(ctx context.Context, source, key string) (string, error) {
	secret, err := s.Setting(ctx, forgetSetting, func() (string, error) { return rand.Text(), nil })
	return digestOfKey(secret, source, key), err
}

func digestOfKey(secret, source, key string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(source + "\x00" + key))
	return hex.EncodeToString(mac.Sum(nil))
}

// Recall ends the forgetting of a row: it comes back with the next reading that
// has it, which begins at the beginning.
func (s *Store) Recall(ctx context.Context, source, key string) (recalled bool, err error) {
	digest, err := s.forgetDigest(ctx, clean(source), clean(key))
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM forgotten WHERE source = $1 AND digest = $2`, clean(source), digest)
		if recalled = n > 0; err != nil || !recalled {
			return err
		}
		// From the beginning: what has not changed since would not be read.
		_, err = t.exec(ctx, `UPDATE sources SET position = '' WHERE name = $1`, clean(source))
		return err
	})
	return recalled, wrap(err, "recall a row of %q", source)
}

// withoutForgotten is p without the rows that a person wants never to see again.
func (t *tx) withoutForgotten(ctx context.Context, p bindings.Plan) (bindings.Plan, error) {
	var some int64
	if err := t.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM forgotten WHERE source = $1 LIMIT 1) AS f`, p.Source).Scan(&some); err != nil || some == 0 {
		return p, err
	}
	secret, err := setting(ctx, t.reader, forgetSetting)
	if err != nil {
		return p, err
	}
	gone := map[string]bool{}
	for _, key := range keysOf(p) {
		gone[digestOfKey(secret, p.Source, clean(key))] = false
	}
	digests := make([]string, 0, len(gone))
	for digest := range gone {
		digests = append(digests, digest)
	}
	if err := pages(digests, pageSize, func(page []string) error {
		return t.each(ctx, `SELECT digest FROM forgotten WHERE source = $1 AND digest IN list($2)`, []any{p.Source, list(page)}, func(scan func(...any) error) error {
			var digest string
			err := scan(&digest)
			gone[digest] = true
			return err
		})
	}); err != nil {
		return p, err
	}
	is := func(key string) bool { return gone[digestOfKey(secret, p.Source, clean(key))] }
	p.Rows = slices.DeleteFunc(slices.Clone(p.Rows), func(r bindings.RowChange) bool { return is(r.Key) })
	p.Proposals = slices.DeleteFunc(slices.Clone(p.Proposals), func(q bindings.Proposal) bool { return is(q.Key) })
	p.Reads = slices.DeleteFunc(slices.Clone(p.Reads), func(r bindings.RowReads) bool { return is(r.Key) })
	p.Quarantined = slices.DeleteFunc(slices.Clone(p.Quarantined), func(q bindings.Quarantined) bool { return is(q.Key) })
	return p, nil
}

func keysOf(p bindings.Plan) (keys []string) {
	for _, r := range p.Rows {
		keys = append(keys, r.Key)
	}
	for _, q := range p.Proposals {
		keys = append(keys, q.Key)
	}
	for _, r := range p.Reads {
		keys = append(keys, r.Key)
	}
	for _, q := range p.Quarantined {
		keys = append(keys, q.Key)
	}
	return keys
}
