package connectors_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestBadSchedulesNameTheirPlace(t *testing.T) {
	for _, c := range []struct {
		s          connectors.Schedule
		path, want string
	}{
		{connectors.Schedule{Cron: "0 6 1 *"}, "cron", "5 fields"},
		{connectors.Schedule{Cron: "0 6 1 * *", Timezone: "Europe/Berln"}, "timezone", "no time zone"},
		{connectors.Schedule{Cron: "0 6 1 * *", CatchUp: "all"}, "catch_up", `no way "all"`},
		{connectors.Schedule{Cron: "0 6 1 * *", Overlap: "kill"}, "overlap", `no way "kill"`},
		{connectors.Schedule{Cron: "0 6 1 * *", Jitter: config.Duration(48 * time.Hour)}, "jitter", "put off"},
		{connectors.Schedule{Jitter: config.Duration(time.Minute)}, "jitter", "no schedule"},
		{connectors.Schedule{Overlap: "skip"}, "overlap", "no schedule"},
		{connectors.Schedule{CatchUp: "one"}, "catch_up", "no schedule"},
		{connectors.Schedule{Timezone: "Mars"}, "timezone", "no time zone"},
	} {
		_, err := c.s.Plan("usage")
		if err == nil {
			t.Errorf("%+v is taken", c.s)
			continue
		}
		if p := problem.All(err)[0]; p.Path != c.path || !strings.Contains(p.Message, c.want) || p.Hint == "" {
			t.Errorf("%+v: %v, want %s: %s", c.s, p, c.path, c.want)
		}
	}
}

func TestScheduleIsOfItsZone(t *testing.T) {
	s := connectors.Schedule{Cron: "0 6 1 * *", Timezone: "Europe/Berlin", CatchUp: connectors.CatchUpNone, Jitter: config.Duration(time.Minute)}
	p, err := s.Plan("usage")
	if err != nil {
		t.Fatal(err)
	}
	at := p.Rule.Next(time.Date(2026, time.September, 15, 0, 0, 0, 0, time.UTC))
	if got := at.Format(time.RFC3339); got != "2026-10-01T06:00:00+02:00" || p.CatchUp || p.Jitter != time.Minute || p.Seed != "usage" {
		t.Errorf("next is %s of %+v", got, p)
	}
	if p, err := (connectors.Schedule{}).Plan("usage"); p != nil || err != nil {
		t.Errorf("no schedule is %v, %v", p, err)
	}
}
