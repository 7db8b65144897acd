package config

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
)

// bounds checks v, which was decoded from n, against its tags min and max.
func (d *decoder) bounds(n Node, v reflect.Value, tag reflect.StructTag) {
	low, hasLow := tag.Lookup("min")
	high, hasHigh := tag.Lookup("max")
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !hasLow && !hasHigh || !v.IsValid() || d.failedAt(n.path) {
		return
	}
	below, err := beyond(v, low, hasLow, -1)
	above, err2 := beyond(v, high, hasHigh, 1)
	if err != nil || err2 != nil {
		d.misuse(n, "bounds of a %s", v.Type())
		return
	}
	if !below && !above {
		return
	}
	message := "must be at least " + low
	switch {
	case hasLow && hasHigh:
		message = "must be between " + low + " and " + high
	case hasHigh:
		message = "must be at most " + high
	}
	if !n.value().scalar.expanded {
		message += ", not " + n.value().scalar.text
	}
	d.fail(n, slugBounds, "%s", message)
}

// beyond reports whether v lies past a bound, on the side of sign.
func beyond(v reflect.Value, bound string, given bool, sign int) (bool, error) {
	if !given {
		return false, nil
	}
	limit := reflect.New(v.Type()).Elem()
	var err error
	if t, ok := limit.Addr().Interface().(encoding.TextUnmarshaler); ok {
		err = t.UnmarshalText([]byte(bound))
	} else {
		err = set(limit, bound)
	}
	if err != nil {
		return false, err
	}
	order, err := compare(v, limit)
	return order == sign, err
}

func compare(a, b reflect.Value) (int, error) {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int()), nil
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint()), nil
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float()), nil
	default:
		return 0, fmt.Errorf("compare values of type %s", a.Type())
	}
}
