package expr

import (
	"regexp"
	"regexp/syntax"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	maxPatternBytes = 1000
	maxPatternSize  = 2000 // steps, with repetitions written out
	// stepsPerUnit of a pattern, for each byte of the text, are a unit of work.
	stepsPerUnit = 24
)

// A pattern is a regular expression with its size, by which matching is paid for:
// a short one such as (a{100}){10} may have a thousand steps for each byte.
type pattern struct {
	re   *regexp.Regexp
	size int
}

func compilePattern(text string) (*pattern, *problem.Error) {
	if len(text) > maxPatternBytes {
		return nil, fail("the pattern has more than the %d bytes allowed", maxPatternBytes)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fail("the pattern is not a regular expression: %v", err)
	}
	size := patternSize(tree)
	if size > maxPatternSize {
		return nil, fail("the pattern is too large").WithHint("use fewer or smaller repetitions")
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fail("the pattern is not a regular expression: %v", err)
	}
	return &pattern{re, size}, nil
}

// patternSize is about how many steps a pattern has; it does not grow far
// beyond maxPatternSize.
func patternSize(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		n += patternSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1000*maxPatternSize)
}

func matches(r *run, args []any) (any, error) {
	p, ok := args[1].(*pattern)
	if !ok {
		var wrong *problem.Error
		if p, wrong = compilePattern(Text(args[1])); wrong != nil {
			return nil, wrong
		}
		if err := r.spend(8 + 4*p.size); err != nil {
			return nil, err
		}
	}
	text := Text(args[0])
	if err := r.spend(len(text) * (p.size + 4) / stepsPerUnit); err != nil {
		return nil, err
	}
	return p.re.MatchString(text), nil
}
