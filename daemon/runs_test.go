package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// months is a source whose address names the month before a run.
type months struct {
	mu   sync.Mutex
	rows map[string][]string // month: customers
	fail error
	read []string // the months that were read

	holding chan struct{} // when not nil, a reading waits for it
}

func (m *months) Poll(context.Context, connectors.Cursor, connectors.Emit) error {
	return errors.New("a timed source is read for a moment")
}

func (m *months) PollAt(ctx context.Context, at time.Time, from connectors.Cursor, emit connectors.Emit) error {
	m.mu.Lock()
	month := connectors.RunValues(at)["previous_month"].(string)
	m.read = append(m.read, month)
	customers, fail, holding := m.rows[month], m.fail, m.holding
	m.mu.Unlock()
	if holding != nil {
		select {
		case <-holding:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fail != nil {
		return fail
	}
	var b connectors.Batch
	for i, c := range customers {
		name, figure, _ := strings.Cut(c, "=")
		b.Rows = append(b.Rows, connectors.Row{
			Key:      []any{name, month},
			Values:   map[string]any{"customer": name, "month": month, "name": c + " in " + month, "price": json.Number(figure)},
			Position: fmt.Sprint("row ", i),
		})
	}
	b.Closes = &connectors.Closing{Complete: true, Cursor: connectors.Cursor(month)}
	return emit(ctx, b)
}

func (m *months) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

const monthlySite = `
sources:
  usage: { kind: file, path: usage.csv, key: [customer, month], cron: "0 6 1 * *", timezone: Europe/Berlin }
sinks: { hook: { kind: webhook, url: "RECEIVER", events: [run.completed] } }
bindings:
  - { name: reports, source: usage, template: card, map: { title: name }, on_run: [hook], public: true, on_delete: remove, delete_grace: 0s,
      outputs: [ { name: dashboard, format: png }, { name: report, format: pdf } ] }
`

// monthly runs a daemon whose source usage is m.
func (s *site) monthly(m *months, null *rendertest.Null) (*process, *Daemon) {
	s.tb.Helper()
	s.write("usage.csv", "customer,month\n")
	ctx, cancel := context.WithCancel(context.Background())
	var d *Daemon
	url, ended := s.begin(ctx, Options{Renderer: null, started: func(running *Daemon) {
		d = running
		d.roster().feeds["usage"].poller = m
	}})
	s.tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.tb.Errorf("the daemon ended: %v", err)
		}
	})
	return &process{tb: s.tb, url: url}, d
}

// runView is what the tests read of a run's job.
type runView struct {
	jobView
	Progress     int
	DedupedItems int
	Run          batch.RunView
}

func (p *process) runOf(id string) (v runView) {
	p.tb.Helper()
	p.get("/jobs/"+id+"?limit=100", &v)
	return v
}

// ask asks for a run and returns its job.
func (p *process) askRun(binding, at string) string {
	p.tb.Helper()
	body := ""
	if at != "" {
		body = fmt.Sprintf(`{"at":%q}`, at)
	}
	var v struct{ JobID string }
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusAccepted, http.MethodPost, "/bindings/"+binding+"/run", body)), &v); err != nil {
		p.tb.Fatal(err)
	}
	return v.JobID
}

// mustEnd waits for the end of a run.
func (p *process) mustEnd(id, status string) (v runView) {
	p.tb.Helper()
	eventually(p.tb, "the run ends", func() bool {
		v = p.runOf(id)
		return batch.Status(v.Status).Ended()
	})
	if v.Status != status {
		p.tb.Fatalf("the run is %s, want %s: %+v", v.Status, status, v)
	}
	return v
}

func TestRunOfAPastMonthIsAJobAndAskedAgainDrawsNothing(t *testing.T) {
	s := newSite(t, monthlySite)
	null := &rendertest.Null{}
	m := &months{rows: map[string][]string{"2026-08": {"acme=1", "globex=2", "initech=3"}, "2026-09": {"acme=4", "globex=5"}}}
	p, _ := s.monthly(m, null)

	first := p.mustEnd(p.askRun("reports", "2026-09-01"), "completed")
	if first.TotalItems != 3 || first.CompletedItems != 3 || first.DedupedItems != 0 || first.Progress != 100 || first.Run.Rows != 3 || first.Run.Changed != 3 || first.Run.Unchanged != 0 {
		t.Errorf("the first run is %+v", first)
	}
	if at := first.Run.ScheduledFor.Format(time.RFC3339); at != "2026-09-01T04:00:00Z" || first.Run.Cause != batch.ByAsking || first.Run.Phase != "ended" {
		t.Errorf("it is of %s, %+v", at, first.Run)
	}
	if first.Results[0].Key != "acme,2026-08" || !strings.Contains(first.Results[0].URL, "/images/") {
		t.Errorf("its first row is %+v", first.Results[0])
	}
	p.mustEnd(p.askRun("reports", "2026-10-01"), "completed")
	drawn := len(null.Requests())
	if drawn != 2*5 {
		t.Errorf("%d pictures are drawn, want those of 5 rows", drawn)
	}

	again := p.mustEnd(p.askRun("reports", "2026-10-01"), "completed")
	if again.DedupedItems != 2 || again.Run.Changed != 0 || again.Run.Unchanged != 2 || again.TotalItems != 2 || len(null.Requests()) != drawn {
		t.Errorf("the same month again is %+v, with %d pictures drawn", again, len(null.Requests())-drawn)
	}
	// Of customers that changed, only those are drawn.
	m.set(func() { m.rows["2026-09"] = []string{"acme=4", "globex=9", "hooli=6"} })
	late := p.mustEnd(p.askRun("reports", "2026-10-01"), "completed")
	if late.DedupedItems != 1 || late.Run.Changed != 2 || late.Run.Unchanged != 1 || len(null.Requests()) != drawn+4 {
		t.Errorf("the corrected month is %+v, with %d pictures drawn", late, len(null.Requests())-drawn)
	}
	// No month takes away another one's rows.
	if v := p.binding("reports"); v.Items != 6 || v.Ready != 6 || v.Held.Reason != "" {
		t.Errorf("the binding is %+v", v)
	}
	for _, key := range []string{"acme,2026-08", "initech,2026-08", "hooli,2026-09"} {
		if status := p.get("/b/reports/"+key+".pdf", nil); status != http.StatusOK {
			t.Errorf("%s answers %d", key, status)
		}
	}
	eventually(t, "four runs are told of", func() bool { return len(s.receiver.all("run.completed")) == 4 })
	ids := map[string]bool{}
	for _, h := range s.receiver.all("run.completed") {
		ids[h.ID] = true
	}
	var told struct {
		Binding, JobID, Status, ScheduledFor, ResultsURL string
		ChangedCount, UnchangedCount, TotalCount         int
		Results                                          []struct {
			Key     string
			Outputs []struct{ Output, URL string }
		}
	}
	if err := json.Unmarshal(s.receiver.all("run.completed")[0].Data, &told); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 4 || told.Binding != "reports" || told.JobID != first.JobID || told.Status != "completed" || told.ScheduledFor != "2026-09-01T04:00:00Z" ||
		told.ChangedCount != 3 || told.TotalCount != 3 || len(told.Results) != 3 || len(told.Results[0].Outputs) != 2 || told.Results[0].Outputs[1].Output != "report" {
		t.Errorf("told of %d ids, the first says %+v", len(ids), told)
	}
	if len(s.receiver.all("render.completed")) > 0 {
		t.Error("each row is told of as well")
	}
	var list struct{ Jobs []jobView }
	p.get("/jobs?kind=run&binding=reports", &list)
	var none struct{ Jobs []jobView }
	p.get("/jobs?kind=batch", &none)
	if len(list.Jobs) != 4 || len(none.Jobs) != 0 {
		t.Errorf("%d runs and %d batches are listed", len(list.Jobs), len(none.Jobs))
	}
}

// The fingerprints of a run's rows are those of the binding's images: whatever the
// binding does to a row, the picture is made once.
func TestRunSharesItsPicturesWithTheBinding(t *testing.T) {
	s := newSite(t, `
sources: { shop: { kind: file, path: shop.csv, key: sku, every: 1h } }
bindings:
  - { name: cards, source: shop, template: card, where: stock > 0, map: { title: "name + ' of ' + sku", price: price * 2 }, timezone: Asia/Kathmandu,
      outputs: [ { name: card, format: png }, { name: big, format: jpeg, quality: 70 } ] }
`)
	s.write("shop.csv", "sku,name,price,stock\nA,Mug,1.50,1\nB,Cup,2,0\nC,Jar,x,1\n")
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the binding is drawn", func() bool { return p.binding("cards").Ready == 1 })
	drawn := len(null.Requests())

	var asked struct{ Status, JobID, StatusURL, Binding, Source string }
	if err := json.Unmarshal([]byte(p.mustSend(http.StatusAccepted, http.MethodPost, "/bindings/cards/refresh", "")), &asked); err != nil {
		t.Fatal(err)
	}
	if asked.Status != "refreshing" || asked.Binding != "cards" || asked.Source != "shop" || !strings.HasSuffix(asked.StatusURL, asked.JobID) {
		t.Errorf("the answer is %+v", asked)
	}
	v := p.mustEnd(asked.JobID, "partial")
	if v.TotalItems != 2 || v.CompletedItems != 1 || v.FailedItems != 1 || v.DedupedItems != 1 || v.Errors[0].Key != "C" || len(null.Requests()) != drawn {
		t.Errorf("the job is %+v, with %d pictures drawn", v, len(null.Requests())-drawn)
	}
	if csv := p.text("/jobs/" + v.JobID + "/results.csv"); !strings.Contains(csv, "Mug") || !strings.Contains(csv, "sku") {
		t.Errorf("results.csv is %s", csv)
	}

	s.write("shop.csv", "sku,name,price,stock\nA,Mug,1.50,1\nB,Cup,2,3\nC,Jar,4,1\n")
	v = p.mustEnd(p.askRun("cards", ""), "completed") // no schedule is needed
	if v.TotalItems != 3 || v.DedupedItems != 1 || len(null.Requests()) != drawn+4 {
		t.Errorf("the job is %+v, with %d pictures drawn", v, len(null.Requests())-drawn)
	}
}

func TestRunThatCannotBeReadSaysWhy(t *testing.T) {
	s := newSite(t, monthlySite)
	m := &months{fail: errors.New("the warehouse is away")}
	p, _ := s.monthly(m, &rendertest.Null{})
	v := p.mustEnd(p.askRun("reports", "2026-10-01"), "failed")
	if v.TotalItems != 0 || !strings.Contains(v.Run.Error, "the warehouse is away") || !strings.Contains(v.Run.Error, `"usage"`) {
		t.Errorf("the run is %+v", v)
	}
	eventually(t, "the failed run is told of", func() bool { return len(s.receiver.all("run.completed")) == 1 })
	var told struct{ Status, Error string }
	if err := json.Unmarshal(s.receiver.all("run.completed")[0].Data, &told); err != nil || told.Status != "failed" || !strings.Contains(told.Error, "warehouse") {
		t.Errorf("told %+v, %v", told, err)
	}
	var b struct {
		Binding struct {
			NextRunAt string
			LastRun   struct{ JobID, Status, ScheduledFor, Error string }
		}
	}
	p.get("/bindings/reports", &b)
	if b.Binding.NextRunAt == "" || b.Binding.LastRun.JobID != v.JobID || b.Binding.LastRun.Status != "failed" || b.Binding.LastRun.Error == "" {
		t.Errorf("the binding shows %+v", b.Binding)
	}
	m.set(func() { m.fail, m.rows = nil, map[string][]string{"2026-09": {"acme=1"}} })
	if again := p.mustEnd(p.askRun("reports", "2026-10-01"), "completed"); again.JobID == v.JobID || again.TotalItems != 1 {
		t.Errorf("run again, it is %+v", again)
	}
}

func TestRunThatTheGuardHoldsSaysSo(t *testing.T) {
	s := newSite(t, strings.Replace(monthlySite, "delete_grace: 0s,", "delete_grace: 0s, guard: { floor: 1, max_changed: 10% },", 1))
	null := &rendertest.Null{}
	m := &months{rows: map[string][]string{"2026-09": {"a=1", "b=1", "c=1", "d=1"}}}
	p, _ := s.monthly(m, null)
	p.mustEnd(p.askRun("reports", "2026-10-01"), "completed")
	drawn := len(null.Requests())
	m.set(func() { m.rows["2026-09"] = []string{"a=2", "b=2", "c=2", "d=1"} })
	v := p.mustEnd(p.askRun("reports", "2026-10-01"), "failed")
	if !strings.Contains(v.Run.Error, "3 of 4 images would change") || !strings.Contains(v.Run.Error, "/bindings/reports/guard/accept") || len(null.Requests()) != drawn {
		t.Errorf("the run is %+v, with %d pictures drawn", v, len(null.Requests())-drawn)
	}
	p.mustSend(http.StatusOK, http.MethodPost, "/bindings/reports/guard/accept", "")
	v = p.mustEnd(p.askRun("reports", "2026-10-01"), "completed")
	if v.TotalItems != 4 || len(null.Requests()) != drawn+6 {
		t.Errorf("after it was accepted the run is %+v, with %d pictures drawn", v, len(null.Requests())-drawn)
	}
}

// An empty month is no reason to hold anything: it says nothing of other months.
func TestMonthWithoutRowsHoldsNothing(t *testing.T) {
	s := newSite(t, monthlySite)
	p, _ := s.monthly(&months{rows: map[string][]string{"2026-09": {"a=1"}}}, &rendertest.Null{})
	p.mustEnd(p.askRun("reports", "2026-10-01"), "completed")
	if v := p.mustEnd(p.askRun("reports", "2026-09-01"), "completed"); v.TotalItems != 0 || v.Run.Rows != 0 {
		t.Errorf("the empty month is %+v", v)
	}
	if v := p.binding("reports"); v.Held.Reason != "" || v.Items != 1 {
		t.Errorf("the binding is %+v", v)
	}
}

func TestMomentsThatAreAskedFor(t *testing.T) {
	s := newSite(t, monthlySite)
	m := &months{rows: map[string][]string{"2026-08": {"a=1"}}, holding: make(chan struct{})}
	p, d := s.monthly(m, &rendertest.Null{})
	for body, want := range map[string]string{
		`{"at":"2999-01-01"}`: "to come", `{"at":"October"}`: "no moment", `{"at":"2026-13-01"}`: "no moment",
		`{"at":"` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"}`: "to come",
	} {
		if text := p.mustSend(http.StatusUnprocessableEntity, http.MethodPost, "/bindings/reports/run", body); !strings.Contains(text, want) {
			t.Errorf("%s: %s", body, text)
		}
	}
	id := p.askRun("reports", "2026-09-01")
	eventually(t, "it is being read", func() bool { return p.runOf(id).Run.Phase == "reading" })
	if again := p.askRun("reports", "2026-09-01T04:00:00Z"); again != id {
		t.Errorf("the same run asked for twice is %s and %s", id, again)
	}
	f := d.roster().feeds["usage"]
	for at, want := range map[string]string{
		"2026-09-01": "2026-09-01T06:00:00+02:00", "2026-09-02": "2026-09-02T00:00:00+02:00",
		"2026-09-01T00:00:00Z": "2026-09-01T02:00:00+02:00", "2026-10-01": "2026-10-01T00:00:00+02:00",
	} {
		now := time.Date(2026, time.October, 1, 1, 0, 0, 0, time.UTC) // before the run of the day
		if got, err := f.askedFor(at, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s is %v, %v, want %s", at, got, err, want)
		}
	}
	// One that is cancelled while it is read ends so, and its rows are nobody's.
	p.mustMove(id, "cancel")
	p.mustEnd(id, "cancelled")
	close(m.holding)
	eventually(t, "the reading is closed", func() bool { return p.binding("reports").Ready == 1 })
	if n := s.count(t, "job_rows"); n != 0 {
		t.Errorf("%d rows are left of a cancelled run", n)
	}
	p.mustSend(http.StatusOK, http.MethodPost, "/bindings/reports/pause", "")
	p.mustSend(http.StatusConflict, http.MethodPost, "/bindings/reports/run", "")
}

// Of a reading with very many rows, a run has those that need another picture.
func TestRunOfVeryManyRowsHasThoseThatChanged(t *testing.T) {
	s := newSite(t, monthlySite)
	null := &rendertest.Null{}
	customers := func(changed int) (rows []string) {
		for i := range 40 {
			figure := 1
			if i < changed {
				figure = 2
			}
			rows = append(rows, fmt.Sprintf("c%02d=%d", i, figure))
		}
		return rows
	}
	m := &months{rows: map[string][]string{"2026-09": customers(0)}}
	p, d := s.monthly(m, null)
	d.runRows = 10
	if v := p.mustEnd(p.askRun("reports", "2026-10-01"), "completed"); v.TotalItems != 40 || v.Run.Changed != 40 {
		t.Errorf("the first run is %+v", v)
	}
	m.set(func() { m.rows["2026-09"] = customers(3) })
	if v := p.mustEnd(p.askRun("reports", "2026-10-01"), "completed"); v.TotalItems != 3 || v.DedupedItems != 0 || v.Run.Rows != 40 || v.Run.Changed != 3 || v.Run.Unchanged != 37 {
		t.Errorf("the second run is %+v", v)
	}
}

func TestScheduledRuns(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	const site = monthlySite
	runs := func(t *testing.T, d *Daemon) (all []batch.Job) {
		t.Helper()
		all, err := d.store.FindJobs(t.Context(), batch.JobFilter{Kind: batch.KindRun}, 100)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	fire := func(t *testing.T, d *Daemon, now string) {
		t.Helper()
		if _, err := d.fire(t.Context(), d.roster().feeds["usage"], at(now)); err != nil {
			t.Fatal(err)
		}
	}
	open := func(t *testing.T, change ...string) *Daemon {
		t.Helper()
		s := newSite(t, strings.NewReplacer(change...).Replace(site))
		s.write("usage.csv", "customer,month\n")
		return s.open()
	}

	t.Run("a schedule begins when it is first seen, and runs once at its time", func(t *testing.T) {
		d := open(t)
		fire(t, d, "2026-09-20T00:00:00Z")
		fire(t, d, "2026-10-01T03:59:59Z")
		if n := len(runs(t, d)); n != 0 {
			t.Fatalf("there are %d runs before the time", n)
		}
		fire(t, d, "2026-10-01T04:00:00Z")
		fire(t, d, "2026-10-01T04:00:01Z")
		fire(t, d, "2026-10-01T03:00:00Z") // the clock is set back
		fire(t, d, "2026-10-01T04:00:00Z")
		all := runs(t, d)
		if len(all) != 1 || all[0].Origin.Cause != batch.BySchedule || !all[0].Origin.For.Equal(at("2026-10-01T04:00:00Z")) {
			t.Errorf("the runs are %+v", all)
		}
	})
	t.Run("what was missed is made up for once", func(t *testing.T) {
		d := open(t)
		fire(t, d, "2026-01-20T00:00:00Z")
		fire(t, d, "2026-09-20T00:00:00Z")
		if all := runs(t, d); len(all) != 1 || !all[0].Origin.For.Equal(at("2026-09-01T04:00:00Z")) {
			t.Errorf("the runs are %+v", all)
		}
	})
	t.Run("what was missed is let go", func(t *testing.T) {
		d := open(t, "timezone: Europe/Berlin", "timezone: Europe/Berlin, catch_up: none")
		fire(t, d, "2026-01-20T00:00:00Z")
		fire(t, d, "2026-09-20T00:00:00Z")
		if all := runs(t, d); len(all) != 0 {
			t.Errorf("the runs are %+v", all)
		}
		fire(t, d, "2026-10-01T04:00:30Z")
		if all := runs(t, d); len(all) != 1 {
			t.Errorf("the runs are %+v", all)
		}
	})
	t.Run("a run that is due while another goes on is left out", func(t *testing.T) {
		d := open(t)
		fire(t, d, "2026-09-20T00:00:00Z")
		fire(t, d, "2026-10-01T04:00:00Z")
		fire(t, d, "2026-11-01T05:00:00Z")
		if all := runs(t, d); len(all) != 1 {
			t.Errorf("the runs are %+v", all)
		}
	})
	t.Run("a run that is due while another goes on waits", func(t *testing.T) {
		d := open(t, "timezone: Europe/Berlin", "timezone: Europe/Berlin, overlap: queue")
		fire(t, d, "2026-09-20T00:00:00Z")
		fire(t, d, "2026-10-01T04:00:00Z")
		fire(t, d, "2026-11-01T05:00:00Z")
		if all := runs(t, d); len(all) != 2 {
			t.Errorf("the runs are %+v", all)
		}
	})
	t.Run("one that somebody ran already is not run again", func(t *testing.T) {
		d := open(t)
		fire(t, d, "2026-09-20T00:00:00Z")
		f := d.roster().feeds["usage"]
		ask := d.scheduled(f, at("2026-10-01T04:00:00Z"))[0]
		ask.Cause = batch.ByAsking
		if _, err := d.store.AskRun(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
		fire(t, d, "2026-10-01T04:00:00Z")
		if all := runs(t, d); len(all) != 1 || all[0].Origin.Cause != batch.ByAsking {
			t.Errorf("the runs are %+v", all)
		}
	})
	t.Run("a clock that was years ahead does not stop it", func(t *testing.T) {
		d := open(t)
		fire(t, d, "2031-09-20T00:00:00Z")
		fire(t, d, "2026-09-20T00:00:00Z")
		fire(t, d, "2026-10-01T04:00:00Z")
		if all := runs(t, d); len(all) != 1 {
			t.Errorf("the runs are %+v", all)
		}
	})
}

// A scheduled run whose source is away is read for again; one that must fail is not.
func TestScheduledRunIsReadForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fail   error
		status batch.Status
	}{
		"away":          {errors.New("connection refused"), batch.Pending},
		"of no use":     {retry.Permanent(errors.New("no such column")), batch.Failed},
		"told to wait":  {retry.After(errors.New("429"), time.Hour), batch.Pending},
		"nothing wrong": {nil, batch.Completed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, monthlySite)
			m := &months{fail: c.fail}
			p, d := s.monthly(m, &rendertest.Null{})
			f := d.roster().feeds["usage"]
			eventually(t, "the schedule is known", func() bool {
				done, err := d.store.Schedules(t.Context())
				return err == nil && len(done) == 1
			})
			now := f.plan.Rule.Next(time.Now())
			if _, err := d.fire(t.Context(), f, now); err != nil {
				t.Fatal(err)
			}
			id := p.onlyJob()
			eventually(t, "the run was read for", func() bool {
				v := p.runOf(id)
				return batch.Status(v.Status) == c.status && (c.status != batch.Pending || v.Run.Note != "")
			})
			if v := p.runOf(id); c.status == batch.Pending && (v.Run.Phase != "waiting" || v.Run.Note != c.fail.Error()) {
				t.Errorf("the run is %+v", v)
			}
		})
	}
}

// Nobody reads for a run whose source is sent its rows by now.
func TestRunOfASourceThatIsReadNoMoreEnds(t *testing.T) {
	hanging := make(chan struct{})
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hanging:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(hanging); shop.Close() })
	s := newSite(t, fmt.Sprintf(`
sources:
  shop: { kind: http, url: %q, key: sku, every: 1h }
bindings: [ { name: cards, source: shop, template: card, map: { title: name } } ]
`, shop.URL))
	r := s.reloadable()
	id := r.askRun("cards", "")
	eventually(t, "it is being read for, or waits for the reading before it", func() bool { return r.runOf(id).Run.Phase != "" })
	r.mustReload(`
sources:
  shop: { kind: webhook, path: shop, open: true, key: sku }
bindings: [ { name: cards, source: shop, template: card, map: { title: name } } ]
`)
	v := r.mustEnd(id, "failed")
	if !strings.Contains(v.Run.Error, "never read any more") {
		t.Errorf("the run is %+v", v)
	}
}

// A source whose rows others join, and that no run is of, is read at its times.
func TestScheduledSourceWithoutBindingsIsRead(t *testing.T) {
	s := newSite(t, `
sources:
  products: { kind: file, path: products.csv, key: sku, every: 1h }
  brands: { kind: file, path: brands.csv, key: id, cron: "0 6 1 1 *" }
bindings:
  - { name: cards, source: products, template: card, lookups: { brand: { source: brands, key: brand_id } }, map: { title: brand.name } }
`)
	s.write("products.csv", "sku,brand_id\nx,b1\n")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	f := d.roster().feeds["brands"]
	eventually(t, "the schedule is known", func() bool {
		done, err := d.store.Schedules(t.Context())
		return err == nil && len(done) == 1
	})
	if _, err := d.fire(t.Context(), f, f.plan.Rule.Next(time.Now())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a reading that fails", func() bool { return f.again.Load() > 0 })
	s.write("brands.csv", "id,name\nb1,Acme\n")
	eventually(t, "the image, after another reading", func() bool { return p.ready("cards") == 1 })
}
