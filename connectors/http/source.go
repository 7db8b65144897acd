package httppoll

import (
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// fullEvery is how long the server's word that nothing changed is taken: some
// give the same ETag to another body.
const fullEvery = time.Hour

// source is what the three ways of reading one share.
type source struct {
	cfg         *Config
	form        *form
	credentials map[string]string
	client      *http.Client
	tokens      *tokens       // nil without OAuth2
	rate        *rate.Limiter // nil without one
	secrets     *strings.Replacer
	rowsFunc    func(ctx context.Context, source string, row func(key string, values map[string]any) error) error
}

// polled is a source that is read again and again, in full.
type polled struct{ *source }

// timed is one that is read for a time.
type timed struct{ *source }

// asked is one that is asked for single rows.
type asked struct{ *source }

var (
	_ connectors.Poller = polled{}
	_ connectors.Timed  = timed{}
	_ connectors.Finder = asked{}
)

func newPoller(cfg *Config, env connectors.Env) (connectors.Poller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.ForEach != "" && env.Client != nil {
		return nil, problem.New(problem.Invalid, "rows of another source can only be sent on by a source in pictifyd.yaml").
			At("for_each").WithSlug("kind_refused")
	}
	s, err := newSource(cfg, env)
	if err != nil {
		return nil, err
	}
	switch {
	case s.form.reads(cfg.keyNames()...) && cfg.ForEach == "":
		return asked{s}, nil
	case s.form.reads(runName):
		return timed{s}, nil
	}
	return polled{s}, nil
}

func newSource(cfg *Config, env connectors.Env) (*source, error) {
	form, list := newForm(cfg)
	if err := list.Err(); err != nil {
		return nil, err
	}
	client := newClient(cfg.secretHeaders(), cfg.PerHost)
	if env.Client != nil {
		client.Transport = env.Client.Transport
	}
	s := &source{
		cfg: cfg, form: form, credentials: cfg.credentials(), client: client,
		secrets: cfg.redaction(), rowsFunc: env.RowsFunc,
	}
	if cfg.Rate > 0 {
		s.rate = rate.NewLimiter(rate.Limit(cfg.Rate), 1)
	}
	if cfg.OAuth2 != nil {
		var err error
		if s.tokens, err = newTokens(cfg.OAuth2, client); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// redaction takes out of a text what must not be shown of the configuration: a
// server may well quote what it was sent.
func (c *Config) redaction() *strings.Replacer {
	const short = 4 // is part of too many words
	var pairs []string
	hide := func(text string) {
		if len(text) >= short {
			pairs = append(pairs, text, "***")
		}
	}
	for _, value := range c.credentials() {
		hide(value)
	}
	for _, value := range c.Headers {
		hide(value.Reveal())
	}
	for _, value := range c.Query {
		hide(value.Reveal())
	}
	hide(c.Bearer.Reveal())
	if c.Basic != nil {
		hide(c.Basic.Password.Reveal())
	}
	if c.APIKey != nil {
		hide(c.APIKey.Value.Reveal())
	}
	if c.OAuth2 != nil {
		hide(c.OAuth2.ClientSecret.Reveal())
	}
	return strings.NewReplacer(pairs...)
}

// Close closes the connections that are kept between polls.
func (s *source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Poll implements connectors.Poller.
func (p polled) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	return p.read(ctx, time.Now(), from, emit)
}

// Poll implements connectors.Poller, as PollAt now.
func (t timed) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	return t.PollAt(ctx, time.Now(), from, emit)
}

// PollAt implements connectors.Timed. What was read for another time tells
// nothing of this one, so that it is always read.
func (t timed) PollAt(ctx context.Context, at time.Time, _ connectors.Cursor, emit connectors.Emit) error {
	return t.read(ctx, at, nil, emit)
}

// Poll implements connectors.Poller: there is no list to read.
func (a asked) Poll(context.Context, connectors.Cursor, connectors.Emit) error {
	return problem.New(problem.Unsupported, "the address has a key: rows are asked for one by one").
		WithHint("show them by a binding with live, or poll an address without {{ }}")
}

// read is one reading.
func (s *source) read(ctx context.Context, at time.Time, from connectors.Cursor, emit connectors.Emit) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := s.begin(at, from, emit)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := p.spill.Close(); err == nil {
			err = closeErr
		}
	}()
	if s.cfg.ForEach != "" {
		return p.each(ctx)
	}
	return p.one(ctx)
}
