package daemon

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A way leads from one process to one server. Toxiproxy does to it what networks do.
type way struct {
	tb     testing.TB
	proxy  *toxiproxy.Proxy
	toxics int // that there were, so that each has a name
}

// newWay leads to an address. It has a loopback address of its own: what the machine
// dials from 127.0.0.1 never takes its port while it is cut.
func newWay(tb testing.TB, to string) *way {
	tb.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &way{tb: tb, proxy: toxiproxy.NewProxy(server, "to "+to, "127.0.0.2:0", to)}
	if err := w.proxy.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		w.calm()
		w.proxy.Stop()
	})
	return w
}

func (w *way) address() string { return w.proxy.Listen }

// cut ends all connections, and refuses new ones.
func (w *way) cut() { w.proxy.Stop() }

// swallow takes what both ends send, and hands on nothing. Connections that were open
// meanwhile are dead when it is over.
func (w *way) swallow() { w.both("timeout", `{"timeout": 0}`) }

// hold takes what both ends send, and hands it on when it is over.
func (w *way) hold() { w.both("latency", fmt.Sprintf(`{"latency": %d}`, time.Hour.Milliseconds())) }

// slow has each end hear the other so much later.
func (w *way) slow(by time.Duration) {
	w.both("latency", fmt.Sprintf(`{"latency": %d, "jitter": %d}`, by.Milliseconds(), by.Milliseconds()/4))
}

// reset ends each connection at the first that is sent over it, as a machine does that
// knows nothing of it.
func (w *way) reset() { w.both("reset_peer", `{"timeout": 0}`) }

// calm ends what was begun.
func (w *way) calm() {
	w.tb.Helper()
	w.proxy.Toxics.ResetToxics(context.Background())
	eventually(w.tb, "the way is there again", func() bool { return w.proxy.Enabled || w.proxy.Start() == nil })
}

// both has a toxic work on what is sent in both directions.
func (w *way) both(kind, attributes string) {
	w.tb.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		w.toxics++
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name": "%d", "type": %q, "stream": %q, "attributes": %s}`, w.toxics, kind, stream, attributes))); err != nil {
			w.tb.Fatal(err)
		}
	}
}
