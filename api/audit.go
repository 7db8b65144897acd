package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/pictifyd/pictifyd/internal/audit"
)

// Audit keeps who changed what.
type Audit interface {
	// Begin writes an entry before its change, and returns its id.
	Begin(ctx context.Context, e audit.Entry) (id string, err error)
	// End fills in how it ended.
	End(ctx context.Context, id, name, after string, status int) error
	// Entries are those that f chooses, newest first.
	Entries(ctx context.Context, f audit.Filter) ([]audit.Entry, error)
	// Digest is that of a thing as it is now; "" where there is none.
	Digest(ctx context.Context, kind, name string) (string, error)
}

const (
	viaAgent = "mcp"

	auditPage    = 50
	auditPageMax = 500
	auditLimit   = 10 * time.Second // for the end of an entry, whatever became of the request
)

// audited are the routes that change what pictifyd is or has been told to do, by the
// kind of what they change. Those that only make it work are in unaudited (audit_test.go).
var audited = map[string]string{
	"POST /templates":                                "template",
	"PUT /templates/{id}":                            "template",
	"DELETE /templates/{id}":                         "template",
	"POST /templates/{id}/publish":                   "template",
	"POST /templates/{id}/versions/{number}/restore": "template",
	"POST /sources":                                  "source",
	"PUT /sources/{name}":                            "source",
	"DELETE /sources/{name}":                         "source",
	"POST /sources/{name}/resnapshot":                "source",
	"POST /sources/{name}/quarantine/replay":         "source",
	"POST /sources/{name}/quarantine/discard":        "source",
	"POST /sinks":                                    "sink",
	"PUT /sinks/{name}":                              "sink",
	"DELETE /sinks/{name}":                           "sink",
	"POST /sinks/{name}/pause":                       "sink",
	"POST /sinks/{name}/resume":                      "sink",
	"POST /sinks/{name}/redeliver":                   "sink",
	"POST /bindings":                                 "binding",
	"PUT /bindings/{name}":                           "binding",
	"DELETE /bindings/{name}":                        "binding",
	"POST /bindings/{name}/pause":                    "binding",
	"POST /bindings/{name}/resume":                   "binding",
	"POST /bindings/{name}/guard/accept":             "binding",
	"POST /webhook-subscriptions":                    "subscription",
	"PUT /webhook-subscriptions/{id}":                "subscription",
	"PATCH /webhook-subscriptions/{id}":              "subscription",
	"DELETE /webhook-subscriptions/{id}":             "subscription",
	"POST /webhook-subscriptions/{id}/pause":         "subscription",
	"POST /webhook-subscriptions/{id}/resume":        "subscription",
	"POST /webhook-subscriptions/{id}/rotate-secret": "subscription",
	"POST /experiments":                              "experiment",
	"PATCH /experiments/{id}":                        "experiment",
	"DELETE /experiments/{id}":                       "experiment",
	"POST /experiments/{id}/start":                   "experiment",
	"POST /experiments/{id}/pause":                   "experiment",
	"POST /experiments/{id}/resume":                  "experiment",
	"POST /experiments/{id}/complete":                "experiment",
	"POST /experiments/{id}/rollout":                 "experiment",
	"POST /copilot/runs/{id}/experiment":             "experiment",
	"POST /keys":                                     "key",
	"DELETE /keys/{id}":                              "key",
	"POST /deliveries/{id}/replay":                   "delivery",
	"POST /deliveries/{id}/discard":                  "delivery",
	"POST /dead-letters/replay":                      "delivery",
	"POST /dead-letters/discard":                     "delivery",
	"DELETE /jobs/{id}":                              "job",
	"DELETE /jobs/{id}/rows/{key}":                   "job",
	"DELETE /bindings/{name}/rows/{key}":             "row",
	"POST /bindings/{name}/rows/{key}/recall":        "row",
	"DELETE /experiments/{id}/units/{unit}":          "unit",
	"POST /deletions":                                "row",
	"POST /sweep":                                    "sweep",
}

// noted answers r by handle. Where its route is audited, an entry is written before,
// and how it ended behind it: what cannot be noted is not done.
func (s *Server) noted(rt route, w http.ResponseWriter, r *http.Request) error {
	kind, ok := audited[rt.pattern]
	if !ok {
		return rt.handle(s, w, r)
	}
	e := audit.Entry{Actor: asker(r.Context()).name, Via: via(r), Action: rt.pattern, Kind: kind, Name: nameIn(r), Request: requestID(r)}
	var err error
	if e.Before, err = s.deps.Audit.Digest(r.Context(), kind, e.Name); err != nil {
		return err
	}
	if e.ID, err = s.deps.Audit.Begin(r.Context(), e); err != nil {
		return err
	}
	if err = rt.handle(s, w, r); err != nil {
		s.refuse(w, r, err)
	}
	s.noteEnd(e, w, r)
	return nil
}

// noteEnd fills in how the change of e ended.
func (s *Server) noteEnd(e audit.Entry, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), auditLimit)
	defer cancel()
	e.Status = http.StatusOK
	if out, ok := w.(*response); ok && out.status != 0 {
		e.Status = out.status
	}
	if made := w.Header().Get("Location"); e.Name == "" && e.Status < 300 && made != "" {
		if name, err := url.PathUnescape(path.Base(made)); err == nil {
			e.Name = name
		}
	}
	after, err := s.deps.Audit.Digest(ctx, e.Kind, e.Name)
	if err == nil {
		err = s.deps.Audit.End(ctx, e.ID, e.Name, after, e.Status)
	}
	if err != nil {
		s.log.Error("the end of a change is not in the audit log", slog.String("request", e.Request), slog.Any("err", err))
	}
	s.log.Info("audit", slog.String("actor", e.Actor), slog.String("via", e.Via), slog.String("action", e.Action), slog.String("kind", e.Kind),
		slog.String("name", e.Name), slog.Int("status", e.Status), slog.String("request", e.Request))
}

// nameIn is the name of what r changes, as its path has it; "" where that is not
// known yet. It is never a row's key.
func nameIn(r *http.Request) string {
	if name := r.PathValue("name"); name != "" {
		return name
	}
	return r.PathValue("id")
}

// via is how the sender of r is known.
func via(r *http.Request) string {
	switch {
	case r.Context().Value(callerKey{}) != nil:
		return viaAgent
	case asker(r.Context()) == local:
		return viaLocal
	case r.Header.Get("Authorization") != "":
		return viaKey
	}
	return viaSession
}

// An auditList is a page of who changed what, newest first.
type auditList struct {
	Entries   []audit.Entry `json:"entries"`
	NextAfter *string       `json:"nextAfter"` // of the next page; null: there is none
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request) error {
	limit, err := intParam(r, "limit", auditPage, 1, auditPageMax)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := audit.Filter{Actor: q.Get("actor"), Via: q.Get("via"), Action: q.Get("action"), Kind: q.Get("kind"), Name: q.Get("name"), After: q.Get("after"), Limit: limit}
	now := time.Now()
	if f.Since, err = momentOf("since", q.Get("since"), now); err != nil {
		return err
	}
	if f.Until, err = momentOf("until", q.Get("until"), now); err != nil {
		return err
	}
	entries, err := s.deps.Audit.Entries(r.Context(), f)
	if err != nil {
		return fmt.Errorf("list who changed what: %w", err)
	}
	list := auditList{Entries: entries}
	if list.Entries == nil {
		list.Entries = []audit.Entry{}
	}
	if len(entries) == limit {
		list.NextAfter = &entries[len(entries)-1].ID
	}
	return answer(w, http.StatusOK, list)
}
