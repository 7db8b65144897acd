package daemon

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/sealing"
)

const (
	secretScheme = "secret://" // begins the name of a secret of the configuration
	keptSecret   = "***"       // stands for a secret that is kept
	slugSecret   = "bad_secret"
)

// A NamedSecret is one entry of secrets.
type NamedSecret struct {
	Value config.Secret `yaml:"value"`
	API   bool          `yaml:"api"` // callers of the API may use it by its name
}

// Validate wants a value.
func (s NamedSecret) Validate() error {
	if s.Value.IsZero() {
		return problem.New(problem.Invalid, "this secret has no value").At("value").WithHint(`write value: "${NAME}", or value_file: PATH`)
	}
	return nil
}

// A vault keeps the secrets of what callers make: it seals the ones they give,
// and lends those that the operator allows.
type vault struct {
	mu      sync.Mutex
	named   map[string]NamedSecret
	keyFunc func() ([]string, error) // the newest first; called when there is something to seal
	sealer  *sealing.Sealer          // nil before that
}

func (v *vault) open() (*sealing.Sealer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sealer != nil {
		return v.sealer, nil
	}
	keys, err := v.keyFunc()
	if err != nil {
		return nil, err
	}
	v.sealer, err = sealing.New(keys[0], keys[1:]...)
	return v.sealer, err
}

// sealsWith has v seal with those keys from now on.
func (v *vault) sealsWith(keyFunc func() ([]string, error)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keyFunc, v.sealer = keyFunc, nil
}

// lends has v lend these from now on.
func (v *vault) lends(named map[string]NamedSecret) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.named = named
}

// lend is the secret of that name, if callers may use it.
func (v *vault) lend(name string) (string, error) {
	v.mu.Lock()
	named := v.named
	v.mu.Unlock()
	if s, ok := named[name]; ok && s.API {
		return s.Value.Reveal(), nil
	}
	var allowed []string
	for name, s := range named {
		if s.API {
			allowed = append(allowed, name)
		}
	}
	p := problem.New(problem.Invalid, "there is no secret %q for callers of the API", name).WithSlug(slugSecret)
	if near, ok := config.Nearest(name, allowed); ok {
		return "", p.WithHint("did you mean %q?", secretScheme+near)
	}
	return "", p.WithHint("the operator names them in the configuration: secrets: { NAME: { value: …, api: true } }")
}

// seal seals a text that opens only at a place.
func (v *vault) seal(place, text string) (string, error) {
	s, err := v.open()
	if err != nil {
		return "", err
	}
	return s.Seal(place, text), nil
}

// unseal is the text that was sealed for a place.
func (v *vault) unseal(place, sealed string) (string, error) {
	s, err := v.open()
	if err != nil {
		return "", err
	}
	return s.Open(place, sealed)
}

// A deposit is the secrets of one resource while it is read.
type deposit struct {
	vault  *vault
	place  string            // sealed texts open only there
	before map[string]string // that are kept, sealed, by path
	sealed map[string]string // that will be
	shown  map[string]string // what stands in the JSON in place of a secret, by path
	kept   bool              // one is taken over from before
}

// placeOfResource begins the places where the secrets of a resource open.
func placeOfResource(id resourceID) string { return id.kind + "/" + id.name }

// opening is the deposit of a resource with those secrets.
func (v *vault) opening(id resourceID, sealed map[string]string) *deposit {
	return &deposit{
		vault: v, place: placeOfResource(id), before: sealed,
		sealed: map[string]string{}, shown: map[string]string{},
	}
}

// text is the config.Options.SecretFunc of a resource: what is written at path may be a
// secret, the name of one of the configuration's, or the sign of one that is kept.
func (x *deposit) text(path, written string) (string, error) {
	if written == "" {
		return "", nil
	}
	if name, named := strings.CutPrefix(written, secretScheme); named {
		return x.vault.lend(name)
	}
	s, err := x.vault.open()
	if err != nil {
		return "", err
	}
	x.shown[path] = keptSecret
	if written != keptSecret {
		x.sealed[path] = s.Seal(x.place+" "+path, written)
		return written, nil
	}
	sealed, ok := x.before[path]
	if !ok {
		return "", problem.New(problem.Invalid, "%s stands for a secret that is kept, and none is", keptSecret).WithSlug(slugSecret).
			WithHint("send the secret itself, or %sNAME", secretScheme)
	}
	x.kept, x.sealed[path] = true, sealed
	text, err := s.Open(x.place+" "+path, sealed)
	if err != nil {
		return "", problem.New(problem.Invalid, "%w", err).WithSlug(slugSecret).WithHint("send the secret again")
	}
	return text, nil
}

// sameAddresses refuses to send a secret that is kept to where it did not go
// before: who may change an address need not know the secret.
func (x *deposit) sameAddresses(before, now map[string]string) error {
	if !x.kept || maps.Equal(before, now) {
		return nil
	}
	paths := slices.Sorted(maps.Keys(now))
	return problem.New(problem.Invalid, "the address is another, and %s would send it the secrets of the one before", keptSecret).
		WithSlug(slugSecret).At(strings.Join(paths, ", ")).WithHint("send the secrets again with the new address")
}
