package blob_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/s3test"
	"github.com/pictifyd/pictifyd/store/blob"
	"github.com/pictifyd/pictifyd/store/blob/blobtest"
)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func TestFolderConforms(t *testing.T) {
	blobtest.Run(t, func(tb testing.TB) blobtest.Subject {
		dir := tb.TempDir()
		path := func(hash string) string { return filepath.Join(dir, "images", hash[:2], hash[2:4], hash) }
		open := func() blob.Store {
			s := must[blob.Store](tb)(blob.Open(blob.Config{URL: "file:images"}, dir))
			tb.Cleanup(func() { s.Close() })
			return s
		}
		return blobtest.Subject{
			Store:   open(),
			Another: open,
			Age: func(hash string, by time.Duration) {
				info := must[os.FileInfo](tb)(os.Stat(path(hash)))
				at := info.ModTime().Add(-by)
				if err := os.Chtimes(path(hash), at, at); err != nil {
					tb.Fatal(err)
				}
			},
			Damage: func(hash string, data []byte) {
				if err := os.WriteFile(path(hash), data, 0o644); err != nil {
					tb.Fatal(err)
				}
			},
			Foreign: func(hash string) {
				if err := os.WriteFile(path(hash)+".part", nil, 0o644); err != nil {
					tb.Fatal(err)
				}
			},
		}
	})
}

// configOf is one that reaches the server through its proxy.
func configOf(s *s3test.Server, prefix string) blob.Config {
	secret, _ := s.User.Password()
	return blob.Config{
		URL:       fmt.Sprintf("s3://%s/%s?region=%s&endpoint=%s", s.Bucket, prefix, s.Region, s.Proxy.URL),
		AccessKey: config.NewSecret(s.User.Username()), SecretKey: config.NewSecret(secret),
	}
}

// A site is a bucket with the processes that have it open.
type site struct {
	*s3test.Server

	tb     testing.TB
	prefix string
	opened []*blob.Bucket
}

func newSite(tb testing.TB) *site {
	tb.Helper()
	return &site{Server: s3test.New(tb), tb: tb, prefix: "pictures/here"}
}

func (s *site) open() *blob.Bucket {
	s.tb.Helper()
	b := must[*blob.Bucket](s.tb)(blob.OpenBucket(configOf(s.Server, s.prefix), s.tb.TempDir()))
	blob.Hasten(b)
	s.opened = append(s.opened, b)
	return b
}

func (s *site) key(hash string) string {
	return s.prefix + "/" + hash[:2] + "/" + hash[2:4] + "/" + hash
}

// age has an object seem older, also to those who saw it when it was younger.
func (s *site) age(hash string, by time.Duration) {
	s.Age(s.key(hash), by)
	for _, b := range s.opened {
		blob.Forget(b, hash)
	}
}

func TestBucketConforms(t *testing.T) {
	blobtest.Run(t, func(tb testing.TB) blobtest.Subject {
		s := newSite(tb)
		return blobtest.Subject{
			Store:   s.open(),
			Another: func() blob.Store { return s.open() },
			Age:     s.age,
			Damage: func(hash string, data []byte) {
				s.Put(s.key(hash), string(data))
				for _, b := range s.opened {
					blob.Forget(b, hash)
				}
			},
			Foreign: func(hash string) {
				s.Put(s.key(hash)+".part", "")
				s.Put(s.prefix+"/"+hash, "")
				s.Put(s.prefix+"else/"+hash, "")
			},
			Slack:  10 * time.Minute,
			Shared: true,
		}
	})
}
