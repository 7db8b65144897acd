package schedule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/internal/schedule"
)

func TestDecisions(t *testing.T) {
	at := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		return mustTime(t, text)
	}
	const first = "2026-10-01T04:00:00Z" // 06:00 in Berlin
	for _, c := range []struct {
		name, last, now string
		letGo           bool
		jitter          time.Duration
		run, pass, wake string
		fault           bool
	}{
		{name: "before its time", last: "2026-09-01T04:00:00Z", now: "2026-09-20T00:00:00Z", wake: first},
		{name: "at its time", last: "2026-09-01T04:00:00Z", now: first, run: first, pass: first, wake: "2026-11-01T05:00:00Z"},
		{name: "done already", last: first, now: first, wake: "2026-11-01T05:00:00Z"},
		{name: "missed, and made up for", last: "2026-09-01T04:00:00Z", now: "2026-10-09T00:00:00Z", run: first, pass: first, wake: "2026-11-01T05:00:00Z"},
		{name: "several missed, the newest is made up for", last: "2026-01-01T05:00:00Z", now: "2026-10-09T00:00:00Z", run: first, pass: first, wake: "2026-11-01T05:00:00Z"},
		{name: "missed, and let go", last: "2026-09-01T04:00:00Z", now: "2026-10-09T00:00:00Z", letGo: true, pass: first, wake: "2026-11-01T05:00:00Z"},
		{name: "a minute late is on time", last: "2026-09-01T04:00:00Z", now: "2026-10-01T04:01:00Z", letGo: true, run: first, pass: first, wake: "2026-11-01T05:00:00Z"},
		{name: "the clock was set back an hour", last: first, now: "2026-10-01T03:00:10Z", wake: "2026-11-01T05:00:00Z"},
		{name: "the clock was years ahead", last: "2031-01-01T05:00:00Z", now: "2026-10-09T00:00:00Z", pass: "2026-10-09T00:00:00Z", wake: "2026-11-01T05:00:00Z", fault: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := schedule.Plan{Rule: mustParse(t, "0 6 1 * *", "Europe/Berlin"), CatchUp: !c.letGo}
			got := p.Decide(at(c.last), at(c.now))
			for _, pair := range []struct {
				what string
				got  time.Time
				want string
			}{{"run", got.Run, c.run}, {"pass", got.Pass, c.pass}, {"wake", got.Wake, c.wake}} {
				if !pair.got.Equal(at(pair.want)) {
					t.Errorf("%s = %v, want %q", pair.what, pair.got, pair.want)
				}
			}
			if got.Fault != c.fault {
				t.Errorf("fault = %v", got.Fault)
			}
		})
	}
}

func TestJitterIsBoundedAndStaysTheSame(t *testing.T) {
	rule := mustParse(t, "0 * * * *", "")
	p := schedule.Plan{Rule: rule, CatchUp: true, Jitter: 5 * time.Minute, Seed: "usage"}
	other := p
	other.Seed = "orders"
	at := mustTime(t, "2026-10-01T00:00:00Z")
	var spread, differ int
	for range 500 {
		at = rule.Next(at)
		delay := p.Delay(at)
		if delay < 0 || delay >= p.Jitter || delay != p.Delay(at) {
			t.Fatalf("%v is put off by %v", at, delay)
		}
		if delay > p.Jitter/2 {
			spread++
		}
		if delay != other.Delay(at) {
			differ++
		}
		if early := p.Decide(at.Add(-time.Hour), at.Add(delay-1)); delay > 0 && !early.Run.IsZero() {
			t.Fatalf("%v is done before its delay of %v", at, delay)
		}
		if due := p.Decide(at.Add(-time.Hour), at.Add(delay)); !due.Run.Equal(at) {
			t.Fatalf("at %v, put off by %v, %v is done", at, delay, due.Run)
		}
	}
	if spread < 200 || spread > 300 || differ < 490 {
		t.Errorf("of 500 delays %d are in the later half, and %d differ from another source's", spread, differ)
	}
}

// Whoever sleeps as Decide says does each time once, with a clock of the bubble.
func TestSleepingByDecisionsDoesEachTimeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := schedule.Plan{Rule: mustParse(t, "30 2 * * *", "Europe/Berlin"), CatchUp: true, Jitter: time.Minute, Seed: "x"}
		last := time.Now()
		done := map[string]int{}
		for end := last.AddDate(1, 0, 0); time.Now().Before(end); {
			d := p.Decide(last, time.Now())
			if !d.Pass.IsZero() {
				last = d.Pass
			}
			if !d.Run.IsZero() {
				done[d.Run.Format(time.DateOnly)]++
				if late := time.Since(d.Run); late < 0 || late > time.Minute {
					t.Fatalf("%v is done %v after its time", d.Run, late)
				}
			}
			time.Sleep(time.Until(d.Wake))
		}
		if len(done) < 365 {
			t.Errorf("%d days of a year have a run", len(done))
		}
		for day, n := range done {
			if n != 1 {
				t.Errorf("%s has %d runs", day, n)
			}
		}
	})
}
