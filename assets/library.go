package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A Pin says which bytes an address stands for.
type Pin struct {
	Address     string // as the index knows it
	Digest      string // SHA-256 of the bytes, hex
	ContentType string // of the bytes themselves
	Size        int64
	FetchedAt   time.Time // when these bytes came first
	CheckedAt   time.Time // when the server last said that they are it

	// What the server calls these bytes, to be asked for others; "" where it
	// does not, or where the bytes came by way of a redirect: another address may
	// use the same words for other bytes.
	ETag, LastModified string
}

// An Index remembers pins durably, by their address, which need not be among
// what it gives back.
type Index interface {
	AssetPin(ctx context.Context, url string) (Pin, bool, error)
	SaveAssetPin(ctx context.Context, url string, p Pin) error
}

// Blobs keeps bytes by their SHA-256, in hex.
type Blobs interface {
	Put(ctx context.Context, data []byte) (hash string, err error)
	Open(ctx context.Context, hash string) (io.ReadSeekCloser, int64, error)
}

// Limits bound what one asset may cost. Zero means the default.
type Limits struct {
	Size      int64         // bytes, unpacked; 20 MB
	Time      time.Duration // from request to last byte, redirects included; 15 s
	Redirects int           // 3; negative: none
	Pixels    int64         // width × height; 50 million
	PerHost   int           // requests to one host at a time; 6
	Failures  int           // remembered failures of all scopes; 10,000
}

func (l Limits) withDefaults() Limits {
	l.Size = orDefault(l.Size, 20<<20)
	l.Time = orDefault(l.Time, 15*time.Second)
	l.Redirects = orDefault(l.Redirects, 3)
	l.Pixels = orDefault(l.Pixels, 50_000_000)
	l.PerHost = orDefault(l.PerHost, 6)
	l.Failures = orDefault(l.Failures, 10_000)
	return l
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// A Library is where pages get their bytes. It is safe for concurrent use.
type Library struct {
	client *http.Client
	index  Index
	blobs  Blobs
	limits Limits

	flights  flights
	hosts    hosts
	failures *failures // of addresses
	silences *failures // of hosts that did not answer in time
	outages  *failures // of hosts that gave no file, for whatever passing reason
}

// New is a Library that fetches with client and keeps in index and blobs.
func New(client *http.Client, index Index, blobs Blobs, limits Limits) *Library {
	limits = limits.withDefaults()
	return &Library{
		client:   limitRedirects(client, limits.Redirects),
		index:    index,
		blobs:    blobs,
		limits:   limits,
		flights:  flights{calls: make(map[string]*call)},
		hosts:    hosts{limit: limits.PerHost, places: make(map[string]*places)},
		failures: newFailures(limits.Failures),
		silences: newFailures(limits.Failures),
		outages:  newFailures(limits.Failures),
	}
}

// Fetch is the pin of url, which is requested only if there is none yet. Equal
// addresses that are wanted at a time are requested once. Within one scope a
// failure is final: the next Fetch returns it without a request, and a host that
// was silent several times in a row, or failed many times in a row, is not asked
// for other addresses either. The empty scope remembers nothing.
//
// A failure is a problem with the slug FetchFailed; it is marked
// retry.Permanent when trying in another scope would not help either.
func (l *Library) Fetch(ctx context.Context, url, scope string) (Pin, error) {
	u, err := parseAddress(url)
	if err != nil {
		return Pin{}, err
	}
	address := u.String()
	if pin, known, err := l.pinned(ctx, address); known || err != nil {
		return pin, err
	}
	if err := l.past(u, scope); err != nil {
		return Pin{}, err
	}
	return l.attempt(ctx, u, scope, address, func() (Pin, error) { return l.fetch(ctx, u) })
}

// attempt is one request for u under key, whose failure the scope remembers.
func (l *Library) attempt(ctx context.Context, u *address, scope, key string, request func() (Pin, error)) (Pin, error) {
	pin, err := l.flights.do(ctx, key, request)
	if p := (*problem.Error)(nil); errors.As(err, &p) && p.Slug == FetchFailed {
		l.failures.remember(scope, u.String(), err)
		l.heard(scope, u.Host, p, err)
	} else if err == nil {
		l.silences.forget(scope, u.Host)
		l.outages.forget(scope, u.Host)
	}
	return pin, err
}

// past is the failure of u within scope, or of its host.
func (l *Library) past(u *address, scope string) error {
	if err := l.failures.find(scope, u.String(), 1); err != nil {
		return err
	}
	if err := l.silences.find(scope, u.Host, silentLimit); err != nil {
		return problem.New(problem.Timeout, "%s did not answer %d times in a row", u.Host, silentLimit).WithSlug(FetchFailed)
	}
	if err := l.outages.find(scope, u.Host, outageLimit); err != nil {
		away := problem.New(problem.Upstream, "%s failed %d times in a row, at first so: %w", u.Host, outageLimit, err).WithSlug(FetchFailed)
		if wait, asked := retry.Wait(err); asked {
			return retry.After(away, wait)
		}
		return away
	}
	return nil
}

const (
	// silentLimit is how many requests without an answer in time, in a row, make a
	// host count as silent: each of them keeps a place for as long as it may last.
	silentLimit = 5
	// outageLimit is how many failures of any kind that may pass, in a row, make a
	// host count as away. Some addresses may fail for reasons of their own.
	outageLimit = 50
)

// heard notes how a host failed.
func (l *Library) heard(scope, host string, p *problem.Error, err error) {
	if retry.IsPermanent(err) { // it works, and has something else
		l.silences.forget(scope, host)
		l.outages.forget(scope, host)
		return
	}
	l.outages.remember(scope, host, err)
	if p.Code == problem.Timeout {
		l.silences.remember(scope, host, p)
		return
	}
	l.silences.forget(scope, host)
}

// pinned is the pin of address if its bytes are still there. Without them the
// address counts as new: a lost blob heals by itself.
func (l *Library) pinned(ctx context.Context, address string) (Pin, bool, error) {
	pin, known, err := l.index.AssetPin(ctx, address)
	if err != nil || !known {
		return Pin{}, false, err
	}
	pin.Address = address
	r, _, err := l.blobs.Open(ctx, pin.Digest)
	switch {
	case err == nil:
		return pin, true, r.Close()
	case problem.CodeOf(err) == problem.NotFound:
		return Pin{}, false, nil
	}
	return Pin{}, false, fmt.Errorf("open asset %s: %w", pin.Digest, err)
}

// fetch requests u and pins it to what came. A second look at the index keeps a
// flight that starts when another has just ended from asking again.
func (l *Library) fetch(ctx context.Context, u *address) (Pin, error) {
	if pin, known, err := l.pinned(ctx, u.String()); known || err != nil {
		return pin, err
	}
	return l.request(ctx, u, Pin{})
}

// request asks for u, for other bytes than those of known if there are such, and
// pins u to what came.
func (l *Library) request(ctx context.Context, u *address, known Pin) (Pin, error) {
	leave, err := l.hosts.enter(ctx, u.Host)
	if err != nil {
		return Pin{}, err
	}
	defer leave()
	got, err := l.download(ctx, u, known)
	if err != nil {
		return Pin{}, err
	}
	now := time.Now().UTC()
	pin := known
	if !got.same {
		digest, err := l.blobs.Put(ctx, got.data)
		if err != nil {
			return Pin{}, err
		}
		pin = Pin{Address: u.String(), Digest: digest, ContentType: got.contentType, Size: int64(len(got.data)),
			FetchedAt: now, ETag: got.etag, LastModified: got.modified}
		if digest == known.Digest {
			pin.FetchedAt = known.FetchedAt
		}
	}
	pin.CheckedAt = now
	return pin, l.index.SaveAssetPin(ctx, u.String(), pin)
}

// Put keeps the bytes of an asset that came with a template and returns their
// digest. What they are is read from them; contentType only helps to say what
// is wrong with those that are neither an image nor a font.
func (l *Library) Put(ctx context.Context, data []byte, contentType string) (string, error) {
	if int64(len(data)) > l.limits.Size {
		return "", problem.New(problem.TooLarge, "asset has %d bytes, at most %d are allowed", len(data), l.limits.Size)
	}
	if _, err := inspect(data, contentType, l.limits.Pixels); err != nil {
		return "", err
	}
	return l.blobs.Put(ctx, data)
}

// Open is the bytes under digest and their type, which is read from them. What
// is neither an image nor a font is application/octet-stream.
func (l *Library) Open(ctx context.Context, digest string) (io.ReadCloser, string, error) {
	r, _, err := l.blobs.Open(ctx, digest)
	if err != nil {
		return nil, "", err
	}
	contentType, err := sniffReader(r)
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("read asset %s: %w", digest, err), r.Close())
	}
	return r, contentType, nil
}
