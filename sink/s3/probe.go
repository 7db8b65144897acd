package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Probe asks for the name of one object. HeadBucket would do, but its answer has no
// body, so that a wrong key could not be told from a policy. It sends nothing: so
// whether objects may be put is seen at the first.
func (b *bucket) Probe(ctx context.Context) error {
	return b.client.Call(ctx, "list", "", func(ctx context.Context) error {
		_, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.cfg.Bucket, MaxKeys: aws.Int32(1)})
		return err
	})
}
