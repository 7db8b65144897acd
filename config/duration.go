package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var (
	daysPrefix = regexp.MustCompile(`^([0-9]{1,6})d`)
	bareNumber = regexp.MustCompile(`^[0-9.]+$`)
)

// A Duration is a span of time that is not negative: "30s", "5m", "1h30m",
// "30d". A day is 24 hours.
type Duration time.Duration

// ParseDuration reads a duration.
func ParseDuration(text string) (Duration, error) {
	rest, days := text, time.Duration(0)
	if m := daysPrefix.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || time.Duration(n) > math.MaxInt64/day {
			return 0, mismatch("is too long for a duration")
		}
		days, rest = time.Duration(n)*day, text[len(m[0]):]
		if rest == "" {
			return Duration(days), nil
		}
	}
	d, err := time.ParseDuration(rest)
	switch {
	case bareNumber.MatchString(rest) && (err != nil || days > 0):
		return 0, mismatch(`wants a unit, as in "30s", "5m", "24h" or "30d"`)
	case err != nil || strings.HasPrefix(rest, "+"):
		return 0, mismatch(`wants a duration, as in "30s", "5m", "24h" or "30d"`)
	case d < 0 || strings.HasPrefix(rest, "-"):
		return 0, mismatch("wants a duration that is not negative")
	case d > math.MaxInt64-days:
		return 0, mismatch("is too long for a duration")
	}
	return Duration(days + d), nil
}

// Std is d as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is the shortest text that ParseDuration reads as d: "5m", "24h30m", "30d".
func (d Duration) String() string {
	if d != 0 && d.Std()%day == 0 {
		return fmt.Sprintf("%dd", d.Std()/day)
	}
	s := d.Std().String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}
