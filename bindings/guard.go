package bindings

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/config"
)

// A Guard says from where on a reading's effect on the images of a binding
// waits for a person. A share holds only together with the floor: both must be
// passed. A share of 100% never holds.
type Guard struct {
	MaxChanged config.Percent `yaml:"max_changed"` // of the live images, those that would change
	MaxDeleted config.Percent `yaml:"max_deleted"` // of the live images, those that would go
	Floor      int            `yaml:"floor"`       // so many may always change, and go
}

// Judge is the guard's word on a reading that would do c. A source that
// suddenly has no rows is always held.
func Judge(g Guard, c Counts) Verdict {
	if c.Rows == 0 && c.Live > 0 {
		return Verdict{
			HoldChanges: true, HoldRemoval: true,
			Reason: fmt.Sprintf("the source suddenly has no rows (it had %s)", images(c.Live)),
		}
	}
	v := Verdict{
		HoldChanges: beyond(c.Changed, c.Live, g.MaxChanged, g.Floor),
		HoldRemoval: beyond(c.Gone, c.Live, g.MaxDeleted, g.Floor),
	}
	var reasons []string
	if v.HoldChanges {
		reasons = append(reasons, fmt.Sprintf("%s of %s would change (limit %s)", thousands(c.Changed), images(c.Live), share(g.MaxChanged)))
	}
	if v.HoldRemoval {
		reasons = append(reasons, fmt.Sprintf("%s of %s would go (limit %s)", thousands(c.Gone), images(c.Live), share(g.MaxDeleted)))
	}
	v.Reason = strings.Join(reasons, "; ")
	return v
}

// beyond forgives the share what the binary form of a percentage is short of it:
// 0.29 × 100 is less than 29.
func beyond(n, live int, limit config.Percent, floor int) bool {
	return n > floor && float64(n) > float64(limit)*float64(live)*(1+1e-12)
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return thousands(n) + " images"
}

func share(p config.Percent) string {
	return strings.TrimSuffix(p.String(), "%") + " %"
}

// thousands is n with a comma between each three digits.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
