package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/s3"
)

// Damaged is the slug of bytes that no longer have their hash.
const Damaged = "blob_damaged"

const (
	headSize = 4 << 10  // of the beginning of an object that is remembered: whoever sniffs goes back to it
	skipSize = 64 << 10 // less is read and dropped rather than asked for anew
)

// Open implements Store. Nothing is fetched before the first Read. Who reads from
// the beginning to the end has the bytes proved by their hash: damaged ones end in
// an error instead of their last part.
func (b *Bucket) Open(ctx context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	if !valid(hash) {
		return nil, 0, missing(hash)
	}
	size, ok := b.known.size(hash)
	if !ok || !b.answers() { // of a store that is away the fault is said here, and not in the middle of an answer
		found, err := b.look(ctx, b.key(hash))
		if err != nil {
			return nil, 0, err
		}
		if !found.there {
			if err := b.list(ctx); err != nil { // the bucket itself may be what is missing
				return nil, 0, err
			}
			return nil, 0, missing(hash)
		}
		size = found.size
	}
	return &reader{bucket: b, ctx: ctx, name: hash, size: size, digest: sha256.New()}, size, nil
}

// Verify implements Store.
func (b *Bucket) Verify(ctx context.Context, hash string) error {
	var err error
	for range 2 { // the second time may show that they were damaged on the way only
		b.known.drop(hash)
		if err = b.readAll(ctx, hash); !isDamaged(err) {
			return err
		}
	}
	at, announceErr := b.announce(ctx)
	if announceErr != nil {
		return errors.Join(err, announceErr)
	}
	if err := b.delete(ctx, hash, at); err != nil {
		return fmt.Errorf("remove damaged blob %s: %w", hash, err)
	}
	return missing(hash)
}

func (b *Bucket) readAll(ctx context.Context, hash string) error {
	r, _, err := b.Open(ctx, hash)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

func isDamaged(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Slug == Damaged
}

// A reader is the bytes of an object, in as many requests as it takes.
type reader struct {
	bucket *Bucket
	ctx    context.Context //nolint:containedctx // what is read ends with it
	name   string
	size   int64
	pos    int64 // of the next Read

	body   *body
	failed int    // requests in a row of which nothing came
	head   []byte // the first bytes

	digest hash.Hash // of the first proved bytes
	proved int64
}

// A body is an answer of which something is still to come. It is ended when it is
// silent for too long.
type body struct {
	io.ReadCloser

	at       int64 // of its next byte
	cancel   context.CancelFunc
	watchdog *time.Timer
	silent   context.Context //nolint:containedctx // done once it was ended for its silence
}

// Seek implements io.Seeker. It asks for nothing.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning of a blob")
	}
	r.pos = offset
	return offset, nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.drop()
	return nil
}

// drop ends the answer. A rest that is short is read, so that its connection can be
// used again.
func (r *reader) drop() {
	if r.body == nil {
		return
	}
	if r.size-r.body.at <= skipSize {
		r.body.watchdog.Reset(r.bucket.timeout)
		_, _ = io.Copy(io.Discard, r.body)
	}
	r.body.watchdog.Stop()
	_ = r.body.Close()
	r.body.cancel()
	r.body = nil
}

// Read implements io.Reader. Where the answer is cut it asks for the rest.
func (r *reader) Read(p []byte) (int, error) {
	if r.pos >= r.size {
		return 0, r.prove()
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.pos < int64(len(r.head)) {
		n := copy(p, r.head[r.pos:])
		r.pos += int64(n)
		return n, nil
	}
	p = p[:min(int64(len(p)), r.size-r.pos)]
	for {
		n, err := r.fetch(p)
		if n > 0 {
			r.failed = 0
			r.saw(p[:n])
			if r.pos == r.size && r.proved == r.size {
				if err := r.prove(); !errors.Is(err, io.EOF) {
					return 0, err // so that whoever copies does not think that all came
				}
			}
			return n, nil
		}
		r.drop()
		if r.failed++; r.failed >= tries || s3.IsMissing(err) || r.ctx.Err() != nil {
			return 0, err
		}
		if failure := (*s3.Failure)(nil); errors.As(err, &failure) && !failure.Passing() {
			return 0, err
		}
		if pause(r.ctx, r.bucket.backoff.Next(r.failed)) != nil {
			return 0, err
		}
	}
}

// prove is io.EOF, unless everything was read and has another hash.
func (r *reader) prove() error {
	if r.proved != r.size || hex.EncodeToString(r.digest.Sum(nil)) == r.name {
		return io.EOF
	}
	return problem.New(problem.Upstream, "the bytes that the bucket %q has, or sent, under %s are not those that were put", r.bucket.name, r.name).WithSlug(Damaged).
		WithHint("see what stands between here and the store; delete the object, and it is made again")
}

// saw takes note of bytes that came.
func (r *reader) saw(p []byte) {
	if r.proved == r.pos {
		r.digest.Write(p)
		r.proved += int64(len(p))
	}
	if r.pos == int64(len(r.head)) && len(r.head) < headSize {
		r.head = append(r.head, p[:min(len(p), headSize-len(r.head))]...)
	}
	r.pos += int64(len(p))
}

// fetch reads what comes next of an answer, and asks for one where there is none.
func (r *reader) fetch(p []byte) (int, error) {
	if r.body != nil && r.body.at != r.pos {
		if ahead := r.pos - r.body.at; ahead < 0 || ahead > skipSize || r.skip(ahead) != nil {
			r.drop()
		}
	}
	if r.body == nil {
		if err := r.get(); err != nil {
			return 0, err
		}
	}
	r.body.watchdog.Reset(r.bucket.timeout)
	n, err := r.body.Read(p)
	r.body.watchdog.Stop()
	r.body.at += int64(n)
	if n == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		err = r.bucket.client.Failed(r.ctx, r.body.silent, "read", r.bucket.key(r.name), err)
		r.bucket.heardCut(err)
		return 0, err
	}
	return n, nil
}

func (r *reader) skip(n int64) error {
	r.body.watchdog.Reset(r.bucket.timeout)
	skipped, err := io.CopyN(io.Discard, r.body, n)
	r.body.watchdog.Stop()
	r.body.at += skipped
	return err
}

// get asks for the bytes from pos on.
func (r *reader) get() error {
	b, key := r.bucket, r.bucket.key(r.name)
	within, cancel := context.WithCancel(r.ctx)
	watchdog := time.AfterFunc(b.timeout, cancel)
	in := &awss3.GetObjectInput{Bucket: &b.name, Key: &key}
	if r.pos > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.pos))
	}
	sent := time.Now()
	out, err := b.client.GetObject(within, in)
	if err != nil {
		watchdog.Stop()
		err = b.note(b.client.Failed(r.ctx, within, "read", key, err))
		b.heard("get", sent, err)
		cancel()
		if s3.IsMissing(err) {
			b.known.drop(r.name)
			return missing(r.name)
		}
		return err
	}
	watchdog.Stop()
	_ = b.note(nil)
	b.heard("get", sent, nil)
	r.body = &body{out.Body, r.pos, cancel, watchdog, within}
	if r.pos+aws.ToInt64(out.ContentLength) != r.size {
		r.drop()
		return problem.New(problem.Upstream, "the bucket %q sent %d bytes of %s from byte %d on, of %d in all", b.name, aws.ToInt64(out.ContentLength), r.name, r.pos, r.size).
			WithSlug(Damaged).WithHint("see what stands between here and the store")
	}
	return nil
}
