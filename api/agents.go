package api

import (
	"context"
	"net/http"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// agentsPath is where clients of the Model Context Protocol send their messages.
const agentsPath = "/mcp"

// answerAgent answers one message of a client of the Model Context Protocol. Nothing is
// kept between two: each brings its key, which is asked for each time. A session of a
// browser will not do, so that no page can use somebody's.
func (s *Server) answerAgent(w http.ResponseWriter, r *http.Request) error {
	if s.keys.guarded && r.Header.Get("Authorization") == "" {
		return problem.New(problem.Unauthorized, "agents need a key").WithSlug(slugNoKey).
			WithHint("have the client send Authorization: Bearer KEY; pictifyd keys new makes one, with the scopes that the agent shall have")
	}
	p, err := s.identify(r)
	if err != nil {
		return err
	}
	ctx, stop := s.untilClosing(withPrincipal(r.Context(), p))
	defer stop()
	r = r.WithContext(ctx)
	s.agents().ServeHTTP(neverKept{w}, r.WithContext(withCaller(ctx, r)))
	return nil
}

// neverKept is an answer that no cache keeps, whatever its handler says.
type neverKept struct{ http.ResponseWriter }

func (w neverKept) WriteHeader(status int) {
	w.Header().Set("Cache-Control", "no-store")
	w.ResponseWriter.WriteHeader(status)
}

func (w neverKept) Write(p []byte) (int, error) {
	w.Header().Set("Cache-Control", "no-store")
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the connection.
func (w neverKept) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type callerKey struct{}

// withCaller remembers by which request an agent asks.
func withCaller(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, callerKey{}, r)
}
