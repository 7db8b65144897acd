package webhook

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/exchange"
	"github.com/pictifyd/pictifyd/sink/message"
)

// The slugs of this package's problems.
const (
	EndpointGone    = "endpoint_gone"
	RedirectRefused = "redirect_refused"
	DeliveryFailed  = "webhook_delivery_failed"
)

// endpoint is one receiver.
type endpoint struct {
	url        *url.URL // nil: it is no address
	secrets    []string
	headers    map[string]config.Secret
	includeRow bool
	maxBody    int64
	receiver   *exchange.Receiver
}

// New is a sink for an address that a caller gave, as that of a batch, to be
// reached through client. Each secret signs.
func New(url string, secrets []string, client *http.Client) sink.Sink {
	c := Kind.Config().(*Config)
	c.URL = url
	e, _ := newEndpoint(*c, client) // only TLS of one's own can be wrong
	e.secrets = secrets
	return e
}

func newEndpoint(c Config, client *http.Client) (*endpoint, error) {
	trusted, err := c.TLS.Client()
	if err != nil {
		return nil, err
	}
	e := &endpoint{headers: c.Headers, includeRow: c.IncludeRow, maxBody: int64(c.MaxBody), secrets: c.secrets()}
	e.url, _ = url.Parse(c.URL)
	hidden := append(slices.Clone(e.secrets), exchange.SecretsIn(e.url)...)
	for _, value := range c.Headers {
		hidden = append(hidden, value.Reveal())
	}
	e.receiver = exchange.New(exchange.Options{Client: client, TLS: trusted, Timeout: c.Timeout.Std(), Slug: DeliveryFailed, Secrets: hidden})
	return e, nil
}

// Deliver posts d once.
func (e *endpoint) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	body, err := message.Encode(d, e.includeRow, e.maxBody)
	if err != nil {
		return sink.Receipt{}, retry.Permanent(fmt.Errorf("encode delivery %q: %w", d.ID, err))
	}
	req, err := e.request(ctx, d, body)
	if err != nil {
		return sink.Receipt{}, retry.Permanent(err)
	}
	// What an endpoint says after its status changes nothing, also if it is cut.
	answer, err := e.receiver.Send(ctx, req, exchange.MaxAnswer, false)
	if err != nil {
		return answer.Receipt(), err
	}
	return answer.Receipt(), judge(answer)
}

// Test posts d: a receiver knows tests by their id.
func (e *endpoint) Test(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	return e.Deliver(ctx, d)
}

// Close implements io.Closer.
func (e *endpoint) Close() error { return e.receiver.Close() }

// Probe connects to the endpoint.
func (e *endpoint) Probe(ctx context.Context) error {
	if e.url == nil {
		return problem.New(problem.Invalid, "the endpoint has no address")
	}
	return e.receiver.Probe(ctx, e.url)
}

func (e *endpoint) request(ctx context.Context, d sink.Delivery, body []byte) (*http.Request, error) {
	if e.url == nil {
		return nil, problem.New(problem.Invalid, "the endpoint cannot be requested: its address is none").WithSlug(DeliveryFailed)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, problem.New(problem.Invalid, "%s cannot be requested", exchange.Shown(e.url)).WithSlug(DeliveryFailed)
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

func judge(a exchange.Answer) error {
	switch {
	case a.Status >= 200 && a.Status <= 299:
		return nil
	case a.Status == http.StatusGone:
		return sink.Gone(problem.New(problem.Upstream, "410 from %s: the endpoint is gone", a.From()).
			WithSlug(EndpointGone).WithHint("give the sink another address, and resume it"))
	case a.Status >= 300 && a.Status <= 399:
		return retry.Permanent(problem.New(problem.Upstream, "%d from %s: redirects are not followed", a.Status, a.From()).
			WithSlug(RedirectRefused).WithHint("give the address that it redirects to"))
	}
	return a.Refusal()
}
