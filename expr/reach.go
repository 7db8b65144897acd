package expr

import (
	"math"
)

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
