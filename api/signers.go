package api

import (
	"sync/atomic"

	"github.com/pictifyd/pictifyd/config"
)

// signers are the keys that sign addresses at each moment.
type signers struct{ now atomic.Pointer[[]URLKey] }

func newSigners(cfg Config, secrets []string) *signers {
	keys := cfg.URLKeys
	if len(keys) == 0 { // one that was made, without a name
		for _, s := range secrets {
			keys = append(keys, URLKey{Secret: config.NewSecret(s)})
		}
	}
	s := &signers{}
	s.now.Store(&keys)
	return s
}

func (s *signers) all() []URLKey { return *s.now.Load() }

// newest is the key of new addresses.
func (s *signers) newest() URLKey { return s.all()[0] }

// secrets are those of all keys.
func (s *signers) secrets() (all []string) {
	for _, k := range s.all() {
		all = append(all, k.Secret.Reveal())
	}
	return all
}

// SetURLKeys has these keys, which are some, sign and verify addresses from now on,
// the first of them new ones.
func (s *Server) SetURLKeys(keys []URLKey) { s.signers.now.Store(&keys) }
