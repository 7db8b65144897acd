package daemon

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/experiment"
)

// Exposures and events that are killed at a named moment are neither lost nor
// counted twice: whoever was answered counts, and who was not comes again.
func TestExperimentSurvivesKillAt(t *testing.T) {
	for _, c := range []struct{ point, what string }{
		{"units.assigned", "image"}, {"unit.exposed", "image"}, {"events.taken", "click"}, {"event.taken", "click"}, {"event.taken", "conversion"}, {"events.taken", "conversion"},
	} {
		t.Run(c.point+" of a "+c.what, func(t *testing.T) {
			t.Parallel()
			s, e := newSite(t, ""), newExperiment("two-cards")
			var key string
			s.inside(func(d *Daemon) {
				if c.what == "conversion" {
					e.Goal.Type = experiment.GoalConversion
				}
				e = d.exhibits(t, e)
				key = d.writeKey(e)
			})
			const dies = 5 // at that many units were answered before, but for the one
			p := s.start(fmt.Sprintf("%s=%s:%d", childCrash, c.point, dies))
			visit := func(unit string) (answered bool) {
				paths := []string{".png", "/click"}
				if c.what != "click" {
					paths = paths[:1]
				}
				for _, path := range paths {
					if a, err := tryRequest(http.MethodGet, p.url+"/s/two-cards/"+unit+path, ""); err != nil || a.status >= 400 {
						return false
					}
				}
				if c.what != "conversion" {
					return true
				}
				body := fmt.Sprintf(`{"experiment":"two-cards","event":"conversion","unit":%q,"id":"order of %s"}`, unit, unit)
				a, err := tryRequest(http.MethodPost, p.url+"/s/events", body, "X-Write-Key", key)
				return err == nil && a.status == http.StatusOK
			}
			answered := 0
			for i := range dies {
				if visit(fmt.Sprint("u", i)) {
					answered++
				}
			}
			p.mustDie(c.point)
			if answered != dies-1 {
				t.Fatalf("%d were answered before it died, want %d", answered, dies-1)
			}
			// What was answered is there, before anybody comes again.
			s.inside(func(d *Daemon) { mustHaveCounted(t, d, e, c.what, answered, dies) })
			p = s.start()
			for i := range dies {
				if !visit(fmt.Sprint("u", i)) {
					t.Errorf("u%d is not answered", i)
				}
			}
			if code := p.terminate(); code != 0 {
				t.Fatalf("the daemon ended with %d", code)
			}
			s.inside(func(d *Daemon) { mustHaveCounted(t, d, e, c.what, dies, dies) })
		})
	}
}

// mustHaveCounted wants least to most of what.
func mustHaveCounted(t *testing.T, d *Daemon, e experiment.Experiment, what string, least, most int) {
	t.Helper()
	total := map[string]int{}
	for _, line := range countsOf(t, d, e.ID) {
		words := strings.Fields(line)
		for i := 0; i < len(words); i += 2 {
			var n int
			fmt.Sscan(words[i], &n)
			total[words[i+1]] += n
		}
	}
	word := map[string]string{"image": "exposures", "click": "clicks", "conversion": "conversions"}[what]
	if n := total[word]; n < least || n > most || total["exposures"] < least || total["exposures"] > most {
		t.Errorf("counted %v, want %d to %d %s", total, least, most, word)
	}
}
