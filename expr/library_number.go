package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

const (
	defaultCurrency = "USD"
	defaultLocale   = "en-US"
	maxDecimals     = 20
)

var numberFunctions = map[string]function{
	"round":    {usage: "round(number, decimals)", summary: "rounded, halves away from zero", min: 1, max: 2, call: round},
	"floor":    {usage: "floor(number)", summary: "the next whole number below", min: 1, max: 1, call: onNumber("floor", math.Floor)},
	"ceil":     {usage: "ceil(number)", summary: "the next whole number above", min: 1, max: 1, call: onNumber("ceil", math.Ceil)},
	"abs":      {usage: "abs(number)", summary: "without its sign", min: 1, max: 1, call: onNumber("abs", math.Abs)},
	"min":      {usage: "min(a, b, …)", summary: "the smallest, of the arguments or of a list", min: 1, max: -1, call: extreme("min", -1)},
	"max":      {usage: "max(a, b, …)", summary: "the largest, of the arguments or of a list", min: 1, max: -1, call: extreme("max", 1)},
	"sum":      {usage: "sum(list)", summary: "all numbers of a list added", min: 1, max: 1, call: sum},
	"average":  {usage: "average(list)", summary: "the mean of a list's numbers", min: 1, max: -1, call: average},
	"currency": {usage: `currency(number, "USD", locale)`, summary: "an amount of money", min: 1, max: 3, call: money},
	"number":   {usage: "number(number, locale, decimals)", summary: "a number with the locale's separators", min: 1, max: 3, call: plainNumber},
	"percent":  {usage: "percent(number, decimals, locale)", summary: "a share as a percentage: 0.25 is 25%", min: 1, max: 3, call: percent},
}

func onNumber(name string, f func(float64) float64) operation {
	return func(_ *run, args []any) (any, error) {
		v, err := numberArg(name, args, 0)
		return f(v), err
	}
}

func round(_ *run, args []any) (any, error) {
	v, err := numberArg("round", args, 0)
	if err != nil {
		return nil, err
	}
	n, err := countArg(args, 1, 0, maxDecimals, "the number of decimals")
	if err != nil {
		return nil, err
	}
	return strconv.ParseFloat(decimal(v).FloatString(n), 64)
}

func extreme(name string, sign int) operation {
	return func(_ *run, args []any) (any, error) {
		var best any
		for _, v := range flatten(args) {
			s, ok := NumberText(v)
			if !ok {
				return nil, notNumber(name, v)
			}
			if b, _ := NumberText(best); best == nil || compareNumbers(s, b)*sign > 0 {
				best = s
			}
		}
		return best, nil
	}
}

func total(name string, items []any) (*big.Rat, error) {
	all := new(big.Rat)
	for _, v := range items {
		f, ok := Number(v)
		if !ok {
			return nil, notNumber(name, v)
		}
		all.Add(all, decimal(f))
	}
	return all, nil
}

func sum(_ *run, args []any) (any, error) {
	all, err := total("sum", flatten(args))
	if err != nil {
		return nil, err
	}
	f, _ := all.Float64()
	return finite(f)
}

func average(_ *run, args []any) (any, error) {
	items := flatten(args)
	if len(items) == 0 {
		return nil, nil
	}
	all, err := total("average", items)
	if err != nil {
		return nil, err
	}
	f, _ := all.Quo(all, big.NewRat(int64(len(items)), 1)).Float64()
	return finite(f)
}

// digits is v in plain decimal digits: amounts of money never pass through a
// float when they arrived as text.
func digits(name string, v any) (string, error) {
	s, ok := NumberText(v)
	f, okFloat := Number(v)
	if !ok || !okFloat {
		return "", notNumber(name, v)
	}
	if strings.ContainsAny(string(s), "eE") || len(s) > 400 {
		return floatText(f), nil
	}
	return string(s), nil
}

func (r *run) locale(args []any, i int) currency.Locale {
	otherwise := r.env.Locale
	if otherwise == "" {
		otherwise = defaultLocale
	}
	return currency.NewLocale(textArg(args, i, otherwise))
}

func money(r *run, args []any) (any, error) {
	n, err := digits("currency", args[0])
	if err != nil {
		return nil, err
	}
	code := strings.ToUpper(textArg(args, 1, defaultCurrency))
	amount, err := currency.NewAmount(n, code)
	if err != nil {
		return nil, fail("%s is not a currency", quote(code)).WithHint("use a code of three letters, such as EUR")
	}
	f := currency.NewFormatter(r.locale(args, 2))
	f.MaxDigits = currency.DefaultDigits
	return f.Format(amount), nil
}

// localNumber writes digits with the separators of a locale. The currency
// formatter does it because it computes in decimal; no currency is shown.
func localNumber(n string, locale currency.Locale, least, most int) (string, error) {
	amount, err := currency.NewAmount(n, defaultCurrency)
	if err != nil {
		return "", fail("%s is not a number", quote(n))
	}
	f := currency.NewFormatter(locale)
	f.CurrencyDisplay = currency.DisplayNone
	f.MinDigits, f.MaxDigits = uint8(least), uint8(most)
	return f.Format(amount), nil
}

func plainNumber(r *run, args []any) (any, error) {
	n, err := digits("number", args[0])
	if err != nil {
		return nil, err
	}
	least, most := 0, 6
	if arg(args, 2) != nil {
		if least, err = countArg(args, 2, 0, maxDecimals, "the number of decimals"); err != nil {
			return nil, err
		}
		most = least
	}
	return localNumber(n, r.locale(args, 1), least, most)
}

func percent(r *run, args []any) (any, error) {
	v, err := numberArg("percent", args, 0)
	if err != nil {
		return nil, err
	}
	n, err := countArg(args, 1, 0, maxDecimals, "the number of decimals")
	if err != nil {
		return nil, err
	}
	share := decimal(v)
	share.Mul(share, big.NewRat(100, 1))
	text, err := localNumber(share.FloatString(n), r.locale(args, 2), n, n)
	return text + "%", err
}
