package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Interpolation is a text with expressions in it, each between {{ and }}: an
// address, a path, a header. It is safe for concurrent use.
type Interpolation struct {
	parts []part
}

// A part is a text as it stands, or an expression.
type part struct {
	text    string
	source  string
	program *Program
}

// ParseInterpolation compiles the expressions in text. The error is a
// *problem.Error that quotes the expression.
func ParseInterpolation(text string, o Options) (*Interpolation, error) {
	var in Interpolation
	for text != "" {
		static, rest, found := strings.Cut(text, "{{")
		if static != "" {
			in.parts = append(in.parts, part{text: static})
		}
		if !found {
			break
		}
		end := endOfExpression(rest)
		if end < 0 {
			return nil, problem.New(problem.Invalid, "{{ is not closed")
		}
		source := strings.TrimSpace(rest[:end])
		program, err := Compile(source, o)
		if err != nil {
			return nil, quoted(source, err)
		}
		in.parts = append(in.parts, part{source: source, program: program})
		text = rest[end+len("}}"):]
	}
	return &in, nil
}

// Static reports whether there is no expression in the text.
func (in *Interpolation) Static() bool {
	return !slices.ContainsFunc(in.parts, func(p part) bool { return p.program != nil })
}

// Reads reports whether an expression reads one of the names, or may.
func (in *Interpolation) Reads(names ...string) bool {
	return slices.ContainsFunc(in.parts, func(p part) bool {
		return p.program != nil && (p.program.UsesAll() || slices.ContainsFunc(p.program.Names(), func(name string) bool {
			return slices.Contains(names, name)
		}))
	})
}

// ReadsClock reports whether an expression reads the wall clock.
func (in *Interpolation) ReadsClock() bool {
	return slices.ContainsFunc(in.parts, func(p part) bool { return p.program != nil && p.program.ReadsClock() })
}

// Sketch is the text with each expression replaced by stand: what can be checked
// of its form before there are values.
func (in *Interpolation) Sketch(stand string) string {
	return in.Replace(func(*Program) string { return stand })
}

// Replace is the text with each expression replaced by what stand gives for it.
func (in *Interpolation) Replace(stand func(*Program) string) string {
	var b strings.Builder
	for _, p := range in.parts {
		if p.program != nil {
			b.WriteString(stand(p.program))
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// Fill is the text with its expressions replaced by their values, each through
// encode. A value that is empty is an error: it would make an address of another
// thing. The error is a *problem.Error that quotes the expression.
func (in *Interpolation) Fill(values map[string]any, env Env, encode func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range in.parts {
		if p.program == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.program.Eval(values, env)
		if err != nil {
			return "", quoted(p.source, err)
		}
		text := Text(v)
		if text == "" {
			return "", problem.New(problem.Invalid, "{{ %s }} is empty", p.source)
		}
		b.WriteString(encode(text))
	}
	return b.String(), nil
}

// quoted says the expression instead of the position in it, which counts from
// the expression's own start.
func quoted(source string, err error) *problem.Error {
	p := problem.New(problem.Invalid, "{{ %s }}: %w", source, err)
	var cause *problem.Error
	if errors.As(err, &cause) {
		p.Message, p.Hint = fmt.Sprintf("{{ %s }}: %s", source, cause.Message), cause.Hint
	}
	return p
}

// endOfExpression is where the }} is that closes the expression at the start of
// text; one in a string does not. It is -1 if there is none.
func endOfExpression(text string) int {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case strings.HasPrefix(text[i:], "}}"):
			return i
		}
	}
	return -1
}
