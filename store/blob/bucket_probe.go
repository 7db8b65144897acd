package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// cleanLimit is for the removal of a probe, also where its own time is over.
const cleanLimit = 10 * time.Second

// Probe implements Prober.
func (b *Bucket) Probe(ctx context.Context) (err error) {
	key := b.prefix + "probe-" + rand.Text()
	want := []byte("pictifyd looks whether it can keep bytes here.\n")
	if err := b.client.Call(ctx, "put", key, func(ctx context.Context) error {
		_, err := b.client.PutObject(ctx, &awss3.PutObjectInput{Bucket: &b.name, Key: &key, Body: bytes.NewReader(want), ContentLength: aws.Int64(int64(len(want)))})
		return err
	}); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
		defer cancel()
		err = errors.Join(err, b.client.Call(ctx, "remove", key, func(ctx context.Context) error {
			_, err := b.client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &b.name, Key: &key})
			return err
		}))
	}()
	var got []byte
	if err := b.client.Call(ctx, "read", key, func(ctx context.Context) error {
		out, err := b.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &b.name, Key: &key})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		got, err = io.ReadAll(io.LimitReader(out.Body, int64(2*len(want))))
		return err
	}); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return problem.New(problem.Upstream, "the bucket %q gives other bytes than were put", b.name).WithSlug(Damaged).
			WithHint("see what stands between here and the store: a cache, or a proxy that changes bytes")
	}
	if found, err := b.look(ctx, key); err != nil {
		return err
	} else if found.now.IsZero() || found.modified.IsZero() {
		return problem.New(problem.Unsupported, "the bucket %q tells neither its time nor when an object was put", b.name).
			WithHint("see that no proxy takes the headers Date and Last-Modified away: without them nothing can be removed")
	}
	if err := b.list(ctx); err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}
