package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A server that says that nothing has changed, whatever it is asked for, must not
// keep the rows of another configuration.
func TestAnswerOfNoChangeIsNotTakenForAnotherConfiguration(t *testing.T) {
	t.Parallel()
	var (
		mu    sync.Mutex
		asked []string // the conditions of the requests
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Header.Get("If-None-Match"))
		mu.Unlock()
		w.Header().Set("ETag", `"one"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		text("application/json", `{"old":`+pricedRows([2]string{"A", "Mug"})+`,"new":`+pricedRows([2]string{"A", "Jug"})+`}`)(w, r)
	}))
	t.Cleanup(server.Close)
	yaml := func(rows string) string {
		return fmt.Sprintf(`
sources: { shop: { kind: http, url: %q, key: sku, rows: %q, every: 1s } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, public: true }
`, server.URL, rows)
	}
	r := newSite(t, yaml("$.old")).reloadable()
	eventually(t, "a reading without a change", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(asked) > 1 && asked[len(asked)-1] != ""
	})
	first := r.picture("/b/cards/A.png")
	r.mustReload(yaml("$.new"))
	eventually(t, "the image of the other row", func() bool { now := r.picture("/b/cards/A.png"); return now != "" && now != first })
	eventually(t, "conditions as before", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return asked[len(asked)-1] == `"one"`
	})
}

// Rows that get other keys are other rows: they are drawn, and the images under
// the old keys go only when somebody agrees that so many may.
func TestRowsUnderAnotherKeyAreOtherRows(t *testing.T) {
	t.Parallel()
	var rows string
	for i := range 20 {
		rows += fmt.Sprintf(`,{"sku":"S%02d","id":%d,"name":"Mug %d","price":1}`, i, 100+i, i)
	}
	shop := newShop(t, "["+rows[1:]+"]")
	yaml := func(key string) string {
		return fmt.Sprintf(`
sources: { shop: { kind: http, url: %q, key: %s, every: 1s } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, public: true, on_delete: remove, delete_grace: 0s, guard: { max_deleted: 20%%, floor: 2 } }
`, shop.server.URL, key)
	}
	r := newSite(t, yaml("sku")).reloadable()
	eventually(t, "the images", func() bool { return r.ready("cards") == 20 })
	first := r.picture("/b/cards/S07.png")

	r.mustReload(yaml("id"))
	eventually(t, "the images under the new keys", func() bool { return r.picture("/b/cards/107.png") == first })
	eventually(t, "the removals are held", func() bool { return r.binding("cards").Held.Removals == 20 })
	if r.picture("/b/cards/S07.png") != first {
		t.Error("an image under an old key is gone, and nobody agreed")
	}
	null := r.daemon.options.Renderer.(*rendertest.Null)
	if n := null.Count(); n != 20 {
		t.Errorf("%d pictures were made, want 20: rows under other keys look as before", n)
	}
	r.mustSend(200, "POST", "/bindings/cards/guard/accept", `{"changes":0,"removals":20}`)
	eventually(t, "the old keys are gone", func() bool { return r.picture("/b/cards/S07.png") == "" && r.binding("cards").Items == 20 })
	if r.picture("/b/cards/107.png") != first {
		t.Error("an image under a new key went with the old ones")
	}
}
