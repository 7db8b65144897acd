package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/experiment/stats"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/store"
)

// spring is an experiment of two templates, 30 to 70.
func spring() experiment.Experiment {
	e := experiment.Experiment{ID: "exp_rows", Status: experiment.Running, StartedAt: time.Now(), Since: time.Now()}
	e.Name, e.Slug, e.Type, e.Coverage, e.Rows = "Spring", "spring-card", experiment.ABTest, experiment.Whole, true
	e.Goal = experiment.Goal{Type: experiment.GoalClick, DestinationURL: "https://shop.example/spring"}
	e.Variants = []experiment.Variant{
		{ID: "plain", Template: "card", Weight: 3000, Control: true},
		{ID: "loud", Template: "loud", Weight: 7000, Variables: map[string]json.RawMessage{"price": json.RawMessage("9.50")}},
	}
	e.Weights = []int{3000, 7000}
	return e
}

// springVariant is what the published hash gives a unit of spring.
func springVariant(unit string) string {
	if stats.Bucket("exp_rows", unit) < 3000 {
		return "plain"
	}
	return "loud"
}

// springSite is a site with both templates.
func springSite(t *testing.T, yaml string) *site {
	t.Helper()
	s := newSite(t, yaml)
	s.write("templates/loud.html", strings.Replace(strings.Replace(cardTemplate, `"name": "card"`, `"name": "loud"`, 1), "#fff", "#fd0", 1))
	return s
}

// keep keeps an experiment and tells the daemon, as every change of one does.
func (d *Daemon) mustKeep(tb testing.TB, e experiment.Experiment) experiment.Experiment {
	tb.Helper()
	kept, err := d.store.SaveExperiment(tb.Context(), e)
	if err != nil {
		tb.Fatal(err)
	}
	if err := d.reloadExperiments(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	d.experimentMoved(kept.Slug) // a draft is not shown
	return kept
}

func customers(n int) []map[string]any {
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{"title": fmt.Sprintf("Card %d", i), "price": i, "customer": fmt.Sprintf("u-%d", i)}
	}
	return rows
}

const bySpring = `"experiment":{"slug":"spring-card","unit":"customer"}`

// orderBatch posts a batch by spring and returns its id.
func (p *process) orderBatch(rows []map[string]any, more string) string {
	p.tb.Helper()
	text, err := json.Marshal(rows)
	if err != nil {
		p.tb.Fatal(err)
	}
	var accepted struct{ JobID string }
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusAccepted, "POST", "/templates/card/batch-render", `{"variables":`+string(text)+","+bySpring+more+"}")), &accepted); err != nil {
		p.tb.Fatal(err)
	}
	return accepted.JobID
}

// A treatedRow is what a result says of its variant.
type treatedRow struct {
	Index                   int64
	Key, URL                string
	Code, Variant, ClickURL string
}

// treatedRows are the rows of a job that has ended, by index.
func (p *process) treatedRows(id string, n int) []treatedRow {
	p.tb.Helper()
	eventually(p.tb, "the job ends", func() bool {
		v := struct{ CompletedAt *time.Time }{}
		p.get("/jobs/"+id, &v)
		return v.CompletedAt != nil
	})
	rows := make([]treatedRow, n)
	for line := range strings.SplitSeq(strings.TrimSpace(p.mustSend(http.StatusOK, "GET", "/jobs/"+id+"/results.ndjson", "")), "\n") {
		var row treatedRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			p.tb.Fatalf("%s: %v", line, err)
		}
		rows[row.Index] = row
	}
	return rows
}

// drawnWith is the template by which the picture at an address was drawn.
func (d *Daemon) drawnWith(tb testing.TB) map[string]string {
	tb.Helper()
	of := map[string]string{}
	for f := (bindings.ImageFilter{}); ; {
		shown, next, err := d.store.Gallery(tb.Context(), f, 500)
		if err != nil {
			tb.Fatal(err)
		}
		for _, g := range shown {
			of[g.Hash] = g.Made.Spec.Template
		}
		if next == nil {
			return of
		}
		f.Behind = next
	}
}

func TestBatchIsSplitByThePublishedRangesAndAgainAlike(t *testing.T) {
	s := springSite(t, "")
	null := &rendertest.Null{}
	url, d := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	d.mustKeep(t, spring())
	const n = 2000
	first := p.treatedRows(p.orderBatch(customers(n), ""), n)
	templates := d.drawnWith(t)
	template := map[string]string{"plain": "card", "loud": "loud"}
	counts := map[string]int64{}
	for i, row := range first {
		want := springVariant(fmt.Sprintf("u-%d", i))
		counts[want]++
		hash := strings.TrimSuffix(filepath.Base(row.URL), ".png")
		if row.Variant != want || templates[hash] != template[want] || !strings.Contains(row.ClickURL, fmt.Sprintf("/s/spring-card/u-%d/click?sig=", i)) {
			t.Fatalf("row %d is %+v of template %q, want variant %s", i, row, templates[hash], want)
		}
	}
	if counts["plain"] < 500 || counts["loud"] < 1300 {
		t.Errorf("the rows are split %v", counts)
	}
	exposed := map[string]int64{}
	all, err := d.store.ExperimentCounts(t.Context(), "exp_rows")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Channel != experiment.Email {
			t.Errorf("counts of the channel %q: %+v", c.Channel, c)
		}
		exposed[c.Variant] += c.Exposures
	}
	if exposed["plain"] != counts["plain"] || exposed["loud"] != counts["loud"] {
		t.Errorf("exposed were %v, want %v", exposed, counts)
	}

	// Other weights are for new units.
	e, err := d.store.Experiment(t.Context(), "spring-card")
	if err != nil {
		t.Fatal(err)
	}
	e.Weights = []int{10_000, 0}
	d.mustKeep(t, e)
	drawn := null.Count()
	for i, row := range p.treatedRows(p.orderBatch(append(customers(n), map[string]any{"title": "new", "customer": "new-1"}), ""), n+1) {
		if i < n && row.Variant != first[i].Variant || i == n && row.Variant != "plain" {
			t.Errorf("row %d is now %s", i, row.Variant)
		}
	}
	if null.Count() != drawn+1 {
		t.Errorf("%d pictures were made anew, want one", null.Count()-drawn)
	}
}

func TestDryRunAssignsNobody(t *testing.T) {
	s := springSite(t, "")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	d.mustKeep(t, spring())
	rows := append(customers(40), map[string]any{"title": "nobody"})
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	var dry struct {
		InvalidItems int
		Errors       []struct{ Index, Code, Error any }
		Sample       []treatedRow
	}
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusOK, "POST", "/templates/card/batch-render", `{"variables":`+string(text)+","+bySpring+`,"dryRun":true}`)), &dry); err != nil {
		t.Fatal(err)
	}
	if dry.InvalidItems != 1 || dry.Errors[0].Code != "unit_missing" || !strings.Contains(fmt.Sprint(dry.Errors[0].Error), `"customer"`) {
		t.Errorf("the dry run is %+v", dry)
	}
	for _, row := range dry.Sample {
		if want := springVariant(fmt.Sprintf("u-%d", row.Index)); row.Variant != want {
			t.Errorf("row %d of the sample is %s, want %s", row.Index, row.Variant, want)
		}
	}
	assigned, err := d.store.ExportAssignments(t.Context(), "exp_rows", "", 10)
	if err != nil || len(assigned) != 0 {
		t.Errorf("assigned were %v, %v", assigned, err)
	}
}

func TestBatchOfAnExperimentThatCantBeIsRefused(t *testing.T) {
	s := springSite(t, "")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	draft := spring()
	draft.ID, draft.Slug, draft.Status = "exp_draft", "not-yet", experiment.Draft
	d.mustKeep(t, draft)
	link := spring()
	link.ID, link.Slug, link.Type = "exp_link", "who-looks", experiment.SmartLink
	d.mustKeep(t, link)
	broken := spring()
	broken.ID, broken.Slug = "exp_broken", "broken"
	broken.Variants[1].Template = "gone"
	d.mustKeep(t, broken)
	for slug, c := range map[string]struct {
		status int
		want   string
	}{
		"spring-crad": {http.StatusUnprocessableEntity, "experiment_not_found"},
		"not-yet":     {http.StatusConflict, "POST /experiments/not-yet/start"},
		"who-looks":   {http.StatusUnprocessableEntity, "ab_test"},
		"broken":      {http.StatusUnprocessableEntity, "gone"},
	} {
		got := p.mustSend(c.status, "POST", "/templates/card/batch-render", `{"variables":[{"title":"x","customer":"u"}],"experiment":{"slug":"`+slug+`","unit":"customer"}}`)
		if !strings.Contains(got, c.want) || !strings.Contains(got, "experiment.slug") {
			t.Errorf("%s: %s, want %s at experiment.slug", slug, got, c.want)
		}
	}
}

func TestPausedExperimentGivesTheControlAndKeepsWhoIsIn(t *testing.T) {
	s := springSite(t, "")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	e := d.mustKeep(t, spring())
	first := p.treatedRows(p.orderBatch(customers(20), ""), 20)
	e.Status = experiment.Paused
	e = d.mustKeep(t, e)
	for i, row := range p.treatedRows(p.orderBatch(customers(60), ""), 60) {
		want := "plain"
		if i < 20 {
			want = first[i].Variant
		}
		if row.Variant != want {
			t.Errorf("row %d during the pause is %s, want %s", i, row.Variant, want)
		}
	}
	e.Status, e.Coverage = experiment.Running, 0
	e = d.mustKeep(t, e)
	for i, row := range p.treatedRows(p.orderBatch(customers(60)[20:], ""), 40) {
		if row.Variant != "plain" {
			t.Errorf("row %d without coverage is %s", i, row.Variant)
		}
	}
	if assigned, err := d.store.ExportAssignments(t.Context(), e.ID, "", 100); err != nil || len(assigned) != 20 {
		t.Errorf("%d are assigned, %v, want those of before the pause", len(assigned), err)
	}
}

const springYAML = `
sources: { people: { kind: file, path: people.csv, key: id, every: 1h } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings:
  - name: cards
    source: people
    template: card
    map: { title: name }
    sinks: [hook]
    public: true
    guard: { max_changed: 100% }
    experiment: { slug: spring-card, unit: customer }
`

func people(n int, word string) string {
	var b strings.Builder
	b.WriteString("id,customer,name,price\n")
	for i := range n {
		fmt.Fprintf(&b, "P%03d,u-%d,%s %d,%d\n", i, i, word, i, i)
	}
	return b.String()
}

// toldVariants are the variants that the receiver was told last, by key, with where
// clicks lead.
func (r *receiver) toldVariants(t *testing.T) map[string]string {
	t.Helper()
	last := map[string]int64{}
	told := map[string]string{}
	for _, h := range r.all("render.completed") {
		var data struct {
			Key, Variant, ClickURL string
			Generation             int64
		}
		if err := json.Unmarshal(h.Data, &data); err != nil {
			t.Fatal(err)
		}
		if data.Variant != "" && !strings.Contains(data.ClickURL, "/s/spring-card/u-") {
			t.Errorf("%s is told with the click %q", data.Key, data.ClickURL)
		}
		if data.Generation >= last[data.Key] {
			last[data.Key], told[data.Key] = data.Generation, data.Variant
		}
	}
	return told
}

func springOf(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		all[fmt.Sprintf("P%03d", i)] = springVariant(fmt.Sprintf("u-%d", i))
	}
	return all
}

func TestBindingKeepsItsVariantsAndGoesToTheWinner(t *testing.T) {
	const n = 40
	s := springSite(t, springYAML)
	s.write("people.csv", people(n, "one"))
	null := &rendertest.Null{}
	url, d := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}

	// Before it begins, the binding draws as if there were none.
	draft := spring()
	draft.Status = experiment.Draft
	e := d.mustKeep(t, draft)
	eventually(t, "images as of no experiment", func() bool { return p.ready("cards") == n && len(s.receiver.toldVariants(t)) == n })
	for key, variant := range s.receiver.toldVariants(t) {
		if variant != "" {
			t.Errorf("%s is told as %q before the start", key, variant)
		}
	}
	e.Status = experiment.Running
	e = d.mustKeep(t, e)
	want := springOf(n)
	eventually(t, "each row as its variant", func() bool { return same(s.receiver.toldVariants(t), want) })
	loud := 0
	for _, variant := range want {
		if variant == "loud" {
			loud++
		}
	}
	eventually(t, "images", func() bool { return p.ready("cards") == n })
	if null.Count() != n+loud {
		t.Errorf("%d pictures were made, want %d, and %d of those that became loud", null.Count(), n, loud)
	}

	if got := p.text("/bindings/cards/rows/P001"); !strings.Contains(strings.ReplaceAll(got, " ", ""), fmt.Sprintf(`"variant":{"experiment":%q,"unit":"u-1","id":%q}`, e.ID, want["P001"])) {
		t.Errorf("a row does not say as which variant it is drawn: %s", got)
	}

	// Other weights move nobody, whatever is read again.
	e.Weights = []int{10_000, 0}
	e = d.mustKeep(t, e)
	s.write("people.csv", people(n, "two"))
	eventually(t, "the second names", func() bool { return null.Count() == 2*n+loud && len(s.receiver.all("render.completed")) == 2*n+n })
	if got := s.receiver.toldVariants(t); !same(got, want) {
		t.Errorf("after other weights, the rows are %v, want %v", got, want)
	}

	forecast, err := experimentDesk{d}.Forecast(t.Context(), e, "loud")
	if err != nil || len(forecast) != 1 || forecast[0].Images != n-loud || forecast[0].Unchanged != loud {
		t.Errorf("the forecast is %+v, %v, want %d images", forecast, err, n-loud)
	}
	e.Status, e.Winner, e.EndedAt = experiment.Completed, "loud", time.Now()
	d.mustKeep(t, e)
	winner := map[string]string{}
	for key := range want {
		winner[key] = "loud"
	}
	eventually(t, "the winner for all", func() bool { return same(s.receiver.toldVariants(t), winner) && p.ready("cards") == n })
	if null.Count() != 2*n+loud+n-loud {
		t.Errorf("%d pictures were made for the winner, want %d", null.Count()-2*n-loud, n-loud)
	}
	digest, err := d.store.BindingDigest(t.Context(), "cards")
	if err != nil {
		t.Fatal(err)
	}
	s.write("people.csv", people(n, "two")+"P999,,Nobody,1\n")
	eventually(t, "the row without a unit fails", func() bool {
		failed, err := d.store.FailedRows(t.Context(), "cards", 10)
		return err == nil && len(failed) == 1 && failed[0].Problem.Code == bindings.UnitMissing
	})
	if again, err := d.store.BindingDigest(t.Context(), "cards"); err != nil || again != digest || null.Count() != 3*n {
		t.Errorf("planned again after the winner: %v, %d pictures, want %d", err, null.Count(), 3*n)
	}
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for key, v := range a {
		if b[key] != v {
			return false
		}
	}
	return true
}

// A death between the assignment and the plan, and one after it, change no variant and
// count nobody twice.
func TestVariantsSurviveKillAt(t *testing.T) {
	for _, point := range []string{"units.assigned", "job.assigned", "job.planned"} {
		t.Run("batch "+point, func(t *testing.T) {
			t.Parallel()
			s := springSite(t, "")
			s.prepare(spring())
			const n = 700 // two pages
			p := s.start(childCrash + "=" + point + ":1")
			id := p.orderBatch(customers(n), "")
			p.mustDie(point)
			s.reweigh()
			p = s.start()
			for i, row := range p.treatedRows(id, n) {
				want := "plain" // who was not assigned before the death
				if i < planSize {
					want = springVariant(fmt.Sprintf("u-%d", i))
				}
				if row.Variant != want {
					t.Fatalf("row %d is %s, want %s", i, row.Variant, want)
				}
			}
			p.terminate()
			s.mustHaveExposed(n)
		})
	}
	for _, point := range []string{"units.assigned", "plan.committed"} {
		t.Run("binding "+point, func(t *testing.T) {
			t.Parallel()
			s := springSite(t, springYAML)
			s.prepare(spring())
			const n = 30
			s.write("people.csv", people(n, "one"))
			s.start(childCrash + "=" + point + ":1").mustDie(point)
			s.reweigh()
			p := s.start()
			eventually(t, "each row as its variant of before", func() bool { return same(s.receiver.toldVariants(t), springOf(n)) && p.ready("cards") == n })
			p.terminate()
			s.mustHaveExposed(n)
		})
	}
}

// prepare keeps an experiment before there is a daemon.
func (s *site) prepare(e experiment.Experiment) {
	s.tb.Helper()
	s.inLedger(func(ledger *store.Store) error {
		_, err := ledger.SaveExperiment(s.tb.Context(), e)
		return err
	})
}

// reweigh gives new units of spring the control.
func (s *site) reweigh() {
	s.tb.Helper()
	s.inLedger(func(ledger *store.Store) error {
		e, err := ledger.Experiment(s.tb.Context(), "spring-card")
		if err != nil {
			return err
		}
		e.Weights = []int{10_000, 0}
		_, err = ledger.SaveExperiment(s.tb.Context(), e)
		return err
	})
}

func (s *site) mustHaveExposed(n int64) {
	s.tb.Helper()
	s.inLedger(func(ledger *store.Store) error {
		counts, err := ledger.ExperimentCounts(s.tb.Context(), "exp_rows")
		exposed := int64(0)
		for _, c := range counts {
			exposed += c.Exposures
		}
		if err == nil && exposed != n {
			err = fmt.Errorf("%d units are exposed, want %d", exposed, n)
		}
		return err
	})
}

// inLedger opens the ledger while no daemon runs.
func (s *site) inLedger(do func(*store.Store) error) {
	s.tb.Helper()
	ledger, err := store.Open(s.tb.Context(), store.Config{URL: "sqlite:data/pictifyd.db"}, store.Options{Dir: s.dir})
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := do(ledger); err != nil {
		s.tb.Error(err)
	}
	if err := ledger.Close(); err != nil {
		s.tb.Fatal(err)
	}
}

func TestCSVOfResultsHasTheVariants(t *testing.T) {
	s := springSite(t, "")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	d.mustKeep(t, spring())
	id := p.orderBatch(append(customers(2), map[string]any{"title": "nobody"}), "")
	p.treatedRows(id, 3)
	lines := strings.Split(strings.TrimSpace(p.mustSend(http.StatusOK, "GET", "/jobs/"+id+"/results.csv", "")), "\r\n")
	if !strings.HasSuffix(lines[0], "url,variant,clickUrl,error") {
		t.Errorf("the header is %s", lines[0])
	}
	for i := range 2 {
		want := fmt.Sprintf("%s,%s/s/spring-card/u-%d/click?sig=", springVariant(fmt.Sprintf("u-%d", i)), d.urls.base, i)
		if !strings.Contains(lines[i+1], want) {
			t.Errorf("row %d is %s, want %s", i, lines[i+1], want)
		}
	}
	if !strings.Contains(lines[3], "customer") {
		t.Errorf("the row without a unit is %s", lines[3])
	}
	var view struct {
		Results []batch.RowResult
	}
	if p.get("/jobs/"+id, &view); len(view.Results) != 2 || view.Results[0].Variant == "" || view.Results[0].ClickURL == "" {
		t.Errorf("the job is %+v", view)
	}
}
