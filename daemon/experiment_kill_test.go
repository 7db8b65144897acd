package daemon

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/sink"
)

const cardsOrder = `{"name": "Two cards", "slug": "two-cards", "goalConfig": {"type": "conversion"}, "variants": [
	{"id": "plain", "templateUid": "card", "variables": {"title": "Plain"}}, {"id": "bold", "templateUid": "card", "variables": {"title": "Bold"}}]}`

// A start that is killed has happened with all that goes with it, or not at all.
func TestAStartSurvivesKillAt(t *testing.T) {
	for point, status := range map[string]string{"experiment.prepared": "draft", "experiment.kept": "running"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			heard := newEventLog(t)
			p := s.start(childCrash + "=" + point + ":1")
			p.mustSend(http.StatusCreated, http.MethodPost, "/webhook-subscriptions", `{"targetUrl": "`+heard.server.URL+`", "event": "experiment.started"}`)
			p.mustSend(http.StatusCreated, http.MethodPost, "/experiments", cardsOrder)
			if got, text := p.ask(http.MethodPost, "/experiments/two-cards/start", ""); got != 0 {
				t.Errorf("the start answered %d %s", got, text)
			}
			p.mustDie(point)

			p = s.start(childHaste + "=1") // it may tell before the document was read
			heard.reads(t, p)
			var shown struct {
				Experiment  struct{ Status string }
				Allocations []struct{ Why string }
			}
			results := func() {
				t.Helper()
				if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, http.MethodGet, "/experiments/two-cards/results", "")), &shown); err != nil {
					t.Fatal(err)
				}
			}
			if results(); shown.Experiment.Status != status {
				t.Fatalf("it is %+v, want %s", shown, status)
			}
			if status == "draft" {
				p.mustSend(http.StatusOK, http.MethodPost, "/experiments/two-cards/start", "")
				results()
			}
			if len(shown.Allocations) != 1 || shown.Allocations[0].Why != "start" {
				t.Errorf("it has the allocations %+v", shown.Allocations)
			}
			heard.has(t, sink.ExperimentStarted, `"experiment":"two-cards"`)
			if all, _ := heard.heard(); len(heard.all(sink.ExperimentStarted)) != 1 {
				t.Errorf("it was told of %q", all)
			}
		})
	}
}

// What subscriptions are told is as the document says.
func TestEventsOfExperimentsAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	heard := newEventLog(t)
	p := s.start()
	heard.reads(t, p)
	p.mustSend(http.StatusCreated, http.MethodPost, "/webhook-subscriptions", `{"targetUrl": "`+heard.server.URL+`", "events": ["experiment.started", "experiment.weights_changed", "experiment.completed"]}`)
	p.mustSend(http.StatusCreated, http.MethodPost, "/experiments", cardsOrder)
	p.mustSend(http.StatusOK, http.MethodPost, "/experiments/two-cards/start", "")
	text := p.mustSend(http.StatusConflict, http.MethodPost, "/experiments/two-cards/start", "")
	if !strings.Contains(text, `"currentStatus":"running"`) || !strings.Contains(text, `"allowedTransitions":["pause"`) {
		t.Errorf("a second start is %s", text)
	}
	p.mustSend(http.StatusOK, http.MethodPost, "/experiments/two-cards/rollout", `{"weights": {"plain": 1000, "bold": 9000}}`)
	p.mustSend(http.StatusConflict, http.MethodPost, "/experiments/two-cards/complete", `{"winnerVariantId": "bold"}`)
	p.mustSend(http.StatusOK, http.MethodPost, "/experiments/two-cards/complete", `{"winnerVariantId": "bold", "force": true}`)
	heard.has(t, sink.ExperimentStarted, `"weights":{"bold":5000,"plain":5000}`)
	heard.has(t, sink.ExperimentWeightsChanged, `"bold":9000`, `"why":"rollout"`)
	heard.has(t, sink.ExperimentCompleted, `"winner":"bold"`, `"forced":true`, `"status":"completed"`)
	if _, wrong := heard.heard(); len(wrong) > 0 {
		t.Errorf("not as described: %s", strings.Join(wrong, "\n"))
	}
	if text := p.mustSend(http.StatusOK, http.MethodGet, "/deliveries", ""); !strings.Contains(text, sink.ExperimentCompleted) || strings.Contains(text, "#experiment") {
		t.Errorf("deliveries are shown as %s", text)
	}
}
