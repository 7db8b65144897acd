package client

import (
	"context"
	"net/url"
)

// answerSize is more than what is said of a binding takes.
const answerSize = 16 << 20

// A Refresh is what a refresh asked for.
type Refresh struct {
	Status  string   `json:"status"`
	Binding string   `json:"binding"`
	Source  string   `json:"source"`
	Rows    int      `json:"rows"`
	Missing []string `json:"missing"`
	Reading bool     `json:"reading"`
	Images  int      `json:"images"`
	JobID   string   `json:"jobId,omitempty"` // of a reading that is a job
}

// Refresh has the source of a binding read, or only rows of it; with force their
// images are drawn again instead, although nothing changed.
func (r Remote) Refresh(ctx context.Context, binding string, keys []string, force bool) (done Refresh, err error) {
	order := struct {
		Keys  []string `json:"keys,omitempty"`
		Force bool     `json:"force,omitempty"`
	}{keys, force}
	return done, r.tell(ctx, binding, "/refresh", order, &done)
}

// Pause stops a binding; its images stay as they are.
func (r Remote) Pause(ctx context.Context, binding string) (Binding, error) {
	var v struct{ Binding Binding }
	return v.Binding, r.tell(ctx, binding, "/pause", nil, &v)
}

// Resume lets a binding go on.
func (r Remote) Resume(ctx context.Context, binding string) (Binding, error) {
	var v struct{ Binding Binding }
	return v.Binding, r.tell(ctx, binding, "/resume", nil, &v)
}

// A Guard is what the guard of a binding holds.
type Guard struct {
	Binding  string `json:"binding"`
	Held     *Held  `json:"held"` // nil: nothing
	Accepted int    `json:"accepted"`
	Sample   []struct {
		Key     string       `json:"key"`
		Name    string       `json:"name"`
		Becomes string       `json:"becomes"`
		Texts   []TextChange `json:"texts,omitempty"`
		Error   string       `json:"error,omitempty"`
	} `json:"sample"`
}

// Held is how much a guard holds, and why.
type Held struct {
	Changes  int64  `json:"changes"`
	Removals int64  `json:"removals"`
	Reason   string `json:"reason"`
}

// A TextChange is a text of a picture before and after.
type TextChange struct {
	Output string `json:"output"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Guard is what the guard of a binding holds.
func (r Remote) Guard(ctx context.Context, binding string) (Guard, error) {
	var v struct{ Guard Guard }
	return v.Guard, r.look(ctx, binding, "/guard", &v)
}

// AcceptGuard lets through what was seen to be held. If it is something else by
// now, nothing happens, and the error is a problem of code Conflict.
func (r Remote) AcceptGuard(ctx context.Context, binding string, seen Held) error {
	order := struct {
		Changes  int64 `json:"changes"`
		Removals int64 `json:"removals"`
	}{seen.Changes, seen.Removals}
	return r.tell(ctx, binding, "/guard/accept", order, nil)
}

// A Trouble keeps a row from its picture.
type Trouble struct {
	Key      string `json:"key"`
	Name     string `json:"name,omitempty"`
	Position string `json:"position,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Code     string `json:"code,omitempty"`
	Error    string `json:"error,omitempty"`
	Field    string `json:"field,omitempty"`
}

// A Quarantine is what keeps rows of a binding from their pictures.
type Quarantine struct {
	Quarantined []Trouble `json:"quarantined"` // rows that are kept out
	Failed      []Trouble `json:"failed"`      // rows whose picture could not be made
}

// Quarantine is the first rows of a binding that have no picture, and why.
func (r Remote) Quarantine(ctx context.Context, binding string) (q Quarantine, err error) {
	return q, r.look(ctx, binding, "/rows?limit=1", &q)
}

func bindingPath(name string) string { return "/bindings/" + url.PathEscape(name) }

func (r Remote) look(ctx context.Context, binding, path string, into any) error {
	return r.read(ctx, bindingPath(binding)+path, into)
}

// tell sends an order about a binding: a whole binding that is drawn again is
// noted row by row.
func (r Remote) tell(ctx context.Context, binding, path string, order, into any) error {
	return r.order(ctx, bindingPath(binding)+path, order, into)
}
