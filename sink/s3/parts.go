package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	buckets "github.com/pictifyd/pictifyd/internal/s3"
)

// abortLimit is for the giving up of an upload, also where the delivery's time is over.
const abortLimit = 10 * time.Second

// An upload is an object that is sent in parts, one after the other: so one part is
// in memory, however large the picture is.
type upload struct {
	*bucket
	object

	id     *string
	parts  []types.CompletedPart
	unsure bool // a part's ETag said nothing of its bytes
	size   int64
}

// putParts sends first and rest in parts. Nothing is seen of them before all are there.
func (b *bucket) putParts(ctx context.Context, o object, first []byte, rest io.Reader) error {
	u := &upload{bucket: b, object: o}
	if err := u.begin(ctx); err != nil {
		return err
	}
	sum, err := u.sendAll(ctx, first, rest)
	if err == nil {
		err = own(o, sum)
	}
	if err == nil {
		err = u.complete(ctx)
	}
	if err != nil {
		return errors.Join(err, u.abort(ctx))
	}
	if u.unsure {
		return b.readBack(ctx, o, sum)
	}
	return u.look(ctx)
}

func (u *upload) begin(ctx context.Context) error {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &u.cfg.Bucket, Key: &u.key,
		ContentType: &u.dress.contentType, CacheControl: u.dress.cacheControl, ContentDisposition: u.dress.disposition,
		Metadata: u.dress.metadata, Tagging: u.dress.tagging,
		ACL: types.ObjectCannedACL(u.cfg.ACL), StorageClass: types.StorageClass(u.cfg.StorageClass),
		ServerSideEncryption: types.ServerSideEncryption(u.cfg.SSE), SSEKMSKeyId: some(u.cfg.KMSKey),
	}
	return u.client.Call(ctx, "begin to put", u.key, func(ctx context.Context) error {
		out, err := u.client.CreateMultipartUpload(ctx, in)
		if err == nil {
			u.id = out.UploadId
		}
		return err
	})
}

// sendAll sends every part and returns the hash of all.
func (u *upload) sendAll(ctx context.Context, part []byte, rest io.Reader) (sum [sha256.Size]byte, err error) {
	all := sha256.New()
	for len(part) > 0 {
		all.Write(part)
		if err := u.sendPart(ctx, part); err != nil {
			return sum, err
		}
		n, err := io.ReadFull(rest, part[:cap(part)][:u.cfg.PartSize])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return sum, fmt.Errorf("read picture of output %q: %w", u.output.Name, err)
		}
		part = part[:n]
	}
	return [sha256.Size]byte(all.Sum(nil)), nil
}

func (u *upload) sendPart(ctx context.Context, data []byte) error {
	sums := digestsOf(data)
	number := aws.Int32(int32(len(u.parts) + 1)) //nolint:gosec // at most 10,000
	return u.client.Call(ctx, fmt.Sprintf("put part %d of", *number), u.key, func(ctx context.Context) error {
		out, err := u.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &u.cfg.Bucket, Key: &u.key, UploadId: u.id, PartNumber: number,
			Body: bytes.NewReader(data), ContentLength: aws.Int64(sums.size), ContentMD5: sums.contentMD5(),
		})
		if err != nil {
			return err
		}
		u.unsure = u.unsure || tag(out.ETag) != sums.etag()
		u.size += sums.size
		u.parts = append(u.parts, types.CompletedPart{ETag: out.ETag, PartNumber: number})
		return nil
	})
}

func (u *upload) complete(ctx context.Context) error {
	return u.client.Call(ctx, "put", u.key, func(ctx context.Context) error {
		_, err := u.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &u.cfg.Bucket, Key: &u.key, UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		})
		return err
	})
}

// abort frees what the store keeps of the parts. Where the end of the upload was
// not heard of, there may be nothing of it any more.
func (u *upload) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortLimit)
	defer cancel()
	err := u.client.Call(ctx, "give up", u.key, func(ctx context.Context) error {
		_, err := u.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.cfg.Bucket, Key: &u.key, UploadId: u.id})
		return err
	})
	if buckets.IsMissing(err) {
		return nil
	}
	return err
}
