package expr

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

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
