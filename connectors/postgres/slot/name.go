package slot

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// prefix begins the names of all that is ours.
const prefix = "pictifyd_"

// maxName is PostgreSQL's own limit; it would cut a longer name silently.
const maxName = 63

// nameOf is the name of what belongs to a source of a ledger: what a slot may be
// called. Where something had to be changed for that, a hash keeps names apart.
func nameOf(instance, source string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, source)
	name := prefix + instance + "_" + plain
	if plain == source && len(name) <= maxName {
		return name
	}
	sum := fmt.Sprintf("_%x", sha256.Sum256([]byte(source)))[:9]
	return name[:min(len(name), maxName-len(sum))] + sum
}
