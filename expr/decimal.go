package expr

import (
	"encoding/json"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Numbers are computed as people write them, in decimal. A float64 of at most
// exactDigits significant digits stands for that decimal number exactly; one
// with more is the rounded result of a division, a root or the like. Exact
// results that need more digits are json.Number.
const (
	exactDigits = 15
	maxCoef     = 1e18 // one less digit than an int64 holds
	mostDigits  = 60   // of an exact result; a longer one is rounded
)

var pow10 = func() (out [19]int64) {
	out[0] = 1
	for i := 1; i < len(out); i++ {
		out[i] = out[i-1] * 10
	}
	return out
}()

// A dec is coef / 10^scale, small enough to compute with as integers.
type dec struct {
	coef  int64
	scale int
}

// small is v as a dec; ok is false where v is no number, too long, or not exact.
func small(v any) (d dec, ok bool) {
	switch v := v.(type) {
	case int:
		return dec{int64(v), 0}, v > -maxCoef && v < maxCoef
	case float64:
		return smallFloat(v)
	case json.Number:
		return smallText(string(v))
	case string:
		return smallText(strings.TrimSpace(v))
	}
	return dec{}, false
}

func smallFloat(f float64) (dec, bool) {
	for scale := range 7 {
		shifted := f * float64(pow10[scale])
		if math.Abs(shifted) >= 1e15 {
			return dec{}, false
		}
		if shifted == math.Trunc(shifted) && shifted/float64(pow10[scale]) == f {
			return dec{int64(shifted), scale}, true
		}
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'f', -1, 64)
	d, ok := smallText(string(text))
	return d, ok && d.coef > -1e15 && d.coef < 1e15
}

// smallText reads plain decimal digits in JSON's syntax.
func smallText(s string) (d dec, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(digits) > 1 && digits[1] != '.' {
		return dec{}, false
	}
	dot := -1
	for i := range len(digits) {
		switch c := digits[i]; {
		case c >= '0' && c <= '9' && d.coef < maxCoef/10:
			d.coef = d.coef*10 + int64(c-'0')
		case c == '.' && dot < 0 && i > 0 && i < len(digits)-1:
			dot = i
		default:
			return dec{}, false
		}
	}
	if dot >= 0 {
		d.scale = len(digits) - 1 - dot
	}
	if len(digits) < len(s) {
		d.coef = -d.coef
	}
	return d, true
}

// value is d as the value of an expression.
func (d dec) value() any {
	for d.scale > 0 && d.coef%10 == 0 {
		d.coef, d.scale = d.coef/10, d.scale-1
	}
	if d.coef > -1e15 && d.coef < 1e15 && d.scale < len(pow10) {
		return float64(d.coef) / float64(pow10[d.scale])
	}
	return json.Number(d.text())
}

func (d dec) text() string {
	s := strconv.FormatInt(d.coef, 10)
	if d.scale == 0 {
		return s
	}
	sign := ""
	if d.coef < 0 {
		sign, s = "-", s[1:]
	}
	if missing := d.scale + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	return sign + s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
}

// aligned brings two numbers to one scale.
func aligned(a, b dec) (x, y int64, scale int, ok bool) {
	scale = max(a.scale, b.scale)
	x, okX := times(a.coef, scale-a.scale)
	y, okY := times(b.coef, scale-b.scale)
	return x, y, scale, okX && okY
}

// times is n with zeros more zeros.
func times(n int64, zeros int) (int64, bool) {
	if zeros >= len(pow10) {
		return 0, false
	}
	return product(n, pow10[zeros])
}

func product(a, b int64) (int64, bool) {
	high, low := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	if high != 0 || low >= maxCoef {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(low), true
	}
	return int64(low), true
}

func addDec(a, b dec) (dec, bool) {
	x, y, scale, ok := aligned(a, b)
	return dec{x + y, scale}, ok
}

func subDec(a, b dec) (dec, bool) { return addDec(a, dec{-b.coef, b.scale}) }

func mulDec(a, b dec) (dec, bool) {
	coef, ok := product(a.coef, b.coef)
	return dec{coef, a.scale + b.scale}, ok
}

// decimal is the decimal number that f was meant to be: the shortest that reads
// back as f.
func decimal(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return r
}

// rational is v, a number, as a fraction. exact is false where v is rounded
// already, so that more digits of it mean nothing.
func rational(v any) (r *big.Rat, exact bool) {
	if d, ok := small(v); ok && d.scale < len(pow10) {
		return new(big.Rat).SetFrac64(d.coef, pow10[d.scale]), true
	} else if ok {
		return new(big.Rat).SetFrac(big.NewInt(d.coef), tenTo(d.scale)), true
	}
	if f, ok := v.(float64); ok {
		return decimal(f), false
	}
	if s, ok := NumberText(v); ok && len(s) <= 2*mostDigits && !strings.ContainsAny(string(s), "eE") {
		if r, ok := new(big.Rat).SetString(string(s)); ok {
			return r, true
		}
	}
	f, _ := Number(v)
	return decimal(f), false
}

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rationalValue is r as the value of an expression: all its digits where it was
// computed from exact numbers and has an end, else the nearest float.
func rationalValue(r *big.Rat, exact bool) (any, error) {
	if n, ends := r.FloatPrec(); exact && ends && n <= mostDigits && r.Num().BitLen() < 400 {
		if text := r.FloatString(n); significant(text) > exactDigits && len(text) <= 2*mostDigits {
			return json.Number(text), nil
		}
	}
	f, _ := r.Float64()
	return finite(f)
}

// significant counts the digits of a plain number between its zeros.
func significant(s string) int {
	s = strings.Trim(strings.ReplaceAll(strings.TrimPrefix(s, "-"), ".", ""), "0")
	return len(s)
}

// numberOf is a plain number's text as the value of an expression.
func numberOf(text string) any {
	if d, ok := smallText(text); ok {
		return d.value()
	}
	if significant(text) > exactDigits {
		return json.Number(text)
	}
	f, _ := strconv.ParseFloat(text, 64)
	return f
}
