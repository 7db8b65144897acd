package httppoll

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

// fullEvery is how long the server's word that nothing changed is taken: some
// give the same ETag to another body.
const fullEvery = time.Hour

// state is what the cursor holds.
type state struct {
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	Digest       string    `json:"digest"`
	Full         time.Time `json:"full"` // when the body was read last
}

type source struct {
	cfg     *Config
	url     *url.URL
	headers map[string]string
	binding poll.Binding
	client  *http.Client
}

var _ connectors.Poller = (*source)(nil)

func newSource(cfg *Config, env connectors.Env) (*source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	headers := cfg.revealed()
	binding, err := poll.Bind(cfg.bound(headers)...)
	if err != nil {
		return nil, err
	}
	client := newClient(slices.Collect(maps.Keys(headers)))
	if env.Client != nil {
		client.Transport = env.Client.Transport
	}
	return &source{cfg: cfg, url: u, headers: headers, binding: binding, client: client}, nil
}

// Close closes the connection that is kept between polls.
func (s *source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Poll implements connectors.Poller.
func (s *source) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	var last state
	known := s.binding.Open(from, &last)
	if !known || time.Since(last.Full) > fullEvery {
		last.ETag, last.LastModified = "", ""
	}
	a, err := s.fetch(ctx, last)
	if err != nil {
		return s.name(err)
	}
	if a.notModified {
		return poll.Unchanged(ctx, emit, nil)
	}
	next := state{ETag: a.etag, LastModified: a.lastModified, Digest: poll.Digest(a.body), Full: time.Now()}
	cursor, err := s.binding.Seal(next)
	if err != nil {
		return err
	}
	if known && next.Digest == last.Digest {
		return poll.Unchanged(ctx, emit, cursor)
	}
	if s.cfg.One != "" {
		return s.readOne(ctx, a, cursor, emit)
	}
	return s.read(ctx, a, cursor, emit)
}

// bound is what a cursor hangs on. One is in it only where it is set, so that the
// cursors of before stay good.
func (c *Config) bound(headers map[string]string) []any {
	parts := []any{c.URL, c.Method, headers, c.Layout, c.Key}
	if c.One != "" {
		parts = append(parts, c.One)
	}
	return parts
}

func (s *source) read(ctx context.Context, a answer, cursor connectors.Cursor, emit connectors.Emit) error {
	format, err := formatOf(s.cfg.Layout, a)
	if err != nil {
		return s.name(err)
	}
	decoder, err := s.cfg.Decoder(format, bytes.NewReader(a.body), s.cfg.Key)
	if err != nil {
		return s.name(err)
	}
	reading := poll.NewReading(s.cfg.Key, emit)
	if err := reading.Copy(ctx, decoder); err != nil {
		return s.name(err)
	}
	return reading.Close(ctx, connectors.Closing{Complete: true, Cursor: cursor})
}

func (s *source) name(err error) error {
	return fmt.Errorf("%s %s: %w", s.cfg.Method, display(s.url), err)
}
