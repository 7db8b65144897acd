package daemon

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/pictifyd/pictifyd/copilot"
)

// mustRun is the run of the copilot as the daemon shows it.
func (p *process) mustRun(id string) (r copilot.Run) {
	p.tb.Helper()
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, http.MethodGet, "/copilot/runs/"+id, "")), &r); err != nil {
		p.tb.Fatal(err)
	}
	return r
}

// mustStart asks the copilot for a dark theme.
func (p *process) mustStart() (r copilot.Run) {
	p.tb.Helper()
	text := p.mustSend(http.StatusCreated, http.MethodPost, "/copilot/runs", `{"template":"card","message":"Make a dark-mode variant"}`)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		p.tb.Fatal(err)
	}
	return r
}

// mustSource is the text of the draft of card.
func (p *process) mustSource() string {
	p.tb.Helper()
	var shown struct{ Draft struct{ HTML string } }
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, http.MethodGet, "/templates/card/draft", "")), &shown); err != nil || shown.Draft.HTML == "" {
		p.tb.Fatalf("the draft is %+v, %v", shown, err)
	}
	return shown.Draft.HTML
}

// A step that was committed and not noted is in the list after the restart, and can
// be taken back.
func TestStepOfTheCopilotSurvivesAKillBeforeItIsNoted(t *testing.T) {
	needChrome(t)
	t.Parallel()
	s := newSite(t, "")
	p := s.start(childCrash+"=copilot.stepped:1", childChrome+"=1")
	before := p.mustSource()
	run := p.mustStart()
	p.mustDie("copilot.stepped")

	p = s.start() // what was done needs no picture to be taken back
	left := p.mustRun(run.ID)
	if left.Status != copilot.Failed || left.Problem == nil || left.Problem.Code != copilot.Interrupted || left.EndedAt == nil {
		t.Fatalf("after the restart the run is %+v, %+v", left, left.Problem)
	}
	if len(left.Steps) != 1 || left.Steps[0].State != copilot.Pending || p.mustSource() == before {
		t.Fatalf("its steps are %+v, and the draft changed: %v", left.Steps, p.mustSource() != before)
	}
	p.mustSend(http.StatusOK, http.MethodPost, "/copilot/runs/"+run.ID+"/steps/1/reject", "")
	if after := p.mustSource(); after != before {
		t.Errorf("taken back the draft is\n%s", after)
	}
	if left = p.mustRun(run.ID); left.Steps[0].State != copilot.Rejected {
		t.Errorf("the step is %s", left.Steps[0].State)
	}
	p.mustStart() // nothing of it stands in the way
}

// A step that was taken back and not noted can be taken back once more: nothing is
// left of it, and nothing else goes.
func TestRejectionSurvivesAKillBeforeItIsNoted(t *testing.T) {
	needChrome(t)
	t.Parallel()
	s := newSite(t, "")
	p := s.start(childCrash+"=copilot.undone:1", childChrome+"=1")
	before := p.mustSource()
	run := p.mustStart()
	eventually(t, "the end of the run", func() bool { return !p.mustRun(run.ID).Open() })
	run = p.mustRun(run.ID)
	if run.Status != copilot.Review || len(run.Steps) == 0 {
		t.Fatalf("the run is %s, %+v, with %d steps", run.Status, run.Problem, len(run.Steps))
	}
	if status, text := p.ask(http.MethodPost, "/copilot/runs/"+run.ID+"/discard", ""); status != 0 {
		t.Errorf("the discard answered %d %s", status, text)
	}
	p.mustDie("copilot.undone")

	p = s.start()
	if left := p.mustRun(run.ID); left.Status != copilot.Review {
		t.Errorf("after the restart the run is %s", left.Status)
	}
	p.mustSend(http.StatusOK, http.MethodPost, "/copilot/runs/"+run.ID+"/discard", "")
	if after := p.mustSource(); after != before {
		t.Errorf("taken back the draft is\n%s", after)
	}
	if left := p.mustRun(run.ID); left.Status != copilot.Discarded {
		t.Errorf("the run is %s", left.Status)
	}
}
