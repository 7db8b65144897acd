package postgres

import (
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

// SetClock has a source ask nowFunc what time it is.
func SetClock(p connectors.Poller, nowFunc func() time.Time) {
	if k, ok := p.(keyed); ok {
		p = k.source
	}
	p.(*source).nowFunc = nowFunc
}
