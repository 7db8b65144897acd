package expr

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
)

func mulRat(z, a, b *big.Rat) *big.Rat { return z.Mul(a, b) }

func ratOf(n *big.Int) *big.Rat { return new(big.Rat).SetInt(n) }

// pluralNames are CLDR's categories in its order, by the numbers of x/text.
var pluralNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

var pluralOrder = []string{"zero", "one", "two", "few", "many", "other"}

// plural is the category of n, plain digits, by the locale's rules.
func (l *locale) plural(n string) string {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(n, "-"), ".")
	short := strings.TrimRight(fraction, "0")
	return pluralNames[plural.Cardinal.MatchPlural(l.tag, lastDigits(whole), len(fraction), len(short), lastDigits(fraction), lastDigits(short))]
}

// lastDigits is a number of which only the end matters to plural rules, apart
// from whether it is large.
func lastDigits(s string) int {
	if len(s) > 9 {
		s = "1" + s[len(s)-8:]
	}
	n, _ := strconv.Atoi(s) // "" is 0
	return n
}

// pluralCategories are the plural categories that the locale has, in CLDR's order.
func (l *locale) pluralCategories() []string {
	l.pluralOnce.Do(func() { l.plurals = l.findCategories() })
	return l.plurals
}

// findCategories tries numbers out, which the library of the rules does not list.
func (l *locale) findCategories() []string {
	seen := map[string]bool{}
	for n := range 201 {
		seen[l.plural(strconv.Itoa(n))] = true
	}
	for _, n := range []string{"0.5", "1.5", "1.0", "1000000"} {
		seen[l.plural(n)] = true
	}
	var out []string
	for _, name := range pluralOrder {
		if seen[name] {
			out = append(out, name)
		}
	}
	return out
}

func pluralForm(r *run, args []any) (any, error) {
	if err := needNumber("plural", args, 0); err != nil {
		return nil, err
	}
	n, _ := NumberText(args[0])
	plain := rounded(args[0], 0, 6)
	if !strings.ContainsAny(string(n), "eE") && strings.Contains(string(n), ".") {
		plain = string(n) // 1.0 is no "one" in many languages
	}
	l, err := r.locale(args, 2)
	named, byName := arg(args, 1).(map[string]any)
	if !byName {
		l, err = r.locale(nil, 0)
	}
	if err != nil {
		return nil, err
	}
	var word string
	if byName {
		word, err = l.namedForm(named, plain)
	} else {
		word, err = l.givenForm(args[1:], plain)
	}
	if err != nil || !strings.Contains(word, "#") {
		return word, err
	}
	s, _ := l.shape(numbers)
	return strings.ReplaceAll(word, "#", s.format(rounded(args[0], 0, 6))), nil
}

// namedForm takes the form by its name. A zero is taken for 0 in every language.
func (l *locale) namedForm(named map[string]any, n string) (string, error) {
	if zero, ok := named["zero"]; ok && strings.Trim(n, "-0.") == "" {
		return Text(zero), nil
	}
	category := l.plural(n)
	for _, name := range []string{category, "other"} {
		if form, ok := named[name]; ok {
			return Text(form), nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if near := Nearest(name, pluralOrder); near != "" && near != name {
			return "", fail("plural needs the form %q", "other").WithHint("%q is none of %s; did you mean %q?", name, strings.Join(pluralOrder, ", "), near)
		}
	}
	return "", fail("plural needs the form %q", "other").WithHint("%s has the forms %s", l.id, strings.Join(l.pluralCategories(), ", "))
}

// givenForm takes forms in the order of the locale's categories; two are always
// one and other.
func (l *locale) givenForm(given []any, n string) (string, error) {
	category := l.plural(n)
	switch names := l.pluralCategories(); {
	case len(given) == 2 && category == "one":
		return Text(given[0]), nil
	case len(given) == 2:
		return Text(given[1]), nil
	case len(given) == len(names):
		for i, name := range names {
			if name == category {
				return Text(given[i]), nil
			}
		}
	case len(given) == 1:
		return Text(given[0]), nil
	}
	names := l.pluralCategories()
	return "", fail("%s has %d plural forms (%s), but %d were given", l.id, len(names), strings.Join(names, ", "), len(given)).
		WithHint(`name them: plural(n, {one: "…", other: "…"})`)
}

// joined is a list as a sentence has it: A, B, and C.
func (l *locale) joined(items []string, patterns []string) string {
	switch n := len(items); n {
	case 0:
		return ""
	case 1:
		return items[0]
	case 2:
		return fill(patterns[3], items[0], items[1])
	default:
		body := items[0] + between(patterns[0]) + strings.Join(items[1:n-1], between(patterns[1]))
		return fill(patterns[2], body, items[n-1])
	}
}

// between is what stands between two items of a longer list.
func between(pattern string) string {
	return strings.TrimSuffix(strings.TrimPrefix(pattern, "{0}"), "{1}")
}

func fill(pattern, a, b string) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(pattern, '{')
		if i < 0 || i+2 >= len(pattern) {
			return out.String() + pattern
		}
		out.WriteString(pattern[:i])
		if pattern[i+1] == '0' {
			out.WriteString(a)
		} else {
			out.WriteString(b)
		}
		pattern = pattern[i+3:]
	}
}
