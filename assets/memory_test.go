package assets_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// memory is an Index and Blobs.
type memory struct {
	mu sync.Mutex

	pins  map[string]assets.Pin
	blobs map[string][]byte
	err   error // of the next Put
}

func newMemory() *memory {
	return &memory{pins: make(map[string]assets.Pin), blobs: make(map[string][]byte)}
}

func (m *memory) AssetPin(_ context.Context, url string) (assets.Pin, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	pin, ok := m.pins[url]
	return pin, ok, nil
}

func (m *memory) SaveAssetPin(_ context.Context, url string, p assets.Pin) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pins[url] = p
	return nil
}

func (m *memory) Put(_ context.Context, data []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.err; err != nil {
		m.err = nil
		return "", err
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	m.blobs[hash] = bytes.Clone(data)
	return hash, nil
}

func (m *memory) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.blobs[hash]
	if !ok {
		return nil, 0, problem.New(problem.NotFound, "no blob %s", hash)
	}
	return nopCloser{bytes.NewReader(data)}, int64(len(data)), nil
}

func (m *memory) forgetBlobs() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.blobs)
}

func (m *memory) count() (pins, blobs int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.pins), len(m.blobs)
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
