package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Elsewhere is the way of what a process does not answer itself, because it does not
// hold the ledger.
type Elsewhere struct {
	Roles []string
	Relay *Relay // nil: this process has no role api, and refuses
}

// hereAlways are the routes that each process answers for itself.
var hereAlways = []string{"GET /healthz", "GET /readyz", "GET /metrics"}

// hereReading are those that one with the role api answers from the ledger and the
// bytes, where it can.
var hereReading = []string{"GET /images/{file}", "GET /b/{path...}"}

// here reports whether this process answers r itself.
func (s *Server) here(r *http.Request) bool {
	away := s.deps.Elsewhere
	if away == nil {
		return true
	}
	_, pattern := s.mux.Handler(r)
	return slices.Contains(hereAlways, pattern) || away.Relay != nil && slices.Contains(hereReading, pattern) && canonicalPath(r.URL.EscapedPath()) == r.URL.EscapedPath()
}

// handOn has somebody else answer. What was said in the answer so far is unsaid.
func (s *Server) handOn(w http.ResponseWriter, r *http.Request) {
	clear(w.Header())
	s.insist(w.Header(), r)
	away := s.deps.Elsewhere
	if out, ok := w.(*response); ok {
		out.route = "handed on"
	}
	if away.Relay != nil {
		away.Relay.ServeHTTP(w, r)
		return
	}
	secure(w.Header())
	w.Header().Set(awayHeader, "1")
	refuseAlone(w, r, problem.New(problem.Overloaded, "this pictifyd has the roles %s, and answers nothing but how it is", strings.Join(away.Roles, ", ")).
		WithSlug(slugNotHere).WithHint("ask one with the role api or connect"))
}

// refuseAlone answers with a problem, without anything of a Server.
func refuseAlone(w http.ResponseWriter, r *http.Request, p *problem.Error) {
	list := problem.List{p}
	status := statusOf(p)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if wait := retryAfter(p, status); wait > 0 && h.Get("Retry-After") == "" {
		h.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(documentOf(list, status, r)) // a client that has gone reads nothing
}
