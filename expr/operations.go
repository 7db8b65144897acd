package expr

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An operation is one of our functions as the engine calls it.
type operation func(r *run, args []any) (any, error)

// operations are what operators become. The arithmetic ones get, after their
// operands, the operands' names for the error message.
var operations = map[string]operation{
	"add": add,
	"sub": arithmetic(subDec, (*big.Rat).Sub),
	"mul": arithmetic(mulDec, (*big.Rat).Mul),
	"div": divide,
	"mod": modulo,
	"pow": power,
	"neg": negate,
	"pos": positive,

	"eq": func(r *run, args []any) (any, error) { return r.equal(args[0], args[1]) },
	"ne": func(r *run, args []any) (any, error) { same, err := r.equal(args[0], args[1]); return !same, err },
	"lt": comparison(func(c int) bool { return c < 0 }),
	"gt": comparison(func(c int) bool { return c > 0 }),
	"le": comparison(func(c int) bool { return c <= 0 }),
	"ge": comparison(func(c int) bool { return c >= 0 }),

	"not":    func(_ *run, args []any) (any, error) { return !Truthy(args[0]), nil },
	"truthy": func(_ *run, args []any) (any, error) { return Truthy(args[0]), nil },
	"text":   func(_ *run, args []any) (any, error) { return Text(args[0]), nil },

	"in":         func(r *run, args []any) (any, error) { return contains(r, []any{args[1], args[0]}) },
	"contains":   contains,
	"startsWith": startsWith,
	"endsWith":   endsWith,
	"matches":    matches,

	"range":    makeRange,
	"list":     list,
	"slice":    slice,
	"get":      get,
	"maybe":    maybe,
	"sortable": sortable,
	"lastTrue": lastTrue,
}

// numeric makes sure that args[i] is a number; its name stands in the second
// half of args.
func numeric(args []any, i int) error {
	if isNumber(args[i]) {
		if f, ok := args[i].(float64); !ok || !math.IsInf(f, 0) {
			return nil
		}
	}
	if _, ok := Number(args[i]); ok {
		return nil
	}
	name, _ := args[len(args)/2+i].(string)
	p := fail("%s is %s, not a number", named(name, "the value"), quote(args[i]))
	switch {
	case args[i] == nil && name == "":
		p = fail("a value is missing where a number is needed")
	case args[i] == nil:
		p = fail("%s is missing, a number is needed", name)
	case name == "":
		p = fail("%s is not a number", quote(args[i]))
	}
	if args[i] == nil {
		p.WithHint("write (%s ?? 0) where it may be missing", named(name, "…"))
	}
	return &misfit{p.Expecting("a number"), i}
}

// A misfit is a problem with one operand, which is the place to point at.
type misfit struct {
	what    *problem.Error
	operand int
}

func (m *misfit) Error() string { return m.what.Error() }
func (m *misfit) Unwrap() error { return m.what }

func numerics(args []any) error {
	if err := numeric(args, 0); err != nil {
		return err
	}
	return numeric(args, 1)
}

func operands(args []any) (a, b float64, err error) {
	if err := numerics(args); err != nil {
		return 0, 0, err
	}
	a, _ = Number(args[0])
	b, _ = Number(args[1])
	return a, b, nil
}

func whole(f float64) bool { return f == math.Trunc(f) && math.Abs(f) < exactInt }

// finite refuses results that no person could read.
func finite(f float64) (any, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fail("the result is too large")
	}
	return f, nil
}

// arithmetic computes in decimal, as people do: 129.5 * 0.9 is 116.55 and
// 0.1 + 0.2 is 0.3. Short numbers need no detour over fractions.
func arithmetic(short func(a, b dec) (dec, bool), long func(z, a, b *big.Rat) *big.Rat) operation {
	return func(r *run, args []any) (any, error) {
		a, okA := small(args[0])
		b, okB := small(args[1])
		if okA && okB {
			if d, ok := short(a, b); ok {
				return d.value(), nil
			}
		}
		if err := numerics(args); err != nil {
			return nil, err
		}
		return exactly(r, args, long)
	}
}

// longCost is the work of one step with numbers too long for the short way.
const longCost = 16

// exactly computes with fractions of any length.
func exactly(r *run, args []any, f func(z, a, b *big.Rat) *big.Rat) (any, error) {
	if err := r.spend(longCost); err != nil {
		return nil, err
	}
	x, exactX := rational(args[0])
	y, exactY := rational(args[1])
	return rationalValue(f(new(big.Rat), x, y), exactX && exactY)
}

var addNumbers = arithmetic(addDec, (*big.Rat).Add)

// add adds when one side is a number and the other is one or looks like one;
// else, with text on either side, it joins.
func add(r *run, args []any) (any, error) {
	left, leftText := args[0].(string)
	right, rightText := args[1].(string)
	switch {
	case leftText && rightText:
		return left + right, nil
	case leftText && !looksLikeNumber(left), rightText && !looksLikeNumber(right),
		leftText && !isNumber(args[1]), rightText && !isNumber(args[0]):
		return Text(args[0]) + Text(args[1]), nil
	}
	return addNumbers(r, args)
}

func looksLikeNumber(s string) bool { return isNumberText(strings.TrimSpace(s)) }

func divide(r *run, args []any) (any, error) {
	_, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return nil, byZero(args)
	}
	return exactly(r, args, (*big.Rat).Quo)
}

func byZero(args []any) error {
	p := fail("division by zero")
	if name, _ := args[3].(string); name != "" {
		p.WithHint("%s is 0; write %s == 0 ? … : … to choose what to show then", name, name)
	}
	return &misfit{p, 1}
}

func modulo(r *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return nil, byZero(args)
	}
	if whole(a) && whole(b) {
		return math.Mod(a, b), nil
	}
	return exactly(r, args, func(z, x, y *big.Rat) *big.Rat {
		z.Quo(x, y)
		n := new(big.Int).Quo(z.Num(), z.Denom())
		return z.Sub(x, new(big.Rat).Mul(y, new(big.Rat).SetInt(n)))
	})
}

// maxPower is the largest whole exponent that is computed in decimal.
const maxPower = 64

func power(r *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if _, short := small(args[0]); short && whole(b) && b >= 0 && b <= maxPower {
		return exactly(r, args, func(z, x, _ *big.Rat) *big.Rat {
			n := big.NewInt(int64(b))
			return z.SetFrac(new(big.Int).Exp(x.Num(), n, nil), new(big.Int).Exp(x.Denom(), n, nil))
		})
	}
	return finite(math.Pow(a, b))
}

func negate(r *run, args []any) (any, error) {
	if err := numeric(args, 0); err != nil {
		return nil, err
	}
	return addSigned(r, args[0], (*big.Rat).Sub)
}

func positive(r *run, args []any) (any, error) {
	if err := numeric(args, 0); err != nil {
		return nil, err
	}
	return addSigned(r, args[0], (*big.Rat).Add)
}

func addSigned(r *run, v any, f func(z, a, b *big.Rat) *big.Rat) (any, error) {
	return exactly(r, []any{0, v}, f)
}

// equal compares numbers by value, also with text that is a number, and text
// with text letter by letter.
func equal(a, b any, budget *int) bool {
	if *budget--; *budget < 0 {
		return false
	}
	if isNumber(a) || isNumber(b) {
		x, okX := NumberText(a)
		y, okY := NumberText(b)
		return okX && okY && compareNumbers(x, y) == 0
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		if t, ok := b.(string); ok {
			return a == t
		}
	case []any:
		return equalLists(a, b, budget)
	case map[string]any:
		return equalMaps(a, b, budget)
	}
	_, boolA := a.(bool)
	_, boolB := b.(bool)
	if boolA || boolB {
		x, okX := Bool(a)
		y, okY := Bool(b)
		return okX && okY && x == y
	}
	return false
}

func equalLists(a []any, other any, budget *int) bool {
	b, ok := other.([]any)
	if !ok || len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i], budget) {
			return false
		}
	}
	return true
}

func equalMaps(a map[string]any, other any, budget *int) bool {
	b, ok := other.(map[string]any)
	if !ok || len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || !equal(v, w, budget) {
			return false
		}
	}
	return true
}

// compareNumbers tells apart also whole numbers too long for a float: keys.
func compareNumbers(a, b json.Number) int {
	x, _ := strconv.ParseFloat(string(a), 64)
	y, _ := strconv.ParseFloat(string(b), 64)
	if x != y || math.Abs(x) < exactInt || len(a) > 400 || len(b) > 400 {
		return cmp.Compare(x, y)
	}
	i, okI := new(big.Int).SetString(string(a), 10)
	j, okJ := new(big.Int).SetString(string(b), 10)
	if !okI || !okJ {
		return 0
	}
	return i.Cmp(j)
}

// comparison orders two values that both look like numbers as numbers, others
// as text. Nothing is neither less nor more than anything.
func comparison(holds func(c int) bool) operation {
	return func(_ *run, args []any) (any, error) {
		a, b := args[0], args[1]
		if isEmpty(a) && a != "" || isEmpty(b) && b != "" || a == "" && isNumber(b) || b == "" && isNumber(a) {
			return false, nil
		}
		x, okX := NumberText(a)
		y, okY := NumberText(b)
		if okX && okY {
			return holds(compareNumbers(x, y)), nil
		}
		for _, v := range args[:2] {
			switch v.(type) {
			case bool, []any, map[string]any:
				return nil, fail("%s cannot be ordered", quote(v))
			}
		}
		return holds(cmp.Compare(Text(a), Text(b))), nil
	}
}

func startsWith(_ *run, args []any) (any, error) {
	return strings.HasPrefix(Text(args[0]), Text(args[1])), nil
}

func endsWith(_ *run, args []any) (any, error) {
	return strings.HasSuffix(Text(args[0]), Text(args[1])), nil
}

func contains(r *run, args []any) (any, error) {
	switch of := args[0].(type) {
	case nil:
		return false, nil
	case []any:
		i, err := r.indexOf(of, args[1])
		return i >= 0, err
	case map[string]any:
		_, ok := of[Text(args[1])]
		return ok, nil
	}
	return strings.Contains(Text(args[0]), Text(args[1])), nil
}

func (r *run) indexOf(items []any, v any) (int, error) {
	for i, item := range items {
		same, err := r.equal(item, v)
		if same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// equal is equality that pays for long values.
func (r *run) equal(a, b any) (bool, error) {
	same := equal(a, b, &r.budget)
	return same, r.spend(0)
}

func matches(_ *run, args []any) (any, error) {
	re, ok := args[1].(*regexp.Regexp)
	if !ok {
		pattern := Text(args[1])
		if len(pattern) > 1000 {
			return nil, fail("the pattern has more than 1000 bytes")
		}
		var err error
		if re, err = regexp.Compile(pattern); err != nil {
			return nil, fail("%s is not a regular expression", quote(pattern))
		}
	}
	return re.MatchString(Text(args[0])), nil
}

func makeRange(_ *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if !whole(a) || !whole(b) {
		return nil, fail("a range goes from one whole number to another")
	}
	if b-a >= maxList {
		return nil, fail("the range has more than %d items", maxList)
	}
	out := []any{}
	for f := a; f <= b; f++ {
		out = append(out, f)
	}
	return out, nil
}

// list is what a loop runs over; nothing is an empty list.
func list(r *run, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return []any{}, nil
	case []any:
		if len(v) > maxList {
			return nil, fail("the list has %d items, more than the %d allowed", len(v), maxList)
		}
		return v, nil
	}
	p := fail("%s is not a list", quote(args[0]))
	if name, _ := args[1].(string); name != "" {
		p = fail("%s is %s, not a list", name, quote(args[0]))
	}
	return nil, &misfit{p.Expecting("a list"), 0}
}

// get is of.key or of[key]. A missing key or item is nil, but what has no keys
// or items at all is a mistake worth hearing of.
func get(_ *run, args []any) (any, error) {
	of, key := args[0], args[1]
	switch of := of.(type) {
	case map[string]any:
		return of[Text(key)], nil
	case []any:
		i, ok := Number(key)
		if !ok || !whole(i) {
			return nil, fail("%s is a list: %s is not a position in it", named(args[2], "the value"), quote(key))
		}
		if i < 0 {
			i += float64(len(of))
		}
		if i < 0 || i >= float64(len(of)) {
			return nil, nil
		}
		return of[int(i)], nil
	case nil:
		return nil, fail("%s is missing, so it has no %s", named(args[2], "the value"), quote(key)).
			WithHint("write ?. where a part may be missing")
	}
	return nil, fail("%s is %s, which has no %s", named(args[2], "the value"), quote(of), quote(key))
}

func named(name any, otherwise string) string {
	if s, _ := name.(string); s != "" {
		return s
	}
	return otherwise
}

func maybe(r *run, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	return get(r, args)
}

// slice is v[from:to] of a list, or of the letters of a text. Negative bounds
// count from the end; what lies outside is cut.
func slice(_ *run, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return nil, nil
	case []any:
		from, to, err := bounds(args[1:], len(v))
		if err != nil {
			return nil, err
		}
		return v[from:to], nil
	case map[string]any, bool:
		return nil, fail("%s has no parts to cut", quote(v))
	}
	letters := []rune(Text(args[0]))
	from, to, err := bounds(args[1:], len(letters))
	if err != nil {
		return nil, err
	}
	return string(letters[from:to]), nil
}

func bounds(args []any, n int) (from, to int, err error) {
	limits := [2]int{0, n}
	for i, v := range args[:min(len(args), 2)] {
		if v == nil {
			continue
		}
		f, ok := Number(v)
		if !ok {
			return 0, 0, fail("%s is not a position", quote(v))
		}
		if f < 0 {
			f += float64(n)
		}
		limits[i] = int(min(max(math.Trunc(f), 0), float64(n)))
	}
	return min(limits[0], limits[1]), limits[1], nil
}

// sortable is v in a form that the engine's sort compares as we would.
func sortable(_ *run, args []any) (any, error) {
	if f, ok := Number(args[0]); ok {
		return f, nil
	}
	return Text(args[0]), nil
}

// lastTrue is the position of the last true item, nil for none.
func lastTrue(_ *run, args []any) (any, error) {
	items, _ := args[0].([]any)
	for i := len(items) - 1; i >= 0; i-- {
		if items[i] == true {
			return i, nil
		}
	}
	return nil, nil
}

// moments are the forms in which dates arrive.
var moments = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

// Time is the moment that v tells: RFC 3339, or a date with or without a time of
// day, which is then in zone.
func Time(v any, zone *time.Location) (t time.Time, ok bool) {
	if zone == nil {
		zone = time.UTC
	}
	s, isText := v.(string)
	if !isText {
		return time.Time{}, false
	}
	for _, layout := range moments {
		if t, err := time.ParseInLocation(layout, strings.TrimSpace(s), zone); err == nil {
			return t.In(zone), true
		}
	}
	return time.Time{}, false
}
