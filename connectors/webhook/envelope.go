package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// BadVersion is the reason of a row that does not say which of its states it is.
const BadVersion = "bad_version"

// The names that expressions have for the call, beside the columns of the row.
const (
	localRow     = "row"     // the row itself, for a column that is called body or headers
	localBody    = "body"    // the whole document; of NDJSON the line
	localHeaders = "headers" // by their names in lower case
)

// programs are the expressions of a source; nil where there is none.
type programs struct {
	when, id, version, deleted *expr.Program

	readHeaders bool // one of them does
}

// programs compiles the expressions.
func (c *Config) programs() (p programs, list problem.List) {
	compile := func(path, src string, o expr.Options) *expr.Program {
		if strings.TrimSpace(src) == "" {
			return nil
		}
		program, err := expr.Compile(src, o)
		if err != nil {
			for _, bad := range problem.All(err) {
				placed := *bad
				if bad.Pos.Column > 0 {
					placed.Message += fmt.Sprintf(", at character %d", bad.Pos.Column)
				}
				placed.Path, placed.Pos = path, problem.Position{}
				list = append(list, &placed)
			}
			return nil
		}
		if program.ReadsClock() {
			list = append(list, problem.New(problem.Unsupported, "the expression reads the clock, and a call that comes again must say the same").At(path))
			return nil
		}
		p.readHeaders = p.readHeaders || slices.Contains(program.Locals(), localHeaders)
		return program
	}
	call := expr.Options{Names: []string{}, Locals: []string{localBody, localHeaders}}
	row := expr.Options{Locals: []string{localRow, localBody, localHeaders}}
	p.when = compile("when", c.When, call)
	p.id = compile("id", c.ID, call)
	p.version = compile("version", c.Version, row)
	p.deleted = compile("deleted", c.Deleted, row)
	return p, list
}

// An envelope is what expressions see of a call.
type envelope struct {
	header  http.Header
	headers map[string]any
	body    any
	row     map[string]any
}

func newEnvelope(h http.Header, readHeaders bool) envelope {
	e := envelope{header: h}
	if readHeaders {
		e.headers = make(map[string]any, len(h))
		for name, values := range h {
			e.headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return e
}

func (e envelope) eval(p *expr.Program) (any, error) {
	locals := map[string]any{localBody: e.body, localHeaders: e.headers, localRow: e.row}
	return p.Eval(e.row, expr.Env{Locals: locals})
}

// holds is whether a condition is true, or what it is without one.
func (e envelope) holds(p *expr.Program, without bool) (bool, error) {
	if p == nil {
		return without, nil
	}
	value, err := e.eval(p)
	return expr.Truthy(value), err
}

func (e envelope) text(p *expr.Program) (string, error) {
	value, err := e.eval(p)
	return strings.TrimSpace(expr.Text(value)), err
}

// maxVersion leaves room for the order in which rows of the same version came.
const maxVersion = 1<<62 - 1

// version is the number that orders a row: a whole number above 0, or the
// milliseconds of a time.
func (e envelope) version(p *expr.Program) (int64, error) {
	value, err := e.eval(p)
	if err != nil {
		return 0, errors.New(problem.All(err)[0].Message)
	}
	if digits, ok := expr.NumberText(value); ok {
		n, err := strconv.ParseInt(digits.String(), 10, 64)
		if err != nil || n < 1 || n > maxVersion {
			return 0, fmt.Errorf("%s is not a whole number from 1 to 2^62", digits)
		}
		return n, nil
	}
	if t, ok := expr.Time(value, nil); ok && t.UnixMilli() > 0 {
		return t.UnixMilli(), nil
	}
	if value == nil {
		return 0, errors.New("the row has none")
	}
	return 0, fmt.Errorf("%.100q is neither a whole number nor a time", expr.Text(value))
}
