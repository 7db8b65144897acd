package sheets

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxAnswer is the size up to which an answer is read, unpacked.
const maxAnswer = 64 << 20

// A transport sends requests with the source's credentials, which so stand in no
// address, and bounds the answers.
type transport struct {
	base   http.RoundTripper
	apiKey string
	tokens *tokens // nil for none
}

// RoundTrip implements http.RoundTripper. A request whose token is refused is
// sent once more with a new one.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	token := ""
	for try := 1; ; try++ {
		out := req.Clone(req.Context())
		if req.GetBody != nil && try > 1 {
			var err error
			if out.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		if t.apiKey != "" {
			out.Header.Set("X-Goog-Api-Key", t.apiKey)
		}
		if t.tokens != nil {
			var err error
			if token, err = t.tokens.get(req.Context(), token); err != nil {
				return nil, err
			}
			out.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := t.base.RoundTrip(out)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusUnauthorized && t.tokens != nil && try == 1 && (req.Body == nil || req.GetBody != nil) {
			_ = resp.Body.Close()
			continue
		}
		resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer}
		return resp, nil
	}
}

type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, problem.New(problem.TooLarge, "an answer is larger than %d MB", maxAnswer>>20).WithSlug("large_answer").
			WithHint("name fewer columns in range")
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// newTransport is the way out of the operator's own sources. It honours no proxy of
// the environment.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           2,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
}

// noRedirects keeps credentials where they belong: the API has no redirects.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transportError says why there was no answer, without the address.
func transportError(err error) error {
	var known *problem.Error
	if errors.As(err, &known) {
		return known
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return problem.New(problem.Timeout, "no whole answer in time: %w", err).WithHint("raise timeout, or name fewer columns in range")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return problem.New(problem.Upstream, "the answer was cut short: %w", err)
	}
	return problem.New(problem.Upstream, "no answer: %w", err)
}
