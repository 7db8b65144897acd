package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// The kinds of resources, and where they come from.
const (
	kindSource  = "source"
	kindSink    = "sink"
	kindBinding = "binding"

	OfFile    = "file" // the operator's: read-only here
	OfCallers = "api"
)

// SlugOfFile is of what only the configuration may change.
const SlugOfFile = "defined_in_file"

const (
	slugInUse    = "in_use"
	slugNotFound = "_not_found" // behind the kind
)

// Resources makes and changes sources, sinks and bindings. What it says about a
// body has its place there.
type Resources interface {
	// Connections are the sources or the sinks, by name.
	Connections(ctx context.Context, kind string) ([]Connection, error)
	// Save makes or changes resources, all of them or none; when it returned they
	// are durable and take effect. It returns their names.
	Save(ctx context.Context, changes []ResourceChange) ([]string, error)
	// Delete takes a resource away. One in use is an *InUseError. The images of a
	// binding stay, or are removed and its sinks told.
	Delete(ctx context.Context, kind, name string, removeImages bool) error
	// Pause stops or resumes a binding: its images stay as they are.
	Pause(ctx context.Context, binding string, paused bool) error
	// TestSink sends one test event to a sink, and returns what came of it.
	TestSink(ctx context.Context, name string, of SinkTestOf) (SinkTest, error)
	// Preview says what a binding makes of a row, and changes nothing.
	Preview(ctx context.Context, binding string, of PreviewOf) (Preview, error)
	// RowOf is all that there is about a row, by its canonical key, with those of its
	// deliveries that may be seen.
	RowOf(ctx context.Context, binding, key string, seen *sink.Seen) (RowHistory, error)
}

// A ResourceChange is one resource to be made or changed.
type ResourceChange struct {
	Kind       string
	Name       string // "": that of the body
	Body       []byte // JSON
	Replace    bool   // it must be there; else it must not
	IfRevision int64  // that it must have; 0: any
	MadeFor    string // the binding that a source goes with
	Author     string

	// TemplateFunc says why the caller may not use a template; of bindings.
	TemplateFunc func(name string) error
}

// A Connection is a source or a sink.
type Connection struct {
	Kind     string
	Name     string
	Type     string // its own kind: http, webhook
	Origin   string // OfFile or OfCallers
	UsedBy   []string
	Revision int64
	Spec     json.RawMessage // as it was sent, with its secrets as "***"; nil of the file's
	Error    error           // why it cannot be used

	Author               string
	CreatedAt, UpdatedAt time.Time

	// Of a source: its newest reading.
	Rows      int64
	ReadAt    time.Time
	Complete  bool
	Reason    string // why it is not
	ReadError string // why it can't be read now
	ErrorAt   time.Time

	Flow *Flow // of a sink

	// Of a source that is called: where, and what of its rows is not as it was.
	HookPath string
	Warnings []string
}

// An InUseError refuses to delete what bindings use.
type InUseError struct {
	Kind, Name string
	Users      []string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("the %s %q is used by %s", e.Kind, e.Name, strings.Join(e.Users, ", "))
}

// A connectionView is a source or sink as it is shown.
type connectionView struct {
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	Origin    string          `json:"origin"`
	ReadOnly  bool            `json:"readOnly"`
	UsedBy    []string        `json:"usedBy"`
	Config    json.RawMessage `json:"config,omitempty"` // as PUT takes it
	Revision  int64           `json:"revision,omitempty"`
	Author    string          `json:"author,omitempty"`
	CreatedAt *time.Time      `json:"createdAt,omitempty"`
	UpdatedAt *time.Time      `json:"updatedAt,omitempty"`
	Error     string          `json:"error,omitempty"`
	Reading   *readingView    `json:"reading,omitempty"`
	HookURL   string          `json:"hookUrl,omitempty"`   // where its rows are sent to
	Warnings  []string        `json:"warnings,omitempty"`  // what of its rows is not as it was
	Freshness *freshnessView  `json:"freshness,omitempty"` // of a source
	Stream    *streamView     `json:"stream,omitempty"`    // of a source that tells of its changes
	Delivery  *flowView       `json:"delivery,omitempty"`  // of a sink: how it fares
}

// A readingView is how a source was read last.
type readingView struct {
	Rows     int64      `json:"rows"`
	ReadAt   *time.Time `json:"readAt"`
	Complete bool       `json:"complete"`
	Reason   string     `json:"reason,omitempty"`
	Error    string     `json:"error,omitempty"`
	ErrorAt  *time.Time `json:"errorAt,omitempty"`
}

// viewOfConnection is c as the asker may see it.
func (s *Server) viewOfConnection(ctx context.Context, c Connection, fresh map[string]connectors.Freshness, streams map[string]StreamState) connectionView {
	v := connectionView{
		Name: c.Name, Kind: c.Type, Origin: c.Origin, ReadOnly: c.Origin == OfFile, UsedBy: s.seen(ctx, c.UsedBy), Config: c.Spec,
		Revision: c.Revision, Author: c.Author, CreatedAt: moment(c.CreatedAt), UpdatedAt: moment(c.UpdatedAt),
	}
	v.Delivery = s.flowSeen(ctx, c)
	if c.Error != nil {
		v.Error = problem.All(c.Error)[0].Error()
	}
	if c.Kind == kindSource {
		v.Reading = &readingView{c.Rows, moment(c.ReadAt), c.Complete, c.Reason, c.ReadError, moment(c.ErrorAt)}
		v.Warnings = c.Warnings
		v.HookURL = s.hookURL(c.HookPath)
		if f, ok := fresh[c.Name]; ok {
			v.Freshness = viewOfFreshness(f, time.Now())
		}
		if st, ok := streams[c.Name]; ok {
			v.Stream = viewOfStream(st)
		}
	}
	return v
}

// hookURL is where a source of this path is called; "" of one that is not.
func (s *Server) hookURL(path string) string {
	if path == "" {
		return ""
	}
	return s.base + "/hooks/" + url.PathEscape(path)
}

// seen are the bindings among names that the asker may see.
func (s *Server) seen(ctx context.Context, names []string) []string {
	visible := []string{}
	for _, name := range names {
		if b, ok := s.configured(name); ok && asker(ctx).uses(b.Template) {
			visible = append(visible, name)
		}
	}
	return visible
}

// connections are the routes of sources, or of sinks.
type connections struct{ kind string }

func (c connections) list(s *Server, w http.ResponseWriter, r *http.Request) error {
	all, err := s.deps.Resources.Connections(r.Context(), c.kind)
	if err != nil {
		return fmt.Errorf("list %ss: %w", c.kind, err)
	}
	fresh, err := s.freshnessOf(r.Context(), c.kind)
	if err != nil {
		return err
	}
	streams, err := s.streamStates(r.Context(), c.kind)
	if err != nil {
		return err
	}
	views := make([]connectionView, len(all))
	for i, one := range all {
		views[i] = s.viewOfConnection(r.Context(), one, fresh, streams)
	}
	return answer(w, http.StatusOK, map[string]any{c.kind + "s": views})
}

func (c connections) show(s *Server, w http.ResponseWriter, r *http.Request) error {
	return c.answer(s, w, r, http.StatusOK, r.PathValue("name"))
}

// answer sends one of them.
func (c connections) answer(s *Server, w http.ResponseWriter, r *http.Request, status int, name string) error {
	all, err := s.deps.Resources.Connections(r.Context(), c.kind)
	if err != nil {
		return fmt.Errorf("look up %s %q: %w", c.kind, name, err)
	}
	fresh, err := s.freshnessOf(r.Context(), c.kind)
	if err != nil {
		return err
	}
	streams, err := s.streamStates(r.Context(), c.kind)
	if err != nil {
		return err
	}
	var names []string
	for _, one := range all {
		if one.Name == name {
			if one.Revision > 0 {
				w.Header().Set("ETag", etagOf(one.Revision))
			}
			return answer(w, status, map[string]any{c.kind: s.viewOfConnection(r.Context(), one, fresh, streams)})
		}
		names = append(names, one.Name)
	}
	p := problem.New(problem.NotFound, "there is no %s %q", c.kind, name).WithSlug(c.kind + slugNotFound)
	if near, ok := config.Nearest(name, names); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("GET /%ss lists them", c.kind)
}

func (c connections) create(s *Server, w http.ResponseWriter, r *http.Request) error {
	body, err := resourceBody(w, r)
	if err != nil {
		return err
	}
	names, err := s.deps.Resources.Save(r.Context(), []ResourceChange{{Kind: c.kind, Body: body, Author: asker(r.Context()).name}})
	if err != nil {
		return fmt.Errorf("make a %s: %w", c.kind, err)
	}
	w.Header().Set("Location", "/"+c.kind+"s/"+url.PathEscape(names[0]))
	return c.answer(s, w, r, http.StatusCreated, names[0])
}

func (c connections) replace(s *Server, w http.ResponseWriter, r *http.Request) error {
	change, err := s.replacement(w, r, c.kind)
	if err != nil {
		return err
	}
	if _, err := s.deps.Resources.Save(r.Context(), []ResourceChange{change}); err != nil {
		return fmt.Errorf("change the %s %q: %w", c.kind, change.Name, err)
	}
	return c.answer(s, w, r, http.StatusOK, change.Name)
}

// replacement is the change that a PUT asks for.
func (s *Server) replacement(w http.ResponseWriter, r *http.Request, kind string) (ResourceChange, error) {
	revision, err := ifMatch(r)
	if err != nil {
		return ResourceChange{}, err
	}
	body, err := resourceBody(w, r)
	return ResourceChange{
		Kind: kind, Name: r.PathValue("name"), Body: body, Replace: true, IfRevision: revision, Author: asker(r.Context()).name,
	}, err
}

func (c connections) remove(s *Server, w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if err := s.inUse(r.Context(), s.deps.Resources.Delete(r.Context(), c.kind, name, false)); err != nil {
		return fmt.Errorf("delete the %s %q: %w", c.kind, name, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// inUse tells an *InUseError as a conflict that names the users which the asker
// may see.
func (s *Server) inUse(ctx context.Context, err error) error {
	var used *InUseError
	if !errors.As(err, &used) {
		return err
	}
	names := s.seen(ctx, used.Users)
	if more := len(used.Users) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return problem.New(problem.Conflict, "the %s %q is used by %s", used.Kind, used.Name, strings.Join(names, ", ")).WithSlug(slugInUse).
		WithHint("delete them first, or have them use another")
}

// resourceBody is the body of a request that makes or changes something.
func resourceBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, replayBody))
	if err != nil {
		return nil, smallBodyError(err)
	}
	return body, nil
}
