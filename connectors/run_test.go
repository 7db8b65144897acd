package connectors_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
)

func TestRunNamesThePeriodsAroundItsMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Time
		want map[string]any
	}{
		// The 31st has no day of its own in the months around it.
		{time.Date(2026, time.March, 31, 6, 0, 0, 0, time.UTC), map[string]any{
			"at": "2026-03-31T06:00:00Z", "day": "2026-03-31", "month": "2026-03", "year": "2026",
			"previous_day": "2026-03-30", "previous_month": "2026-02", "previous_year": "2025",
			"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z", "previous_start": "2026-02-01T00:00:00Z",
		}},
		// In Berlin it is January already, and the clock changed within the month before the last.
		{time.Date(2025, time.December, 31, 23, 30, 0, 0, time.UTC).In(berlin), map[string]any{
			"at": "2026-01-01T00:30:00+01:00", "day": "2026-01-01", "month": "2026-01", "year": "2026",
			"previous_day": "2025-12-31", "previous_month": "2025-12", "previous_year": "2025",
			"start": "2026-01-01T00:00:00+01:00", "end": "2026-02-01T00:00:00+01:00", "previous_start": "2025-12-01T00:00:00+01:00",
		}},
		{time.Date(2026, time.October, 26, 0, 30, 0, 0, berlin), map[string]any{
			"at": "2026-10-26T00:30:00+01:00", "day": "2026-10-26", "month": "2026-10", "year": "2026",
			"previous_day": "2026-10-25", "previous_month": "2026-09", "previous_year": "2025",
			"start": "2026-10-01T00:00:00+02:00", "end": "2026-11-01T00:00:00+01:00", "previous_start": "2026-09-01T00:00:00+02:00",
		}},
	} {
		if diff := cmp.Diff(c.want, connectors.RunValues(c.at)); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", c.at, diff)
		}
	}
}
