package postgres

import (
	"fmt"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
)

var _ connectors.Holding = (*Config)(nil)

// Holds implements connectors.Holding: a server keeps a slot and a publication for
// the table of a stream, unless they are somebody else's.
func (c *Config) Holds() string {
	if !c.Streams() || c.Slot != "" {
		return ""
	}
	at, _ := pg.PlaceOf(c.DSN.Reveal())
	return fmt.Sprintf("%v %s %s", at, c.Table, c.Publication)
}
