package expr

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"unicode"
)

const (
	defaultCurrency = "USD"
	defaultLocale   = "en-US"
	maxDecimals     = 20
)

var numberFunctions = []function{
	{sig: "round(number: number, decimals?: number): number", summary: "rounded, halves away from zero", call: round,
		examples: []Example{ex(`round(2.5)`, "3"), ex(`1.005 | round(2)`, "1.01"), ex(`round(-2.5)`, "-3")}},
	{sig: "floor(number: number): number", summary: "the next whole number below", call: onNumber("floor", math.Floor),
		examples: []Example{ex(`floor(-1.5)`, "-2")}},
	{sig: "ceil(number: number): number", summary: "the next whole number above", call: onNumber("ceil", math.Ceil),
		examples: []Example{ex(`ceil("1.2")`, "2")}},
	{sig: "abs(number: number): number", summary: "without its sign", call: abs,
		examples: []Example{ex(`abs(-3.5)`, "3.5")}},
	{sig: "min(first: any, …more: any): number", summary: "the smallest, of the arguments or of a list", call: extreme("min", -1),
		examples: []Example{ex(`min(3, "1", 2)`, "1")}},
	{sig: "max(first: any, …more: any): number", summary: "the largest, of the arguments or of a list", call: extreme("max", 1),
		examples: []Example{ex(`max([3, 10, "9"])`, "10")}},
	{sig: "average(first: any, …more: any): number", summary: "the mean of a list's numbers", aliases: []string{"avg"}, call: average,
		examples: []Example{ex(`average([1, 2, "6"])`, "3"), ex(`[2, 4] | avg`, "3")}},
	{sig: "clamp(number: number, low: number, high: number): number", summary: "the number, or the nearer bound when it is outside", call: clamp,
		examples: []Example{ex(`clamp(120, 0, 100)`, "100")}},
	{sig: "toNumber(text: text, locale?: text): number", summary: "the number that a text writes with the locale's separators", call: toNumber,
		examples: []Example{ex(`toNumber("1,299.50") * 2`, "2599"), ex(`toNumber("1.299,50 €", "de")`, "1299.5")}},
}

// onNumber is a function that makes a whole number of any.
func onNumber(name string, f func(float64) float64) operation {
	return func(_ *run, args []any) (any, error) {
		if err := needNumber(name, args, 0); err != nil {
			return nil, err
		}
		r, exact := rational(args[0])
		text := r.FloatString(0)
		nearest, _ := new(big.Rat).SetString(text)
		distance, _ := nearest.Sub(r, nearest).Float64()
		n, _ := new(big.Int).SetString(text, 10)
		n.Add(n, big.NewInt(int64(f(distance))))
		return rationalValue(new(big.Rat).SetInt(n), exact)
	}
}

func abs(r *run, args []any) (any, error) {
	if err := needNumber("abs", args, 0); err != nil {
		return nil, err
	}
	if f, _ := Number(args[0]); f < 0 {
		return addSigned(r, args[0], (*big.Rat).Sub)
	}
	return addSigned(r, args[0], (*big.Rat).Add)
}

func round(_ *run, args []any) (any, error) {
	if err := needNumber("round", args, 0); err != nil {
		return nil, err
	}
	n, err := countArg(args, 1, 0, maxDecimals, "the number of decimals")
	if err != nil {
		return nil, err
	}
	return numberOf(rounded(args[0], 0, n)), nil
}

func extreme(name string, sign int) operation {
	return func(_ *run, args []any) (any, error) {
		var best any
		var most json.Number
		for _, v := range flatten(args) {
			s, ok := NumberText(v)
			if _, finite := Number(v); !ok || !finite {
				return nil, notNumber(name, v)
			}
			if best == nil || compareNumbers(s, most)*sign > 0 {
				best, most = numberOf(string(s)), s
			}
		}
		return best, nil
	}
}

// total adds numbers exactly.
func (r *run) total(name string, items []any) (all *big.Rat, exact bool, err error) {
	all, exact = new(big.Rat), true
	running := dec{}
	for i, v := range items {
		if err := needNumber(name, items, i); err != nil {
			return nil, false, err
		}
		if d, ok := small(v); ok {
			if next, ok := addDec(running, d); ok && next.coef < maxCoef && next.coef > -maxCoef {
				running = next
				continue
			}
		}
		if err := r.spend(longCost); err != nil {
			return nil, false, err
		}
		long, exactly := rational(v)
		all.Add(all, long)
		exact = exact && exactly
	}
	short, _ := rational(json.Number(running.text()))
	return all.Add(all, short), exact, nil
}

func sum(r *run, args []any) (any, error) {
	all, exact, err := r.total("sum", flatten(args))
	if err != nil {
		return nil, err
	}
	return rationalValue(all, exact)
}

func average(r *run, args []any) (any, error) {
	items := flatten(args)
	if len(items) == 0 {
		return nil, nil
	}
	all, exact, err := r.total("average", items)
	if err != nil {
		return nil, err
	}
	return rationalValue(all.Quo(all, big.NewRat(int64(len(items)), 1)), exact)
}

func clamp(_ *run, args []any) (any, error) {
	for i := range args {
		if err := needNumber("clamp", args, i); err != nil {
			return nil, err
		}
	}
	v, _ := Number(args[0])
	low, _ := Number(args[1])
	high, _ := Number(args[2])
	if v < low {
		return args[1], nil
	}
	if v > high {
		return args[2], nil
	}
	return args[0], nil
}

// toNumber reads what number and currency write, and leaves out what is none
// of it: currency signs, spaces.
func toNumber(r *run, args []any) (any, error) {
	if isNumber(args[0]) || args[0] == nil {
		return args[0], nil
	}
	l, err := r.locale(args, 1)
	if err != nil {
		return nil, err
	}
	s, _ := l.shape(numbers)
	text := strings.ReplaceAll(Text(args[0]), s.group, "")
	text = strings.Replace(text, s.point, ".", 1)
	text = strings.Map(func(c rune) rune {
		switch {
		case c >= s.zero && c <= s.zero+9:
			return '0' + c - s.zero
		case c == '−':
			return '-'
		case unicode.IsDigit(c), c == '.', c == '-', unicode.IsLetter(c):
			return c
		}
		return -1
	}, text)
	text = strings.TrimFunc(text, unicode.IsLetter)
	if !isNumberText(text) {
		return nil, fail("%s is not a number in %s", quote(args[0]), l.id)
	}
	return numberOf(text), nil
}
