package api

import (
	"maps"
	"reflect"

	"github.com/pictifyd/pictifyd/internal/apikey"
)

// SetKeys makes the keys and origins of cfg those of the configuration. A key
// that is no more ends at once, with whoever follows something with it. Whether
// there are keys at all does not change while the server runs.
func (s *Server) SetKeys(cfg Config) { s.keys.configure(cfg) }

func (ring *keyring) configure(cfg Config) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	all := maps.Clone(ring.known.Load().byDigest)
	var ended []*principal
	before := map[string]*principal{}
	for digest, p := range all {
		if p.kept == nil {
			before[string(digest[:])] = p
			delete(all, digest)
		}
	}
	ring.order = nil
	for i, k := range cfg.Keys {
		p := ring.configured(i, k)
		if old := before[string(p.digest[:])]; old.same(p) {
			p = old
			delete(before, string(p.digest[:]))
		}
		all[p.digest] = p
		ring.order = append(ring.order, p.digest[:])
	}
	for _, p := range before {
		ended = append(ended, p)
	}
	ring.own = cfg.Origins
	ring.set(all)
	for _, p := range ended {
		close(p.revoked)
	}
}

// same reports whether two principals may the same, so that the one before goes
// on with what its minute has left.
func (p *principal) same(other *principal) bool {
	return p != nil && p.id == other.id && p.name == other.name && p.quota == other.quota && p.perMinute() == other.perMinute() &&
		reflect.DeepEqual(p.scopes, other.scopes) && reflect.DeepEqual(p.templates, other.templates) && reflect.DeepEqual(p.origins, other.origins)
}

func (p *principal) perMinute() int {
	if p.rate == nil {
		return 0
	}
	return p.rate.Burst()
}

// SetStoredKeys makes the keys that were made over the API those of kept: another
// process has changed them.
func (s *Server) SetStoredKeys(kept []apikey.Key) { s.keys.restock(kept) }

func (ring *keyring) restock(kept []apikey.Key) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	all := maps.Clone(ring.known.Load().byDigest)
	before := map[string]*principal{}
	for digest, p := range all {
		if p.kept != nil {
			before[string(digest[:])] = p
			delete(all, digest)
		}
	}
	for _, k := range kept {
		p := ring.stored(k)
		if old := before[string(p.digest[:])]; old.same(p) {
			p = old
			delete(before, string(p.digest[:]))
		}
		all[p.digest] = p
	}
	ring.set(all)
	for _, p := range before {
		close(p.revoked)
	}
}
