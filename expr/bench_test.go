package expr

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

var benchRow = map[string]any{
	"price": "129.50", "sale": "true", "currency": "EUR", "name": "ada lovelace", "when": "2026-03-05T14:07:09Z", "qty": json.Number("3"),
	"tags": []any{"a", "b", "c"}, "o": map[string]any{"k": json.Number("3")},
}

func BenchmarkEval(b *testing.B) {
	for _, src := range []string{
		`name`, `"literal"`, `price * 0.9`, `qty > 2 ? "many" : "few"`, `sale ? upper(name) : name`, `name | title | truncate(10)`, `o.k + 1`,
		`price | currency`, `price * (sale ? 0.9 : 1) | currency(currency)`, `price | number(2)`, `when | date("MMM D, YYYY")`,
		`plural(qty, "item", "items")`, `map(tags, upper(#)) | join`,
	} {
		b.Run(src, func(b *testing.B) {
			p, err := Compile(src, Options{})
			if err != nil {
				b.Fatal(err)
			}
			env := Env{Now: testEnv.Now, Locale: "de-DE"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(benchRow, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// monsters are what the limits are for: each as much work as can be asked for.
func monsters() (values map[string]any, sources []string) {
	long, numbers, wide := make([]any, maxList), make([]any, maxList), make([]any, maxList)
	for i := range long {
		long[i] = strings.Repeat("x", 100)
		numbers[i] = json.Number("1234567890.12345678901234567890")
		wide[i] = map[string]any{"k": strings.Repeat("y", 50), "n": json.Number("1.5")}
	}
	values = map[string]any{
		"long": long, "numbers": numbers, "wide": wide, "text": strings.Repeat("a", 1<<20), "digits": strings.Repeat("1", 1<<20),
		"words": strings.Repeat("a b ", 1<<18), "page": `[` + strings.Repeat(`{"a":[1,2]},`, 50_000) + `1]`, "when": "2026-03-05T14:07:09Z",
	}
	return values, []string{
		`map(long, map(long, map(long, # + "x")))`, `count(long, count(long, true) > 0)`, `map(1..9999, map(1..9999, #))`, `1..1000000000`,
		`reduce(1..9999, #acc + #acc, "xxxxxxxx")`, `padStart("x", 1000000000)`, `replace(text, "a", text)`, `long + long | split("") | map(long)`,
		`join(map(long, text))`, `map(1..9999, sum(long))`, `map(1..9999, length(upper(text)))`, `count(1..9999, text contains "b")`,
		`count(1..9999, text matches "(a+)+$")`, `count(1..9999, matches(text, "(a|a)*b"))`, `text matches "(((a?){20}){20})b"`, `count(1..9999, matches("aaa", "(((a?){20}){" + "20})b"))`,
		`text[:10000] matches "(((a?){20}){20})b"`, `text[:500000] matches "(a|b)*c"`, `text matches "(a*){400}b"`, `text matches ".*a.*a.*a.*a.*b"`, `count(1..9999, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa" matches "((a|b)*){60}c")`, `map(1..9999, sum(numbers))`, `map(1..9999, digits * digits)`,
		`map(numbers, # * # * # * # / 7)`, `map(numbers, currency(# * #))`, `map(numbers, number(#, "compact"))`, `map(1..9999, relativeTime(when))`,
		`map(1..9999, date(when, "LLLL", "ja", "Asia/Tokyo"))`, `map(1..9999, plural(#, "a", "b"))`, `map(1..9999, length(words(words)))`,
		`map(1..9999, slugify(words))`, `map(1..9999, titleCase(words))`, `map(1..9999, sort(long))`, `map(1..9999, unique(wide))`,
		`map(1..9999, wide == wide)`, `map(wide, json(wide))`, `map(1..9999, parseJson(page))`, `map(1..9999, groupBy(wide, .k))`,
		`map(1..9999, sortBy(wide, .k))`, `map(1..9999, reverse(text))`, `map(1..9999, length(text))`, `map(1..9999, list(long))`,
		`map(1..9999, initials(words))`, `map(1..9999, indexOf(long, "y"))`, `map(1..9999, truncate(text, 9000))`, `map(1..9999, ({a: #, b: #, c: [#, #]}))`,
		`map(1..9999, text)`, `map(1..9999, text) | upper`, `map(1..9999, upper(wide))`, `map(1..9999, wide | json | length)`, `map(1..9999, text > digits)`, `map(1..9999, digits == 1)`, `map(1..9999, 2 ** 64 ** 2)`, `map(1..9999, text[1:])`, `map(1..9999, text ? 1 : 2)`,
		`map(1..9999, first(text))`, `map(1..9999, last(text))`, `count(1..9999, text == digits)`, `map(1..9999, text contains "b")`, `map(1..9999, not text)`, `map(1..9999, text < "b")`, `map(1..9999, text ?? 1)`, `map(1..9999, date(text))`, `map(1..9999, text.x)`, `map(1..9999, json(page))`, `map(long, # + text)`, `map(1..9999, isNumber(digits))`, `map(1..9999, toNumber(digits))`, `map(1..9999, min(numbers))`,
		`map(1..9999, urlEncode(text))`, `map(1..9999, concat(long, long))`, `map(1..9999, switch(text, digits, 1, text, 2))`, `map(1..9999, dateAdd(when, #, "days"))`,
	}
}

// Each ends with a value or with a word about its limit; the benchmark has the
// times, and what runs for minutes would end this test's own time.
func TestMonsterExpressionsEnd(t *testing.T) {
	values, sources := monsters()
	for _, src := range sources {
		_, err := mustEnd(t, src, values)
		if p := (*problem.Error)(nil); err != nil && (!errors.As(err, &p) || p.Code != problem.Invalid || p.Message == "") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func mustEnd(tb testing.TB, src string, values map[string]any) (time.Duration, error) {
	tb.Helper()
	p, err := Compile(src, Options{})
	if err != nil {
		tb.Fatalf("%s: %v", src, err)
	}
	start := time.Now()
	_, err = p.Eval(values, testEnv)
	return time.Since(start), err
}

// BenchmarkWorst prints how long the longest evaluation takes that the limits allow.
func BenchmarkWorst(b *testing.B) {
	values, sources := monsters()
	for b.Loop() {
		worst, which := time.Duration(0), ""
		for _, src := range sources {
			if took, _ := mustEnd(b, src, values); took > worst {
				worst, which = took, src
			}
		}
		b.ReportMetric(float64(worst.Milliseconds()), "ms/worst")
		b.Logf("%v: %s", worst, which)
	}
}
