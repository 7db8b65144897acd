package daemon

import (
	"bytes"
	"image"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// look asks for a picture, whether it is there or not.
func look(t *testing.T, url string) (status int, data []byte) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if data, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, data
}

func TestShopIsReadPageByPageAndAskedForOneProduct(t *testing.T) {
	s := newStory(t, "live-shop")
	port, stop := startProgram(t, "../examples/live-shop/shop", "SHOP_PORT", filepath.Join(s.dir, "products.csv"))
	t.Setenv("SHOP_PORT", port)
	shop := "http://127.0.0.1:" + port
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "every: 10s", "every: 1s", 1))
	url, _ := s.run(Options{})
	card := func(binding, sku string) []byte {
		if status, data := look(t, url+"/b/"+binding+"/"+sku+".png"); status == http.StatusOK {
			return data
		}
		return nil
	}
	eventually(t, "a card of the last product of the last page", func() bool { return card("cards", "TEA-23") != nil })
	eventually(t, "a card of the first", func() bool { return card("cards", "TEA-01") != nil })
	before, other := card("now", "TEA-02"), card("now", "TEA-03")
	if size, kind, err := image.DecodeConfig(bytes.NewReader(before)); err != nil || kind != "png" || size.Width != 800 || size.Height != 420 {
		t.Fatalf("the card is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	if status, _ := look(t, url+"/b/now/TEA-99.png"); status != http.StatusNotFound {
		t.Errorf("a product that the shop does not sell is %d, want 404", status)
	}

	polled := card("cards", "TEA-02")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, shop+"/products/TEA-02/price", strings.NewReader("19.90"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "open-sesame")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the shop answers %v, %v", res, err)
	}
	_ = res.Body.Close()
	eventually(t, "the new price where it is looked at", func() bool {
		now := card("now", "TEA-02")
		return now != nil && !bytes.Equal(now, before)
	})
	eventually(t, "the new price where it is read", func() bool {
		now := card("cards", "TEA-02")
		return now != nil && !bytes.Equal(now, polled)
	})
	stop()
	if data := card("now", "TEA-03"); !bytes.Equal(data, other) {
		t.Error("the card is not as it was while the shop is down")
	}
	if out := os.Getenv("PICTIFYD_TEST_KEEP"); out != "" {
		_ = os.WriteFile(filepath.Join(out, "live-shop.png"), card("cards", "TEA-02"), 0o600)
	}
}
