package prometheus

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const runbook = "https://github.com/pictifyd/pictifyd/blob/main/docs/runbook.md#"

var labelOfText = regexp.MustCompile(`\$labels\.(\w+)`)

func TestEachAlertSaysWhatWhyAndTheNextStep(t *testing.T) {
	page, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		sections[name] = text
	}
	named := map[string]bool{}
	for _, r := range mustRules(t) {
		if named[r.Alert] {
			t.Errorf("%s is there twice", r.Alert)
		}
		named[r.Alert] = true
		for _, what := range []string{"summary", "description", "next"} {
			if r.Annotations[what] == "" {
				t.Errorf("%s has no %s", r.Alert, what)
			}
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		if got, want := r.Annotations["runbook_url"], runbook+strings.ToLower(r.Alert); got != want {
			t.Errorf("%s leads to %s, want %s", r.Alert, got, want)
		}
		if len(strings.Fields(sections[r.Alert])) < 25 {
			t.Errorf("docs/runbook.md has no section %s that helps: %q", r.Alert, sections[r.Alert])
		}
	}
	for name := range sections {
		if strings.HasPrefix(name, "Pictifyd") && !named[name] {
			t.Errorf("docs/runbook.md has a section of %s, which is no alert", name)
		}
	}
}

func TestAlertsFireWhenTheyShouldAndNotBefore(t *testing.T) {
	const ours = `job="pictifyd",instance="a:8080"`
	up := `up{` + ours + `} 1x60`
	fired, quiet := map[string]bool{}, map[string]bool{}
	for _, c := range []struct {
		alert  string
		minute int
		past   []string
		fires  []string // its labels, as Prometheus writes them
	}{
		{"PictifydDown", 5, []string{`up{` + ours + `} 1 1 0x10`}, []string{`{job="pictifyd"}`}},
		{"PictifydDown", 2, []string{`up{` + ours + `} 1 1 0x10`}, nil},
		{"PictifydDown", 9, []string{up, `up{job="pictifyd",instance="b:8080"} 0x10`, `up{job="other",instance="c"} 0x10`}, nil},
		{"PictifydLedgerSilent", 9, []string{up}, []string{`{instance="a:8080", job="pictifyd"}`}},
		{"PictifydLedgerSilent", 9, []string{up, `pictifyd_rows{` + ours + `,state="known"} 3x10`}, nil},
		{"PictifydSourceStalls", 20, stalled("shop", "60x30", "0x30"), []string{`{job="pictifyd", source="shop"}`}},
		{"PictifydSourceStalls", 4, stalled("shop", "60x30", "0x30"), nil},
		{"PictifydSourceStalls", 20, stalled("shop", "0x30", "0x30"), nil},
		{"PictifydSourceStalls", 20, stalled("shop", "60x30", "1x30"), nil},
		{"PictifydSourceStalls", 20, append(stalled("shop", "60x30", "0x30"), `pictifyd_last_confirmed_age_seconds{job="pictifyd",instance="b:8080",source="shop"} 1x30`), nil},
		{"PictifydSourceFails", 10, []string{`pictifyd_source_failures{` + ours + `,source="shop"} 0 1 2 3x20`}, []string{`{job="pictifyd", source="shop"}`}},
		{"PictifydSourceFails", 10, []string{`pictifyd_source_failures{` + ours + `,source="shop"} 0 1 2 2 2 0x20`}, nil},
		{"PictifydBindingFails", 15, []string{`pictifyd_binding_state{` + ours + `,binding="cards",state="error"} 1x20`}, []string{`{binding="cards", job="pictifyd"}`}},
		{"PictifydBindingFails", 15, []string{`pictifyd_binding_state{` + ours + `,binding="cards",state="error"} 1x8 0x12`, `pictifyd_binding_state{` + ours + `,binding="cards",state="paused"} 1x20`}, nil},
		{"PictifydImagesWait", 20, []string{`pictifyd_oldest_dirty_age_seconds{` + ours + `,binding="cards"} 0+60x20`}, []string{`{binding="cards", job="pictifyd"}`}},
		{"PictifydImagesWait", 14, []string{`pictifyd_oldest_dirty_age_seconds{` + ours + `,binding="cards"} 0+60x20`}, nil},
		{"PictifydRendersFail", 30, rendered("0+60x40", "0+10x40"), []string{`{job="pictifyd"}`}},
		{"PictifydRendersFail", 30, rendered("0+600x40", "0+10x40"), nil},
		{"PictifydRendersFail", 30, rendered("0x40", "0+1x40"), nil}, // few: those rows are at fault
		{"PictifydPicturesSlow", 40, append(late("0+10x40"), `pictifyd_jobs_open{`+ours+`} 0x40`), []string{`{job="pictifyd"}`}},
		{"PictifydPicturesSlow", 40, append(late("0+10x40"), `pictifyd_jobs_open{`+ours+`} 1x40`), nil},
		{"PictifydPicturesSlow", 40, append(late("0+100x40"), `pictifyd_jobs_open{`+ours+`} 0x40`), nil},
		{"PictifydSinkDown", 15, []string{`pictifyd_sink_state{` + ours + `,sink="hook",state="resting"} 1x20`, `pictifyd_sink_state{` + ours + `,sink="hook",state="well"} 0x20`}, []string{`{job="pictifyd", sink="hook", state="resting"}`}},
		{"PictifydSinkDown", 15, []string{`pictifyd_sink_state{` + ours + `,sink="hook",state="paused"} 1x20`, `pictifyd_sink_state{` + ours + `,sink="hook",state="resting"} 0x20`}, nil},
		{"PictifydDeadLetters", 5, []string{`pictifyd_dead_letters{` + ours + `,sink="hook"} 2x20`, `pictifyd_dead_letters{` + ours + `,sink="other"} 0x20`}, []string{`{job="pictifyd", sink="hook"}`}},
		{"PictifydDeadLetters", 5, []string{`pictifyd_dead_letters{` + ours + `,sink="hook"} 0x20`}, nil},
		{"PictifydDeliveriesUnaccounted", 20, delivered("10x30", "6x30"), []string{`{job="pictifyd", sink="hook"}`}},
		{"PictifydDeliveriesUnaccounted", 20, delivered("10x30", "7x30"), nil},
		{"PictifydStreamHalted", 5, []string{`pictifyd_stream_phase{` + ours + `,source="cdc",phase="halted"} 1x9`}, []string{`{job="pictifyd", source="cdc"}`}},
		{"PictifydStreamHalted", 5, []string{`pictifyd_stream_phase{` + ours + `,source="cdc",phase="halted"} 0x9`, `pictifyd_stream_phase{` + ours + `,source="cdc",phase="streaming"} 1x9`}, nil},
		{"PictifydStreamGap", 30, []string{`pictifyd_stream_gaps_total{` + ours + `,source="cdc"} 0x20 1x40`}, []string{`{job="pictifyd", source="cdc"}`}},
		{"PictifydStreamGap", 30, []string{`pictifyd_stream_gaps_total{` + ours + `,source="cdc"} 3x60`}, nil},
		{"PictifydStreamRetains", 30, []string{`pictifyd_stream_retained_bytes{` + ours + `,source="cdc"} 0+1000000000x40`}, []string{`{job="pictifyd", source="cdc"}`}},
		{"PictifydStreamRetains", 30, []string{`pictifyd_stream_retained_bytes{` + ours + `,source="cdc"} 9000000000x40`}, nil},
		{"PictifydRowsKeptOut", 70, []string{`pictifyd_quarantined_rows{` + ours + `,source="shop"} 1x80`}, []string{`{job="pictifyd", source="shop"}`}},
		{"PictifydRowsKeptOut", 70, []string{`pictifyd_quarantined_rows{` + ours + `,source="shop"} 1x30 0x50`}, nil},
		{"PictifydCallsRefused", 30, []string{`pictifyd_hook_calls_total{` + ours + `,source="shop",result="refused"} 0+2x40`, `pictifyd_hook_calls_total{` + ours + `,source="",result="refused"} 0+20x40`}, []string{`{job="pictifyd", source="shop"}`}},
		{"PictifydCallsRefused", 30, []string{`pictifyd_hook_calls_total{` + ours + `,source="shop",result="accepted"} 0+9x40`}, nil},
		{"PictifydCircle", 30, []string{`pictifyd_churn_tripped_total{` + ours + `,binding="cards"} 0x20 1x40`}, []string{`{binding="cards", job="pictifyd"}`}},
		{"PictifydCircle", 30, []string{`pictifyd_churn_tripped_total{` + ours + `,binding="cards"} 1x40`}, nil},
		{"PictifydConfigRefused", 9, []string{`pictifyd_config_last_reload_successful{` + ours + `} 1 0x20`}, []string{`{instance="a:8080", job="pictifyd"}`}},
		{"PictifydConfigRefused", 9, []string{`pictifyd_config_last_reload_successful{` + ours + `} 1 0 0 0 1x20`}, nil},
		{"PictifydDiskLow", 9, answered("507", "0+1x20", "0+10x20"), []string{`{instance="a:8080", job="pictifyd"}`}},
		{"PictifydDiskLow", 9, answered("500", "0+1x20", "0+10x20"), nil},
		{"PictifydBucketFails", 30, bucket("failed", "0+5x40", "0+20x40"), []string{`{job="pictifyd"}`}},
		{"PictifydBucketFails", 30, bucket("refused", "0x18 0+5x22", "0+20x40"), []string{`{job="pictifyd"}`}},
		{"PictifydBucketFails", 30, bucket("cut", "0x28 0+5x12", "0+20x40"), nil}, // it may be over in a moment
		{"PictifydBucketFails", 30, bucket("failed", "0+5x40", "0+200x40"), nil},
		{"PictifydBucketFails", 30, bucket("missing", "0+20x40", "0+20x40"), nil}, // an answer as good as any
		{"PictifydBucketFails", 30, bucket("failed", "0+1x5 5x40", "0x40"), nil},  // few
		{"PictifydErrors", 30, answered("500", "0+2x40", "0+100x40"), []string{`{instance="a:8080", job="pictifyd"}`}},
		{"PictifydErrors", 30, answered("500", "0+2x40", "0+1000x40"), nil},
		{"PictifydSheds", 30, answered("429", "0+10x40", "0+100x40"), []string{`{instance="a:8080", job="pictifyd"}`}},
		{"PictifydSheds", 30, answered("429", "0+1x40", "0+100x40"), nil},
		{"PictifydSweepLate", 1600, []string{`pictifyd_sweep_timestamp_seconds{` + ours + `} 60x1700`}, []string{`{job="pictifyd"}`}},
		{"PictifydSweepLate", 1600, []string{`pictifyd_sweep_timestamp_seconds{` + ours + `} 0x1700`}, nil}, // it has only begun
		{"PictifydSweepLate", 1600, []string{`pictifyd_sweep_timestamp_seconds{` + ours + `} 60+60x1700`}, nil},
		{"PictifydDescriptors", 9, []string{`process_open_fds{` + ours + `} 900x20`, `process_max_fds{` + ours + `} 1024x20`}, []string{`{instance="a:8080", job="pictifyd"}`}},
		{"PictifydDescriptors", 9, []string{`process_open_fds{` + ours + `} 90x20`, `process_max_fds{` + ours + `} 1024x20`}, nil},
	} {
		r := mustRule(t, c.alert)
		fires := mustPast(t, c.past...).firing(t, r, c.minute)
		var got []string
		for _, l := range fires {
			got = append(got, l.DropReserved(func(name string) bool { return name == "__name__" }).String())
			for _, text := range r.Annotations {
				for _, used := range labelOfText.FindAllStringSubmatch(text, -1) {
					if l.Get(used[1]) == "" {
						t.Errorf("%s names its label %s, which it does not have", c.alert, used[1])
					}
				}
			}
		}
		if strings.Join(got, " ") != strings.Join(c.fires, " ") {
			t.Errorf("%s after %d minutes fires as %q, want %q, of\n%s", c.alert, c.minute, got, c.fires, strings.Join(c.past, "\n"))
		}
		if len(c.fires) > 0 {
			fired[c.alert] = true
		} else {
			quiet[c.alert] = true
		}
	}
	for _, r := range mustRules(t) {
		if !fired[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s is tried firing %t, quiet %t", r.Alert, fired[r.Alert], quiet[r.Alert])
		}
	}
}

func mustRule(t *testing.T, name string) rule {
	t.Helper()
	for _, r := range mustRules(t) {
		if r.Alert == name {
			return r
		}
	}
	t.Fatalf("there is no alert %s", name)
	return rule{}
}

func stalled(source, expected, paused string) []string {
	of := `{job="pictifyd",instance="a:8080",source="` + source + `"`
	return []string{
		`pictifyd_last_confirmed_age_seconds` + of + `} 0+60x30`, `pictifyd_expected_interval_seconds` + of + `} ` + expected,
		`pictifyd_source_state` + of + `,state="paused"} ` + paused,
	}
}

func rendered(ok, failed string) []string {
	of := `pictifyd_renders_total{job="pictifyd",instance="a:8080",format="png",result="`
	return []string{of + `ok"} ` + ok, of + `failed"} ` + failed}
}

// late are 10 pictures a minute that wait for two minutes, and others that do not.
func late(soon string) []string {
	of := `pictifyd_freshness_seconds_bucket{job="pictifyd",instance="a:8080",stage="rendered",le="`
	all := map[string]string{"0+10x40": "0+20x40", "0+100x40": "0+101x40"}[soon]
	return []string{of + `10"} ` + soon, of + `60"} ` + soon, of + `300"} ` + all, of + `+Inf"} ` + all}
}

// delivered are deliveries of which 3 are not delivered.
func delivered(planned, arrived string) []string {
	of := `,sink="hook",state="`
	var all []string
	for _, instance := range []string{"a", "b"} { // both show what the ledger has
		begin := `pictifyd_deliveries{job="pictifyd",instance="` + instance + `:8080"` + of
		all = append(all, begin+`planned"} `+planned, begin+`delivered"} `+arrived, begin+`waiting"} 1x30`, begin+`dead"} 1x30`, begin+`superseded"} 1x30`)
	}
	return all
}

// bucket are requests to a bucket that end as result says, and others.
func bucket(result, some, ok string) []string {
	of := `pictifyd_blob_requests_total{job="pictifyd",instance="a:8080",operation="put",result="`
	return []string{of + result + `"} ` + some, of + `ok"} ` + ok}
}

func answered(status, some, ok string) []string {
	of := `pictifyd_http_requests_total{job="pictifyd",instance="a:8080",route="POST /images",status="`
	return []string{of + status + `"} ` + some, of + `200"} ` + ok}
}
