package poll

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A step goes from a value into one of its parts: the value of a name in an
// object, or the element at an index of an array.
type step struct {
	name    string
	index   int
	isIndex bool
}

// String is the step as it is written in a path.
func (s step) String() string {
	switch {
	case s.isIndex:
		return fmt.Sprintf("[%d]", s.index)
	case s.name != "" && !strings.ContainsAny(s.name, " .[]'"):
		return "." + s.name
	}
	return "['" + s.name + "']"
}

type path []step

// String is the path as parsePath reads it.
func (p path) String() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range p {
		b.WriteString(s.String())
	}
	return b.String()
}

// parsePath reads "$", "$.items", "$.a['odd name'][0].rows". Empty is "$", and
// a last "[*]", which says what is meant anyway, is left out.
func parsePath(text string) (path, *problem.Error) {
	if text == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, badPath(text).WithHint("it begins with $, the whole document: did you mean %q?", "$."+text)
	}
	rest = strings.TrimSuffix(rest, "[*]")
	var p path
	for rest != "" {
		var s step
		if s, rest, ok = cutStep(rest); !ok {
			return nil, badPath(text).WithHint("it is made of .name, ['name'] and [0], as in \"$.data[0].items\"")
		}
		p = append(p, s)
	}
	return p, nil
}

func cutStep(text string) (s step, rest string, ok bool) {
	if name, dotted := strings.CutPrefix(text, "."); dotted {
		end := strings.IndexAny(name, ".[]'")
		if end < 0 {
			end = len(name)
		}
		return step{name: name[:end]}, name[end:], end > 0 && name[:end] != "*"
	}
	if quoted, found := strings.CutPrefix(text, "['"); found {
		name, rest, closed := strings.Cut(quoted, "']")
		return step{name: name}, rest, closed
	}
	digits, rest, closed := strings.Cut(strings.TrimPrefix(text, "["), "]")
	index, err := strconv.ParseUint(digits, 10, 31)
	ok = closed && err == nil && strings.HasPrefix(text, "[")
	return step{index: int(index), isIndex: true}, rest, ok
}

func badPath(text string) *problem.Error {
	return problem.New(problem.Invalid, "%q is not a path to an array of rows", text)
}
