package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	commonmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/store/blob"
)

// scrape reads /metrics as Prometheus does.
func (p *process) scrape() map[string]*dto.MetricFamily {
	p.tb.Helper()
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	reader := expfmt.NewTextParser(commonmodel.UTF8Validation)
	families, err := reader.TextToMetricFamilies(res.Body)
	if err != nil {
		p.tb.Fatalf("/metrics: %v", err)
	}
	return families
}

// A shownQuery is an expression of a file in deploy, and the labels that its
// legend shows.
type shownQuery struct {
	where, expr string
	shows       []string
}

var legendLabel = regexp.MustCompile(`\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}`)

func shownLabels(text string) (names []string) {
	for _, found := range legendLabel.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

func mustAlertQueries(t *testing.T) (all []shownQuery) {
	t.Helper()
	text, err := os.ReadFile("../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Groups[0].Rules {
		all = append(all, shownQuery{r.Alert, r.Expr, nil})
	}
	return all
}

var variableQuery = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

func mustDashboardQueries(t *testing.T) (all []shownQuery) {
	t.Helper()
	text, err := os.ReadFile("../deploy/grafana/pictifyd.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Annotations struct {
			List []struct{ Name, Expr string }
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr, LegendFormat string }
			GridPos struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	variables := []string{"datasource", "__rate_interval", "__interval"}
	for _, v := range board.Templating.List {
		variables = append(variables, v.Name)
		if v.Type == "query" {
			found := variableQuery.FindStringSubmatch(v.Definition)
			if found == nil {
				t.Fatalf("variable %s asks %q", v.Name, v.Definition)
			}
			all = append(all, shownQuery{"variable " + v.Name, found[1], found[2:]})
		}
	}
	for _, a := range board.Annotations.List {
		all = append(all, shownQuery{"annotation " + a.Name, a.Expr, nil})
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.H == 0 {
			t.Errorf("panel %q: id %d, place %+v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			all = append(all, shownQuery{p.Title, target.Expr, shownLabels(target.LegendFormat)})
		}
	}
	for _, used := range regexp.MustCompile(`\$\{?(\w+)`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(variables, used[1]) && used[1] != "__all" {
			t.Errorf("the dashboard uses $%s, which is no variable of it", used[1])
		}
	}
	return all
}

// ofPrometheus are what Prometheus itself adds to what it scrapes.
var ofPrometheus = []string{"job", "instance", "le"}

// mustMatch checks that each series that a query names is on a page of metrics.
func (q shownQuery) mustMatch(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	expr := strings.NewReplacer("$__rate_interval", "5m", "$__interval", "1m", "$job", ".*", "$source", ".*", "$sink", ".*").Replace(q.expr)
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v in %s", q.where, err, expr)
		return
	}
	var shown []string
	for _, selected := range parser.ExtractSelectors(parsed) {
		name := ""
		for _, m := range selected {
			if m.Name == labels.MetricName {
				name = m.Value
			}
		}
		if name == "up" {
			continue // Prometheus's own
		}
		family := families[name]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && family == nil && families[base].GetType() == dto.MetricType_HISTOGRAM {
				family = families[base]
			}
		}
		if family == nil {
			t.Errorf("%s: there is no metric %s", q.where, name)
			continue
		}
		has := map[string]bool{}
		met := false
		for _, metric := range family.GetMetric() {
			values := map[string]string{}
			for _, l := range metric.GetLabel() {
				values[l.GetName()], has[l.GetName()] = l.GetValue(), true
			}
			fits := true
			for _, m := range selected {
				if m.Name != labels.MetricName && !slices.Contains(ofPrometheus, m.Name) {
					fits = fits && m.Matches(values[m.Name])
				}
			}
			met = met || fits
		}
		for _, m := range selected {
			if m.Name != labels.MetricName && !slices.Contains(ofPrometheus, m.Name) && !has[m.Name] {
				t.Errorf("%s: %s has no label %s", q.where, name, m.Name)
			}
			met = met || m.Name == "status" // of a fault, which is not made here
		}
		if !met {
			t.Errorf("%s: of %s there is no series %v", q.where, name, selected)
		}
		for l := range has {
			shown = append(shown, l)
		}
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if a, ok := node.(*parser.AggregateExpr); ok {
			for _, by := range a.Grouping {
				if !slices.Contains(shown, by) && !slices.Contains(ofPrometheus, by) {
					t.Errorf("%s: nothing of it has the label %s", q.where, by)
				}
			}
		}
		return nil
	})
	for _, l := range q.shows {
		if !slices.Contains(shown, l) && !slices.Contains(ofPrometheus, l) {
			t.Errorf("%s shows the label %s, which nothing of it has", q.where, l)
		}
	}
}

// TestAlertsAndDashboardNameWhatThereIs lets a daemon meet a bit of everything, and
// looks for each series of the files on its page of metrics.
func TestAlertsAndDashboardNameWhatThereIs(t *testing.T) {
	tape, name := newTape(t, "1")
	s := newSite(t, `
sources:
  catalog: { kind: file, path: rows.csv, key: sku, every: 1s }
  gone: { kind: http, url: "http://127.0.0.1:1/none", key: sku, every: 1s }
  crm: { kind: webhook, path: crm, secret: "`+crmSecret+`", key: id }
  told: { kind: tape, key: sku, tape: `+strconv.Quote(name)+` }
sinks:
  hook: { kind: webhook, url: "RECEIVER", events: [render.completed, render.failed] }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, sinks: [hook] }
  - { name: others, source: gone, template: card, map: { title: name } }
  - { name: people, source: crm, template: card, map: { title: name } }
  - { name: tapes, source: told, template: card, map: { title: name } }
`)
	s.write("rows.csv", csvRows(3, "one"))
	settings := (&taped{site: s}).settings()
	ctx, cancel := context.WithCancel(t.Context())
	var d *Daemon
	var drawn atomic.Int64
	null := &rendertest.Null{FailFunc: func(context.Context, render.Request) error {
		if drawn.Add(1) == 1 {
			return retry.Permanent(errors.New("too wide"))
		}
		return nil
	}}
	url, ended := s.beginWith(ctx, settings, Options{Renderer: null, started: func(running *Daemon) { d = running }})
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ended: %v", err)
		}
	})
	p := &process{tb: t, url: url}
	eventually(t, "the deliveries", func() bool { return s.receiver.different() == 3 })
	if status := ask(t, "POST", url+"/hooks/crm", `{"id":"1"}`).status; status != http.StatusUnauthorized {
		t.Fatalf("an unsigned call is answered with %d", status)
	}
	tape.set("2", "Cup")
	// What comes seldom is counted as by those who meet it.
	d.metrics.found("catalog", true, nil, time.Millisecond)
	d.metrics.circles.WithLabelValues("cards").Inc()
	d.metrics.exhibit.fetched(choice{counted: true})
	d.metrics.blobs.requested(blob.Request{Operation: "put", Result: "ok"}) // of a bucket, which is none here
	d.metrics.blobs.requested(blob.Request{Operation: "get", Result: "failed"})
	d.metrics.swept(swept{}, time.Now())
	families := map[string]*dto.MetricFamily{}
	eventually(t, "the stream and the failed reading in the metrics", func() bool {
		families = p.scrape()
		return families["pictifyd_stream_lag"] != nil && families["pictifyd_poll_total"] != nil
	})
	for _, q := range append(mustAlertQueries(t), mustDashboardQueries(t)...) {
		q.mustMatch(t, families)
	}
}
