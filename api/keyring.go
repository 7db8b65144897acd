package api

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/pictifyd/pictifyd/internal/apikey"
)

// A principal is who asks.
type principal struct {
	id        string // under which its quota and its uses are counted
	name      string // of the key; "" when no key is configured
	digest    [sha256.Size]byte
	scopes    []Scope
	templates []string
	origins   []string // of the web pages that may use it; none: see Config.Origins
	rate      *rate.Limiter
	quota     apikey.Quota
	expires   time.Time
	kept      *apikey.Key   // what the store has of it; nil for a key of the configuration
	revoked   chan struct{} // closed when it is
	used      atomic.Int64  // Unix seconds
}

// may reports whether p has scope.
func (p *principal) may(scope Scope) bool {
	if len(p.scopes) == 0 || slices.Contains(p.scopes, Admin) || slices.Contains(p.scopes, scope) {
		return true
	}
	area, right, _ := strings.Cut(string(scope), ":")
	return right == "read" && slices.Contains(p.scopes, Scope(area+":write"))
}

// uses reports whether p may use and see the template.
func (p *principal) uses(template string) bool {
	return len(p.templates) == 0 || slices.Contains(p.templates, template)
}

// ended reports whether p may do nothing any more.
func (p *principal) ended() bool {
	select {
	case <-p.revoked:
		return true
	default:
		return !p.expires.IsZero() && !time.Now().Before(p.expires)
	}
}

// charge is what images cost p.
func (p *principal) charge(images int64) apikey.Charge {
	return apikey.Charge{Owner: p.id, Images: images, Quota: p.quota}
}

// A keyring knows the keys by their digests: those of the configuration, and
// those of the store.
type keyring struct {
	guarded bool // nobody comes in without a key
	limits  Limits

	mu    sync.Mutex // of those who change it
	own   []string   // origins of pages that may use keys which name none
	order [][]byte   // digests of the configured keys
	known atomic.Pointer[keys]
}

// keys are the keys at one moment.
type keys struct {
	byDigest map[[sha256.Size]byte]*principal
	origins  map[string]bool // of any key, and of the server

	configured [][]byte // digests, in the order of the configuration
}

func newKeyring(cfg Config, kept []apikey.Key) *keyring {
	ring := &keyring{guarded: len(cfg.Keys) > 0, limits: cfg.Limits, own: cfg.Origins}
	all := map[[sha256.Size]byte]*principal{}
	for i, k := range cfg.Keys {
		p := ring.configured(i, k)
		all[p.digest] = p
		ring.order = append(ring.order, p.digest[:])
	}
	for _, k := range kept {
		p := ring.stored(k)
		all[p.digest] = p
	}
	ring.set(all)
	return ring
}

func (ring *keyring) configured(i int, k Key) *principal {
	p := &principal{
		name: k.Name, digest: sha256.Sum256([]byte(k.Key.Reveal())), scopes: k.Scopes, templates: k.Templates, origins: k.Origins,
		rate: ring.limiter(k.Rate), quota: ring.quota(k.Quota), revoked: make(chan struct{}),
	}
	p.id = "config:" + p.name
	if p.name == "" { // its place may change, and with it whose quota it was
		p.name = "keys[" + strconv.Itoa(i) + "]"
		p.id = "config:" + hex.EncodeToString(p.digest[:8])
	}
	return p
}

func (ring *keyring) stored(k apikey.Key) *principal {
	p := &principal{
		id: k.ID, name: k.Name, templates: k.Templates, origins: k.Origins, rate: ring.limiter(k.Rate), quota: ring.quota(k.Quota),
		expires: k.ExpiresAt, kept: &k, revoked: make(chan struct{}),
	}
	for _, s := range k.Scopes {
		p.scopes = append(p.scopes, Scope(s))
	}
	_, _ = hex.Decode(p.digest[:], []byte(k.Digest)) // ours; a digest that is none fits no key
	return p
}

// limiter lets a minute's requests come at once, and refills evenly.
func (ring *keyring) limiter(perMinute int) *rate.Limiter {
	if perMinute == 0 {
		perMinute = ring.limits.Rate
	}
	if perMinute == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), perMinute)
}

func (ring *keyring) quota(q apikey.Quota) apikey.Quota {
	if q.Images == 0 {
		return ring.limits.Quota
	}
	return q
}

func (ring *keyring) set(all map[[sha256.Size]byte]*principal) {
	now := &keys{byDigest: all, origins: map[string]bool{}, configured: ring.order}
	for p := range maps.Values(all) {
		for _, o := range p.origins {
			now.origins[o] = true
		}
	}
	for _, o := range ring.own {
		now.origins[o] = true
	}
	ring.known.Store(now)
}

// find is the key, wherever it comes from. Its digest is looked up, not the
// key, so that the time it takes tells nothing of other keys.
func (ring *keyring) find(key string) (*principal, bool) {
	p, ok := ring.known.Load().byDigest[sha256.Sum256([]byte(key))]
	return p, ok
}

// all are the keys, in no order.
func (ring *keyring) all() iter.Seq[*principal] { return maps.Values(ring.known.Load().byDigest) }

// named is the key of that name or id.
func (ring *keyring) named(name string) (*principal, bool) {
	for p := range ring.all() {
		if p.id == name || p.name == name {
			return p, true
		}
	}
	return nil, false
}

func (ring *keyring) add(k apikey.Key) *principal {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	p := ring.stored(k)
	all := maps.Clone(ring.known.Load().byDigest)
	all[p.digest] = p
	ring.set(all)
	return p
}

// revoke takes p away, from this moment on. Those who follow something with it
// are told.
func (ring *keyring) revoke(p *principal) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	all := maps.Clone(ring.known.Load().byDigest)
	if all[p.digest] != p {
		return
	}
	delete(all, p.digest)
	ring.set(all)
	close(p.revoked)
}

// trusts reports whether pages of origin may read answers. Without keys none
// may: every page in this machine's browser could do everything.
func (ring *keyring) trusts(origin string) bool {
	origins := ring.known.Load().origins
	return ring.guarded && (origins[origin] || origins[anyOrigin])
}

func (ring *keyring) count() int { return len(ring.known.Load().byDigest) }

// counts tells the keys of the configuration from those that were made.
func (ring *keyring) counts() (c keyCounts) {
	for p := range ring.all() {
		if p.kept == nil {
			c.File++
		} else {
			c.Made++
		}
	}
	return c
}
