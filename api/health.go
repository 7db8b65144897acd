package api

import (
	"context"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const readyLimit = 3 * time.Second

// healthy says that the process answers.
func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, map[string]string{"status": "ok", "version": s.deps.Version})
}

// A readyView is a daemon that can do its work. A source that cannot be read takes
// nothing of that away, and is counted here.
type readyView struct {
	Status  string         `json:"status"`
	Roles   []string       `json:"roles,omitempty"`   // of this process; none: all
	Sources map[string]int `json:"sources,omitempty"` // by their state: ok, warn, error, paused
}

// sourcesByState counts the sources. Who asks needs no key and gets no name.
func (s *Server) sourcesByState(ctx context.Context) map[string]int {
	fresh, err := s.freshness(ctx)
	if err != nil {
		return nil
	}
	now, count := time.Now(), map[string]int{}
	for _, f := range fresh {
		count[f.Health(now).State]++
	}
	return count
}

// ready says whether the daemon can do its work: a 503 keeps traffic away.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyLimit)
	defer cancel()
	err := s.deps.ReadyFunc(ctx)
	if err == nil {
		if away := s.deps.Elsewhere; away != nil { // the sources are the holder's
			return answer(w, http.StatusOK, readyView{Status: "ready", Roles: away.Roles})
		}
		return answer(w, http.StatusOK, readyView{Status: "ready", Sources: s.sourcesByState(ctx)})
	}
	waits := []string{}
	for _, p := range problem.All(err) {
		if p.Code == problem.Internal {
			waits = append(waits, "something inside pictifyd; its log has the rest")
			continue
		}
		waits = append(waits, p.Message)
	}
	w.Header().Set("Retry-After", "2")
	return answer(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "waitingFor": waits})
}
