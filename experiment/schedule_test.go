package experiment_test

import (
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
)

func TestScheduledVariantIsShownInItsWindows(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	begins := func(text string) *time.Time { moment := at(text); return &moment }
	for name, c := range map[string]struct {
		schedule experiment.Schedule
		open     []string
		shut     []string
	}{
		"once": {experiment.Schedule{StartAt: begins("2026-05-04T09:00:00Z"), EndAt: begins("2026-05-04T17:00:00Z")},
			[]string{"2026-05-04T09:00:00Z", "2026-05-04T16:59:59Z"}, []string{"2026-05-04T08:59:59Z", "2026-05-04T17:00:00Z", "2026-05-05T10:00:00Z"}},
		"from a moment on": {experiment.Schedule{StartAt: begins("2026-05-04T09:00:00Z")}, []string{"2027-01-01T00:00:00Z"}, []string{"2026-05-04T08:00:00Z"}},
		"daily, in a zone that changes its clock": {
			experiment.Schedule{StartAt: begins("2026-03-01T09:00:00+01:00"), Recurrence: &experiment.Recurrence{Type: "daily", Minutes: 60, Timezone: "Europe/Berlin"}},
			[]string{"2026-03-02T09:00:00+01:00", "2026-03-02T09:59:59+01:00", "2026-04-01T09:30:00+02:00"},
			[]string{"2026-02-28T09:30:00+01:00", "2026-03-02T10:00:00+01:00", "2026-04-01T08:30:00+02:00", "2026-04-01T10:00:00+02:00"}},
		"weekly, over midnight, until an end": {
			experiment.Schedule{StartAt: begins("2026-05-01T22:00:00Z"), EndAt: begins("2026-06-01T00:00:00Z"), Recurrence: &experiment.Recurrence{Type: "weekly", Minutes: 240}},
			[]string{"2026-05-01T23:00:00Z", "2026-05-09T01:59:59Z"}, []string{"2026-05-09T02:00:00Z", "2026-05-07T23:00:00Z", "2026-06-05T23:00:00Z"}},
		"cron": {experiment.Schedule{Recurrence: &experiment.Recurrence{Type: "cron", Cron: "30 9 * * 1-5", Minutes: 30}},
			[]string{"2026-05-04T09:30:00Z", "2026-05-08T09:59:59Z"}, []string{"2026-05-04T09:29:59Z", "2026-05-04T10:00:00Z", "2026-05-09T09:30:00Z"}},
		"cron that can't be read": {experiment.Schedule{Recurrence: &experiment.Recurrence{Type: "cron", Cron: "never", Minutes: 30}}, nil, []string{"2026-05-04T09:30:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := trial(experiment.Running)
			e.Type, e.Variants[1].Schedule = experiment.Scheduled, &c.schedule
			for want, moments := range map[string][]string{"b": c.open, "a": c.shut} {
				for _, moment := range moments {
					if got, _ := experiment.Choose(e, "u", experiment.Facts{Time: at(moment)}); got != want {
						t.Errorf("at %s it is %s, want %s", moment, got, want)
					}
				}
			}
		})
	}
}
