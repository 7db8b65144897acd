package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A bindingView is a binding with its state.
type bindingView struct {
	Name     string   `json:"name"`
	Source   string   `json:"source"`
	Template string   `json:"template"`
	Public   bool     `json:"public"`
	Outputs  []Output `json:"outputs"`
	Sinks    []string `json:"sinks"`
	OnRun    []string `json:"onRun,omitempty"` // the sinks that are told once of a whole run

	// Of the seed product's dialect.
	UID       string `json:"uid"`
	Status    string `json:"status"`               // active, paused, error
	RenderURL string `json:"renderUrl"`            // of the first output; {key} stands for a row's key
	HookURL   string `json:"webhookUrl,omitempty"` // where the rows of its source are sent to

	Origin    string          `json:"origin"`
	ReadOnly  bool            `json:"readOnly"`
	Config    json.RawMessage `json:"config,omitempty"` // as PUT takes it
	Revision  int64           `json:"revision,omitempty"`
	Author    string          `json:"author,omitempty"`
	UpdatedAt *time.Time      `json:"updatedAt,omitempty"`

	State       string    `json:"state"`                  // ok, working, held, failing, paused, new
	Paused      string    `json:"pausedReason,omitempty"` // why, where no person has paused it
	Items       int64     `json:"items"`
	Ready       int64     `json:"ready"`
	Waiting     int64     `json:"waiting"`
	Failed      int64     `json:"failed"`
	Quarantined int64     `json:"quarantined"`
	Held        *heldView `json:"held"`

	ReadAt   *time.Time `json:"readAt"`
	Complete bool       `json:"complete"`
	Error    string     `json:"error,omitempty"`
	ErrorAt  *time.Time `json:"errorAt,omitempty"`

	NextRunAt *time.Time `json:"nextRunAt"` // null where the source has no schedule
	LastRun   *lastRun   `json:"lastRun"`

	Freshness *bindingFreshness `json:"freshness"`
}

// A heldView is what the guard holds, and why.
type heldView struct {
	Changes  int64  `json:"changes"`
	Removals int64  `json:"removals"`
	Reason   string `json:"reason"`
}

func viewOfBinding(b Binding, st bindings.Status) bindingView {
	v := bindingView{
		Name: b.Name, Source: b.Source, Template: b.Template, Public: b.Public,
		Outputs: list(b.Outputs), Sinks: list(b.Sinks), OnRun: b.OnRun,
		Items: st.Live, Ready: st.Ready, Waiting: st.Waiting, Failed: st.Failed, Quarantined: st.Quarantined,
		ReadAt: moment(st.ReadAt), Complete: st.Complete, Error: st.Error, ErrorAt: moment(st.ErrorAt),
		UID: b.Name, Origin: b.Origin, ReadOnly: b.Origin == OfFile, Config: b.Spec, Revision: b.Revision,
		Author: b.Author, UpdatedAt: moment(b.UpdatedAt), Paused: st.PausedReason,
	}
	if st.HeldChanges > 0 || st.HeldRemoval > 0 || st.HeldReason != "" {
		v.Held = &heldView{st.HeldChanges, st.HeldRemoval, st.HeldReason}
	}
	if b.Error != nil {
		v.Error = problem.All(b.Error)[0].Error()
	}
	v.State, v.Status = stateOf(v), "active"
	switch {
	case v.Error != "":
		v.Status = "error"
	case st.Paused:
		v.State, v.Status = "paused", "paused"
	}
	return v
}

// stateOf is the one word that matters most.
func stateOf(v bindingView) string {
	switch {
	case v.Error != "":
		return "failing"
	case v.Held != nil:
		return "held"
	case v.ReadAt == nil && v.Items == 0:
		return "new"
	case v.Waiting > 0:
		return "working"
	}
	return "ok"
}

// moment is t in UTC, or null where there is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// list keeps null out of JSON.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// configured is what the configuration says about a binding.
func (s *Server) configured(name string) (Binding, bool) { return s.deps.BindingFunc(name) }

func (s *Server) noBinding(name string) error {
	p := problem.New(problem.NotFound, "there is no binding %q", name).WithSlug(slugBindingNotFound)
	var names []string
	for _, b := range s.deps.ConfiguredFunc() {
		names = append(names, b.Name)
	}
	if near, ok := config.Nearest(name, names); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("GET /bindings lists them")
}

// bindingOf is the binding that r names, if the asker may see it.
func (s *Server) bindingOf(r *http.Request) (Binding, error) {
	b, ok := s.configured(r.PathValue("name"))
	if !ok || !asker(r.Context()).uses(b.Template) {
		return Binding{}, s.noBinding(r.PathValue("name"))
	}
	return b, nil
}

func (s *Server) listBindings(w http.ResponseWriter, r *http.Request) error {
	var seen []Binding
	for _, b := range s.deps.ConfiguredFunc() {
		if asker(r.Context()).uses(b.Template) {
			seen = append(seen, b)
		}
	}
	views, err := s.bindingViews(r.Context(), seen)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"bindings": views})
}

func (s *Server) showBinding(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	return s.answerBinding(w, r, http.StatusOK, b.Name)
}

// A rowView is a stored row.
type rowView struct {
	Key     string          `json:"key"` // canonical, as in a path
	Name    string          `json:"name"`
	Version int64           `json:"version"`
	Missing bool            `json:"missing"`
	Values  json.RawMessage `json:"values"`

	Warnings []bindings.Warning `json:"warnings,omitempty"` // of its pictures
}

// A quarantineView is a row that is kept out.
type quarantineView struct {
	Key      string `json:"key"`
	Position string `json:"position"`
	Reason   string `json:"reason"`
	Detail   string `json:"detail"`
	Replays  bool   `json:"replays,omitempty"` // it can be tried again once what is wrong with it is mended
}

// A failedView is a row whose wanted picture could not be made, and why.
type failedView struct {
	Key   string `json:"key"`
	Name  string `json:"name"`
	Code  string `json:"code"`
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
}

// troubleLimit is how many rows that are kept out, and how many that failed, a
// page of rows comes with.
const troubleLimit = 100

// listRows gives a page of the rows of a binding's source, by key, with what
// keeps rows from their picture.
func (s *Server) listRows(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", 100, 1, maxPage)
	if err != nil {
		return err
	}
	rows, err := s.deps.Bindings.Rows(r.Context(), b.Source, r.URL.Query().Get("after"), limit)
	if err != nil {
		return fmt.Errorf("read rows of source %q: %w", b.Source, err)
	}
	out, err := s.deps.Bindings.Quarantine(r.Context(), b.Source, troubleLimit)
	if err != nil {
		return fmt.Errorf("read quarantine of source %q: %w", b.Source, err)
	}
	failed, err := s.deps.Bindings.FailedRows(r.Context(), b.Name, troubleLimit)
	if err != nil {
		return fmt.Errorf("read failed rows of binding %q: %w", b.Name, err)
	}
	page := struct {
		Rows        []rowView        `json:"rows"`
		Failed      []failedView     `json:"failed"`
		Quarantined []quarantineView `json:"quarantined"`
		Next        string           `json:"next,omitempty"` // the after of the next page
	}{Rows: []rowView{}, Failed: []failedView{}, Quarantined: []quarantineView{}}
	warnings, err := s.warningsOf(r.Context(), b.Name, rows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		page.Rows = append(page.Rows, rowView{row.Key, bindings.KeyText(row.Key), row.Version, row.Missing, row.Values, warnings[row.Key]})
	}
	for _, f := range failed {
		page.Failed = append(page.Failed, failedView{f.Key, bindings.KeyText(f.Key), f.Problem.Code, f.Problem.Message, f.Problem.Field})
	}
	for _, q := range out {
		page.Quarantined = append(page.Quarantined, quarantineView{q.Key, q.Position, q.Reason, q.Detail, len(q.Raw) > 0})
	}
	if len(rows) == limit {
		page.Next = rows[len(rows)-1].Key
	}
	return answer(w, http.StatusOK, page)
}

// warningsOf are those of the pictures of rows, by key.
func (s *Server) warningsOf(ctx context.Context, binding string, rows []bindings.StoredRow) (map[string][]bindings.Warning, error) {
	keys := make([]string, len(rows))
	for i, row := range rows {
		keys[i] = row.Key
	}
	fittings, err := s.deps.Bindings.Fittings(ctx, binding, keys)
	if err != nil {
		return nil, fmt.Errorf("read warnings of binding %q: %w", binding, err)
	}
	all := map[string][]bindings.Warning{}
	for _, f := range fittings {
		all[f.Key] = append(all[f.Key], f.Fitting.Warnings(f.Output)...)
	}
	return all, nil
}

// acceptGuard lets through what the guard holds. A body that says what was seen
// is refused if something else is held by now.
func (s *Server) acceptGuard(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	seen := struct{ Changes, Removals *int64 }{}
	if err := json.NewDecoder(r.Body).Decode(&seen); err != nil && !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "the body is not JSON of the form {\"changes\": 3, \"removals\": 0}: %w", err).WithSlug(slugMalformed)
	}
	views, err := s.bindingViews(r.Context(), []Binding{b})
	if err != nil {
		return err
	}
	held := heldView{}
	if views[0].Held != nil {
		held = *views[0].Held
	}
	if differs(seen.Changes, held.Changes) || differs(seen.Removals, held.Removals) {
		return problem.New(problem.Conflict, "the guard now holds %d changes and %d removals", held.Changes, held.Removals).
			WithSlug(slugGuardMoved).WithHint("look again, then accept what is held now")
	}
	promoted, err := s.deps.Bindings.AcceptGuard(r.Context(), b.Name)
	if err != nil {
		return fmt.Errorf("accept what the guard of %q holds: %w", b.Name, err)
	}
	return answer(w, http.StatusOK, map[string]any{"status": "accepted", "binding": b.Name, "accepted": promoted})
}

func differs(seen *int64, now int64) bool { return seen != nil && *seen != now }
