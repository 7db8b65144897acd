package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func TestTestOfABucketLeavesNothing(t *testing.T) {
	for _, path := range []string{immutable, "objects/{{ key }}.{{ ext }}", "objects/{{ hash }}.{{ ext }}"} {
		s := newStore(t)
		to := s.sink(func(c *s3.Config) { c.Path, c.Alias = path, "now/{{ key }}.{{ ext }}" })
		mustDeliver(t, to, sinktest.Completed("a", 1))
		before := s.keys()
		receipt, err := to.(sink.Tester).Test(t.Context(), sinktest.Completed("pictifyd-test", 2))
		if err != nil || receipt.Ref == "" {
			t.Errorf("%s: %+v, %v", path, receipt, err)
		}
		if diff := cmp.Diff(before, s.keys()); diff != "" {
			t.Errorf("%s: what is left (-want +got):\n%s", path, diff)
		}
	}
}

func TestTestThatFailsHalfwayLeavesNothing(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path, c.Alias = immutable, "now/{{ key }}.{{ ext }}" })
	s.breaks(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/now/") && says(403, "AccessDenied", "not the alias")(w, r, next)
	})
	if _, err := to.(sink.Tester).Test(t.Context(), sinktest.Completed("pictifyd-test", 2)); slug(err) != s3.AccessDenied {
		t.Errorf("test = %v", err)
	}
	s.breaks(nil)
	if left := s.keys(); len(left) != 0 {
		t.Errorf("there is left %q", left)
	}
}
