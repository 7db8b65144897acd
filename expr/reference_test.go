package expr

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/expressions.md anew")

const referenceFile = "../docs/expressions.md"

// exampleEnv is what the examples of the reference are computed in.
var exampleEnv = Env{Now: time.Date(2026, 3, 5, 14, 7, 9, 0, time.UTC)}

func TestEveryExampleOfTheReferenceIsTrue(t *testing.T) {
	for _, f := range Functions() {
		if len(f.Examples) == 0 {
			t.Errorf("%s has no example", f.Name)
		}
		for _, e := range f.Examples {
			p, err := Compile(e.Expression, Options{})
			if err != nil {
				t.Errorf("%s: %s: %v", f.Name, e.Expression, err)
				continue
			}
			got, err := p.Eval(e.Values, exampleEnv)
			if err != nil || Text(got) != e.Result {
				t.Errorf("%s: %s gives %q, %v; the reference says %q", f.Name, e.Expression, Text(got), err, e.Result)
			}
			if calls := p.Functions(); !slices.Contains(calls, f.Name) && f.Name != "matches" && f.Name != "startsWith" {
				t.Errorf("%s: the example %s calls only %v", f.Name, e.Expression, calls)
			}
			if kind := p.Type().Kind; f.Returns != KindAny && len(p.Functions()) == 1 && kind != f.Returns && kind != KindText && kind != KindAny {
				t.Errorf("%s: %s is %s, the signature says %s", f.Name, e.Expression, kind, f.Returns)
			}
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	want := reference()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil { //nolint:gosec // a document, for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/expressions.md is not what the functions say; run go test ./expr -run Reference -update (-want +got):\n%s", diff)
	}
}

func TestFunctionsAreData(t *testing.T) {
	text, err := json.Marshal(Functions())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"name":"truncate","category":"text","usage":"truncate(text, length, suffix?)"`,
		`{"name":"suffix","kind":"text","optional":true}`, `"aliases":["upper"]`, `{"name":"more","kind":"any","rest":true}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the functions", want)
		}
	}
}

// Every function that the seed product lists, as a call and as a pipe.
func TestFunctionsOfTheSeedWorkBothWays(t *testing.T) {
	for name, rest := range map[string]struct{ values, args, want string }{
		"uppercase": {`"a"`, "", "A"}, "upper": {`"a"`, "", "A"}, "lowercase": {`"A"`, "", "a"}, "lower": {`"A"`, "", "a"},
		"capitalize": {`"ab c"`, "", "Ab c"}, "titleCase": {`"ab c"`, "", "Ab C"}, "title": {`"ab c"`, "", "Ab C"}, "trim": {`" a "`, "", "a"},
		"truncate": {`"abcdef"`, `5, "…"`, "abcd…"}, "replace": {`"aba"`, `"a", "c"`, "cbc"}, "split": {`"a-b"`, `"-"`, "a, b"},
		"padStart": {`"7"`, `3, "0"`, "007"}, "padEnd": {`"7"`, `3, "0"`, "700"},
		"round": {`2.345`, "2", "2.35"}, "floor": {`"2.9"`, "", "2"}, "ceil": {`2.1`, "", "3"}, "abs": {`-2`, "", "2"},
		"min": {`[3, 1]`, "", "1"}, "max": {`[3, 1]`, "", "3"}, "sum": {`[3, "1"]`, "", "4"}, "average": {`[3, 1]`, "", "2"},
		"currency": {`44.1`, `"EUR", "de-DE"`, "44,10\u00a0€"}, "number": {`1234.5`, `"de"`, "1.234,5"}, "percent": {`0.125`, "1", "12.5%"},
		"date": {`"2026-03-05"`, `"MMM D, YYYY"`, "Mar 5, 2026"}, "dateFormat": {`"2026-03-05"`, `"D.M."`, "5.3."}, "time": {`"2026-03-05T14:07:00Z"`, "", "2:07 PM"},
		"length": {`[1, 2]`, "", "2"}, "first": {`[1, 2]`, "", "1"}, "last": {`[1, 2]`, "", "2"}, "join": {`[1, 2]`, `"+"`, "1+2"},
		"slice": {`[1, 2, 3]`, "1", "2, 3"}, "contains": {`[1, 2]`, "2", "true"}, "indexOf": {`[1, 2]`, "2", "1"},
		"isEmpty": {`""`, "", "true"}, "isNotEmpty": {`"a"`, "", "true"}, "isDefined": {`nil`, "", "false"}, "isArray": {`[]`, "", "true"},
		"isString": {`"a"`, "", "true"}, "isNumber": {`"1"`, "", "true"},
		"default": {`""`, `"x"`, "x"}, "coalesce": {`nil`, `"x"`, "x"}, "json": {`[1]`, "", "[1]"}, "parseJson": {`"[1]"`, "", "1"},
		"if": {`1 > 0`, `"y", "n"`, "y"}, "switch": {`"a"`, `"a", 1, 2`, "1"},
	} {
		call := name + "(" + rest.values
		if rest.args != "" {
			call += ", " + rest.args
		}
		piped := rest.values + " | " + name
		if rest.args != "" {
			piped += "(" + rest.args + ")"
		}
		for _, src := range []string{call + ")", piped} {
			p, err := Compile(src, Options{})
			if err != nil {
				t.Errorf("%s: %v", src, err)
				continue
			}
			if got, err := p.Eval(nil, exampleEnv); err != nil || Text(got) != rest.want {
				t.Errorf("%s: got %q, %v, want %q", src, Text(got), err, rest.want)
			}
		}
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	category := ""
	for _, f := range Functions() {
		if f.Category != category {
			category = f.Category
			fmt.Fprintf(&b, "\n## Functions: %s\n", category)
		}
		fmt.Fprintf(&b, "\n### %s\n\n`%s`: %s.", f.Name, f.Usage, f.Summary)
		if len(f.Aliases) > 0 {
			fmt.Fprintf(&b, " Also called `%s`.", strings.Join(f.Aliases, "`, `"))
		}
		b.WriteString("\n\n")
		for _, p := range f.Params {
			fmt.Fprintf(&b, "- `%s`: %s%s\n", p.Name, p.Kind.phrase(), paramNote(p))
		}
		fmt.Fprintf(&b, "- gives %s\n\n```\n", f.Returns.phrase())
		for _, e := range f.Examples {
			fmt.Fprintf(&b, "%s → %s\n", e.Expression, shown(e.Result))
			if values := e.valuesText(); values != "" {
				fmt.Fprintf(&b, "    with %s\n", values)
			}
		}
		b.WriteString("```\n")
	}
	return b.String()
}

func paramNote(p Param) string {
	switch {
	case p.Rest:
		return ", any number of times"
	case p.Optional:
		return ", optional"
	}
	return ""
}

// shown makes the empty text visible.
func shown(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

const referenceHead = `# Expressions

<!-- Written by go test ./expr -run Reference -update; the functions are described in expr/library_*.go. -->

An expression computes a value from the variables of a row: in a template between ` + "`{{`" + ` and ` + "`}}`" + `, in a
mapping, a condition or a path. Calls and pipes are the same: ` + "`currency(price * 0.9)`" + ` and
` + "`price * 0.9 | currency`" + `. A pipe hands the value on its left to the function as its first argument. It binds
less tightly than arithmetic, and more tightly than ` + "`? :`" + `.

| Written | Means |
| --- | --- |
| ` + "`price`" + `, ` + "`$env[\"Unit Price\"]`" + ` | a variable; one whose name has spaces |
| ` + "`\"text\"`" + `, ` + "`'text'`" + `, ` + "`12.5`" + `, ` + "`true`" + `, ` + "`nil`" + ` | a value as it stands |
| ` + "`[1, 2]`" + `, ` + "`{name: \"Ada\"}`" + ` | a list, an object |
| ` + "`a + b`" + `, ` + "`-`" + `, ` + "`*`" + `, ` + "`/`" + `, ` + "`%`" + `, ` + "`**`" + ` | arithmetic, in decimal: 0.1 + 0.2 is 0.3. + joins when one side is text that is no number, or both are text |
| ` + "`==`" + `, ` + "`!=`" + `, ` + "`<`" + `, ` + "`<=`" + `, ` + "`>`" + `, ` + "`>=`" + ` | comparison; numbers by value, also when they come as text |
| ` + "`and`" + `, ` + "`or`" + `, ` + "`not`" + `, ` + "`&&`" + `, ` + "`\\|\\|`" + `, ` + "`!`" + ` | conditions. False are nothing, "", 0, empty lists, and the texts false, no and 0 |
| ` + "`sale ? price : full`" + `, ` + "`a ?: b`" + ` | a choice; a if it is true, else b |
| ` + "`a ?? b`" + ` | a, or b when there is no a |
| ` + "`item.name`" + `, ` + "`item?.name`" + ` | a field; nothing, rather than an error, when there is no item |
| ` + "`list[0]`" + `, ` + "`list[-1]`" + `, ` + "`list[1:3]`" + ` | an item from the front, from the end, a part |
| ` + "`x in list`" + `, ` + "`text contains x`" + `, ` + "`startsWith`" + `, ` + "`endsWith`" + `, ` + "`matches`" + ` | whether it is there |
| ` + "`1..5`" + ` | the list 1, 2, 3, 4, 5 |
| ` + "`let x = price * 2; x + 1`" + ` | a name for a value |
| ` + "`map(list, .name)`" + `, ` + "`filter(list, # > 3)`" + ` | a loop: # is the item, .name a field of it, #index its place from 0 |

A variable without a value is nothing, and prints as "". A number that arrives as text is a number wherever one is
needed; what has leading zeros, a plus sign or separators ("007", "1,299") is text.

Dates, amounts, numbers, percentages, lists and plurals are written as the locale of the template or of the row has
them, dates in its time zone. Most functions that write take a locale, and those of dates a zone, as their last
arguments. What a place does not say for itself, its language says: de-AT, de, then en. A locale that is not known is
an error.

An expression reads nothing but its values: no files, no network, and for the clock the moment of planning. It has at
most 8192 bytes, 1000 parts and three loops inside each other; it ends with an error when it does too much work.
`
