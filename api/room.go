package api

import (
	"net/http"
	"strings"
)

// room refuses what fills the disk while there is little of it left: batches,
// pictures, templates and their files. What ends work, or makes room, goes on.
func (s *Server) room(rt route, r *http.Request) error {
	if s.deps.RoomFunc == nil || !fills(rt) {
		return nil
	}
	return s.deps.RoomFunc(r.Context())
}

func fills(rt route) bool {
	method, path, _ := strings.Cut(rt.pattern, " ")
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return false
	}
	return (rt.scope == RendersWrite || rt.scope == TemplatesWrite) && !strings.HasPrefix(path, "/jobs/") && !strings.HasPrefix(path, "/copilot/runs/")
}
