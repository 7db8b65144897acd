package blob

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // Content-MD5 is the digest that every store checks
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// puts is how many bytes of one PutMany are sent at a time.
const puts = 16

// forEver is what caches are told: what has the hash of its bytes for a name never
// changes.
const forEver = "public, max-age=31536000, immutable"

// Put implements Store.
func (b *Bucket) Put(ctx context.Context, data []byte) (string, error) {
	hashes, err := b.PutMany(ctx, [][]byte{data})
	if err != nil {
		return "", err
	}
	return hashes[0], nil
}

// PutMany implements Store.
func (b *Bucket) PutMany(ctx context.Context, data [][]byte) ([]string, error) {
	hashes := make([]string, len(data))
	first := make(map[string]int, len(data))
	for i, d := range data {
		sum := sha256.Sum256(d)
		hashes[i] = hex.EncodeToString(sum[:])
		if _, twice := first[hashes[i]]; !twice {
			first[hashes[i]] = i
		}
	}
	var doubts doubts
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(puts)
	for hash, i := range first {
		group.Go(func() error { return b.put(within, hash, data[i], &doubts) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := b.resolve(ctx, &doubts); err != nil {
		return nil, err
	}
	return hashes, nil
}

// put makes the bytes of hash be there, young.
func (b *Bucket) put(ctx context.Context, hash string, data []byte, doubts *doubts) error {
	if _, ok := b.known.size(hash); ok {
		return nil
	}
	began := time.Now()
	found, err := b.look(ctx, b.key(hash))
	if err != nil {
		return err
	}
	sum := md5.Sum(data) //nolint:gosec // as above
	if found.there && found.size == int64(len(data)) && isMD5(found.etag, sum) != no && found.age() < b.terms.young {
		if found.age() < b.terms.lease+b.terms.late {
			doubts.add(doubt{hash, data, found.modified}) // somebody may have written it over old bytes
		} else {
			b.trust(hash, int64(len(data)), began, found.age())
		}
		return nil
	}
	if err := b.write(ctx, hash, data, sum); err != nil {
		return err
	}
	if found.there {
		doubts.add(doubt{hash, data, found.now})
	} else {
		b.trust(hash, int64(len(data)), began, 0)
	}
	return nil
}

// trust remembers bytes that were of that age at began or later.
func (b *Bucket) trust(hash string, size int64, began time.Time, age time.Duration) {
	const grain = 2 * time.Second // of the store's clock, twice
	b.known.add(hash, size, b.terms.young-age-time.Since(began)-grain)
}

func (b *Bucket) write(ctx context.Context, hash string, data []byte, sum [md5.Size]byte) error {
	id, err := hex.DecodeString(hash)
	if err != nil {
		return err
	}
	key := b.key(hash)
	return b.ask(ctx, "put", "put", key, func(ctx context.Context) error {
		_, err := b.client.PutObject(ctx, &awss3.PutObjectInput{
			Bucket: &b.name, Key: &key, Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
			// A store refuses what has another digest than was said: of the two each knows one.
			ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:])), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(id)),
			ContentType: aws.String(contentType(data)), CacheControl: aws.String(forEver),
		})
		return err
	})
}

// An answer may be that there is none.
type verdict int

const (
	no verdict = iota
	yes
	unknown
)

// isMD5 reports whether an ETag is that of bytes with this MD5. Objects in parts and
// under a key of KMS have others.
func isMD5(etag string, sum [md5.Size]byte) verdict {
	switch said, err := hex.DecodeString(etag); {
	case err != nil || len(said) != md5.Size:
		return unknown
	case bytes.Equal(said, sum[:]):
		return yes
	}
	return no
}

// contentType is what a browser is told of bytes that it gets from the bucket. What
// could do something there is told to be nothing in particular.
func contentType(data []byte) string {
	if len(data) >= 12 && string(data[4:12]) == "ftypavif" {
		return "image/avif"
	}
	found, _, _ := strings.Cut(http.DetectContentType(data), ";")
	if strings.HasPrefix(found, "image/") || strings.HasPrefix(found, "font/") || found == "application/pdf" {
		return found
	}
	return "application/octet-stream"
}

// doubts are the bytes of one PutMany that a removal may still take which began
// before they were written.
type doubts struct {
	mu sync.Mutex

	all []doubt
}

// A doubt is about bytes that were there, old, until at or later.
type doubt struct {
	hash string
	data []byte
	at   time.Time // by the store's clock; zero: unknown
}

func (d *doubts) add(one doubt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, one)
}

// resolve returns once no removal that began before the doubtful bytes were written
// can take them any more, and they are there.
func (b *Bucket) resolve(ctx context.Context, doubts *doubts) error {
	if len(doubts.all) == 0 {
		return nil
	}
	window := b.terms.lease + b.terms.late
	marker, err := b.look(ctx, b.marker())
	if err != nil {
		return err
	}
	var open []doubt
	for _, d := range doubts.all {
		if marker.there && d.at.Before(marker.modified.Add(window)) {
			open = append(open, d)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if rest := window - marker.age(); rest > 0 {
		if err := pause(ctx, min(rest, window)); err != nil {
			return err
		}
	} else if marker.now.IsZero() {
		if err := pause(ctx, window); err != nil {
			return err
		}
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(puts)
	for _, d := range open {
		group.Go(func() error {
			found, err := b.look(within, b.key(d.hash))
			if err != nil || found.there {
				return err
			}
			return b.write(within, d.hash, d.data, md5.Sum(d.data)) //nolint:gosec // as above
		})
	}
	return group.Wait()
}
