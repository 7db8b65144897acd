package s3

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is the digest that every store checks
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pictifyd/pictifyd/internal/problem"
	buckets "github.com/pictifyd/pictifyd/internal/s3"
)

// BytesDiffer is the slug of bytes that are not those of the picture, here or there.
const BytesDiffer = "bytes_differ"

// digests are those of some bytes.
type digests struct {
	md5    [md5.Size]byte
	sha256 [sha256.Size]byte
	size   int64
}

func digestsOf(data []byte) digests {
	return digests{md5.Sum(data), sha256.Sum256(data), int64(len(data))} //nolint:gosec // as above
}

// etag is the ETag of most stores for an object that was put at once.
func (d digests) etag() string { return hex.EncodeToString(d.md5[:]) }

func (d digests) contentMD5() *string {
	return aws.String(base64.StdEncoding.EncodeToString(d.md5[:]))
}

// put makes o what the store has under its key, and returns once it has proved so.
// again says that an earlier try may have done it.
func (b *bucket) put(ctx context.Context, o object, again bool) error {
	r, err := b.open(ctx, o.output.Hash)
	if err != nil {
		return fmt.Errorf("open picture of output %q: %w", o.output.Name, err)
	}
	defer r.Close()
	buffered := bufio.NewReader(r)
	var data bytes.Buffer
	if _, err := io.CopyN(&data, buffered, int64(b.cfg.PartSize)); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read picture of output %q: %w", o.output.Name, err)
	}
	if _, err := buffered.Peek(1); err == nil {
		if same, err := b.has(ctx, o, nil); err != nil || same {
			return err
		}
		return b.putParts(ctx, o, data.Bytes(), buffered)
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read picture of output %q: %w", o.output.Name, err)
	}
	sums := digestsOf(data.Bytes())
	if err := own(o, sums.sha256); err != nil {
		return err
	}
	if again {
		if same, err := b.has(ctx, o, &sums); err != nil || same {
			return err
		}
	}
	return b.putOnce(ctx, o, data.Bytes(), sums)
}

// own refuses bytes that are not those of the picture's hash: a disk forgets.
func own(o object, sum [sha256.Size]byte) error {
	if want, err := hex.DecodeString(o.output.Hash); err != nil || len(want) != sha256.Size || bytes.Equal(want, sum[:]) {
		return nil
	}
	return problem.New(problem.Surroundings, "the stored picture of output %q has other bytes than were made", o.output.Name).WithSlug(BytesDiffer).
		WithHint("run pictifyd doctor, and see whether the disk is sound")
}

// putOnce puts o in one request. An object whose key tells its bytes is only made
// where there is none: so nothing is sent over what readers hold to be immutable.
func (b *bucket) putOnce(ctx context.Context, o object, data []byte, sums digests) error {
	in := b.input(o, sums)
	onlyNew := o.byContent && !b.unconditional.Load()
	if onlyNew {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := b.send(ctx, o, in, data)
	var refused *buckets.Failure
	if onlyNew && errors.As(err, &refused) {
		switch refused.Status {
		case http.StatusPreconditionFailed:
			if same, err := b.has(ctx, o, &sums); err != nil || same {
				return err
			}
			in.IfNoneMatch = nil // what is there is another's, or broken
			out, err = b.send(ctx, o, in, data)
		case http.StatusNotImplemented:
			b.unconditional.Store(true)
			in.IfNoneMatch = nil
			out, err = b.send(ctx, o, in, data)
		}
	}
	if err != nil {
		return err
	}
	if tag(out.ETag) == sums.etag() || aws.ToString(out.ChecksumSHA256) == base64.StdEncoding.EncodeToString(sums.sha256[:]) {
		return nil
	}
	return b.readBack(ctx, o, sums.sha256)
}

func (b *bucket) send(ctx context.Context, o object, in *s3.PutObjectInput, data []byte) (out *s3.PutObjectOutput, err error) {
	err = b.client.Call(ctx, "put", o.key, func(ctx context.Context) error {
		in.Body = bytes.NewReader(data)
		out, err = b.client.PutObject(ctx, in)
		return err
	})
	return out, err
}

func (b *bucket) input(o object, sums digests) *s3.PutObjectInput {
	in := &s3.PutObjectInput{
		Bucket: &b.cfg.Bucket, Key: aws.String(o.key),
		ContentLength: aws.Int64(sums.size), ContentMD5: sums.contentMD5(),
		ContentType: &o.dress.contentType, CacheControl: o.dress.cacheControl, ContentDisposition: o.dress.disposition,
		Metadata: o.dress.metadata, Tagging: o.dress.tagging,
		ACL: types.ObjectCannedACL(b.cfg.ACL), StorageClass: types.StorageClass(b.cfg.StorageClass),
		ServerSideEncryption: types.ServerSideEncryption(b.cfg.SSE), SSEKMSKeyId: some(b.cfg.KMSKey),
	}
	if b.amazon() {
		// Under a key of KMS its ETag says nothing of the bytes. Others may not know it.
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(sums.sha256[:]))
	}
	return in
}

// amazon reports whether the store is Amazon's own.
func (b *bucket) amazon() bool { return b.cfg.Endpoint == "" }

func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
