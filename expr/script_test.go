package expr

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A script is one file of testdata. What it says holds from its line on.
type script struct {
	values  map[string]any
	locals  map[string]any
	sampled bool // types come from the values
	env     Env
}

// A scriptCase is one expression with what must come of it.
type scriptCase struct {
	line       int
	expression string
	want       string
	fails      bool
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.test")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	ran := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			ran += runScript(t, file, string(text))
		})
	}
	if ran < 300 {
		t.Errorf("%d cases ran, there are more than 300", ran)
	}
}

func runScript(t *testing.T, file, text string) (ran int) {
	t.Helper()
	s := &script{env: Env{Now: time.Date(2026, 3, 5, 14, 7, 9, 0, time.UTC)}}
	c := scriptCase{}
	var source []string
	for i, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" && len(source) == 0, strings.HasPrefix(line, "# "), line == "#":
		case len(source) == 0 && s.set(t, word, rest):
		case (word == "=" || word == "!") && len(source) > 0:
			c.expression, c.want, c.fails = strings.Join(source, "\n"), mustUnquote(t, rest), word == "!"
			if got := s.outcome(c.expression); got != c.outcome() {
				t.Errorf("%s:%d: %s\n got %s\nwant %s", file, c.line, c.expression, got, c.outcome())
			}
			if got := s.typed().outcome(c.expression); !c.fails && got != c.outcome() && !foreseen(c.expression, got) {
				t.Errorf("%s:%d: %s\n with the types of its own values: %s", file, c.line, c.expression, got)
			}
			ran++
			source = nil
		default:
			if len(source) == 0 {
				c.line = i + 1
			}
			source = append(source, line)
		}
	}
	if len(source) > 0 {
		t.Errorf("%s:%d: the expression has no result", file, c.line)
	}
	return ran
}

// typed is s with the types of its values known. No case that works is wrong then.
func (s *script) typed() *script {
	with := *s
	with.sampled = true
	return &with
}

// foreseen are the mistakes that types show and a row need not: a field that no
// sample has, and what stands behind a condition that does not hold.
func foreseen(expression, complaint string) bool {
	return strings.Contains(complaint, "has no field") || strings.Contains(expression, " && ")
}

func (c scriptCase) outcome() string {
	if c.fails {
		return "! " + c.want
	}
	return "= " + strconv.Quote(c.want)
}

// set takes one line that changes what holds.
func (s *script) set(tb testing.TB, word, rest string) bool {
	tb.Helper()
	switch word {
	case "values":
		s.values = mustObject(tb, rest)
	case "locals":
		s.locals = mustObject(tb, rest)
		s.env.Locals = s.locals
	case "types":
		s.sampled = rest == "sampled"
	case "locale":
		s.env.Locale = rest
	case "money":
		s.env.Currency = rest
	case "zone":
		z, err := time.LoadLocation(rest)
		if err != nil {
			tb.Skip("no time zones here: ", err)
		}
		s.env.Zone = z
	default:
		return false
	}
	return true
}

func mustObject(tb testing.TB, text string) map[string]any {
	tb.Helper()
	v, err := ParseJSON(text)
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		tb.Fatalf("%s is no JSON object: %v", text, err)
	}
	return m
}

func mustUnquote(tb testing.TB, text string) string {
	tb.Helper()
	if !strings.HasPrefix(text, `"`) {
		return text
	}
	s, err := strconv.Unquote(text)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return s
}

func (s *script) outcome(expression string) string {
	o := Options{Names: slices.Sorted(maps.Keys(s.values)), Locals: slices.Sorted(maps.Keys(s.locals))}
	if o.Names == nil {
		o.Names = []string{}
	}
	if s.sampled {
		o.Types = map[string]*Type{}
		for name, value := range s.values {
			o.Types[name] = TypeOf(value)
		}
		for name, value := range s.locals {
			o.Types[name] = TypeOf(value)
		}
	}
	p, err := Compile(expression, o)
	if err != nil {
		return complaint(err)
	}
	out, err := p.Eval(s.values, s.env)
	if err != nil {
		return complaint(err)
	}
	return "= " + strconv.Quote(Text(out))
}

// complaint is an error as the scripts write it: where, what, the hint, and
// what was expected.
func complaint(err error) string {
	var p *problem.Error
	if !errors.As(err, &p) {
		return "! no problem but " + err.Error()
	}
	at := fmt.Sprintf("%d:%d-", p.Pos.Line, p.Pos.Column)
	if p.Pos.EndLine != p.Pos.Line {
		at += fmt.Sprintf("%d:", p.Pos.EndLine)
	}
	text := fmt.Sprintf("! %s%d %s", at, p.Pos.EndColumn, p.Message)
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	if p.Expected != "" {
		text += " [" + p.Expected + "]"
	}
	return text
}
