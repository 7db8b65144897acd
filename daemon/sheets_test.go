package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const sheetSite = `
sources:
  goods: { kind: sheets, spreadsheet: BOOK, range: Goods, key: sku, every: 1s, endpoint: "SHEETS" }
bindings:
  - { name: cards, source: goods, template: card, public: true, on_delete: remove, delete_grace: 0s }
`

// newSheet serves a spreadsheet with one sheet.
func newSheet(t *testing.T) (e *sheetstest.Emulator, s *sheetstest.Sheet, address string) {
	t.Helper()
	e = sheetstest.New(sheetstest.Options{Anonymous: true, Quota: sheetstest.Quota{ReadsPerUser: -1, ReadsPerProject: -1}})
	s = e.Add("BOOK", "Shop").AddSheet("Goods",
		[]any{"sku", "title", "price"}, []any{"a", "Mug", 14.9}, []any{"b", "Tent", 199}, []any{"c", "Lamp", 25})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return e, s, server.URL
}

// etags are those of the images of keys; one that is not there has none.
func etags(t *testing.T, url string, keys ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, key := range keys {
		resp, err := http.Get(url + "/b/cards/" + key + ".png")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			all[key] = resp.Header.Get("ETag")
		}
	}
	return all
}

// Faults of sheets, and what has to hold: nothing is removed that is still there,
// nothing is drawn that looks as before, and what is gone goes all the same.
func TestASheetInTroubleKeepsItsImages(t *testing.T) {
	e, sheet, address := newSheet(t)
	s := newSite(t, strings.ReplaceAll(sheetSite, "SHEETS", address))
	null := &rendertest.Null{}
	url, d := s.run(Options{Renderer: null})
	keys := []string{"a", "b", "c"}
	eventually(t, "three images", func() bool { return len(etags(t, url, keys...)) == 3 })
	before, drawn := etags(t, url, keys...), len(null.Requests())

	calm := func(what string) {
		t.Helper()
		from := len(e.Calls())
		eventually(t, "some readings "+what, func() bool { return len(e.Calls()) > from+2 })
		if now := etags(t, url, keys...); fmt.Sprint(now) != fmt.Sprint(before) || len(null.Requests()) != drawn {
			t.Fatalf("%s: %v were %v; %d drawn, were %d", what, now, before, len(null.Requests()), drawn)
		}
	}
	sheet.Sort(2, true)
	sheet.InsertRows(2, 1)
	sheet.MoveColumn(3, 1)
	calm("after rows and columns moved")

	sheet.Set([]any{"sku", "title", "price"}, []any{"a", "Mug", 14.9}, []any{"b", "Tent", sheetstest.Error("#REF!")}, []any{"c", "Lamp", 25})
	calm("with a formula in error")
	sheet.Rename("Wares")
	calm("with the sheet renamed")
	sheet.Rename("Goods")
	sheet.Set([]any{"SKU no", "title", "price"}, []any{"a", "Mug", 14.9})
	calm("with the key column renamed")
	e.Hook(func(sheetstest.Call) *sheetstest.Failure {
		return &sheetstest.Failure{Status: 404, Message: "Requested entity was not found."}
	})
	calm("with the spreadsheet gone")
	e.Hook(nil)

	// b is in error, c is gone: only c goes.
	sheet.Set([]any{"sku", "title", "price"}, []any{"a", "Mug", 14.9}, []any{"b", "Tent", sheetstest.Error("Loading...")})
	eventually(t, "c is removed", func() bool { return etags(t, url, "c")["c"] == "" })
	if now := etags(t, url, "a", "b"); now["a"] != before["a"] || now["b"] != before["b"] {
		t.Errorf("a and b are %v, were %v", now, before)
	}
	if held, err := d.store.Quarantine(t.Context(), "goods", 10); err != nil || len(held) != 1 || held[0].Key != "b" || !strings.Contains(held[0].Detail, "price at Goods!C3 is Loading...") {
		t.Errorf("quarantine %+v, %v", held, err)
	}
	sheet.Write("C3", 179)
	eventually(t, "b is drawn anew", func() bool { now := etags(t, url, "b")["b"]; return now != "" && now != before["b"] })
}

func TestASheetOfACallerNeedsItsOwnCredentials(t *testing.T) {
	_, _, address := newSheet(t)
	shared := sheetstest.New(sheetstest.Options{})
	account := shared.Account("pictifyd", "shop")
	book := shared.Add("BOOK", "Shop")
	book.AddSheet("Goods", []any{"sku", "title", "price"}, []any{"a", "Mug", 14.9})
	book.Share(account.Email)
	server := httptest.NewServer(shared)
	t.Cleanup(server.Close)

	s := newSite(t, strings.ReplaceAll(sheetSite, "SHEETS", address))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	for _, key := range []string{"credentials_file", "credentialsFile"} {
		p.mustSend(http.StatusUnprocessableEntity, "POST", "/sources", `{"name": "mine", "kind": "sheets", "spreadsheet": "BOOK", "key": "sku", "`+key+`": "/etc/passwd"}`)
	}
	body, err := json.Marshal(map[string]any{
		"name": "mine", "kind": "sheets", "spreadsheet": "BOOK", "range": "Goods", "key": "sku", "every": "1s", "endpoint": server.URL, "credentials": account.JSON(server.URL),
	})
	if err != nil {
		t.Fatal(err)
	}
	made := p.mustSend(http.StatusCreated, "POST", "/sources", string(body))
	p.mustSend(http.StatusCreated, "POST", "/bindings", `{"name": "mine", "source": "mine", "template": "card", "public": true}`)
	eventually(t, "the caller's image", func() bool {
		resp, err := http.Get(url + "/b/mine/a.png")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	_, shown := p.ask("GET", "/sources", "")
	if strings.Contains(made+shown, "PRIVATE KEY") {
		t.Error("the API shows the key")
	}
}
