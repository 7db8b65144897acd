package httppoll

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	// maxRetryAfter is the longest wait that a server may ask for.
	maxRetryAfter = time.Hour
	// maxPatience is the longest wait within a reading; a longer one ends it.
	maxPatience = time.Minute
	// tries is how often a request within a reading is sent.
	tries = 5
)

// The slugs of answers that are no rows.
const (
	Challenge = "challenge"
	NotRows   = "not_rows"
)

// between is the wait between the tries of one request.
var between = retry.Backoff{Base: time.Second, Max: 30 * time.Second}

// pause is how it is waited; tests do not.
var pause = func(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// An answer is a whole body, or the word that there is no new one.
type answer struct {
	notModified  bool
	offset, size int64 // of the body in its spill
	digest       string
	contentType  string
	validator    validator
	url          *url.URL // that answered, behind all redirects
	link         []string // the Link headers
}

// A statusError is of an answer other than success.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// statusOf is the status of the answer that err tells of, 0 if there was none.
func statusOf(err error) int {
	var s *statusError
	if errors.As(err, &s) {
		return s.status
	}
	return 0
}

// fetch sends r once, or twice where a token was not accepted any more, and
// appends the body of its answer to into.
func (s *source) fetch(ctx context.Context, r *request, last validator, into *spill) (answer, error) {
	a, err := s.attempt(ctx, r, last, into)
	if s.tokens != nil && statusOf(err) == http.StatusUnauthorized {
		a, err = s.attempt(ctx, r, last, into)
	}
	return a, err
}

func (s *source) attempt(ctx context.Context, r *request, last validator, into *spill) (answer, error) {
	begin := into.size
	a, err := s.exchange(ctx, r, last, into)
	if err != nil {
		into.cut(begin)
		if ctx.Err() != nil { // rather than the error that it caused
			return answer{}, ctx.Err()
		}
		return answer{}, fmt.Errorf("%s %s: %w", r.method, display(r.url), err)
	}
	a.offset, a.size = begin, into.size-begin
	return a, nil
}

func (s *source) exchange(ctx context.Context, r *request, last validator, into *spill) (a answer, err error) {
	token := ""
	if s.tokens != nil {
		limited, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Std())
		defer cancel()
		if token, err = s.tokens.get(limited, s.cfg.PerHost); err != nil {
			return a, err
		}
	}
	if s.rate != nil {
		if err := s.rate.Wait(ctx); err != nil {
			return a, err
		}
	}
	leave, err := allHosts.enter(ctx, r.url.Host, s.cfg.PerHost)
	if err != nil {
		return a, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Std())
	defer cancel()
	req, err := s.send(ctx, r, token, last)
	if err != nil {
		return a, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return a, transportError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && !last.isZero() {
		return answer{notModified: true}, nil
	}
	if err := s.checkStatus(resp); err != nil {
		if resp.StatusCode == http.StatusUnauthorized && token != "" {
			s.tokens.refused(token)
		}
		return a, &statusError{resp.StatusCode, err}
	}
	a = answer{
		contentType: resp.Header.Get("Content-Type"),
		validator:   validator{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")},
		url:         resp.Request.URL,
		link:        resp.Header.Values("Link"),
	}
	a.digest, err = s.receive(resp, into)
	return a, err
}

// patient is fetch with several tries, for requests in the middle of a reading:
// what came before would have to be asked for again.
func (s *source) patient(ctx context.Context, r *request, into *spill) (answer, error) {
	for n := 1; ; n++ {
		a, err := s.fetch(ctx, r, validator{}, into)
		if err == nil || ctx.Err() != nil || n == tries || !passing(err) {
			return a, err
		}
		wait := between.Next(n)
		if asked, ok := retry.Wait(err); ok {
			if asked > maxPatience {
				return a, err
			}
			wait = max(wait, asked)
		}
		if err := pause(ctx, wait); err != nil {
			return a, err
		}
	}
}

// passing reports whether another try may help against err.
func passing(err error) bool {
	if retry.IsPermanent(err) {
		return false
	}
	switch status := statusOf(err); {
	case status == http.StatusTooManyRequests, status >= 500 && status != http.StatusNotImplemented:
		return true
	case status != 0:
		return false
	}
	code := problem.CodeOf(err)
	return code == problem.Upstream || code == problem.Timeout
}

// checkStatus accepts a success that has a whole body.
func (s *source) checkStatus(resp *http.Response) error {
	// A guard against robots answers any status, and a page of its own.
	if resp.Header.Get("Cf-Mitigated") == "challenge" {
		return problem.New(problem.Unauthorized, "the answer (%s) is a challenge to a browser, not rows: the address is guarded against programs", resp.Status).
			WithSlug(Challenge).WithHint("have this machine's address or a User-Agent of your own let through there")
	}
	switch code := resp.StatusCode; {
	case code == http.StatusPartialContent:
		return problem.New(problem.Upstream, "the answer is only a part (%s)", resp.Status)
	case code >= 200 && code < 300:
		return nil
	}
	failure := problem.New(codeOf(resp.StatusCode), "the answer is %s%s", resp.Status, s.excerpt(resp))
	failure.Hint = s.remedy(resp.StatusCode)
	err := error(failure)
	if wait, ok := retryAfter(resp); ok {
		return retry.After(err, wait)
	}
	return err
}

// remedy is the next step after a refusal: "" where only time helps.
func (s *source) remedy(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		if with := s.cfg.signsIn(); with != "" {
			return "check " + with + ": wrong, out of date, or without the right to read this address"
		}
		return "nothing of this source says who asks: give it bearer, basic, api_key, oauth2 or headers"
	case http.StatusNotFound, http.StatusGone:
		return "correct url"
	}
	return ""
}

func codeOf(status int) problem.Code {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return problem.Unauthorized
	case http.StatusNotFound, http.StatusGone:
		return problem.NotFound
	}
	return problem.Upstream
}

// retryAfter is the wait that an overloaded server asks for, in either form.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), maxRetryAfter), true
	}
	return 0, false
}

// excerpt is the beginning of a body on one line, without what was sent to get it.
func (s *source) excerpt(resp *http.Response) string {
	body, done, err := unpacked(resp.Header.Get("Content-Encoding"), resp.Body)
	if err != nil {
		return ""
	}
	defer done()
	text, _ := io.ReadAll(io.LimitReader(body, 4<<10)) // what there is; the status says the rest
	if line := printable(s.secrets.Replace(string(text))); line != "" {
		return ": " + line
	}
	return ""
}
