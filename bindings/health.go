package bindings

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// wantedLong is from when on a picture that is wanted has waited too long.
const wantedLong = 10 * time.Minute

// Health judges a binding by the worst that there is: itself, its source, its
// images. broken is why it cannot work now.
func (s Status) Health(source connectors.Health, broken error, now time.Time) connectors.Health {
	is := func(state, next, format string, args ...any) connectors.Health {
		return connectors.Health{State: state, Cause: fmt.Sprintf(format, args...), Next: next}
	}
	waits := now.Sub(s.WantedSince)
	switch {
	case s.Paused && s.PausedReason != "":
		return is(connectors.StatePaused, "mend what the cause says, then resume it", "%s", s.PausedReason)
	case s.Paused:
		return is(connectors.StatePaused, "resume it", "a person has paused it")
	case broken != nil:
		p := problem.All(broken)[0]
		return is(connectors.StateError, cmp.Or(p.Hint, "change the binding, its template or its source"), "%s", p.Error())
	case source.State == connectors.StateError:
		return is(connectors.StateError, source.Next, "source %s: %s", s.Source, source.Cause)
	case s.HeldChanges+s.HeldRemoval > 0 || s.HeldReason != "":
		return is(connectors.StateWarn, "look at what is held, then let it through, or mend the source",
			"the guard holds %d changes and %d removals: %s", s.HeldChanges, s.HeldRemoval, s.HeldReason)
	case s.Failed > 0:
		images := "images"
		if s.Failed == 1 {
			images = "image"
		}
		return is(connectors.StateWarn, "see the errors of its rows, and mend them at the source or in the template", "%d %s could not be made", s.Failed, images)
	case !s.WantedSince.IsZero() && waits > wantedLong:
		return is(connectors.StateWarn, "see whether Chrome runs and what is before it in the queue", "a picture waits for %s", waits.Round(time.Second))
	case source.State == connectors.StateWarn:
		return is(connectors.StateWarn, source.Next, "source %s: %s", s.Source, source.Cause)
	}
	return connectors.Health{State: connectors.StateOK}
}
