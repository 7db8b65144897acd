package daemon

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/client"
)

func TestExplainOfARowThatChanged(t *testing.T) {
	l := newLive(t, "ttl: 60s", "", "")
	l.get("A").must(t, 200)
	remote := client.Remote{URL: l.url}
	row := func() client.Row {
		t.Helper()
		row, err := remote.Row(t.Context(), "cards", "A")
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	eventually(t, "the sink is told", func() bool { return len(row().Deliveries) == 1 && row().Deliveries[0].State == "delivered" })
	first := row()
	if first.Source.Name != "shop" || first.Source.State != "ok" || first.Source.AskedAt == nil ||
		first.Images[0].Render == nil || first.Images[0].Render.ChangedBy != "" {
		t.Errorf("the first picture is explained by %+v", first)
	}
	l.shop.change(func() { l.shop.titles["A"] = "Mug XL" })
	l.age("A", 60e9)
	l.get("A").must(t, 200)
	eventually(t, "the sink is told", func() bool { return len(row().Deliveries) == 2 })
	second := row()
	render := second.Images[0].Render
	if render == nil || render.ChangedBy != "row" || len(render.Changed) != 1 || render.Changed[0].Variable != "title" ||
		render.Changed[0].Before != "Mug" || render.Changed[0].After != "Mug XL" || render.Bytes == 0 ||
		render.TemplateVersion != 1 || render.Template != "card" || render.Fingerprint == first.Images[0].Render.Fingerprint {
		t.Errorf("the render is %+v", render)
	}
	if second.Version <= first.Version || second.Generation != 2 {
		t.Errorf("version %d after %d, generation %d", second.Version, first.Version, second.Generation)
	}
	status, err := remote.Status(t.Context())
	if err != nil || len(status.Sources) != 1 || status.Sources[0].Freshness.State != "ok" || status.Sources[0].Freshness.ToldAt == nil || len(status.Bindings) != 1 {
		t.Errorf("status is %+v, %v", status, err)
	}
}

func TestPositionIsShownAsFarAsAPersonCanReadIt(t *testing.T) {
	long := strings.Repeat("a", 65)
	for state, want := range map[string]string{
		`{"digest":"` + long + `","files":[{"name":"a"},{}],"settled":true}`:                       "digest aaaaaaaaaaaaaaaa…, files × 2, settled true",
		`{"url":"https://shop.example/?token=secret","etag":"\"v7\"","page":12,"last":"","of":{}}`: `etag "v7", page 12`,
		`{"lsn":16777216, "at":null}`: "lsn 16777216",
		``:                            "", `7`: "", `{"a`: "", `[1]`: "",
	} {
		if got := positionText(json.RawMessage(state)); got != want {
			t.Errorf("of %s it shows %q, want %q", state, got, want)
		}
	}
}
