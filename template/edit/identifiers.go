package edit

import (
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/pictifyd/pictifyd/internal/problem"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// renameIdentifier renames a variable where an expression reads it: not behind a
// dot, as a key, as a function or in quotes. It refuses what gives the name
// another meaning.
func renameIdentifier(src, from, to string) (string, *problem.Error) {
	if !strings.Contains(src, from) && !strings.Contains(src, to) {
		return src, nil
	}
	tokens, ok := tokensOf(src)
	if !ok {
		return src, problem.New(problem.Unsupported, "the expression %q cannot be read", shortened(src)).WithHint("mend it first")
	}
	var b strings.Builder
	runes := []rune(src)
	last := 0
	for i, t := range tokens {
		if t.Is(lexer.Identifier, "$env") {
			return src, problem.New(problem.Unsupported, "%q reads variables by $env", shortened(src)).WithHint("rename it by hand")
		}
		if !reads(tokens, i) {
			continue
		}
		if t.Value == to || t.Value == from && i > 0 && tokens[i-1].Value == "let" {
			return src, problem.New(problem.Unsupported, "%q gives the name another meaning", shortened(src)).WithHint("rename it by hand")
		}
		if t.Value == from {
			b.WriteString(string(runes[last:t.From]) + to)
			last = t.To
		}
	}
	return b.String() + string(runes[last:]), nil
}

func tokensOf(src string) ([]lexer.Token, bool) {
	lex := lexer.New()
	lex.DisableIfOperator = true
	lex.Reset(file.NewSource(src))
	var tokens []lexer.Token
	for {
		t, err := lex.Next()
		if err != nil {
			return tokens, len(tokens) > 0 && tokens[len(tokens)-1].Is(lexer.EOF) || err.Error() == "EOF"
		}
		tokens = append(tokens, t)
	}
}

// reads reports whether the token is a name that an expression reads the value of.
func reads(tokens []lexer.Token, i int) bool {
	if tokens[i].Kind != lexer.Identifier {
		return false
	}
	before, after := lexer.Token{}, lexer.Token{}
	if i > 0 {
		before = tokens[i-1]
	}
	if i+1 < len(tokens) {
		after = tokens[i+1]
	}
	switch {
	case before.Is(lexer.Operator) && slices.Contains([]string{".", "?.", "|"}, before.Value):
		return false
	case after.Is(lexer.Bracket, "("):
		return false
	case after.Is(lexer.Operator, ":") && (before.Is(lexer.Bracket, "{") || before.Is(lexer.Operator, ",")):
		return !inBraces(tokens[:i])
	}
	return true
}

// inBraces reports whether the innermost bracket that is open is a brace.
func inBraces(tokens []lexer.Token) bool {
	depth := 0
	for _, t := range slices.Backward(tokens) {
		if t.Kind != lexer.Bracket {
			continue
		}
		switch t.Value {
		case ")", "]", "}":
			depth++
		default:
			if depth == 0 {
				return t.Value == "{"
			}
			depth--
		}
	}
	return false
}
