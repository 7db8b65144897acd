package daemon

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestChangeOfASourceIsToldWithTheValuesBefore(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, `[{"sku":"A","name":"Mug","price":1},{"sku":"B","name":"Hat","price":2}]`)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	ask := func(path string, into any) {
		if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "GET", path, "")), into); err != nil {
			t.Fatal(err)
		}
	}
	type changes struct {
		Reading *int64
		Before  *string
		Changes []struct {
			Key, Change string
			Columns     []struct {
				Name          string
				Before, After any
			}
		}
		More int
	}
	var first changes
	eventually(t, "the first reading", func() bool { first = changes{}; ask("/bindings/cards/changes", &first); return len(first.Changes) == 2 })
	if first.Before != nil || first.Changes[0].Change != "added" {
		t.Errorf("the first reading is %+v", first)
	}
	shop.set(`[{"sku":"A","name":"Mug","price":3}]`)
	var last changes
	eventually(t, "the next one", func() bool {
		last = changes{}
		ask("/bindings/cards/changes", &last)
		return last.Reading != nil && *last.Reading > *first.Reading
	})
	if len(last.Changes) != 2 || last.More != 0 || last.Before == nil || last.Changes[1].Change != "removed" || last.Changes[1].Key != "B" {
		t.Fatalf("the second reading is %+v", last)
	}
	if c := last.Changes[0]; c.Key != "A" || c.Change != "changed" || len(c.Columns) != 1 || c.Columns[0].Name != "price" || c.Columns[0].Before != 1.0 || c.Columns[0].After != 3.0 {
		t.Errorf("the changed row is %+v", c)
	}
	var list struct {
		Readings []struct {
			Rows, Added, Changed, Removed, Unchanged int
			Complete                                 bool
			TookMs                                   *int
		}
	}
	ask("/bindings/cards/readings", &list)
	if len(list.Readings) != 2 || list.Readings[0].Changed != 1 || list.Readings[0].Removed != 1 || !list.Readings[0].Complete || list.Readings[1].Added != 2 || list.Readings[1].TookMs == nil {
		t.Errorf("the readings are %+v", list.Readings)
	}
	var way struct {
		Stages  []struct{ Name, Level string }
		Payload struct {
			Rows  []struct{ Price int }
			Total int
		}
	}
	eventually(t, "the images of all rows", func() bool {
		ask("/bindings/cards/pipeline", &way)
		return way.Stages[3].Level == "ok" && way.Payload.Total > 0
	})
	for _, stage := range way.Stages[:4] {
		if stage.Level != "ok" {
			t.Errorf("the stage %s is %s", stage.Name, stage.Level)
		}
	}
	if len(way.Payload.Rows) != 1 || way.Payload.Rows[0].Price != 3 {
		t.Errorf("the payload is %+v", way.Payload)
	}
}
