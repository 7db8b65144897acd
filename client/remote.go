package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A Remote is a daemon that is reached over its API.
type Remote struct {
	URL string // as in http://127.0.0.1:8080
	Key string // "" where it needs none
}

const (
	askLimit    = 2 * time.Minute // for one question and its answer
	refusalSize = 1 << 20
)

// Do makes a request. The caller must close the answer's body. An answer of 300
// or more is the problem that it holds; one that may be asked again later says
// when (retry.Wait). No answer is a problem of code Upstream.
func (r Remote) Do(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.URL, "/")+path, body)
	if err != nil || req.URL.Host == "" {
		return nil, problem.New(problem.Invalid, "%q is not the address of a pictifyd", r.URL).WithHint("write it as http://127.0.0.1:8080")
	}
	if header != nil {
		req.Header = header.Clone()
	}
	if r.Key != "" {
		req.Header.Set("Authorization", "Bearer "+r.Key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, problem.New(problem.Upstream, "pictifyd does not answer: %w", err).
			WithHint("start it with pictifyd run, or name another with --server")
	}
	if res.StatusCode < http.StatusMultipleChoices {
		return res, nil
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, refusalSize))
	if err != nil {
		return nil, r.cut(err)
	}
	err = r.refused(res.StatusCode, data)
	if wait, bad := strconv.Atoi(res.Header.Get("Retry-After")); bad == nil {
		err = retry.After(err, time.Duration(wait)*time.Second)
	}
	return nil, err
}

// Ask makes a request and returns the whole answer, of at most limit bytes.
func (r Remote) Ask(ctx context.Context, method, path string, header http.Header, body []byte, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	res, err := r.Do(ctx, method, path, header, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		return nil, r.cut(err)
	}
	return data, nil
}

func (r Remote) cut(err error) error {
	return problem.New(problem.Upstream, "read the answer of %s: %w", r.URL, err)
}

// Decode reads the JSON of an answer.
func (r Remote) Decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return problem.New(problem.Upstream, "%s does not answer as pictifyd does: %w", r.URL, err).
			WithHint("is it the address of a pictifyd, and of this version?")
	}
	return nil
}

// codes are those of the statuses that a caller tells apart.
var codes = map[int]problem.Code{
	http.StatusConflict: problem.Conflict, http.StatusPreconditionFailed: problem.Conflict,
	http.StatusUnauthorized: problem.Unauthorized, http.StatusForbidden: problem.Forbidden, http.StatusNotFound: problem.NotFound,
	http.StatusRequestEntityTooLarge: problem.TooLarge, http.StatusUnsupportedMediaType: problem.Unsupported,
	http.StatusTooManyRequests: problem.Overloaded, http.StatusServiceUnavailable: problem.Overloaded, http.StatusInsufficientStorage: problem.Overloaded,
}

// refused is the problem that an answer holds.
func (r Remote) refused(status int, data []byte) error {
	code, known := codes[status]
	switch {
	case known:
	case status >= http.StatusInternalServerError:
		code = problem.Upstream
	default:
		code = problem.Invalid
	}
	var d struct {
		Detail, Hint, Code string
		Errors             []struct {
			Field, Message string
			Line, Column   int
		}
	}
	if json.Unmarshal(data, &d) != nil || d.Detail == "" {
		return problem.New(code, "%s answers %d", r.URL, status).WithHint("is it the address of a pictifyd?")
	}
	if len(d.Errors) == 0 {
		p := problem.New(code, "%s", d.Detail).WithSlug(d.Code)
		p.Hint = d.Hint
		return p
	}
	var all problem.List
	for _, e := range d.Errors {
		all = append(all, problem.New(code, "%s", e.Message).WithSlug(d.Code).At(e.Field).In(problem.Position{Line: e.Line, Column: e.Column}))
	}
	all[len(all)-1].Hint = d.Hint // of the answer as a whole: where it stands last, it is read last
	return fmt.Errorf("%s: %w", d.Detail, all)
}
