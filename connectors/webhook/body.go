package webhook

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	slugMalformed = "malformed_body"
	slugMedia     = "unsupported_media_type"
	slugEncoding  = "unsupported_encoding"
	slugTooLarge  = "hook_too_large"
)

// formatOf is the format of a body, by its Content-Type.
func formatOf(h http.Header) (string, error) {
	kind := h.Get("Content-Type")
	media, _, err := mime.ParseMediaType(kind)
	switch {
	case kind == "", media == "application/json", media == "text/json", strings.HasSuffix(media, "+json"):
		return poll.JSON, nil
	case media == "application/x-ndjson", media == "application/ndjson", media == "application/jsonl", media == "application/x-jsonlines":
		return poll.NDJSON, nil
	}
	p := problem.New(problem.Unsupported, "a body of the type %q is not read", kind).WithSlug(slugMedia).At("Content-Type").
		WithHint("send application/json or application/x-ndjson")
	if err == nil && media == "application/x-www-form-urlencoded" {
		p.WithHint("have the sender use the content type application/json instead of a form")
	}
	return "", p
}

// packed reports whether a body is gzip, by its Content-Encoding.
func packed(h http.Header) (bool, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return false, nil
	case "gzip", "x-gzip":
		return true, nil
	default:
		return false, problem.New(problem.Unsupported, "the encoding %q is not read", encoding).WithSlug(slugEncoding).
			At("Content-Encoding").WithHint("send it plain or as gzip")
	}
}

func overLimit(limit config.Bytes) *problem.Error {
	return problem.New(problem.TooLarge, "the body is larger than %s", limit).WithSlug(slugTooLarge).
		WithHint("send fewer rows in a call, or raise max_size of the source")
}

// readBody reads a body as it is sent. Memory is taken for what came, not for
// what its header promises.
func readBody(r io.Reader, limit config.Bytes) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read the body after %d bytes: %w", len(body), err)
	}
	if int64(len(body)) > int64(limit) {
		return nil, overLimit(limit)
	}
	return body, nil
}

// unpack is a body without its gzip.
func unpack(body []byte, limit config.Bytes) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		var text []byte
		if text, err = readBody(r, limit); err == nil {
			return text, nil
		}
	}
	var large *problem.Error
	if errors.As(err, &large) {
		return nil, large
	}
	return nil, problem.New(problem.Invalid, "the body is not gzip, or breaks off: %w", err).WithSlug(slugMalformed)
}
