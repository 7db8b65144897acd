package blob_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/s3test"
	"github.com/pictifyd/pictifyd/store/blob"
)

// A tally counts requests by operation and result.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) hear(r blob.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[r.Operation+" "+r.Result]++
}

// take is what was counted since the last time.
func (c *tally) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = nil
	return n
}

// Whatever is done with a bucket, each request that comes to it is told of once, under
// the operation that its method is.
func TestEachRequestIsToldOf(t *testing.T) {
	s := newSite(t)
	b := s.open()
	var told tally
	b.Observe(told.hear)
	s.Heard()
	hash := must[string](t)(b.Put(t.Context(), []byte("picture")))
	blob.Forget(b, hash)
	must[string](t)(b.Put(t.Context(), []byte("picture")))
	if got, err := readAll(t.Context(), b, hash); err != nil || got != "picture" {
		t.Fatalf("read: %q, %v", got, err)
	}
	if err := b.Verify(t.Context(), hash); err != nil {
		t.Error(err)
	}
	if err := b.Walk(t.Context(), func([]blob.File) error { return nil }); err != nil {
		t.Error(err)
	}
	s.age(hash, 24*time.Hour)
	if _, left, err := b.Remove(t.Context(), hash, time.Now()); err != nil || left {
		t.Fatalf("remove: left %t, %v", left, err)
	}
	if _, _, err := b.Open(t.Context(), hash); err == nil {
		t.Error("it is still there")
	}
	counted, n := map[string]int{}, 0
	for of, times := range told.take() {
		operation, _, _ := strings.Cut(of, " ")
		counted[operation] += times
		n += times
	}
	var lines []string
	for deadline := time.Now().Add(10 * time.Second); len(lines) < n && time.Now().Before(deadline); {
		lines = append(lines, s.Heard()...) // the server writes down what it has answered a moment later
		runtime.Gosched()
	}
	heard := map[string]int{}
	for _, line := range lines {
		method, key, _ := strings.Cut(line, " ")
		operation := strings.ToLower(method)
		if operation == "get" && !strings.HasPrefix(key, s.prefix+"/") {
			operation = "list"
		}
		heard[operation]++
	}
	if !maps.Equal(heard, counted) || len(heard) != len(blob.Operations()) {
		t.Errorf("told of %v, the bucket was asked %v", counted, heard)
	}
}

func TestRequestsAreToldOfByHowTheyEnd(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		fault  s3test.Fault
		want   string // one of those that are told of
		tries  int
	}{
		"good":             {"PUT", nil, "put ok", 1},
		"not there before": {"HEAD", nil, "head missing", 1},
		"forbidden":        {"PUT", s3test.Says(403, "AccessDenied", "Access Denied"), "put refused", 1},
		"no bucket":        {"PUT", s3test.Says(404, "NoSuchBucket", "The specified bucket does not exist"), "put refused", 1},
		"busy":             {"PUT", s3test.Says(503, "SlowDown", "Please reduce your request rate."), "put failed", 4},
		"a proxy's page": {"PUT", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			http.Error(w, "<html>", http.StatusBadGateway)
			return true
		}, "put failed", 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.impatient()
			var told tally
			b.Observe(told.hear)
			if c.fault != nil {
				s.Breaks(s3test.On(c.method, 100, c.fault))
			}
			_, err := b.Put(t.Context(), []byte("picture"))
			if (err == nil) != (c.fault == nil) {
				t.Fatalf("put: %v", err)
			}
			if n := told.take(); n[c.want] != c.tries {
				t.Errorf("told of %v, want %q %d times", n, c.want, c.tries)
			}
		})
	}
}

func TestAnswersThatBreakOffAndCallersThatLeaveAreToldOf(t *testing.T) {
	s := newSite(t)
	b := s.impatient()
	data := bytes.Repeat([]byte("picture "), 1<<16)
	hash := must[string](t)(b.Put(t.Context(), data))
	var told tally
	b.Observe(told.hear)
	s.Breaks(s3test.On("GET", 1, s3test.Answers(func(body []byte) []byte { return body[:len(body)/2] })))
	if got, err := readAll(t.Context(), b, hash); err != nil || len(got) != len(data) {
		t.Fatalf("read %d bytes: %v", len(got), err)
	}
	if n := told.take(); n["get ok"] != 2 || n["get cut"] != 1 {
		t.Errorf("of a half answer it tells %v", n)
	}
	ctx, leave := context.WithCancel(t.Context())
	s.Breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		leave()
		return s3test.Hangs(w, r, next)
	})
	if _, err := b.Put(ctx, []byte("another")); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if n := told.take(); !maps.Equal(n, map[string]int{"head canceled": 1}) {
		t.Errorf("of a caller who left it tells %v", n)
	}
}
