package expr

import (
	"math"

	"github.com/pictifyd/pictifyd/internal/problem"
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
			p := fail("%s is a list: %s is not a position in it", named(args[2], "the value"), quote(key))
			return nil, lengthHint(p, args[2], key)
		}
		if at, ok := within(i, len(of)); ok {
			return of[at], nil
		}
		return nil, nil
	case string:
		if i, ok := Number(key); ok && whole(i) {
			letters := []rune(of)
			if at, ok := within(i, len(letters)); ok {
				return string(letters[at]), nil
			}
			return nil, nil
		}
	case nil:
		return nil, fail("%s is missing, so it has no %s", named(args[2], "the value"), quote(key)).
			WithHint("write ?. where a part may be missing")
	}
	p := fail("%s is %s, which has no %s", named(args[2], "the value"), quote(of), quote(key))
	return nil, lengthHint(p, args[2], key)
}

// within is position i among n items; a negative one counts from the end.
func within(i float64, n int) (int, bool) {
	if i < 0 {
		i += float64(n)
	}
	return int(i), i >= 0 && i < float64(n)
}

// lengthHint helps those who write a.length, as other languages have it.
func lengthHint(p *problem.Error, of, key any) *problem.Error {
	if key == "length" {
		p.Hint = "write length(" + named(of, "…") + ")"
	}
	return p
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
