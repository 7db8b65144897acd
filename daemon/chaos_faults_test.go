package daemon

import (
	"fmt"
	"syscall"
	"time"
)

// A chaosFault befalls a fleet for a span of time.
type chaosFault struct {
	name string
	// begin begins it. It says what it does, and how it ends; nil: it is over.
	begin func(c *chaos) (what string, end func())
}

// faultsThatMeet may befall a fleet while it has another one.
var faultsThatMeet = []chaosFault{
	{"kill", func(c *chaos) (string, func()) {
		name := c.one(places)
		c.signal(name, syscall.SIGKILL)
		return name, nil
	}},
	{"end", func(c *chaos) (string, func()) {
		name, at := c.one(places), time.Now()
		c.signal(name, syscall.SIGTERM)
		return fmt.Sprintf("%s, in %s", name, time.Since(at).Round(time.Millisecond)), nil
	}},
	onAWay("cut the ledger off", (*way).cut),
	onAWay("swallow all to the ledger", (*way).swallow),
	onAWay("hold answers of the ledger back", (*way).hold),
	onAWay("reset connections to the ledger", (*way).reset),
	{"slow the ledger down", func(c *chaos) (string, func()) {
		name, by := c.one(places), time.Duration(100+c.rng.IntN(400))*time.Millisecond
		w := c.ways[name]
		w.slow(by / 2) // there, and back
		return fmt.Sprintf("of %s, by %s", name, by), w.calm
	}},
	{"cut the shelf off", func(c *chaos) (string, func()) { c.shelf.way.cut(); return "from its reader", c.shelf.way.calm }},
	{"swallow all to the shelf", func(c *chaos) (string, func()) { c.shelf.way.swallow(); return "of its reader", c.shelf.way.calm }},
}

// faultsAlone befall it when it has none.
var faultsAlone = []chaosFault{
	// What one that delivers has begun to send nobody takes back: its receivers may hear
	// it late. So those are cut off, and not frozen.
	{"freeze", func(c *chaos) (string, func()) {
		name := c.one([]string{"one", "two", "pencil", "brush", "door"})
		p := c.signal(name, syscall.SIGSTOP)
		c.frozen = name
		return name, func() { c.frozen = ""; _ = p.cmd.Process.Signal(syscall.SIGCONT) }
	}},
	{"restart the database", func(c *chaos) (string, func()) {
		c.server.Stop()
		return "away", c.server.Start
	}},
	{"crash the database", func(c *chaos) (string, func()) {
		c.server.Kill()
		return "away", c.server.Start
	}},
}

// onAWay is a fault of the way of one process to the ledger.
func onAWay(name string, do func(*way)) chaosFault {
	return chaosFault{name, func(c *chaos) (string, func()) {
		place := c.one(places)
		do(c.ways[place])
		return "of " + place, c.ways[place].calm
	}}
}

// one is one of these places, by chance, but not one that is frozen: a process that
// cannot end would be waited for.
func (c *chaos) one(of []string) string {
	for {
		if name := of[c.rng.IntN(len(of))]; name != c.frozen {
			return name
		}
	}
}

// befall has a fault begin, last and end. While it lasts another one may come to it, of
// those that can meet any.
func (c *chaos) befall(f chaosFault) {
	c.t.Helper()
	c.again()
	what, end := f.begin(c)
	if end == nil {
		c.t.Logf("%s: %s", f.name, what)
		return
	}
	span := time.Second + time.Duration(c.rng.Int64N(int64(c.longest-time.Second)))
	c.t.Logf("%s: %s, for %s", f.name, what, span.Round(time.Millisecond))
	if c.rng.IntN(2) == 0 {
		and := c.meeting[c.rng.IntN(len(c.meeting))]
		if what, ends := and.begin(c); ends == nil {
			c.t.Logf("and %s: %s", and.name, what)
		} else {
			c.t.Logf("and %s: %s, until then", and.name, what)
			defer ends()
		}
	}
	pause(c.t, span)
	end()
}
