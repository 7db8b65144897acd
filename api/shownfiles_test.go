package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"sync"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// shownFiles is a library in memory, whose remote pictures are those of pins.
type shownFiles struct {
	mu    sync.Mutex
	files map[string][]byte
	pins  map[string]string // address to digest
	asked []string
}

func (f *shownFiles) Fetch(_ context.Context, url, _ string) (assets.Pin, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, url)
	if f.pins[url] == "" {
		return assets.Pin{}, problem.New(problem.Upstream, "%s answered 404", url).WithSlug(assets.FetchFailed)
	}
	return assets.Pin{Address: url, Digest: f.pins[url]}, nil
}

func (f *shownFiles) Put(_ context.Context, data []byte, _ string) (string, error) {
	kind := http.DetectContentType(data)
	if kind != "image/png" && kind != "image/gif" {
		return "", problem.New(problem.Unsupported, "not an image: %s", kind)
	}
	return f.keep(data), nil
}

func (f *shownFiles) keep(data []byte) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	if f.files == nil {
		f.files, f.pins = map[string][]byte{}, map[string]string{}
	}
	f.files[digest] = data
	return digest
}

func (f *shownFiles) Open(_ context.Context, digest string) (io.ReadCloser, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.files[digest]
	if !ok {
		return nil, "", problem.New(problem.NotFound, "there is no blob %s", digest)
	}
	return io.NopCloser(bytes.NewReader(data)), http.DetectContentType(data), nil
}
