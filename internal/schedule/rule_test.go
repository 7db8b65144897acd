package schedule_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/schedule"
)

func mustParse(t testing.TB, line, zone string) *schedule.Rule {
	t.Helper()
	r, err := schedule.Parse(line, zone)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The days on which clocks are set, and some on which they are not.
func TestNextTimesOverChangesOfTheClock(t *testing.T) {
	for _, c := range []struct {
		name, line, zone, after string
		want                    []string
	}{
		{"an ordinary month", "0 6 1 * *", "Europe/Berlin", "2026-08-15T00:00:00Z",
			[]string{"2026-09-01T06:00:00+02:00", "2026-10-01T06:00:00+02:00", "2026-11-01T06:00:00+01:00"}},
		{"Berlin skips 02:30: it comes at 03:00", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"Berlin shows 02:30 twice: it comes once", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"asked between the two 02:30", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:45:00+02:00",
			[]string{"2026-10-26T02:30:00+01:00"}},
		{"asked in the second 02:00", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00",
			[]string{"2026-10-26T02:30:00+01:00"}},
		{"every quarter goes by the time that passes, forward", "*/15 * * * *", "Europe/Berlin", "2026-03-29T01:30:00+01:00",
			[]string{"2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"}},
		{"every half hour goes by the time that passes, back", "*/30 * * * *", "Europe/Berlin", "2026-10-25T01:45:00+02:00",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"Los Angeles skips 02:00", "0 2 * * *", "America/Los_Angeles", "2025-03-08T12:00:00Z",
			[]string{"2025-03-09T03:00:00-07:00", "2025-03-10T02:00:00-07:00"}},
		{"Los Angeles shows 01:15 twice", "15 1 * * *", "America/Los_Angeles", "2025-11-02T00:00:00-07:00",
			[]string{"2025-11-02T01:15:00-07:00", "2025-11-03T01:15:00-08:00"}},
		{"the skipped hour in a week", "30 2 * * 0", "America/Los_Angeles", "2025-03-08T12:00:00Z",
			[]string{"2025-03-09T03:00:00-07:00", "2025-03-16T02:30:00-07:00"}},
		{"Lord Howe skips half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
		{"Lord Howe shows 01:45 twice", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00+11:00",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}},
		{"Lord Howe, every quarter", "*/15 * * * *", "Australia/Lord_Howe", "2026-04-05T01:40:00+11:00",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30", "2026-04-05T02:00:00+10:30"}},
		{"Samoa had no 30 December 2011", "0 9 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z",
			[]string{"2011-12-31T00:00:00+14:00", "2012-12-30T09:00:00+14:00"}},
		{"Kathmandu is three quarters off", "0 6 1 * *", "Asia/Kathmandu", "2026-01-01T00:20:00Z",
			[]string{"2026-02-01T06:00:00+05:45", "2026-03-01T06:00:00+05:45"}},
		{"UTC where no zone is named", "30 2 * * *", "", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"}},
		{"a word", "@monthly", "Europe/Berlin", "2026-10-15T00:00:00Z",
			[]string{"2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00"}},
		{"hourly is every hour", "@hourly", "Europe/Berlin", "2026-10-25T01:30:00+02:00",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"the 29th of February", "0 0 29 2 *", "Europe/Berlin", "2026-01-01T00:00:00Z",
			[]string{"2028-02-29T00:00:00+01:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := mustParse(t, c.line, c.zone)
			at := mustTime(t, c.after)
			var got []string
			for range c.want {
				at = r.Next(at)
				got = append(got, at.Format(time.RFC3339))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("times of %s (-want +got):\n%s", r, diff)
			}
		})
	}
}

// Over years, in every zone: times only go forward, and each day has its time
// once, also the days on which the clock is set.
func TestEachDayHasItsTimeOnce(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago", ""} {
		for _, line := range []string{"0 0 * * *", "30 1 * * *", "15 2 * * *", "59 2 * * *", "30 23 * * *"} {
			r := mustParse(t, line, zone)
			at := time.Date(2024, time.January, 1, 23, 59, 0, 0, r.Zone())
			for day := at.AddDate(0, 0, 1); day.Year() < 2028; day = day.AddDate(0, 0, 1) {
				next := r.Next(at)
				if !next.After(at) || next.Format(time.DateOnly) != day.Format(time.DateOnly) {
					t.Fatalf("%s: after %v comes %v, want one on %s", r, at, next, day.Format(time.DateOnly))
				}
				if between := r.Next(at.Add(next.Sub(at) / 2)); !between.Equal(next) {
					t.Fatalf("%s: asked half way, %v comes and not %v", r, between, next)
				}
				at = next
			}
		}
	}
}

// A line of every hour leaves no gap and makes no haste.
func TestEveryHourIsEveryHour(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", ""} {
		r := mustParse(t, "0 * * * *", zone)
		at := r.Next(time.Date(2026, time.January, 1, 0, 0, 0, 0, r.Zone()))
		for at.Year() < 2027 {
			next := r.Next(at)
			if next.Sub(at) != time.Hour {
				t.Fatalf("%s: after %v comes %v", r, at, next)
			}
			at = next
		}
	}
}

func TestLastIsTheNewestThatIsOver(t *testing.T) {
	r := mustParse(t, "0 6 1 * *", "Europe/Berlin")
	for _, c := range []struct{ since, now, want string }{
		{"2026-01-01T00:00:00Z", "2026-10-15T00:00:00Z", "2026-10-01T06:00:00+02:00"},
		{"2026-01-01T00:00:00Z", "2026-10-01T04:00:00Z", "2026-10-01T06:00:00+02:00"},
		{"2026-10-01T04:00:00Z", "2026-10-15T00:00:00Z", ""},
		{"2026-10-15T00:00:00Z", "2026-10-01T00:00:00Z", ""},
		{"0001-01-01T00:00:00Z", "2026-10-15T00:00:00Z", "2026-10-01T06:00:00+02:00"},
	} {
		got := ""
		if at := r.Last(mustTime(t, c.since), mustTime(t, c.now)); !at.IsZero() {
			got = at.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("Last(%s, %s) = %s, want %s", c.since, c.now, got, c.want)
		}
	}
}

func TestBadSchedulesAreRefused(t *testing.T) {
	for _, c := range []struct{ line, zone, want string }{
		{"", "", "is empty"},
		{"0 6 1 *", "", "has 5 fields"},
		{"0 0 6 1 * *", "", "has 5 fields"},
		{"61 6 1 * *", "", "can't be read"},
		{"0 6 31 2 *", "", "never comes"},
		{"@every 5m", "", "write every: 5m"},
		{"@sometimes", "", "can't be read"},
		{"CRON_TZ=UTC 0 6 1 * *", "", "timezone: ZONE"},
		{"0 6 1 * *", "Europe/Berln", `no time zone "Europe/Berln"`},
		{"0 6 1 * *", "Local", `no time zone "Local"`},
	} {
		if _, err := schedule.Parse(c.line, c.zone); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q, %q) = %v, want %q", c.line, c.zone, err, c.want)
		}
	}
}

func FuzzNextGoesForward(f *testing.F) {
	for _, line := range []string{"0 6 1 * *", "*/15 * * * *", "30 2 * * 0", "@daily", "0 */2 29 2 *"} {
		f.Add(line, "Europe/Berlin", int64(1792886400))
	}
	f.Fuzz(func(t *testing.T, line, zone string, unix int64) {
		r, err := schedule.Parse(line, zone)
		if err != nil || unix < 0 || unix > 4e9 {
			return
		}
		after := time.Unix(unix, 0)
		if next := r.Next(after); !next.IsZero() && !next.After(after) {
			t.Errorf("%s: after %v comes %v", r, after, next)
		}
	})
}

func TestWidest(t *testing.T) {
	for line, want := range map[string]time.Duration{
		"0 8 * * 1-5": 72 * time.Hour, "0 6 1 * *": 31 * 24 * time.Hour, "*/15 * * * *": 15 * time.Minute,
	} {
		r, err := schedule.Parse(line, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Widest(time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC), 31); got != want {
			t.Errorf("%s rests for up to %s, want %s", line, got, want)
		}
	}
}
