package daemon

import (
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/api"
)

// certSoon is how long before its end a certificate is told of: whatever renews it
// should have done so.
const certSoon = 14 * 24 * time.Hour

// certificateSigns are those of the server's own certificate, if it has one.
func certificateSigns(c api.TLS, now time.Time) []Sign {
	if !c.On() {
		return nil
	}
	const name = "certificate"
	until, err := c.Check()
	day := until.UTC().Format(time.DateOnly)
	switch {
	case err != nil:
		return []Sign{signOf(name, err)}
	case !now.Before(until):
		return []Sign{{name, Missing, fmt.Sprintf("%s is over since %s: no client trusts it", c.Cert, day), "renew it: the files are read again when they change"}}
	case until.Sub(now) < certSoon:
		return []Sign{{name, Warn, fmt.Sprintf("%s is good until %s only", c.Cert, day), "renew it: the files are read again when they change"}}
	}
	return []Sign{{Name: name, Health: Well, Says: fmt.Sprintf("%s is good until %s", c.Cert, day)}}
}
