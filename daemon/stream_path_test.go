package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// Whatever the way to the server of a table does, what changes meanwhile is shown, at
// the latest once it is over.
func TestTableIsFollowedOverABadWay(t *testing.T) {
	for name, bad := range map[string]func(*pgtest.Proxy){
		"latency":    func(p *pgtest.Proxy) { p.Slow(50*time.Millisecond, 0) },
		"slices":     func(p *pgtest.Proxy) { p.Slow(time.Millisecond, 7) },
		"resets":     (*pgtest.Proxy).Reset,
		"cuts":       (*pgtest.Proxy).Cut,
		"black hole": (*pgtest.Proxy).Hold,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplicated(t, 20, "", "")
			proxy := pgtest.NewProxy(t, r.dsn)
			r.write("pictifyd.yaml", strings.Replace(r.read("pictifyd.yaml"), fmt.Sprintf("%q", r.dsn), fmt.Sprintf("%q", pgtest.Through(r.dsn, proxy.Address, "")), 1))
			r.begin()
			r.shows("K0000020", "Mug 20")
			for round := range 3 {
				bad(proxy)
				cup := fmt.Sprint("Cup ", round)
				r.run(fmt.Sprintf(`UPDATE products SET name = '%s' WHERE sku = 'K0000007'; DELETE FROM products WHERE sku = 'K000001%d'`, cup, round))
				if name == "black hole" {
					time.Sleep(100 * time.Millisecond) // something is swallowed
					proxy.Cut()
					proxy.Up()
				}
				r.shows("K0000007", cup)
				eventually(t, "what was deleted is gone", func() bool { return r.picture(fmt.Sprintf("/b/cards/K000001%d.png", round)) == "" })
			}
		})
	}
}
