package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/s3"
)

// removerName is the metadata that says whose session the marker is of.
const removerName = "pictifyd-remover"

// markerText is for whoever finds the object.
const markerText = "pictifyd removes bytes that nothing shows, and says here since when. See docs/operations.md.\n"

// marker is the key of the object that says since when somebody removes.
func (b *Bucket) marker() string { return b.prefix + "removing" }

// sessions are those in which this process removes.
type sessions struct {
	by string

	mu    sync.Mutex
	now   session
	begun time.Time // when it was announced, by this process's clock; zero: never
}

// A session is what removals are signed as of, by the store's clock.
type session struct{ at time.Time }

// Walk implements Store.
func (b *Bucket) Walk(ctx context.Context, visit func(page []File) error) error {
	in := awss3.ListObjectsV2Input{Bucket: &b.name, Prefix: &b.prefix, MaxKeys: aws.Int32(walkPage)}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var out *awss3.ListObjectsV2Output
		if err := b.ask(ctx, "list", "list", "", func(ctx context.Context) (err error) {
			out, err = b.client.ListObjectsV2(ctx, &in)
			return err
		}); err != nil {
			return err
		}
		var ahead time.Duration // the store's clock
		if now := clockOf(out.ResultMetadata); !now.IsZero() {
			ahead = time.Until(now)
		}
		page := make([]File, 0, len(out.Contents))
		for _, o := range out.Contents {
			key := aws.ToString(o.Key)
			hash := key[strings.LastIndexByte(key, '/')+1:]
			if valid(hash) && key == b.key(hash) {
				page = append(page, File{hash, aws.ToInt64(o.Size), aws.ToTime(o.LastModified).Add(-ahead)})
			}
		}
		if len(page) > 0 {
			if err := visit(page); err != nil {
				return err
			}
		}
		if !aws.ToBool(out.IsTruncated) || out.NextContinuationToken == nil {
			return nil
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// Remove implements Store. Bytes stay as long as they are trusted longer than the
// caller asks for: see terms.
func (b *Bucket) Remove(ctx context.Context, hash string, before time.Time) (freed int64, left bool, err error) {
	if !valid(hash) {
		return 0, false, nil
	}
	// The moment of the caller is by another clock than the store's: only how long
	// ago it was means the same there.
	rest := max(time.Since(before), 0) + b.terms.young + b.terms.margin
	if !b.session.open(b.terms) {
		if found, err := b.look(ctx, b.key(hash)); err != nil {
			return 0, true, err
		} else if !found.there {
			err := b.list(ctx) // in a bucket that is missing nothing is known to be
			return 0, err != nil, err
		} else if found.age() < rest || found.now.IsZero() {
			return 0, true, nil
		}
	}
	for n := 1; ; n++ {
		in, err := b.announce(ctx)
		if err != nil {
			return 0, true, err
		}
		found, err := b.look(ctx, b.key(hash))
		switch {
		case err != nil:
			return 0, true, err
		case !found.there:
			return 0, false, nil
		case found.age() < rest || found.now.IsZero():
			return 0, true, nil
		}
		err = b.delete(ctx, hash, in)
		var f *s3.Failure
		switch {
		case err == nil:
			return found.size, false, nil
		case n == tries, !errors.As(err, &f), f.Status < http.StatusInternalServerError:
			return 0, true, err // where there was no answer it may still come to something, until the lease is over
		}
		if pause(ctx, b.backoff.Next(n)) != nil {
			return 0, true, err
		}
	}
}

// open reports whether removals may still be begun in the session.
func (s *sessions) open(t terms) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh(t)
}

func (s *sessions) fresh(t terms) bool { return !s.begun.IsZero() && time.Since(s.begun) < t.lease/2 }

// announce begins a session, or goes on with the one that was begun a moment ago.
func (b *Bucket) announce(ctx context.Context) (session, error) {
	s := &b.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh(b.terms) {
		return s.now, nil
	}
	if err := b.awaitOthers(ctx); err != nil {
		return session{}, err
	}
	begun := time.Now()
	if err := b.ask(ctx, "put", "put", b.marker(), func(ctx context.Context) error {
		_, err := b.client.PutObject(ctx, &awss3.PutObjectInput{
			Bucket: &b.name, Key: aws.String(b.marker()), Body: strings.NewReader(markerText), ContentLength: aws.Int64(int64(len(markerText))),
			ContentType: aws.String("text/plain"), Metadata: map[string]string{removerName: s.by},
		})
		return err
	}); err != nil {
		return session{}, err
	}
	seen, by, err := b.announced(ctx)
	switch {
	case err != nil:
		return session{}, err
	case by != s.by || seen.modified.IsZero():
		return session{}, errOthers(b.Where())
	}
	s.now, s.begun = session{seen.modified}, begun
	return s.now, nil
}

// awaitOthers returns once the session of whoever removed here before is over: a
// daemon that has died, as a rule.
func (b *Bucket) awaitOthers(ctx context.Context) error {
	seen, by, err := b.announced(ctx)
	if err != nil || !seen.there || by == b.session.by {
		return err
	}
	if rest := b.terms.lease + b.terms.late - seen.age(); rest > 0 {
		return pause(ctx, min(rest, b.terms.lease+b.terms.late))
	}
	return nil
}

func errOthers(where string) error {
	return problem.New(problem.Conflict, "another process removes bytes from %s at the moment", where).
		WithHint("nothing is lost, and it is tried again; if that goes on, see that no two daemons with stores of their own have one bucket and prefix")
}

// announced is the newest session, and whose it is.
func (b *Bucket) announced(ctx context.Context) (s seen, by string, err error) {
	key := b.marker()
	err = b.ask(ctx, "head", "look at", key, func(ctx context.Context) error {
		out, err := b.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &b.name, Key: &key})
		if err != nil {
			return err
		}
		s = seen{there: true, modified: aws.ToTime(out.LastModified), now: clockOf(out.ResultMetadata)}
		by = out.Metadata[removerName]
		return nil
	})
	if s3.IsMissing(err) {
		return seen{}, "", nil
	}
	return s, by, err
}

// delete removes the bytes of hash, unless the request comes to the store after the
// lease of its session. The request is made once: whoever makes another looks again
// before, whether somebody put the bytes meanwhile.
func (b *Bucket) delete(ctx context.Context, hash string, in session) error {
	b.known.drop(hash)
	key := b.key(hash)
	began := time.Now()
	signer := awss3.NewPresignClient(b.client.Client, func(o *awss3.PresignOptions) {
		o.Expires = b.terms.lease
		o.Presigner = signedAsOf{v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), in.at}
	})
	signed, err := signer.PresignDeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return b.client.Failed(ctx, ctx, "remove", key, err)
	}
	request, err := http.NewRequestWithContext(ctx, signed.Method, signed.URL, nil)
	if err != nil {
		return fmt.Errorf("remove %q: its signed address is none", key) // the error has the signature in it
	}
	for name, values := range signed.SignedHeader {
		if !strings.EqualFold(name, "host") {
			request.Header[name] = values
		}
	}
	sent := time.Now()
	err = b.note(b.client.Do(ctx, "remove", key, request))
	b.heard("delete", sent, err)
	switch {
	case s3.IsMissing(err):
		return nil
	case s3.IsForbidden(err) && time.Since(began) > b.terms.lease/2:
		return problem.New(problem.Timeout, "remove %q: the request came to the bucket %q too late, and was refused", key, b.name).WithSlug(BucketFailed).
			WithHint("it is tried again")
	}
	return err
}

// signedAsOf signs as of a moment of the store's clock.
type signedAsOf struct {
	*v4.Signer

	at time.Time
}

// PresignHTTP implements s3.HTTPPresignerV4.
func (s signedAsOf) PresignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, _ time.Time,
	options ...func(*v4.SignerOptions),
) (string, http.Header, error) {
	return s.Signer.PresignHTTP(ctx, c, r, payload, service, region, s.at, options...)
}
