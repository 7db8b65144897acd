package expr

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// row has numbers as JSON has them, and as CSV does.
var row = map[string]any{
	"price": json.Number("129.5"), "cell": "49", "padded": " 7 ", "code": "007", "sale": "true", "off": false,
	"name": "Ada", "empty": "", "tags": []any{"a", "b", "c"}, "o": map[string]any{"k": json.Number("3"), "deep": nil},
	"items": []any{
		map[string]any{"p": "10.1", "n": "x"},
		map[string]any{"p": "9.2", "n": "y"},
	},
	"big": json.Number("12345678901234567890"), "Unit Price": "5", "image-url": "u.png", "when": "2026-03-05T14:07:09Z",
	"gone": nil, "evil": "{{ price }}", "title": "the great escape",
}

func names() []string {
	var out []string
	for name := range row {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func mustCompile(tb testing.TB, src string) *Program {
	tb.Helper()
	p, err := Compile(src, Options{Names: names()})
	if err != nil {
		tb.Fatalf("Compile(%q): %v", src, err)
	}
	return p
}

var testEnv = Env{Now: time.Date(2026, 3, 5, 23, 30, 0, 0, time.UTC)}

func TestExpressionsPrint(t *testing.T) {
	tests := []struct{ src, want string }{
		// Numbers arrive as text.
		{`price * 0.9`, "116.55"},
		{`cell * 2`, "98"},
		{`padded * 2`, "14"},
		{`cell + 1`, "50"},
		{`1 + cell`, "50"},
		{`price + cell`, "178.5"},
		{`cell + cell`, "4949"},
		{`cell + "x"`, "49x"},
		{`name + price`, "Ada129.5"},
		{`name + " " + empty`, "Ada "},
		{`-price`, "-129.5"},
		{`cell % 5`, "4"},
		{`2 ** 10`, "1024"},
		{`7 / 2`, "3.5"},
		{`code`, "007"},
		{`big`, "12345678901234567890"},
		// Arithmetic is decimal.
		{`0.1 + 0.2`, "0.3"},
		{`0.1 + 0.2 == 0.3`, "true"},
		{`10 / 3 * 3`, "10"},
		{`10 / 3`, "3.33333333333333"},
		{`1000.1 - 1000`, "0.1"},
		{`12345678901.23 * 1`, "12345678901.23"},
		{`1.005 | round(2)`, "1.01"},
		{`5.5 % 0.1`, "0"},
		// Comparing.
		{`cell > 5`, "true"},
		{`cell < "5"`, "false"},
		{`"10" > "9"`, "true"},
		{`"b" > "a"`, "true"},
		{`gone < 5 || gone > 5`, "false"},
		{`empty < 5`, "false"},
		{`cell == 49.0`, "true"},
		{`cell == "49.0"`, "false"},
		{`sale == true`, "true"},
		{`gone == nil`, "true"},
		{`name != "Ada"`, "false"},
		{`big == 12345678901234567`, "false"},
		{`1 < 2 < 3`, "true"},
		{`[1, "a"] == ["1", "a"]`, "true"},
		// Choosing.
		{`sale ? "y" : "n"`, "y"},
		{`off ? "y" : "n"`, "n"},
		{`empty || "nobody"`, "nobody"},
		{`name && "known"`, "known"},
		{`gone ?? "none"`, "none"},
		{`gone ?: "none"`, "none"},
		{`if(sale, "y", 1 / 0)`, "y"},
		{`off && 1 / 0`, "false"},
		{`switch(name, "Bob", 1, "Ada", 2, 3)`, "2"},
		{`let x = price; x * 2`, "259"},
		// Reaching in.
		{`o.k + 1`, "4"},
		{`o.none`, ""},
		{`tags[1]`, "b"},
		{`tags[-1]`, "c"},
		{`tags[9] ?? "z"`, "z"},
		{`tags[padded - 6]`, "b"},
		{`gone?.a.b`, ""},
		{`o.deep?.x ?? "no"`, "no"},
		{`tags[1:]`, "b, c"},
		{`name[0:2]`, "Ad"},
		{`"é€x"[1:2]`, "€"},
		{`$env["Unit Price"] * 2`, "10"},
		{`image-url`, "u.png"},
		{`"b" in tags`, "true"},
		{`"k" in o`, "true"},
		{`name contains "d"`, "true"},
		{`price startsWith "12"`, "true"},
		{`name matches "^A.a$"`, "true"},
		{`not ("q" in tags)`, "true"},
		// Loops.
		{`tags | map(upper(#)) | join("-")`, "A-B-C"},
		{`filter(items, .p > 9.5) | map(.n)`, "x"},
		{`sum(items, .p)`, "19.3"},
		{`sortBy(items, .p) | map(.n)`, "y, x"},
		{`count(items, .n == "x")`, "1"},
		{`reduce(items, #acc + .p, 0)`, "19.3"},
		{`any(items, .n)`, "true"},
		{`map(1..3, # * 2)`, "2, 4, 6"},
		{`map(gone, #)`, ""},
		// Functions, called and piped.
		{`price * 0.9 | currency`, "$116.55"},
		{`price * 0.9 | currency()`, "$116.55"},
		{`49 * 0.9 | currency`, "$44.10"},
		{`cell > 5 ? cell * 0.9 | currency : "n/a"`, "$44.10"},
		{`price | currency("EUR", "de")`, "129,50\u00a0€"},
		{`1234567.891 | number`, "1,234,567.891"},
		{`number(1234567.5, "de", 2)`, "1.234.567,50"},
		{`percent(0.256, 1)`, "25.6%"},
		{`percent(0.25)`, "25%"},
		{`round(2.5)`, "3"},
		{`floor(-1.5)`, "-2"},
		{`ceil("1.2")`, "2"},
		{`abs(-3)`, "3"},
		{`min(3, "1", 2)`, "1"},
		{`max([3, 10, "9"])`, "10"},
		{`average([1, 2, "6"])`, "3"},
		{`title(title)`, "The Great Escape"},
		{`title | upper | truncate(9)`, "THE GR..."},
		{`truncate("Hello", 5)`, "Hello"},
		{`capitalize("élan")`, "Élan"},
		{`titleCase("don't stop")`, "Don't Stop"},
		{`trim("  x ")`, "x"},
		{`replace("a-b-c", "-", " ")`, "a b c"},
		{`split("a,b", ",") | last`, "b"},
		{`padStart(padded | trim, 3, "0")`, "007"},
		{`padEnd("x", 3, "ab")`, "xab"},
		{`length(tags) + length("é€") + length(o)`, "7"},
		{`first(tags) + last("xyz")`, "az"},
		{`indexOf(tags, "c")`, "2"},
		{`slice(tags, 0, 2)`, "a, b"},
		{`contains(tags, "b")`, "true"},
		{`not contains(tags, "q") && (tags | contains("c"))`, "true"},
		{`name contains ("d")`, "true"},
		{`name not contains ("q")`, "true"},
		{`default(empty, "x")`, "x"},
		{`coalesce(gone, empty, "x")`, ""},
		{`isEmpty(empty) && isNotEmpty(tags) && isDefined(empty) && isArray(tags) && isString(name) && isNumber(cell)`, "true"},
		{`json(o)`, `{"deep":null,"k":3}`},
		{`parseJson('{"a":[1,2]}').a[1]`, "2"},
		{`when | date("dddd, MMMM D, YYYY [at] H:mm")`, "Thursday, March 5, 2026 at 14:07"},
		{`date("2026-12-01", "MMM D, YYYY")`, "Dec 1, 2026"},
		{`date("2026-12-01T03:04:05Z", "H:m:s hh A")`, "3:4:5 03 AM"},
		{`time(when)`, "2:07 PM"},
		{`today() + " " + now()`, "2026-03-05 2026-03-05T23:30:00Z"},
		// What a value says is never evaluated, and a bar inside quotes is no filter.
		{`evil`, "{{ price }}"},
		{`"a | upper" | upper`, "A | UPPER"},
	}
	for _, tt := range tests {
		got, err := mustCompile(t, tt.src).Eval(row, testEnv)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
		} else if Text(got) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.src, Text(got), tt.want)
		}
	}
}

func TestWrongExpressionsAreExplainedAtTheirPlace(t *testing.T) {
	tests := []struct {
		src          string
		line, column int
		slug, want   string
	}{
		{`prcie * 2`, 1, 1, UnknownVariable, `unknown variable "prcie" (did you mean "price"?)`},
		{`price | upper | curency`, 1, 17, UnknownFunction, `unknown function "curency" (did you mean "currency"?)`},
		{`price | upper | currency + nope`, 1, 28, UnknownVariable, `unknown variable "nope"`},
		{"price +\n  nope", 2, 3, UnknownVariable, `unknown variable "nope"`},
		{`"é" + nope`, 1, 7, UnknownVariable, `unknown variable "nope"`},
		{`price +`, 1, 7, BadExpression, "the expression ends too early"},
		{`price cell`, 1, 7, BadExpression, `did not expect "cell" here`},
		{`upper()`, 1, 1, BadExpression, "wrong number of arguments for upper"},
		{`name.upper()`, 1, 6, BadExpression, "values have no methods"},
		{`name matches "("`, 1, 14, BadExpression, "not a regular expression"},
		{`$row`, 1, 1, UnknownVariable, `unknown variable "$row"`},
		{`currency`, 1, 1, UnknownVariable, "to call the function write currency(…)"},
		{`map(tags, map(tags, map(tags, map(tags, #))))`, 1, 31, BadExpression, "more than 3 loops"},
	}
	for _, tt := range tests {
		_, err := Compile(tt.src, Options{Names: names()})
		checkProblem(t, tt.src, err, tt.line, tt.column, tt.slug, tt.want)
	}
}

func checkProblem(t *testing.T, src string, err error, line, column int, slug, want string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Errorf("%s: got error %v, want a problem", src, err)
		return
	}
	if p.Pos.Line != line || p.Pos.Column != column || p.Slug != slug || !strings.Contains(p.Error(), want) {
		t.Errorf("%s: got %d:%d %s %q, want %d:%d %s %q", src, p.Pos.Line, p.Pos.Column, p.Slug, p.Error(), line, column, slug, want)
	}
}

func TestEvaluationErrorsNameTheVariable(t *testing.T) {
	tests := []struct {
		src    string
		column int
		want   string
	}{
		{`2 * name`, 5, `name is "Ada", not a number`},
		{`gone * 2`, 1, "gone is missing, a number is needed"},
		{`o.k - o.none`, 7, "o.none is missing"},
		{`1 / 0`, 5, "division by zero"},
		{`price | trim | date("YYYY")`, 16, `date needs a date, but the value is "129.5"`},
		{`name | currency`, 8, `currency needs a number, but the value is "Ada"`},
		{`currency(1, "EURO")`, 1, `"EURO" is not a currency`},
		{`name.first`, 6, `name is "Ada", which has no "first"`},
		{`gone.first`, 6, "gone is missing"},
		{`map(name, #)`, 5, `name is "Ada", not a list`},
		{`tags.x`, 6, "tags is a list"},
		{`off < 1`, 5, "false cannot be ordered"},
	}
	for _, tt := range tests {
		_, err := mustCompile(t, tt.src).Eval(row, testEnv)
		checkProblem(t, tt.src, err, 1, tt.column, BadExpression, tt.want)
	}
}

func TestLongExpressionsEndSoon(t *testing.T) {
	nested := strings.Repeat("(", 200) + "a" + strings.Repeat(" ?: b)", 200)
	if p, err := Compile(nested, Options{}); err != nil {
		t.Errorf("shared operands: %v", err)
	} else if got, err := p.Eval(map[string]any{"b": "x"}, testEnv); got != "x" || err != nil {
		t.Errorf("shared operands: got %v, %v", got, err)
	}
	_, err := Compile(strings.Repeat("x", maxSource)+"\nyz ", Options{})
	checkProblem(t, "too long", err, 1, 1, BadExpression, "8196 bytes")
	if list := problem.All(err); list[0].Pos.EndLine != 2 || list[0].Pos.EndColumn != 3 {
		t.Errorf("too long: ends at %+v", list[0].Pos)
	}
	for _, src := range []string{strings.Repeat("(x < ", 100) + "a" + strings.Repeat(" < y)", 100), strings.Repeat("1+", 3000) + "1", strings.Repeat("(", 5000), strings.Repeat("x", maxSource+1)} {
		if _, err := Compile(src, Options{}); err == nil {
			t.Errorf("%.20s… compiles, want an error", src)
		}
	}
}

func TestNamesAreWhatTheResultDependsOn(t *testing.T) {
	tests := []struct {
		src   string
		names []string
		all   bool
		clock bool
	}{
		{`price * 0.9 | currency`, []string{"price"}, false, false},
		{`name`, []string{"name"}, false, false},
		{`sale ? price : cell`, []string{"cell", "price", "sale"}, false, false},
		{`map(items, .p + price)`, []string{"items", "price"}, false, false},
		{`let x = price; x + 1`, []string{"price"}, false, false},
		{`let cell = price; cell + 1`, []string{"cell", "price"}, false, false},
		{`$env["Unit Price"]`, []string{"Unit Price"}, false, false},
		{`$env[name]`, []string{"name"}, true, false},
		{`json($env)`, nil, true, false},
		{`title(name)`, []string{"name"}, false, false},
		{`now()`, nil, false, true},
		{`name + (today() | date("YYYY"))`, []string{"name"}, false, true},
	}
	for _, tt := range tests {
		p := mustCompile(t, tt.src)
		if diff := cmp.Diff(tt.names, p.Names(), cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
			t.Errorf("%s: names (-want +got):\n%s", tt.src, diff)
		}
		if p.UsesAll() != tt.all || p.ReadsClock() != tt.clock {
			t.Errorf("%s: all %t clock %t, want %t %t", tt.src, p.UsesAll(), p.ReadsClock(), tt.all, tt.clock)
		}
	}
}

func TestWithoutKnownNamesLocalsAreNoVariables(t *testing.T) {
	p, err := Compile(`let x = price; x + tax`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"price", "tax"}, p.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestZoneAndLocaleComeFromEnv(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	env := Env{Now: testEnv.Now, Zone: berlin, Locale: "de-DE"}
	got, err := mustCompile(t, `today() + " " + currency(1234.5, "EUR") + " " + time(when, "H:mm")`).Eval(row, env)
	if want := "2026-03-06 1.234,50\u00a0€ 15:07"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestTruth(t *testing.T) {
	for _, v := range []any{nil, false, "", "false", "No", "0", 0, 0.0, json.Number("0"), json.Number("0.00"), []any{}, map[string]any{}} {
		if Truthy(v) {
			t.Errorf("%#v is true, want false", v)
		}
	}
	for _, v := range []any{true, "x", "true", "YES", " 1 ", 1, -1.5, json.Number("2"), []any{nil}, map[string]any{"a": nil}} {
		if !Truthy(v) {
			t.Errorf("%#v is false, want true", v)
		}
	}
}

func TestNumbersAreJSONNumbersOnly(t *testing.T) {
	for _, s := range []string{"0", "-1", "1.50", " 2 ", "1e3", "0.5"} {
		if _, ok := Number(s); !ok {
			t.Errorf("%q is no number, want one", s)
		}
	}
	for _, s := range []string{"", " ", "007", "+5", "1,299", ".5", "5.", "0x10", "1_000", "Inf", "NaN", "1e999", "12a", "--1"} {
		if f, ok := Number(s); ok {
			t.Errorf("%q is the number %v, want none", s, f)
		}
	}
}

func TestFunctionsDescribeThemselves(t *testing.T) {
	for _, f := range Functions() {
		if f.Usage == "" || f.Summary == "" || len(f.Examples) == 0 {
			t.Errorf("function %q lacks usage, summary or body", f.Name)
		}
	}
	for _, name := range strings.Fields(`uppercase lowercase capitalize titleCase trim truncate replace split padStart padEnd
		round floor ceil abs min max sum average currency number percent date time length first last join slice contains indexOf
		isEmpty isNotEmpty isDefined isArray isString isNumber default coalesce json parseJson upper lower title dateFormat switch`) {
		if _, ok := library[name]; !ok {
			t.Errorf("there is no function %q", name)
		}
	}
}

func FuzzExpressionsNeitherPanicNorHang(f *testing.F) {
	for _, src := range []string{
		`price * 0.9 | currency`, `a?.b.c ?? "x"`, `map(tags, # + 1) | join`, `let x = 1; x`, `$env["a"]`, `sale ? 1 : 2`, `1..3`, `a[1:2]`,
		`((a ?: b) ?: c)`, `a < b < c`, "`x", `"\u{1F600}"`, `x | y | z`, `not a in b`, `{a: 1, (b): 2}.a`, `a;b`, `sortBy(items, .p, name)`,
		`reduce(items, #acc + #)`, `if(a, b)`, `"open`, `(a`, `a.`, `let x = 1`, `a ? b`, `price | plural("a", "b") | list`, `findLast(tags, # > 1).x`, `groupBy(items, .n)`,
		`number("1e9", "compact", 3)`, `date(when, "LLLL", "zh-Hant-HK")`, `relativeTime(when, now(), "ru")`, `/* open`, `a " b`, `1 / 3 ** 40`, `date(now(), "YYYY")`, `b'x'`, `::len(x)`, `a.b()`, `filter(items, {let y = .p; y > 1})`,
	} {
		f.Add(src)
	}
	types := map[string]*Type{}
	for name, value := range row {
		types[name] = TypeOf(value)
	}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := Compile(src, Options{})
		if _, typed := Compile(src, Options{Types: types}); typed != nil {
			checkPosition(t, src, typed)
		} else if err != nil {
			t.Errorf("%q: types made a mistake go away: %v", src, err)
		}
		if err != nil {
			checkPosition(t, src, err)
			return
		}
		out, err := p.Eval(row, testEnv)
		if err != nil {
			checkPosition(t, src, err)
			return
		}
		again, err := p.Eval(row, testEnv)
		if err != nil || Text(out) != Text(again) {
			t.Errorf("%q: got %q, then %q, %v", src, Text(out), Text(again), err)
		}
	})
}

func checkPosition(t *testing.T, src string, err error) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Message == "" {
		t.Fatalf("%q: got %v, want a problem with a message", src, err)
	}
	lines := strings.Split(src, "\n")
	if p.Pos.Line < 1 || p.Pos.Column < 1 || p.Pos.EndLine < p.Pos.Line || p.Pos.EndLine > len(lines) {
		t.Fatalf("%q: %+v of %d lines", src, p.Pos, len(lines))
	}
	if n := len([]rune(lines[p.Pos.EndLine-1])) + 1; p.Pos.EndColumn > n || p.Pos.EndLine == p.Pos.Line && p.Pos.EndColumn < p.Pos.Column {
		t.Errorf("%q: %+v, the line has %d places", src, p.Pos, n)
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(`price * 0.9 | currency`, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
