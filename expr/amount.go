package expr

import (
	"strings"
	"unicode"

	"github.com/bojanz/currency"
)

// A shape is how a locale writes amounts of one currency, or numbers. It is
// learnt once from the formatter of bojanz/currency, which has the data but
// takes microseconds for each amount.
type shape struct {
	before, after      string // around a positive amount
	minusBefore        string // and a negative one
	minusAfter         string
	point, group       string
	primary, secondary int // digits of the last group, and of the others
	leastGrouped       int // digits from which on groups are made
	fraction           int // decimals of the currency
	zero               rune
}

// numbers is the name under which the shape of plain numbers is kept.
const numbers = ""

// shape is that of a currency, by its code.
func (l *locale) shape(code string) (*shape, bool) {
	if s, ok := l.shapes.Load(code); ok {
		return s.(*shape), true
	}
	if code != numbers && !currency.IsValid(code) {
		return nil, false
	}
	s := l.learn(code)
	l.shapes.Store(code, s)
	return s, true
}

func (l *locale) learn(code string) *shape {
	f := currency.NewFormatter(l.money)
	s := &shape{}
	if code == numbers { // the mark that turns to right-to-left is for the currency's sign
		defer func() {
			s.before, s.minusBefore = strings.TrimPrefix(s.before, "\u200f"), strings.TrimPrefix(s.minusBefore, "\u200f")
		}()
	}
	if code == numbers {
		code = defaultCurrency
		f.CurrencyDisplay = currency.DisplayNone
	} else if digits, ok := currency.GetDigits(code); ok {
		s.fraction = int(digits)
	}
	show := func(n string, decimals uint8) string {
		f.MinDigits, f.MaxDigits = decimals, decimals
		amount, err := currency.NewAmount(n, code)
		if err != nil { // the code was checked
			return n
		}
		return f.Format(amount)
	}
	plain := show("0", 0)
	s.zero = []rune(strings.TrimLeftFunc(plain, notDigit))[0]
	s.before, s.after = around(plain)
	s.minusBefore, s.minusAfter = around(show("-1", 0))
	s.point = strings.Join(strings.FieldsFunc(inner(show("0.5", 1)), unicode.IsDigit), "")
	groups := inner(show("1234567890123", 0))
	s.group = firstSeparator(groups)
	s.leastGrouped = 100
	if s.group != "" {
		parts := strings.Split(groups, s.group)
		s.primary = len([]rune(parts[len(parts)-1]))
		s.secondary = len([]rune(parts[len(parts)-2]))
		for n, text := range map[int]string{4: "1234", 5: "12345"} {
			if n > s.primary && strings.Contains(inner(show(text, 0)), s.group) {
				s.leastGrouped = min(s.leastGrouped, n)
			}
		}
	}
	return s
}

func notDigit(r rune) bool { return !unicode.IsDigit(r) }

// around is what stands before and behind the digits of text.
func around(text string) (before, after string) {
	first := strings.IndexFunc(text, unicode.IsDigit)
	rest := strings.TrimRightFunc(text, notDigit)
	return text[:first], text[len(rest):]
}

// inner is text from its first digit to its last.
func inner(text string) string {
	before, after := around(text)
	return text[len(before) : len(text)-len(after)]
}

func firstSeparator(s string) string {
	s = strings.TrimLeftFunc(s, unicode.IsDigit)
	if i := strings.IndexFunc(s, unicode.IsDigit); i >= 0 {
		return s[:i]
	}
	return ""
}

// format writes plain digits with a point, such as "-1234.50".
func (s *shape) format(n string) string {
	digits, minus := strings.CutPrefix(n, "-")
	minus = minus && strings.Trim(digits, "0.") != ""
	whole, fraction, _ := strings.Cut(digits, ".")
	var b strings.Builder
	b.Grow(len(n) + len(s.before) + len(s.after) + len(n)/3*len(s.group) + 8)
	if minus {
		b.WriteString(s.minusBefore)
	} else {
		b.WriteString(s.before)
	}
	for i := range len(whole) {
		if left := len(whole) - i; i > 0 && s.breaks(left, len(whole)) {
			b.WriteString(s.group)
		}
		s.digit(&b, whole[i])
	}
	if fraction != "" {
		b.WriteString(s.point)
		for i := range len(fraction) {
			s.digit(&b, fraction[i])
		}
	}
	if minus {
		b.WriteString(s.minusAfter)
	} else {
		b.WriteString(s.after)
	}
	return b.String()
}

// breaks reports whether a group ends where left of all digits are to come.
func (s *shape) breaks(left, all int) bool {
	return all >= s.leastGrouped && left >= s.primary && (left-s.primary)%s.secondary == 0
}

func (s *shape) digit(b *strings.Builder, c byte) { b.WriteRune(s.zero + rune(c-'0')) }

// rounded is v, a number, in plain digits: most decimals at most, halves away
// from zero, and least at least.
func rounded(v any, least, most int) string {
	var text string
	if d, ok := small(v); ok && d.scale <= most {
		text = d.text()
	} else if ok && d.scale-most < len(pow10) {
		text = d.round(most).text()
	} else {
		r, _ := rational(v)
		text = r.FloatString(most)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if fraction = strings.TrimRight(fraction, "0"); len(fraction) < least {
		fraction += strings.Repeat("0", least-len(fraction))
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// round is d with n decimals, which are fewer than it has.
func (d dec) round(n int) dec {
	unit := pow10[d.scale-n]
	whole, rest := d.coef/unit, d.coef%unit
	switch {
	case rest >= unit-rest:
		whole++
	case -rest >= unit+rest:
		whole--
	}
	return dec{whole, n}
}
