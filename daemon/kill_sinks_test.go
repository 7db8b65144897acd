package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/store"
)

// owes is how many deliveries wait for a sink, by the metrics, which must add up.
func (p *process) owes(sink string) int {
	p.tb.Helper()
	states := map[string]int{}
	for line := range strings.Lines(p.text("/metrics")) {
		rest, ok := strings.CutPrefix(line, fmt.Sprintf(`pictifyd_deliveries{sink=%q,state="`, sink))
		if !ok {
			continue
		}
		state, value, _ := strings.Cut(strings.TrimSpace(rest), `"} `)
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			p.tb.Fatal(err)
		}
		states[state] = int(n)
	}
	if len(states) == 0 || states["planned"] != states["delivered"]+states["waiting"]+states["dead"]+states["superseded"] {
		p.tb.Fatalf("the deliveries to %s do not add up: %v", sink, states)
	}
	return states["waiting"]
}

// A daemon that dies as it has disabled a sink knows of it at its next start, sends
// nothing more to it, and loses nothing that waits.
func TestDisabledSinkSurvivesKillAt(t *testing.T) {
	t.Parallel()
	s := newSite(t, catalogWithHook)
	const rows = 30
	s.write("rows.csv", csvRows(rows, "one"))
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "moved away", http.StatusGone) }))
	defer gone.Close()
	s.write("pictifyd.yaml", strings.ReplaceAll(s.config(), s.receiver.server.URL, gone.URL))
	s.start(childCrash + "=sink.disabled:1").mustDie("sink.disabled")

	s.write("pictifyd.yaml", strings.ReplaceAll(s.config(), gone.URL, s.receiver.server.URL))
	p := s.start()
	eventually(t, "all is drawn", func() bool { return p.ready("cards") == rows })
	if text := p.text("/metrics"); !strings.Contains(text, `pictifyd_sink_state{sink="hook",state="disabled"} 1`) {
		t.Error("after the restart the sink is not disabled")
	}
	waiting := p.owes("hook")
	if n := len(s.receiver.all("")); n > 0 || waiting == 0 {
		t.Errorf("%d arrived at a disabled sink, %d wait", n, waiting)
	}
	p.terminate()
	ledger, err := store.Open(t.Context(), store.Config{URL: "sqlite:data/pictifyd.db"}, store.Options{Dir: s.dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.ResumeSink(t.Context(), "hook"); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	p = s.start()
	eventually(t, "all that waited has arrived", func() bool { return p.owes("hook") == 0 && len(s.receiver.lastGenerations(t)) == waiting })
}
