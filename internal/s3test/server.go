// Package s3test has a bucket of the real server of the tests behind a proxy that
// can be told to fail.
package s3test

import (
	"context"
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
)

// A Server is a bucket of its own on the real server, behind a proxy.
type Server struct {
	Bucket string
	User   *url.Userinfo
	Region string
	Direct *awss3.Client // past the proxy
	Proxy  *httptest.Server

	tb      testing.TB
	forward http.Handler

	mu    sync.Mutex
	fault Fault                    // nil: none
	asked []string                 // METHOD key status, of what came through the proxy
	aged  map[string]time.Duration // by which objects seem older, by key
}

// A Fault answers in place of the server, or has next do it. It reports whether it
// has anything to do with the request.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler) bool

var buckets atomic.Int64

// New makes an empty bucket, or skips the test where there is no server.
func New(tb testing.TB) *Server {
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
	s := &Server{
		tb: tb, User: u.User, Region: u.Query().Get("region"), aged: map[string]time.Duration{},
		Bucket: fmt.Sprintf("test-%d-%d-%d", os.Getpid(), time.Now().UnixMilli()%1e6, buckets.Add(1)),
	}
	s.Direct = awss3.New(awss3.Options{
		Region: s.Region, BaseEndpoint: aws.String("http://" + u.Host), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(u.User.Username(), secret, ""),
	})
	if _, err := s.Direct.CreateBucket(tb.Context(), &awss3.CreateBucketInput{Bucket: &s.Bucket}); err != nil {
		tb.Fatalf("make a bucket: %v", err)
	}
	tb.Cleanup(s.empty)
	// The signature is of the address that was asked, so it is handed on.
	s.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: u.Host})
			r.Out.Host = r.In.Host
		},
		ModifyResponse: s.age,
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	s.Proxy = httptest.NewServer(http.HandlerFunc(s.serve))
	tb.Cleanup(s.Proxy.Close)
	return s
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	seen := &statusWriter{ResponseWriter: w}
	s.mu.Lock()
	broken := s.fault
	s.mu.Unlock()
	if broken == nil || !broken(seen, r, s.forward) {
		s.forward.ServeHTTP(seen, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf("%s %s %d", r.Method, s.key(r), seen.status))
}

func (s *Server) key(r *http.Request) string {
	return strings.TrimPrefix(r.URL.Path, "/"+s.Bucket+"/")
}

// age has objects seem older than they are. What is put anew is as old as it is.
func (s *Server) age(answer *http.Response) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.key(answer.Request)
	by, aged := s.aged[key]
	if !aged || answer.StatusCode != http.StatusOK {
		return nil
	}
	if answer.Request.Method == http.MethodPut {
		delete(s.aged, key)
		return nil
	}
	if at, err := http.ParseTime(answer.Header.Get("Last-Modified")); err == nil {
		answer.Header.Set("Last-Modified", at.Add(-by).Format(http.TimeFormat))
	}
	return nil
}

// Age has the object under key seem to be put that much earlier, until it is put
// anew.
func (s *Server) Age(key string, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aged[key] += by
}

// Breaks has every request meet f; nil: none.
func (s *Server) Breaks(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Heard is what was asked since the last time.
func (s *Server) Heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// Keys are those of the bucket, sorted.
func (s *Server) Keys() (keys []string) {
	pages := awss3.NewListObjectsV2Paginator(s.Direct, &awss3.ListObjectsV2Input{Bucket: &s.Bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			s.tb.Logf("list %s: %v", s.Bucket, err)
			return nil
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Get is the bytes of an object.
func (s *Server) Get(key string) []byte {
	s.tb.Helper()
	out, err := s.Direct.GetObject(context.Background(), &awss3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		s.tb.Errorf("get %q: %v", key, err)
		return nil
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		s.tb.Errorf("get %q: %v", key, err)
	}
	return data
}

// Put puts an object past the proxy.
func (s *Server) Put(key, data string) {
	s.tb.Helper()
	if _, err := s.Direct.PutObject(context.Background(), &awss3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: strings.NewReader(data)}); err != nil {
		s.tb.Fatalf("put %q: %v", key, err)
	}
}

// Head is what is known of an object.
func (s *Server) Head(key string) *awss3.HeadObjectOutput {
	s.tb.Helper()
	out, err := s.Direct.HeadObject(s.tb.Context(), &awss3.HeadObjectInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		s.tb.Fatalf("head %q: %v", key, err)
	}
	return out
}

// empty takes the bucket away.
func (s *Server) empty() {
	ctx := context.Background()
	for _, key := range s.Keys() {
		_, _ = s.Direct.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &s.Bucket, Key: &key})
	}
	_, _ = s.Direct.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: &s.Bucket})
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
