package daemon

import (
	"bytes"
	"image"
	"strings"
	"testing"
)

func TestChangedBrandChangesTheCardsOfItsProducts(t *testing.T) {
	s := newStory(t, "lookups")
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	eventually(t, "a card for each product", func() bool { return p.ready("brand-cards") == 12 })
	products := s.table("products.csv")[1:]
	cards := func() map[string]string {
		all := map[string]string{}
		for _, row := range products {
			all[row[0]] = p.picture("/b/brand-cards/" + row[0] + ".png")
		}
		return all
	}
	before := cards()
	size, kind, err := image.DecodeConfig(bytes.NewReader([]byte(before["KN-12"])))
	if err != nil || kind != "png" || size.Width != 1080 || size.Height != 1080 {
		t.Errorf("a card is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	brands := s.read("brands.csv")
	s.write("brands.csv", strings.Replace(brands, "#7a2f2a", "#8a1f5a", 1))
	eventually(t, "the cards of the brand", func() bool {
		now := cards()
		return now["KN-11"] != before["KN-11"] && now["KN-12"] != before["KN-12"] && now["KN-14"] != before["KN-14"] && p.ready("brand-cards") == 12
	})
	for sku, card := range cards() {
		if !strings.HasPrefix(sku, "KN-") && card != before[sku] {
			t.Errorf("%s is of another brand and has another card", sku)
		}
	}
}
