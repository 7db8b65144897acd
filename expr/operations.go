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
)

// An operation is one of our functions as the engine calls it.
type operation func(r *run, args []any) (any, error)

// operations are what operators become. The arithmetic ones get, after their
// operands, the operands' names for the error message.
var operations = map[string]operation{
	"add": add,
	"sub": arithmetic(func(a, b float64) float64 { return a - b }, (*big.Rat).Sub),
	"mul": arithmetic(func(a, b float64) float64 { return a * b }, (*big.Rat).Mul),
	"div": divide,
	"mod": modulo,
	"pow": power,
	"neg": negate,
	"pos": func(_ *run, args []any) (any, error) { return operand(args, 0) },

	"eq": func(_ *run, args []any) (any, error) { return equal(args[0], args[1]), nil },
	"ne": func(_ *run, args []any) (any, error) { return !equal(args[0], args[1]), nil },
	"lt": comparison(func(c int) bool { return c < 0 }),
	"gt": comparison(func(c int) bool { return c > 0 }),
	"le": comparison(func(c int) bool { return c <= 0 }),
	"ge": comparison(func(c int) bool { return c >= 0 }),

	"not":    func(_ *run, args []any) (any, error) { return !Truthy(args[0]), nil },
	"truthy": func(_ *run, args []any) (any, error) { return Truthy(args[0]), nil },
	"text":   func(_ *run, args []any) (any, error) { return Text(args[0]), nil },

	"in":         func(r *run, args []any) (any, error) { return contains(r, []any{args[1], args[0]}) },
	"contains":   contains,
	"startsWith": func(_ *run, args []any) (any, error) { return strings.HasPrefix(Text(args[0]), Text(args[1])), nil },
	"endsWith":   func(_ *run, args []any) (any, error) { return strings.HasSuffix(Text(args[0]), Text(args[1])), nil },
	"matches":    matches,

	"range":    makeRange,
	"list":     list,
	"slice":    slice,
	"get":      get,
	"maybe":    maybe,
	"sortable": sortable,
}

// operand is args[i] as a number; its name stands in the second half of args.
func operand(args []any, i int) (float64, error) {
	f, ok := Number(args[i])
	if ok {
		return f, nil
	}
	name, _ := args[len(args)/2+i].(string)
	if args[i] == nil {
		if name == "" {
			return 0, fail("a value is missing where a number is needed")
		}
		return 0, fail("%s is missing, a number is needed", name)
	}
	if name == "" {
		return 0, fail("%s is not a number", quote(args[i]))
	}
	return 0, fail("%s is %s, not a number", name, quote(args[i]))
}

func operands(args []any) (a, b float64, err error) {
	if a, err = operand(args, 0); err == nil {
		b, err = operand(args, 1)
	}
	return a, b, err
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
// 0.1 + 0.2 is 0.3. Whole numbers need no detour.
func arithmetic(fast func(a, b float64) float64, exact func(z, a, b *big.Rat) *big.Rat) operation {
	return func(_ *run, args []any) (any, error) {
		a, b, err := operands(args)
		if err != nil {
			return nil, err
		}
		if f := fast(a, b); whole(a) && whole(b) && whole(f) {
			return f, nil
		}
		f, _ := exact(new(big.Rat), decimal(a), decimal(b)).Float64()
		return finite(f)
	}
}

var addNumbers = arithmetic(func(a, b float64) float64 { return a + b }, (*big.Rat).Add)

// add adds when one side is a number and the other is one or looks like one;
// else, with text on either side, it joins.
func add(r *run, args []any) (any, error) {
	_, leftText := args[0].(string)
	_, rightText := args[1].(string)
	_, leftLooks := NumberText(args[0])
	_, rightLooks := NumberText(args[1])
	if (leftText || rightText) && (leftText && rightText || !leftLooks || !rightLooks) {
		return Text(args[0]) + Text(args[1]), nil
	}
	return addNumbers(r, args)
}

func divide(_ *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return nil, fail("division by zero")
	}
	f, _ := new(big.Rat).Quo(decimal(a), decimal(b)).Float64()
	return finite(f)
}

func modulo(_ *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	if b == 0 {
		return nil, fail("division by zero")
	}
	if whole(a) && whole(b) {
		return math.Mod(a, b), nil
	}
	x, y := decimal(a), decimal(b)
	q := new(big.Rat).Quo(x, y)
	n := new(big.Int).Quo(q.Num(), q.Denom())
	f, _ := x.Sub(x, y.Mul(y, new(big.Rat).SetInt(n))).Float64()
	return finite(f)
}

func power(_ *run, args []any) (any, error) {
	a, b, err := operands(args)
	if err != nil {
		return nil, err
	}
	return finite(math.Pow(a, b))
}

func negate(_ *run, args []any) (any, error) {
	f, err := operand(args, 0)
	return -f, err
}

// equal compares numbers by value, also with text that is a number, and text
// with text letter by letter.
func equal(a, b any) bool {
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
		return equalLists(a, b)
	case map[string]any:
		return equalMaps(a, b)
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

func equalLists(a []any, other any) bool {
	b, ok := other.([]any)
	if !ok || len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equalMaps(a map[string]any, other any) bool {
	b, ok := other.(map[string]any)
	if !ok || len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || !equal(v, w) {
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

func contains(_ *run, args []any) (any, error) {
	switch of := args[0].(type) {
	case nil:
		return false, nil
	case []any:
		return indexOf(of, args[1]) >= 0, nil
	case map[string]any:
		_, ok := of[Text(args[1])]
		return ok, nil
	}
	return strings.Contains(Text(args[0]), Text(args[1])), nil
}

func indexOf(items []any, v any) int {
	for i, item := range items {
		if equal(item, v) {
			return i
		}
	}
	return -1
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
	if name, _ := args[1].(string); name != "" {
		return nil, fail("%s is %s, not a list", name, quote(args[0]))
	}
	return nil, fail("%s is not a list", quote(args[0]))
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
