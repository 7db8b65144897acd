package daemon

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const experimentsSite = `
experiments:
  - name: Spring banner
    slug: spring
    state: running
    goal_config: { type: click_through, destination_url: "https://shop.example/spring" }
    minimum_run_days: 3
    variants:
      - { id: plain, template_uid: card, is_default: true, weight: 4000, variables: { title: Spring, price: 9.90 } }
      - { id: bold, template_uid: card, weight: 6000, variables: { title: "20 % off", price: 7 } }
  - name: Not yet
    slug: not-yet
    variants:
      - { template_uid: card, variables: { title: A } }
      - { template_uid: card, variables: { title: B } }
`

// rewrite makes the file of s another, and has d take it.
func (s *site) rewrite(d *Daemon, from, to string) error {
	s.tb.Helper()
	text := s.read("pictifyd.yaml")
	if !strings.Contains(text, from) {
		s.tb.Fatalf("the configuration has no %q", from)
	}
	s.write("pictifyd.yaml", strings.Replace(text, from, to, 1))
	next, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		return err
	}
	if err := d.Reload(s.tb.Context(), next); err != nil {
		return err
	}
	return d.followFile(s.tb.Context())
}

func (d *Daemon) mustExperiment(tb testing.TB, slug string) experiment.Experiment {
	tb.Helper()
	e, err := d.store.Experiment(tb.Context(), slug)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestTheFileMakesAndStartsExperiments(t *testing.T) {
	s := newSite(t, experimentsSite)
	d := s.open()
	for range 2 { // the second time changes nothing
		if err := d.followFile(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e := d.mustExperiment(t, "spring")
	if e.Status != experiment.Running || e.Origin != api.OfFile || e.Goal.DestinationURL != "https://shop.example/spring" || e.MinimumRunDays != 3 ||
		string(e.Variants[0].Variables["price"]) != "9.90" || string(e.Variants[1].Variables["title"]) != `"20 % off"` || e.Weights[1] != 6000 {
		t.Errorf("it is %+v", e)
	}
	if draft := d.mustExperiment(t, "not-yet"); draft.Status != experiment.Draft || draft.Variants[0].Weight != 5000 || draft.Revision != 1 {
		t.Errorf("the other is %+v", draft)
	}
	desk := experimentDesk{d}
	if _, err := desk.Change(t.Context(), e, e.Definition); slugOfProblem(err) != api.SlugOfFile {
		t.Errorf("changing it over the API is %v", err)
	}
	if err := desk.Remove(t.Context(), e); slugOfProblem(err) != api.SlugOfFile {
		t.Errorf("removing it over the API is %v", err)
	}
	if e, err := desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MovePause}); err != nil || e.Status != experiment.Paused {
		t.Errorf("paused is %+v: %v", e, err)
	}
	if err := d.followFile(t.Context()); err != nil || d.mustExperiment(t, "spring").Status != experiment.Paused {
		t.Errorf("the file has started what a person paused: %v", err)
	}
}

func TestAReloadTakesWhatExperimentsAllow(t *testing.T) {
	s := newSite(t, experimentsSite)
	d := s.open()
	if err := d.followFile(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.rewrite(d, "type: click_through,", "type: impressions_only,")
	if p := problem.All(err)[0]; p.Slug != experiment.FrozenField || p.Path != "experiments[0].goal_config.type" || p.Pos.Line == 0 {
		t.Errorf("another goal is %+v", p)
	}
	if err := s.rewrite(d, "type: impressions_only,", "type: click_through,"); err != nil {
		t.Fatal(err)
	}
	if err := s.rewrite(d, "minimum_run_days: 3", "minimum_run_days: 5"); err != nil || d.mustExperiment(t, "spring").MinimumRunDays != 5 {
		t.Errorf("more days are %v", err)
	}
	if err := s.rewrite(d, "slug: not-yet", "slug: not-yet\n    state: running"); err != nil || d.mustExperiment(t, "not-yet").Status != experiment.Running {
		t.Errorf("starting the other is %v", err)
	}
	text := s.read("pictifyd.yaml")
	before, _, _ := strings.Cut(text, "experiments:")
	if err := s.rewrite(d, text, before); err != nil || d.mustExperiment(t, "spring").Status != experiment.Paused {
		t.Errorf("out of the file it is %+v: %v", d.mustExperiment(t, "spring"), err)
	}
}

func TestProblemsOfExperimentsHaveTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ from, to, path, says string }{
		"a weight":        {"weight: 6000", "weight: 6001", "experiments[0].variants", "10000"},
		"a state":         {"state: running", "state: paused", "experiments[0].state", "draft or running"},
		"an unknown key":  {"minimum_run_days: 3", "minimum_days: 3", "experiments[0]", "minimum_days"},
		"a destination":   {`"https://shop.example/spring"`, `"javascript:alert(1)"`, "experiments[0].goal_config.destination_url", "http"},
		"the same slug":   {"slug: not-yet", "slug: spring", "experiments[1].slug", "two experiments"},
		"a reserved slug": {"slug: spring", "slug: events", "experiments[0].slug", "reserved"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newBareSite(t, strings.Replace(experimentsSite, c.from, c.to, 1))
			_, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
			if err == nil {
				t.Fatal("it is taken")
			}
			p := problem.All(err)[0]
			if p.Path != c.path || p.Pos.Line == 0 || !strings.Contains(p.Error()+p.Hint, c.says) {
				t.Errorf("%s at %q, line %d", p, p.Path, p.Pos.Line)
			}
		})
	}
	s := newBareSite(t, strings.Replace(experimentsSite, "template_uid: card, weight", "template_uid: cart, weight", 1))
	if _, err := Check(filepath.Join(s.dir, "pictifyd.yaml")); err == nil || !strings.Contains(err.Error(), `no template "cart"`) {
		t.Errorf("a template that there is not: %v", err)
	}
}
