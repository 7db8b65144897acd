package expr

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// FuzzPreparationMovesNoPlace checks that every word of the prepared code leads
// back to the same word of the user's text.
func FuzzPreparationMovesNoPlace(f *testing.F) {
	for _, src := range []string{
		`price | upper | currency + nope`, `"é€😀" | upper`, `contains(a, "|") | x`, "a |\n b | c", `not contains(a, b) and startsWith(x, y)`,
		`a | b | c | d(e | f) | g`, `"a | b"`, "`|`", `a /* | b */ | c // | d`, "a | \xff", `a | contains(b)`, `x|y|z`, `a.contains(b)`, "/*\x86*/|A",
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s := source{text: src}
		s.prepare()
		if len([]rune(s.code)) != len([]rune(src))+len(emptyCall)*len(s.added) {
			t.Fatalf("%q became %q, with %d calls added", src, s.code, len(s.added))
		}
		added := map[int]bool{}
		for _, at := range s.added {
			added[at], added[at+1] = true, true
		}
		code := []rune(s.code)
		for _, token := range tokensOf(s.code) {
			if added[token.From] {
				continue
			}
			want := string(code[token.From:token.To])
			got := s.cut(s.original(file.Location{From: token.From, To: token.To}))
			if got != want && !(both[got] && hidden(got) == want) {
				t.Errorf("%q: %q at %d leads to %q", src, want, token.From, got)
			}
		}
		pos := s.position(s.whole())
		if lines := strings.Count(src, "\n") + 1; pos.Line != 1 || pos.EndLine > lines {
			t.Errorf("%q: the whole is %+v", src, pos)
		}
	})
}

func TestWordsThatAreOperatorsTooAreFunctionsWhereAValueBegins(t *testing.T) {
	for src, want := range map[string]string{
		`contains(a, b)`:                 `$ontains(a, b)`,
		`a contains (b)`:                 `a contains (b)`,
		`not contains(a, b)`:             `not $ontains(a, b)`,
		`a not contains (b)`:             `a not contains (b)`,
		`x | startsWith("a")`:            `x | $tartsWith("a")`,
		`[matches(a, b)]`:                `[$atches(a, b)]`,
		`a ? endsWith(b, c) : d | upper`: `a ? $ndsWith(b, c) : d | upper()`,
	} {
		s := source{text: src}
		if s.prepare(); s.code != want {
			t.Errorf("%s became %s, want %s", src, s.code, want)
		}
	}
}

func TestSpansReachOverAllThatTheirNodeWasReadFrom(t *testing.T) {
	for src, want := range map[string]string{
		`a + b * c`:            `a + b * c`,
		`upper(a)`:             `upper(a)`,
		`now()`:                `now()`,
		`a | upper`:            `a | upper`,
		`a | truncate(1, "x")`: `a | truncate(1, "x")`,
		`[1, (2)]`:             `[1, (2)]`,
		`{a: [1]}`:             `{a: [1]}`,
		`a.b["c"]`:             `a.b["c"]`,
		`a[1:]`:                `a[1:]`,
		`map(a, {# + 1})`:      `map(a, {# + 1})`,
		`a ? (b) : f()`:        `a ? (b) : f`,
		`-a`:                   `-a`,
		` a ?? b `:             `a ?? b`,
	} {
		s := source{text: src}
		s.prepare()
		tree, err := parse(&s)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := s.cut(s.spanOf(tree.Node)); got != want && got+"()" != want {
			t.Errorf("%s: the span is %q, want %q", src, got, want)
		}
	}
}

func TestHiddenNamesCannotBeWritten(t *testing.T) {
	for _, src := range []string{`$ontains("ab", "a")`, `"ab" | $ontains("a")`} {
		if _, err := Compile(src, Options{}); err == nil {
			t.Errorf("%s compiles", src)
		}
	}
	if tokens := tokensOf("a | b"); len(tokens) != 3 || tokens[1].Kind != lexer.Operator {
		t.Errorf("tokens %v", tokens)
	}
}
