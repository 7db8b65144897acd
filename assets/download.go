package assets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// FetchFailed is the slug of everything that can be wrong with a remote asset.
const FetchFailed = "asset_fetch_failed"

// maxAddress is the longest address that is taken; rows bring worse.
const maxAddress = 8 << 10

// An address is where an asset is, without fragment.
type address struct {
	*url.URL
}

func parseAddress(raw string) (*address, error) {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	switch {
	case len(raw) > maxAddress:
		return nil, permanent(problem.Invalid, "address of %d bytes is too long", len(raw))
	case raw == "":
		return nil, permanent(problem.Invalid, "address is empty")
	case err != nil:
		return nil, permanent(problem.Invalid, "%q is not a URL", shorten(raw))
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, permanent(problem.Invalid, "%q is not an http or https address", shorten(u.Redacted()))
	case u.User != nil:
		return nil, permanent(problem.Invalid, "%q carries credentials", shorten(u.Redacted()))
	}
	u.Fragment, u.RawFragment = "", ""
	return &address{u}, nil
}

// shown is the address as it stands in messages.
func (a *address) shown() string { return shorten(a.Redacted()) }

func shorten(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func permanent(code problem.Code, format string, args ...any) error {
	return retry.Permanent(problem.New(code, format, args...).WithSlug(FetchFailed))
}

// limitRedirects is client with at most so many redirects, on top of what it
// refuses itself.
func limitRedirects(client *http.Client, most int) *http.Client {
	limited := *client
	limited.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > most {
			return permanent(problem.Upstream, "more than %d redirects", max(most, 0))
		}
		// What one address calls its bytes says nothing about another's.
		req.Header.Del("If-None-Match")
		req.Header.Del("If-Modified-Since")
		if client.CheckRedirect != nil {
			return client.CheckRedirect(req, via)
		}
		return nil
	}
	return &limited
}

// An answer is what a server sent for an address.
type answer struct {
	same           bool // it has the bytes that were known; the rest is empty
	data           []byte
	contentType    string // of the bytes themselves
	etag, modified string
}

// download is the checked bytes of u, unless they are those of known.
func (l *Library) download(ctx context.Context, u *address, known Pin) (answer, error) {
	timed, cancel := context.WithTimeout(ctx, l.limits.Time)
	defer cancel()
	got, err := l.get(timed, u, known)
	switch {
	case err != nil && ctx.Err() != nil:
		return answer{}, ctx.Err()
	case err != nil && timed.Err() != nil:
		return answer{}, problem.New(problem.Timeout, "no complete answer within %s from %s", l.limits.Time, u.shown()).WithSlug(FetchFailed)
	case err != nil || got.same:
		return got, err
	}
	contentType, invalid := inspect(got.data, got.contentType, l.limits.Pixels)
	if invalid != nil {
		return answer{}, permanent(invalid.Code, "%s from %s", invalid.Message, u.shown())
	}
	got.contentType = contentType
	return got, nil
}

// get is the answer for u, its type as the server has it.
func (l *Library) get(ctx context.Context, u *address, known Pin) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return answer{}, permanent(problem.Invalid, "%q cannot be requested: %w", u.shown(), err)
	}
	req.Header.Set("User-Agent", "pictifyd")
	req.Header.Set("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif,image/svg+xml,font/*;q=0.9,*/*;q=0.1")
	if known.ETag != "" {
		req.Header.Set("If-None-Match", known.ETag)
	}
	if known.LastModified != "" {
		req.Header.Set("If-Modified-Since", known.LastModified)
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return answer{}, failed(u, err)
	}
	defer resp.Body.Close()
	straight := resp.Request.Response == nil // no redirect led here
	if resp.StatusCode == http.StatusNotModified && straight && known.ETag+known.LastModified != "" {
		return answer{same: true}, nil
	}
	if err := judgeStatus(resp, u); err != nil {
		return answer{}, err
	}
	got := answer{contentType: resp.Header.Get("Content-Type")}
	if straight {
		got.etag, got.modified = validator(resp, "ETag"), validator(resp, "Last-Modified")
	}
	got.data, err = l.read(resp, u)
	return got, err
}

// validator is a header that is kept with a pin, "" if it is no sane one.
func validator(resp *http.Response, name string) string {
	value := resp.Header.Get(name)
	if len(value) > 1024 || !utf8.ValidString(value) {
		return ""
	}
	return value
}

// judgeStatus ends with what the server will say again, and leaves open what it
// may not.
func judgeStatus(resp *http.Response, u *address) error {
	status := resp.StatusCode
	if status == http.StatusOK {
		return nil
	}
	err := problem.New(problem.Upstream, "%d from %s", status, u.shown()).WithSlug(FetchFailed)
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		if wait, asked := retryAfter(resp.Header.Get("Retry-After"), time.Now()); asked {
			return retry.After(err, wait)
		}
		return err
	}
	return retry.Permanent(err)
}

// retryAfter is how long a Retry-After asks to wait, in seconds or as a date.
func retryAfter(header string, now time.Time) (wait time.Duration, asked bool) {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

// read is the body, unpacked, up to the limit.
func (l *Library) read(resp *http.Response, u *address) ([]byte, error) {
	tooLarge := func() error {
		return permanent(problem.TooLarge, "more than %d bytes from %s", l.limits.Size, u.shown())
	}
	if resp.ContentLength > l.limits.Size {
		return nil, tooLarge()
	}
	var body bytes.Buffer
	n, err := io.Copy(&body, io.LimitReader(resp.Body, l.limits.Size+1))
	switch {
	case n > l.limits.Size:
		return nil, tooLarge()
	case err != nil:
		return nil, failed(u, err)
	case n == 0:
		return nil, permanent(problem.Upstream, "no bytes from %s", u.shown())
	}
	return body.Bytes(), nil
}

// failed is the failure of a request that brought no answer, or half of one. A
// refusal by the client keeps its mark, its code and its hint.
func failed(u *address, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() { // the client's own limits
			return problem.New(problem.Timeout, "no answer in time from %s", u.shown()).WithSlug(FetchFailed)
		}
		err = wrapped.Err // it repeats method and address
	}
	e := problem.New(problem.Upstream, "%w, from %s", err, u.shown()).WithSlug(FetchFailed)
	var cause *problem.Error
	if errors.As(err, &cause) {
		e.Code, e.Hint = cause.Code, cause.Hint
		e.Message = cause.Message + ", from " + u.shown()
	}
	return e
}

// mediaType is what a Content-Type says, without parameters.
func mediaType(contentType string) string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil {
		return t
	}
	return fmt.Sprintf("%.40q", contentType)
}
