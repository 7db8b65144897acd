package element

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The functions of the expression language that write numbers.
var (
	formatNumber   = mustCompile("number(v)")
	formatDecimals = mustCompile("number(v, nil, n)")
	formatPercent  = mustCompile("percent(v, n)")
	formatCurrency = mustCompile("currency(v, code)")
)

func mustCompile(src string) *expr.Program {
	p, err := expr.Compile(src, expr.Options{})
	if err != nil {
		panic(err)
	}
	return p
}

// isFormat checks the option p-format.
func isFormat(name, value string) *problem.Error {
	kind, detail, has := strings.Cut(value, ":")
	names := []string{"number", "percent", "currency", "compact"}
	switch kind {
	case "number", "percent":
		if n, err := strconv.Atoi(detail); has && (err != nil || n < 0 || n > 9) {
			return badOption(name, "p-%s is %s: the decimals are a whole number from 0 to 9", name, quote(value))
		}
		return nil
	case "currency":
		if has && !currency.IsValid(detail) {
			return badOption(name, "p-%s is %s: %s is not a currency", name, quote(value), quote(detail)).WithHint("use a code of three letters, such as EUR")
		}
		return nil
	case "compact":
		if !has {
			return nil
		}
	}
	return suggest(badOption(name, "p-%s is %s, not %s", name, quote(value), alternatives(names)), kind, names)
}

// A format writes the numbers of one chart.
type format struct {
	kind     string
	decimals int // -1: as many as there are
	currency string
	locale   string
	whole    bool // no number of the chart has a fraction, so that cents would be zeros
}

// numbers is the format of d's numbers.
func (d *chartData) numbers() format {
	f := newFormat(d.Format, d.Locale)
	f.whole = true
	for _, s := range d.Series {
		for _, v := range s.Values {
			f.whole = f.whole && (v == nil || *v == math.Trunc(*v))
		}
	}
	return f
}

func newFormat(s, locale string) format {
	kind, detail, has := strings.Cut(s, ":")
	f := format{kind: kind, decimals: -1, currency: "USD", locale: locale}
	if kind == "currency" && has {
		f.currency = detail
	} else if n, err := strconv.Atoi(detail); err == nil {
		f.decimals = n
	}
	return f
}

// value writes one number.
func (f format) value(v float64) string {
	switch f.kind {
	case "percent":
		return f.eval(formatPercent, v, max(0, f.decimals))
	case "currency":
		return f.money(v, f.whole)
	case "compact":
		return f.compact(v)
	}
	return f.number(v, f.decimals)
}

// ticks writes the numbers of a scale, all with as many decimals as its step needs.
func (f format) ticks(s scale) []string {
	out := make([]string, len(s.ticks))
	for i, v := range s.ticks {
		switch f.kind {
		case "percent":
			out[i] = f.eval(formatPercent, v, max(f.decimals, decimals(s.step*100)))
		case "currency":
			out[i] = f.money(v, s.step == math.Trunc(s.step))
		case "compact":
			out[i] = f.compact(v)
		default:
			out[i] = f.number(v, max(f.decimals, decimals(s.step)))
		}
	}
	return out
}

func (f format) eval(p *expr.Program, v float64, decimals int) string {
	number := json.Number(strconv.FormatFloat(v, 'f', -1, 64))
	text, err := p.Eval(map[string]any{"v": number, "n": decimals, "code": f.currency}, expr.Env{Locale: f.locale})
	if err != nil {
		return exact(v)
	}
	return expr.Text(text)
}

// number writes what has more digits than anybody counts with an exponent.
func (f format) number(v float64, decimals int) string {
	size := math.Abs(v)
	switch {
	case size >= 1e15 || size > 0 && size < 1e-6:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case decimals < 0 || size == 0 && decimals > 6:
		return f.eval(formatNumber, v, 0)
	}
	return f.eval(formatDecimals, v, decimals)
}

// money leaves out the cents where all are zeros.
func (f format) money(v float64, whole bool) string {
	amount, err := currency.NewAmount(strconv.FormatFloat(v, 'f', -1, 64), f.currency)
	if err != nil || !whole {
		return f.eval(formatCurrency, v, 0)
	}
	locale := f.locale
	if locale == "" {
		locale = "en-US"
	}
	short := currency.NewFormatter(currency.NewLocale(locale))
	short.MinDigits, short.MaxDigits = 0, 0
	return short.Format(amount)
}

var compactUnits = []struct {
	size float64
	name string
}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "K"}}

// compact is 1.2K for 1234.
func (f format) compact(v float64) string {
	for _, unit := range compactUnits {
		// What would round up to a thousand of a unit is one of the next.
		if size := math.Abs(v); size >= unit.size*.9995 && size < unit.size*1e15 {
			return f.number(round(v/unit.size, 3), -1) + unit.name
		}
	}
	return f.number(round(v, 3), -1)
}

// round keeps so many significant digits.
func round(v float64, digits int) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return f
}

// decimals is how many a multiple of step has.
func decimals(step float64) int {
	for n := range 9 {
		if scaled := step * math.Pow(10, float64(n)); math.Abs(scaled-math.Round(scaled)) < 1e-6*scaled {
			return n
		}
	}
	return 9
}
