package expr

import (
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// formatCost is the work of formatting one number or date.
const formatCost = 4

var unitFunctions = []function{
	{sig: "currency(number: number, code?: text, locale?: text, decimals?: number): text", cost: formatCost, call: money,
		summary: "an amount of money, as the locale writes it; the currency is that of the template, else USD",
		examples: []Example{
			ex(`49 * 0.9 | currency`, "$44.10"), ex(`currency(44.1, "EUR", "de-DE")`, "44,10\u00a0€"),
			ex(`currency(1234567, "JPY", "ja")`, "￥1,234,567"), ex(`currency(49, "USD", "en", 0)`, "$49"),
			with(`{"price": "-5", "code": "eur"}`, `price | currency(code)`, "-€5.00"),
		}},
	{sig: "number(number: number, …options: any): text", cost: formatCost, call: plainNumber,
		summary: `a number with the locale's separators; options are a locale, the number of decimals, and "compact" or "long"`,
		examples: []Example{
			ex(`1234567.891 | number`, "1,234,567.891"), ex(`number(1234.5, "de", 2)`, "1.234,50"), ex(`number(1234.5, 2)`, "1,234.50"),
			ex(`number(1234567, "compact")`, "1.2M"), ex(`number(1234567, "long", "de")`, "1,2 Millionen"),
		}},
	{sig: "percent(number: number, …options: any): text", cost: formatCost, call: percent,
		summary:  "a share as a percentage: 0.25 is 25%; options are the number of decimals and a locale",
		examples: []Example{ex(`percent(0.25)`, "25%"), ex(`0.256 | percent(1)`, "25.6%"), ex(`percent(0.256, 1, "de")`, "25,6\u00a0%")}},
	{sig: "plural(number: number, …forms: any): text", cost: formatCost, call: pluralForm,
		summary: "the form of a word that goes with the number, by the rules of the locale; # stands for the number. The forms are given in the locale's order (one, other), or by name",
		examples: []Example{
			ex(`plural(1, "item", "items")`, "item"), ex(`plural(1200, "# item", "# items")`, "1,200 items"),
			ex(`plural(3, {one: "# plik", few: "# pliki", many: "# plików", other: "# pliku"}, "pl")`, "3 pliki"),
			ex(`plural(0, {zero: "none", one: "one", other: "#"})`, "none"),
		}},
	{sig: "ordinal(number: number): text", summary: "the number as a place in a row, in English", call: ordinal,
		examples: []Example{ex(`ordinal(2)`, "2nd"), ex(`ordinal(11)`, "11th")}},
}

func money(r *run, args []any) (any, error) {
	if err := needNumber("currency", args, 0); err != nil {
		return nil, err
	}
	l, err := r.locale(args, 2)
	if err != nil {
		return nil, err
	}
	code := r.currencyCode(arg(args, 1))
	s, ok := l.shape(code)
	if !ok || code == numbers {
		return nil, notCurrency(code)
	}
	decimals, err := countArg(args, 3, s.fraction, maxDecimals, "the number of decimals")
	if err != nil {
		return nil, err
	}
	return s.format(rounded(args[0], decimals, decimals)), nil
}

func (r *run) currencyCode(v any) string {
	code := r.env.Currency
	if !isEmpty(v) {
		code = Text(v)
	}
	if code == "" {
		return defaultCurrency
	}
	return strings.ToUpper(code)
}

// CheckCurrency says what is wrong with a currency's code, such as
// Env.Currency; nil when it is known.
func CheckCurrency(code string) error {
	if code == "" || currency.IsValid(strings.ToUpper(code)) {
		return nil
	}
	return notCurrency(code)
}

func notCurrency(code string) error {
	p := fail("%s is not a currency", quote(code)).Expecting("a currency").WithHint("use a code of three letters, such as EUR")
	if near := Nearest(code, currency.GetCurrencyCodes()); near != "" && len(code) <= 5 {
		p.WithHint("did you mean %q?", near)
	}
	return p
}

// numberOptions are told apart by what they are: a number of decimals, a style,
// a locale.
type numberOptions struct {
	decimals int // -1 when not given
	style    string
	locale   *locale
}

func (r *run) numberOptions(args []any) (o numberOptions, err error) {
	o.decimals = -1
	id := r.env.Locale
	for i, v := range args {
		switch word := Text(v); {
		case isEmpty(v):
		case isNumberText(word):
			if o.decimals, err = countArg(args, i, -1, maxDecimals, "the number of decimals"); err != nil {
				return o, err
			}
		case word == "compact" || word == "long":
			o.style = word
		default:
			id = word
		}
	}
	o.locale, err = localeOf(id)
	return o, err
}

func plainNumber(r *run, args []any) (any, error) {
	if err := needNumber("number", args, 0); err != nil {
		return nil, err
	}
	o, err := r.numberOptions(args[1:])
	if err != nil {
		return nil, err
	}
	if o.style != "" {
		return o.locale.compact(args[0], o.style == "long", o.decimals), nil
	}
	least, most := max(o.decimals, 0), o.decimals
	if most < 0 {
		most = 6
	}
	s, _ := o.locale.shape(numbers)
	return s.format(rounded(args[0], least, most)), nil
}

func percent(r *run, args []any) (any, error) {
	if err := needNumber("percent", args, 0); err != nil {
		return nil, err
	}
	o, err := r.numberOptions(args[1:])
	if err != nil {
		return nil, err
	}
	share, err := arithmetic(mulDec, mulRat)(r, []any{args[0], 100, "", ""})
	if err != nil {
		return nil, err
	}
	n := max(o.decimals, 0)
	s, _ := o.locale.shape(numbers)
	return filled(o.locale.Percent, s, rounded(share, n, n)), nil
}

// filled puts a number in the place of the zeros of a CLDR pattern, and its
// minus sign before it.
func filled(p string, s *shape, n string) string {
	digits, minus := strings.CutPrefix(n, "-")
	p = strings.ReplaceAll(p, "'", "")
	first, last := strings.IndexByte(p, '0'), strings.LastIndexByte(p, '0')
	if first < 0 {
		return s.format(n)
	}
	out := p[:first] + s.format(digits) + p[last+1:]
	if minus && strings.Trim(digits, "0.") != "" {
		return s.minusBefore + out + s.minusAfter
	}
	return out
}

// compact is v in thousands, millions and so on, with two digits at least.
func (l *locale) compact(v any, long bool, decimals int) string {
	names := l.Compact
	if long {
		names = l.CompactLong
	}
	s, _ := l.shape(numbers)
	for {
		text := rounded(v, 0, 0)
		power := min(len(strings.TrimPrefix(text, "-"))-1, 14)
		named, ok := names[strconv.Itoa(power)]
		zeros := strings.Count(named["other"], "0")
		if !ok || power < 3 || named["other"] == "0" {
			return s.format(roundedShort(v, 0, decimals))
		}
		n := roundedShort(v, power-zeros+1, decimals)
		if before, _, _ := strings.Cut(strings.TrimPrefix(n, "-"), "."); len(before) > zeros && power < 14 {
			v = numberOf(text[:len(text)-power-1] + "1" + strings.Repeat("0", power+1)) // 999,999 rounds to 1M
			continue
		}
		return filled(named.of(l.plural(n)), s, n)
	}
}

// roundedShort is v divided by a power of ten: with the decimals wanted, else
// with one where only one digit stands before them.
func roundedShort(v any, power, decimals int) string {
	r, _ := rational(v)
	r.Quo(r, ratOf(tenTo(power)))
	if decimals >= 0 {
		return r.FloatString(decimals)
	}
	text := r.FloatString(1)
	if before, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), "."); len(before) > 1 {
		return r.FloatString(0)
	}
	return strings.TrimSuffix(text, ".0")
}

func ordinal(_ *run, args []any) (any, error) {
	n, err := wholeArg("ordinal", args, 0)
	if err != nil {
		return nil, err
	}
	return strconv.Itoa(n) + ordinalSuffix(max(n, -n)), nil
}

func ordinalSuffix(n int) string {
	if n%100 >= 11 && n%100 <= 13 {
		return "th"
	}
	switch n % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}
