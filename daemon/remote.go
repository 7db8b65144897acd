package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A Remote is a daemon that is reached over its API.
type Remote struct {
	URL string // as in http://127.0.0.1:8080
	Key string // "" where it needs none
}

// remoteLimit is how long one request may take.
const remoteLimit = 2 * time.Minute

// A remoteTemplate is the newest version of a template at a remote.
type remoteTemplate struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
	Digest  string `json:"digest"`
	Author  string `json:"author"`
}

// templates are those that the key may use.
func (r Remote) templates(ctx context.Context) ([]remoteTemplate, error) {
	var list struct {
		Templates []remoteTemplate `json:"templates"`
	}
	data, err := r.ask(ctx, http.MethodGet, "/templates", nil, nil)
	if err != nil {
		return nil, err
	}
	return list.Templates, r.decode(data, &list)
}

// archive is a version of a template, packed.
func (r Remote) archive(ctx context.Context, t remoteTemplate) (draft.Push, error) {
	data, err := r.ask(ctx, http.MethodGet, "/templates/"+url.PathEscape(t.Name)+"/archive.zip?version="+strconv.FormatInt(t.Version, 10), nil, nil)
	if err != nil {
		return draft.Push{}, err
	}
	p, err := draft.Unpack(data)
	if err == nil && p.Name != t.Name {
		err = problem.New(problem.Upstream, "%s sent the template %q instead of %q", r.URL, p.Name, t.Name)
	}
	return p, err
}

// put makes a packed template the newest version, after version.
func (r Remote) put(ctx context.Context, name string, version int64, archive []byte) (remoteTemplate, error) {
	header := http.Header{"Content-Type": {"application/zip"}}
	if version == 0 {
		header.Set("If-None-Match", "*")
	} else {
		header.Set("If-Match", strconv.Quote(strconv.FormatInt(version, 10)))
	}
	data, err := r.ask(ctx, http.MethodPut, "/templates/"+url.PathEscape(name), header, archive)
	if err != nil {
		return remoteTemplate{}, err
	}
	var answer struct {
		Version remoteTemplate `json:"version"`
	}
	err = r.decode(data, &answer)
	answer.Version.Name = name
	return answer.Version, err
}

func (r Remote) decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return problem.New(problem.Upstream, "%s does not answer as pictifyd does: %w", r.URL, err).
			WithHint("is it the address of a pictifyd, and of this version?")
	}
	return nil
}

// ask makes a request and returns the whole answer.
func (r Remote) ask(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.URL, "/")+path, bytes.NewReader(body))
	if err != nil || req.URL.Host == "" {
		return nil, problem.New(problem.Invalid, "%q is not the address of a pictifyd", r.URL).WithHint("write it as http://127.0.0.1:8080")
	}
	if header != nil {
		req.Header = header
	}
	if r.Key != "" {
		req.Header.Set("Authorization", "Bearer "+r.Key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, problem.New(problem.Upstream, "pictifyd does not answer: %w", err).
			WithHint("start it with pictifyd run, or name another with --server")
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, draft.MaxArchive+1))
	if err == nil && len(data) > draft.MaxArchive {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		return nil, problem.New(problem.Upstream, "read the answer of %s: %w", r.URL, err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, r.refused(res.StatusCode, data)
	}
	return data, nil
}

// refused is the problem that an answer holds.
func (r Remote) refused(status int, data []byte) error {
	code := problem.Invalid
	switch {
	case status >= http.StatusInternalServerError:
		code = problem.Upstream
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		code = problem.Conflict
	case status == http.StatusUnauthorized:
		code = problem.Unauthorized
	case status == http.StatusForbidden:
		code = problem.Forbidden
	case status == http.StatusNotFound:
		code = problem.NotFound
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
	return fmt.Errorf("%s: %w", d.Detail, all)
}
