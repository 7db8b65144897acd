package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/s3"
	"github.com/pictifyd/pictifyd/internal/s3test"
	"github.com/pictifyd/pictifyd/store/blob"
	"github.com/pictifyd/pictifyd/store/blob/blobtest"
)

func slug(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Slug
	}
	return ""
}

func (s *site) impatient() *blob.Bucket {
	c := configOf(s.Server, s.prefix)
	c.Timeout = config.Duration(300 * time.Millisecond)
	b := must[*blob.Bucket](s.tb)(blob.OpenBucket(c, s.tb.TempDir()))
	blob.Hasten(b)
	return b
}

func readAll(ctx context.Context, s blob.Store, hash string) (string, error) {
	r, _, err := s.Open(ctx, hash)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// What passes is waited for, and seen by nobody.
func TestFaultsThatPassAreNotSeen(t *testing.T) {
	for name, fault := range map[string]s3test.Fault{
		"SlowDown":      s3test.Says(503, "SlowDown", "Please reduce your request rate."),
		"InternalError": s3test.Says(500, "InternalError", "We encountered an internal error."),
		"a full second": s3test.Says(503, "SlowDown", "Please reduce your request rate.", "Retry-After", "1"),
		"a page of a proxy": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			http.Error(w, "<html>", http.StatusBadGateway)
			return true
		},
		"cut":               s3test.Cuts,
		"an answer is lost": s3test.Swallows,
		"no answer":         s3test.Hangs,
		"an answer is late": s3test.Late,
		"a byte changes":    s3test.Spoils,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.impatient()
			s.Breaks(s3test.On("PUT", 1, fault))
			hash, err := b.Put(t.Context(), []byte("picture"))
			if err != nil {
				t.Fatalf("put: %v", err)
			}
			if got := s.Get(s.key(hash)); string(got) != "picture" {
				t.Errorf("the bucket has %q", got)
			}
			blob.Forget(b, hash)
			s.Breaks(s3test.On("HEAD", 1, fault))
			if _, err := b.Put(t.Context(), []byte("picture")); err != nil {
				t.Errorf("put again: %v", err)
			}
			s.Breaks(s3test.On("GET", 1, fault))
			if got, err := readAll(t.Context(), b, hash); err != nil || got != "picture" {
				t.Errorf("read: %q, %v", got, err)
			}
		})
	}
}

// What only a person can mend is said at once, as a fault of the place, with what
// to do.
func TestFaultsOfThePlaceSayWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		fault s3test.Fault
		slug  string
		says  string
	}{
		"not allowed":      {s3test.Says(403, "AccessDenied", "Access Denied"), s3.AccessDenied, "docs/operations.md lists what is needed"},
		"an unknown 403":   {s3test.Says(403, "WeDoNotLikeYou", "no"), s3.AccessDenied, "allow it in the policy"},
		"a wrong key":      {s3test.Says(403, "InvalidAccessKeyId", "The key does not exist"), s3.CredentialsRefused, "see that the key and its secret are right"},
		"an expired token": {s3test.Says(400, "ExpiredToken", "The provided token has expired."), s3.CredentialsRefused, "they have expired"},
		"no bucket":        {s3test.Says(404, "NoSuchBucket", "The specified bucket does not exist"), s3.BucketMissing, "correct the bucket in blobs.url; the work waits, and goes on by itself"},
		"another region": {s3test.Says(301, "PermanentRedirect", "elsewhere", "X-Amz-Bucket-Region", "eu-central-1"), s3.RegionWrong,
			"the bucket is in eu-central-1"},
		"a wrong clock": {s3test.Says(403, "RequestTimeTooSkewed", "The difference is too large.", "Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)),
			s3.ClockWrong, "this machine's clock is 1h0m"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.open()
			hash, err := b.Put(t.Context(), []byte("picture"))
			if err != nil {
				t.Fatal(err)
			}
			check := func(doing string, err error) {
				t.Helper()
				if slug(err) != c.slug || !strings.Contains(err.Error(), c.says) || problem.CodeOf(err) != problem.Surroundings && problem.CodeOf(err) != problem.Upstream {
					t.Errorf("%s: %v (%s, %s), want %s: %q", doing, err, problem.CodeOf(err), slug(err), c.slug, c.says)
				}
				for _, secret := range []string{"pictifyd-test-secret", "Signature"} {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("%s says a secret: %v", doing, err)
					}
				}
			}
			s.Breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
				return r.Method == http.MethodPut && c.fault(w, r, next)
			})
			s.Heard()
			_, err = b.Put(t.Context(), []byte("another"))
			check("put", err)
			if asked := s.Heard(); len(asked) != 2 && c.slug != s3.ClockWrong { // a look, and one try
				t.Errorf("asked %q", asked)
			}
			s.Breaks(c.fault)
			_, err = readAll(t.Context(), b, hash)
			check("read", err)
			check("walk", b.Walk(t.Context(), func([]blob.File) error { return nil }))
			check("ready", b.Ready(t.Context()))
			check("probe", b.Probe(t.Context()))
			check("verify", b.Verify(t.Context(), hash))
			s.Breaks(nil)
			if err := b.Ready(t.Context()); err != nil {
				t.Errorf("ready afterwards: %v", err)
			}
		})
	}
}

// Of a bucket that is missing nothing is said to be missing in it: else all pictures
// would be made again.
func TestMissingBucketIsNoMissingPicture(t *testing.T) {
	s := newSite(t)
	if _, err := s.Direct.DeleteBucket(t.Context(), &awss3.DeleteBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Fatal(err)
	}
	b := s.open()
	hash := blobtest.HashOf("picture")
	_, _, err := b.Open(t.Context(), hash)
	for doing, err := range map[string]error{
		"open": err, "verify": b.Verify(t.Context(), hash), "ready": b.Ready(t.Context()),
		"remove": func() error { _, _, err := b.Remove(t.Context(), hash, time.Now()); return err }(),
		"put":    func() error { _, err := b.Put(t.Context(), []byte("picture")); return err }(),
	} {
		if slug(err) != s3.BucketMissing || problem.CodeOf(err) != problem.Surroundings {
			t.Errorf("%s: %v (%s)", doing, err, problem.CodeOf(err))
		}
	}
}

// A Put whose end was not heard of, or that was killed in the middle, leaves all of
// the bytes or nothing under their name.
func TestPutThatIsKilledLeavesNothing(t *testing.T) {
	s := newSite(t)
	b := s.open()
	data := bytes.Repeat([]byte("picture "), 1<<17)
	ctx, kill := context.WithCancel(t.Context())
	s.Breaks(s3test.On("PUT", 1, func(_ http.ResponseWriter, r *http.Request, next http.Handler) bool {
		r.Body = io.NopCloser(io.TeeReader(r.Body, writerFunc(func(p []byte) { kill() })))
		next.ServeHTTP(discard{}, r)
		return true
	}))
	if _, err := b.Put(ctx, data); !errors.Is(err, context.Canceled) {
		t.Fatalf("put = %v", err)
	}
	s.Breaks(nil)
	for _, key := range s.Keys() {
		if got := s.Get(key); !bytes.Equal(got, data) {
			t.Errorf("%s has %d of %d bytes", key, len(got), len(data))
		}
	}
	if hash, err := b.Put(t.Context(), data); err != nil || !bytes.Equal(s.Get(s.key(hash)), data) {
		t.Errorf("put again: %v", err)
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// Bytes that were changed on the way, or there, do not pass for the picture.
func TestWrongBytesAreNoticed(t *testing.T) {
	s := newSite(t)
	b := s.open()
	data := strings.Repeat("picture ", 20_000)
	hash, err := b.Put(t.Context(), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	spoilt := s3test.Answers(func(body []byte) []byte {
		body[len(body)/2] ^= 1
		return body
	})
	s.Breaks(s3test.On("GET", 9, spoilt))
	if got, err := readAll(t.Context(), b, hash); slug(err) != blob.Damaged || len(got) >= len(data) {
		t.Errorf("read %d bytes: %v, want damaged and not all of them", len(got), err)
	}
	s.Breaks(s3test.On("GET", 1, spoilt))
	if err := b.Verify(t.Context(), hash); err != nil {
		t.Errorf("damaged on the way only: %v", err)
	}
	s.Breaks(nil)
	if got, err := readAll(t.Context(), b, hash); err != nil || got != data {
		t.Errorf("afterwards %d bytes, %v", len(got), err)
	}
}

// An answer that is cut or falls silent is gone on with where it ended.
func TestReadingGoesOnWhereAnAnswerWasCut(t *testing.T) {
	data := strings.Repeat("0123456789", 50_000)
	for name, fault := range map[string]s3test.Fault{
		"cut": s3test.Answers(func(body []byte) []byte { return body[:len(body)/3] }),
		"silent": func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = io.WriteString(w, data[:100_000])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.impatient()
			hash, err := b.Put(t.Context(), []byte(data))
			if err != nil {
				t.Fatal(err)
			}
			s.Breaks(s3test.On("GET", 1, fault))
			s.Heard()
			if got, err := readAll(t.Context(), b, hash); err != nil || got != data {
				t.Errorf("%d of %d bytes: %v", len(got), len(data), err)
			}
			if asked := s.Heard(); len(asked) < 2 {
				t.Errorf("asked %q, want a second time", asked)
			}
		})
	}
}

// What is there costs a look at most, and what was put a moment ago nothing.
func TestWhatIsThereIsNotSentAgain(t *testing.T) {
	s := newSite(t)
	b := s.open()
	hash, err := b.Put(t.Context(), []byte("picture"))
	if err != nil {
		t.Fatal(err)
	}
	s.Heard()
	if _, err := b.Put(t.Context(), []byte("picture")); err != nil || len(s.Heard()) != 0 {
		t.Errorf("put a moment ago: %v, or it was asked for", err)
	}
	s.age(hash, time.Minute)
	if _, err := b.Put(t.Context(), []byte("picture")); err != nil {
		t.Error(err)
	}
	if asked := s.Heard(); len(asked) != 1 || !strings.HasPrefix(asked[0], "HEAD ") {
		t.Errorf("of young bytes it asked %q, want one look", asked)
	}
	s.age(hash, time.Hour)
	if _, err := b.Put(t.Context(), []byte("picture")); err != nil {
		t.Error(err)
	}
	if asked := strings.Join(s.Heard(), ", "); !strings.Contains(asked, "PUT ") {
		t.Errorf("of old bytes it asked %q, want them put", asked)
	}
	head := s.Head(s.key(hash))
	if got := *head.CacheControl; got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control: %s", got)
	}
}

func TestTypesOfObjects(t *testing.T) {
	s := newSite(t)
	b := s.open()
	for data, want := range map[string]string{
		"\x89PNG\r\n\x1a\n":                  "image/png",
		"\xff\xd8\xff":                       "image/jpeg",
		"RIFF\x00\x00\x00\x00WEBPVP8 ":       "image/webp",
		"\x00\x00\x00\x20ftypavif\x00\x00":   "image/avif",
		"%PDF-1.7":                           "application/pdf",
		"wOF2":                               "font/woff2",
		"<html><script>alert(1)</script>":    "application/octet-stream",
		`<svg xmlns="http://www.w3.org/x"/>`: "application/octet-stream",
		"":                                   "application/octet-stream",
	} {
		hash, err := b.Put(t.Context(), []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if got := *s.Head(s.key(hash)).ContentType; got != want {
			t.Errorf("%q: %s, want %s", data, got, want)
		}
	}
}

// A removal that is under way while somebody else puts the same bytes: the Put waits
// until it is over, and has them there.
func TestPutWaitsForARemovalUnderWay(t *testing.T) {
	s := newSite(t)
	remover, putter := s.open(), s.open()
	hash, err := putter.Put(t.Context(), []byte("picture"))
	if err != nil {
		t.Fatal(err)
	}
	s.age(hash, 2*time.Hour)
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.Breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if r.Method == http.MethodDelete {
			once.Do(func() { close(held) })
			<-release // the remover has looked, and the bytes were old
		}
		return false
	})
	var removal sync.WaitGroup
	removal.Go(func() {
		if _, left, err := remover.Remove(t.Context(), hash, time.Now().Add(-time.Hour)); left || err != nil {
			t.Errorf("remove: left %v, %v", left, err)
		}
	})
	<-held
	var written atomic.Bool
	var put sync.WaitGroup
	put.Go(func() {
		if _, err := putter.Put(t.Context(), []byte("picture")); err != nil {
			t.Errorf("put: %v", err)
		}
		written.Store(true)
	})
	for looks := 0; looks < 2 && !written.Load(); { // the remover's, and the last step before the putter waits
		looks += strings.Count(strings.Join(s.Heard(), "\n"), "HEAD "+s.prefix+"/removing 200")
	}
	if written.Load() {
		t.Error("a Put promised bytes that a removal under way could take")
	}
	close(release)
	removal.Wait()
	put.Wait()
	if got, err := readAll(t.Context(), s.open(), hash); err != nil || got != "picture" {
		t.Errorf("promised bytes: %q, %v", got, err)
	}
}

// A removal that is sent too late, as by a process that was frozen, comes to
// nothing: the store itself refuses it.
func TestRemovalThatComesLateIsRefused(t *testing.T) {
	s := newSite(t)
	remover, putter := s.open(), s.open()
	hash, err := putter.Put(t.Context(), []byte("picture"))
	if err != nil {
		t.Fatal(err)
	}
	s.age(hash, 2*time.Hour)
	held, release := make(chan struct{}), make(chan struct{})
	s.Breaks(s3test.On("DELETE", 1, func(http.ResponseWriter, *http.Request, http.Handler) bool {
		close(held)
		<-release
		return false
	}))
	var removal sync.WaitGroup
	removal.Go(func() {
		if _, left, err := remover.Remove(t.Context(), hash, time.Now().Add(-time.Hour)); !left || err == nil || !strings.Contains(err.Error(), "too late") {
			t.Errorf("remove: left %v, %v; want refused", left, err)
		}
	})
	<-held
	began := time.Now()
	if _, err := putter.Put(t.Context(), []byte("picture")); err != nil {
		t.Errorf("put: %v", err)
	}
	if waited := time.Since(began); waited < blob.Lease(putter)/2 {
		t.Errorf("it waited for %s", waited)
	}
	close(release) // after the lease
	removal.Wait()
	if got, err := readAll(t.Context(), s.open(), hash); err != nil || got != "picture" {
		t.Errorf("promised bytes: %q, %v", got, err)
	}
	if _, left, err := remover.Remove(t.Context(), hash, time.Now().Add(-time.Hour)); !left || err != nil {
		t.Errorf("of what was put again: left %v, %v", left, err)
	}
}

// Whoever removes where another did so a moment ago waits until that one's removals
// cannot come any more, and two at a time are told of each other.
func TestOneRemovesAtATime(t *testing.T) {
	s := newSite(t)
	first, second := s.open(), s.open()
	var hashes []string
	for i := range 2 {
		hash, err := first.Put(t.Context(), fmt.Append(nil, i))
		if err != nil {
			t.Fatal(err)
		}
		s.age(hash, 2*time.Hour)
		hashes = append(hashes, hash)
	}
	if _, left, err := first.Remove(t.Context(), hashes[0], time.Now().Add(-time.Hour)); left || err != nil {
		t.Fatalf("left %v, %v", left, err)
	}
	began := time.Now()
	if _, left, err := second.Remove(t.Context(), hashes[1], time.Now().Add(-time.Hour)); left || err != nil {
		t.Fatalf("left %v, %v", left, err)
	}
	if waited := time.Since(began); waited < blob.Lease(second)/2 {
		t.Errorf("it waited for %s", waited)
	}
}

func TestProbeLeavesNothingAndSaysWhatFails(t *testing.T) {
	s := newSite(t)
	b := s.open()
	if err := b.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := s.Keys(); len(keys) != 0 {
		t.Errorf("left: %v", keys)
	}
	denied := s3test.Says(403, "AccessDenied", "Access Denied")
	for method, says := range map[string]string{"PUT": "put ", "GET": "read ", "DELETE": "remove "} {
		s.Breaks(s3test.On(method, 9, denied))
		if err := b.Probe(t.Context()); slug(err) != s3.AccessDenied || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s is denied: %v", method, err)
		}
	}
	s.Breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		return r.URL.Query().Has("list-type") && denied(w, r, next)
	})
	if err := b.Probe(t.Context()); slug(err) != s3.AccessDenied || !strings.HasPrefix(err.Error(), "list ") {
		t.Errorf("the list is denied: %v", err)
	}
}

func TestStoreThatIsAwayIsSaid(t *testing.T) {
	s := newSite(t)
	b := s.impatient()
	if err := b.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Breaks(s3test.Hangs)
	if err := b.Ready(t.Context()); err != nil {
		t.Errorf("a moment after an answer it asked: %v", err)
	}
	if _, err := b.Put(t.Context(), []byte("picture")); problem.CodeOf(err) != problem.Timeout {
		t.Errorf("put = %v", err)
	}
	if err := b.Ready(t.Context()); problem.CodeOf(err) != problem.Timeout {
		t.Errorf("ready = %v", err)
	}
	s.Proxy.CloseClientConnections()
	s.Breaks(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool { s3test.Drop(w); return true })
	if err := b.Ready(t.Context()); problem.CodeOf(err) != problem.Upstream {
		t.Errorf("ready = %v", err)
	}
}
