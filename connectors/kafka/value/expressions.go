package value

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The names that expressions have for the record, beside the columns of the row.
const (
	localRow       = "row"   // the row itself, for a column that is called as one of these
	localValue     = "value" // all of the value, with its envelope
	localKey       = "key"   // as key_format reads it
	localHeaders   = "headers"
	localTopic     = "topic"
	localPartition = "partition"
	localOffset    = "offset"
	localTimestamp = "timestamp"
)

var locals = []string{localRow, localValue, localKey, localHeaders, localTopic, localPartition, localOffset, localTimestamp}

// programs are the expressions of a source; nil where there is none.
type programs struct {
	rowKey, when, deleted *expr.Program
}

// programs compiles the expressions.
func (c *Config) programs() (p programs, list problem.List) {
	compile := func(path, src string) *expr.Program {
		if strings.TrimSpace(src) == "" {
			return nil
		}
		program, err := expr.Compile(src, expr.Options{Locals: locals})
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
			list = append(list, problem.New(problem.Unsupported, "the expression reads the clock, and a record that comes again must say the same").At(path))
			return nil
		}
		return program
	}
	p.rowKey = compile("row_key", c.RowKey)
	p.when = compile("when", c.When)
	p.deleted = compile("deleted", c.Deleted)
	return p, list
}

func reads(p *expr.Program, local string) bool {
	return p != nil && slices.Contains(p.Locals(), local)
}

// readsValue reports whether p needs more than a tombstone has.
func readsValue(p *expr.Program) bool {
	return p != nil && (len(p.Names()) > 0 || p.UsesAll() || reads(p, localRow) || reads(p, localValue))
}

// A view is what expressions see of a record.
type view struct {
	record Record
	value  any // nil of a tombstone
	row    map[string]any
	key    any

	locals map[string]any // made when the first expression is evaluated
}

func (v *view) eval(p *expr.Program) (any, error) {
	if v.locals == nil {
		v.locals = map[string]any{
			localValue: v.value, localKey: v.key, localHeaders: v.record.headers(), localTopic: v.record.Topic,
			localPartition: json.Number(strconv.Itoa(v.record.Partition)), localOffset: json.Number(strconv.FormatInt(v.record.Offset, 10)),
			localTimestamp: v.record.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		}
		if v.record.Time.Equal(time.Time{}) {
			v.locals[localTimestamp] = nil
		}
	}
	v.locals[localRow] = nil
	if v.row != nil {
		v.locals[localRow] = v.row
	}
	return p.Eval(v.row, expr.Env{Locals: v.locals})
}

// holds is whether a condition is true, or what it is without one.
func (v *view) holds(name string, p *expr.Program, without bool) (bool, *flaw) {
	if p == nil {
		return without, nil
	}
	value, err := v.eval(p)
	if err != nil {
		return false, flawed(badRecord, "%s: %s", name, problem.All(err)[0].Message)
	}
	return expr.Truthy(value), nil
}

// rowKey is what the expression makes of a key: its columns, where it is a list.
func (v *view) rowKey(p *expr.Program) ([]any, *flaw) {
	value, err := v.eval(p)
	if err != nil {
		return nil, flawed(BadKey, "row_key: %s", problem.All(err)[0].Message)
	}
	parts, several := value.([]any)
	if !several {
		parts = []any{value}
	}
	key := make([]any, len(parts))
	for i, part := range parts {
		switch part := part.(type) {
		case nil, string, bool, json.Number, []any, map[string]any:
			key[i] = part
		default:
			key[i] = expr.Text(part)
		}
	}
	return key, nil
}

// headers are those of a record by their names; of several the last.
func (r Record) headers() map[string]any {
	headers := make(map[string]any, len(r.Headers))
	for _, h := range r.Headers {
		switch {
		case !utf8.ValidString(h.Name):
		case h.Value == nil, !utf8.Valid(h.Value):
			headers[h.Name] = nil
		default:
			headers[h.Name] = string(h.Value)
		}
	}
	return headers
}
