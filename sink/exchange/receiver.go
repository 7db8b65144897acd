package exchange

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/sink"
)

// MaxAnswer is what is read of an answer that only its status decides, so that
// its connection can be used again.
const MaxAnswer = 64 << 10

const (
	maxHeader = 64 << 10 // of an answer
	maxIdle   = 32       // connections to one host that wait for the next request
	bodyWait  = 2 * time.Second
	shownSent = 64 << 10 // of a request's body
)

// Options are what a receiver is made of.
type Options struct {
	// Client is the only way to it; nil is the operator's own, which reaches what it likes.
	Client  *http.Client
	TLS     *tls.Config   // of the operator's own; nil is what the machine says
	Timeout time.Duration // of one request with its answer
	Slug    string        // of the problems
	Secrets []string      // cut out of what the receiver says
}

// A Receiver is where requests go to. It is safe for concurrent use.
type Receiver struct {
	client  *http.Client
	own     bool // the operator's
	tls     *tls.Config
	timeout time.Duration
	slug    string
	hide    hider
}

// New is a receiver that follows no redirects.
func New(o Options) *Receiver {
	client := http.Client{Transport: operators}
	switch {
	case o.Client != nil:
		client = *o.Client
	case o.TLS != nil:
		way := operators.Clone()
		way.TLSClientConfig = o.TLS
		client.Transport = way
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Receiver{client: &client, own: o.Client == nil, tls: o.TLS, timeout: o.Timeout, slug: o.Slug, hide: newHider(o.Secrets)}
}

// operators is the way of the operator's own sinks.
var operators = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = maxHeader
	t.MaxIdleConnsPerHost = maxIdle
	return t
}()

// Send sends req once. An error is a *problem.Error, or that of ctx where it
// ended before the receiver's time was up. Of the body, most bytes are read; where
// none of it decides, of what comes within two seconds after the status.
func (r *Receiver) Send(ctx context.Context, req *http.Request, most int64, decides bool) (Answer, error) {
	timed, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	a := Answer{receiver: r, from: Shown(req.URL), sent: r.sent(req)}
	tracing.Inject(ctx, req.Header)
	resp, err := r.client.Do(req.WithContext(timed))
	if err != nil {
		return a, r.noAnswer(ctx, timed, a.from, err)
	}
	defer resp.Body.Close()
	if !decides {
		defer time.AfterFunc(bodyWait, cancel).Stop()
	}
	a.Status, a.Header = resp.StatusCode, resp.Header
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
	a.Cut = err != nil || int64(len(a.Body)) > most
	a.Body = a.Body[:min(int64(len(a.Body)), most)]
	if decides && ctx.Err() != nil {
		return a, ctx.Err()
	}
	return a, nil
}

// sent is what a person who checks a signature has to see of req. A body that can
// be read only once is left out.
func (r *Receiver) sent(req *http.Request) *sink.Sent {
	s := &sink.Sent{Method: req.Method, URL: r.hide.in(Shown(req.URL)), Header: map[string]string{}}
	for name := range req.Header {
		s.Header[name] = "***"
		if ours(name) {
			s.Header[name] = req.Header.Get(name)
		}
	}
	if req.GetBody == nil || req.ContentLength > shownSent {
		return s
	}
	if body, err := req.GetBody(); err == nil {
		text, _ := io.ReadAll(io.LimitReader(body, shownSent))
		body.Close()
		s.Body = r.hide.in(string(text))
	}
	return s
}

// ours reports whether a header is one that pictifyd writes and no secret.
func ours(name string) bool {
	switch name {
	case "Content-Type", "User-Agent", "Idempotency-Key":
		return true
	}
	return strings.HasPrefix(name, "Webhook-") || strings.HasPrefix(name, "X-Pictify-")
}

// noAnswer is the failure of a request that ended without a status. A refusal by
// a guarded client keeps its mark.
func (r *Receiver) noAnswer(ctx, timed context.Context, from string, err error) error {
	var wrapped *url.Error
	errors.As(err, &wrapped) // all that a client returns
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case timed.Err() != nil:
		return problem.New(problem.Timeout, "no answer within %s from %s", r.timeout, from).WithSlug(r.slug)
	case wrapped != nil && wrapped.Timeout(): // the client's own limits
		return problem.New(problem.Timeout, "no answer in time from %s", from).WithSlug(r.slug)
	case wrapped != nil:
		err = wrapped.Err // without the address and its query
	}
	failure := problem.New(problem.Upstream, "%w, from %s", err, from).WithSlug(r.slug)
	var cause *problem.Error
	if errors.As(err, &cause) {
		failure.Code, failure.Hint = cause.Code, cause.Hint
		failure.Message = cause.Message + ", from " + from
	}
	failure.Message = r.hide.in(failure.Message) // what is no HTTP is quoted, and may repeat the request
	return failure
}

// Close lets go of the connections that rest. The way that all of the operator's
// sinks share stays, and so does that of callers.
func (r *Receiver) Close() error {
	if r.tls != nil && r.own {
		r.client.CloseIdleConnections()
	}
	return nil
}

// secretName is how tokens are called in a query; others are told by their length,
// so that words which an answer needs to be understood stay in it.
var secretName = regexp.MustCompile(`(?i)key|token|secret|sig|pass|auth|code|cred`)

const longValue = 20

// SecretsIn are what of an address belongs to nobody else: tokens of its query, and
// a password as it is sent.
func SecretsIn(u *url.URL) (secrets []string) {
	if u == nil {
		return nil
	}
	for name, values := range u.Query() {
		for _, value := range values {
			if secretName.MatchString(name) || len(value) >= longValue {
				secrets = append(secrets, value)
			}
		}
	}
	if password, given := u.User.Password(); given {
		secrets = append(secrets, password, base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	return secrets
}

// Shown is an address without its query, where tokens like to be.
func Shown(u *url.URL) string {
	short := *u
	short.RawQuery, short.Fragment, short.RawFragment = "", "", ""
	return short.Redacted()
}
