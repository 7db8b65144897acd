package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// A store is a bucket of its own on the real server, behind a proxy that can be
// told to fail.
type store struct {
	tb     testing.TB
	bucket string
	user   *url.Userinfo
	region string
	direct *awss3.Client // past the proxy
	proxy  *httptest.Server

	mu    sync.Mutex
	fault fault    // nil: none
	asked []string // METHOD key status, of what the sink asked
}

// A fault answers in place of the server, or has next do it. It reports whether it
// has anything to do with the request.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler) bool

var buckets atomic.Int64

// newStore makes an empty bucket.
func newStore(tb testing.TB) *store {
	tb.Helper()
	text := os.Getenv("PICTIFYD_TEST_S3")
	if text == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_S3 is not set")
		}
		tb.Skip("PICTIFYD_TEST_S3 is not set: make test sets it")
	}
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	secret, _ := u.User.Password()
	s := &store{tb: tb, user: u.User, region: u.Query().Get("region"), bucket: fmt.Sprintf("test-%d-%d-%d", os.Getpid(), time.Now().UnixMilli()%1e6, buckets.Add(1))}
	s.direct = awss3.New(awss3.Options{
		Region: s.region, BaseEndpoint: aws.String("http://" + u.Host), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(u.User.Username(), secret, ""),
	})
	if _, err := s.direct.CreateBucket(tb.Context(), &awss3.CreateBucketInput{Bucket: &s.bucket}); err != nil {
		tb.Fatalf("make a bucket: %v", err)
	}
	tb.Cleanup(s.empty)
	// The signature is of the address that was asked, so it is handed on.
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: u.Host})
			r.Out.Host = r.In.Host
		},
		ErrorLog: nil,
	}
	s.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w}
		s.mu.Lock()
		broken := s.fault
		s.mu.Unlock()
		if broken == nil || !broken(seen, r, forward) {
			forward.ServeHTTP(seen, r)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, fmt.Sprintf("%s %s %d", r.Method, strings.TrimPrefix(r.URL.Path, "/"+s.bucket+"/"), seen.status))
	}))
	tb.Cleanup(s.proxy.Close)
	return s
}

type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// empty takes the bucket away.
func (s *store) empty() {
	ctx := context.Background()
	for _, key := range s.keys() {
		_, _ = s.direct.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &s.bucket, Key: &key})
	}
	_, _ = s.direct.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: &s.bucket})
}

// breaks has every request meet f until it is called with nil.
func (s *store) breaks(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// heard is what was asked since the last time.
func (s *store) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// keys are those of the bucket, sorted.
func (s *store) keys() (keys []string) {
	pages := awss3.NewListObjectsV2Paginator(s.direct, &awss3.ListObjectsV2Input{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			s.tb.Logf("list %s: %v", s.bucket, err)
			return nil
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// get is the bytes of an object.
func (s *store) get(key string) []byte {
	s.tb.Helper()
	out, err := s.direct.GetObject(context.Background(), &awss3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		s.tb.Errorf("get %q: %v", key, err)
		return nil
	}
	data, err := io.ReadAll(out.Body)
	if err != nil {
		s.tb.Errorf("get %q: %v", key, err)
	}
	return data
}

// objects are the keys of the bucket, with their bytes.
func (s *store) objects() map[string][]byte {
	found := map[string][]byte{}
	for _, key := range s.keys() {
		found[key] = s.get(key)
	}
	return found
}

func (s *store) head(key string) *awss3.HeadObjectOutput {
	s.tb.Helper()
	out, err := s.direct.HeadObject(s.tb.Context(), &awss3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		s.tb.Fatalf("head %q: %v", key, err)
	}
	return out
}

// config is one that reaches the bucket through the proxy.
func (s *store) config(change func(*s3.Config)) *s3.Config {
	c := s3.Kind.Config().(*s3.Config)
	secret, _ := s.user.Password()
	c.Bucket, c.Path, c.Endpoint, c.Region = s.bucket, "{{ key }}-{{ output }}.{{ ext }}", s.proxy.URL, s.region
	c.AccessKey, c.SecretKey = config.NewSecret(s.user.Username()), config.NewSecret(secret)
	if change != nil {
		change(c)
	}
	return c
}

func (s *store) sink(change func(*s3.Config)) sink.Sink {
	s.tb.Helper()
	return mustOpen(s.tb, s.config(change), sinktest.OpenPicture)
}

func mustOpen(tb testing.TB, c *s3.Config, open func(context.Context, string) (io.ReadCloser, error)) sink.Sink {
	tb.Helper()
	if err := c.Validate(); err != nil {
		tb.Fatalf("validate: %v", err)
	}
	to, err := s3.Kind.New(c, sink.Env{Name: "bucket", Dir: tb.TempDir(), Bytes: open})
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	return to
}

func mustDeliver(tb testing.TB, to sink.Sink, d sink.Delivery) sink.Receipt {
	tb.Helper()
	receipt, err := to.Deliver(tb.Context(), d)
	if err != nil {
		tb.Fatalf("deliver: %v", err)
	}
	return receipt
}

// says answers as S3 does where something is wrong.
func says(status int, code, message string, header ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message><RequestId>r-1</RequestId></Error>`, code, message)
		return true
	}
}

// hangs takes what comes and does not answer.
func hangs(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// cuts takes half of a body and closes the connection.
func cuts(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
	drop(w)
	return true
}

// swallows has the server do what it is asked, and loses the answer.
func swallows(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	next.ServeHTTP(httptest.NewRecorder(), r)
	drop(w)
	return true
}

// late has the server do what it is asked, and never answers.
func late(_ http.ResponseWriter, r *http.Request, next http.Handler) bool {
	next.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
	<-r.Context().Done()
	return true
}

// spoils changes a byte on the way.
func spoils(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	data, err := io.ReadAll(r.Body)
	if err != nil || len(data) == 0 {
		return false
	}
	data[len(data)/2] ^= 1
	r.Body = io.NopCloser(bytes.NewReader(data))
	next.ServeHTTP(w, r)
	return true
}

func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(errors.Join(errors.New("hijack"), err))
	}
	_ = conn.Close()
}

// on is f for the requests of a method alone, the first n of them.
func on(method string, n int, f fault) fault {
	var met atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		return r.Method == method && met.Add(1) <= int64(n) && f(w, r, next)
	}
}

func md5Of(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // as stores do
	return hex.EncodeToString(sum[:])
}
