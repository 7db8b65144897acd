package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
)

func TestSystemTellsWhatItRunsOn(t *testing.T) {
	w := newWorld()
	started := time.Now().Add(-90 * time.Second)
	w.machine = System{
		StartedAt: started, Ledger: LedgerState{Kind: "sqlite", Schema: 31, Bytes: 4096}, Disk: 1000,
		Chrome:   &ChromeState{Lanes: LaneState{Staged: true, Agreed: 2}, Browsers: []BrowserState{{ID: 1, State: "busy", PID: 77, Current: 3}}},
		Waiting:  map[int]int64{bindings.PriorityNow: 1, bindings.PriorityBatch: 4},
		Caches:   []CacheState{{Name: "compiled templates", Entries: 2, Hits: 5, Misses: 2}},
		Config:   json.RawMessage(`{"server":{"listen":"127.0.0.1:8080"}}`),
		Findings: []Sign{{"clock", "ok", "it is noon", ""}},
	}
	w.load = Load{Waiting: 5, Drawing: 2, Disk: DiskLoad{Free: 400, Bytes: 70, Files: 3, Superseded: 20, MeasuredAt: started}}
	s := mustServer(t, locked(Key{Key: config.NewSecret(fullKey)}), w)
	mustProblem(t, get("/system").bearer("wrong").to(t, s), http.StatusUnauthorized, slugBadKey)
	out := get("/system").bearer(fullKey).to(t, s)
	v := mustAnswer[systemView](t, out, http.StatusOK)
	if v.Version != "1.2.3" || !strings.HasPrefix(v.GoVersion, "go1.") || v.UptimeSeconds < 90 || v.MemoryBytes == 0 || v.Ledger.Schema != 31 {
		t.Errorf("the program is %+v", v)
	}
	if v.Queue.Depth != 7 || v.Queue.ByPriority["now"] != 1 || v.Queue.ByPriority["batch"] != 4 || len(v.Queue.ByPriority) != 4 {
		t.Errorf("the queue is %+v", v.Queue)
	}
	want := storageView{LedgerBytes: 4096, FreeBytes: 400, TotalBytes: 1000, Blobs: blobsView{70, 3, 20, v.Storage.Blobs.MeasuredAt}}
	if v.Storage != want || v.Storage.Blobs.MeasuredAt == nil {
		t.Errorf("the storage is %+v, want %+v", v.Storage, want)
	}
	if v.Keys.File == 0 || v.Chrome.Browsers[0].Current != 3 || len(v.Caches) != 2 || len(v.Findings) != 1 {
		t.Errorf("keys %+v, Chrome %+v, caches %+v, findings %+v", v.Keys, v.Chrome, v.Caches, v.Findings)
	}
	if !strings.Contains(out.Body.String(), `"config":{"server":{"listen":"127.0.0.1:8080"}}`) {
		t.Errorf("the configuration is not in %s", out.Body)
	}
}

func TestSystemTellsOfTheProcessesOnOneLedger(t *testing.T) {
	w := newWorld()
	heard, gone := time.Now().Add(-time.Second).UTC(), time.Now().Add(-time.Minute).UTC()
	w.machine = System{Processes: []ProcessState{
		{Place: "pid 7 on a", State: "well", Roles: []string{"connect"}, Version: "1.2", Address: "a:8080", Holder: true, HeardAt: &heard, InHand: HandState{Turns: 1, Deliveries: 4}},
		{Place: "pid 9 on b", State: "late", Cause: "silent", Next: "look", Roles: []string{"render"}, Version: "1.3", InHand: HandState{Turns: 2, Renders: 120}},
		{Place: "pid 5 on c", State: "gone", Cause: "silent", Next: "look", Roles: []string{"render"}, GoneAt: &gone},
	}}
	out := get("/system").to(t, mustServer(t, open(), w))
	v := mustAnswer[systemView](t, out, http.StatusOK)
	if diff := cmp.Diff(w.machine.Processes, v.Processes); diff != "" {
		t.Errorf("other processes (-want +got):\n%s", diff)
	}
	for _, part := range []string{`"inHand":{"turns":2,"renders":120,"deliveries":0}`, `"heardAt":null`, `"state":"gone","cause":"silent","next":"look"`} {
		if !strings.Contains(out.Body.String(), part) {
			t.Errorf("%s is not in %s", part, out.Body)
		}
	}
	if n := strings.Count(out.Body.String(), "goneAt"); n != 1 {
		t.Errorf("%d are gone", n)
	}
}

func TestSystemWithoutChromeHasNone(t *testing.T) {
	v := mustAnswer[map[string]any](t, get("/system").to(t, mustServer(t, open(), newWorld())), http.StatusOK)
	if chrome, there := v["chrome"]; !there || chrome != nil {
		t.Errorf("Chrome is %v", chrome)
	}
	for _, name := range []string{"caches", "findings", "processes"} {
		if _, ok := v[name].([]any); !ok {
			t.Errorf("%s are %v, want a list", name, v[name])
		}
	}
}

// Who may see the machine may do everything.
func TestSystemIsForAdministrators(t *testing.T) {
	const narrow = "key-that-reads-everything"
	s := mustServer(t, locked(Key{Name: "reader", Key: config.NewSecret(narrow), Scopes: []Scope{BindingsRead, RendersRead, ImagesRead, ConnectionsRead}}), newWorld())
	mustProblem(t, get("/system").bearer(narrow).to(t, s), http.StatusForbidden, slugScope)
}
