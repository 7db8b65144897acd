package api

import (
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/klauspost/compress/zstd"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxZstdWindow is how far back a zstd body may refer; zstd -19 needs 8 MB, and
// --long asks for more than this.
const maxZstdWindow = 32 << 20

// batchForm is the form of the batch that r brings.
func batchForm(r *http.Request) (batch.Form, error) {
	form := batch.Form{Format: batch.JSON, Query: r.URL.Query()}
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		return form, nil
	}
	media, _, err := mime.ParseMediaType(kind)
	if err == nil {
		form.Format = batch.FormatOf(media)
	}
	if err != nil || form.Format == "" {
		return form, problem.New(problem.Unsupported, "a batch of the type %q is not read", kind).
			WithSlug("unsupported_media_type").At("Content-Type").
			WithHint("send application/json, application/x-ndjson, text/csv, text/tab-separated-values, or an .xlsx as " +
				"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	}
	return form, nil
}

// unpacked is body without its Content-Encoding. Its limit is for whoever reads
// it: here nothing says how large it is.
func unpacked(body io.Reader, encoding string) (io.ReadCloser, error) {
	marked := markedReader{body}
	switch encoding {
	case "", "identity":
		return io.NopCloser(marked), nil
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(marked)
		if err != nil {
			return nil, notPacked("gzip", err)
		}
		return unpacking{markedReader{r}, func() { _ = r.Close() }}, nil
	case "zstd":
		r, err := zstd.NewReader(marked, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, notPacked("zstd", err)
		}
		return unpacking{zstdReader{r}, r.Close}, nil
	default:
		return nil, problem.New(problem.Unsupported, "the encoding %q is not read", encoding).
			WithSlug("unsupported_encoding").At("Content-Encoding").WithHint("send it plain, as gzip or as zstd")
	}
}

func notPacked(encoding string, err error) error {
	return problem.New(problem.Invalid, "the body is not %s: %w", encoding, err).WithSlug(slugMalformed)
}

type unpacking struct {
	io.Reader
	closeFunc func()
}

func (p unpacking) Close() error {
	p.closeFunc()
	return nil
}

// A zstdReader says of what is no zstd that it is none; the decoder looks at it
// only when it is first read.
type zstdReader struct{ from *zstd.Decoder }

func (z zstdReader) Read(p []byte) (int, error) {
	n, err := z.from.Read(p)
	switch {
	case err == nil, errors.Is(err, io.EOF), isReadError(err):
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = &bodyError{err}
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		err = problem.New(problem.TooLarge, "the zstd body refers back further than %d MB", maxZstdWindow>>20).WithSlug("body_too_large").
			WithHint("pack it without --long, or as gzip")
	default:
		err = notPacked("zstd", err)
	}
	return n, err
}
