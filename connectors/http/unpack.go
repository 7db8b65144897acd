package httppoll

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxWindow is what RFC 9659 lets zstd over HTTP need.
const maxWindow = 8 << 20

// receive appends the body of resp, unpacked, to into and returns its digest. A
// body that is cut, longer than limit, or not packed as it says, is an error.
func (s *source) receive(resp *http.Response, into *spill) (digest string, err error) {
	limit := s.cfg.MaxSize
	encoding := resp.Header.Get("Content-Encoding")
	if (encoding == "" || encoding == "identity") && resp.ContentLength > int64(limit) {
		_, err := poll.ReadAll(nil, resp.ContentLength, limit)
		return "", err
	}
	body, done, err := unpacked(encoding, resp.Body)
	if err != nil {
		return "", bodyError(err, encoding)
	}
	defer done()
	document, err := poll.Unpack(body, limit) // of a file that is packed itself
	if err != nil {
		return "", bodyError(err, encoding)
	}
	defer document.Close()
	meter := poll.Measure(document, limit)
	begin := into.size
	if _, err := io.Copy(into, meter); err != nil {
		return "", bodyError(err, encoding)
	}
	// What was packed may end before its carrier, which may yet turn out cut.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return "", bodyError(err, encoding)
	}
	if into.size == begin {
		return "", problem.New(problem.Upstream, "the answer is empty").
			WithHint("a source without rows answers [] or the header of its table")
	}
	return meter.Digest(), nil
}

func unpacked(encoding string, body io.Reader) (r io.Reader, done func(), err error) {
	switch encoding {
	case "", "identity":
		return body, func() {}, nil
	case "gzip", "x-gzip":
		zr, err := gzip.NewReader(body)
		return zr, func() {}, err
	case "zstd":
		zr, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return zr, zr.Close, nil
	}
	return nil, nil, problem.New(problem.Unsupported, "the answer is packed as %q, which was not asked for", encoding)
}

func bodyError(err error, encoding string) error {
	var known *problem.Error
	var carrier net.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problem.New(problem.Upstream, "the answer was cut short: %w", io.ErrUnexpectedEOF)
	case encoding != "" && !errors.As(err, &carrier) && !errors.Is(err, context.Canceled):
		return problem.New(problem.Upstream, "the answer is not the %s that it says it is: %w", encoding, err)
	}
	return transportError(err)
}
