package daemon

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// Where a row was planned for a unit its image is shown, to who has the signed address
// and to nobody else: what a row says is nobody's business who guesses a unit.
func TestRowOfAUnitIsShownToItAlone(t *testing.T) {
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name } } ]
`)
	s.write("rows.csv", csvRows(2, "secret of"))
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	e := newExperiment("two-cards")
	e.Rows = true
	e = d.exhibits(t, e)
	meet := func(unit, key string) {
		t.Helper()
		if _, err := d.exhibit.meetings.do(t.Context(), experiment.Meeting{Exposed: true, Client: clientPlanned, Assignment: experiment.Assignment{
			Experiment: e.ID, Unit: unit, Variant: "bold", Channel: experiment.Email, At: time.Now().Add(-time.Hour),
			Place: experiment.Place{Owner: string(bindings.BindingOwner("cards")), Key: key},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	var image bindings.Image
	eventually(t, "the row is drawn", func() bool {
		var err error
		image, err = d.store.Image(t.Context(), bindings.BindingOwner("cards"), "SKU-001", "", "png")
		return err == nil && image.Hash != ""
	})
	meet("ada", "SKU-001")
	meet("bob", "SKU-777") // a row that there is not
	of := func(unit string) string { return url + d.unitURLs(e, unit).Image[len(d.urls.base):] }
	fallback := fetchAs(t, http.MethodGet, url+"/s/two-cards.png", "")
	own := fetchAs(t, http.MethodGet, of("ada"), "")
	if own.status != http.StatusOK || own.variant != "bold" || own.header.Get("ETag") != `"bold-`+image.Hash+`"` || bytes.Equal(own.body, fallback.body) {
		t.Errorf("the unit sees %d %s %s, want the image of its row", own.status, own.variant, own.header.Get("ETag"))
	}
	forged := strings.Replace(of("bob"), "/bob.png", "/ada.png", 1)
	for name, path := range map[string]string{"unsigned": url + "/s/two-cards/ada.png", "another's signature": forged} {
		if a := fetchAs(t, http.MethodGet, path, ""); a.status != http.StatusOK || !bytes.Equal(a.body, fallback.body) {
			t.Errorf("%s: %d with %d bytes, want the fallback", name, a.status, len(a.body))
		}
	}
	if a := fetchAs(t, http.MethodGet, of("bob"), ""); a.status != http.StatusOK || a.variant != "bold" || !bytes.Equal(a.body, fallback.body) {
		t.Errorf("without its row: %d %s, want the fallback", a.status, a.variant)
	}
	// Planned again for another row, it shows that one.
	meet("ada", "SKU-000")
	eventually(t, "the other row is shown", func() bool {
		a := fetchAs(t, http.MethodGet, of("ada"), "")
		return a.header.Get("ETag") != own.header.Get("ETag") && !bytes.Equal(a.body, fallback.body)
	})
}
