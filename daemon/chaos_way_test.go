package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A way leads from one process to one server. Toxiproxy does to it what networks do, and
// behind that another proxy, whose connections outlive it, holds answers back.
type way struct {
	tb      testing.TB
	answers *pgtest.Proxy
	proxy   *toxiproxy.Proxy
	toxics  int // of the proxy
}

// newWay leads to an address. It has a loopback address of its own: what the machine
// dials from 127.0.0.1 never takes its port while it is cut.
func newWay(tb testing.TB, to string) *way {
	tb.Helper()
	w := &way{tb: tb, answers: pgtest.NewProxy(tb, "tcp://"+to)}
	if err := w.open("127.0.0.2:0"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { w.proxy.Stop() })
	return w
}

func (w *way) open(address string) error {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.proxy, w.toxics = toxiproxy.NewProxy(server, "way", address, w.answers.Address), 0
	return w.proxy.Start()
}

func (w *way) address() string { return w.proxy.Listen }

// cut ends all connections, and refuses new ones.
func (w *way) cut() { w.proxy.Stop() }

// swallow takes what both ends send, and hands on nothing.
func (w *way) swallow() { w.both("timeout", `{"timeout": 0}`) }

// reset ends each connection at the first that is sent over it, as a machine does that
// knows nothing of it.
func (w *way) reset() { w.both("reset_peer", `{"timeout": 0}`) }

// slow has each end hear the other so much later.
func (w *way) slow(by time.Duration) {
	w.both("latency", fmt.Sprintf(`{"latency": %d, "jitter": %d}`, by.Milliseconds(), by.Milliseconds()/4))
}

// hold keeps what the server answers, and hands it on when it is over.
func (w *way) hold() { w.answers.Hold() }

// calm ends what was begun. After all but hold the connections end with it: Toxiproxy
// 2.5 waits for ever where it takes a toxic off one whose other end has gone, so that
// another one follows it.
func (w *way) calm() {
	w.tb.Helper()
	w.answers.Up()
	if w.proxy.Enabled && w.toxics == 0 {
		return
	}
	address := w.proxy.Listen
	w.proxy.Stop()
	eventually(w.tb, "the way is there again", func() bool { return w.open(address) == nil })
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
