package s3_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"testing"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/s3test"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// A store is a bucket of its own on the real server, behind a proxy that can be
// told to fail.
type store struct {
	*s3test.Server

	tb     testing.TB
	bucket string
	direct *awss3.Client
}

func newStore(tb testing.TB) *store {
	tb.Helper()
	server := s3test.New(tb)
	return &store{server, tb, server.Bucket, server.Direct}
}

type fault = s3test.Fault

var (
	says     = s3test.Says
	hangs    = s3test.Hangs
	cuts     = s3test.Cuts
	swallows = s3test.Swallows
	late     = s3test.Late
	spoils   = s3test.Spoils
	on       = s3test.On
)

func (s *store) breaks(f fault)                          { s.Breaks(f) }
func (s *store) heard() []string                         { return s.Heard() }
func (s *store) keys() []string                          { return s.Keys() }
func (s *store) get(key string) []byte                   { s.tb.Helper(); return s.Get(key) }
func (s *store) head(key string) *awss3.HeadObjectOutput { s.tb.Helper(); return s.Head(key) }

// objects are the keys of the bucket, with their bytes.
func (s *store) objects() map[string][]byte {
	found := map[string][]byte{}
	for _, key := range s.keys() {
		found[key] = s.get(key)
	}
	return found
}

// config is one that reaches the bucket through the proxy.
func (s *store) config(change func(*s3.Config)) *s3.Config {
	c := s3.Kind.Config().(*s3.Config)
	secret, _ := s.User.Password()
	c.Bucket, c.Path, c.Endpoint, c.Region = s.bucket, "{{ key }}-{{ output }}.{{ ext }}", s.Proxy.URL, s.Region
	c.AccessKey, c.SecretKey = config.NewSecret(s.User.Username()), config.NewSecret(secret)
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

func md5Of(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // as stores do
	return hex.EncodeToString(sum[:])
}
