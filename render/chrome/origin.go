package chrome

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome/png"
)

// Files is the assets library: bytes by the digest that a page's asset names.
// An unknown digest is an error of problem.NotFound or fs.ErrNotExist; any
// other error means that the same digest may be had later.
type Files interface {
	Open(ctx context.Context, digest string) (r io.ReadCloser, contentType string, err error)
}

// shell is the document that every tab and every frame loads once. Rows are put
// into it, so every page is in standards mode.
const shell = `<!doctype html><html><head></head><body></body></html>`

// What the pool itself asks an origin for. No asset of a row is there, and all of
// them are beside the root: relative URLs of a document mean the same in a frame.
const (
	ownPrefix   = "/.pictifyd."
	stagePath   = ownPrefix + "stage" // the document of a stage
	framePath   = ownPrefix + "frame" // the document of its frames
	encoderPath = ownPrefix + "encoder.wasm"
	outPrefix   = ownPrefix + "out/" // where a stage sends pictures to
)

const (
	// pagePolicy lets a page load pictures, styles and fonts of its own origin, run
	// nothing, and go nowhere.
	pagePolicy = "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; " +
		"script-src 'none'; connect-src 'none'; frame-src 'none'; object-src 'none'; media-src 'none'; worker-src 'none'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors "
	policy      = pagePolicy + "'none'"
	framePolicy = pagePolicy + "'self'"

	// stagePolicy is that of a document without anything of a row: it has frames,
	// compiles the encoder, and sends what it made to its origin. No script of the
	// document's own would run in it either.
	stagePolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'wasm-unsafe-eval'; connect-src 'self'; frame-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// An egress is the HTTP proxy that Chrome is pointed at, and the end of all
// its requests: it serves the origins of the open tabs and dials nobody.
type egress struct {
	files    Files
	log      *slog.Logger
	listener net.Listener
	server   *http.Server
	served   chan struct{}

	mu      sync.Mutex
	origins map[string]*origin // by host
}

func newEgress(files Files, log *slog.Logger) (*egress, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for Chrome's requests: %w", err)
	}
	e := &egress{files: files, log: log, listener: listener, served: make(chan struct{}), origins: map[string]*origin{}}
	e.server = &http.Server{
		Handler: e, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(e.served)
		_ = e.server.Serve(listener) // ends with close
	}()
	return e, nil
}

// addr is where Chrome finds the proxy.
func (e *egress) addr() string { return e.listener.Addr().String() }

func (e *egress) close() {
	_ = e.server.Close()
	<-e.served
}

// open makes a new origin. Nobody but the tab that is told its name can ask
// for it: the name can't be guessed.
func (e *egress) open() *origin {
	o := &origin{egress: e, host: strings.ToLower(rand.Text()) + ".localhost", digests: map[string]string{}}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.origins[o.host] = o
	return o
}

func (e *egress) find(host string) *origin {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.origins[host]
}

// ServeHTTP answers for the origins and refuses everything else.
func (e *egress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	o := e.find(r.URL.Host)
	if o != nil && r.URL.Scheme == "http" && r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, outPrefix) {
		o.take(w, r)
		return
	}
	if o == nil || r.URL.Scheme != "http" || r.Method != http.MethodGet {
		e.log.Debug("a request of Chrome's is refused", slog.String("method", r.Method), slog.String("host", r.Host))
		http.Error(w, "not reachable from here", http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case "/":
		serveShell(w, policy)
	case stagePath:
		serveShell(w, stagePolicy)
	case framePath:
		serveShell(w, framePolicy)
	case encoderPath:
		serveEncoder(w)
	default:
		o.serveAsset(w, r)
	}
}

// An origin is the http origin of one tab: a shell, the assets of its rows, and
// the mailbox for what a stage makes of them.
type origin struct {
	egress *egress
	host   string

	mu      sync.Mutex
	digests map[string]string // by path, of every row so far: Chrome may keep what it got
	allowed map[string]bool   // the paths of the row in hand
	faults  map[string]error  // by path, why the row in hand did not get it
	mailbox *mailbox          // nil while no rows are on a stage
}

// at is the URL of a path of the origin.
func (o *origin) at(path string) string { return "http://" + o.host + path }

func (o *origin) close() {
	o.egress.mu.Lock()
	defer o.egress.mu.Unlock()
	delete(o.egress.origins, o.host)
}

// errOtherBytes is why an origin can't serve a row: a path had other bytes before.
var errOtherBytes = errors.New("a path has other bytes than before")

// admit makes assets those of the rows in hand, and of no others.
func (o *origin) admit(assets []render.Asset) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	allowed, fresh := make(map[string]bool, len(assets)), map[string]string{}
	for _, a := range assets {
		path := cleanPath(a.Path)
		if strings.HasPrefix(path, ownPrefix) {
			return pageFault(fmt.Errorf("no asset can be at %s", a.Path))
		}
		for _, digests := range []map[string]string{o.digests, fresh} {
			if digest, ok := digests[path]; ok && digest != a.Digest {
				return errOtherBytes
			}
		}
		allowed[path], fresh[path] = true, a.Digest
	}
	maps.Copy(o.digests, fresh)
	o.allowed, o.faults = allowed, map[string]error{}
	return nil
}

// cleanPath is a path as a request for it will spell it.
func cleanPath(path string) string {
	if u, err := url.Parse(path); err == nil {
		return u.Path
	}
	return path
}

// fault is why the row in hand did not get the asset at path, nil if nobody knows.
func (o *origin) fault(path string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.faults[path]
}

func (o *origin) setFault(path string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.faults != nil {
		o.faults[path] = err
	}
}

func serveShell(w http.ResponseWriter, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, shell)
}

// serveEncoder serves the module that a stage makes PNGs with.
func serveEncoder(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/wasm")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(png.Wasm)
}

func (o *origin) serveAsset(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	o.mu.Lock()
	digest, ok := o.digests[path]
	ok = ok && o.allowed[path]
	o.mu.Unlock()
	if !ok {
		http.Error(w, "the page has no such asset", http.StatusNotFound)
		return
	}
	body, contentType, err := o.egress.files.Open(r.Context(), digest)
	if err != nil {
		o.setFault(path, err)
		http.Error(w, "the asset can't be had", http.StatusNotFound)
		return
	}
	defer body.Close()
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox")
	if _, err := io.Copy(w, body); err != nil && r.Context().Err() == nil {
		o.setFault(path, err)
		panic(http.ErrAbortHandler) // or Chrome takes half a file for the whole, and keeps it
	}
}
