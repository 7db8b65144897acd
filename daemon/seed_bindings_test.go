package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// seeded makes a binding in the seed product's words and returns its addresses.
func (p *process) seeded(body string) (render, hook string) {
	p.tb.Helper()
	var v struct {
		Binding struct{ RenderURL, WebhookURL string }
	}
	if err := json.Unmarshal([]byte(p.mustSend(201, "POST", "/bindings", body)), &v); err != nil {
		p.tb.Fatal(err)
	}
	return strings.TrimPrefix(v.Binding.RenderURL, p.url), strings.TrimPrefix(v.Binding.WebhookURL, p.url)
}

func TestSeedsAddressWithARowIsAskedWhenItsImageIs(t *testing.T) {
	t.Parallel()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/products/a%2Fb" || r.Header.Get("X-Product") != "a/b" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":7,"name":"Mug","variants":[{"price":14.90}]}`)
	}))
	t.Cleanup(shop.Close)
	p := newSite(t, "").start()
	render, _ := p.seeded(fmt.Sprintf(`{"name":"p","templateId":"card","type":"http","url":"%s/products/${product_id}","headers":{"X-Product":"${product_id}"},
		"timeout_ms":30000,"cache_ttl_seconds":60,"mapping":{"title":"$.name","price":"$.variants[0].price"}}`, shop.URL))
	if render != "/b/p/{key}.png" {
		t.Fatalf("renderUrl is %s", render)
	}
	if p.picture("/b/p/a%2Fb.png") == "" {
		t.Error("the image of a row that there is was not made")
	}
	if status, text := p.ask("GET", "/b/p/c.png", ""); status != 404 {
		t.Errorf("a row that there is not: %d %s", status, text)
	}
}

func TestSeedsStaticRowHasOneImage(t *testing.T) {
	t.Parallel()
	p := newSite(t, "").start()
	render, _ := p.seeded(`{"name":"s","templateId":"card","dataSource":{"type":"static","data":{"name":"Mug","price":14.90}},"mapping":{"title":"$.name"}}`)
	if render != "/b/s/current.png" {
		t.Fatalf("renderUrl is %s", render)
	}
	eventually(t, "the image", func() bool { return p.picture(render) != "" })
	if got := p.mustSend(200, "POST", "/bindings/s/preview", ""); !strings.Contains(got, `"price":14.90`) {
		t.Errorf("its values: %s", got)
	}
}

func TestSeedsWebhookShowsTheNewestCall(t *testing.T) {
	t.Parallel()
	p := newSite(t, "").start()
	render, hook := p.seeded(`{"name":"My hook","templateId":"card","dataSource":{"type":"webhook","credentials":{"type":"bearer_token","value":"a token of the sender"}},"mapping":{"title":"$.name"}}`)
	if hook != "/hooks/my-hook" || render != "/b/my-hook/current.png" {
		t.Fatalf("webhookUrl %s, renderUrl %s", hook, render)
	}
	if status, text := p.ask("POST", hook, `{"name":"Mug"}`); status != 401 {
		t.Errorf("without the token: %d %s", status, text)
	}
	shown := map[string]bool{"": true}
	for _, name := range []string{"Mug", "Cup"} {
		if status, text := p.ask("POST", hook, fmt.Sprintf(`{"name":%q}`, name), "Authorization", "Bearer a token of the sender"); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		eventually(t, "the image of "+name, func() bool {
			picture := p.picture(render)
			defer func() { shown[picture] = true }()
			return !shown[picture]
		})
	}
}
