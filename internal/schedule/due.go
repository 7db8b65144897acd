package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

const (
	// lateness is how long after its time something still counts as on time: no
	// timer is exact, and a machine may be busy.
	lateness = 2 * time.Minute
	// fault is how far a time that was done may be ahead of the clock. More than
	// that, the clock was wrong then.
	fault = 25 * time.Hour
)

// A Plan is a rule with what becomes of times that were missed.
type Plan struct {
	Rule    *Rule
	CatchUp bool          // the newest time that was missed is made up for; else it is let go
	Jitter  time.Duration // each time comes up to so much later
	Seed    string        // makes the delays of plans differ
}

// A Decision says what to do now.
type Decision struct {
	Run  time.Time // the time that is to be done now; zero for none
	Pass time.Time // the newest time that is over, done or let go; zero for none
	Wake time.Time // when to ask again at the latest
	// Fault says that the time that was done last is far ahead: the clock was
	// wrong, and Pass is where to go on from.
	Fault bool
}

// Decide says at now what is to be done where last is the newest time that is over.
// Of several times that are due only the newest is done. A clock that was set back
// does nothing twice.
func (p Plan) Decide(last, now time.Time) Decision {
	if last.Sub(now) > fault {
		return Decision{Pass: now, Wake: p.after(now), Fault: true}
	}
	at := p.Rule.Last(last, now)
	if at.IsZero() {
		return Decision{Wake: p.after(later(last, now))}
	}
	begin := at.Add(p.Delay(at))
	switch {
	case now.Before(begin):
		return Decision{Wake: begin}
	case !p.CatchUp && now.Sub(begin) > lateness:
		return Decision{Pass: at, Wake: p.after(now)}
	}
	return Decision{Run: at, Pass: at, Wake: p.after(now)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// after is when the first time behind t begins.
func (p Plan) after(t time.Time) time.Time {
	next := p.Rule.Next(t)
	if next.IsZero() {
		return next
	}
	return next.Add(p.Delay(next))
}

// Next is when the plan does something next after now, with its delay.
func (p Plan) Next(last, now time.Time) time.Time {
	if d := p.Decide(last, now); d.Run.IsZero() {
		return d.Wake
	}
	return now
}

// Delay is how much later than at its time begins: the same whenever it is asked,
// so that a restart neither hurries nor puts off.
func (p Plan) Delay(at time.Time) time.Duration {
	if p.Jitter <= 0 {
		return 0
	}
	var moment [8]byte
	binary.BigEndian.PutUint64(moment[:], uint64(at.Unix()))
	sum := sha256.Sum256(append([]byte(p.Seed), moment[:]...))
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(p.Jitter))
}
