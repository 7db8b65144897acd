package daemon

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/store"
)

// What waits for a sink that a changed file no longer has is held, and told when the
// file has it again; another address of it ends its rest.
func TestSinkThatIsTakenOutOfTheFileLosesNothing(t *testing.T) {
	t.Parallel()
	shop := newShop(t, oneMug)
	s := newSite(t, "")
	s.receiver.refuse = 1
	const source = `
sources: { shop: { kind: http, url: %q, key: sku, every: 1h } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, public: true%s }
`
	without := fmt.Sprintf(source, shop.server.URL, "")
	with := fmt.Sprintf("sinks: { hook: { kind: webhook, url: %q } }", s.receiver.server.URL) + fmt.Sprintf(source, shop.server.URL, ", sinks: [hook]")
	s.write("pictifyd.yaml", reloadHead+with)
	r := s.reloadable()
	is := func() store.SinkState { return r.daemon.sinkIs(t, "hook") }
	eventually(t, "the first try", func() bool { return is().Failures == 1 })

	r.mustReload(without)
	eventually(t, "the sink's absence", func() bool { return is().Is() == store.SinkAbsent })
	if c := r.daemon.count(t); c.Waiting != 1 || !strings.Contains(r.log.String(), "no longer configured") {
		t.Errorf("waiting for it are %+v, and the log says:\n%s", c, r.log)
	}
	if held, err := r.daemon.store.HeldDeliveries(t.Context()); err != nil || held != 1 {
		t.Errorf("%d are held, %v", held, err)
	}

	r.mustReload(with)
	eventually(t, "the delivery to the sink that is back", func() bool { return r.daemon.count(t).Delivered == 1 })
	if hooks := s.receiver.all(""); len(hooks) != 1 {
		t.Errorf("told was %+v", hooks)
	}
}
