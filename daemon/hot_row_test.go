package daemon

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A row that changes thousands of times is drawn as often as there is time for,
// at last as it is, and holds nobody up.
func TestHotRowIsDrawnAsItIsAtLastAndOthersGoOn(t *testing.T) {
	t.Parallel()
	updates := int64(10_000)
	if campaign.Leaves(t) { // the race detector makes a commit slow
		updates = 1000
	}
	s := newSite(t, `
sources: { dated: { kind: webhook, path: dated, secret: "`+crmSecret+`", key: id, version: v } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: dated, template: card, map: { title: name }, sinks: [hook], public: true } ]
`)
	null := &rendertest.Null{Delay: 10 * time.Millisecond}
	url, _ := s.run(Options{Log: quiet(t), Renderer: null})
	p := &process{tb: t, url: url}
	tell := func(key, name string, version int64) error {
		body := fmt.Sprintf(`{"id":%q,"name":%q,"price":1,"v":%d}`, key, name, version)
		for {
			code, answer, err := p.tell("dated", fmt.Sprint(key, "_", version), body)
			switch {
			case err != nil:
				return err
			case code == http.StatusOK:
				return nil
			case code != http.StatusServiceUnavailable && code != http.StatusTooManyRequests: // to come again
				return fmt.Errorf("%s %d: %d %+v", key, version, code, answer)
			}
		}
	}

	var sent atomic.Int64
	var storm sync.WaitGroup
	for range 48 { // so that commits are shared
		storm.Go(func() {
			for {
				v := sent.Add(1)
				if v > updates {
					return
				}
				if err := tell("hot", fmt.Sprint("Mug ", v), v); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const others = 5
	for i := range int64(others) {
		eventually(t, "the next part of the storm", func() bool { return sent.Load() > i*updates/(others+2) || t.Failed() })
		if err := tell(fmt.Sprint("calm-", i), "Calm", 1); err != nil {
			t.Error(err)
		}
		eventually(t, "the image of another row", func() bool { return p.picture(fmt.Sprintf("/b/cards/calm-%d.png", i)) != "" })
	}
	if n := sent.Load(); n > updates {
		t.Errorf("the other rows had their images only after all %d updates", updates)
	}
	storm.Wait()

	// A row that was never hot, and shows the same.
	if err := tell("twin", fmt.Sprint("Mug ", updates), 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all images", func() bool { return p.ready("cards") == others+2 })
	want := p.picture("/b/cards/twin.png")
	if got := p.picture("/b/cards/hot.png"); got != want || got == "" {
		t.Error("the hot row's image is not that of its last state")
	}
	if n := int64(null.Count()); n > updates/5 {
		t.Errorf("%d pictures were made of %d updates: want most of them skipped", n, updates)
	}
	// lastGenerations watches the order.
	eventually(t, "the sink has the last states", func() bool {
		var v struct{ Row struct{ Generation int64 } }
		p.get("/bindings/cards/rows/hot", &v)
		return v.Row.Generation > 0 && s.receiver.lastGenerations(t)["hot"] == v.Row.Generation
	})
}
