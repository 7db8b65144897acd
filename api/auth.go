package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/apikey"
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
	ExperimentsRead  Scope = "experiments:read"
	ExperimentsWrite Scope = "experiments:write"
	MetricsRead      Scope = "metrics:read"
	Admin            Scope = "admin" // contains all
)

var scopes = []Scope{
	TemplatesRead, TemplatesWrite, RendersRead, RendersWrite, BindingsRead, BindingsWrite, ImagesRead,
	ConnectionsRead, ConnectionsWrite, ExperimentsRead, ExperimentsWrite, MetricsRead, Admin,
}

// Scopes are the words for scopes.
func Scopes() []string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return words
}

func scopeList() string { return strings.Join(Scopes(), ", ") }

// local is everybody where no key is configured: the server then answers this
// machine only.
var local = &principal{}

// identify says who sends r. It does not say what they may do. A key of ours
// that is sent counts also where none is needed.
func (s *Server) identify(r *http.Request) (*principal, error) {
	p, err := s.holder(r)
	if err != nil {
		return nil, err
	}
	if p != local {
		if err := s.mayUseFrom(p, r); err != nil {
			return nil, err
		}
		p.used.Store(time.Now().Unix())
	}
	return p, nil
}

// holder is whose key or session r brings.
func (s *Server) holder(r *http.Request) (*principal, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, key, _ := strings.Cut(header, " ")
		key = strings.TrimSpace(key)
		p, ok := s.keys.find(key)
		if s.keys.guarded || strings.HasPrefix(key, apikey.Prefix) {
			if err := s.guesses.judge(r, key, ok); err != nil {
				return nil, err
			}
		}
		switch {
		case ok && p.ended():
			return nil, problem.New(problem.Unauthorized, "the key %q has expired", p.name).WithSlug(slugBadKey).WithHint("ask for a new one")
		case ok && strings.EqualFold(scheme, "Bearer"):
			return p, nil
		case s.keys.guarded || strings.HasPrefix(key, apikey.Prefix):
			return nil, unknownKey().WithHint("send Authorization: Bearer KEY with a key of server.keys, or one that pictifyd keys new made")
		}
	}
	if p, ok := s.sessionOf(r); ok {
		return p, nil
	}
	if !s.keys.guarded {
		return local, nil
	}
	return nil, problem.New(problem.Unauthorized, "this needs a key").WithSlug(slugNoKey).
		WithHint("send Authorization: Bearer KEY")
}

func unknownKey() *problem.Error {
	return problem.New(problem.Unauthorized, "this key is not known here").WithSlug(slugBadKey)
}

// permit is who sends r, if they may do what scope names.
func (s *Server) permit(r *http.Request, scope Scope) (*principal, error) {
	p, err := s.identify(r)
	if err != nil {
		return nil, err
	}
	if !p.may(scope) {
		return nil, problem.New(problem.Forbidden, "the key %q has not the scope %s", p.name, scope).WithSlug(slugScope).
			WithHint("give it the scope where it was made, or use another key")
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
