package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Deletions removes what is kept of jobs and rows: values, images, deliveries,
// and what nobody else has of renders and bytes. None leaves a trace among the
// bytes but FilesLeft, which go within minutes, nor in the store's files once they
// were written anew, within a minute.
type Deletions interface {
	// DeleteJob and DeleteJobRow refuse a job that has not ended, with a problem
	// of code Conflict.
	DeleteJob(ctx context.Context, id string) (Deletion, error)
	DeleteJobRow(ctx context.Context, job, key string) (Deletion, error)
	// DeleteRow deletes a row of a source and the images of all its bindings; with
	// forget it does not come back while the source has it.
	DeleteRow(ctx context.Context, source, key string, forget bool) (Deletion, error)
	// RecallRow ends the forgetting. recalled is false when it was not forgotten.
	RecallRow(ctx context.Context, source, key string) (recalled bool, err error)
	DeleteKey(ctx context.Context, k DeletedKey) (Deletion, error)
}

// A DeletedKey is a key that is deleted wherever it is.
type DeletedKey struct {
	Sources   []string // in which the rows are called Canonical
	Canonical string
	Text      string // as batches have it
	Forget    bool
}

// A Deletion counts what went.
type Deletion struct {
	Rows       int64    `json:"rows"`
	Images     int64    `json:"images"`
	Renders    int64    `json:"renders"`
	Deliveries int64    `json:"deliveries"`
	Files      int64    `json:"files"`     // that nobody else shows
	FilesLeft  int64    `json:"filesLeft"` // those of them that go within minutes
	Bindings   []string `json:"bindings,omitempty"`
	Sinks      []string `json:"sinks,omitempty"`   // that were told of it before, and have what they were told
	Jobs       []string `json:"jobs,omitempty"`    // that rows went of
	Running    []string `json:"running,omitempty"` // jobs that have not ended: they keep it
	Forgotten  bool     `json:"forgotten,omitempty"`
	Notes      []string `json:"notes,omitempty"` // what else there is to do
}

func (d Deletion) empty() bool {
	return d.Rows+d.Images+d.Deliveries == 0 && len(d.Running) == 0
}

// explain says what a deletion of rows of sources cannot do.
func (d *Deletion) explain(sources []string, forget bool) {
	d.Forgotten = forget
	switch {
	case len(sources) > 0 && forget:
		d.note("the row stays away although the source may still have it; POST …/rows/KEY/recall ends that")
	case len(sources) > 0:
		d.note("a source that still has the row brings it back when it is read (%s): delete it there as well, or have it forgotten here", strings.Join(sources, ", "))
	}
	if len(d.Sinks) > 0 {
		d.note("%s were told of it before, and keep what they have", strings.Join(d.Sinks, ", "))
	}
	if len(d.Running) > 0 {
		d.note("jobs that have not ended keep it: cancel them, or wait for their end, and delete it again")
	}
	if d.Images > 0 {
		d.note("copies in caches and CDNs live on until they are purged there")
	}
}

func (d *Deletion) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

func (s *Server) deleteJob(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := s.jobOf(r.Context(), id); err != nil && !isGone(err) {
		return err
	}
	done, err := s.deps.Deletions.DeleteJob(r.Context(), id)
	if err != nil {
		return deleting(err, "job %s", id)
	}
	s.forgetExports(done)
	done.explain(nil, false)
	return answer(w, http.StatusOK, done)
}

// forgetExports drops the files that were made of what is gone.
func (s *Server) forgetExports(d Deletion) {
	for _, job := range d.Jobs {
		s.deps.Spool.Forget(job + "/")
	}
}

// isGone reports a job that was deleted before: what is left of it is removed
// when somebody asks again.
func isGone(err error) bool {
	return problem.All(err)[0].Slug == slugJobDeleted
}

func deleting(err error, format string, args ...any) error {
	return fmt.Errorf("delete "+format+": %w", append(args, err)...)
}

func (s *Server) deleteJobRow(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := s.jobOf(r.Context(), id); err != nil {
		return err
	}
	done, err := s.deps.Deletions.DeleteJobRow(r.Context(), id, r.PathValue("key"))
	if err != nil {
		return deleting(err, "a row of job %s", id)
	}
	s.forgetExports(done)
	done.explain(nil, false)
	return answer(w, http.StatusOK, done)
}

func (s *Server) deleteRow(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	key, err := rowKey(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	forget := r.URL.Query().Get("forget")
	if forget != "" && forget != "permanent" {
		return problem.New(problem.Invalid, "forget is %q", forget).WithSlug("out_of_range").At("forget").
			WithHint("permanent, so that the source does not bring the row back; or leave it out")
	}
	done, err := s.deps.Deletions.DeleteRow(r.Context(), b.Source, key, forget != "")
	if err != nil {
		return deleting(err, "a row of source %s", b.Source)
	}
	if done.empty() && forget == "" {
		return noRow(b)
	}
	done.explain([]string{b.Source}, forget != "")
	return answer(w, http.StatusOK, done)
}

// recallRow ends the forgetting of a row.
func (s *Server) recallRow(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	key, err := rowKey(strings.TrimSuffix(r.URL.EscapedPath(), "/recall"))
	if err != nil {
		return err
	}
	recalled, err := s.deps.Deletions.RecallRow(r.Context(), b.Source, key)
	if err != nil {
		return fmt.Errorf("recall a row of source %s: %w", b.Source, err)
	}
	if !recalled {
		return noRow(b).WithHint("only a row that was deleted with ?forget=permanent can be recalled")
	}
	return answer(w, http.StatusOK, nextView{"recalled", "the row comes back with the next reading that has it"})
}

// A nextView says what was done, and what follows.
type nextView struct {
	Status string `json:"status"`
	Next   string `json:"next"`
}

// rowKey is the canonical key that an escaped path ends in.
func rowKey(path string) (string, error) {
	key, err := bindings.NormalKey(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return "", problem.New(problem.Invalid, "%w", err).WithSlug("bad_key").At("key")
	}
	return key, nil
}

func noRow(b Binding) *problem.Error {
	return problem.New(problem.NotFound, "the source %q has no row of this key", b.Source).WithSlug(slugRowNotFound).
		WithHint("GET /bindings/%s/rows lists them; the key is percent-encoded, its columns joined by commas", b.Name)
}

// maxDeletion is more than any key needs, in bytes.
const maxDeletion = 64 << 10

// A keyDeletion says which key is deleted everywhere.
type keyDeletion struct {
	Key    json.RawMessage `json:"key"`    // a text, or the list of its columns
	Forget bool            `json:"forget"` // sources do not bring the row back
}

// deleteKey deletes a key from all sources and all jobs.
func (s *Server) deleteKey(w http.ResponseWriter, r *http.Request) error {
	p := asker(r.Context())
	if !p.may(RendersWrite) || len(p.templates) > 0 {
		return problem.New(problem.Forbidden, "the key %q is not for all bindings and jobs", p.name).WithSlug(slugScope).
			WithHint("it wants the scopes %s and %s, and no list of templates", BindingsWrite, RendersWrite)
	}
	var body keyDeletion
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxDeletion))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return problem.New(problem.Invalid, `the body is not JSON of the form {"key": "ada@example.com", "forget": false}: %w`, err).WithSlug(slugMalformed)
	}
	k, err := keyOf(body.Key)
	if err != nil {
		return err
	}
	k.Forget = body.Forget
	for _, b := range s.deps.ConfiguredFunc() {
		if !slices.Contains(k.Sources, b.Source) {
			k.Sources = append(k.Sources, b.Source)
		}
	}
	done, err := s.deps.Deletions.DeleteKey(r.Context(), k)
	if err != nil {
		return deleting(err, "a key")
	}
	s.forgetExports(done)
	if done.empty() && !k.Forget {
		return problem.New(problem.NotFound, "no row and no job has this key").WithSlug(slugRowNotFound).
			WithHint("a key of several columns is a list of them")
	}
	done.explain(k.Sources, k.Forget)
	return answer(w, http.StatusOK, done)
}

// keyOf reads a key: a text, or the list of its columns.
func keyOf(raw json.RawMessage) (k DeletedKey, err error) {
	var columns []string
	var text string
	switch {
	case json.Unmarshal(raw, &text) == nil:
		columns = []string{text}
	case json.Unmarshal(raw, &columns) != nil:
		return k, problem.New(problem.Invalid, "key must be a text, or a list of the texts of its columns").WithSlug("bad_key").At("key")
	}
	parts := make([]any, len(columns))
	for i, c := range columns {
		parts[i] = c
	}
	k.Canonical, err = bindings.CanonicalKey(parts)
	if err != nil {
		return k, problem.New(problem.Invalid, "%w", err).WithSlug("bad_key").At("key")
	}
	k.Text = text
	if text == "" {
		k.Text = strings.Join(columns, ",")
	}
	return k, nil
}

// askSweep has all bytes looked through now for those that nothing shows.
func (s *Server) askSweep(w http.ResponseWriter, _ *http.Request) error {
	s.deps.SweepFunc()
	return answer(w, http.StatusAccepted, nextView{"sweeping", "GET /metrics says what it found"})
}
