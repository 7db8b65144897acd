package assets_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func pngOf(tb testing.TB, width, height int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2)), nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2)), nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// A site is a server with a library that may reach it.
type site struct {
	*httptest.Server
	library *assets.Library
	memory  *memory
	hits    *atomic.Int32
}

func newSite(tb testing.TB, limits assets.Limits, handler http.HandlerFunc) site {
	tb.Helper()
	s := site{memory: newMemory(), hits: new(atomic.Int32)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		handler(w, r)
	}))
	tb.Cleanup(s.Close)
	guard, err := egress.New(egress.Config{Public: true, Allow: []string{"127.0.0.1"}})
	if err != nil {
		tb.Fatal(err)
	}
	client := guard.Client(egress.ClientOptions{MaxRedirects: 20})
	tb.Cleanup(client.CloseIdleConnections)
	s.library = assets.New(client, s.memory, s.memory, limits)
	return s
}

func serve(contentType string, data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(data)
	}
}

func answer(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func (s site) mustFetch(tb testing.TB, path string) assets.Pin {
	tb.Helper()
	pin, err := s.library.Fetch(tb.Context(), s.URL+path, "")
	if err != nil {
		tb.Fatalf("fetch %s: %v", path, err)
	}
	return pin
}

// wantFailure checks what every failure of a remote asset has.
func wantFailure(tb testing.TB, err error, permanent bool, part string) {
	tb.Helper()
	var p *problem.Error
	switch {
	case !errors.As(err, &p) || p.Slug != assets.FetchFailed:
		tb.Errorf("error = %v, want the slug %s", err, assets.FetchFailed)
	case retry.IsPermanent(err) != permanent:
		tb.Errorf("%v: permanent = %v, want %v", err, !permanent, permanent)
	case !strings.Contains(p.Message, part):
		tb.Errorf("message = %q, want %q in it", p.Message, part)
	}
}

func TestKnownAddressIsNotFetchedAgain(t *testing.T) {
	data := pngOf(t, 3, 2)
	s := newSite(t, assets.Limits{}, serve("image/png", data))
	first := s.mustFetch(t, "/logo.png")
	if first.ContentType != "image/png" || first.Size != int64(len(data)) || first.FetchedAt.IsZero() {
		t.Errorf("pin = %+v", first)
	}
	for _, path := range []string{"/logo.png", "/logo.png#part", " /logo.png"[1:]} {
		if again := s.mustFetch(t, path); again != first {
			t.Errorf("%s: pin = %+v, want %+v", path, again, first)
		}
	}
	if n := s.hits.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestPinOutlivesTheLibrary(t *testing.T) {
	s := newSite(t, assets.Limits{}, serve("image/png", pngOf(t, 3, 2)))
	first := s.mustFetch(t, "/logo.png")
	s.library = assets.New(s.Client(), s.memory, s.memory, assets.Limits{})
	if again := s.mustFetch(t, "/logo.png"); again != first {
		t.Errorf("pin = %+v, want %+v", again, first)
	}
	if n := s.hits.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestLostBytesAreFetchedAgain(t *testing.T) {
	s := newSite(t, assets.Limits{}, serve("image/png", pngOf(t, 3, 2)))
	first := s.mustFetch(t, "/logo.png")
	s.memory.forgetBlobs()
	if again := s.mustFetch(t, "/logo.png"); again.Digest != first.Digest {
		t.Errorf("digest = %s, want %s", again.Digest, first.Digest)
	}
	r, _, err := s.library.Open(t.Context(), first.Digest)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	r.Close()
}

func TestManyWhoWantTheSameShareOneRequest(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	data := pngOf(t, 3, 2)
	s := newSite(t, assets.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		w.Write(data)
	})
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := s.library.Fetch(t.Context(), s.URL+"/logo.png", "batch"); err != nil {
				t.Errorf("fetch: %v", err)
			}
		})
	}
	<-arrived // a second request would wait here for ever, and the test with it
	close(release)
	wg.Wait()
	if n := s.hits.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestFollowerTakesOverWhenTheLeaderGivesUp(t *testing.T) {
	arrived := make(chan struct{}, 2)
	data := pngOf(t, 3, 2)
	var requests atomic.Int32
	s := newSite(t, assets.Limits{}, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if requests.Add(1) == 1 {
			<-r.Context().Done()
			return
		}
		w.Write(data)
	})
	ctx, giveUp := context.WithCancel(t.Context())
	leader := make(chan error, 1)
	go func() { _, err := s.library.Fetch(ctx, s.URL+"/a.png", "batch"); leader <- err }()
	<-arrived
	follower := make(chan error, 1)
	go func() { _, err := s.library.Fetch(t.Context(), s.URL+"/a.png", "batch"); follower <- err }()
	giveUp()
	if err := <-leader; !errors.Is(err, context.Canceled) {
		t.Errorf("leader = %v, want canceled", err)
	}
	if err := <-follower; err != nil {
		t.Errorf("follower: %v", err)
	}
}

func TestFollowerThatGivesUpDoesNotWait(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := newSite(t, assets.Limits{}, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	leader := make(chan struct{})
	go func() { defer close(leader); s.library.Fetch(t.Context(), s.URL+"/a.png", "") }()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.library.Fetch(ctx, s.URL+"/a.png", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("follower = %v, want its own deadline", err)
	}
	close(release)
	<-leader
}

func TestFailureIsTriedOncePerScope(t *testing.T) {
	for status, permanent := range map[int]bool{404: true, 503: false} {
		s := newSite(t, assets.Limits{}, answer(status))
		for _, scope := range []string{"job_1", "job_1", "job_2", "job_1", "job_2"} {
			_, err := s.library.Fetch(t.Context(), s.URL+"/x.jpg", scope)
			wantFailure(t, err, permanent, fmt.Sprintf("%d from %s/x.jpg", status, s.URL))
		}
		if n := s.hits.Load(); n != 2 {
			t.Errorf("%d: %d requests in two scopes, want 2", status, n)
		}
	}
}

func TestWithoutScopeNoFailureIsRemembered(t *testing.T) {
	var ill atomic.Bool
	ill.Store(true)
	data := pngOf(t, 3, 2)
	s := newSite(t, assets.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		if ill.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Write(data)
	})
	if _, err := s.library.Fetch(t.Context(), s.URL+"/x.png", ""); err == nil {
		t.Fatal("fetch = nil")
	}
	ill.Store(false)
	s.mustFetch(t, "/x.png")
}

func TestOldestFailuresAreForgottenFirst(t *testing.T) {
	s := newSite(t, assets.Limits{Failures: 2}, answer(http.StatusNotFound))
	for _, path := range []string{"/1", "/2", "/1", "/3"} { // /1 is used again, /2 is the oldest
		s.library.Fetch(t.Context(), s.URL+path, "job")
	}
	before := s.hits.Load()
	for _, path := range []string{"/1", "/3"} {
		s.library.Fetch(t.Context(), s.URL+path, "job")
	}
	if n := s.hits.Load() - before; n != 0 {
		t.Errorf("%d requests for remembered failures", n)
	}
	s.library.Fetch(t.Context(), s.URL+"/2", "job")
	if n := s.hits.Load() - before; n != 1 {
		t.Errorf("%d requests for the forgotten one, want 1", n)
	}
}

func TestOwnTroublesAreNotTheAddresses(t *testing.T) {
	s := newSite(t, assets.Limits{}, serve("image/png", pngOf(t, 3, 2)))
	full := problem.New(problem.Surroundings, "the disk is full")
	s.memory.err = full
	if _, err := s.library.Fetch(t.Context(), s.URL+"/a.png", "job"); !errors.Is(err, full) {
		t.Fatalf("fetch = %v, want the disk's problem", err)
	}
	if _, err := s.library.Fetch(t.Context(), s.URL+"/a.png", "job"); err != nil {
		t.Errorf("later in the same scope: %v", err)
	}
}

func TestStatusDecidesWhetherToTryAgain(t *testing.T) {
	for status, permanent := range map[int]bool{
		204: true, 206: true, 304: true, 400: true, 401: true, 403: true, 404: true, 410: true, 451: true,
		408: false, 425: false, 429: false, 500: false, 502: false, 503: false, 504: false,
	} {
		s := newSite(t, assets.Limits{}, answer(status))
		_, err := s.library.Fetch(t.Context(), s.URL+"/x.jpg", "")
		wantFailure(t, err, permanent, fmt.Sprintf("%d from %s/x.jpg", status, s.URL))
	}
}

func TestAddressesThatAreNoneAreRefusedWithoutRequest(t *testing.T) {
	s := newSite(t, assets.Limits{}, answer(200))
	for _, url := range []string{
		"", " ", "logo.png", "/logo.png", "//127.0.0.1/x", "file:///etc/passwd", "FILE:///etc/passwd", "ftp://x.example/",
		"data:image/png;base64,AAAA", "javascript:alert(1)", "http://", "http://u:hunter2@x.example/", "http://[::1", "\x00",
		"http://x.example/" + strings.Repeat("a", 10_000),
	} {
		_, err := s.library.Fetch(t.Context(), url, "job")
		wantFailure(t, err, true, "")
		if err != nil && (strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 500) {
			t.Errorf("error of %.40q: %v", url, err)
		}
	}
	if n := s.hits.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAddressInsideIsRefusedForGood(t *testing.T) {
	s := newSite(t, assets.Limits{}, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	for _, url := range []string{"http://169.254.169.254/latest/meta-data", "http://[::1]/", s.URL + "/redirect"} {
		_, err := s.library.Fetch(t.Context(), url, "")
		wantFailure(t, err, true, "is not a public address, from "+url)
		if problem.CodeOf(err) != problem.Forbidden {
			t.Errorf("%s: code = %s, want forbidden", url, problem.CodeOf(err))
		}
	}
}

func TestRedirectsAreFollowedUpToTheLimit(t *testing.T) {
	data := pngOf(t, 3, 2)
	for most, arrives := range map[int]bool{2: true, 1: false, -1: false} {
		s := newSite(t, assets.Limits{Redirects: most}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/xx" {
				w.Write(data)
				return
			}
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		})
		_, err := s.library.Fetch(t.Context(), s.URL+"/", "")
		if arrives && err != nil {
			t.Errorf("with %d: %v", most, err)
		} else if !arrives {
			wantFailure(t, err, true, "redirects")
		}
	}
}

func TestServerThatHangsEndsInTime(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before its answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in its answer": func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("\x89PNG\r\n\x1a\n"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		s := newSite(t, assets.Limits{Time: 50 * time.Millisecond}, handler)
		_, err := s.library.Fetch(t.Context(), s.URL+"/x.png", "job")
		wantFailure(t, err, false, "no complete answer within 50ms from "+s.URL+"/x.png")
		if problem.CodeOf(err) != problem.Timeout {
			t.Errorf("%s: code = %s, want timeout", name, problem.CodeOf(err))
		}
		s.library.Fetch(t.Context(), s.URL+"/x.png", "job")
		if n := s.hits.Load(); n != 1 {
			t.Errorf("%s: %d requests in one scope, want 1", name, n)
		}
	}
}

func TestSilentHostIsNotAskedForEveryAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		h, _, library := newHost(silent)
		fetch := func(n int, scope string) error {
			_, err := library.Fetch(t.Context(), fmt.Sprintf("https://photos.test/%d.png", n), scope)
			return err
		}
		for n := range 50 {
			if err := fetch(n, "job_1"); problem.CodeOf(err) != problem.Timeout {
				t.Fatalf("address %d: %v, want a timeout", n, err)
			}
		}
		if got := len(h.take()); got != 5 {
			t.Errorf("a silent host was asked %d times, want 5", got)
		}

		// Another scope asks anew, and an answer in between clears the host.
		for n := range 4 {
			_ = fetch(n, "job_2")
		}
		h.handler = http.NotFound
		_ = fetch(4, "job_2")
		h.handler = silent
		_ = fetch(5, "job_2")
		if got := len(h.take()); got != 6 {
			t.Errorf("asked %d times, want 6: the host that answered is asked again", got)
		}
	})
}

func TestClientsOwnTimeoutIsATimeout(t *testing.T) {
	s := newSite(t, assets.Limits{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s.library = assets.New(&http.Client{Timeout: 20 * time.Millisecond}, s.memory, s.memory, assets.Limits{})
	_, err := s.library.Fetch(t.Context(), s.URL+"/x.png", "")
	wantFailure(t, err, false, "no answer in time from "+s.URL+"/x.png")
}

func TestCutAnswerIsNotKept(t *testing.T) {
	data := pngOf(t, 100, 100)
	s := newSite(t, assets.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:len(data)/2])
		panic(http.ErrAbortHandler)
	})
	_, err := s.library.Fetch(t.Context(), s.URL+"/x.png", "")
	wantFailure(t, err, false, "from "+s.URL)
	if pins, blobs := s.memory.count(); pins != 0 || blobs != 0 {
		t.Errorf("%d pins and %d blobs are kept", pins, blobs)
	}
}

func TestServerThatIsDownMayBeTriedAgain(t *testing.T) {
	s := newSite(t, assets.Limits{}, answer(200))
	s.Close()
	_, err := s.library.Fetch(t.Context(), s.URL+"/x.png", "")
	wantFailure(t, err, false, "connection refused, from "+s.URL+"/x.png")
}

func TestTooManyBytesAreRefused(t *testing.T) {
	data := append(pngOf(t, 3, 2), make([]byte, 1000)...)
	size := int64(len(data))
	for name, handler := range map[string]http.HandlerFunc{
		"announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data)
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(data[:10])
			w.(http.Flusher).Flush()
			w.Write(data[10:])
		},
		"packed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			zip.Write(data)
			zip.Close()
		},
	} {
		s := newSite(t, assets.Limits{Size: size - 1}, handler)
		_, err := s.library.Fetch(t.Context(), s.URL+"/x.png", "")
		wantFailure(t, err, true, fmt.Sprintf("more than %d bytes from", size-1))
		if problem.CodeOf(err) != problem.TooLarge {
			t.Errorf("%s: code = %s", name, problem.CodeOf(err))
		}
		s = newSite(t, assets.Limits{Size: size}, handler)
		if _, err := s.library.Fetch(t.Context(), s.URL+"/x.png", ""); err != nil {
			t.Errorf("%s, at the limit: %v", name, err)
		}
	}
}

func TestTooManyPixelsAreRefused(t *testing.T) {
	s := newSite(t, assets.Limits{Pixels: 100}, func(w http.ResponseWriter, r *http.Request) {
		height := 10
		if r.URL.Path == "/over.png" {
			height = 11
		}
		w.Write(pngOf(t, 10, height))
	})
	s.mustFetch(t, "/at.png")
	_, err := s.library.Fetch(t.Context(), s.URL+"/over.png", "")
	wantFailure(t, err, true, "10 × 11 pixels, more than 100 from")
}

func TestTypeIsReadFromTheBytes(t *testing.T) {
	for declared, c := range map[string]struct {
		data []byte
		want string
	}{
		"text/html":                {pngOf(t, 3, 2), "image/png"},
		"image/png":                {jpegOf(t), "image/jpeg"},
		"application/octet-stream": {gifOf(t), "image/gif"},
	} {
		s := newSite(t, assets.Limits{}, serve(declared, c.data))
		if pin := s.mustFetch(t, "/x"); pin.ContentType != c.want {
			t.Errorf("declared as %s: %s, want %s", declared, pin.ContentType, c.want)
		}
	}
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	html := []byte("<!DOCTYPE html><html><body>Not found</body></html>")
	for name, c := range map[string]struct {
		declared string
		data     []byte
		message  string
	}{
		"a page":                  {"text/html; charset=utf-8", html, "not an image: text/html from"},
		"a page called image":     {"image/png", html, "not an image: text/html, declared as image/png from"},
		"nothing":                 {"image/png", nil, "no bytes from"},
		"text":                    {"image/svg+xml", []byte("hello"), "not an image: text/plain, declared as image/svg+xml from"},
		"half a PNG's header":     {"image/png", pngOf(t, 3, 2)[:20], "damaged image/png from"},
		"a PDF":                   {"application/pdf", []byte("%PDF-1.7\n"), "not an image: application/pdf from"},
		"an SVG with a script":    {"image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`), "SVG contains <script> from"},
		"a type that is no type":  {"\"<;", []byte("x"), "not an image: text/plain, declared as"},
		"WebP without dimensions": {"image/webp", []byte("RIFF\x10\x00\x00\x00WEBPVP8 \x00\x00"), "damaged image/webp from"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, assets.Limits{}, serve(c.declared, c.data))
			_, err := s.library.Fetch(t.Context(), s.URL+"/x", "")
			wantFailure(t, err, true, c.message)
		})
	}
}

func TestOneHostGetsOnlySoManyRequestsAtATime(t *testing.T) {
	const limit, addresses = 3, 12
	arrived, release := make(chan struct{}, addresses), make(chan struct{})
	data := pngOf(t, 3, 2)
	var inside, most atomic.Int32
	s := newSite(t, assets.Limits{PerHost: limit}, func(w http.ResponseWriter, _ *http.Request) {
		n := inside.Add(1)
		defer inside.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		arrived <- struct{}{}
		<-release
		w.Write(data)
	})
	var wg sync.WaitGroup
	for i := range addresses {
		wg.Go(func() {
			if _, err := s.library.Fetch(t.Context(), fmt.Sprintf("%s/%d.png", s.URL, i), ""); err != nil {
				t.Errorf("fetch %d: %v", i, err)
			}
		})
	}
	for range limit {
		<-arrived
	}
	// A waiting caller can leave.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.library.Fetch(ctx, s.URL+"/late.png", "job"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller without a place = %v, want its deadline", err)
	}
	close(release)
	wg.Wait()
	if most.Load() != limit || s.hits.Load() != addresses {
		t.Errorf("%d at a time, %d in all; want %d and %d", most.Load(), s.hits.Load(), limit, addresses)
	}
}

func TestTemplateAssetsAreKeptByWhatTheyAre(t *testing.T) {
	m := newMemory()
	library := assets.New(http.DefaultClient, m, m, assets.Limits{Size: 1000})
	for want, data := range map[string][]byte{
		"image/png":  pngOf(t, 3, 2),
		"font/woff2": []byte("wOF2\x00\x01\x00\x00rest"),
		"font/woff":  []byte("wOFF\x00\x01\x00\x00rest"),
		"font/ttf":   []byte("\x00\x01\x00\x00rest"),
		"font/otf":   []byte("OTTOrest"),
		"image/svg+xml": []byte(`<?xml version="1.0"?><!-- logo --><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">
			<svg xmlns="http://www.w3.org/2000/svg"><a href="https://x.example"><use href="#a"/></a></svg>`),
	} {
		digest, err := library.Put(t.Context(), data, "application/octet-stream")
		if err != nil {
			t.Errorf("put %s: %v", want, err)
			continue
		}
		r, contentType, err := library.Open(t.Context(), digest)
		if err != nil {
			t.Errorf("open %s: %v", want, err)
			continue
		}
		got, err := io.ReadAll(r)
		r.Close()
		if contentType != want || !bytes.Equal(got, data) || err != nil {
			t.Errorf("open = %s, %d bytes, %v; want %s, %d bytes", contentType, len(got), err, want, len(data))
		}
	}
	if _, err := library.Put(t.Context(), []byte("body { }"), "text/css"); problem.CodeOf(err) != problem.Unsupported {
		t.Errorf("put of a style sheet = %v, want unsupported", err)
	}
	if _, err := library.Put(t.Context(), make([]byte, 1001), "image/png"); problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("put above the limit = %v, want too_large", err)
	}
}

func TestOpenOfAnUnknownDigestIsNotFound(t *testing.T) {
	m := newMemory()
	_, _, err := assets.New(http.DefaultClient, m, m, assets.Limits{}).Open(t.Context(), "unknown")
	if problem.CodeOf(err) != problem.NotFound {
		t.Errorf("open = %v, want not_found", err)
	}
}

func TestOpenOfOtherBytesHasNoType(t *testing.T) {
	m := newMemory()
	library := assets.New(http.DefaultClient, m, m, assets.Limits{})
	for _, data := range []string{"", "x", "%PDF-1.7", "<html><svg></svg></html>", "<", " \n text <svg/>"} {
		digest, err := m.Put(t.Context(), []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		r, contentType, err := library.Open(t.Context(), digest)
		if err != nil {
			t.Fatalf("open %q: %v", data, err)
		}
		r.Close()
		if contentType != "application/octet-stream" {
			t.Errorf("%q is %s", data, contentType)
		}
	}
}
