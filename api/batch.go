package api

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
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
// that accepts it.
func (s *Server) acceptBatch(w http.ResponseWriter, r *http.Request) error {
	version, form, err := s.templateOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	body, err := batchBody(r)
	if err != nil {
		return err
	}
	if key != "" {
		before, found, err := s.deps.Intake.FindJob(r.Context(), key)
		if err != nil {
			return fmt.Errorf("look for the idempotency key: %w", err)
		}
		if found {
			digest := sha256.New()
			if _, err := io.Copy(digest, body); err != nil {
				return cutShort(err)
			}
			return s.answerAgain(w, before, version.Name, hex.EncodeToString(digest.Sum(nil)))
		}
	}
	job := batch.Job{ID: newID("batch_"), Template: version.Name, Version: version.Number, IdempotencyKey: key, Status: batch.Pending}
	if err := s.takeIn(r.Context(), &job, form, body); err != nil {
		if key == "" || problem.CodeOf(err) != problem.Conflict {
			return err
		}
		// The same request was here twice at once, and the other one won.
		before, found, lookErr := s.deps.Intake.FindJob(r.Context(), key)
		if lookErr != nil || !found {
			return err
		}
		return s.answerAgain(w, before, version.Name, job.BodyDigest)
	}
	return s.answerAccepted(w, job)
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

// takeIn stages the rows of body and accepts job with them. After an error
// nothing is accepted; a problem of code Conflict means that the idempotency
// key is taken.
func (s *Server) takeIn(ctx context.Context, job *batch.Job, form bindings.Template, body io.Reader) (err error) {
	rows := &staging{intake: s.deps.Intake, job: job.ID}
	committing := false
	defer func() {
		// An error of the commit itself does not say that nothing was
		// committed: then what is staged is left to the sweep.
		if err != nil && (!committing || problem.CodeOf(err) == problem.Conflict) {
			s.discard(ctx, rows)
		}
	}()
	request, err := batch.Decode(body, batch.Limits{}, func(row batch.Row) error { return rows.add(ctx, row) })
	if err != nil {
		return cutShort(err)
	}
	job.Outputs, job.RowKey, job.Metadata = request.Outputs, request.RowKey, request.Metadata
	job.WebhookEvents = request.Events
	job.WebhookURL, job.Total, job.BodyDigest = request.WebhookURL, request.Rows, request.Digest
	job.CreatedAt = time.Now().UTC()
	if _, err := batch.NewPlanner(*job, form, 0, job.CreatedAt); err != nil {
		return err
	}
	if err := s.checkWebhook(ctx, job.WebhookURL); err != nil {
		return err
	}
	if err := rows.flush(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	committing = true
	commit, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	if err := s.deps.Intake.AcceptJob(commit, *job); err != nil {
		return fmt.Errorf("accept job %s: %w", job.ID, err)
	}
	return nil
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
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	err := s.deps.CheckURLFunc(ctx, address)
	// A name that does not resolve now may do so when the batch has ended; the
	// delivery is tried for days.
	if known := (*problem.Error)(nil); err == nil || errors.As(err, &known) && known.Slug == egress.HostNotFound {
		return nil
	}
	p := problem.New(problem.Invalid, "pictifyd may not call %s: %w", address, err).WithSlug("webhook_refused").At("webhookUrl").
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

// batchBody is the JSON that r brings, unpacked.
func batchBody(r *http.Request) (io.Reader, error) {
	kind := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(kind); kind != "" && (err != nil || !isJSON(media)) {
		return nil, problem.New(problem.Unsupported, "a batch of the type %q is not read", kind).
			WithSlug("unsupported_media_type").At("Content-Type").WithHint("send JSON, with Content-Type: application/json")
	}
	body := markedReader{r.Body}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, problem.New(problem.Invalid, "the body is not gzip: %w", err).WithSlug(slugMalformed)
		}
		return markedReader{unpacked}, nil
	default:
		return nil, problem.New(problem.Unsupported, "the encoding %q is not read", encoding).
			WithSlug("unsupported_encoding").At("Content-Encoding").WithHint("send it plain or as gzip")
	}
}

func isJSON(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}
