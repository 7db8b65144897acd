package daemon

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
)

// A slot could never be given back by a ledger that can't keep how.
func TestStreamThatCouldNotBeReleasedIsRefused(t *testing.T) {
	const sources = `
sources: { products: { kind: postgres, dsn: "postgres://pictifyd:secret@db/shop", table: products, mode: cdc } }
`
	for store, refused := range map[string]bool{
		`store: { url: "postgres://pictifyd@db/ledger" }`:                                                      true,
		`store: { url: "postgres://pictifyd@db/ledger", seal_key: "an-old-tree-in-a-garden-of-64-yews-here" }`: false,
		`store: { url: "sqlite:data/pictifyd.db" }`:                                                            false,
	} {
		_, err := decode("pictifyd.yaml", []byte(store+sources), config.Options{}, Connectors(), Sinks())
		if got := err != nil && strings.Contains(err.Error(), "seal_key"); got != refused {
			t.Errorf("%s: %v", store, err)
		}
	}
}
