package expr

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	aValue     = "a value"
	anOperator = "an operator or the end"
)

var engineToken = regexp.MustCompile(`unexpected token (\w+)(?:\((".*")\))?`)

// syntax words what the engine's parser found for people who never heard of
// tokens, and finds the place that a person would point at.
func (s *source) syntax(theirs *file.Error) (*problem.Error, span) {
	at := s.original(theirs.Location)
	said := theirs.Message
	switch {
	case strings.Contains(said, "maximum allowed nodes"):
		return fail("the expression has more than the %d parts allowed", maxNodes), s.whole()
	case strings.Contains(said, "literal not terminated"):
		return s.unclosedText()
	case strings.Contains(said, "unclosed comment"):
		return fail("the comment that begins here is not closed").Expecting("*/"), span{s.afterTokens(), s.end()}
	case strings.Contains(said, "invalid char escape"), strings.Contains(said, "unable to unescape"):
		for at.from > 0 && s.cut(span{at.from, at.from + 1}) != `\` {
			at.from--
		}
		return fail(`the text holds a backslash that means nothing`).WithHint(`write \\ for a backslash, \n for a new line`), at
	case strings.Contains(said, "unrecognized character"):
		return s.oddCharacter(at), at
	case strings.Contains(said, "bad number syntax"):
		word := span{s.afterTokens(), at.to}
		return fail("%q is not a number", s.cut(word)).WithHint("a name does not begin with a digit; text stands in quotes"), word
	case strings.Contains(said, "invalid integer literal"), strings.Contains(said, "too large"), strings.Contains(said, "invalid float literal"):
		return fail("the number is too large").WithHint("write very long numbers as text, in quotes"), s.tokenBefore(at)
	case strings.Contains(said, "cannot be mixed"):
		return fail("?? and %s cannot stand side by side", s.cut(at)).WithHint("put one of them in parentheses, (a ?? b)"), at
	case strings.Contains(said, "expected at least"):
		return fail("something is missing between the parentheses").Expecting(aValue), at
	case strings.Contains(said, "unexpected end of expression"):
		return fail("the expression ends too early, after %q", s.cut(at)).Expecting("a name"), at
	case strings.Contains(said, "expected name"):
		return fail("a field's name must follow the dot").Expecting("a name"), at
	case strings.Contains(said, "map key"):
		return fail("the name of a field must stand here").Expecting("a name").WithHint(`an object is written {name: "Ada", age: 36}`), at
	case strings.Contains(said, "wrap predicate"):
		return fail("several steps for each item need braces").WithHint("write {let x = …; …}"), at
	}
	if m := engineToken.FindStringSubmatch(said); m != nil {
		if m[1] == "EOF" {
			return s.earlyEnd()
		}
		return s.stray(at)
	}
	return fail("%s", firstLine(said)), at
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// end is the place behind the last letter that is no space.
func (s *source) end() int { return len([]rune(strings.TrimRight(s.text, " \t\r\n"))) }

func (s *source) whole() span { return span{0, s.end()} }

func (s *source) cut(sp span) string {
	runes := []rune(s.text)
	return string(runes[min(sp.from, len(runes)):min(sp.to, len(runes))])
}

// afterTokens is where the first thing begins that could not be read.
func (s *source) afterTokens() int {
	from := 0
	if n := len(s.tokens); n > 0 {
		from = s.tokens[n-1].To
	}
	for runes := []rune(s.text); from < len(runes) && strings.ContainsRune(" \t\r\n", runes[from]); {
		from++
	}
	return from
}

func (s *source) tokenBefore(at span) span {
	for i := len(s.tokens) - 1; i >= 0; i-- {
		if t := s.tokens[i]; t.From < at.from || t.From == at.from && t.Kind == lexer.Number {
			return span{t.From, t.To}
		}
	}
	return at
}

// unclosedText points at all that an opening quote swallows.
func (s *source) unclosedText() (*problem.Error, span) {
	from := s.afterTokens()
	quote := s.cut(span{from, from + 1})
	return fail("the text that begins here is not closed").Expecting(quote).WithHint("add %s at its end", quote), span{from, s.end()}
}

func (s *source) oddCharacter(at span) *problem.Error {
	c := s.cut(at)
	p := fail("the character %q means nothing here", c)
	if strings.ContainsAny(c, "“”„‘’‚«»") {
		p.WithHint(`text stands in straight quotes, "…" or '…'`)
	}
	return p
}

// earlyEnd says what is missing: a value, or the other half of a bracket.
func (s *source) earlyEnd() (*problem.Error, span) {
	if len(s.tokens) == 0 {
		return fail("the expression is empty").Expecting(aValue), span{0, s.end()}
	}
	last := s.tokens[len(s.tokens)-1]
	if wantsValue(last) && last.Kind == lexer.Operator {
		return fail("the expression ends too early, after %q", last.Value).Expecting(aValue), span{last.From, last.To}
	}
	if open, closing := s.openBracket(len(s.tokens)); closing != "" {
		return fail("the bracket %q is not closed", open.Value).Expecting(closing), span{open.From, open.To}
	}
	p := fail("the expression ends too early")
	for _, t := range s.tokens {
		if t.Is(lexer.Operator, "?") {
			p.Expecting(":").WithHint("a choice is written condition ? yes : no")
		}
		if t.Is(lexer.Operator, "let") {
			p.Expecting(";").WithHint("a name is given by let name = value; and then used")
		}
	}
	return p, span{last.From, last.To}
}

// openBracket is the innermost bracket among the first n tokens that is open.
func (s *source) openBracket(n int) (open lexer.Token, closing string) {
	var stack []lexer.Token
	for _, t := range s.tokens[:n] {
		if t.Kind != lexer.Bracket {
			continue
		}
		if strings.Contains("([{", t.Value) {
			stack = append(stack, t)
		} else if len(stack) > 0 {
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) == 0 {
		return open, ""
	}
	open = stack[len(stack)-1]
	return open, map[string]string{"(": ")", "[": "]", "{": "}"}[open.Value]
}

// stray explains a word, an operator or a bracket that cannot stand where it does.
func (s *source) stray(at span) (*problem.Error, span) {
	i := 0
	for i < len(s.tokens) && s.tokens[i].From < at.from {
		i++
	}
	if i == len(s.tokens) {
		return fail("did not expect %q here", s.cut(at)), at
	}
	t := s.tokens[i]
	p := fail("did not expect %q here", s.cut(span{t.From, t.To})).Expecting(anOperator)
	open, closing := s.openBracket(i)
	switch {
	case t.Kind == lexer.Bracket && strings.Contains(")]}", t.Value) && closing == "":
		p = fail("%q closes nothing", t.Value)
	case t.Kind == lexer.Bracket && strings.Contains(")]}", t.Value) && t.Value != closing:
		p = fail("%q does not close the %q before it", t.Value, open.Value).Expecting(closing)
	case i == 0 || wantsValue(s.tokens[i-1]):
		p.Expected = aValue
	case closing != "":
		p.Expected = "an operator or " + closing
	}
	if hint := operatorHints[t.Value]; hint != "" && t.Kind == lexer.Operator {
		p.WithHint("%s", hint)
	}
	return p, span{t.From, t.To}
}

var operatorHints = map[string]string{
	"=":   "to compare write ==",
	"===": "to compare write ==",
	"&":   "to join conditions write &&; to join texts write +",
	"=>":  "in a loop # is the item: map(list, # * 2)",
	"<>":  "to compare write !=",
}
