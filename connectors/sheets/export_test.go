package sheets

import (
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

// Hurry makes the waits between tries short, for tests.
func Hurry() {
	usual.backoff.Base, usual.backoff.Max = time.Millisecond, 8*time.Millisecond
}

var usualCut = whole

// Small makes blocks small, for tests; Usual makes them what they are.
func Small() { whole = cut{piece: 9000, first: 100, most: 500, bytes: 64 << 10} }

// Usual is the opposite of Small.
func Usual() { whole = usualCut }

// NewThrough is a source that takes an emulator for Google.
func NewThrough(cfg *Config, emulator string) (connectors.Poller, error) {
	s, err := newSource(cfg, connectors.Env{Name: "sheet"})
	if err != nil {
		return nil, err
	}
	s.client.api.BasePath = emulator + "/"
	return s, nil
}
