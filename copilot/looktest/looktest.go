// Package looktest has a real Chrome draw documents for the tests of the copilot.
package looktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/template/starter"
)

// Now is the time that the tests' templates read.
var Now = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// A Room is a Chrome with the files of documents.
type Room struct {
	look.Studio

	mu    sync.Mutex
	files map[string]file
}

type file struct {
	data []byte
	kind string
}

// Open starts a Chrome, which ends with the test. By hand it is skipped without
// PICTIFYD_TEST_CHROME; make test sets it.
func Open(tb testing.TB) *Room {
	tb.Helper()
	if os.Getenv("PICTIFYD_TEST_CHROME") == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_CHROME is not set")
		}
		tb.Skip("PICTIFYD_TEST_CHROME is not set: make test sets it")
	}
	r := &Room{files: map[string]file{}}
	cfg := chrome.DefaultConfig()
	cfg.Browsers, cfg.Chrome = "1", os.Getenv("PICTIFYD_TEST_CHROME")
	pool, err := chrome.Open(tb.Context(), cfg, r, chrome.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := pool.Close(ctx); err != nil {
			tb.Errorf("close Chrome: %v", err)
		}
	})
	r.Studio = look.Studio{Renderer: pool, Now: Now}
	return r
}

// Open implements chrome.Files.
func (r *Room) Open(_ context.Context, digest string) (io.ReadCloser, string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.files[digest]
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(f.data)), f.kind, nil
}

// Put has a file in the library, and gives its digest.
func (r *Room) Put(name string, data []byte) string {
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	kind := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".woff2" {
		kind = "font/woff2"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[digest] = file{data, kind}
	return digest
}

// Starter is a starter template with its sample rows.
func (r *Room) Starter(tb testing.TB, name string) (look.Doc, []map[string]any) {
	tb.Helper()
	files, err := starter.Files(name)
	if err != nil {
		tb.Fatal(err)
	}
	return r.Doc(tb, name, files)
}

// Doc is a document of the files of a folder: NAME.html, NAME.rows.json, assets/….
func (r *Room) Doc(tb testing.TB, name string, files map[string][]byte) (look.Doc, []map[string]any) {
	tb.Helper()
	d := look.Doc{Name: name, Source: files[name+".html"], Assets: map[string]string{}}
	var rows []map[string]any
	for p, data := range files {
		if strings.HasPrefix(p, "assets/") {
			d.Assets[p] = r.Put(p, data)
		}
	}
	if raw := files[name+".rows.json"]; raw != nil {
		if err := json.Unmarshal(raw, &rows); err != nil {
			tb.Fatalf("%s.rows.json: %v", name, err)
		}
	}
	return d, rows
}

// Starters are the names of all starters.
func Starters() []string {
	var names []string
	for _, s := range starter.List() {
		names = append(names, s.Name)
	}
	return names
}
