package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/tracing"
)

const (
	// Rows are staged in chunks of so many, or of so many bytes.
	chunkRows  = 500
	chunkBytes = 4 << 20

	// What must not be cut off by a client that goes is given so long.
	commitLimit = 30 * time.Second

	// The resolver has so long to say whether a webhook's address is refused.
	resolveLimit = 5 * time.Second

	maxIdempotencyKey = 255
)

// acceptBatch takes in a batch, whole or not at all. The 202 follows the commit
// that accepts it. A dry run is answered with what it would come to.
func (s *Server) acceptBatch(w http.ResponseWriter, r *http.Request) error {
	version, template, err := s.templateOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	form, err := batchForm(r)
	if err != nil {
		return err
	}
	body, err := unpacked(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	defer body.Close()
	if key != "" {
		before, found, err := s.deps.Intake.FindJob(r.Context(), key)
		if err != nil {
			return fmt.Errorf("look for the idempotency key: %w", err)
		}
		if found {
			digest, err := batch.DigestOf(body, form, s.limits)
			if err != nil {
				return cutShort(err)
			}
			return s.answerAgain(w, before, version.Name, digest)
		}
	}
	in := intake{
		server: s, form: form, template: template,
		job: batch.Job{ID: newID("batch_"), Template: version.Name, Version: version.Number, IdempotencyKey: key, Status: batch.Pending},
	}
	in.rows = &staging{intake: s.deps.Intake, job: in.job.ID}
	if err := in.take(r.Context(), w, body); err != nil {
		if key == "" || !in.committing || problem.CodeOf(err) != problem.Conflict {
			return err
		}
		// The same request was here twice at once, and the other one won.
		before, found, lookErr := s.deps.Intake.FindJob(r.Context(), key)
		if lookErr != nil || !found {
			return err
		}
		return s.answerAgain(w, before, version.Name, in.job.BodyDigest)
	}
	return nil
}

// answerAgain gives the answer that the first request under a key got.
func (s *Server) answerAgain(w http.ResponseWriter, before batch.Job, template, digest string) error {
	if before.Template != template || before.BodyDigest != digest {
		return problem.New(problem.Conflict, "another request was accepted under this Idempotency-Key, as %s", before.ID).
			WithSlug(slugIdempotency).WithHint("use a new key for a new request")
	}
	before.Status = batch.Pending
	return s.answerAccepted(w, before)
}

func (s *Server) answerAccepted(w http.ResponseWriter, job batch.Job) error {
	path := "/jobs/" + job.ID
	w.Header().Set("Location", path)
	return answer(w, http.StatusAccepted, batch.NewAccepted(job, s.base+path, s.base+path+"/events"))
}

// An intake is one batch on its way in.
type intake struct {
	server     *Server
	form       batch.Form
	template   bindings.Template
	job        batch.Job
	rows       *staging
	committing bool
}

// take stages the rows of body, or those that it names, accepts the job with
// them, and answers. After an error nothing is accepted; a problem of code
// Conflict while committing means that the idempotency key is taken.
func (in *intake) take(ctx context.Context, w http.ResponseWriter, body io.Reader) (err error) {
	s := in.server
	keep := false
	defer func() {
		// An error of the commit itself does not say that nothing was
		// committed: then what is staged is left to the sweep.
		if !keep && (!in.committing || problem.CodeOf(err) == problem.Conflict) {
			s.discard(ctx, in.rows)
		}
	}()
	request, err := batch.Decode(body, in.form, s.limits, func(row batch.Row) error { return in.rows.add(ctx, row) })
	if err != nil {
		return cutShort(err)
	}
	if err := in.check(ctx, request); err != nil {
		return err
	}
	if request.Origin != (batch.Origin{}) {
		if in.job.Total, err = s.stageOrigin(ctx, request, in.rows); err != nil {
			return err
		}
	}
	if err := in.rows.flush(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if request.DryRun {
		return s.answerDry(ctx, w, in.job, in.template)
	}
	in.committing = true
	commit, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	tracing.Note(ctx, tracing.Text("pictifyd.job", in.job.ID)) // by which its rows are found
	if err := s.deps.Intake.AcceptJob(commit, in.job); err != nil {
		return fmt.Errorf("accept job %s: %w", in.job.ID, err)
	}
	keep = true
	return s.answerAccepted(w, in.job)
}

// check makes the job of request, and finds out whether its rows can be drawn.
func (in *intake) check(ctx context.Context, request batch.Request) (err error) {
	s, job := in.server, &in.job
	job.Outputs, job.RowKey, job.Metadata = request.Outputs, request.RowKey, request.Metadata
	job.WebhookEvents, job.Mapping = request.Events, request.Mapping
	job.WebhookURL, job.Total, job.BodyDigest = request.WebhookURL, request.Rows, request.Digest
	job.Priority, job.MaxErrors = request.Priority, request.MaxErrors
	job.CreatedAt = time.Now().UTC()
	if n := request.TemplateVersion; n != 0 && n != job.Version {
		if in.template, err = s.pinned(ctx, job.Template, n); err != nil {
			return err
		}
		job.Version = n
	}
	var arms *bindings.Arms
	if request.Experiment.Named() {
		if job.Test, arms, err = s.deps.TestFunc(ctx, request.Experiment, *job, in.template); err != nil {
			return err
		}
	}
	if _, err := batch.NewPlanner(*job, in.template, 0, job.CreatedAt, arms); err != nil {
		return err
	}
	return s.checkWebhook(ctx, job.WebhookURL)
}

// pinned is the version of a template that a batch asks for.
func (s *Server) pinned(ctx context.Context, name string, number int64) (bindings.Template, error) {
	v, err := s.deps.Templates.Template(ctx, name, number)
	if err != nil {
		return nil, placedAt("templateVersion", err)
	}
	form, err := s.deps.CompileFunc(ctx, v.Name, v.Number)
	if err != nil {
		return nil, fmt.Errorf("read template %q version %d: %w", v.Name, v.Number, err)
	}
	return form, nil
}

func (s *Server) discard(ctx context.Context, rows *staging) {
	if !rows.any {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	if err := s.deps.Intake.DiscardRows(ctx, rows.job); err != nil {
		s.log.Warn("staged rows are left to the sweep", slog.String("job", rows.job), slog.Any("err", err))
	}
}

func (s *Server) checkWebhook(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	return s.checkTarget(ctx, address, "webhookUrl")
}

// checkTarget refuses an address that pictifyd may not call, which stands there in
// the body.
func (s *Server) checkTarget(ctx context.Context, address, at string) error {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	err := s.deps.CheckURLFunc(ctx, address)
	// A name that does not resolve now may do so when the batch has ended; the
	// delivery is tried for days.
	if known := (*problem.Error)(nil); err == nil || errors.As(err, &known) && known.Slug == egress.HostNotFound {
		return nil
	}
	p := problem.New(problem.Invalid, "pictifyd may not call %s: %w", address, err).WithSlug("webhook_refused").At(at).
		WithHint("give an address that egress: in the configuration allows")
	var known *problem.Error
	if !errors.As(err, &known) {
		p.Message = "pictifyd can't call " + address // why is the log's matter
	} else if known.Hint != "" {
		p.Hint = known.Hint
	}
	return p
}

// cutShort is the problem of a body that broke off on its way.
func cutShort(err error) error {
	var known *problem.Error
	if errors.As(err, &known) || !isReadError(err) {
		return err
	}
	return problem.New(problem.Invalid, "the body broke off, and nothing was accepted: %w", err).WithSlug(slugCutBody).
		WithHint("send it again, with the same Idempotency-Key if it had one")
}

// A bodyError is an error of reading a request's body, as opposed to one of
// what was done with it.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "read the body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

func isReadError(err error) bool {
	var b *bodyError
	return errors.As(err, &b)
}

// A markedReader marks the errors of a body.
type markedReader struct{ io.Reader }

func (m markedReader) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &bodyError{err}
	}
	return n, err
}

// staging gathers rows into chunks.
type staging struct {
	intake Intake
	job    string
	rows   []batch.Row
	bytes  int
	any    bool
}

func (st *staging) add(ctx context.Context, row batch.Row) error {
	st.rows = append(st.rows, row)
	st.bytes += len(row.Values)
	if len(st.rows) < chunkRows && st.bytes < chunkBytes {
		return nil
	}
	return st.flush(ctx)
}

func (st *staging) flush(ctx context.Context) error {
	if len(st.rows) == 0 {
		return nil
	}
	st.any = true
	if err := st.intake.StageRows(ctx, st.job, st.rows); err != nil {
		return fmt.Errorf("stage rows of job %s: %w", st.job, err)
	}
	st.rows, st.bytes = nil, 0
	return nil
}

// idempotencyKey is the caller's key, made the caller's own: no newline can
// stand in a header, so that nobody meets another's.
func idempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxIdempotencyKey {
		return "", problem.New(problem.Invalid, "the Idempotency-Key is longer than %d bytes", maxIdempotencyKey).
			WithSlug("too_long").At("Idempotency-Key")
	}
	if name := asker(r.Context()).name; key != "" && name != "" {
		key = name + "\n" + key
	}
	return key, nil
}
