package daemon

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A binding that reads the clock shows the moment of its run: another run changes
// rows that did not, and nothing else does.
func TestClockOfABindingIsThatOfItsRun(t *testing.T) {
	s := newSite(t, strings.Replace(monthlySite, "map: { title: name }", `map: { title: "name + ' on ' + date(now(), 'YYYY-MM-DD HH:mm')" }, timezone: Europe/Berlin`, 1))
	null := &rendertest.Null{}
	m := &months{rows: map[string][]string{"2026-08": {"acme=1", "globex=2"}}}
	p, _ := s.monthly(m, null)
	p.mustEnd(p.askRun("reports", "2026-09-01"), "completed")
	shows := func(what string) (n int) {
		for _, r := range null.Requests() {
			if strings.Contains(r.HTML, what) {
				n++
			}
		}
		return n
	}
	if n := shows("on 2026-09-01 06:00"); n == 0 || n != len(null.Requests()) {
		t.Fatalf("%d of %d pages show the run's moment: %s", n, len(null.Requests()), null.Requests()[0].HTML)
	}
	drawn := len(null.Requests())
	if v := p.mustEnd(p.askRun("reports", "2026-09-01"), "completed"); v.Run.Changed != 0 || len(null.Requests()) != drawn {
		t.Errorf("the same run again changes %+v", v.Run)
	}
	if v := p.mustEnd(p.askRun("reports", "2026-09-02"), "completed"); v.Run.Changed != 2 || shows("on 2026-09-02 00:00") != drawn {
		t.Errorf("a run a day later changes %+v", v.Run)
	}
	drawn = len(null.Requests())
	// Planned again, the clock is still that of the last run.
	p.mustSend(http.StatusOK, http.MethodPost, "/bindings/reports/pause", "")
	p.mustSend(http.StatusOK, http.MethodPost, "/bindings/reports/resume", "")
	eventually(t, "the binding works again", func() bool { return p.binding("reports").Ready == 2 })
	if v := p.mustEnd(p.askRun("reports", "2026-09-02"), "completed"); v.Run.Changed != 0 || len(null.Requests()) != drawn {
		t.Errorf("after it was planned again a run changes %+v, %d pictures are drawn", v.Run, len(null.Requests())-drawn)
	}
}

func TestClockWithoutScheduleIsRefreshed(t *testing.T) {
	const site = `
sources: { shop: { kind: file, path: shop.csv, key: sku } }
bindings: [ { name: cards, source: shop, template: card, map: { title: "name + ' ' + date(now(), 'HH:mm')" }, refresh: 1h, timezone: UTC } ]
`
	s := newSite(t, site)
	s.write("shop.csv", "sku,name\nA,Mug\n")
	null := &rendertest.Null{}
	before := time.Now().UTC().Truncate(time.Hour)
	url, d := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the card is drawn", func() bool { return p.binding("cards").Ready == 1 })
	if html := null.Requests()[0].HTML; !strings.Contains(html, "Mug "+before.Format("15:04")) && time.Now().UTC().Truncate(time.Hour).Equal(before) {
		t.Errorf("the page shows another time than %s", before.Format("15:04"))
	}
	cfg := d.roster().bindings[0]
	b, err := d.compileOne(t.Context(), cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Refresh *= 2
	other, err := d.compileOne(t.Context(), cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if now := time.Now().Unix() / 3600 % 2; now == 1 && b.Digest() == other.Digest() {
		t.Error("another hour plans nothing again")
	}

	if _, err := Load(siteWith(t, strings.Replace(site, ", refresh: 1h", "", 1))); err != nil {
		t.Fatal(err) // what reads the clock is judged with the template
	}
	if _, err := Check(siteWith(t, strings.Replace(site, ", refresh: 1h", "", 1))); err == nil || !strings.Contains(err.Error(), "reads the clock") {
		t.Errorf("without refresh it is checked: %v", err)
	}
	if _, err := Check(siteWith(t, strings.Replace(site, "refresh: 1h", "refresh: 1s", 1))); err == nil || !strings.Contains(err.Error(), "every 1s") {
		t.Errorf("a refresh each second is checked: %v", err)
	}
}

func siteWith(t *testing.T, yaml string) (config string) {
	t.Helper()
	return newSite(t, yaml).dir + "/pictifyd.yaml"
}

func TestBadSchedulesAndRunsAreRefusedWithTheirPlace(t *testing.T) {
	for yaml, want := range map[string]string{
		`{ kind: file, path: a.csv, key: sku, cron: "0 6 1 *" }`:                                              "sources.shop.cron: a schedule has 5 fields",
		`{ kind: file, path: a.csv, key: sku, cron: "0 0 6 1 * *" }`:                                          "sources.shop.cron: a schedule has 5 fields",
		`{ kind: file, path: a.csv, key: sku, cron: "@daily", every: 1h }`:                                    "sources.shop.every: a source is read every so often, or by a schedule",
		`{ kind: file, path: a.csv, key: sku, cron: "@daily", timezone: Europe/Berln }`:                       "sources.shop.timezone: there is no time zone",
		`{ kind: file, path: a.csv, key: sku, cron: "@daily", catch_up: all }`:                                "sources.shop.catch_up: ",
		`{ kind: file, path: a.csv, key: sku, overlap: queue }`:                                               "sources.shop.overlap: there is no schedule",
		`{ kind: file, path: a.csv, key: sku }, hook: { kind: file, path: b.csv, key: x, cron: "@every 5m" }`: "sources.hook.cron: an interval is no schedule",
	} {
		_, err := Load(siteWith(t, "sources: { shop: "+yaml+" }\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", yaml, err, want)
		}
	}
	const sinks = `
sources: { shop: { kind: file, path: a.csv, key: sku } }
sinks: { folder: { kind: file, path: "out/{{ key }}.png" }, hook: { kind: webhook, url: "http://127.0.0.1/" } }
bindings: [ { name: cards, source: shop, template: card, on_run: [%] } ]
`
	for on, want := range map[string]string{
		"folder":     `bindings[0].on_run: the sink "folder" is of the kind file, which can't be told of a whole run`,
		"hok":        `bindings[0].on_run: there is no sink "hok"`,
		"hook, hook": `is named twice`,
	} {
		if _, err := Load(siteWith(t, strings.Replace(sinks, "%", on, 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("on_run: %s: %v, want %s", on, err, want)
		}
	}
	if _, err := Load(siteWith(t, strings.Replace(sinks, "%", "hook", 1))); err != nil {
		t.Error(err)
	}
}
