package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/internal/audit"
)

// unaudited are the routes that change nothing of what pictifyd is told to do, though
// they need more than a right to read.
var unaudited = map[string]string{
	"POST /templates/{id}/batch-render":              "work, which has a list of its own",
	"POST /tables/inspect":                           "looks",
	"PATCH /templates/{id}/draft":                    "a draft has steps of its own, with their authors",
	"DELETE /templates/{id}/draft":                   "a draft has steps of its own, with their authors",
	"POST /templates/{id}/draft/view":                "looks",
	"PUT /templates/{id}/draft/source":               "a draft has steps of its own, with their authors",
	"PUT /templates/{id}/draft/assets/{path...}":     "a draft has steps of its own, with their authors",
	"DELETE /templates/{id}/draft/assets/{path...}":  "a draft has steps of its own, with their authors",
	"POST /templates/{id}/draft/undo":                "a draft has steps of its own, with their authors",
	"POST /templates/{id}/rows":                      "looks",
	"POST /templates/{id}/draft/fonts":               "a draft has steps of its own, with their authors",
	"POST /templates/{id}/draft/render":              "looks",
	"POST /templates/{id}/draft/check":               "looks",
	"POST /expressions/validate":                     "looks",
	"POST /expressions/test":                         "looks",
	"POST /expressions/complete":                     "looks",
	"POST /expressions/dependencies":                 "looks",
	"POST /jobs/{id}/cancel":                         "work, which has a list of its own",
	"POST /jobs/{id}/pause":                          "work, which has a list of its own",
	"POST /jobs/{id}/resume":                         "work, which has a list of its own",
	"POST /jobs/{id}/retry":                          "work, which has a list of its own",
	"POST /templates/{id}/render":                    "work, which has a list of its own",
	"POST /templates/{id}/sign":                      "work, which has a list of its own",
	"POST /image":                                    "work, which has a list of its own",
	"POST /gif":                                      "work, which has a list of its own",
	"POST /pdf/render":                               "work, which has a list of its own",
	"POST /pdf/multi-page":                           "work, which has a list of its own",
	"POST /experiments/{id}/assignments":             "work, which has a list of its own",
	"POST /bindings/{name}/preview":                  "looks",
	"POST /bindings/{name}/mapping/preview":          "looks",
	"POST /templates/{id}/mapping":                   "looks",
	"POST /sources/test":                             "looks",
	"POST /sources/{name}/test":                      "looks",
	"POST /sinks/test":                               "looks",
	"POST /sinks/{name}/test":                        "looks",
	"POST /bindings/{name}/refresh":                  "work, which has a list of its own",
	"POST /bindings/{name}/run":                      "work, which has a list of its own",
	"POST /webhook-subscriptions/{id}/test":          "looks",
	"POST /copilot/runs":                             "GET /copilot/audit",
	"POST /copilot/runs/{id}/cancel":                 "GET /copilot/audit",
	"POST /copilot/runs/{id}/answer":                 "GET /copilot/audit",
	"POST /copilot/runs/{id}/accept":                 "GET /copilot/audit",
	"POST /copilot/runs/{id}/discard":                "GET /copilot/audit",
	"POST /copilot/runs/{id}/steps/{n}/accept":       "GET /copilot/audit",
	"POST /copilot/runs/{id}/steps/{n}/reject":       "GET /copilot/audit",
	"POST /copilot/runs/{id}/steps/{n}/undo":         "GET /copilot/audit",
	"POST /copilot/runs/{id}/candidates/{name}/pick": "GET /copilot/audit",
}

// A diary is an Audit in memory.
type diary struct {
	mu      sync.Mutex
	entries []audit.Entry
	digests []string // that Digest answers with, in turn
	broken  error
}

func (d *diary) Begin(_ context.Context, e audit.Entry) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return "", d.broken
	}
	e.ID = newID("aud_")
	d.entries = append(d.entries, e)
	return e.ID, nil
}

func (d *diary) End(_ context.Context, id, name, after string, status int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.entries {
		if d.entries[i].ID == id {
			d.entries[i].Name, d.entries[i].After, d.entries[i].Status = name, after, status
		}
	}
	return nil
}

func (d *diary) Entries(_ context.Context, f audit.Filter) ([]audit.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []audit.Entry
	for i := len(d.entries) - 1; i >= 0 && len(found) < f.Limit; i-- {
		if f.Kind == "" || f.Kind == d.entries[i].Kind {
			found = append(found, d.entries[i])
		}
	}
	return found, nil
}

func (d *diary) Digest(_ context.Context, _, name string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.digests) == 0 || name == "" {
		return "", nil
	}
	next := d.digests[0]
	d.digests = d.digests[1:]
	return next, nil
}

func TestEachRouteThatChangesSomethingIsAuditedOrSaysWhyNot(t *testing.T) {
	there := map[string]bool{}
	for _, rt := range routes() {
		there[rt.pattern] = true
		if strings.HasPrefix(rt.pattern, "GET ") || rt.scope == "" {
			continue
		}
		_, noted := audited[rt.pattern]
		if why := unaudited[rt.pattern]; noted == (why != "") {
			t.Errorf("%s is audited: %t, and not, because %q", rt.pattern, noted, why)
		}
	}
	for pattern := range audited {
		if !there[pattern] {
			t.Errorf("there is no route %s", pattern)
		}
	}
}

func TestChangesAreNotedWithWhoAndWhat(t *testing.T) {
	w := newWorld()
	w.diary.digests = []string{"after", "before", ""}
	s := mustServer(t, locked(), w)
	made := mustMake(t, s, `{"name":"ci"}`)
	if out := revoke("ci").to(t, s); out.Code != 204 {
		t.Fatalf("status %d", out.Code)
	}
	mustProblem(t, revoke("ci").to(t, s), 404, "key_not_found")
	mustProblem(t, revoke("ci").bearer("not-a-key-of-this-server").to(t, s), 401, "invalid_api_key")
	out := get("/audit?kind=key").bearer(fullKey).to(t, s)
	var list struct{ Entries []audit.Entry }
	if err := json.Unmarshal(out.Body.Bytes(), &list); err != nil || out.Code != http.StatusOK {
		t.Fatalf("status %d: %s", out.Code, out.Body)
	}
	type noted struct {
		action, name, before, after string
		status                      int
	}
	want := []noted{
		{"DELETE /keys/{id}", "ci", "", "", 404}, {"DELETE /keys/{id}", "ci", "before", "", 204}, {"POST /keys", made.ID, "", "after", 201},
	}
	var got []noted
	for _, e := range list.Entries {
		got = append(got, noted{e.Action, e.Name, e.Before, e.After, e.Status})
		if e.Actor == "" || e.Via != "key" || !strings.HasPrefix(e.Request, "req_") || e.Kind != "key" {
			t.Errorf("entry %+v", e)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("noted are %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("noted is %+v, want %+v", got[i], want[i])
		}
	}
	if !strings.Contains(w.logged.String(), "msg=audit") {
		t.Errorf("the log has no line of it: %s", w.logged.String())
	}
}

func TestWhatCannotBeNotedIsNotDone(t *testing.T) {
	w := newWorld()
	w.diary.broken = errors.New("the disk is full")
	s := mustServer(t, locked(), w)
	if out := post("/keys", `{"name":"ci"}`).bearer(fullKey).to(t, s); out.Code != http.StatusInternalServerError {
		t.Errorf("status %d", out.Code)
	}
	if len(w.kept) != 0 {
		t.Errorf("kept are %v", w.kept)
	}
}

func TestAuditIsForAdminsAndTakesTimes(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	mustProblem(t, get("/audit?since=yesterday").bearer(fullKey).to(t, s), 422, "out_of_range")
	made := mustMake(t, s, `{"name":"ci","scopes":["bindings:write"]}`)
	mustProblem(t, get("/audit").bearer(made.Key).to(t, s), 403, "scope_missing")
}
