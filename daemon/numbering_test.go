package daemon

import (
	"fmt"
	"testing"
)

// A source whose rows were numbered by their sender becomes one whose readings, or
// calls, order them: what comes then is newer, whatever the numbers were.
func TestRowsAreNewerThanThoseThatAnotherCountNumbered(t *testing.T) {
	t.Parallel()
	shop := newShop(t, `[{"id":"A","name":"Read"}]`)
	const binding = `
bindings: [ { name: cards, source: crm, template: card, map: { title: name }, public: true } ]
`
	numbered := `sources: { crm: { kind: webhook, path: crm, secret: "` + crmSecret + `", key: id, version: updated } }` + binding
	s := newSite(t, "\n"+numbered)
	r := s.reloadable()
	var before string
	changes := func(what string) {
		t.Helper()
		eventually(t, what, func() bool { return r.picture("/b/cards/A.png") != before && r.picture("/b/cards/A.png") != "" })
		before = r.picture("/b/cards/A.png")
	}
	r.mustTell("crm", "msg_1", `{"id":"A","name":"Numbered","updated":"2026-11-26T12:00:00Z"}`, "accepted")
	changes("the numbered row")

	r.mustReload(`sources: { crm: { kind: webhook, path: crm, secret: "` + crmSecret + `", key: id } }` + binding)
	r.mustTell("crm", "msg_2", `{"id":"A","name":"Called"}`, "accepted")
	changes("the row of a call without a number")

	r.mustReload(fmt.Sprintf(`sources: { crm: { kind: http, url: %q, key: id } }`, shop.server.URL) + binding)
	changes("the row of a reading")
}
