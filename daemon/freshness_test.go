package daemon

import (
	"strings"
	"testing"
	"time"
)

// A sourceFreshness is what the API says of a source.
type sourceFreshness struct {
	Source struct {
		Freshness struct {
			State, Cause                                     string
			LagSeconds                                       *float64
			ExpectedSeconds                                  float64
			BeganAt, EndedAt, ConfirmedAt, ChangedAt, NextAt *time.Time
			UnchangedReadings, Failures, Quarantined         int64
			Error                                            string
		}
	}
}

func (p *process) source(name string) sourceFreshness {
	p.tb.Helper()
	var s sourceFreshness
	p.get("/sources/"+name, &s)
	return s
}

func TestFreshnessOfSourcesAndBindings(t *testing.T) {
	s := newSite(t, `
sources:
  catalog: { kind: file, path: rows.csv, key: sku, every: 1s }
  feed: { kind: http, url: "http://127.0.0.1:1/none", key: sku, every: 1s }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name } }
  - { name: others, source: feed, template: card }
`)
	s.write("rows.csv", csvRows(3, "one"))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 3 })

	eventually(t, "readings without a change", func() bool { return p.source("catalog").Source.Freshness.UnchangedReadings > 0 })
	f := p.source("catalog").Source.Freshness
	if f.State != "ok" || f.Cause != "" || f.LagSeconds == nil || *f.LagSeconds > 5 || f.ExpectedSeconds != 1 ||
		f.ConfirmedAt == nil || f.ChangedAt == nil || f.NextAt == nil || f.ChangedAt.After(*f.ConfirmedAt) {
		t.Errorf("freshness of the catalog is %+v", f)
	}
	eventually(t, "the broken source in error", func() bool { return p.source("feed").Source.Freshness.State == "error" })
	if f := p.source("feed").Source.Freshness; f.Failures < 3 || f.LagSeconds != nil || !strings.Contains(f.Cause, "readings in a row failed") {
		t.Errorf("freshness of the feed is %+v", f)
	}

	var all struct {
		Bindings []struct {
			Name      string
			Freshness struct {
				State, Cause string
				ImagesStale  int64
			}
		}
	}
	p.get("/bindings", &all)
	for _, b := range all.Bindings {
		want := map[string]string{"cards": "ok", "others": "error"}[b.Name]
		if b.Freshness.State != want || b.Freshness.ImagesStale != 0 {
			t.Errorf("freshness of %s is %+v, want %s", b.Name, b.Freshness, want)
		}
	}

	if ready := p.text("/readyz"); !strings.Contains(ready, `"ready"`) || !strings.Contains(ready, `"error": 1`) && !strings.Contains(ready, `"error":1`) {
		t.Errorf("readyz says %s, want ready with one source in error", ready)
	}
	metrics := p.text("/metrics")
	for _, want := range []string{
		`pictifyd_source_state{source="catalog",state="ok"} 1`, `pictifyd_source_state{source="feed",state="error"} 1`,
		`pictifyd_binding_state{binding="others",state="error"} 1`, `pictifyd_last_confirmed_age_seconds{source="catalog"} `,
		`pictifyd_images_stale{binding="cards"} 0`, `pictifyd_oldest_dirty_age_seconds{binding="cards"} 0`,
		`pictifyd_expected_interval_seconds{source="catalog"} 1`, `pictifyd_poll_total{result="unchanged",source="catalog"} `,
		`pictifyd_poll_total{result="ok",source="catalog"} 1`, `pictifyd_poll_duration_seconds_count{source="feed"} `,
		`pictifyd_rows_seen_total{source="catalog"} 3`, `pictifyd_rows_changed_total{source="catalog"} 3`,
		`pictifyd_freshness_seconds_count{stage="rendered"} 3`, `pictifyd_freshness_seconds_count{stage="accepted"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	if strings.Contains(metrics, "SKU-") {
		t.Error("the metrics have the key of a row")
	}
	if strings.Contains(metrics, `pictifyd_last_confirmed_age_seconds{source="feed"}`) {
		t.Error("the metrics have an age of what was never read")
	}
}

func TestPausedBindingsPauseTheirSourcesState(t *testing.T) {
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h, expect: 2h } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name } } ]
`)
	s.write("rows.csv", csvRows(1, "one"))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	eventually(t, "the image", func() bool { return p.ready("cards") == 1 })
	if f := p.source("catalog").Source.Freshness; f.State != "ok" || f.ExpectedSeconds != 7200 {
		t.Errorf("freshness is %+v", f)
	}
	ask(t, "POST", url+"/bindings/cards/pause", "").must(t, 200)
	if f := p.source("catalog").Source.Freshness; f.State != "paused" {
		t.Errorf("paused, it is %+v", f)
	}
}
