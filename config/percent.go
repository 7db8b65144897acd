package config

import (
	"regexp"
	"strconv"
	"strings"
)

// A Percent is a share between 0 and 1, written "50%" or 0.5.
type Percent float64

var decimal = regexp.MustCompile(`^[0-9]{1,15}(?:\.[0-9]{1,15})?$`)

// ParsePercent reads a share.
func ParsePercent(text string) (Percent, error) {
	number, hundredths := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if err != nil || !decimal.MatchString(number) {
		return 0, mismatch(`wants a share, as in "50%" or 0.5`)
	}
	if hundredths {
		share /= 100
	}
	switch {
	case share > 1 && hundredths:
		return 0, mismatch("must be between 0% and 100%")
	case share > 1:
		return 0, mismatch(`must be between 0 and 1, or carry a "%"`)
	}
	return Percent(share), nil
}

// String is p in hundredths: "50%", "12.5%".
func (p Percent) String() string {
	return strconv.FormatFloat(float64(p)*100, 'g', 12, 64) + "%"
}

// MarshalText is String.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePercent.
func (p *Percent) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePercent(string(text))
	return err
}
