package daemon

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// Records with rows, and events that only say which row changed: both are labels.
func TestShopTellsKafkaWhatChanges(t *testing.T) {
	s := newStory(t, "kafka")
	topic := newTopic(t, 1) // its name is nobody else's
	t.Setenv("KAFKA", topic.brokers)
	port, _ := startProgram(t, "../examples/kafka/shop", "SHOP_PORT", topic.name)
	t.Setenv("SHOP_PORT", port)
	s.write("pictifyd.yaml", strings.ReplaceAll(s.read("pictifyd.yaml"), "topic: shop.", "topic: "+topic.name+"."))
	report, err := CheckOnline(t.Context(), filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil || !strings.Contains(report, "source stock: its first 4 rows read") || !strings.Contains(report, "its first 4 rows of products named") {
		t.Errorf("check --online: %v\n%s", err, report)
	}
	address, _ := s.run(Options{})
	label := func(binding, sku string) []byte {
		if status, data := look(t, address+"/b/"+binding+"/"+sku+".png"); status == http.StatusOK {
			return data
		}
		return nil
	}
	sell := func(method, path, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:"+port+"/products/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("the shop answers %v, %v", res, err)
		}
		_ = res.Body.Close()
	}
	for _, sku := range []string{"TEA-01", "TEA-02", "TEA-03", "TEA-04"} {
		eventually(t, "both labels of "+sku, func() bool { return label("stock", sku) != nil && label("prices", sku) != nil })
	}
	stock, price := label("stock", "TEA-02"), label("prices", "TEA-02")
	sell(http.MethodPut, "TEA-02/stock", "17")
	eventually(t, "the stock that its record says", func() bool { return !bytes.Equal(label("stock", "TEA-02"), stock) })
	if !bytes.Equal(label("prices", "TEA-02"), price) {
		t.Error("the label of the price was made for the stock")
	}
	stock = label("stock", "TEA-02")
	sell(http.MethodPut, "TEA-02/price", "19.90")
	eventually(t, "the price that the shop has when it is asked", func() bool { return !bytes.Equal(label("prices", "TEA-02"), price) })
	if !bytes.Equal(label("stock", "TEA-02"), stock) {
		t.Error("the label of the stock was made for the price")
	}
	shot(t, "kafka-stock", stock)
	shot(t, "kafka-price", label("prices", "TEA-02"))
	sell(http.MethodDelete, "TEA-01", "")
	eventually(t, "a tea that is not sold any more has no label", func() bool { return label("stock", "TEA-01") == nil && label("prices", "TEA-01") == nil })
}
