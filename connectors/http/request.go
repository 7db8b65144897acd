package httppoll

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/expr"
)

// A request is one that can be sent, again and again.
type request struct {
	method      string
	url         *url.URL
	headers     http.Header
	body        []byte
	tree        any // in place of body: a value that is sent as JSON
	contentType string
}

// withURL is r to another address.
func (r *request) withURL(u *url.URL) *request {
	other := *r
	other.url = u
	return &other
}

// withParam is r with another value of a query parameter.
func (r *request) withParam(name, value string) *request {
	u := *r.url
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return r.withURL(&u)
}

// withField is r with another value at a place of its JSON.
func (r *request) withField(path string, value any) *request {
	other := *r
	other.tree = with(r.tree, path, value)
	return &other
}

// content is the body; nil without one.
func (r *request) content() ([]byte, error) {
	if r.tree == nil {
		return r.body, nil
	}
	return jsonOf(r.tree)
}

// A validator is what an answer said of its state.
type validator struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

func (v validator) isZero() bool { return v == validator{} }

// send makes r a request of net/http, with what says who asks.
func (s *source) send(ctx context.Context, r *request, token string, last validator) (*http.Request, error) {
	body, err := r.content()
	if err != nil {
		return nil, err
	}
	u := r.url
	if k := s.cfg.APIKey; k != nil && k.Query != "" {
		u = r.withParam(k.Query, k.Value.Reveal()).url
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), content)
	if err != nil {
		return nil, transportError(err)
	}
	set := req.Header.Set
	set("User-Agent", "pictifyd")
	set("Accept", "application/json, application/x-ndjson, text/csv;q=0.9, */*;q=0.5")
	set("Accept-Encoding", "zstd, gzip")
	if body != nil {
		set("Content-Type", r.contentType)
	}
	for name := range r.headers {
		set(name, r.headers.Get(name))
	}
	for name, value := range s.credentials {
		set(name, value)
	}
	if token != "" {
		set("Authorization", "Bearer "+token)
	}
	if last.ETag != "" {
		set("If-None-Match", last.ETag)
	}
	if last.LastModified != "" {
		set("If-Modified-Since", last.LastModified)
	}
	return req, nil
}

// secretHeaders names what no other origin may see: all that are configured.
func (c *Config) secretHeaders() []string {
	names := []string{"Authorization", "Referer"} // Referer has the query of the address before
	for name := range c.Headers {
		names = append(names, name)
	}
	for name := range c.credentials() {
		names = append(names, name)
	}
	return names
}

// env is what expressions of requests know besides their values.
func env(at time.Time) expr.Env { return expr.Env{Now: at, Zone: at.Location()} }
