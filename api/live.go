package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// Live asks sources for rows whose images are asked for.
type Live interface {
	// Sight is what is known of a row without asking; fresh says that it need not
	// be asked for. It is quick.
	Sight(binding, key string) (s Sight, fresh bool)
	// Look has the source asked for the row, once for all who want it at the same
	// time, and what it says committed, unless that is known. may is asked before
	// the source is for a key that no row has; its error is returned as it is. The
	// Sight is what is known also where the source could not be asked.
	Look(ctx context.Context, binding, key string, may func() error) (Sight, error)
	// Draw draws the picture that an output of the row waits for, if it does, before
	// all others. What is wrong with the row is its image's problem.
	Draw(ctx context.Context, binding, key, output string) error
	// Placeholder is what stands for the images of a binding that are not there.
	Placeholder(ctx context.Context, binding, output string) (Drawn, error)
}

// A Sight is what a source last said of a row.
type Sight struct {
	At    time.Time // zero: nothing since the start
	Found bool      // there is such a row
}

// serveLive serves the image of a row that is as new as its binding wants it.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request, p place, b Binding, may func() error) error {
	sight, err := s.look(r.Context(), p, b, may)
	if err != nil {
		return s.serveInstead(w, r, p, b, sight, err)
	}
	holds := b.Live.TTL.Std()
	if !sight.Found {
		holds = b.Live.MissingTTL.Std()
	}
	left := max(time.Until(sight.At.Add(holds)), 0)
	image, err := s.imageOf(r.Context(), p)
	switch {
	case err != nil && !sight.Found && problem.CodeOf(err) == problem.NotFound && image.Hash == "" && !image.Removed:
		err = problem.New(problem.NotFound, "the source has no row %q", bindings.KeyText(p.key)).WithSlug(slugImageNotFound)
		return cacheable(err, b, left)
	case waitsFor(err):
		return s.servePlaceholder(w, r, p, b, err)
	case problem.CodeOf(err) == problem.NotFound && err != nil:
		return cacheable(err, b, left)
	case err != nil:
		return err
	}
	if left == 0 { // within swr
		setStale(w.Header(), b.Live.TTL.Std(), time.Since(sight.At), "swr")
		return s.serveNewest(w, r, p, image, askingAgain(b))
	}
	return s.serveNewest(w, r, p, image, liveCaching(b, left))
}

// look has the row as new as b wants it, and its picture drawn, within the time
// of b.
func (s *Server) look(ctx context.Context, p place, b Binding, may func() error) (Sight, error) {
	sight, fresh := s.deps.Live.Sight(b.Name, p.key)
	if fresh && !s.waits(ctx, p) {
		return sight, nil
	}
	within, leave, err := enterBy(ctx, s.now.seats, b.Live.Timeout.Std())
	if err != nil {
		return sight, err
	}
	defer leave()
	if !fresh {
		if sight, err = s.deps.Live.Look(within, b.Name, p.key, may); err != nil || !sight.Found {
			return sight, err
		}
	}
	if s.waits(within, p) {
		err = s.deps.Live.Draw(within, b.Name, p.key, p.output)
	}
	if err != nil && within.Err() != nil {
		err = retry.After(problem.New(problem.Timeout, "the picture was not there within %s", b.Live.Timeout).
			WithSlug(slugRowLate).WithHint("ask again after the seconds of Retry-After, or set live.timeout higher"), notReadyFor)
	}
	return sight, err
}

// Slugs of rows that could not be had in time.
const (
	slugRowFailed = "row_unavailable"
	slugRowLate   = "row_late"
)

// imageOf is the image of p as it may be served, or why it may not.
func (s *Server) imageOf(ctx context.Context, p place) (bindings.Image, error) {
	image, err := s.deps.Images.Image(ctx, bindings.BindingOwner(p.binding), p.key, p.output, p.ext)
	if err != nil {
		return image, describeImage(p, err)
	}
	return image, unservable(p, image)
}

// waits reports whether a picture of p is wanted that is not made.
func (s *Server) waits(ctx context.Context, p place) bool {
	image, err := s.deps.Images.Image(ctx, bindings.BindingOwner(p.binding), p.key, p.output, p.ext)
	return image.Waiting || err != nil && waitsFor(describeImage(p, err))
}

// waitsFor reports whether err says that a picture is being made.
func waitsFor(err error) bool {
	var known *problem.Error
	return errors.As(err, &known) && known.Slug == slugNotReady
}

// serveInstead serves what b wants to be seen when the row could not be had.
func (s *Server) serveInstead(w http.ResponseWriter, r *http.Request, p place, b Binding, sight Sight, cause error) error {
	if r.Context().Err() != nil {
		return cause
	}
	switch b.Live.OnError {
	case bindings.ServeStale:
		image, err := s.imageOf(r.Context(), p)
		if err != nil {
			break
		}
		at := sight.At
		if at.IsZero() { // so old it is at most
			at = image.RenderedAt
		}
		if age := time.Since(at); b.Live.MaxStale == 0 || age <= b.Live.MaxStale.Std() {
			setStale(w.Header(), b.Live.TTL.Std(), age, kindOf(cause))
			return s.serveNewest(w, r, p, image, askingAgain(b))
		}
	case bindings.ServeError:
		return cause
	}
	return s.servePlaceholder(w, r, p, b, cause)
}

// servePlaceholder serves what stands for the images of b, or says why there is none.
func (s *Server) servePlaceholder(w http.ResponseWriter, r *http.Request, p place, b Binding, cause error) error {
	if b.Placeholder == "" {
		return cause
	}
	output, ok := outputOf(p, b)
	if !ok {
		return cause
	}
	drawn, err := s.deps.Live.Placeholder(r.Context(), b.Name, output)
	if err != nil || drawn.Problem != nil {
		return cause
	}
	h := w.Header()
	h.Set("Cache-Status", "pictifyd; fwd=miss; detail="+kindOf(cause))
	if wait, ok := retry.Wait(cause); ok {
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	return s.serveBytes(w, r, file{drawn.Hash, drawn.Ext, "placeholder"}, askingAgain(b), time.Time{})
}

// outputOf is the name of the output that p means.
func outputOf(p place, b Binding) (string, bool) {
	for _, o := range b.Outputs {
		if o.Ext == p.ext && (p.output == "" || p.output == o.Name) {
			return o.Name, true
		}
	}
	return "", false
}

// askingAgain has caches keep the bytes of b, and ask each time.
func askingAgain(b Binding) string {
	if b.Public {
		return askAgain
	}
	return askAgainOwn
}

// liveCaching has caches keep the image of b no longer than its row is fresh.
func liveCaching(b Binding, left time.Duration) string {
	whose, then := "private", "must-revalidate"
	if b.Public {
		whose = "public"
	}
	if swr := b.Live.SWR.Std(); swr > 0 {
		then = fmt.Sprintf("stale-while-revalidate=%d", int(swr.Seconds()))
	}
	return fmt.Sprintf("%s, max-age=%d, %s", whose, int(left.Seconds()), then)
}

// setStale says that a picture is older than it should be, and why: Age of RFC
// 9111, Cache-Status of RFC 9211.
func setStale(h http.Header, ttl, age time.Duration, why string) {
	h.Set("Age", strconv.Itoa(int(age.Seconds())))
	h.Set("Cache-Status", fmt.Sprintf("pictifyd; hit; ttl=%d; detail=%s", int((ttl-age).Seconds()), why))
}

// kindOf is the slug of a problem.
func kindOf(err error) string {
	var known *problem.Error
	if errors.As(err, &known) {
		return known.Kind()
	}
	return string(problem.Internal)
}

// A lasting error is an answer that caches may keep.
type lasting struct {
	error
	caching string
}

func (e *lasting) Unwrap() error { return e.error }

// cacheable is err, which caches may keep as long as an image of b.
func cacheable(err error, b Binding, left time.Duration) error {
	return &lasting{err, liveCaching(b, left)}
}

// cachingOf is how long caches may keep an error.
func cachingOf(err error) string {
	var l *lasting
	if errors.As(err, &l) {
		return l.caching
	}
	return "no-store"
}
