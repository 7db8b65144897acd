package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/s3"
)

// BucketFailed is the slug of what a bucket's store answered, where none says more.
const BucketFailed = "bucket_failed"

const (
	tries    = 4               // of one request, where another may well succeed
	patience = 5 * time.Second // how long a store's Retry-After is waited for here; beyond it the work waits
	fresh    = 5 * time.Second // how long an answer says that the store is there
)

// terms are the times of the protocol that keeps Put and Remove apart: see the
// package's comment. The store's clock tells seconds.
type terms struct {
	young  time.Duration // how long bytes that are there are trusted, and not written anew
	margin time.Duration // by which LastModified may be earlier than the end of a Put
	lease  time.Duration // how long after a session's beginning the store lets a removal in
	late   time.Duration // how much longer one that was let in may take, and the grain of its clock
}

var usual = terms{young: 5 * time.Minute, margin: time.Minute, lease: 6 * time.Second, late: 4 * time.Second}

// A Bucket keeps bytes by their hash in a bucket of a store that speaks S3. It is
// safe for concurrent use, and so are several processes with one bucket.
type Bucket struct {
	client   *s3.Client
	name     string
	prefix   string
	timeout  time.Duration
	terms    terms
	backoff  retry.Backoff
	known    *known
	session  sessions
	hear     func(Request) // nil: nobody listens
	answered atomic.Int64  // unix nanoseconds of the last good answer; 0: none since a bad one
}

// OpenBucket opens the bucket that c names. It reaches no network.
func OpenBucket(c Config, dir string) (*Bucket, error) {
	a, problems := bucketOf(c)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if a.CredentialsFile != "" && !filepath.IsAbs(a.CredentialsFile) {
		a.CredentialsFile = filepath.Join(dir, a.CredentialsFile)
	}
	client, err := s3.Open(a.Place, nil)
	if err != nil {
		return nil, fmt.Errorf("open bucket %q of blobs: %w", a.Bucket, err)
	}
	return &Bucket{
		client: client, name: a.Bucket, prefix: a.prefix, timeout: a.Timeout, terms: usual,
		backoff: retry.Backoff{Base: 100 * time.Millisecond, Max: 2 * time.Second},
		known:   newKnown(), session: sessions{by: rand.Text()},
	}, nil
}

// Close implements Store.
func (b *Bucket) Close() error { return nil }

// Free implements Store: no bucket says how much it takes.
func (b *Bucket) Free() (int64, error) { return math.MaxInt64, nil }

// Temporary implements Store. Nothing is kept on this machine's disk but what is
// made to be sent.
func (b *Bucket) Temporary() string { return os.TempDir() }

// Where implements Prober.
func (b *Bucket) Where() string {
	return strings.TrimSuffix(bucketScheme+b.name+"/"+b.prefix, "/")
}

// key has the same folders as those of a Folder: so one can be copied to the other.
func (b *Bucket) key(hash string) string {
	return b.prefix + hash[:2] + "/" + hash[2:4] + "/" + hash
}

// seen is what the store says of an object.
type seen struct {
	there    bool
	size     int64
	etag     string
	modified time.Time
	now      time.Time // by the store's clock; zero where it told none
}

// age is how long the object has been as it is, by the store's clock. Without one
// it is as old as anything.
func (s seen) age() time.Duration {
	if s.now.IsZero() || s.modified.IsZero() {
		return math.MaxInt64
	}
	return s.now.Sub(s.modified)
}

// clockOf is when the store answered, by its own clock.
func clockOf(m middleware.Metadata) time.Time {
	at, _ := awsmiddleware.GetServerTime(m)
	return at
}

// look asks for what is known of the object under key.
func (b *Bucket) look(ctx context.Context, key string) (s seen, err error) {
	err = b.ask(ctx, "head", "look at", key, func(ctx context.Context) error {
		out, err := b.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &b.name, Key: &key})
		if err != nil {
			return err
		}
		s = seen{true, aws.ToInt64(out.ContentLength), strings.Trim(aws.ToString(out.ETag), `"`), aws.ToTime(out.LastModified), clockOf(out.ResultMetadata)}
		return nil
	})
	if s3.IsMissing(err) {
		return seen{}, nil
	}
	var f *s3.Failure
	if errors.As(err, &f) && f.Status >= http.StatusBadRequest && f.Status < http.StatusInternalServerError {
		if said := b.list(ctx); said != nil { // an answer to HEAD has no words
			return s, said
		}
	}
	return s, err
}

// ask makes a request, again where it may well succeed a moment later. doing is the
// operation for people.
func (b *Bucket) ask(ctx context.Context, operation, doing, key string, request func(context.Context) error) error {
	began := time.Now()
	for n := 1; ; n++ {
		sent := time.Now()
		err := b.note(b.client.Call(ctx, doing, key, request))
		b.heard(operation, sent, err)
		var f *s3.Failure
		if err == nil || n == tries || !errors.As(err, &f) || !f.Passing() {
			return err
		}
		wait := b.backoff.Next(n)
		if asked, ok := retry.Wait(err); ok {
			if asked > patience {
				return err
			}
			wait = max(wait, asked)
		}
		if time.Since(began)+wait > max(2*b.timeout, patience) {
			return err
		}
		if pause(ctx, wait) != nil {
			return err
		}
	}
}

// note remembers whether the store answers.
func (b *Bucket) note(err error) error {
	switch {
	case err == nil:
		b.answered.Store(time.Now().UnixNano())
	case !s3.IsMissing(err):
		b.answered.Store(0)
	}
	return err
}

// answers reports whether the store gave a good answer a moment ago, and no bad one
// since.
func (b *Bucket) answers() bool {
	at := b.answered.Load()
	return at != 0 && time.Since(time.Unix(0, at)) < fresh
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// readyLimit is how long the store may take to say that it is there.
const readyLimit = 2 * time.Second

// Ready implements Prober.
func (b *Bucket) Ready(ctx context.Context) error {
	if b.answers() {
		return nil
	}
	timed, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	err := b.list(timed)
	if timed.Err() != nil && ctx.Err() == nil {
		err = problem.New(problem.Timeout, "list the bucket %q: no answer within %s", b.name, readyLimit).WithSlug(BucketFailed).
			WithHint("see that the store runs; the work waits, and goes on by itself")
	}
	return err
}

// list asks for one name. HeadBucket would do, but its answer has no body, so that
// a wrong key could not be told from a policy, nor a missing bucket from an object.
func (b *Bucket) list(ctx context.Context) error {
	return b.ask(ctx, "list", "list", "", func(ctx context.Context) error {
		_, err := b.client.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &b.name, Prefix: &b.prefix, MaxKeys: aws.Int32(1)})
		return err
	})
}
