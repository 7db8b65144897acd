package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// Slugs that the api itself raises.
const (
	slugNoRoute         = "route_not_found"
	slugMethod          = "method_not_allowed"
	slugHost            = "host_refused"
	slugOrigin          = "origin_refused"
	slugNoKey           = "missing_authorization"
	slugBadKey          = "invalid_api_key"
	slugScope           = "scope_missing"
	slugNotReady        = "not_ready"
	slugImageNotFound   = "image_not_found"
	slugImageRemoved    = "image_removed"
	slugImageFailed     = "image_failed"
	slugBindingNotFound = "binding_not_found"
	slugJobNotFound     = "job_not_found"
	slugIdempotency     = "idempotency_conflict"
	slugCutBody         = "body_cut_short"
	slugMalformed       = "malformed_body"
	slugGuardMoved      = "guard_moved"
	slugNoIfMatch       = "if_match_missing"
	slugBadIfMatch      = "bad_if_match"
	slugBadName         = "bad_name"
	slugJobExpired      = "job_expired"
	slugJobDeleted      = "job_deleted"
	slugRowNotFound     = "row_not_found"
	slugDiskLow         = "disk_low"
)

// A document is the RFC 9457 form of a problem.
type document struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Instance  string       `json:"instance"`
	Code      string       `json:"code"`
	Hint      string       `json:"hint,omitempty"`
	RequestID string       `json:"requestId"`
	Retryable bool         `json:"retryable"`
	Errors    []fieldError `json:"errors,omitempty"`

	Conflicts []conflictView `json:"conflicts,omitempty"` // what somebody else changed as well
	Texts     *textsView     `json:"texts,omitempty"`     // what stands in the way of a document, and the document

	CurrentStatus      experiment.Status `json:"currentStatus,omitempty"`      // of an experiment that does not take a move
	AllowedTransitions []string          `json:"allowedTransitions,omitempty"` // the moves that it takes
}

// A fieldError is one problem of several, at its place in the request or in the
// text that came with it.
type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
	Code    string `json:"code"`
	Hint    string `json:"hint,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`

	EndLine   int `json:"endLine,omitempty"`
	EndColumn int `json:"endColumn,omitempty"`

	// Of an expression in a document: whose it is, and where in it.
	Node       string `json:"node,omitempty"`  // the address of the element
	Place      string `json:"place,omitempty"` // what of it the expression decides
	Expression string `json:"expression,omitempty"`
	From       int    `json:"from,omitempty"` // in UTF-16 units
	To         int    `json:"to,omitempty"`
}

func fieldErrorOf(e *problem.Error) fieldError {
	f := fieldError{
		Field: e.Path, Message: e.Message, Code: e.Kind(), Line: e.Pos.Line, Column: e.Pos.Column,
		EndLine: e.Pos.EndLine, EndColumn: e.Pos.EndColumn,
	}
	if e.Pos.Line > 0 { // several places of one text need one each
		f.Hint = e.Hint
	}
	if m, ok := template.MisplacedOf(e); ok {
		f.Node, f.Place, f.Expression, f.From, f.To = m.Node, m.Place, m.Expression, m.From, m.To
	}
	return f
}

// statuses is the only place where a code becomes an HTTP status.
var statuses = map[problem.Code]int{
	problem.Invalid:      http.StatusUnprocessableEntity,
	problem.NotFound:     http.StatusNotFound,
	problem.Conflict:     http.StatusConflict,
	problem.Unauthorized: http.StatusUnauthorized,
	problem.Forbidden:    http.StatusForbidden,
	problem.TooLarge:     http.StatusRequestEntityTooLarge,
	problem.Overloaded:   http.StatusServiceUnavailable,
	problem.Upstream:     http.StatusBadGateway,
	problem.Unsupported:  http.StatusUnsupportedMediaType,
	problem.Timeout:      http.StatusGatewayTimeout,
	problem.Surroundings: http.StatusServiceUnavailable,
	problem.Internal:     http.StatusInternalServerError,
}

// slugStatuses are the slugs for which HTTP has a finer word than their code.
var slugStatuses = map[string]int{
	slugMethod:       http.StatusMethodNotAllowed,
	SlugNoStream:     http.StatusUnprocessableEntity,
	SlugNoReplay:     http.StatusUnprocessableEntity,
	slugImageRemoved: http.StatusGone,
	slugJobExpired:   http.StatusGone,
	slugJobDeleted:   http.StatusGone,
	slugDiskLow:      http.StatusInsufficientStorage,
	slugCutBody:      http.StatusBadRequest,
	slugMalformed:    http.StatusBadRequest,
	slugBadIfMatch:   http.StatusBadRequest,
	draft.BadArchive: http.StatusBadRequest,
	slugNoIfMatch:    http.StatusPreconditionRequired,
	slugRenderRate:   http.StatusTooManyRequests,
	slugRate:         http.StatusTooManyRequests,
	slugGuesses:      http.StatusTooManyRequests,

	apikey.QuotaExceeded: http.StatusTooManyRequests,
	apikey.QuotaTooSmall: http.StatusPaymentRequired,

	draft.StaleRevision: http.StatusPreconditionFailed,
	draft.RevisionGone:  http.StatusPreconditionFailed,
	SlugExperimentMoved: http.StatusPreconditionFailed,
}

func statusOf(e *problem.Error) int {
	if status, ok := slugStatuses[e.Slug]; ok {
		return status
	}
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// refuse answers with err as a problem. What is not a problem is ours: the
// outside learns the request's id, the log the rest.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	list := problem.All(err)
	first := list[0]
	status := statusOf(first)
	if status >= http.StatusInternalServerError && !quietly(first) && r.Context().Err() == nil {
		s.log.Error("request failed", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.String("request", requestID(r)), slog.Any("err", err))
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Location"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", cachingOf(err))
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="pictifyd"`)
	}
	if wait := retryAfter(err, status); wait > 0 && h.Get("Retry-After") == "" {
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	w.WriteHeader(status)
	d := documentOf(list, status, r)
	d.Conflicts, d.Texts = conflictsOf(err), textsOf(err)
	if t := (*experiment.TransitionError)(nil); errors.As(err, &t) {
		d.CurrentStatus = t.Status
		for _, a := range t.Allowed {
			d.AllowedTransitions = append(d.AllowedTransitions, string(a))
		}
	}
	_ = json.NewEncoder(w).Encode(d) // a client that has gone reads nothing
}

// quietly reports whether a problem is no fault of the request's or is logged
// where it happens: what is refused for there being too much, and what a source
// did not give, come in floods.
func quietly(e *problem.Error) bool {
	return e.Code == problem.Overloaded || e.Slug == slugRowFailed || e.Slug == slugRowLate
}

func documentOf(list problem.List, status int, r *http.Request) document {
	first := list[0]
	d := document{
		Type: "/errors/" + first.Kind(), Title: title(first.Kind()), Status: status,
		Detail: first.Message, Hint: first.Hint, Instance: r.URL.EscapedPath(), Code: first.Kind(),
		RequestID: requestID(r), Retryable: retryable(first, status),
	}
	if first.Code == problem.Internal {
		d.Detail = "something went wrong inside pictifyd"
		d.Hint = "look for this requestId in pictifyd's log"
		return d
	}
	for _, e := range list {
		if e.Path != "" || e.Pos.Line > 0 {
			d.Errors = append(d.Errors, fieldErrorOf(e))
		}
	}
	if len(list) > 1 {
		d.Detail = strconv.Itoa(len(list)) + " problems: " + first.Message
	}
	return d
}

// retryable says whether the same request may succeed later.
func retryable(e *problem.Error, status int) bool {
	return status >= http.StatusInternalServerError || e.Slug == slugNotReady || e.Slug == slugNotEnded || e.Slug == slugCutBody ||
		e.Slug == slugRate || e.Slug == slugGuesses || e.Slug == slugRenderRate || e.Slug == apikey.QuotaExceeded
}

func retryAfter(err error, status int) time.Duration {
	if wait, ok := retry.Wait(err); ok {
		return wait
	}
	if status == http.StatusServiceUnavailable {
		return 5 * time.Second
	}
	return 0
}

// title makes "Idempotency conflict" of "idempotency_conflict".
func title(slug string) string {
	words := []rune(strings.ReplaceAll(slug, "_", " "))
	if len(words) > 0 {
		words[0] = unicode.ToUpper(words[0])
	}
	return string(words)
}
