package config

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Bytes is an amount of memory or disk: "2GB" (10^9), "512MiB" (2^20), or a
// plain number of bytes.
type Bytes int64

// byteUnits go from the largest to the smallest, because String takes the first that fits.
var byteUnits = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"KB", 1e3},
	{"B", 1},
}

var bytesForm = regexp.MustCompile(`^([0-9]{1,19}(?:\.[0-9]{1,9})?) ?([A-Za-z]*)$`)

// ParseBytes reads an amount. Units are read in any case.
func ParseBytes(text string) (Bytes, error) {
	m := bytesForm.FindStringSubmatch(text)
	if m == nil {
		return 0, mismatch(`wants an amount of bytes, as in "2GB" or "512MiB"`)
	}
	size, ok := unitSize(m[2])
	if !ok {
		return 0, mismatch(`wants one of the units B, KB, MB, GB, TB, KiB, MiB, GiB, TiB`)
	}
	amount, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return 0, mismatch(`wants an amount of bytes, as in "2GB" or "512MiB"`)
	}
	amount.Mul(amount, new(big.Rat).SetInt64(size))
	whole := new(big.Int).Quo(amount.Num(), amount.Denom())
	if !whole.IsInt64() {
		return 0, mismatch("is too large for an amount of bytes")
	}
	return Bytes(whole.Int64()), nil
}

func unitSize(name string) (int64, bool) {
	if name == "" {
		return 1, true
	}
	for _, u := range byteUnits {
		if strings.EqualFold(u.name, name) {
			return u.size, true
		}
	}
	return 0, false
}

// String is b in the largest unit that divides it: "2GB", "512MiB", "1B".
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText is String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is ParseBytes.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}
