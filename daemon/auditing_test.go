package daemon

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/pictifyd/pictifyd/internal/audit"
)

// An auditView is what the tests read of GET /audit.
type auditView struct{ Entries []audit.Entry }

func TestAuditTellsWhatCallersAndTheFileChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.write("pictifyd.yaml", reloadHead)
	r := s.reloadable()
	shop := fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1h","bearer":"the-bearer-of-the-shop"}`, s.receiver.server.URL)
	r.mustSend(201, "POST", "/sources", shop)
	r.mustSend(200, "PUT", "/sources/shop", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku","every":"2h","bearer":"***"}`, s.receiver.server.URL))
	r.mustTake(reloadHead + "keep: { audit: 30d }\n")
	ask(t, "DELETE", r.url+"/sources/shop", "").must(t, http.StatusNoContent)
	var list auditView
	r.process.get("/audit", &list)
	want := []string{"DELETE /sources/{name} shop", "reload ", "PUT /sources/{name} shop", "POST /sources shop", "start "}
	var got []string
	for _, e := range list.Entries {
		got = append(got, e.Action+" "+e.Name)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("noted are %q, want %q", got, want)
	}
	e := list.Entries
	if e[0].Before != e[2].After || e[0].After != "" || e[2].Before != e[3].After || e[3].Before != "" || e[2].Before == e[2].After || e[1].Before != e[4].After {
		t.Errorf("the digests do not follow each other: %+v", e)
	}
	for _, one := range e {
		if via := map[bool]string{true: "file", false: "local"}[one.Kind == ofConfiguration]; one.Via != via || one.Status/100 != 2 {
			t.Errorf("entry %+v", one)
		}
	}
}

// A daemon dies as it changes something. Its entry is there, and says that it never
// heard the end.
func TestAChangeThatADeathCutOffIsInTheAudit(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	p := s.start(childCrash + "=resource.committed:1")
	shop := fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1h"}`, s.receiver.server.URL)
	if a, err := tryAsk(t.Context(), "POST", p.url+"/sources", shop); err == nil {
		t.Fatalf("answered with %d", a.status)
	}
	p.mustDie("resource.committed")
	p = s.start()
	var list auditView
	p.get("/audit?kind=source", &list)
	if len(list.Entries) != 1 || list.Entries[0].Action != "POST /sources" || list.Entries[0].Status != 0 {
		t.Errorf("noted are %+v", list.Entries)
	}
	p.get("/audit?kind=configuration", &list)
	if len(list.Entries) != 1 {
		t.Errorf("the same configuration is noted %d times", len(list.Entries))
	}
}
