package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Origins reads rows that a batch names instead of bringing them. A name that is
// not known is a problem of code NotFound; an error of row is returned as it is.
type Origins interface {
	// SourceRows hands out the rows of a source as they are stored, by key.
	SourceRows(ctx context.Context, source string, row func(batch.Row) error) error
	// BindingRows hands out the rows that a binding draws, as it maps them, by
	// key. One that it can't map has an Error.
	BindingRows(ctx context.Context, binding string, row func(batch.Row) error) error
}

const (
	slugSourceNotFound = "source_not_found"
	slugSourceRefused  = "source_refused"
	slugSourceFailed   = "source_failed"
)

// stageOrigin stages the rows that request names, and returns how many.
func (s *Server) stageOrigin(ctx context.Context, request batch.Request, rows *staging) (int64, error) {
	if request.Origin.URL != "" {
		return s.stageDocument(ctx, request, rows)
	}
	if !asker(ctx).may(BindingsRead) {
		return 0, problem.New(problem.Forbidden, "the key %q has not the scope %s", asker(ctx).name, BindingsRead).WithSlug(slugScope).
			WithHint("rows of sources and bindings are for keys that may read bindings")
	}
	var total int64
	take := func(row batch.Row) error {
		if total == batch.MaxElsewhere {
			return problem.New(problem.TooLarge, "a batch has at most %d rows", batch.MaxElsewhere).WithSlug("too_many_rows")
		}
		row.Index = total
		total++
		return rows.add(ctx, row)
	}
	field, name, read := "source", request.Origin.Source, s.sourceRows
	if name == "" {
		field, name, read = "binding", request.Origin.Binding, s.bindingRows
	}
	err := read(ctx, name, take)
	if err == nil && total == 0 {
		err = problem.New(problem.Invalid, "it has no rows").WithSlug(batch.NoRows)
	}
	return total, placedAt(field, err)
}

// placedAt gives a problem without a place that of the field.
func placedAt(field string, err error) error {
	var p *problem.Error
	if errors.As(err, &p) && p.Path == "" {
		p.Path = field
	}
	return err
}

// sourceRows are for a key that may use every template, or that of a binding of
// the source.
func (s *Server) sourceRows(ctx context.Context, name string, row func(batch.Row) error) error {
	var names []string
	seen := len(asker(ctx).templates) == 0
	for _, b := range s.deps.ConfiguredFunc() {
		names = append(names, b.Source)
		seen = seen || b.Source == name && asker(ctx).uses(b.Template)
	}
	err := error(problem.New(problem.NotFound, "there is no source %q", name).WithSlug(slugSourceNotFound))
	if seen {
		err = s.deps.Origins.SourceRows(ctx, name, row)
	}
	if p := (*problem.Error)(nil); errors.As(err, &p) && p.Slug == slugSourceNotFound {
		if near, ok := config.Nearest(name, names); ok {
			p.WithHint("did you mean %q?", near)
		}
	}
	return err
}

func (s *Server) bindingRows(ctx context.Context, name string, row func(batch.Row) error) error {
	b, ok := s.configured(name)
	if !ok || !asker(ctx).uses(b.Template) {
		return s.noBinding(name)
	}
	return s.deps.Origins.BindingRows(ctx, name, row)
}

// stageDocument stages the rows of the document at sourceUrl as it comes.
func (s *Server) stageDocument(ctx context.Context, request batch.Request, rows *staging) (int64, error) {
	address := request.Origin.URL
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, problem.New(problem.Invalid, "%q can't be requested", address).At("sourceUrl")
	}
	req.Header.Set("User-Agent", "pictifyd")
	req.Header.Set("Accept", "application/x-ndjson, text/csv, application/json;q=0.9, */*;q=0.5")
	req.Header.Set("Accept-Encoding", "gzip, zstd")
	got, err := s.deps.Client.Do(req)
	if err != nil {
		return 0, notFetched(ctx, address, err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return 0, refusedBySource(address, got.StatusCode)
	}
	format, err := documentFormat(got)
	if err != nil {
		return 0, err
	}
	body, err := unpacked(got.Body, got.Header.Get("Content-Encoding"))
	if err != nil {
		return 0, brokenDocument(address, err)
	}
	defer body.Close()
	limits := batch.Limits{Rows: batch.MaxElsewhere}
	total, err := batch.DecodeRows(body, format, request.Layout, limits, func(row batch.Row) error { return rows.add(ctx, row) })
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return total, brokenDocument(address, err)
}

// documentFormat is what the answer says that it is, else what its path ends in.
func documentFormat(got *http.Response) (batch.Format, error) {
	kind := got.Header.Get("Content-Type")
	media, _, _ := mime.ParseMediaType(kind) // what is none tells nothing
	if format := batch.FormatOf(media); format != "" {
		return format, nil
	}
	switch ext := strings.ToLower(path.Ext(got.Request.URL.Path)); ext {
	case ".csv", ".tsv", ".json", ".ndjson", ".xlsx":
		if media != "text/html" {
			return batch.Format(ext[1:]), nil
		}
	case ".jsonl":
		return batch.NDJSON, nil
	}
	return "", problem.New(problem.Invalid, "the document is of the type %q, which is not read", kind).At("sourceUrl").
		WithSlug(slugSourceFailed).WithHint("it has to be CSV, TSV, JSON, NDJSON or XLSX, by its Content-Type or the ending of its name")
}

// refusedBySource is the problem of an answer without a document.
func refusedBySource(address string, status int) error {
	code := problem.Invalid
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		code = problem.Upstream
	}
	return problem.New(code, "%s answers %d", shownAddress(address), status).At("sourceUrl").WithSlug(slugSourceFailed)
}

// notFetched is the problem of a request that brought no answer.
func notFetched(ctx context.Context, address string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *problem.Error
	if errors.As(err, &known) {
		p := problem.New(problem.Invalid, "pictifyd may not read %s: %s", shownAddress(address), known.Message).At("sourceUrl").WithSlug(slugSourceRefused)
		return p.WithHint("%s", cmp.Or(known.Hint, "give an address that egress: in the configuration allows"))
	}
	return problem.New(problem.Upstream, "%s does not answer: %w", shownAddress(address), err).At("sourceUrl").WithSlug(slugSourceFailed)
}

// brokenDocument is err as one of the document at address.
func brokenDocument(address string, err error) error {
	var known *problem.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known) && (known.Slug == slugCutBody || known.Slug == slugMalformed):
		return problem.New(problem.Upstream, "the document at %s is broken: %s", shownAddress(address), known.Message).
			At("sourceUrl").WithSlug(slugSourceFailed)
	case errors.As(err, &known):
		return placedAt("sourceUrl", err)
	case isReadError(err):
		return problem.New(problem.Upstream, "the document at %s broke off: %w", shownAddress(address), err).
			At("sourceUrl").WithSlug(slugSourceFailed)
	}
	return fmt.Errorf("stage rows of %s: %w", shownAddress(address), err)
}

// shownAddress is an address without what may be a secret in it.
func shownAddress(address string) string {
	address, _, _ = strings.Cut(address, "?")
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		host, way, _ := strings.Cut(rest, "/")
		return scheme + "://" + host[strings.LastIndex(host, "@")+1:] + "/" + way
	}
	return address
}
