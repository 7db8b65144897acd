package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/expr-lang/expr/parser/utils"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A source is the text of an expression, and what was added to it so that the
// engine reads it as the user means it.
type source struct {
	text   string
	code   string        // text with "()" after every filter that has none
	tokens []lexer.Token // of text, as far as it can be read
	added  []int         // where each "()" stands in code, in runes
}

const emptyCall = "()"

// A span is a part of the text, in runes; to is exclusive.
type span struct{ from, to int }

// both are words of the engine's grammar and functions as well. As functions
// they get a name of as many letters, so that no column moves.
var both = map[string]bool{"contains": true, "startsWith": true, "endsWith": true, "matches": true}

func hidden(word string) string { return "$" + word[1:] }

// functionName is the name that the user wrote for a function.
func (s *source) functionName(callee *ast.IdentifierNode) string {
	if written := s.cut(s.original(callee.Location())); both[written] && hidden(written) == callee.Value {
		return written
	}
	return callee.Value
}

// prepare lets "price | currency" stand for "price | currency()", which is all
// that the engine's grammar accepts, and contains be a function as well.
func (s *source) prepare() {
	s.code = s.text
	s.tokens = tokensOf(s.text)
	tokens := s.tokens
	runes := []rune(s.text)
	var b strings.Builder
	from := 0
	for i, t := range tokens {
		called := i+1 < len(tokens) && tokens[i+1].Is(lexer.Bracket, "(")
		piped := i > 0 && tokens[i-1].Is(lexer.Operator, "|")
		switch {
		case t.Kind == lexer.Operator && both[t.Value] && called && beginsOperand(tokens[:i]):
			b.WriteString(string(runes[from:t.From]) + hidden(t.Value))
			from = t.To
		case t.Is(lexer.Identifier) && piped && !called:
			b.WriteString(string(runes[from:t.To]) + emptyCall)
			from = t.To
			s.added = append(s.added, from+len(emptyCall)*len(s.added))
		}
	}
	if from > 0 {
		s.code = b.String() + string(runes[from:])
	}
}

// tokensOf are the words of text, up to a mistake that the parser meets too.
func tokensOf(text string) []lexer.Token {
	lex := lexer.New()
	lex.DisableIfOperator = true
	lex.Reset(file.NewSource(text))
	var tokens []lexer.Token
	for {
		t, err := lex.Next()
		if err != nil || t.Kind == lexer.EOF {
			return tokens
		}
		tokens = append(tokens, t)
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
	return wantsValue(before[len(before)-1])
}

// wantsValue reports whether a value must follow t.
func wantsValue(t lexer.Token) bool {
	return t.Kind == lexer.Operator && t.Value != "#" || t.Kind == lexer.Bracket && strings.Contains("([{", t.Value)
}

// original is where in text the place of code is.
func (s *source) original(l file.Location) span {
	sp := span{s.back(l.From), s.back(l.To)}
	return span{sp.from, max(sp.to, sp.from)}
}

func (s *source) back(offset int) int {
	shift := 0
	for _, at := range s.added {
		if at < offset {
			shift += min(offset-at, len(emptyCall))
		}
	}
	return offset - shift
}

// position tells a span as lines and columns. One that lies behind the text
// is cut to its end.
func (s *source) position(sp span) problem.Position {
	pos := problem.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}
	offset := 0
	for _, r := range s.text {
		if offset < sp.from {
			pos.Line, pos.Column = step(pos.Line, pos.Column, r)
		}
		if offset < sp.to {
			pos.EndLine, pos.EndColumn = step(pos.EndLine, pos.EndColumn, r)
		}
		offset++
	}
	return pos
}

func step(line, column int, r rune) (int, int) {
	if r == '\n' {
		return line + 1, 1
	}
	return line, column + 1
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
