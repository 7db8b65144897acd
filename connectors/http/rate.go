package httppoll

import (
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Rate is so many requests a second, written with its unit: "10/s", "600/m", "5000/h".
type Rate float64

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// UnmarshalText reads a rate.
func (r *Rate) UnmarshalText(text []byte) error {
	count, unit, _ := strings.Cut(string(text), "/")
	n, err := strconv.ParseUint(count, 10, 31)
	if err != nil || n == 0 || units[unit] == 0 {
		return problem.New(problem.Invalid, `wants a rate, as in "10/s", "600/m" or "5000/h"`)
	}
	*r = Rate(float64(n) / units[unit].Seconds())
	return nil
}
