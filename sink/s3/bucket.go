package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	buckets "github.com/pictifyd/pictifyd/internal/s3"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/paths"
)

// bucket is where the pictures go.
type bucket struct {
	cfg     Config
	path    *paths.Path
	alias   *paths.Path // nil: none
	headers headers
	client  *buckets.Client
	open    func(ctx context.Context, hash string) (io.ReadCloser, error)

	// unconditional says that the store does not know If-None-Match.
	unconditional atomic.Bool
}

// An object is one picture under one key.
type object struct {
	key       string
	output    sink.Output
	dress     dress
	byContent bool // other bytes would have another key
}

// uploadLimit is for the pictures of one row. Each request of them has the timeout
// of the configuration, so that a store that says nothing is noticed long before.
const uploadLimit = 15 * time.Minute

// Limit implements sink.Limiter: a large PDF takes many requests.
func (b *bucket) Limit() time.Duration { return uploadLimit }

// Deliver puts the pictures of d, and then their aliases, or removes both. Outputs
// without a picture leave what is there, and so do events that are not about a row.
func (b *bucket) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	if d.Key == "" || d.Event != sink.ImageRemoved && len(d.Outputs) == 0 {
		return sink.Receipt{}, nil
	}
	objects, aliases, err := b.plan(d)
	if err != nil {
		return sink.Receipt{}, err
	}
	receipt := sink.Receipt{Ref: refs(objects, aliases)}
	if d.Event == sink.ImageRemoved {
		err = b.remove(ctx, objects, aliases)
	} else {
		err = b.place(ctx, d, objects, aliases)
	}
	var failure *buckets.Failure
	switch {
	case err == nil && receipt.Ref != "":
		receipt.Status = http.StatusOK
	case errors.As(err, &failure):
		receipt.Status, receipt.Header = failure.Status, failure.Header
	}
	return receipt, err
}

func refs(objects, aliases []object) string {
	var keys []string
	for _, o := range append(append([]object{}, objects...), aliases...) {
		keys = append(keys, o.key)
	}
	return strings.Join(keys, ", ")
}

// plan is what d puts or removes. The error is permanent.
func (b *bucket) plan(d sink.Delivery) (objects, aliases []object, err error) {
	objects, err = b.objects(d, b.path, b.cfg.CacheControl)
	if err != nil || b.alias == nil {
		return objects, nil, err
	}
	aliases, err = b.objects(d, b.alias, b.cfg.AliasCacheControl)
	return objects, aliases, err
}

func (b *bucket) objects(d sink.Delivery, path *paths.Path, cacheControl string) ([]object, error) {
	each, err := path.Each(d)
	if err != nil {
		return nil, err
	}
	var objects []object
	seen := map[string]bool{}
	for i, key := range each {
		if key == "" || seen[key] {
			continue
		}
		seen[key] = true
		o := object{key: key, output: d.Outputs[i], byContent: path.ByContent()}
		if d.Event != sink.ImageRemoved {
			if o.dress, err = b.headers.of(d, d.Outputs[i], cacheControl); err != nil {
				return nil, err
			}
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// place puts all objects before the first alias: whoever reads an alias finds
// nothing newer than what every object of the row is.
func (b *bucket) place(ctx context.Context, d sink.Delivery, objects, aliases []object) error {
	for _, o := range append(append([]object{}, objects...), aliases...) {
		if err := b.put(ctx, o, d.Attempt > 1); err != nil {
			return err
		}
	}
	return nil
}

// remove takes the aliases first: they are what people were given.
func (b *bucket) remove(ctx context.Context, objects, aliases []object) error {
	if b.path.Shared() {
		objects = nil // other rows may show the same picture
	}
	return b.delete(ctx, append(append([]object{}, aliases...), objects...))
}

func (b *bucket) delete(ctx context.Context, objects []object) error {
	for _, o := range objects {
		err := b.client.Call(ctx, "remove", o.key, func(ctx context.Context) error {
			_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.cfg.Bucket, Key: aws.String(o.key)})
			return err
		})
		if err != nil && !buckets.IsMissing(err) {
			return err
		}
	}
	return nil
}
