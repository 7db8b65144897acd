package exchange_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/egresstest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// A caller's receiver is public when its sink is made, and has another address
// when it is told of something: inside, nobody hears of it.
func TestNameThatMovesInsideIsNotReached(t *testing.T) {
	c := egresstest.Enter(t)
	if c == nil {
		return
	}
	c.MustHear(t)
	c.Serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	guard, err := egress.New(egress.Default())
	if err != nil {
		t.Fatal(err)
	}
	for kind, open := range kinds("http://moves.example") {
		client := guard.Client(egress.ClientOptions{})
		s, err := open(client)
		if err != nil {
			t.Fatal(err)
		}
		c.Name("moves.example", "93.184.216.34")
		if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
			t.Errorf("%s: while it is public: %v", kind, err)
		}
		client.CloseIdleConnections()
		for _, inside := range []string{"10.0.0.1", "127.0.0.1", "169.254.169.254"} {
			c.Name("moves.example", inside)
			c.Heard()
			_, err := s.Deliver(t.Context(), sinktest.Completed("a", 2))
			if endOf(err) != "never" || problem.CodeOf(err) != problem.Forbidden || !strings.Contains(err.Error(), inside) {
				t.Errorf("%s: at %s: %v", kind, inside, err)
			}
			if err := s.(sink.Prober).Probe(t.Context()); problem.CodeOf(err) != problem.Forbidden {
				t.Errorf("%s: a probe at %s: %v", kind, inside, err)
			}
			for _, heard := range c.Heard() {
				if !strings.HasPrefix(heard, "name ") {
					t.Errorf("%s: at %s the canary heard %s", kind, inside, heard)
				}
			}
		}
	}
}
