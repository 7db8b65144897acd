package expr

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"
	"pgregory.net/rapid"
)

// decimals are numbers as rows carry them.
var decimals = rapid.Custom(func(t *rapid.T) string {
	s := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?`).Draw(t, "number")
	if s == "-0" {
		return "0"
	}
	return s
})

func mustRat(tb rapid.TB, s string) *big.Rat {
	tb.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		tb.Fatalf("%q is no number", s)
	}
	return r
}

// What is added, subtracted and multiplied keeps every digit.
func TestArithmeticIsExact(t *testing.T) {
	for op, exact := range map[string]func(z, a, b *big.Rat) *big.Rat{"+": (*big.Rat).Add, "-": (*big.Rat).Sub, "*": (*big.Rat).Mul} {
		p, err := Compile(`n `+op+` m`, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			a, b := decimals.Draw(t, "a"), decimals.Draw(t, "b")
			got, err := p.Eval(map[string]any{"n": json.Number(a), "m": b}, testEnv)
			if err != nil {
				t.Fatal(err)
			}
			want := exact(new(big.Rat), mustRat(t, a), mustRat(t, b))
			if mustRat(t, Text(got)).Cmp(want) != 0 {
				t.Errorf("%s %s %s: got %s, want %s", a, op, b, Text(got), want.FloatString(30))
			}
		})
	}
}

// A quotient times its divisor rounds to the dividend again.
func TestDivisionIsAsGoodAsFifteenDigits(t *testing.T) {
	p, err := Compile(`round(n / m * m, 6)`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(-99_999_999, 99_999_999).Draw(t, "n"), rapid.IntRange(1, 9999).Draw(t, "m")
		got, err := p.Eval(map[string]any{"n": n, "m": m}, testEnv)
		if err != nil || Text(got) != Text(n) {
			t.Errorf("%d / %d * %d: got %v, %v", n, m, m, got, err)
		}
	})
}

// What the shapes write is what the formatter that they were learnt from writes.
func TestShapesWriteWhatTheFormatterWrites(t *testing.T) {
	ids := []string{"en-US", "de", "de-CH", "de-AT", "fr", "es", "pl", "en-IN", "hi", "ar-EG", "fa", "ja", "pt-PT", "sv", "bn", "tr", "he", "nl", "my", "mr"}
	codes := []string{"USD", "EUR", "JPY", "KWD", "INR", "CHF", "GBP"}
	rapid.Check(t, func(t *rapid.T) {
		id, code, n := rapid.SampledFrom(ids).Draw(t, "locale"), rapid.SampledFrom(codes).Draw(t, "currency"), decimals.Draw(t, "amount")
		l, err := localeOf(id)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := l.shape(code)
		amount, err := currency.NewAmount(n, code)
		if !ok || err != nil {
			t.Fatal(code, err)
		}
		f := currency.NewFormatter(l.money)
		f.MaxDigits = currency.DefaultDigits
		want := f.Format(amount)
		if mustRat(t, amount.RoundTo(uint8(s.fraction), currency.RoundHalfUp).Number()).Sign() == 0 {
			want = f.Format(mustAmount(t, "0", code)) // no minus before a zero
		}
		if got := s.format(rounded(json.Number(n), s.fraction, s.fraction)); got != want {
			t.Errorf("%s %s in %s: got %q, want %q", n, code, id, got, want)
		}
	})
}

func mustAmount(tb rapid.TB, n, code string) currency.Amount {
	tb.Helper()
	a, err := currency.NewAmount(n, code)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// Every locale of the data can be read, and says all that is asked of it.
func TestEveryLocaleIsWhole(t *testing.T) {
	for id := range localeLines() {
		if _, err := language.Parse(id); err != nil {
			continue // a variant that x/text does not know, as en-Shaw has
		}
		l, err := localeOf(id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		for name, n := range map[string][2]int{
			"months": {len(l.Months), 12}, "months alone": {len(l.MonthsAlone), 12}, "short months": {len(l.MonthsShort), 12}, "short months alone": {len(l.MonthsShortAlone), 12},
			"days": {len(l.Days), 7}, "short days": {len(l.DaysShort), 7}, "shortest days": {len(l.DaysMin), 7}, "day periods": {len(l.DayPeriods), 2},
			"dates": {len(l.Dates), 4}, "times": {len(l.Times), 2}, "and": {len(l.And), 4}, "or": {len(l.Or), 4}, "relative": {len(l.Relative), 7},
		} {
			if n[0] != n[1] {
				t.Errorf("%s has %d %s, want %d", id, n[0], name, n[1])
			}
		}
		if !strings.Contains(l.Percent, "0") || !strings.HasPrefix(l.And[0], "{0}") || !strings.HasSuffix(l.And[1], "{1}") || l.Relative["day"].Past["other"] == "" {
			t.Errorf("%s: percent %q, and %q, past days %v", id, l.Percent, l.And, l.Relative["day"].Past)
		}
		if s, ok := l.shape("EUR"); !ok || s.primary == 0 || s.point == "" {
			t.Errorf("%s: shape %+v", id, s)
		}
	}
}
