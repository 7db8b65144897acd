package daemon

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestImageTellsWhatItIsMadeOf(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	var page struct {
		Images []struct {
			Path, Binding, Template, Size string
			Bytes                         int64
		}
		NextCursor *string
	}
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "GET", "/images?binding=cards&since=1h", "")), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Images) != 1 || page.NextCursor != nil || page.Images[0].Template == "" || page.Images[0].Bytes == 0 {
		t.Fatalf("the images are %+v", page)
	}
	var about struct {
		Texts    []struct{ Variable, Text string }
		Row      map[string]any
		Render   struct{ State string }
		Source   struct{ Name, State string }
		Previous *struct{}
	}
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "GET", page.Images[0].Path+"/about", "")), &about); err != nil {
		t.Fatal(err)
	}
	named := false
	for _, text := range about.Texts {
		named = named || text.Variable != "" && strings.Contains(text.Text, "Mug")
	}
	if !named || about.Row["sku"] != "A" || about.Render.State != "done" || about.Source.Name != "shop" || about.Previous != nil {
		t.Errorf("it is made of %+v", about)
	}
	var all struct {
		Health struct{ Level, Sentence string }
		Tiles  struct {
			Renders struct{ Count int }
			Disk    struct{ FreeBytes *int64 }
		}
	}
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "GET", "/overview", "")), &all); err != nil {
		t.Fatal(err)
	}
	if all.Health.Level != "ok" || !strings.HasPrefix(all.Health.Sentence, "All is well: 1 binding is current") || all.Tiles.Renders.Count != 1 || all.Tiles.Disk.FreeBytes == nil {
		t.Errorf("the overview is %+v", all)
	}
}
