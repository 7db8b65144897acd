package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/message"
)

// The slugs of this package's problems.
const (
	EndpointGone    = "endpoint_gone"
	RedirectRefused = "redirect_refused"
	DeliveryFailed  = "webhook_delivery_failed"
)

const (
	maxAnswer    = 64 << 10       // read of an answer, so that its connection can be used again
	quotedAnswer = 200            // of it in an error
	maxWait      = 24 * time.Hour // whatever Retry-After says
)

// endpoint is one receiver.
type endpoint struct {
	url        string
	shown      string // the address without query, where tokens like to be
	secrets    []string
	headers    map[string]config.Secret
	timeout    time.Duration
	includeRow bool
	client     *http.Client
}

// New is a sink for an address that a caller gave, as that of a batch, to be
// reached through client. Each secret signs.
func New(url string, secrets []string, client *http.Client) sink.Sink {
	e := newEndpoint(Config{URL: url, Timeout: config.Duration(defaultTimeout)}, client)
	e.secrets = secrets
	return e
}

func newEndpoint(c Config, client *http.Client) *endpoint {
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e := &endpoint{
		url:        c.URL,
		shown:      withoutQuery(c.URL),
		headers:    c.Headers,
		timeout:    c.Timeout.Std(),
		includeRow: c.IncludeRow,
		client:     &direct,
	}
	for _, s := range []config.Secret{c.Secret, c.PreviousSecret} {
		if !s.IsZero() {
			e.secrets = append(e.secrets, s.Reveal())
		}
	}
	return e
}

func withoutQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the endpoint"
	}
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	return u.Redacted()
}

// Deliver posts d once.
func (e *endpoint) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	body, err := message.Encode(d, e.includeRow)
	if err != nil {
		return sink.Receipt{}, retry.Permanent(fmt.Errorf("encode delivery %q: %w", d.ID, err))
	}
	timed, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	req, err := e.request(timed, d, body)
	if err != nil {
		return sink.Receipt{}, retry.Permanent(err)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return sink.Receipt{}, e.noAnswer(ctx, timed, err)
	}
	defer resp.Body.Close()
	// What an endpoint says after its status changes nothing, also if it is cut.
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return receipt(resp, answer), e.judge(resp, answer)
}

// shownHeaders are those of an answer that help to find out why.
var shownHeaders = []string{"Content-Type", "Retry-After", "Location", "X-Request-Id", "Cf-Ray"}

const shownBody = 1 << 10

func receipt(resp *http.Response, answer []byte) sink.Receipt {
	r := sink.Receipt{Status: resp.StatusCode, Body: strings.ToValidUTF8(string(answer[:min(len(answer), shownBody)]), "\uFFFD")}
	for _, name := range shownHeaders {
		if value := resp.Header.Get(name); value != "" {
			if r.Header == nil {
				r.Header = map[string]string{}
			}
			r.Header[name] = value
		}
	}
	return r
}

func (e *endpoint) request(ctx context.Context, d sink.Delivery, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, problem.New(problem.Invalid, "%s cannot be requested", e.shown).WithSlug(DeliveryFailed)
	}
	req.Header.Set("User-Agent", "pictifyd")
	for name, value := range e.headers {
		req.Header.Set(name, value.Reveal())
	}
	req.Header.Set("Content-Type", "application/json")
	// With it the client sends again what a dying idle connection has swallowed.
	req.Header.Set("Idempotency-Key", d.ID)
	m := signing.Message{ID: d.ID, Event: d.Event, Sent: time.Now(), Body: body}
	if err := m.Sign(req.Header, e.secrets...); err != nil {
		return nil, problem.New(problem.Invalid, "sign delivery: %w", err).WithSlug(DeliveryFailed)
	}
	return req, nil
}

// noAnswer is the failure of a request that ended without a status. A refusal by
// a guarded client keeps its mark.
func (e *endpoint) noAnswer(ctx, timed context.Context, err error) error {
	var wrapped *url.Error
	errors.As(err, &wrapped) // all that a client returns
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case timed.Err() != nil:
		return problem.New(problem.Timeout, "no answer within %s from %s", e.timeout, e.shown).WithSlug(DeliveryFailed)
	case wrapped != nil && wrapped.Timeout(): // the client's own limits
		return problem.New(problem.Timeout, "no answer in time from %s", e.shown).WithSlug(DeliveryFailed)
	case wrapped != nil:
		err = wrapped.Err // without the address and its query
	}
	failure := problem.New(problem.Upstream, "%w, from %s", err, e.shown).WithSlug(DeliveryFailed)
	var cause *problem.Error
	if errors.As(err, &cause) {
		failure.Code, failure.Hint = cause.Code, cause.Hint
		failure.Message = cause.Message + ", from " + e.shown
	}
	return failure
}

func (e *endpoint) judge(resp *http.Response, answer []byte) error {
	status := resp.StatusCode
	switch {
	case status >= 200 && status <= 299:
		return nil
	case status == http.StatusGone:
		return sink.Gone(problem.New(problem.Upstream, "410 from %s: the endpoint is gone", e.shown).
			WithSlug(EndpointGone).WithHint("give the sink another address, and resume it"))
	case status >= 300 && status <= 399:
		return retry.Permanent(problem.New(problem.Upstream, "%d from %s: redirects are not followed", status, e.shown).
			WithSlug(RedirectRefused).WithHint("give the address that it redirects to"))
	}
	err := problem.New(problem.Upstream, "%d from %s%s", status, e.shown, quote(answer)).WithSlug(DeliveryFailed)
	if wait := retryAfter(resp.Header.Get("Retry-After"), time.Now()); wait > 0 {
		return retry.After(err, wait)
	}
	return err
}

func quote(answer []byte) string {
	answer = bytes.TrimSpace(answer)
	if len(answer) == 0 {
		return ""
	}
	return fmt.Sprintf(": %q", answer[:min(len(answer), quotedAnswer)])
}

// retryAfter reads both forms of the header: seconds, and a date. Zero means
// that it says nothing usable.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return 0
}
