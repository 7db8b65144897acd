package postgres

import (
	"fmt"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
)

var _ connectors.Holding = (*Config)(nil)

// Holds implements connectors.Holding: a server keeps a slot and a publication for
// the table of a stream.
func (c *Config) Holds() string {
	if !c.Streams() {
		return ""
	}
	at, _ := pg.PlaceOf(c.DSN.Reveal())
	return fmt.Sprintf("%v %s", at, c.Table)
}
