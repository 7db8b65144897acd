package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/internal/problem"
	buckets "github.com/pictifyd/pictifyd/internal/s3"
)

func tag(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// isMD5 reports whether an ETag is the MD5 of the bytes, as it is but for objects
// in parts and under a key of KMS.
func isMD5(head *s3.HeadObjectOutput) bool {
	sum, err := hex.DecodeString(tag(head.ETag))
	return err == nil && len(sum) == 16 && !strings.HasPrefix(string(head.ServerSideEncryption), "aws:kms")
}

// has reports whether the store has o already, with its bytes and its headers.
// sums is nil for a picture that was not read to its end.
func (b *bucket) has(ctx context.Context, o object, sums *digests) (bool, error) {
	head, err := b.head(ctx, o.key)
	switch {
	case buckets.IsMissing(err), buckets.IsForbidden(err): // without s3:ListBucket a store does not say that there is none
		return false, nil
	case err != nil:
		return false, err
	}
	switch {
	case head.Metadata[hashName] != o.output.Hash:
		return false, nil
	case sums != nil && (aws.ToInt64(head.ContentLength) != sums.size || isMD5(head) && tag(head.ETag) != sums.etag()):
		return false, nil
	}
	return aws.ToString(head.ContentType) == o.dress.contentType &&
		aws.ToString(head.CacheControl) == aws.ToString(o.dress.cacheControl) &&
		aws.ToString(head.ContentDisposition) == aws.ToString(o.dress.disposition), nil
}

func (b *bucket) head(ctx context.Context, key string) (out *s3.HeadObjectOutput, err error) {
	err = b.client.Call(ctx, "look at", key, func(ctx context.Context) error {
		out, err = b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.cfg.Bucket, Key: &key})
		return err
	})
	return out, err
}

// look says whether what was put in parts, each of which was proved, is whole.
func (u *upload) look(ctx context.Context) error {
	head, err := u.head(ctx, u.key)
	if err != nil {
		return err
	}
	if aws.ToInt64(head.ContentLength) != u.size {
		return u.differs(u.key)
	}
	return nil
}

// readBack is the proof where no digest was answered.
func (b *bucket) readBack(ctx context.Context, o object, want [sha256.Size]byte) error {
	read := sha256.New()
	err := b.client.Call(ctx, "read back", o.key, func(ctx context.Context) error {
		out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.cfg.Bucket, Key: aws.String(o.key)})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		_, err = io.Copy(read, out.Body)
		return err
	})
	if err == nil && !bytes.Equal(read.Sum(nil), want[:]) {
		return b.differs(o.key)
	}
	return err
}

func (b *bucket) differs(key string) error {
	return &buckets.Failure{Is: problem.New(problem.Upstream, "the store has other bytes than were sent, under %q in %q", key, b.cfg.Bucket).
		WithSlug(BytesDiffer).WithHint("it is sent again; if that goes on, see what stands between here and the store"), Status: http.StatusOK}
}
