package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Scope is a part of the API that a key may be limited to. One that ends in
// :write contains the one that ends in :read.
type Scope string

// The scopes.
const (
	TemplatesRead    Scope = "templates:read"
	TemplatesWrite   Scope = "templates:write"
	RendersRead      Scope = "renders:read"
	RendersWrite     Scope = "renders:write"
	BindingsRead     Scope = "bindings:read"
	BindingsWrite    Scope = "bindings:write"
	ImagesRead       Scope = "images:read"
	ConnectionsRead  Scope = "connections:read"
	ConnectionsWrite Scope = "connections:write"
	ExperimentsWrite Scope = "experiments:write"
	MetricsRead      Scope = "metrics:read"
	Admin            Scope = "admin" // contains all
)

var scopes = []Scope{
	TemplatesRead, TemplatesWrite, RendersRead, RendersWrite, BindingsRead, BindingsWrite, ImagesRead,
	ConnectionsRead, ConnectionsWrite, ExperimentsWrite, MetricsRead, Admin,
}

func scopeList() string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// A principal is who asks.
type principal struct {
	name      string // of the key; "" when no key is configured
	digest    [sha256.Size]byte
	scopes    []Scope
	templates []string
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

// A keyring knows the keys by their digests.
type keyring []*principal

func newKeyring(keys []Key) keyring {
	ring := make(keyring, len(keys))
	for i, k := range keys {
		name := k.Name
		if name == "" {
			name = "keys[" + strconv.Itoa(i) + "]"
		}
		ring[i] = &principal{name: name, digest: sha256.Sum256([]byte(k.Key.Reveal())), scopes: k.Scopes, templates: k.Templates}
	}
	return ring
}

// find compares with every key, always, in constant time.
func (ring keyring) find(key string) (*principal, bool) {
	digest := sha256.Sum256([]byte(key))
	var found *principal
	for _, p := range ring {
		if subtle.ConstantTimeCompare(digest[:], p.digest[:]) == 1 {
			found = p
		}
	}
	return found, found != nil
}

// local is everybody where no key is configured: the server then answers this
// machine only.
var local = &principal{}

// identify says who sends r. It does not say what they may do.
func (s *Server) identify(r *http.Request) (*principal, error) {
	if len(s.keys) == 0 {
		return local, nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, key, _ := strings.Cut(header, " ")
		if p, ok := s.keys.find(strings.TrimSpace(key)); ok && strings.EqualFold(scheme, "Bearer") {
			return p, nil
		}
		return nil, problem.New(problem.Unauthorized, "this key is not known here").WithSlug(slugBadKey).
			WithHint("send Authorization: Bearer KEY with a key of server.keys")
	}
	if p, ok := s.sessionOf(r); ok {
		return p, nil
	}
	return nil, problem.New(problem.Unauthorized, "this needs a key").WithSlug(slugNoKey).
		WithHint("send Authorization: Bearer KEY")
}

// permit is who sends r, if they may do what scope names.
func (s *Server) permit(r *http.Request, scope Scope) (*principal, error) {
	p, err := s.identify(r)
	if err != nil {
		return nil, err
	}
	if !p.may(scope) {
		return nil, problem.New(problem.Forbidden, "the key %q has not the scope %s", p.name, scope).WithSlug(slugScope).
			WithHint("give it the scope under server.keys, or use another key")
	}
	return p, nil
}

type principalKey struct{}

func withPrincipal(ctx context.Context, p *principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// asker is who sends the request of ctx, as its route has found out.
func asker(ctx context.Context) *principal {
	if p, ok := ctx.Value(principalKey{}).(*principal); ok {
		return p
	}
	return local
}
