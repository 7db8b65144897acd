package expr

// library is every function by its names. It is filled when the room is made
// ready, because some of its functions look things up in it.
var library map[string]*function

func init() {
	library = read(map[string][]function{
		"text":               textFunctions,
		"number":             numberFunctions,
		"money and units":    unitFunctions,
		"date and time":      timeFunctions,
		"list":               append(listFunctions, loopFunctions...),
		"checks and choices": checkFunctions,
	})
	engineFunctions = newEngineFunctions()
}

// arg is args[i], nil when it was not given.
func arg(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}

// textArg is args[i] as text, or otherwise when it was not given.
func textArg(args []any, i int, otherwise string) string {
	if v := arg(args, i); v != nil {
		return Text(v)
	}
	return otherwise
}

// countArg is args[i] as a whole number from 0 to most.
func countArg(args []any, i, otherwise, most int, what string) (int, error) {
	v := arg(args, i)
	if v == nil {
		return otherwise, nil
	}
	f, ok := Number(v)
	if !ok || !whole(f) || f < 0 || f > float64(most) {
		return 0, fail("%s is %s, not a whole number from 0 to %d", what, quote(v), most).Expecting("a number")
	}
	return int(f), nil
}

// wholeArg is args[i] as a whole number of days, months and the like.
func wholeArg(name string, args []any, i int) (int, error) {
	f, ok := Number(args[i])
	if !ok {
		return 0, notNumber(name, args[i])
	}
	if !whole(f) || f < -1e6 || f > 1e6 {
		return 0, fail("%s needs a whole number up to a million, but the value is %s", name, quote(args[i]))
	}
	return int(f), nil
}

// needNumber is nil where args[i] is a number.
func needNumber(name string, args []any, i int) error {
	if _, ok := Number(args[i]); ok {
		return nil
	}
	return notNumber(name, args[i])
}

func notNumber(name string, v any) error {
	if v == nil {
		return fail("%s needs a number, but the value is missing", name).Expecting("a number").
			WithHint("write (… ?? 0) where it may be missing")
	}
	return fail("%s needs a number, but the value is %s", name, quote(v)).Expecting("a number")
}

// listArg is args[i] as a list; nothing is an empty one.
func listArg(name string, args []any, i int) ([]any, error) {
	switch v := arg(args, i).(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	default:
		return nil, fail("%s needs a list, but the value is %s", name, quote(v)).Expecting("a list")
	}
}

// flatten lets a function take a list, or its items one by one.
func flatten(args []any) []any {
	if len(args) == 1 {
		if items, ok := args[0].([]any); ok {
			return items
		}
	}
	return args
}
