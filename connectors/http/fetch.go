package httppoll

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// maxRetryAfter is the longest wait that a server may ask for.
const maxRetryAfter = time.Hour

// An answer is a whole body, or the word that there is no new one.
type answer struct {
	notModified  bool
	body         []byte
	contentType  string
	etag         string
	lastModified string
}

func (s *source) fetch(ctx context.Context, last state) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Std())
	defer cancel()
	req, err := s.request(limited, last)
	if err != nil {
		return answer{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, stopped(ctx, transportError(err))
	}
	defer resp.Body.Close()
	conditional := last.ETag != "" || last.LastModified != ""
	if resp.StatusCode == http.StatusNotModified && conditional {
		return answer{notModified: true}, nil
	}
	if err := checkStatus(resp); err != nil {
		return answer{}, err
	}
	body, err := s.body(resp)
	if err != nil {
		return answer{}, stopped(ctx, err)
	}
	return answer{
		body:         body,
		contentType:  resp.Header.Get("Content-Type"),
		etag:         resp.Header.Get("ETag"),
		lastModified: resp.Header.Get("Last-Modified"),
	}, nil
}

// stopped prefers the end of ctx to the error that it caused.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *source) request(ctx context.Context, last state) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, s.cfg.Method, s.cfg.URL, nil)
	if err != nil {
		return nil, transportError(err)
	}
	req.Header.Set("User-Agent", "pictifyd")
	req.Header.Set("Accept", "application/json, application/x-ndjson, text/csv;q=0.9, */*;q=0.5")
	for name, value := range s.headers {
		req.Header.Set(name, value)
	}
	if last.ETag != "" {
		req.Header.Set("If-None-Match", last.ETag)
	}
	if last.LastModified != "" {
		req.Header.Set("If-Modified-Since", last.LastModified)
	}
	return req, nil
}

// body reads the whole answer. net/http unpacks gzip, and reports an answer
// that is shorter than was announced.
func (s *source) body(resp *http.Response) ([]byte, error) {
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, problem.New(problem.Unsupported, "the answer is packed as %q, which was not asked for", encoding)
	}
	body, err := poll.ReadAll(resp.Body, resp.ContentLength, s.cfg.MaxSize)
	var known *problem.Error
	switch {
	case errors.As(err, &known):
		return nil, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, problem.New(problem.Upstream, "the answer was cut short: %w", err)
	case err != nil:
		return nil, transportError(err)
	case len(body) == 0:
		return nil, problem.New(problem.Upstream, "the answer is empty").
			WithHint("a source without rows answers [] or the header of its table")
	}
	return body, nil
}

// checkStatus accepts a success that has a whole body.
func checkStatus(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusPartialContent:
		return problem.New(problem.Upstream, "the answer is only a part (%s)", resp.Status)
	case code >= 200 && code < 300:
		return nil
	}
	err := error(problem.New(codeOf(resp.StatusCode), "the answer is %s%s", resp.Status, excerpt(resp.Body)))
	if wait, ok := retryAfter(resp); ok {
		return retry.After(err, wait)
	}
	return err
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

// excerpt is the beginning of a body on one line.
func excerpt(body io.Reader) string {
	const most = 200
	text, _ := io.ReadAll(io.LimitReader(body, most)) // what there is; the status says the rest
	line := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(string(text), ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if line == "" {
		return ""
	}
	return fmt.Sprintf(": %s", line)
}
