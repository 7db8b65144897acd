package connectors

import (
	"fmt"
	"time"
)

// The words for how something goes, from best to worst; paused is a person's wish.
const (
	StateOK     = "ok"
	StateWarn   = "warn"
	StateError  = "error"
	StatePaused = "paused"
)

// A Health is a word and, unless all is well, what it is for and what a person does
// about it.
type Health struct{ State, Cause, Next string }

// A Freshness is how current the rows of a source are.
type Freshness struct {
	Expected time.Duration // something is heard of it so often; 0: nobody knows
	Since    time.Time     // it is watched
	Paused   bool          // every binding of it

	BegunAt     time.Time // the newest reading
	EndedAt     time.Time // the newest that ended, however
	ConfirmedAt time.Time // its rows were known to be all and current
	ChangedAt   time.Time // a row last changed
	ToldAt      time.Time // a row last came outside of a reading
	NextAt      time.Time // the next reading; zero: none is planned

	Complete    bool   // the last reading that was closed
	Reason      string // why it was not
	Unchanged   int64  // readings since the last change
	Failures    int64  // readings in a row that died
	Error       string // of the last of them
	Quarantined int64  // rows that are kept out

	// Of a stream.
	Halted  string // why it waits for a person
	Gap     string // why changes may have been missed, until all rows were read again
	Warning string // what a person should look after
}

const (
	warnBeyond  = 2 // times the expected interval
	errorBeyond = 5
	errorFails  = 3 // readings in a row
)

// Reading reports whether one is under way.
func (f Freshness) Reading() bool { return f.BegunAt.After(f.EndedAt) }

// HeardAt is when the rows were last known to be current, as far as the source
// tells: a source that is not read is heard when rows of it come.
func (f Freshness) HeardAt() time.Time {
	if f.ToldAt.After(f.ConfirmedAt) && f.NextAt.IsZero() {
		return f.ToldAt
	}
	return f.ConfirmedAt
}

// Lag is for how long nobody has known whether the rows are current; negative
// when they never were.
func (f Freshness) Lag(now time.Time) time.Duration {
	heard := f.HeardAt()
	if heard.IsZero() {
		return -1
	}
	return max(now.Sub(heard), 0)
}

// Health judges f. What is overdue counts from the moment at which the source
// came to be watched, so that a start after a long rest alarms nobody.
func (f Freshness) Health(now time.Time) Health {
	if f.Paused {
		return Health{StatePaused, "every binding of it is paused", "resume a binding of it"}
	}
	overdue := now.Sub(later(f.HeardAt(), f.Since))
	late := func(times int) bool { return f.Expected > 0 && overdue > time.Duration(times)*f.Expected }
	said := fmt.Sprintf("nothing was confirmed for %s, expected is every %s", rounded(overdue), rounded(f.Expected))
	silent := "read it now; if that helps, see what keeps it from its interval"
	if f.NextAt.IsZero() {
		silent = "see whether whoever sends its rows still does, and gets a 2xx"
	}
	const test = "test its connection, and mend what the error says; it is read again by itself"
	switch {
	case f.Halted != "":
		return Health{StateError, "it waits for a person: " + f.Halted, "mend what the cause says, then have all rows read anew"}
	case f.Failures >= errorFails:
		return Health{StateError, fmt.Sprintf("%d readings in a row failed: %s", f.Failures, f.Error), test}
	case f.Failures > 0 && late(errorBeyond):
		return Health{StateError, said + ": " + f.Error, test}
	case late(errorBeyond) && !f.Reading():
		return Health{StateError, said, silent}
	case f.Failures > 0:
		return Health{StateWarn, "the last reading failed: " + f.Error, test}
	case f.Gap != "":
		return Health{StateWarn, "changes may have been missed, all rows are read again: " + f.Gap, "wait until all rows were read"}
	case late(warnBeyond) && f.Reading():
		return Health{StateWarn, fmt.Sprintf("a reading is under way since %s", rounded(now.Sub(f.BegunAt))), "wait for it, or give the source a longer interval"}
	case late(warnBeyond):
		return Health{StateWarn, said, silent}
	case !f.Complete && f.Reason != "" && !OnPurpose(f.Reason):
		return Health{StateWarn, "the last reading was not complete: " + f.Reason, "mend what the reason says; until then no row counts as gone"}
	case f.Warning != "":
		return Health{StateWarn, f.Warning, "do what the warning says"}
	case f.Quarantined == 1:
		return Health{StateWarn, "1 row is kept out", "see why, and mend it where it comes from"}
	case f.Quarantined > 0:
		return Health{StateWarn, fmt.Sprintf("%d rows are kept out", f.Quarantined), "see why, and mend them where they come from"}
	}
	return Health{State: StateOK}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rounded is d for people.
func rounded(d time.Duration) time.Duration {
	if d >= time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
