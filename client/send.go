package client

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// sender follows no redirect: the key goes where it was meant to go.
var sender = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Send makes a request of the daemon. Its URL has a path and a query alone. The caller
// must close the answer's body, whatever its status. No answer is a problem of code
// Upstream.
func (r Remote) Send(req *http.Request) (*http.Response, error) {
	target, err := url.Parse(strings.TrimRight(r.URL, "/") + req.URL.RequestURI())
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, problem.New(problem.Invalid, "%q is not the address of a pictifyd", r.URL).WithHint("write it as http://127.0.0.1:8080")
	}
	sent := req.Clone(req.Context())
	sent.URL, sent.Host = target, ""
	if r.Key != "" {
		sent.Header.Set("Authorization", "Bearer "+r.Key)
	}
	res, err := sender.Do(sent)
	if err != nil {
		return nil, problem.New(problem.Upstream, "pictifyd does not answer: %w", err).
			WithHint("start it with pictifyd run, or name another with --server")
	}
	return res, nil
}
