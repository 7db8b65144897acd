package expr

import (
	"math/big"
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
