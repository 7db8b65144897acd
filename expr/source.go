package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/expr-lang/expr/parser/utils"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A source is the text of an expression, and what was added to it so that the
// engine reads it as the user means it.
type source struct {
	text  string
	code  string // text with "()" after every filter that has none
	added []int  // where each "()" stands in code, in runes
}

const emptyCall = "()"

// includes is the name that contains(list, value) gets, because contains is an
// operator of the engine. It has as many letters, so that no column moves.
const includes = "includes"

// prepare lets "price | currency" stand for "price | currency()", which is all
// that the engine's grammar accepts, and contains be a function as well.
func (s *source) prepare() {
	s.code = s.text
	lex := lexer.New()
	lex.DisableIfOperator = true
	lex.Reset(file.NewSource(s.text))
	var tokens []lexer.Token
	for {
		t, err := lex.Next()
		if err != nil {
			break // at the end; or the parser meets the same mistake and reports it
		}
		tokens = append(tokens, t)
	}
	runes := []rune(s.text)
	var b strings.Builder
	from := 0
	for i, t := range tokens {
		called := i+1 < len(tokens) && tokens[i+1].Is(lexer.Bracket, "(")
		switch {
		case t.Is(lexer.Operator, "contains") && called && beginsOperand(tokens[:i]):
			b.WriteString(string(runes[from:t.From]) + includes)
			from = t.To
		case t.Is(lexer.Identifier) && i > 0 && tokens[i-1].Is(lexer.Operator, "|") && !called:
			b.WriteString(string(runes[from:t.To]) + emptyCall)
			from = t.To
			s.added = append(s.added, from+len(emptyCall)*len(s.added))
		}
	}
	if from > 0 {
		s.code = b.String() + string(runes[from:])
	}
}

// beginsOperand reports whether what follows before begins a value, rather than
// being an operator behind one.
func beginsOperand(before []lexer.Token) bool {
	if n := len(before); n > 0 && before[n-1].Is(lexer.Operator, "not") {
		before = before[:n-1]
	}
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	return last.Kind == lexer.Operator || last.Kind == lexer.Bracket && strings.Contains("([{", last.Value)
}

// position is the place in text of the rune offset in code.
func (s *source) position(offset int) problem.Position {
	shift := 0
	for _, at := range s.added {
		if at < offset {
			shift += min(offset-at, len(emptyCall))
		}
	}
	pos := problem.Position{Line: 1, Column: 1}
	for i, r := range []rune(s.text) {
		if i >= offset-shift {
			break
		}
		if pos.Column++; r == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
	}
	return pos
}

// bareName reports whether src is nothing but a name: the fast way for the
// commonest expression, and the way to columns such as "image-url", which would
// read as a subtraction.
func bareName(src string, known []string) (string, bool) {
	name := strings.TrimSpace(src)
	for _, k := range known {
		if k == name && name != "" && (!utils.IsValidIdentifier(name) || !reserved[name]) {
			return name, true
		}
	}
	if known == nil && utils.IsValidIdentifier(name) && utf8.ValidString(name) && !reserved[name] && !strings.HasPrefix(name, "$") {
		return name, true
	}
	return "", false
}

// reserved words never name a variable; $env["in"] reaches a column of that name.
var reserved = map[string]bool{
	"true": true, "false": true, "nil": true, "not": true, "in": true, "or": true, "and": true, "let": true,
	"matches": true, "contains": true, "startsWith": true, "endsWith": true,
}
