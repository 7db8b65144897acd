package connectors_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

func TestHealthOfASource(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	long := ago(24 * time.Hour)
	read := func(f connectors.Freshness) connectors.Freshness { // every minute, and read just now
		f.Expected, f.Complete = time.Minute, f.Reason == ""
		if f.Since.IsZero() {
			f.Since = long
		}
		if f.ConfirmedAt.IsZero() {
			f.ConfirmedAt = ago(time.Second)
		}
		f.NextAt = now.Add(time.Minute)
		return f
	}
	for name, one := range map[string]struct {
		f            connectors.Freshness
		state, cause string
	}{
		"read just now, of one time":        {read(connectors.Freshness{Reason: connectors.OfOneTime}), "ok", ""},
		"read just now":                     {read(connectors.Freshness{}), "ok", ""},
		"two intervals":                     {read(connectors.Freshness{ConfirmedAt: ago(2 * time.Minute)}), "ok", ""},
		"beyond two intervals":              {read(connectors.Freshness{ConfirmedAt: ago(2*time.Minute + 1)}), "warn", "nothing was confirmed for 2m0s, expected is every 1m0s"},
		"beyond five":                       {read(connectors.Freshness{ConfirmedAt: ago(5*time.Minute + 1)}), "error", "nothing was confirmed for 5m0s"},
		"a reading under way":               {read(connectors.Freshness{ConfirmedAt: ago(time.Hour), BegunAt: ago(time.Minute), EndedAt: ago(time.Hour)}), "warn", "under way since 1m0s"},
		"one failure":                       {read(connectors.Freshness{Failures: 1, Error: "503"}), "warn", "the last reading failed: 503"},
		"three failures":                    {read(connectors.Freshness{Failures: 3, Error: "503"}), "error", "3 readings in a row failed: 503"},
		"one failure for too long":          {read(connectors.Freshness{Failures: 1, Error: "503", ConfirmedAt: ago(6 * time.Minute)}), "error", "503"},
		"not complete":                      {read(connectors.Freshness{Reason: "page 3 is missing"}), "warn", "page 3 is missing"},
		"one row kept out":                  {read(connectors.Freshness{Quarantined: 1}), "warn", "1 row is kept out"},
		"rows kept out":                     {read(connectors.Freshness{Quarantined: 7}), "warn", "7 rows are kept out"},
		"paused":                            {read(connectors.Freshness{Paused: true, Failures: 9, Error: "503"}), "paused", "every binding"},
		"started after a rest":              {read(connectors.Freshness{ConfirmedAt: long, Since: ago(time.Minute)}), "ok", ""},
		"never read since the start":        {connectors.Freshness{Expected: time.Minute, Since: ago(time.Hour), NextAt: now}, "error", "nothing was confirmed"},
		"nobody expects anything":           {connectors.Freshness{Since: long}, "ok", ""},
		"sent as expected":                  {connectors.Freshness{Expected: time.Hour, Since: long, ToldAt: ago(time.Hour)}, "ok", ""},
		"not sent for long":                 {connectors.Freshness{Expected: time.Hour, Since: long, ToldAt: ago(3 * time.Hour)}, "warn", "3h0m0s"},
		"rows asked for confirm no reading": {read(connectors.Freshness{ConfirmedAt: ago(time.Hour), ToldAt: ago(time.Second)}), "error", "1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one.f.Health(now)
			if h.State != one.state || !strings.Contains(h.Cause, one.cause) || (one.cause == "") != (h.Cause == "") {
				t.Errorf("%+v, want %s %q", h, one.state, one.cause)
			}
			if (h.Cause == "") != (h.Next == "") {
				t.Errorf("%+v: what has a cause has a next step", h)
			}
		})
	}
}

func TestSourceThatFallsSilentIsSeenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := connectors.Freshness{Expected: 30 * time.Second, Since: time.Now(), ConfirmedAt: time.Now(), Complete: true, NextAt: time.Now()}
		began, seen := time.Now(), map[string]time.Duration{}
		for range 300 {
			time.Sleep(time.Second)
			state := f.Health(time.Now()).State
			if _, ok := seen[state]; !ok {
				seen[state] = time.Since(began)
			}
		}
		if seen["ok"] != time.Second || seen["warn"] != 61*time.Second || seen["error"] != 151*time.Second {
			t.Errorf("seen after %v, want warn beyond two intervals and error beyond five", seen)
		}
		f.ConfirmedAt = time.Now()
		if h := f.Health(time.Now()); h.State != "ok" {
			t.Errorf("after a reading it is %+v", h)
		}
		if lag := f.Lag(time.Now().Add(time.Minute)); lag != time.Minute {
			t.Errorf("lag is %s", lag)
		}
	})
}
